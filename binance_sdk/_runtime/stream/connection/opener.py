"""Opens connections that carry a set of streams: dials, subscribes, and tries again after a pause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NoReturn

from binance_sdk._runtime.calls.retry import is_transient
from binance_sdk._runtime.operation import Market
from binance_sdk._runtime.stream.connection.connection import Connection
from binance_sdk._runtime.stream.connection.dialer import REFUSALS, Dialer, HandshakeRefused, requested_pause
from binance_sdk._runtime.stream.connection.handover import Handover
from binance_sdk._runtime.stream.connection.pacing import MESSAGES_A_SECOND, MessageLimiter
from binance_sdk._runtime.stream.connection.sender import ConnectionLost
from binance_sdk._runtime.stream.context import StreamContext
from binance_sdk._runtime.stream.reading.reader import Reader
from binance_sdk._runtime.stream.reading.subscription import Subscription
from binance_sdk.errors import IPBannedError, RestrictedLocationError, StreamError
from binance_sdk.events import StreamConnected, StreamLost

_MAX_FIRST_PAUSE = 30.0
"""If an overloaded server asks for a longer pause, opening a stream fails; an open stream waits it out."""
_NO_CONNECTION = "no connection"


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
        limiter = MessageLimiter(MESSAGES_A_SECOND[self._market])
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
            await self.close(connection)
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
                return await self.open(reason)
            except HandshakeRefused as refused:
                if isinstance(refused.error, (IPBannedError, RestrictedLocationError)):
                    # A ban ends late and a place never changes: the consumer must hear of that, and not see silence.
                    raise refused.error from refused
                error = refused
            except (ConnectionLost, StreamError) as lost:
                # Even a refused stream is tried again, since the exchange has accepted it before.
                error = lost
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
        return isinstance(lost.error, REFUSALS) or requested_pause(lost) <= _MAX_FIRST_PAUSE

    def _fail(self, lost: ConnectionLost) -> NoReturn:
        """Raise the error that a stream which could not be opened ends with."""
        cause = lost.error if isinstance(lost, HandshakeRefused) else lost
        if isinstance(cause, REFUSALS):
            raise cause
        text = str(lost) if _NO_CONNECTION in str(lost) else f"{_NO_CONNECTION}: {lost}"
        raise StreamError(f"{self._dialer.place}: {text}") from cause
