"""Owns the connection that carries a set of streams: opens, subscribes, watches, replaces, and never gives up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any
from urllib.parse import urlsplit

from binance_sdk._runtime.operation import Market
from binance_sdk._runtime.stream.link import Link, Lost
from binance_sdk._runtime.stream.names import stream_url
from binance_sdk._runtime.stream.notices import Reconnected, SilentStream
from binance_sdk._runtime.stream.pacing import Pacer
from binance_sdk._runtime.stream.parts import MESSAGES_A_SECOND, STREAMS_A_CONNECTION, Parts
from binance_sdk._runtime.stream.reader import Reader
from binance_sdk._runtime.stream.subscription import Subscription
from binance_sdk._runtime.stream.wire import WireFailure
from binance_sdk.errors import StreamError
from binance_sdk.events import StreamConnected, StreamLost

_IDLE = 20.0
"""Seconds without any frame after which a ping is sent."""
_PONG = 10.0
"""Seconds to wait for its answer."""
_OVERLAP = 1.0
"""Seconds that two connections run side by side at least, so that nothing is on its way between them."""
_LONGEST_OVERLAP = 5.0
_SETTLED = 10.0
"""Seconds after which nothing of the connection before can come any more."""
_SIP = 5.0
"""While the consumer blocks, the line is read this often, to find and answer the server's pings."""
_URL_NAMES = 50
_URL_LENGTH = 1800


