"""Owns the connection that carries a set of streams: opens, subscribes, watches, replaces, and never gives up."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Coroutine, Iterable
from typing import Any

from binance_sdk._runtime.calls.retry import is_transient
from binance_sdk._runtime.operation import Market
from binance_sdk._runtime.stream.connection.connection import Link, Lost
from binance_sdk._runtime.stream.connection.dialer import TOLD_AS_IT_IS, Dialler, Refused, told_pause
from binance_sdk._runtime.stream.connection.pacing import Pacer
from binance_sdk._runtime.stream.connection.silence import Silence, named, told
from binance_sdk._runtime.stream.context import MESSAGES_A_SECOND, STREAMS_A_CONNECTION, Parts
from binance_sdk._runtime.stream.notices import Reconnected
from binance_sdk._runtime.stream.reading.reader import Reader
from binance_sdk._runtime.stream.reading.subscription import Subscription
from binance_sdk.errors import BinanceError, IPBannedError, RestrictedLocationError, StreamError
from binance_sdk.events import StreamConnected, StreamLost

_OVERLAP = 1.0
"""Seconds that two connections run side by side at least, so that nothing is on its way between them."""
_LONGEST_OVERLAP = 5.0
_SETTLED = 10.0
"""Seconds after which nothing of the connection before can come any more."""
_SIP = 5.0
"""While the consumer blocks, the line is read this often, to find and answer the server's pings."""
_LONGEST_FIRST_WAIT = 30.0
"""Who opens a stream hears of a longer pause that an overloaded server asks for; later on it is waited out."""
_NO_CONNECTION = "no connection"
_SHORTEST_PAUSE = 0.001
_TURNS = 3
"""Of the event loop, after which everything that has arrived has been read."""


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
        self._silence = Silence(self._subscriptions)
        self._dialler = Dialler(parts, market, route)
        self._backoff = parts.backoff()
        """After a loss; a connection that delivered something sets it back."""
        self._replacing = parts.backoff()
        """While a working connection waits for its successor; being replaced sets it back."""
        self._replace_at = 0.0
        """Not before, since it failed."""
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
        for subscription in subscriptions:
            self._subscriptions.pop(subscription.id, None)
        if self._link is None:
            # Nothing to ask while there is no connection, and nobody knows how long that takes.
            return
        self._link.slow()
        async with self._acting:
            await self._ask_no_more([subscription.name for subscription in subscriptions])

    async def _ask_no_more(self, names: Iterable[str]) -> None:
        if self._link is not None and self._subscriptions:
            with contextlib.suppress(Lost):
                await self._link.unsubscribe(names)

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
                subscription.forgiven(now)
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

    async def _open(self, reason: str, old: Link | None = None, silent: Iterable[Subscription] = ()) -> Link:
        """A connection that has acknowledged every wanted stream; ready to replace ``old`` if there is one.

        Raises:
            Lost: it could not be opened, or was lost before it was ready.
            StreamError: the exchange refused a stream, or the address is wrong.
            IPBannedError: the address is banned, so nothing was dialled.
        """
        names = [subscription.name for subscription in self._subscriptions.values()]
        pacer = Pacer(MESSAGES_A_SECOND[self.market])
        link = Link(self._clock, self._reader, self._subscriptions, pacer, self._waker.wake)
        if old is not None:
            link.prepare(silent)
            old.successor = link
        self._links.add(link)
        try:
            link.wire, in_address = await self._dialler.dial(names, link)
            link.opened = link.heard = self._now()
            link.asked.update(in_address)
            await link.subscribe([name for name in names if name not in link.asked])
            now = self._now()
            for subscription in self._subscriptions.values():
                subscription.asked_anew(now)
        except BaseException:
            await self._close(link)
            raise
        self._parts.tell(StreamConnected(self._dialler.place, len(names), reason))
        return link

    async def _first(self) -> Link:
        for left in reversed(range(self._parts.first_attempts)):
            try:
                return await self._open("first")
            except Lost as lost:
                self._give_up(lost, last=not left)
                await self._back_off(lost)
        raise AssertionError("unreachable")

    def _give_up(self, lost: Lost, *, last: bool) -> None:
        """Raise what an opener of a stream must hear, where that is no use to try again."""
        if isinstance(lost, Refused):
            error = lost.error
            if isinstance(error, TOLD_AS_IT_IS) and (last or not is_transient(error)):
                raise error
            last = last or not is_transient(error) or told_pause(lost) > _LONGEST_FIRST_WAIT
        if last:
            text = str(lost) if _NO_CONNECTION in str(lost) else f"{_NO_CONNECTION}: {lost}"
            raise StreamError(f"{self._dialler.place}: {text}") from (lost.error if isinstance(lost, Refused) else lost)

    async def _back_off(self, error: Exception | str, *, at_once: bool = False) -> None:
        pause = 0.0 if at_once else max(self._backoff.pause(), told_pause(error))
        wait = max(pause, self._dialler.free_at() - self._now())
        self._parts.tell(StreamLost(self._dialler.place, str(error), wait))
        # The rest is the dialler's, who sees it when the gate is closed for longer meanwhile.
        await self._clock.sleep(pause)

    async def _again(self, reason: str, *, at_once: bool) -> Link:
        error: Exception | str = reason
        while True:
            await self._back_off(error, at_once=at_once)
            at_once = False
            try:
                return await self._open(reason)
            except Refused as refused:
                if isinstance(refused.error, (IPBannedError, RestrictedLocationError)):
                    # The end of a ban is far off, and a place does not change: that must not look like silence.
                    raise refused.error from refused
                error = refused
            except (Lost, StreamError) as lost:
                # Even a refusal may pass: what was wanted was accepted before.
                error = lost
            reason = str(error)

    # ------------------------------------------------------------------------------ watching

    async def _run(self, link: Link) -> None:
        try:
            while True:
                reason, dead = await self._watch(link)
                link = await (self._after_loss(link, reason) if dead else self._replace(link, reason))
        except BinanceError as error:
            self._reader.fail(error)
        except Exception as error:
            # Nothing is known that comes here; if something does, the consumer must hear of it.
            failure = StreamError(f"{self.market} streams: {type(error).__name__}: {error}")
            failure.__cause__ = error
            self._reader.fail(failure)
            raise

    async def _watch(self, link: Link) -> tuple[str, bool]:
        """Waits until the connection must be replaced; says why, and whether it is dead."""
        while True:
            now = self._now()
            if link.ended is not None:
                return link.ended, True
            if not self._paused and now >= min(self._silence.dead_at(link), self._silence.streams_due()):
                await self._let_arrive()
                if link.ended is not None or self._paused:
                    continue
                if now >= self._silence.dead_at(link):
                    self._tell_silence(now)
                    return f"nothing heard for {now - link.heard:.1f} s, not even the answer to a ping", True
            if now >= self._may_replace_at():
                if link.shutdown:
                    return "the server announced its shutdown", False
                if now >= link.opened + self._rollover_after:
                    return "rollover", False
                if not self._paused and (silent := self._silence.streams(now)):
                    self._tell_silence(now)
                    return named(silent), False
            if not self._paused and now >= self._silence.probe_at(link):
                link.pinged_at = now
                self._beside(self._probe(link))
            await self._waker.wait(self._pause(link, self._now()))
            if self._paused:
                await self._sip(link)

    async def _let_arrive(self) -> None:
        """Have what is in the socket read: it may be the loop that was busy, and not the line that was silent."""
        for _ in range(_TURNS):
            await asyncio.sleep(0)

    def _may_replace_at(self) -> float:
        return max(self._replace_at, self._dialler.free_at())

    def _tell_silence(self, now: float) -> None:
        for notice in told(self._silence.streams(now), now):
            self._reader.tell(notice)

    async def _unsubscribe(self, link: Link, names: Iterable[str]) -> None:
        with contextlib.suppress(Lost, StreamError):
            await link.unsubscribe(names)

    async def _probe(self, link: Link) -> None:
        with contextlib.suppress(Lost):
            await link.ping()

    def _pause(self, link: Link, now: float) -> float:
        """Seconds until something may have to be done."""
        if self._paused:
            return _SIP
        wanted = min(
            link.opened + self._rollover_after, self._silence.streams_due(), 0.0 if link.shutdown else math.inf
        )
        due = (
            max(wanted, self._may_replace_at()),
            self._silence.probe_at(link),
            self._silence.dead_at(link),
        )
        return max(_SHORTEST_PAUSE, min(due) - now)

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
        # Who has waited for its silence to end has waited enough.
        at_once = link.ended is None and link.delivered
        # Whoever waits for an answer of it hears that now, and lets go of the lock.
        link.lost(reason)
        if link.delivered:
            # However soon it ended: the exchange is there.
            self._backoff.reset()
        async with self._acting:
            self._link = None
            self._leave(link)
            new = await self._again(reason, at_once=at_once)
            self._adopt(new)
        self._tell_reconnected(since, reason)
        return new

    def _adopt(self, link: Link) -> None:
        self._link = link
        unwanted = link.asked.difference(each.name for each in self._subscriptions.values())
        if unwanted:
            # Removed while it was opened.
            self._beside(self._unsubscribe(link, unwanted))
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
            silent = self._silence.streams(self._now())
            try:
                new = await self._open(reason, old, silent)
            except (Lost, StreamError, IPBannedError) as error:
                return self._keep(old, error)
            acknowledged = self._now()
            while new.ended is None and old.ended is None:
                overlap = self._now() - acknowledged
                if overlap >= _LONGEST_OVERLAP or (overlap >= _OVERLAP and new.caught_up):
                    break
                await self._clock.sleep(_OVERLAP / 4)
            if new.ended is not None and old.ended is None:
                self._leave(new)
                return self._keep(old, new.ended)
            cut_short = self._now() < acknowledged + _OVERLAP
            heard = old.heard
            old.deaf = True
            old.successor = None
            new.take_over()
            self._adopt(new)
            self._replacing.reset()
        if cut_short:
            self._reader.stats.reconnects += 1
            self._tell_reconnected(self._clock.time() - (self._now() - heard), old.ended or reason)
        else:
            self._reader.stats.rollovers += 1
        self._leave(old)
        self._beside(self._settle(new))
        return new

    def _keep(self, old: Link, error: Exception | str) -> Link:
        """It could not be replaced, and goes on as long as it can: nothing has been lost."""
        old.successor = None
        pause = max(self._replacing.pause(), told_pause(error))
        self._replace_at = self._now() + pause
        wait = max(pause, self._dialler.free_at() - self._now())
        self._parts.tell(StreamLost(self._dialler.place, f"not replaced: {error}", wait))
        return old

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
