"""A WebSocket behind one small protocol: frames come in by callback, text goes out.

The engine knows nothing else of a connection, so each library is one module.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from binance_sdk._runtime.response import Headers

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""Many times the largest message Binance sends."""
OPEN_SECONDS = 10.0
CLOSE_SECONDS = 1.0
"""A polite end takes one round trip; a peer that is frozen would take for ever."""
LONGEST_BODY = 8192
"""Bytes of a refusal that are read: it says why in a few words."""
BROKE = "the connection broke"


def closed_by_server(code: int, reason: str) -> str:
    """Why a connection ended, for who hears of it."""
    return f"closed by the server with {code} {reason}".rstrip()


class WireFailure(Exception):
    """No connection: refused, not a WebSocket, or not in time. The cause is the library's own exception.

    Attributes:
        status_code: HTTP status of a refused handshake; None where there was none.
        headers: Headers of that answer.
        body: Its body, as far as it was read.
        setup: The address itself is wrong, so trying again is useless.
    """

    def __init__(
        self,
        text: str,
        *,
        status_code: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        setup: bool = False,
    ) -> None:
        super().__init__(text)
        self.status_code = status_code
        self.headers = headers or {}
        self.body = body
        self.setup = setup


def redirected(status: int, location: str) -> str:
    """Why a handshake failed that was answered by another address."""
    return f"refused with HTTP {status}; redirects are not followed; it points to {location or 'nowhere'!r:.120}"


def refusal(status: int, headers: Mapping[str, str], body: bytes, via: str = "") -> WireFailure:
    """The failure of a handshake that was answered otherwise than with a WebSocket; ``via`` ends its text."""
    location = Headers(headers).get("location")
    text = f"refused with HTTP {status}" if location is None else redirected(status, location)
    return WireFailure(f"{text}{via}", status_code=status, headers=headers, body=body)


class Receiver(Protocol):
    """Who listens to one connection. Called in the event loop; must not block."""

    def received(self, frame: bytes) -> None:
        """A whole text message."""
        ...

    def pinged(self, payload: bytes) -> None:
        """The server pinged; to be answered by ``Wire.pong`` with the same payload."""
        ...

    def ponged(self) -> None:
        """The server answered a ping."""
        ...

    def lost(self, reason: str) -> None:
        """The connection has ended, for whatever reason. Only the first reason counts."""
        ...


class Wire(Protocol):
    """An open connection."""

    async def send(self, text: str) -> None: ...

    async def ping(self) -> None: ...

    async def pong(self, payload: bytes) -> None: ...

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
