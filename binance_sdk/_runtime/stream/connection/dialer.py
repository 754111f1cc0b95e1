"""Opens the WebSockets of one supervisor: which host, not before the gate opens, no more often than a host accepts."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from urllib.parse import quote, urlsplit

from binance_sdk._runtime.operation import Market
from binance_sdk._runtime.stream.connection.pacing import DIAL_WINDOW
from binance_sdk._runtime.stream.connection.sender import ConnectionLost
from binance_sdk._runtime.stream.connection.websocket import ConnectFailure, Receiver, WebSocket
from binance_sdk._runtime.stream.context import StreamContext
from binance_sdk.errors import (
    APIError,
    BinanceError,
    ForbiddenError,
    IPBannedError,
    RateLimitError,
    RestrictedLocationError,
    StreamError,
)

_CHECK_GATE_SECONDS = 5.0
"""While the gate is closed, how often to look whether it has become a ban."""
_MAX_REQUESTED_PAUSE = 300.0
"""Seconds for which an overloaded server is left alone if it asks for that; if it asks for more, it is tried then."""
_MAX_NAMES_IN_URL = 50
_MAX_URL_LENGTH = 1800

REFUSALS = (RateLimitError, IPBannedError, ForbiddenError, RestrictedLocationError)
"""Refusals of a handshake that concern the IP address or its country, and so are the same errors as for a request."""


class HandshakeRefused(ConnectionLost):
    """The handshake was answered with an error.

    Attributes:
        error: The same error as for a request.
    """

    def __init__(self, error: APIError, place: str) -> None:
        super().__init__(f"refused with {str(error).removeprefix(f'{place}: ')}")
        self.error = error


class Dialer:
    """Opens connections to one market and route."""

    def __init__(self, context: StreamContext, market: Market, route: str) -> None:
        self._context = context
        self._clock = context.clock
        self._gate = context.gates.get(market)
        self._bases = context.urls[market]
        self._route = route
        self._host = 0
        self._dialled: deque[float] = deque(maxlen=context.max_dials)
        self.place = self._place()
        """Host, port and path that were dialled last, without the names of the streams."""

    @property
    def _base(self) -> str:
        return self._bases[self._host % len(self._bases)]

    def _place(self) -> str:
        parts = urlsplit(stream_url(self._base, self._route))
        port = "" if parts.port else f":{443 if parts.scheme == 'wss' else 80}"
        return f"{parts.scheme}://{parts.netloc}{port}{parts.path}"

    def free_at(self) -> float:
        """When the next connection may be dialled at the earliest, in monotonic seconds."""
        gate = 0.0 if self._gate is None else self._gate.closed_until()
        return max(gate, self._dialled[0] + DIAL_WINDOW if len(self._dialled) == self._dialled.maxlen else 0.0)

    def _url(self, names: Sequence[str]) -> tuple[str, Sequence[str]]:
        """The URL to dial, and the names in it: all or none."""
        if len(names) <= _MAX_NAMES_IN_URL and all(name.isascii() for name in names):
            url = stream_url(self._base, self._route, names)
            if len(url) <= _MAX_URL_LENGTH:
                return url, names
        return stream_url(self._base, self._route), ()

    async def dial(self, names: Sequence[str], receiver: Receiver) -> tuple[WebSocket, Sequence[str]]:
        """A WebSocket, and the names that its URL has subscribed to.

        Raises:
            HandshakeRefused: an answer, but no connection.
            ConnectionLost: no answer.
            StreamError: it can never succeed.
            IPBannedError: nothing was dialled, since the IP address is banned.
        """
        url, subscribed = self._url(names)
        self.place = self._place()
        await self._permission(urlsplit(url).netloc)
        sent = self._clock.monotonic()
        self._dialled.append(sent)
        try:
            socket = await self._context.connector(url, receiver)
        except ConnectFailure as failure:
            if failure.setup:
                raise StreamError(f"{self.place}: {failure}") from failure
            self._host += 1
            raise self._lost(failure, sent) from failure
        except BinanceError:
            # The client is set up wrongly: the proxy's URL is not valid, or the certificates cannot be read.
            raise
        except Exception as error:
            # No such error is known. If there is one, it must be caught by users who catch ours.
            raise StreamError(f"{self.place}: no connection: {type(error).__name__}: {error}") from error
        if self._gate is not None:
            self._gate.passed(sent)
        return socket, subscribed

    async def _permission(self, host: str) -> None:
        """Wait until a connection may be dialled.

        Raises:
            IPBannedError: the IP address is banned.
        """
        while True:
            now = self._clock.monotonic()
            if self._gate is not None:
                self._gate.check(self.place, now)
            closed = max(0.0, self.free_at() - now)
            # Last, since it counts an attempt: the dialling must follow at once.
            wait = min(closed, _CHECK_GATE_SECONDS) or self._context.limiter.claim(host, now)
            if not wait:
                return
            await self._clock.sleep(wait)

    def _lost(self, failure: ConnectFailure, sent: float) -> ConnectionLost:
        status, now = failure.status_code, self._clock.monotonic()
        if self._gate is not None and status is not None:
            error = self._gate.refused(self.place, status, failure.headers, failure.body, sent=sent, now=now)
            if error is not None:
                return HandshakeRefused(error, self.place)
        return ConnectionLost(str(failure))


def requested_pause(error: Exception | str) -> float:
    """Seconds of pause that an overloaded server has asked for; after other refusals the gate says when to go on."""
    if not isinstance(error, HandshakeRefused) or error.error.status_code < 500:
        return 0.0
    return min(error.error.retry_after or 0.0, _MAX_REQUESTED_PAUSE)


def stream_url(base: str, route: str, names: Iterable[str] = ()) -> str:
    """URL of a combined connection; on futures each route has a path of its own."""
    path = f"{base}/{route}/stream" if route else f"{base}/stream"
    # A plus would be read as a space, and a URL is ASCII.
    listed = "/".join(quote(name, safe="!@_-.") for name in names)
    return f"{path}?streams={listed}" if listed else path
