"""Keeps a set of streams connected: watches the connection, replaces it when that is due, and never gives up."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from binance_sdk._runtime.ending import cancel, to_the_end
from binance_sdk._runtime.market import Market
from binance_sdk._runtime.stream.connection.connection import Connection
from binance_sdk._runtime.stream.connection.opener import ConnectionOpener, requested_pause
from binance_sdk._runtime.stream.connection.sender import ConnectionLost
from binance_sdk._runtime.stream.connection.silence import SilenceMonitor, describe, silence_notices
from binance_sdk._runtime.stream.context import StreamContext
from binance_sdk._runtime.stream.notices import Reconnected
from binance_sdk._runtime.stream.options import ResolvedOptions
from binance_sdk._runtime.stream.reading.reader import Reader
from binance_sdk._runtime.stream.reading.subscription import Subscription
from binance_sdk.errors import BinanceError, IPBannedError, StreamError

T = TypeVar("T")

_OVERLAP = 1.0
"""Seconds for which two connections run side by side at least, so that no message is missed between them."""
_MAX_OVERLAP = 5.0
_SETTLED = 10.0
"""Seconds after which nothing of the connection before can come any more."""
_READ_WHILE_PAUSED = 5.0
"""Seconds between short reads while the consumer blocks: they find the server's pings, which must be answered."""
_MIN_PAUSE = 0.001
CLOSED = "the stream is closed; open it again"
_LOOP_STEPS = 3
"""Steps of the event loop after which everything that has arrived has been read."""


