"""A WebSocket behind one small protocol: frames come in by callback, text goes out.

The rest of the connection side knows a WebSocket only by this protocol, so each library is used in one module.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from binance_sdk._runtime.response import Headers

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""Many times the largest message that Binance sends."""
OPEN_SECONDS = 10.0
CLOSE_SECONDS = 1.0
"""For a closing handshake, which takes one round trip; a frozen peer would never answer."""
MAX_BODY_BYTES = 8192
"""Bytes read of the body of a refusal, which says why in a few words."""
BROKE = "the connection broke"


def closed_by_server(code: int, reason: str) -> str:
    """Why a connection ended, in words."""
    return f"closed by the server with {code} {reason}".rstrip()


class ConnectFailure(Exception):
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


def refusal(status: int, headers: Mapping[str, str], body: bytes, via: str = "") -> ConnectFailure:
    """The failure of a handshake that was answered with something else than a WebSocket.

    Args:
        status: HTTP status.
        headers: Headers of the answer.
        body: Its body, as far as it was read.
        via: Ends the message: through which proxy the handshake went.
    """
    text = f"refused with HTTP {status}"
    location = Headers(headers).get("location")
    if location is not None:
        text += f"; redirects are not followed; it points to {location or 'nowhere'!r:.120}"
    return ConnectFailure(f"{text}{via}", status_code=status, headers=headers, body=body)


class Receiver(Protocol):
    """Gets what comes in on one WebSocket. Called in the event loop; must not block."""

    def received(self, frame: bytes) -> None:
        """A whole text message."""
        ...

    def pinged(self, payload: bytes) -> None:
        """The server pinged; to be answered by ``WebSocket.pong`` with the same payload."""
        ...

    def ponged(self) -> None:
        """The server answered a ping."""
        ...

    def lost(self, reason: str) -> None:
        """The WebSocket has ended, for whatever reason. Only the first reason counts."""
        ...


class WebSocket(Protocol):
    """An open WebSocket. Sending on one that has ended does nothing: its receiver is told that it was lost."""

    async def send(self, text: str) -> None: ...

    async def ping(self) -> None: ...

    async def pong(self, payload: bytes) -> None: ...

    def pause(self) -> None:
        """Stop reading: the server notices, and waits."""
        ...

    def resume(self) -> None: ...

    async def close(self) -> None:
        """End it, with a closing handshake if that is quick; nothing of it is left afterwards."""
        ...


class Connector(Protocol):
    """Opens WebSockets."""

    async def __call__(self, url: str, receiver: Receiver) -> WebSocket:
        """A WebSocket whose frames go to ``receiver``.

        Raises:
            ConnectFailure: it could not be opened.
        """
        ...

    async def aclose(self) -> None:
        """Close what WebSockets share."""
        ...
