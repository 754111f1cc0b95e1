"""One deadline for all that a blocking request does: looking up the name, connecting, TLS, sending, every read.

httpx gives each of these steps the whole timeout, so an answer that drips may take for ever. An event loop can cut that
short; a thread can only be told before each step how much time is left, which is done here, below httpx.
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
    """A network of httpcore that keeps the deadline of the thread it is used in."""

    def __init__(self, inner: httpcore.NetworkBackend) -> None:
        self._inner = inner
        self._thread = threading.local()

    def set(self, ends: float) -> None:
        """From now on, in this thread, nothing lasts beyond that moment of ``time.monotonic``."""
        self._thread.ends = ends
        self._thread.opened = None

    def close_opened(self) -> None:
        """Close what this thread has opened since: after a failed talk with a SOCKS proxy, httpcore does not."""
        opened: httpcore.NetworkStream | None = self._thread.opened
        if opened is not None:
            opened.close()

    def left(self, timeout: float | None) -> float:
        """Seconds a step may take. At no time a step still looks at what is there already."""
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
            # Each its share of the time that is left: one that says nothing must not be the only one tried.
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
    """A network of httpcore that can close what a request has opened, for event loops."""

    def __init__(self, inner: httpcore.AsyncNetworkBackend) -> None:
        self._inner = inner
        self._opened: ContextVar[httpcore.AsyncNetworkStream | None] = ContextVar("opened", default=None)

    def begin(self) -> None:
        """A request begins in this task."""
        self._opened.set(None)

    async def close_opened(self) -> None:
        """Close what this task has opened since: after a failed talk with a SOCKS proxy, httpcore does not."""
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

    The operating system takes as long as it likes over a name, half a minute where no server answers, so a thread that
    nobody waits for asks it.
    """
    found: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except Exception as error:  # noqa: BLE001 - whatever it is belongs to who asked
            found.put(error)
        else:
            found.put([str(row[4][0]) for row in rows])

    threading.Thread(target=ask, name=f"binance-sdk looks up {host}", daemon=True).start()
    try:
        answer = found.get(timeout=min(seconds, threading.TIMEOUT_MAX))
    except queue.Empty:
        raise httpcore.ConnectTimeout(f"the name {host} was not looked up in time") from None
    if isinstance(answer, Exception):
        try:
            raise answer
        except OSError as error:
            # Within: httpcore takes the cause of its errors away, and leaves the context.
            raise httpcore.ConnectError(str(error)) from error
    return list(dict.fromkeys(answer))
