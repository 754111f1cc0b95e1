"""The consumer's end of a stream: messages become typed events, in order, with gaps found, reported or filled."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import aclosing
from typing import Any, cast

from pydantic import ValidationError

from binance_sdk._runtime.additions import NOTED
from binance_sdk._runtime.answers.shape_drift import ShapeWatch
from binance_sdk._runtime.clock import Clock
from binance_sdk._runtime.ending import cancel
from binance_sdk._runtime.stream.notices import Gap, Notice, NoticeDispatcher
from binance_sdk._runtime.stream.options import ResolvedOptions
from binance_sdk._runtime.stream.reading.buffer import Buffer, Waiting
from binance_sdk._runtime.stream.reading.decoder import MessageDecoder
from binance_sdk._runtime.stream.reading.fill import FillIncomplete, RestSource, fetch_missing
from binance_sdk._runtime.stream.reading.sequence import Hole, Restart, Tracker
from binance_sdk._runtime.stream.reading.subscription import Subscription
from binance_sdk._runtime.stream.stats import StreamStats
from binance_sdk._runtime.stream.stream_event import StreamEvent, mark_stream
from binance_sdk.errors import StreamError
from binance_sdk.events import Event, MalformedMessage, MessagesDropped

_EVENTS_BEFORE_YIELD = 256
"""Events given out before the connections may read again, even if more events are waiting."""
_MAX_TYPED = 10_000
"""Events kept as models: fetched ones, and those held back behind a hole. Applies even if more messages may wait."""
_MAX_PAGES = 16
"""Pages fetched side by side; the events of a page are kept whether there is room or not."""


class Reader:
    """Reads the streams of one consumer. Messages are queued as bytes and become models when they are asked for.

    Args:
        options: The consumer's options.
        pause: Stops (True) and resumes (False) reading from the connections.
        clock: Tells when messages came, and waits between pages of a fill.
        rest: Where missing events are fetched.
        notify: Called with everything that goes to the hooks and the log of the client.
        shapes: Told where messages are not what the spec says.
    """

    latest_only = False
    """Nothing may be taken before it is needed, since something newer may come."""

    def __init__(
        self,
        options: ResolvedOptions,
        pause: Callable[[bool], None],
        *,
        clock: Clock,
        rest: RestSource,
        notify: Callable[[Event], None],
        shapes: ShapeWatch | None = None,
    ) -> None:
        self._policy = options.overflow
        self._clock = clock
        self._now = clock.monotonic
        self._rest = rest
        self._notify = notify
        self.stats: StreamStats = StreamStats()
        self.notices: NoticeDispatcher = NoticeDispatcher(self.stats, notify, options.on_notice)
        self._shapes = ShapeWatch() if shapes is None else shapes
        self._mark = self._shapes.mark
        self._decoder = MessageDecoder(self.stats, self.note_malformed, notify, self._now, self._shapes)
        self.buffer: Buffer = self._make_buffer(options, pause)
        self.waiting: deque[Waiting] = self.buffer.waiting
        self._waiting = self.waiting
        self._max_typed = min(options.buffer, _MAX_TYPED)
        self._ready: deque[Any] = deque()
        """Models that are next: filled events, and what was held back behind them."""
        self._held = 0
        """Events held back in ``Subscription.held``, of all streams."""
        self._page_slots = asyncio.Semaphore(_MAX_PAGES)
        self._fills: set[asyncio.Task[None]] = set()
        self._came = 0.0
        self.waiter: asyncio.Future[None] | None = None
        """Set while the consumer waits for an event."""
        self._room = asyncio.Event()
        self._before_yield = _EVENTS_BEFORE_YIELD
        self._next_drop_report = 1
        self._closed = False
        self._failure: BaseException | None = None

    def _make_buffer(self, options: ResolvedOptions, pause: Callable[[bool], None]) -> Buffer:
        block = options.overflow == "block"
        return Buffer(block, options.buffer, options.buffer_bytes, pause, self._note_dropped)

    # -------------------------------------------------------------------- the connection's side

    def feed(self, subscription: Subscription, payload: bytes, now: float) -> None:
        """A message came in. ``Connection.received`` does the same for most messages, without this call."""
        self.stats.received += 1
        buffer = self.buffer
        self._waiting.append((subscription, payload, now))
        buffer.size += len(payload)
        if buffer.size > buffer.max_bytes or len(self._waiting) > buffer.max_messages:
            buffer.make_room()
        if self.waiter is not None:
            self.wake()

    def add_notice(self, notice: Notice) -> None:
        """Put a notice behind the messages that came before it."""
        self.notices.announce(notice)
        self.buffer.add_notice(notice)
        self.wake()

    def connection_ready(self, subscriptions: Iterable[Subscription]) -> None:
        """A connection has acknowledged these streams."""

    def connection_lost(self, subscriptions: Iterable[Subscription]) -> None:
        """Nothing comes of these streams until ``connection_ready``; what came before has been fed."""

    def connection_replaced(self, subscriptions: Iterable[Subscription]) -> None:
        """From now on these streams come from another connection, which has overlapped with the one before."""

    def note_malformed(self, stream: str, problem: str, body: bytes) -> None:
        """Count a message that is not what the spec says, and tell the hooks."""
        self.stats.malformed += 1
        self._notify(MalformedMessage(stream, problem, body))

    def _note_dropped(self, subscription: Subscription, count: int) -> None:
        subscription.dropped = True
        stats = self.stats
        stats.dropped += count
        if stats.dropped >= self._next_drop_report:
            self._next_drop_report = stats.dropped * 2
            self._notify(MessagesDropped(self._policy, subscription.name, stats.dropped))

    def wake(self) -> None:
        """There is something to read."""
        waiter, self.waiter = self.waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    # ---------------------------------------------------------------------- the consumer's side

    async def next(self, with_notices: bool = False) -> Any:
        """The next event, or notice if notices are wanted.

        Raises:
            StopAsyncIteration: closed.
            StreamError: it cannot go on.
        """
        found = self.take(with_notices)
        return found if found is not None else await self.wait(with_notices)

    async def wait(self, with_notices: bool = False) -> Any:
        """The same, after ``take`` returned None: the connections may read first."""
        while True:
            if self._before_yield <= 0:
                self._before_yield = _EVENTS_BEFORE_YIELD
                await self._yield_to_connections()
            found = self.take(with_notices)
            if found is not None:
                return found
            if self._before_yield <= 0:
                continue
            if self._failure is not None:
                raise self._failure
            if self._closed:
                raise StopAsyncIteration
            if self.waiter is not None:
                raise StreamError("two tasks read the same stream at once; open a stream for each")
            self._before_yield = _EVENTS_BEFORE_YIELD
            self.waiter = asyncio.get_running_loop().create_future()
            try:
                await self.waiter
            finally:
                self.waiter = None

    async def _yield_to_connections(self) -> None:
        """Let the connections read."""
        await asyncio.sleep(0)

    def take(self, with_notices: bool = False) -> Any:
        """The next event that needs no waiting; None if there is none, or if the connections must read first.

        A notice is returned if notices are wanted; otherwise the consumer's own functions are called with it.
        """
        # Every event passes here, so this is one piece, and calls nothing that it can do itself.
        waiting, buffer = self._waiting, self.buffer
        if self._before_yield <= 0:
            return None
        while True:
            if self._ready:
                self._before_yield -= 1
                if self._fills:
                    self._room.set()
                item = self._ready.popleft()
                if with_notices or not isinstance(item, Notice):
                    return item
                self.notices.deliver(item)
                continue
            if not waiting or self._held > self._max_typed:
                return None
            item = waiting.popleft()
            if type(item) is not tuple:
                buffer.notices -= 1
                if with_notices:
                    return item
                self.notices.deliver(cast(Notice, item))
                continue
            subscription, payload, came = item
            if buffer.paused:
                buffer.taken(len(payload))
            try:
                event = subscription.decode(payload, by_alias=True, by_name=False)
            except ValidationError as error:
                event = self._decoder.recover(subscription, payload, error)
                if event is None:
                    self._before_yield -= 1
                    if self._before_yield <= 0:
                        return None
                    continue
            if NOTED:
                self._decoder.look(subscription, event)
            if not subscription.needs_filtering:
                mark_stream(event, subscription.name)
            else:
                event = self._decoder.filtered(subscription, event)
                if event is None:
                    self._before_yield -= 1
                    if self._before_yield <= 0:
                        return None
                    continue
            tracker = subscription.tracker
            if tracker is not None:
                number_of = tracker.number
                if number_of is not None and subscription.held is None:
                    number = number_of(event)
                    if number == tracker.expected:
                        tracker.expected = number + 1
                        tracker.latest = event
                        subscription.dropped = False
                    elif not self._is_next(subscription, tracker, event):
                        continue
                elif not self._is_next(subscription, tracker, event):
                    continue
            self._before_yield -= 1
            if came != self._came:
                # Once for each packet is enough.
                self._came = came
                if subscription.additions.watch is not self._mark:
                    self._shapes.begin(subscription.stream.operation.reader)
                self.stats.lag_ms = (self._now() - came) * 1000.0
            return event

    def _is_next(self, subscription: Subscription, tracker: Tracker, event: Any) -> bool:
        """Whether the event may be given out now. If not, it was dropped, held back, or put into ``_ready``."""
        verdict = tracker.check(event)
        if verdict == "duplicate" or verdict == "late":
            self._take_old(subscription, tracker, event, late=verdict == "late")
            return False
        tracker.latest = event
        if verdict == "next":
            subscription.dropped = False
            if subscription.held is None:
                return True
            subscription.held.append(event)
            self._held += 1
            return False
        return self._after_hole(subscription, verdict, event)

    def _take_old(self, subscription: Subscription, tracker: Tracker, event: StreamEvent, *, late: bool) -> None:
        """An event whose id is not above the newest: drop it, unless the ids have begun anew with it."""
        restart = tracker.restart(event, late=late)
        if restart is not None:
            self._restart(subscription, restart)
        elif late:
            self.stats.late += 1
            self.stats.dropped += 1
        else:
            self.stats.duplicates += 1

    def _restart(self, subscription: Subscription, restart: Restart) -> None:
        """Give out the events with which the ids begin anew, including those that were counted as late before."""
        first, *others = restart.events
        self.stats.late -= len(others)
        self.stats.dropped -= len(others)
        detail = ""
        if restart.wrong:
            detail = (
                f"{restart.last} was a wrong id: no event followed it, and "
                f"{len(restart.events)} events in a row contradicted it"
            )
            self.note_malformed(subscription.name, f"id {restart.last}: the events after it contradict it", b"")
        gap = Gap(subscription.name, restart.last, restart.first, "restarted", detail)
        self._put_with_gap(subscription, gap, first)
        if subscription.held is None:
            self._ready.extend(others)
        else:
            subscription.held.extend(others)
            self._held += len(others)

    def _put_with_gap(self, subscription: Subscription, gap: Gap, event: StreamEvent) -> None:
        self.notices.announce(gap)
        if subscription.held is None:
            self._ready.extend((gap, event))
        else:
            subscription.held.extend((gap, event))
            self._held += 1

    def _after_hole(self, subscription: Subscription, hole: Hole, event: StreamEvent) -> bool:
        """Report what is missing before the event, or begin to fetch it; True if the event may be given out now."""
        assert subscription.tracker is not None
        overflow, subscription.dropped = subscription.dropped, False
        if overflow and self.latest_only:
            # The consumer asked for the newest alone; what was dropped is counted.
            return True
        if overflow or not subscription.fill_gaps:
            # What the overflow policy dropped is not fetched: that would make a slow consumer slower still.
            gap = Gap(subscription.name, hole.last, hole.first, "overflow" if overflow else "lost")
            subscription.tracker.note_reported(hole)
            self._put_with_gap(subscription, gap, event)
            return False
        self._held += 1
        if subscription.held is not None:
            subscription.held.extend((hole, event))
            return False
        subscription.held = deque((hole, event))
        task = asyncio.create_task(self._fill(subscription, subscription.held), name=f"fill {subscription.name}")
        self._fills.add(task)
        task.add_done_callback(self._fills.discard)
        return False

    # ---------------------------------------------------------------------------------- fills

    async def _fill(self, subscription: Subscription, held: deque[Any]) -> None:
        while held:
            item = held.popleft()
            if isinstance(item, Hole):
                await self._fetch(subscription, item)
                continue
            if not isinstance(item, Gap):
                self._held -= 1
            self._ready.append(item)
        subscription.held = None
        self.wake()

    async def _fetch(self, subscription: Subscription, hole: Hole) -> None:
        pages = fetch_missing(self._rest, subscription.stream, hole, self._clock)
        try:
            async with aclosing(pages):
                while True:
                    await self._until_there_is_room()
                    async with self._page_slots:
                        page = await anext(pages, None)
                    if page is None:
                        break
                    self.stats.filled += len(page)
                    self._ready.extend(page)
                    self.wake()
        except FillIncomplete as error:
            self._give_up(subscription, error.hole, str(error))
        except Exception as error:  # noqa: BLE001
            # Whatever it was, it must not silence the stream, whose events wait behind this hole.
            self._give_up(subscription, hole, f"{type(error).__name__}: {error}")

    def _give_up(self, subscription: Subscription, hole: Hole, why: str) -> None:
        assert subscription.tracker is not None
        subscription.tracker.note_reported(hole)
        gap = Gap(subscription.name, hole.last, hole.first, "fill_failed", why)
        self.notices.announce(gap)
        self._ready.append(gap)
        self.wake()

    async def _until_there_is_room(self) -> None:
        while len(self._ready) >= self._max_typed:
            self._room.clear()
            await self._room.wait()

    # ----------------------------------------------------------------------------------- ends

    def forget(self, subscriptions: set[Subscription]) -> None:
        """Throw away the messages of streams that were unsubscribed from."""
        self.buffer.forget(subscriptions)
        if self.buffer.paused:
            self.buffer.taken()

    def fail(self, error: BaseException) -> None:
        """Raise this to the consumer once everything that came before is read."""
        self._failure = error
        self.wake()

    async def aclose(self) -> None:
        self._closed = True
        self._ready.clear()
        self.buffer.clear()
        try:
            await cancel(self._fills)
        finally:
            self.wake()
