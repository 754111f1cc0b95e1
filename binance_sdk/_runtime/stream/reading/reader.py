"""The consumer's side: bytes into typed events, in order, with gaps found, told or filled."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import aclosing
from typing import Any, cast

from pydantic import ValidationError

from binance_sdk._runtime.stream.choices import Choices
from binance_sdk._runtime.stream.context import Parts
from binance_sdk._runtime.stream.event import StreamEvent, mark_stream
from binance_sdk._runtime.stream.notices import Gap, Notice, Notices
from binance_sdk._runtime.stream.reading.buffer import Buffer
from binance_sdk._runtime.stream.reading.decoder import Messages
from binance_sdk._runtime.stream.reading.fill import Incomplete, filled
from binance_sdk._runtime.stream.reading.latest import Latest
from binance_sdk._runtime.stream.reading.sequence import Hole, Tracker, TurnedBack
from binance_sdk._runtime.stream.reading.subscription import Subscription
from binance_sdk._runtime.stream.stats import StreamStats
from binance_sdk.errors import StreamError
from binance_sdk.events import MalformedMessage, MessagesDropped

_TURN = 256
"""Events after which the connection gets its turn, even if more are waiting."""
_MOST_TYPED = 10_000
"""Events that were fetched, or wait for those, however many messages may wait."""
_PAGES = 16
"""Pages that are fetched side by side; each brings its events whether there is room or not."""


class Reader:
    """What one consumer reads. Messages are queued as bytes and become models when they are asked for."""

    newest_only = False
    """Nothing may be taken before it is needed: something newer may come."""

    def __init__(self, parts: Parts, choices: Choices, pause: Callable[[bool], None]) -> None:
        self._parts = parts
        self._policy = choices.overflow
        self._now = parts.clock.monotonic
        self.stats = StreamStats()
        self.notices = Notices(self.stats, parts.tell, choices.on_notice)
        self._messages = Messages(self.stats, self.malformed, parts.tell, self._now)
        self.buffer: Buffer | Latest = self._make_buffer(choices, pause)
        self._waiting = self.waiting = self.buffer.waiting
        self._most = min(choices.buffer, _MOST_TYPED)
        self._ready: deque[Any] = deque()
        """Typed already: filled events, and what waited for them."""
        self._held = 0
        self._fetching = asyncio.Semaphore(_PAGES)
        self._fills: set[asyncio.Task[None]] = set()
        self._came = 0.0
        self.wanted: asyncio.Future[None] | None = None
        """Set while the consumer waits."""
        self._room = asyncio.Event()
        self._turn = _TURN
        self._next_told = 1
        self._closed = False
        self._failure: BaseException | None = None

    def _make_buffer(self, choices: Choices, pause: Callable[[bool], None]) -> Buffer | Latest:
        block = choices.overflow == "block"
        return Buffer(block, choices.buffer, choices.buffer_bytes, pause, self._dropped)

    # ------------------------------------------------------------------------ the line's side

    def feed(self, subscription: Subscription, payload: bytes, now: float) -> None:
        """A message came in."""
        self.stats.received += 1
        buffer = self.buffer
        self._waiting.append((subscription, payload, now))
        buffer.size += len(payload)
        if buffer.size > buffer.most or len(self._waiting) > buffer.limit:
            buffer.full()
        if self.wanted is not None:
            self.wake()

    def tell(self, notice: Notice) -> None:
        """Put a notice behind the messages that came before it."""
        self.notices.announce(notice)
        self.buffer.add_notice(notice)
        self.wake()

    def malformed(self, stream: str, what: str, body: bytes) -> None:
        """Count a message that is not what the spec says, and tell the hooks."""
        self.stats.malformed += 1
        self._parts.tell(MalformedMessage(stream, what, body))

    def _dropped(self, subscription: Subscription, count: int) -> None:
        subscription.dropped = True
        stats = self.stats
        stats.dropped += count
        if stats.dropped >= self._next_told:
            self._next_told = stats.dropped * 2
            self._parts.tell(MessagesDropped(self._policy, subscription.name, stats.dropped))

    def wake(self) -> None:
        """There is something to read."""
        wanted, self.wanted = self.wanted, None
        if wanted is not None and not wanted.done():
            wanted.set_result(None)

    # -------------------------------------------------------------------- the consumer's side

    async def next(self, with_notices: bool = False) -> Any:
        """The next event, or notice if they are wanted.

        Raises:
            StopAsyncIteration: closed.
            StreamError: it cannot go on.
        """
        found = self.take(with_notices)
        return found if found is not None else await self.wait(with_notices)

    async def wait(self, with_notices: bool = False) -> Any:
        """The same, when ``take`` had nothing: after the connections have had their turn."""
        while True:
            if self._turn <= 0:
                self._turn = _TURN
                await self._others_turn()
            found = self.take(with_notices)
            if found is not None:
                return found
            if self._turn <= 0:
                continue
            if self._failure is not None:
                raise self._failure
            if self._closed:
                raise StopAsyncIteration
            if self.wanted is not None:
                raise StreamError("two tasks read the same stream at once; open one for each")
            self._turn = _TURN
            self.wanted = asyncio.get_running_loop().create_future()
            try:
                await self.wanted
            finally:
                self.wanted = None

    async def _others_turn(self) -> None:
        """Let the connections read."""
        await asyncio.sleep(0)

    def take(self, with_notices: bool = False) -> Any:
        """What can be had at once, or None; None also where others should have a turn.

        A notice is given out if they are wanted, and else delivered to the consumer's own functions.
        """
        # Every event passes here, so this is one piece, and calls nothing that it can do itself.
        waiting, buffer = self._waiting, self.buffer
        if self._turn <= 0:
            return None
        while True:
            if self._ready:
                self._turn -= 1
                if self._fills:
                    self._room.set()
                item = self._ready.popleft()
                if with_notices or not isinstance(item, Notice):
                    return item
                self.notices.deliver(item)
                continue
            if not waiting or self._held > self._most:
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
                event = self._messages.unreadable(subscription, payload, error)
                if event is None:
                    self._turn -= 1
                    if self._turn <= 0:
                        return None
                    continue
            if not subscription.sifts:
                mark_stream(event, subscription.name)
            else:
                event = self._messages.sifted(subscription, event)
                if event is None:
                    self._turn -= 1
                    if self._turn <= 0:
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
                    elif not self._follows(subscription, tracker, event):
                        continue
                elif not self._follows(subscription, tracker, event):
                    continue
            self._turn -= 1
            if came != self._came:
                # Once for each packet is enough.
                self._came = came
                self.stats.lag_ms = (self._now() - came) * 1000.0
            return event

    def _follows(self, subscription: Subscription, tracker: Tracker, event: Any) -> bool:
        """Whether the event may be given out now."""
        verdict = tracker.check(event)
        if verdict == "duplicate" or verdict == "late":
            return self._old(subscription, tracker, event, late=verdict == "late")
        tracker.latest = event
        if verdict == "next":
            subscription.dropped = False
            if subscription.held is None:
                return True
            subscription.held.append(event)
            self._held += 1
            return False
        return self._missing(subscription, verdict, event)

    def _old(self, subscription: Subscription, tracker: Tracker, event: StreamEvent, *, late: bool) -> bool:
        turned = tracker.turned_back(event, late=late)
        if turned is not None:
            self._go_on(subscription, turned)
        elif late:
            self.stats.late += 1
            self.stats.dropped += 1
        else:
            self.stats.duplicates += 1
        return False

    def _go_on(self, subscription: Subscription, turned: TurnedBack) -> None:
        """Give out the events from which the ids go on, those too that were taken for late ones."""
        first, *others = turned.events
        self.stats.late -= len(others)
        self.stats.dropped -= len(others)
        detail = ""
        if turned.wrong:
            detail = (
                f"{turned.last} was a wrong id: nothing followed it, and {len(turned.events)} events in a row did not"
            )
            self.malformed(subscription.name, f"id {turned.last}: the events after it contradict it", b"")
        self._tell_before(subscription, Gap(subscription.name, turned.last, turned.first, "restarted", detail), first)
        if subscription.held is None:
            self._ready.extend(others)
        else:
            subscription.held.extend(others)
            self._held += len(others)

    def _tell_before(self, subscription: Subscription, gap: Gap, event: StreamEvent) -> None:
        self.notices.announce(gap)
        if subscription.held is None:
            self._ready.extend((gap, event))
        else:
            subscription.held.extend((gap, event))
            self._held += 1

    def _missing(self, subscription: Subscription, hole: Hole, event: StreamEvent) -> bool:
        """Tell or fetch what is missing; whether the event may be given out now."""
        assert subscription.tracker is not None
        overflow, subscription.dropped = subscription.dropped, False
        if overflow and self.newest_only:
            # That is what was asked for; it is counted.
            return True
        if overflow or not subscription.fill_gaps:
            # Fetching what the consumer has no time for would make it slower still.
            gap = Gap(subscription.name, hole.last, hole.first, "overflow" if overflow else "lost")
            subscription.tracker.told(hole)
            self._tell_before(subscription, gap, event)
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
        pages = filled(self._parts.rest, subscription.named, hole, self._parts.clock)
        try:
            async with aclosing(pages):
                while True:
                    await self._until_there_is_room()
                    async with self._fetching:
                        page = await anext(pages, None)
                    if page is None:
                        break
                    self.stats.filled += len(page)
                    self._ready.extend(page)
                    self.wake()
        except Incomplete as error:
            self._give_up(subscription, error.hole, str(error))
        except Exception as error:  # noqa: BLE001
            # Whatever it was, it must not silence the stream, which waits behind this hole.
            self._give_up(subscription, hole, f"{type(error).__name__}: {error}")

    def _give_up(self, subscription: Subscription, hole: Hole, why: str) -> None:
        assert subscription.tracker is not None
        subscription.tracker.told(hole)
        gap = Gap(subscription.name, hole.last, hole.first, "fill_failed", why)
        self.notices.announce(gap)
        self._ready.append(gap)
        self.wake()

    async def _until_there_is_room(self) -> None:
        while len(self._ready) >= self._most:
            self._room.clear()
            await self._room.wait()

    # ----------------------------------------------------------------------------------- ends

    def release(self, gone: set[Subscription]) -> None:
        """Forget what waits for streams that were unsubscribed from."""
        self.buffer.forget(gone)
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
        fills = list(self._fills)
        for task in fills:
            task.cancel()
        await asyncio.gather(*fills, return_exceptions=True)
        self.wake()
