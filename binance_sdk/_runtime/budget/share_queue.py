"""Requests that together take at most a share of a pool's weight, one after the other in a visible order.

The snapshots of many books are such requests: sent at once they would spend the whole window, and nothing else could be
asked for. The ledger still has the last word on each of them; this queue only decides when they come to it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from binance_sdk._runtime.budget.fixed_window import FixedWindow
from binance_sdk._runtime.budget.pool import Pool
from binance_sdk._runtime.clock import Clock, Waker
from binance_sdk._runtime.setting_checks import is_number, refuse


def check_share(name: str, value: object) -> float:
    """The value, checked to be a share of a limit: above 0, at most 1.

    Raises:
        ConfigError: it is anything else; the message names it.
    """
    if not (isinstance(value, (int, float)) and is_number(value) and 0 < value <= 1):
        refuse(name, value, "must be a number above 0 and at most 1: the part of the limit that may be used")
    return float(value)


# Compared by identity: one name may wait twice.
@dataclass(eq=False)
class Place:
    """A place in the queue.

    Attributes:
        name: What is asked for, such as a symbol.
        weight: Weight of its request.
        share: Part of the usable limit that it and the others of this queue may have used in a window, itself included.
    """

    name: str
    weight: int
    share: float
    _waker: Waker = field(repr=False)
    _is_its_turn: bool = field(default=False, repr=False)


@dataclass(frozen=True, slots=True)
class QueueProgress:
    """How far a queue has come.

    Attributes:
        waiting: Names whose turn has not come, the next one first.
        running: Names whose turn it is.
        done: Turns that are over, since the queue began.
        seconds_left: Seconds until the turn of the last one that waits, if nothing else delays it; 0.0 if none waits.
    """

    waiting: tuple[str, ...]
    running: tuple[str, ...]
    done: int
    seconds_left: float


@dataclass
class _Spent:
    """What the requests of the queue took of one window."""

    index: int = -1
    amount: int = 0


class ShareQueue:
    """The queue of one client for one pool. For use in one event loop.

    First come, first served. A request that takes more than its share is let into a window of which the queue has taken
    nothing, since no other window has more room.

    Args:
        pool: Whose weight is shared.
        clock: For waiting.
        usable: Part of the limits that the client may use at all (1 minus its safety margin).
        at_once: Most turns at a time, so that they do not fill the connections of the client either.
    """

    def __init__(self, pool: Pool, clock: Clock, usable: float, at_once: int) -> None:
        self._pool = pool
        self._clock = clock
        self._usable = usable
        self._at_once = at_once
        self._waiting: list[Place] = []
        self._running: list[Place] = []
        self._spent: dict[FixedWindow, _Spent] = {}
        self._done = 0

    @property
    def progress(self) -> QueueProgress:
        """Order, number of turns that are over, and time left."""
        now = self._clock.monotonic()
        last = max(self._starts(now), default=now)
        waiting, running = (tuple(place.name for place in places) for places in (self._waiting, self._running))
        return QueueProgress(waiting, running, self._done, last - now)

    def enter(self, name: str, weight: int, share: float) -> Place:
        """A place at the end.

        Raises:
            ConfigError: ``share`` is not above 0 and at most 1.
        """
        place = Place(name, weight, check_share("share", share), self._clock.waker())
        self._waiting.append(place)
        return place

    def seconds_until(self, place: Place) -> float:
        """Seconds until its turn, if nothing else delays it; 0.0 from then on."""
        if place._is_its_turn:
            return 0.0
        now = self._clock.monotonic()
        return self._start_of(place, now) - now

    async def wait_near(self, place: Place, seconds: float) -> None:
        """Return when the turn is at most so many seconds away, as far as can be said."""
        while (left := self.seconds_until(place)) > seconds:
            await place._waker.wait(left - seconds)

    async def wait_turn(self, place: Place) -> None:
        """Return when the request may be made. Call ``leave`` when it is over, or when this wait was cut off."""
        while True:
            now = self._clock.monotonic()
            ready = self._give_turns(now)
            if place._is_its_turn:
                return
            # Only the first one knows when to look again; it wakes the others.
            await place._waker.wait(ready - now if self._waiting[0] is place else math.inf)

    def leave(self, place: Place, extra: int = 0) -> None:
        """The request is over, or is not wanted any more.

        Args:
            place: Its place; one that has left already is ignored.
            extra: Weight that it took beyond its own, for attempts that had to be repeated.
        """
        now = self._clock.monotonic()
        if place in self._running:
            for window in self._pool.weights:
                # Before it leaves, so that a window which has begun meanwhile is charged for it too: it is not known
                # into which of the two it fell.
                self._spent_of(window, now).amount += extra
            self._running.remove(place)
            self._done += 1
            self._give_turns(now)
            # Nobody else is nearer than before; waking all of them for each turn would cost much with many.
            woken = self._waiting[:1]
        elif place in self._waiting:
            self._waiting.remove(place)
            self._give_turns(now)
            # Another may be first now, and others may be nearer than they thought.
            woken = self._waiting
        else:
            return
        for other in woken:
            other._waker.wake()

    # ------------------------------------------------------------------------- within

    def _give_turns(self, now: float) -> float:
        """Give turns to those at the front that fit; when the next one does, infinity if only ``leave`` can help."""
        while self._waiting:
            ready = next(self._starts(now))
            if ready > now or len(self._running) >= self._at_once:
                return ready if ready > now else math.inf
            place = self._waiting.pop(0)
            for window in self._pool.weights:
                self._spent_of(window, now).amount += place.weight
            self._running.append(place)
            place._is_its_turn = True
            place._waker.wake()
            if self._waiting:
                self._waiting[0]._waker.wake()
        return math.inf

    def _spent_of(self, window: FixedWindow, now: float) -> _Spent:
        with self._pool.ledger.lock:
            window.roll(now)
        spent = self._spent.setdefault(window, _Spent())
        if spent.index != window.index:
            # What still runs may wait in the ledger, and fall into this window.
            spent.index, spent.amount = window.index, sum(place.weight for place in self._running)
        return spent

    def _start_of(self, place: Place, now: float) -> float:
        return next(start for other, start in zip(self._waiting, self._starts(now), strict=True) if other is place)

    def _starts(self, now: float) -> Iterator[float]:
        """When the turn of each that waits could come, in order, if nobody else delayed it."""
        windows = self._pool.weights
        spent = [self._spent_of(window, now).amount for window in windows]
        opens = [window.next_opening for window in windows]
        at = max(now, self._pool.gate.closed_until)
        for place in list(self._waiting):
            while True:
                for i, window in enumerate(windows):
                    if opens[i] <= at:
                        passed = math.floor((at - opens[i]) / window.seconds) + 1
                        opens[i] += passed * window.seconds
                        spent[i] = 0
                full = [
                    opens[i]
                    for i, window in enumerate(windows)
                    if spent[i] and spent[i] + place.weight > self._allowed(window, place)
                ]
                if not full:
                    break
                at = max(full)
            spent = [amount + place.weight for amount in spent]
            yield at

    def _allowed(self, window: FixedWindow, place: Place) -> int:
        return math.floor(window.limit * self._usable * place.share + 1e-9)
