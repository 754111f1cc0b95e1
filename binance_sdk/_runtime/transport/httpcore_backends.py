"""Network backends for httpcore, below httpx: one deadline for a blocking request, and sockets that do not leak.

httpx applies its timeout to each step of a request (resolving the name, connecting, TLS, sending, every read), so an
answer that comes byte by byte would never time out. An event loop can cancel it; in a thread, each step has to be told
before it begins how much time is left.
"""

from __future__ import annotations

import math
import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

import httpcore


class DeadlineBackend(httpcore.NetworkBackend):
    """A backend that keeps the deadline of the thread that uses it."""

    def __init__(self, inner: httpcore.NetworkBackend) -> None:
        self._inner = inner
        self._thread = threading.local()

    def set(self, ends: float) -> None:
        """From now on, no step in this thread lasts beyond that moment of ``time.monotonic``."""
        self._thread.ends = ends
        self._thread.opened = None

    def close_opened(self) -> None:
        """Close what this thread has opened since; httpcore does not when the handshake with a SOCKS proxy fails."""
        opened: httpcore.NetworkStream | None = self._thread.opened
        if opened is not None:
            opened.close()

    def left(self, timeout: float | None) -> float:
        """Seconds that a step may take; never 0, so that it can still read what has arrived already."""
        ends: float = getattr(self._thread, "ends", math.inf)
        return max(0.001, min(math.inf if timeout is None else timeout, ends - time.monotonic()))

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = _look_up(host, port, self.left(timeout))
        problem: Exception = httpcore.ConnectError(f"{host} has no address")
        for number, address in enumerate(addresses):
            # Each address gets its share of the time left: a silent one must not be the only one that is tried.
            share = self.left(timeout) / (len(addresses) - number)
            try:
                opened = self._inner.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
            else:
                stream = self._thread.opened = _Stream(opened, self)
                return stream
        raise problem

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.connect_unix_socket(path, self.left(timeout), socket_options), self)

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(min(seconds, self.left(None)))


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, deadlines: DeadlineBackend) -> None:
        self._inner = inner
        self._deadlines = deadlines

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._deadlines.left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._deadlines.left(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(
            self._inner.start_tls(ssl_context, server_hostname, self._deadlines.left(timeout)), self._deadlines
        )

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class TrackingBackend(httpcore.AsyncNetworkBackend):
    """A backend for event loops that can close what a request has opened."""

    def __init__(self, inner: httpcore.AsyncNetworkBackend) -> None:
        self._inner = inner
        self._opened: ContextVar[httpcore.AsyncNetworkStream | None] = ContextVar("opened", default=None)

    def begin(self) -> None:
        """Called when a request begins in this task."""
        self._opened.set(None)

    async def close_opened(self) -> None:
        """Close what this task has opened since; httpcore does not when the handshake with a SOCKS proxy fails."""
        opened = self._opened.get()
        if opened is not None:
            await opened.aclose()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's own signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        stream = await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        self._opened.set(stream)
        return stream

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        return await self._inner.connect_unix_socket(path, timeout, socket_options)

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


def _look_up(host: str, port: int, seconds: float) -> list[str]:
    """Addresses of a host.

    The operating system has no timeout for this (half a minute may pass where no name server answers), so it is asked
    in a daemon thread that is abandoned after ``seconds``.
    """
    found: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits
            found.put(error)
        else:
            found.put([str(row[4][0]) for row in rows])

    threading.Thread(target=ask, name=f"binance-sdk resolves {host}", daemon=True).start()
    try:
        answer = found.get(timeout=min(seconds, threading.TIMEOUT_MAX))
    except queue.Empty:
        raise httpcore.ConnectTimeout(f"the name {host} was not resolved in time") from None
    if isinstance(answer, Exception):
        try:
            raise answer
        except OSError as error:
            # Raised inside the handler: httpcore drops the cause of its errors and keeps their context.
            raise httpcore.ConnectError(str(error)) from error
    return list(dict.fromkeys(answer))
