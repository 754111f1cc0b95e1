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
from typing import Any

import httpcore


class Deadlines(httpcore.NetworkBackend):
    """A network of httpcore that keeps the deadline of the thread it is used in."""

    def __init__(self, inner: httpcore.NetworkBackend) -> None:
        self._inner = inner
        self._thread = threading.local()

    def set(self, ends: float) -> None:
        """From now on, in this thread, nothing lasts beyond that moment of ``time.monotonic``."""
        self._thread.ends = ends

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
                return _Stream(self._inner.connect_tcp(address, port, share, local_address, socket_options), self)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
        raise problem

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.connect_unix_socket(path, self.left(timeout), socket_options), self)

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(min(seconds, self.left(None)))


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream, deadlines: Deadlines) -> None:
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
    if isinstance(answer, OSError):
        raise httpcore.ConnectError(str(answer)) from answer
    if isinstance(answer, Exception):
        raise answer
    return list(dict.fromkeys(answer))