class Supervisor:
    """Keeps one connection for some streams of one consumer, all of one market and route.

    Args:
        context: What the streams of the client share.
        market: Whose streams.
        route: Their route.
        reader: Gets the messages.
        options: Those of the consumer.
    """

    def __init__(
        self, context: StreamContext, market: Market, route: str, reader: Reader, options: ResolvedOptions
    ) -> None:
        self._clock = context.clock
        self._now = context.clock.monotonic
        self.market: Market = market
        self.route = route
        self._reader = reader
        self._max_streams = context.limits[market].streams_a_connection
        self._rollover_after = options.rollover_after
        self._reconnects = options.reconnect
        self._subscriptions: dict[bytes, Subscription] = {}
        self._silence = SilenceMonitor(self._subscriptions, options.connection_quiet_time)
        self._opener = ConnectionOpener(context, market, route, reader, self._subscriptions)
        self._waker = self._opener.waker
        self._replace_backoff = context.backoff()
        """Pauses between attempts to replace a working connection; reset when one was replaced."""
        self._replace_at = 0.0
        """Replacing failed, and is not tried again before this time."""
        self._connection: Connection | None = None
        self._changing = asyncio.Lock()
        """Held by whoever changes what the connection carries."""
        self._joining = 0
        """Streams that wait for that, and are not among the subscriptions yet."""
        self._closed = False
        self._task: asyncio.Task[None] | None = None
        self._background: set[asyncio.Task[Any]] = set()
        self._paused = False

    @property
    def room(self) -> int:
        """How many more streams the connection can carry."""
        return self._max_streams - len(self._subscriptions) - self._joining

    @property
    def connected(self) -> bool:
        """Whether there is a connection at the moment, and it is not known to have ended."""
        return self._connection is not None and self._connection.end_reason is None

    @property
    def failed_dials(self) -> int:
        """Attempts in a row to open another connection after a loss that have failed so far."""
        return self._opener.failed_dials

    @property
    def empty(self) -> bool:
        """Whether no stream is carried, or about to be."""
        return not self._subscriptions and not self._joining

    # ---------------------------------------------------------------------- streams wanted

    async def add(self, subscriptions: list[Subscription]) -> None:
        """Carry these streams too; returns when they are acknowledged.

        Raises:
            StreamError: the exchange refused them, no connection could be opened, or it was closed meanwhile.
        """
        self._joining += len(subscriptions)
        try:
            await self._changing.acquire()
        finally:
            self._joining -= len(subscriptions)
        try:
            await self._add(subscriptions)
        except BaseException as error:
            for subscription in subscriptions:
                self._subscriptions.pop(subscription.id, None)
            self._take_back([subscription.name for subscription in subscriptions], error)
            raise
        finally:
            self._changing.release()

    async def _add(self, subscriptions: list[Subscription]) -> None:
        self._check_open()
        now = self._now()
        for subscription in subscriptions:
            subscription.last_message = now
            self._subscriptions[subscription.id] = subscription
        if self._task is None:
            self._connection = await self._open_first()
            self._reader.connection_ready(subscriptions)
            self._task = asyncio.create_task(self._run(self._connection), name=f"streams of {self.market}")
        elif self._task.done() and not self._reconnects:
            raise StreamError(f"{self.market} streams: connection lost, and reconnect=False; open another one")
        elif self._connection is not None:
            # If the connection is lost, the next one subscribes to these streams with all others.
            with contextlib.suppress(ConnectionLost):
                await self._connection.subscribe([subscription.name for subscription in subscriptions])
                self._reader.connection_ready(subscriptions)
        self._check_open()

    def _check_open(self) -> None:
        if self._closed:
            raise StreamError(CLOSED)

    async def _open_first(self) -> Connection:
        # A task, so that whoever closes the stream ends it, and does not wait for it.
        opening = self._in_background(self._opener.open_first())
        try:
            return await opening
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._closed or (task is not None and task.cancelling()):
                raise
            raise StreamError(CLOSED) from None

    def _take_back(self, names: list[str], error: BaseException) -> None:
        """The exchange may have accepted some of these streams, which are not wanted after this error."""
        if self._task is None:
            for connection in list(self._opener.connections):
                self._abandon(connection)
        elif self._connection is not None:
            self._connection.check_every_message()
            # Whoever was cancelled does not know what became of the last request.
            known = self._connection.subscribed
            accepted = [name for name in names if isinstance(error, asyncio.CancelledError) or name in known]
            if accepted:
                self._in_background(self._unsubscribe_unwanted(self._connection, accepted))

    def remove(self, subscriptions: list[Subscription]) -> asyncio.Task[None] | None:
        """Carry these streams no more; the task tells that to the exchange, where it has to be told."""
        for subscription in subscriptions:
            self._subscriptions.pop(subscription.id, None)
        if self._connection is None or self.empty:
            # The next connection does not subscribe to them; waiting for it could take for ever.
            return None
        self._connection.check_every_message()
        return self._in_background(self._unsubscribe_now([subscription.name for subscription in subscriptions]))

    async def _unsubscribe_now(self, names: Iterable[str]) -> None:
        async with self._changing:
            if self._connection is not None and not self.empty:
                with contextlib.suppress(ConnectionLost):
                    await self._connection.unsubscribe(names)

    def pause(self, paused: bool) -> None:
        """Back-pressure: stop reading from the connection (True), or resume (False)."""
        self._paused = paused
        connection = self._connection
        if connection is None or connection.socket is None:
            return
        if paused:
            connection.socket.pause()
        else:
            connection.socket.resume()
            # Nothing was heard because nothing was read.
            now = connection.last_heard = self._now()
            for subscription in self._subscriptions.values():
                subscription.restart_silence(now)
        self._waker.wake()

    async def aclose(self) -> None:
        self._closed = True
        try:
            await cancel([task for task in (self._task, *self._background) if task is not None])
        finally:
            await to_the_end(*(self._opener.close(connection) for connection in list(self._opener.connections)))

    # ------------------------------------------------------------------------------ watching

    async def _run(self, connection: Connection) -> None:
        try:
            while True:
                reason, dead = await self._watch(connection)
                if dead and not self._reconnects:
                    connection.lost(reason)
                    raise StreamError(f"{self.market} streams: connection lost, and reconnect=False: {reason}")
                connection = await (self._reconnect(connection, reason) if dead else self._replace(connection, reason))
        except BinanceError as error:
            self._reader.fail(error)
        except Exception as error:
            # No such error is known. If there is one, the consumer must hear of it.
            failure = StreamError(f"{self.market} streams: {type(error).__name__}: {error}")
            failure.__cause__ = error
            self._reader.fail(failure)
            raise

    async def _watch(self, connection: Connection) -> tuple[str, bool]:
        """Wait until the connection must be replaced; returns the reason, and whether the connection is dead."""
        while True:
            now = self._now()
            if connection.end_reason is not None:
                return connection.end_reason, True
            if not self._paused and now >= min(self._silence.dead_at(connection), self._silence.next_silent_at()):
                await self._read_what_has_arrived()
                if connection.end_reason is not None or self._paused:
                    continue
                if now >= self._silence.dead_at(connection):
                    self._report_silence(now)
                    return f"nothing heard for {now - connection.last_heard:.1f} s, not even the answer to a ping", True
            if now >= self._may_replace_at():
                if connection.shutdown:
                    return "the server announced its shutdown", False
                if now >= connection.opened_at + self._rollover_after:
                    return "rollover", False
                if not self._paused and (silent := self._silence.silent_streams(now)):
                    self._report_silence(now)
                    return describe(silent), False
            if not self._paused and now >= self._silence.ping_at(connection):
                connection.ping_due(now)
                self._in_background(self._ping(connection))
            await self._waker.wait(self._pause_before_next_look(connection, self._now()))
            if self._paused:
                await self._read_briefly(connection)

    async def _read_what_has_arrived(self) -> None:
        """Let the loop read its sockets: perhaps the loop was busy, and the connection was not silent."""
        for _ in range(_LOOP_STEPS):
            await asyncio.sleep(0)

    def _may_replace_at(self) -> float:
        return max(self._replace_at, self._opener.free_at())

    def _report_silence(self, now: float) -> None:
        for notice in silence_notices(self._silence.silent_streams(now), now):
            self._reader.add_notice(notice)

    async def _unsubscribe_unwanted(self, connection: Connection, names: Iterable[str]) -> None:
        # Some may be wanted again by now.
        wanted = {subscription.name for subscription in self._subscriptions.values()}
        with contextlib.suppress(ConnectionLost, StreamError):
            await connection.unsubscribe([name for name in names if name not in wanted])

    async def _ping(self, connection: Connection) -> None:
        with contextlib.suppress(ConnectionLost):
            await connection.ping()

    def _pause_before_next_look(self, connection: Connection, now: float) -> float:
        """Seconds until something may have to be done."""
        if self._paused:
            return _READ_WHILE_PAUSED
        replace_at = min(
            connection.opened_at + self._rollover_after,
            self._silence.next_silent_at(),
            0.0 if connection.shutdown else math.inf,
        )
        due = (
            max(replace_at, self._may_replace_at()),
            self._silence.ping_at(connection),
            self._silence.dead_at(connection),
        )
        return max(_MIN_PAUSE, min(due) - now)

    async def _read_briefly(self, connection: Connection) -> None:
        """Read once while the consumer blocks, to find and answer the server's pings."""
        if connection.socket is not None and connection.end_reason is None:
            connection.socket.resume()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if self._paused:
                connection.socket.pause()

    # ----------------------------------------------------------------------------- replacing

    async def _reconnect(self, connection: Connection, reason: str) -> Connection:
        """Open another connection after this one was lost."""
        since = self._clock.time() - (self._now() - connection.last_heard)
        self._reader.stats.reconnects += 1
        # A connection that was found dead was waited for long enough.
        at_once = connection.end_reason is None and connection.delivered
        # Whoever waits for an answer on it hears of the loss now, and releases the lock.
        connection.lost(reason)
        connection.mute()
        self._reader.connection_lost(self._subscriptions.values())
        if connection.delivered:
            # However soon it ended, the exchange could be reached.
            self._opener.backoff.reset()
        async with self._changing:
            self._connection = None
            self._abandon(connection)
            new = await self._opener.open_again(reason, at_once=at_once)
            self._adopt(new)
        self._reader.connection_ready(self._subscriptions.values())
        self._report_reconnected(since, reason)
        return new

    def _adopt(self, connection: Connection) -> None:
        self._connection = connection
        unwanted = connection.subscribed.difference(each.name for each in self._subscriptions.values())
        if unwanted:
            # They were removed while the connection was opened.
            self._in_background(self._unsubscribe_unwanted(connection, unwanted))
        if self._paused and connection.socket is not None:
            connection.socket.pause()

    def _report_reconnected(self, since: float, reason: str) -> None:
        names = tuple(each.name for each in self._subscriptions.values() if each.tracker is None)
        if names:
            until = self._clock.time()
            self._reader.add_notice(Reconnected(names, round(since * 1000), round(until * 1000), reason))

    async def _replace(self, old: Connection, reason: str) -> Connection:
        """Open another connection, and close the old one only when the new one has caught up with it."""
        async with self._changing:
            silent = self._silence.silent_streams(self._now())
            try:
                new = await self._opener.open(reason, old, silent)
            except (ConnectionLost, StreamError, IPBannedError) as error:
                return self._keep(old, error)
            handover = new.replacing
            assert handover is not None
            acknowledged = self._now()
            while new.end_reason is None and old.end_reason is None:
                overlap = self._now() - acknowledged
                if overlap >= _MAX_OVERLAP or (overlap >= _OVERLAP and handover.caught_up):
                    break
                await self._clock.sleep(_OVERLAP / 4)
            if new.end_reason is not None and old.end_reason is None:
                self._abandon(new)
                return self._keep(old, new.end_reason)
            cut_short = self._now() < acknowledged + _OVERLAP
            last_heard = old.last_heard
            old.mute()
            old.replaced_by = None
            self._reader.connection_replaced(self._subscriptions.values())
            new.take_over()
            self._adopt(new)
            self._replace_backoff.reset()
        if cut_short:
            self._reader.stats.reconnects += 1
            self._report_reconnected(self._clock.time() - (self._now() - last_heard), old.end_reason or reason)
        else:
            self._reader.stats.rollovers += 1
        self._abandon(old)
        self._in_background(self._settle(new))
        return new

    def _keep(self, old: Connection, error: Exception | str) -> Connection:
        """The connection could not be replaced, and goes on as long as it works: nothing has been lost."""
        old.replaced_by = None
        pause = max(self._replace_backoff.pause(), requested_pause(error))
        self._replace_at = self._now() + pause
        self._opener.not_replaced(error, pause)
        return old

    async def _settle(self, connection: Connection) -> None:
        await self._clock.sleep(_SETTLED)
        connection.settle()

    def _abandon(self, connection: Connection) -> None:
        """Close it without waiting, since closing a dead connection takes its time."""
        connection.mute()
        self._in_background(self._opener.close(connection))

    def _in_background(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task
