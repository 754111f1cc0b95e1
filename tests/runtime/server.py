"""A loopback server that writes exactly the bytes it is told to, and hangs up when it is told to."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

Act = Callable[[socket.socket], None]


def http(
    status: str, body: bytes = b"", headers: dict[str, str] | None = None, *, length: bool = True, last: bool = True
) -> bytes:
    """A response as bytes; the connection ends after the last one."""
    lines = [f"HTTP/1.1 {status}", *(["Connection: close"] if last else [])]
    if length and "Content-Length" not in (headers or {}):
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


class RawServer:
    """Answers every request with the same bytes (or by the same act), over real sockets.

    Args:
        answer: Bytes to write before hanging up, a function that gets the socket, or None for silence.
        keep_alive: Go on with the next request instead of hanging up.
    """

    def __init__(self, answer: bytes | Act | None, *, keep_alive: bool = False) -> None:
        self._answer = answer
        self._keep_alive = keep_alive
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stopped = threading.Event()
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self.requests: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._accepting.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        # A thread that blocks in accept() is woken by one last connection.
        socket.create_connection(self._listener.getsockname()).close()
        self._accepting.join()
        # Now no more come: one that came last would keep its thread for ever.
        for connection in self._open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._stopped.is_set():
                connection.close()
                return
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                while self._answered(connection) and self._keep_alive:
                    continue
            except OSError:
                return

    def _answered(self, connection: socket.socket) -> bool:
        request = b""
        while b"\r\n\r\n" not in request:
            part = connection.recv(65536)
            if not part:
                return False
            request += part
        self.requests.append(request)
        if self._answer is None:
            self._stopped.wait()
        elif callable(self._answer):
            self._answer(connection)
        else:
            connection.sendall(self._answer)
            if not self._keep_alive:
                # A plain close with unread input would reset the connection and lose the answer.
                connection.shutdown(socket.SHUT_WR)
        return True
