"""Whether an event follows the one before it. Pure: no clock, no connection."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Literal, cast

from binance_sdk._runtime.candles import candle_end, candle_start
from binance_sdk._runtime.stream.operation import Sequence

_HOLES = 64
_Read = Callable[[Any], int]


@dataclass(frozen=True, slots=True)
class Hole:
    """Ids that were skipped: everything between the two, both of which were seen."""

    last: int
    first: int


Verdict = Literal["next", "duplicate", "late"] | Hole


class Tracker:
    """Follows the ids of one stream; ``check`` takes events in the order they came.

    Attributes:
        number: The id of an event, where ids rise by one; None elsewhere. Then the event with the id ``expected``
            follows, and who gives it out adds one to it: nearly every event takes this short way.
        expected: The next id, once there was a first one.
        latest: The last event that was new, kept by whoever gives it out.
        moment: When an event came about; None where the stream does not say it.
    """

    number: _Read | None = None
    expected: int | None = None
    moment: _Read | None = None

    def __init__(self) -> None:
        self.latest: Any = None
        self._last: int | None = None
        self._told: deque[Hole] = deque(maxlen=_HOLES)

    def check(self, event: Any) -> Verdict:
        raise NotImplementedError

    def told(self, hole: Hole) -> None:
        """The consumer was told of this hole: what comes of it now is late."""
        self._told.append(hole)

    def began_anew(self, event: Any) -> Hole | None:
        """For an event whose id is old: whether the exchange has begun its ids anew, and from where to where.

        A copy of an event, or one that was overtaken, came about no later than the newest. From here on the new ids
        are followed.
        """
        if self.moment is None or self.latest is None or self.moment(event) <= self.moment(self.latest):
            return None
        self._told.clear()
        self.latest = event
        return self._restart(event)

    def _restart(self, event: Any) -> Hole:
        raise NotImplementedError

    def _old(self, last: int) -> Verdict:
        return "late" if any(hole.last < last < hole.first for hole in self._told) else "duplicate"


class _Ids(Tracker):
    """``each`` and ``range``: the next event begins one after the last one."""

    def __init__(self, first: _Read, last: _Read, *, single: bool) -> None:
        super().__init__()
        self._first_of = first
        self._last_of = last
        if single:
            self.number = last

    def check(self, event: Any) -> Verdict:
        expected, last = self.expected, self._last_of(event)
        if expected is None:
            self.expected = last + 1
            return "next"
        if last < expected:
            return self._old(last)
        self.expected = last + 1
        first = self._first_of(event)
        return "next" if first <= expected else Hole(expected - 1, first)

    def _restart(self, event: Any) -> Hole:
        assert self.expected is not None
        before, self.expected = self.expected - 1, self._last_of(event) + 1
        return Hole(before, self._first_of(event))


class _Previous(Tracker):
    """``previous``: every event names the one before it."""

    def __init__(self, first: _Read, last: _Read, previous: _Read) -> None:
        super().__init__()
        self._first_of = first
        self._last_of = last
        self._previous_of = previous

    def check(self, event: Any) -> Verdict:
        before, last = self._last, self._last_of(event)
        if before is None:
            self._last = last
            return "next"
        if last <= before:
            return self._old(last)
        self._last = last
        # What reaches back over the last event leaves nothing out.
        return "next" if self._previous_of(event) <= before else Hole(before, self._first_of(event))

    def _restart(self, event: Any) -> Hole:
        assert self._last is not None
        before, self._last = self._last, self._last_of(event)
        return Hole(before, self._first_of(event))


class _Bars(Tracker):
    """``time``: many events tell of one bar, the last of them that it is closed."""

    def __init__(self, start: _Read, closed: Callable[[Any], bool], interval: str) -> None:
        super().__init__()
        self._start_of = start
        self._closed_of = closed
        self._interval = interval
        self._closed = False

    def check(self, event: Any) -> Verdict:
        before, start, closed = self._last, self._start_of(event), self._closed_of(event)
        if before is not None:
            if start < before:
                return self._old(start)
            if start == before:
                if self._closed:
                    return "duplicate"
                self._closed = closed
                return "next"
        was_closed = self._closed
        self._last, self._closed = start, closed
        if before is None:
            return "next"
        following = _next_bar(self._interval, before)
        if was_closed:
            return "next" if start == following else Hole(before, start)
        # The end of the bar before was never told, so that bar is missing too.
        return Hole(_bar_before(self._interval, before), start)


_HALF_DAY = 43_200_000
_SHORTEST_MONTH = 28 * 2 * _HALF_DAY


def _next_bar(interval: str, start: int) -> int:
    # Bars of another time zone begin hours off; half a day later it is surely the same bar, in either.
    if interval.endswith("M"):
        inside = start + _HALF_DAY
        return candle_end(interval, inside) + start - candle_start(interval, inside)
    return start + candle_end(interval, start) - candle_start(interval, start)


def _bar_before(interval: str, start: int) -> int:
    if interval.endswith("M"):
        month = candle_start(interval, start + _HALF_DAY)
        return candle_start(interval, month - 1) + start - month
    return start + candle_start(interval, start) - candle_end(interval, start)


def most_bars(interval: str, last: int, first: int) -> int:
    """As many bars as can open after the one that opens at ``last``, up to and with the one of ``first``."""
    length = candle_end(interval, last) - candle_start(interval, last)
    if interval.endswith("M"):
        length = int(interval[:-1]) * _SHORTEST_MONTH
    return (first - last - 1) // length + 1


def tracker(sequence: Sequence, interval: str = "") -> Tracker:
    """A tracker by the rule of a stream; ``interval`` is the length of its bars, for ``time``."""
    made = _tracker(sequence, interval)
    if sequence.moment:
        made.moment = cast(_Read, attrgetter(sequence.moment))
    return made


def _tracker(sequence: Sequence, interval: str) -> Tracker:
    first, last = cast(_Read, attrgetter(sequence.first)), cast(_Read, attrgetter(sequence.last))
    if sequence.kind == "time":
        closed = cast("Callable[[Any], bool]", attrgetter(sequence.closed))
        return _Bars(first, closed, interval)
    if sequence.kind == "previous":
        return _Previous(first, last, cast(_Read, attrgetter(sequence.previous)))
    return _Ids(first, last, single=sequence.kind == "each")
