"""Opens connections: which host, not before the gate opens, no more often than a host accepts; then subscribes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import NoReturn
from urllib.parse import quote, urlsplit

from binance_sdk._runtime.calls.retry import is_transient
from binance_sdk._runtime.ending import to_the_end
from binance_sdk._runtime.market import Market
from binance_sdk._runtime.stream.connection.connection import Connection
from binance_sdk._runtime.stream.connection.handover import Handover
from binance_sdk._runtime.stream.connection.pacing import DIAL_WINDOW, MessageLimiter
from binance_sdk._runtime.stream.connection.sender import ConnectionLost
from binance_sdk._runtime.stream.connection.websocket import ConnectFailure, Receiver, WebSocket
from binance_sdk._runtime.stream.context import StreamContext
from binance_sdk._runtime.stream.reading.reader import Reader
from binance_sdk._runtime.stream.reading.subscription import Subscription
from binance_sdk._runtime.transport.reasons import with_remedy
from binance_sdk.errors import (
    APIError,
    BinanceError,
    ForbiddenError,
    IPBannedError,
    RateLimitError,
    RestrictedLocationError,
    StreamError,
)
from binance_sdk.events import StreamConnected, StreamLost

_CHECK_GATE_SECONDS = 5.0
"""While the gate is closed, how often to look whether it has become a ban."""
_MAX_REQUESTED_PAUSE = 300.0
"""Seconds for which an overloaded server is left alone if it asks for that; if it asks for more, it is tried then."""
_MAX_NAMES_IN_URL = 50
_MAX_URL_LENGTH = 1800
_MAX_FIRST_PAUSE = 30.0
"""If an overloaded server asks for a longer pause, opening a stream fails; an open stream waits it out."""
_NO_CONNECTION = "no connection"

_REFUSALS = (RateLimitError, IPBannedError, ForbiddenError, RestrictedLocationError)
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
        self._limits = context.limits[market]
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
            wait = min(closed, _CHECK_GATE_SECONDS) or self._context.limiter.claim(host, self._limits, now)
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
    """URL of a combined connection; where a market has routes, each has a path of its own."""
    path = f"{base}/{route}/stream" if route else f"{base}/stream"
    # A plus would be read as a space, and a URL is ASCII.
    listed = "/".join(quote(name, safe="!@_-.") for name in names)
    return f"{path}?streams={listed}" if listed else path


class ConnectionOpener:
    """Opens the connections of one supervisor.

    Args:
        context: What the streams of the client share.
        market: Whose streams.
        route: Their route.
        reader: Gets the messages.
        subscriptions: The streams to carry; the supervisor adds and removes them.
    """

    def __init__(
        self,
        context: StreamContext,
        market: Market,
        route: str,
        reader: Reader,
        subscriptions: Mapping[bytes, Subscription],
    ) -> None:
        self._context = context
        self._clock = context.clock
        self._now = context.clock.monotonic
        self._market: Market = market
        self._reader = reader
        self._subscriptions = subscriptions
        self._dialer = Dialer(context, market, route)
        self.waker = context.clock.waker()
        """Woken when a connection has something for the supervisor to look at."""
        self.backoff = context.backoff()
        """Pauses after a loss; reset when a lost connection had delivered something."""
        self.failed_dials: int = 0
        """Attempts in a row that have failed since a connection was lost."""
        self.connections: set[Connection] = set()
        """All that are open, those included that are being replaced."""

    def free_at(self) -> float:
        """When the next connection may be dialled at the earliest, in monotonic seconds."""
        return self._dialer.free_at()

    async def open(self, reason: str, old: Connection | None = None, silent: Iterable[Subscription] = ()) -> Connection:
        """A connection that has acknowledged every stream.

        Args:
            reason: Why it is opened, for the hooks.
            old: A working connection that it is about to take over from.
            silent: Streams of which nothing comes on the old one.

        Raises:
            ConnectionLost: it could not be opened, or was lost before it was ready.
            StreamError: the exchange refused a stream, or the URL is wrong.
            IPBannedError: the IP address is banned, so nothing was dialled.
        """
        names = [subscription.name for subscription in self._subscriptions.values()]
        handover = None if old is None else Handover(self._reader.stats, silent)
        limiter = MessageLimiter(self._context.limits[self._market].messages_a_second)
        connection = Connection(
            self._clock, self._reader, self._subscriptions, limiter, self.waker.wake, replacing=handover
        )
        if old is not None:
            old.replaced_by = handover
        self.connections.add(connection)
        try:
            connection.opened(*await self._dialer.dial(names, connection))
            await connection.subscribe([name for name in names if name not in connection.subscribed])
            now = self._now()
            for subscription in self._subscriptions.values():
                subscription.note_resubscribed(now)
        except BaseException:
            await to_the_end(self.close(connection))
            raise
        self._context.notify(StreamConnected(self._dialer.place, len(names), reason))
        return connection

    async def close(self, connection: Connection) -> None:
        await connection.close()
        self.connections.discard(connection)

    async def open_first(self) -> Connection:
        """The first connection of a stream, in a few attempts.

        Raises:
            StreamError: none could be opened.
            APIError: the handshake was refused with 429, 418, 403 or 451.
        """
        for left in reversed(range(self._context.open_attempts)):
            try:
                return await self.open("first")
            except ConnectionLost as lost:
                if not left or not self._may_pass(lost):
                    self._fail(lost)
                await self._back_off(lost)
        raise AssertionError("unreachable")

    async def open_again(self, reason: str, *, at_once: bool) -> Connection:
        """A connection in place of a lost one, however many attempts that takes.

        Args:
            reason: Why the connection was lost.
            at_once: No pause before the first attempt.

        Raises:
            IPBannedError: the IP address is banned.
            RestrictedLocationError: not served in this country.
        """
        error: Exception | str = reason
        while True:
            await self._back_off(error, at_once=at_once)
            at_once = False
            try:
                opened = await self.open(reason)
            except HandshakeRefused as refused:
                if isinstance(refused.error, (IPBannedError, RestrictedLocationError)):
                    # A ban ends late and a place never changes: the consumer must hear of that, and not see silence.
                    raise refused.error from refused
                error = refused
            except (ConnectionLost, StreamError) as lost:
                # Even a refused stream is tried again, since the exchange has accepted it before.
                error = lost
            else:
                self.failed_dials = 0
                return opened
            self.failed_dials += 1
            reason = str(error)

    def not_replaced(self, error: Exception | str, pause: float) -> None:
        """Tell the hooks that a working connection could not be replaced, and is not for so many seconds."""
        wait = max(pause, self.free_at() - self._now())
        self._context.notify(StreamLost(self._dialer.place, f"not replaced: {error}", wait))

    async def _back_off(self, error: Exception | str, *, at_once: bool = False) -> None:
        pause = 0.0 if at_once else max(self.backoff.pause(), requested_pause(error))
        wait = max(pause, self.free_at() - self._now())
        self._context.notify(StreamLost(self._dialer.place, str(error), wait))
        # The dialer waits for the rest, since it notices when the gate stays closed for longer.
        await self._clock.sleep(pause)

    def _may_pass(self, lost: ConnectionLost) -> bool:
        """Whether another attempt to open a stream is of use."""
        if not isinstance(lost, HandshakeRefused):
            return True
        if not is_transient(lost.error):
            return False
        return isinstance(lost.error, _REFUSALS) or requested_pause(lost) <= _MAX_FIRST_PAUSE

    def _fail(self, lost: ConnectionLost) -> NoReturn:
        """Raise the error that a stream which could not be opened ends with."""
        cause = lost.error if isinstance(lost, HandshakeRefused) else lost
        if isinstance(cause, _REFUSALS):
            raise cause
        text = str(lost) if _NO_CONNECTION in str(lost) else f"{_NO_CONNECTION}: {lost}"
        if cause is lost:
            text = with_remedy(text, urlsplit(self._dialer.place).netloc)
        raise StreamError(f"{self._dialer.place}: {text}") from cause
