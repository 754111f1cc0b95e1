"""Network backends for httpcore, below httpx: one deadline for a blocking request, and sockets that do not leak.

httpx applies its timeout to each step of a request (resolving the name, connecting, TLS, sending, every read), so an
answer that comes byte by byte would never time out. An event loop can cancel it; in a thread, each step has to be told
before it begins how much time is left.
"""

from __future__ import annotations

import math
import queue
import select
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

import httpcore

from binance_sdk._runtime.ending import to_the_end


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


class _AsyncStream(httpcore.AsyncNetworkStream):
    """A stream that says at once whether its socket can be read.

    The pool asks each idle connection twice a request, to find out whether the exchange has closed it. The stream below
    gathers every address and certificate that it knows before it answers, which takes ten times as long.
    """

    def __init__(self, inner: httpcore.AsyncNetworkStream, connected: socket.socket | None) -> None:
        self._inner = inner
        self._socket = connected

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        return await self._inner.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._inner.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        try:
            made = await self._inner.start_tls(ssl_context, server_hostname, timeout)
        except BaseException:
            # httpcore closes it after an error only: whoever is cancelled, or out of time, would leave it open.
            await to_the_end(self._inner.aclose())
            raise
        return _AsyncStream(made, self._socket)

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable" and self._socket is not None:
            return _is_readable(self._socket)
        return self._inner.get_extra_info(info)


def _is_readable(connected: socket.socket) -> bool:
    """Whether reading would return at once, as it does where either side has closed."""
    descriptor = connected.fileno()
    if descriptor < 0:
        return True
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([descriptor], [], [], 0)[0])
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


class TrackingBackend(httpcore.AsyncNetworkBackend):
    """A backend for event loops that can close what was opened."""

    def __init__(self, inner: httpcore.AsyncNetworkBackend) -> None:
        self._inner = inner
        self._opened: ContextVar[httpcore.AsyncNetworkStream | None] = ContextVar("opened", default=None)
        self._streams: weakref.WeakSet[_AsyncStream] = weakref.WeakSet()

    def begin(self) -> None:
        """Called when a request begins in this task."""
        self._opened.set(None)

    async def aclose(self) -> None:
        """Close all of it; httpcore forgets a connection that is being opened while its pool is closed."""
        await to_the_end(*(stream.aclose() for stream in self._streams))

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
        opened = await self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        stream = _AsyncStream(opened, opened.get_extra_info("socket"))
        self._opened.set(stream)
        self._streams.add(stream)
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
