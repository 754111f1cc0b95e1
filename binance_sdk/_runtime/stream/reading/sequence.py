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
_WITNESSES = 8
"""Events in a row that contradict an id far ahead of them."""
_FAR, _FAR_BARS = 1000, 10
_Read = Callable[[Any], int]


@dataclass(frozen=True, slots=True)
class Hole:
    """Ids that were skipped: everything between the two, both of which were seen."""

    last: int
    first: int


@dataclass(frozen=True, slots=True)
class TurnedBack:
    """The ids go on from an earlier one: ``last`` is the newest before, ``first`` the first of ``events``."""

    last: int
    first: int
    events: list[Any]
    wrong: bool
    """The newest id was a mistake; otherwise the exchange began its ids anew."""


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
        self._jump: tuple[Hole, int | None] | None = None
        """The last hole, and where the event behind it led: nothing has followed that event while we stand there."""
        self._witnesses: list[Any] = []
        """Events out of that hole that follow each other."""
        self._aside: Tracker | None = None
        """Follows them."""
        self._left: tuple[int, int | None] | None = None
        """The last id before ids began anew, and where the first new one led."""

    def check(self, event: Any) -> Verdict:
        raise NotImplementedError

    def told(self, hole: Hole) -> None:
        """The consumer was told of this hole: what comes of it now is late."""
        self._told.append(hole)

    def turned_back(self, event: Any, *, late: bool) -> TurnedBack | None:
        """For an event whose id is old: whether the ids go on from there, instead of behind the newest one.

        They do where the exchange has begun its ids anew: a copy of an event, or one that was overtaken, came about no
        later than the newest. And where the newest id was a wrong one, far ahead: many events in a row out of the hole
        before it say so, while nothing follows it. From here on the ids of these events are followed.
        """
        younger = self.moment is not None and self.latest is not None and self.moment(event) > self.moment(self.latest)
        run = [event]
        if late and self._jump is not None and self._jump[1] == self._at and self._of_the_jump(event):
            run = self._witness(event)
            if not run or (len(run) < _WITNESSES and not younger):
                return None
        elif not younger:
            return None
        turned = TurnedBack(self._highest, self._first_id(run[0]), run, wrong=not younger)
        self._told.clear()
        self.latest = event
        self._forget_jump()
        self._go_on(run)
        self._left = None if turned.wrong else (turned.last, self._at)
        return turned

    def _witness(self, event: Any) -> list[Any]:
        """Events in a row, of which this is the newest; none if it repeats an earlier one."""
        aside = self._aside
        verdict = None if aside is None else aside.check(event)
        if verdict == "duplicate" or verdict == "late":
            return []
        if aside is None or verdict != "next":
            aside = self._aside = self._fresh()
            aside.check(event)
            self._witnesses = []
        self._witnesses.append(event)
        return list(self._witnesses)

    def _of_the_jump(self, event: Any) -> bool:
        assert self._jump is not None
        hole = self._jump[0]
        return hole.last < self._last_id(event) < hole.first and self._is_far(hole)

    def _is_far(self, hole: Hole) -> bool:
        """Whether it would take long until the ids get there; before that nothing more is lost than was told."""
        return hole.first - hole.last > _FAR

    def _hole(self, last: int, first: int) -> Hole:
        """The verdict of an event behind a hole; it counts already, and where it leads is ``_at``."""
        hole = Hole(last, first)
        self._forget_jump()
        self._jump = hole, self._at
        return hole

    def _forget_jump(self) -> None:
        self._jump = self._aside = None
        self._witnesses = []

    def _before_anew(self, at: int | None, first: int) -> int | None:
        """The last id before ids began anew, if that was a mistake: the event after the first new one is behind it."""
        left, self._left = self._left, None
        return left[0] if left is not None and left[1] == at and first > left[0] else None

    @property
    def _at(self) -> int | None:
        """Where the sequence stands; another value after every event that followed."""
        return self._last

    @property
    def _highest(self) -> int:
        """The newest id."""
        assert self._last is not None
        return self._last

    def _first_id(self, event: Any) -> int:
        raise NotImplementedError

    def _last_id(self, event: Any) -> int:
        raise NotImplementedError

    def _fresh(self) -> Tracker:
        """One of the same kind that has seen nothing."""
        raise NotImplementedError

    def _go_on(self, run: list[Any]) -> None:
        """Stand behind these, whatever came before."""
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
        if first <= expected:
            return "next"
        before = self._before_anew(expected, first)
        if before is not None and first <= before + 1:
            return "next"
        return self._hole(expected - 1 if before is None else before, first)

    @property
    def _at(self) -> int | None:
        return self.expected

    @property
    def _highest(self) -> int:
        assert self.expected is not None
        return self.expected - 1

    def _first_id(self, event: Any) -> int:
        return self._first_of(event)

    def _last_id(self, event: Any) -> int:
        return self._last_of(event)

    def _fresh(self) -> Tracker:
        return _Ids(self._first_of, self._last_of, single=False)

    def _go_on(self, run: list[Any]) -> None:
        self.expected = self._last_of(run[-1]) + 1


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
        if self._previous_of(event) <= before:
            return "next"
        anew = self._before_anew(before, self._first_of(event))
        if anew is not None and self._previous_of(event) <= anew:
            return "next"
        return self._hole(before if anew is None else anew, self._first_of(event))

    def _first_id(self, event: Any) -> int:
        return self._first_of(event)

    def _last_id(self, event: Any) -> int:
        return self._last_of(event)

    def _fresh(self) -> Tracker:
        return _Previous(self._first_of, self._last_of, self._previous_of)

    def _go_on(self, run: list[Any]) -> None:
        self._last = self._last_of(run[-1])


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
                # Another one says that this bar is there.
                self._forget_jump()
                return "next"
        was_closed = self._closed
        self._last, self._closed = start, closed
        if before is None:
            return "next"
        following = _next_bar(self._interval, before)
        if was_closed:
            return "next" if start == following else self._hole(before, start)
        # The end of the bar before was never told, so that bar is missing too.
        return self._hole(_bar_before(self._interval, before), start)

    def _first_id(self, event: Any) -> int:
        return self._start_of(event)

    def _last_id(self, event: Any) -> int:
        return self._start_of(event)

    def _is_far(self, hole: Hole) -> bool:
        return most_bars(self._interval, hole.last, hole.first) > _FAR_BARS

    def _fresh(self) -> Tracker:
        return _Bars(self._start_of, self._closed_of, self._interval)

    def _go_on(self, run: list[Any]) -> None:
        self._last, self._closed = self._start_of(run[-1]), self._closed_of(run[-1])


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
