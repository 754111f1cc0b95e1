"""A WebSocket behind one small protocol: frames come in by callback, text goes out.

The engine knows nothing else of a connection, so each library is one module.
"""

from __future__ import annotations

from typing import Protocol

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""Many times the largest message Binance sends."""
OPEN_SECONDS = 10.0
CLOSE_SECONDS = 2.0


class WireFailure(Exception):
    """No connection: refused, not a WebSocket, or not in time. The cause is the library's own exception.

    Attributes:
        status_code: HTTP status of a refused handshake; None where there was none.
        setup: The address itself is wrong, so trying again is useless.
    """

    def __init__(self, text: str, *, status_code: int | None = None, setup: bool = False) -> None:
        super().__init__(text)
        self.status_code = status_code
        self.setup = setup


def redirected(status: int, location: str) -> str:
    """Why a handshake failed that was answered by another address."""
    return f"refused with HTTP {status}; redirects are not followed; it points to {location or 'nowhere'!r:.120}"


class Receiver(Protocol):
    """Who listens to one connection. Called in the event loop; must not block."""

    def received(self, frame: bytes) -> None:
        """A whole text message."""
        ...

    def pinged(self) -> None:
        """The server pinged, and a pong went out."""
        ...

    def ponged(self) -> None:
        """The server answered a ping."""
        ...

    def lost(self, reason: str) -> None:
        """The connection has ended, for whatever reason. Called once, and last."""
        ...


class Wire(Protocol):
    """An open connection."""

    async def send(self, text: str) -> None: ...

    async def ping(self) -> None: ...

    def pause(self) -> None:
        """Stop reading: the server notices and waits."""
        ...

    def resume(self) -> None: ...

    async def close(self) -> None:
        """End it, politely if that is quick; nothing of it is left afterwards."""
        ...


class Connector(Protocol):
    """Opens connections."""

    async def __call__(self, url: str, receiver: Receiver) -> Wire:
        """A connection whose frames go to ``receiver``.

        Raises:
            WireFailure: it could not be opened.
        """
        ...

    async def aclose(self) -> None:
        """Close what connections share."""
        ...