class Owner:
    """One connection of one consumer, for one market and route."""

    def __init__(self, parts: Parts, market: Market, route: str, reader: Reader, rollover_after: float) -> None:
        self._parts = parts
        self._clock = parts.clock
        self._now = parts.clock.monotonic
        self.market: Market = market
        self.route = route
        self._reader = reader
        self._rollover_after = rollover_after
        self._subscriptions: dict[bytes, Subscription] = {}
        self._host = 0
        self._backoff = parts.backoff()
        self._waker = parts.clock.waker()
        self._link: Link | None = None
        self._links: set[Link] = set()
        """All that are open, the one that is being replaced included."""
        self._acting = asyncio.Lock()
        """Held by whoever changes what the connection carries."""
        self._task: asyncio.Task[None] | None = None
        self._others: set[asyncio.Task[Any]] = set()
        self._paused = False

    @property
    def room(self) -> int:
        return STREAMS_A_CONNECTION - len(self._subscriptions)

    @property
    def empty(self) -> bool:
        return not self._subscriptions

    # ------------------------------------------------------------------------- what is asked

    async def add(self, subscriptions: list[Subscription]) -> None:
        """Carry these streams too; returns when they are acknowledged.

        Raises:
            StreamError: the exchange refused them, or no connection could be opened.
        """
        async with self._acting:
            now = self._now()
            for subscription in subscriptions:
                subscription.seen = now
                self._subscriptions[subscription.id] = subscription
            try:
                if self._task is None:
                    self._link = await self._first()
                    self._task = asyncio.create_task(self._run(self._link), name=f"streams of {self.market}")
                elif self._link is not None:
                    with contextlib.suppress(Lost):
                        # A lost connection is opened again with these among the wanted.
                        await self._link.subscribe([subscription.name for subscription in subscriptions])
            except BaseException:
                for subscription in subscriptions:
                    self._subscriptions.pop(subscription.id, None)
                if self._link is not None:
                    self._link.slow()
                raise

    async def remove(self, subscriptions: list[Subscription]) -> None:
        async with self._acting:
            for subscription in subscriptions:
                self._subscriptions.pop(subscription.id, None)
            if self._link is not None:
                self._link.slow()
            if self._link is not None and self._subscriptions:
                with contextlib.suppress(Lost):
                    await self._link.unsubscribe([subscription.name for subscription in subscriptions])

    def pause(self, paused: bool) -> None:
        """Back-pressure: read no more, or go on."""
        self._paused = paused
        link = self._link
        if link is None or link.wire is None:
            return
        if paused:
            link.wire.pause()
        else:
            link.wire.resume()
            # It was we who were silent.
            now = link.heard = self._now()
            for subscription in self._subscriptions.values():
                subscription.seen = now
        self._waker.wake()

    async def aclose(self) -> None:
        tasks = [task for task in (self._task, *self._others) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(self._close(link) for link in list(self._links)))

    async def _close(self, link: Link) -> None:
        await link.close()
        self._links.discard(link)

    # ------------------------------------------------------------------------------- opening

    def _url(self, names: list[str]) -> tuple[str, list[str]]:
        """Address, and the names that are in it."""
        bases = self._parts.urls[self.market]
        base = bases[self._host % len(bases)]
        if len(names) <= _URL_NAMES and all(name.isascii() for name in names):
            url = stream_url(base, self.route, names)
            if len(url) <= _URL_LENGTH:
                return url, names
        return stream_url(base, self.route), []

    async def _open(self, reason: str, old: Link | None = None) -> Link:
        """A connection that has acknowledged every wanted stream; ready to replace ``old`` if there is one.

        Raises:
            Lost: it could not be opened, or was lost before it was ready.
            StreamError: the exchange refused a stream, or the address is wrong.
        """
        names = [subscription.name for subscription in self._subscriptions.values()]
        url, in_url = self._url(names)
        await self._parts.budget.acquire(urlsplit(url).netloc, self._clock)
        pacer = Pacer(MESSAGES_A_SECOND[self.market])
        link = Link(self._clock, self._reader, self._subscriptions, pacer, self._waker.wake)
        if old is not None:
            link.prepare()
            old.successor = link
        self._links.add(link)
        try:
            link.wire = await self._parts.connector(url, link)
        except WireFailure as failure:
            self._links.discard(link)
            if failure.setup:
                raise StreamError(f"{_place(url)}: {failure}; check the stream URL") from failure
            self._host += 1
            raise Lost(str(failure)) from failure
        try:
            link.opened = link.heard = self._now()
            link.asked.update(in_url)
            await link.subscribe([name for name in names if name not in link.asked])
            now = self._now()
            for subscription in self._subscriptions.values():
                subscription.seen = max(subscription.seen, now)
        except BaseException:
            await self._close(link)
            raise
        self._parts.tell(StreamConnected(_place(url), len(names), reason))
        return link

    async def _first(self) -> Link:
        for left in reversed(range(self._parts.first_attempts)):
            try:
                return await self._open("first")
            except Lost as lost:
                if not left:
                    place = _place(self._url([])[0])
                    raise StreamError(f"{place}: no connection: {lost}") from lost
                await self._back_off(str(lost))
        raise AssertionError("unreachable")

    async def _back_off(self, reason: str) -> None:
        pause = self._backoff.pause()
        self._parts.tell(StreamLost(_place(self._url([])[0]), reason, pause))
        await self._clock.sleep(pause)

    async def _again(self, reason: str) -> Link:
        while True:
            await self._back_off(reason)
            try:
                return await self._open(reason)
            except (Lost, StreamError) as error:
                # Even a refusal may pass: what was wanted was accepted before.
                reason = str(error)

    # ------------------------------------------------------------------------------ watching

    async def _run(self, link: Link) -> None:
        try:
            while True:
                reason, dead = await self._watch(link)
                link = await (self._after_loss(link, reason) if dead else self._replace(link, reason))
        except Exception as error:
            # Nothing is known that comes here; if something does, the consumer must hear of it.
            self._reader.fail(StreamError(f"{self.market} streams: {type(error).__name__}: {error}"))
            raise

    async def _watch(self, link: Link) -> tuple[str, bool]:
        """Waits until the connection must be replaced; says why, and whether it is dead."""
        while True:
            now = self._now()
            if link.ended is not None:
                return link.ended, True
            if link.shutdown:
                return "the server announced its shutdown", False
            if now >= link.opened + self._rollover_after:
                return "rollover", False
            if link.pinged_at is not None and not self._paused and now >= link.pinged_at + _PONG:
                return f"no answer to a ping within {_PONG:g} s", True
            if link.delivered and not link.credited:
                link.credited = True
                self._backoff.reset()
            if not self._paused:
                silent = self._silent(now)
                if silent and link.pinged_at is None and link.heard >= self._asked_at(silent):
                    return self._fell_silent(silent, link, now), False
                if silent or now >= link.heard + _IDLE:
                    await self._probe(link)
            await self._waker.wait(self._pause(link, now))
            if self._paused:
                await self._sip(link)

    def _silent(self, now: float) -> list[Subscription]:
        return [
            subscription
            for subscription in self._subscriptions.values()
            if (patience := subscription.patience()) is not None and now >= subscription.seen + patience
        ]

    @staticmethod
    def _asked_at(silent: list[Subscription]) -> float:
        """The moment by which the first of them had to speak: a frame after it proves that the line is alive."""
        return min(subscription.seen + (subscription.patience() or 0.0) for subscription in silent)

    def _fell_silent(self, silent: list[Subscription], link: Link, now: float) -> str:
        for subscription in silent:
            if subscription.rounds and subscription.tell_silence:
                subscription.tell_silence = False
                self._reader.tell(SilentStream(subscription.name, now - subscription.silent_since))
            if not subscription.rounds:
                subscription.silent_since = subscription.seen
            subscription.rounds += 1
        more = f" and {len(silent) - 1} more" if len(silent) > 1 else ""
        return f"{silent[0].name}{more} silent"

    async def _probe(self, link: Link) -> None:
        with contextlib.suppress(Lost):
            await link.ping()

    def _pause(self, link: Link, now: float) -> float:
        """Seconds until something may have to be done."""
        if self._paused:
            return _SIP
        due = [link.opened + self._rollover_after, link.heard + _IDLE]
        if link.pinged_at is not None:
            due.append(link.pinged_at + _PONG)
        patience = [
            subscription.seen + seconds
            for subscription in self._subscriptions.values()
            if (seconds := subscription.patience()) is not None
        ]
        if patience and link.pinged_at is None:
            due.append(min(patience))
        return max(0.02, min(due) - now)

    async def _sip(self, link: Link) -> None:
        if link.wire is not None and link.ended is None:
            link.wire.resume()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if self._paused:
                link.wire.pause()

    # ----------------------------------------------------------------------------- replacing

    async def _after_loss(self, link: Link, reason: str) -> Link:
        since = self._clock.time() - (self._now() - link.heard)
        self._reader.stats.reconnects += 1
        async with self._acting:
            self._link = None
            self._leave(link)
            new = await self._again(reason)
            self._adopt(new)
        self._tell_reconnected(since, reason)
        return new

    def _adopt(self, link: Link) -> None:
        self._link = link
        if self._paused and link.wire is not None:
            link.wire.pause()

    def _tell_reconnected(self, since: float, reason: str) -> None:
        names = tuple(s.name for s in self._subscriptions.values() if s.tracker is None)
        if names:
            until = self._clock.time()
            self._reader.tell(Reconnected(names, round(since * 1000), round(until * 1000), reason))

    async def _replace(self, old: Link, reason: str) -> Link:
        """Make before break: the old connection speaks until the new one has caught up with it."""
        async with self._acting:
            try:
                new = await self._open(reason, old)
            except (Lost, StreamError) as error:
                old.successor = None
                await self._back_off(str(error))
                if old.ended is None:
                    # It may be asked again at the next look: nothing has been lost.
                    return old
                return await self._lost_meanwhile(old)
            acknowledged = self._now()
            while new.ended is None and old.ended is None:
                overlap = self._now() - acknowledged
                if overlap >= _LONGEST_OVERLAP or (overlap >= _OVERLAP and new.caught_up):
                    break
                await self._clock.sleep(_OVERLAP / 4)
            if new.ended is not None and old.ended is None:
                old.successor = None
                self._leave(new)
                return old
            cut_short = self._now() < acknowledged + _OVERLAP
            heard = old.heard
            old.deaf = True
            old.successor = None
            new.take_over()
            self._adopt(new)
        if cut_short:
            self._reader.stats.reconnects += 1
            self._tell_reconnected(self._clock.time() - (self._now() - heard), old.ended or reason)
        else:
            self._reader.stats.rollovers += 1
        self._leave(old)
        self._beside(self._settle(new))
        return new

    async def _lost_meanwhile(self, old: Link) -> Link:
        since = self._clock.time() - (self._now() - old.heard)
        reason = old.ended or "lost"
        self._reader.stats.reconnects += 1
        self._link = None
        self._leave(old)
        new = await self._again(reason)
        self._adopt(new)
        self._tell_reconnected(since, reason)
        return new

    async def _settle(self, link: Link) -> None:
        await self._clock.sleep(_SETTLED)
        link.settle()

    def _leave(self, link: Link) -> None:
        """Close it, but wait for nobody: a dead connection takes its time."""
        link.deaf = True
        self._beside(self._close(link))

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._others.add(task)
        task.add_done_callback(self._others.discard)


def _place(url: str) -> str:
    """Host and path, without the names of the streams."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"
