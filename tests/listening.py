"""Where the servers of tests listen: each ends with every connection it ever took.

asyncio's own servers do not. A connection that is accepted while its server closes, or whose TLS handshake is not over,
belongs to nobody, and is found open by the garbage collection of some later test.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

_SECONDS = 10.0


@contextlib.contextmanager
def closed_port() -> Iterator[int]:
    """A port of loopback at which nobody listens. It stays taken meanwhile, or a server beside it might be given it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


class Listener(socket.socket):
    """A free port of loopback; for ``asyncio.start_server``, ``websockets.serve`` and their like, as ``sock``."""

    def __init__(self) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_STREAM)
        self.bind(("127.0.0.1", 0))
        self.port: int = self.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._accepted: list[socket.socket] = []

    def accept(self) -> tuple[socket.socket, Any]:
        connection, peer = super().accept()
        self._accepted.append(connection)
        return connection, peer

    async def stop(self) -> None:
        """Accept no more. The server that listens here may be closed now."""
        asyncio.get_running_loop().remove_reader(self.fileno())
        # What has been accepted is given its transport, which is what closes it.
        await asyncio.sleep(0)

    async def ended(self) -> None:
        """End what is still open, a handshake for example, and wait until all of it is closed."""
        for connection in self._accepted:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        async with asyncio.timeout(_SECONDS):
            for connection in self._accepted:
                while connection.fileno() >= 0:  # noqa: ASYNC110 - sockets have no event for it
                    await asyncio.sleep(0)
