"""Whether an event follows the one before it, by its ids. Pure: it reads no clock and no connection."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Literal, cast

from binance_sdk._runtime.candles import candle_end, candle_start
from binance_sdk._runtime.stream.operation import Sequence

_REMEMBERED_HOLES = 64
_WITNESSES = 8
"""So many events in a row, all far below the newest id, prove that the newest id was wrong."""
_FAR, _FAR_BARS = 1000, 10
"""Ids, or bars, that an event must skip to be suspected of having a wrong id."""
_Read = Callable[[Any], int]


@dataclass(frozen=True, slots=True)
class Hole:
    """Ids that were skipped: all between ``last`` and ``first``, both of which were seen."""

    last: int
    first: int


@dataclass(frozen=True, slots=True)
class Restart:
    """The ids go on from an earlier one: ``last`` was the newest so far, ``first`` is the first of ``events``."""

    last: int
    first: int
    events: list[Any]
    wrong: bool
    """The newest id was a mistake; False if the exchange began its ids anew."""


Verdict = Literal["next", "duplicate", "late"] | Hole


class Tracker:
    """Follows the ids of one stream; ``check`` takes events in the order they came.

    Attributes:
        number: Reads the id of an event, where ids rise by one; None elsewhere. The reader compares it with
            ``expected`` itself and adds one, without calling ``check``: that is how nearly every event passes.
        expected: The next id, once an event was seen.
        latest: The last event that was new; set by the reader.
        moment: Reads when an event came about; None where the stream does not say it.
    """

    number: _Read | None = None
    expected: int | None = None
    moment: _Read | None = None

    def __init__(self) -> None:
        self.latest: Any = None
        self._last: int | None = None
        self._reported: deque[Hole] = deque(maxlen=_REMEMBERED_HOLES)
        self._jump: tuple[Hole, int | None] | None = None
        """The last hole, and the position after the event behind it. While ``_position`` is the same, no event has
        followed that one."""
        self._witnesses: list[Any] = []
        """Events in a row whose ids lie in that hole."""
        self._witness_tracker: Tracker | None = None
        """Checks that they follow each other."""
        self._before_restart: tuple[int, int | None] | None = None
        """The last id before ids began anew, and the position after the first new one."""

    def check(self, event: Any) -> Verdict:
        raise NotImplementedError

    def note_reported(self, hole: Hole) -> None:
        """The consumer was told of this hole: an event out of it that comes now is late."""
        self._reported.append(hole)

    def restart(self, event: Any, *, late: bool) -> Restart | None:
        """For an event whose id is not above the newest: whether the ids go on from there. If so, they are followed.

        There are two such cases. The exchange has begun its ids anew: then the event came about later than the newest
        one, which neither a copy nor an event that was overtaken on the way does. Or the newest id was wrong, far
        ahead: then many events in a row have ids in the hole before it, while no event follows it.
        """
        younger = self.moment is not None and self.latest is not None and self.moment(event) > self.moment(self.latest)
        run = [event]
        if late and self._jump is not None and self._jump[1] == self._position and self._in_far_jump(event):
            run = self._add_witness(event)
            if not run or (len(run) < _WITNESSES and not younger):
                return None
        elif not younger:
            return None
        restart = Restart(self._highest, self._first_id(run[0]), run, wrong=not younger)
        self._reported.clear()
        self.latest = event
        self._forget_jump()
        self._move_behind(run)
        self._before_restart = None if restart.wrong else (restart.last, self._position)
        return restart

    def _add_witness(self, event: Any) -> list[Any]:
        """The events in a row of which this is the newest; an empty list if it repeats an earlier one."""
        tracker = self._witness_tracker
        verdict = None if tracker is None else tracker.check(event)
        if verdict == "duplicate" or verdict == "late":
            return []
        if tracker is None or verdict != "next":
            tracker = self._witness_tracker = self._new()
            tracker.check(event)
            self._witnesses = []
        self._witnesses.append(event)
        return list(self._witnesses)

    def _in_far_jump(self, event: Any) -> bool:
        assert self._jump is not None
        hole = self._jump[0]
        return hole.last < self._last_id(event) < hole.first and self._is_far(hole)

    def _is_far(self, hole: Hole) -> bool:
        """Whether the hole is so long that the id after it may be wrong. With a shorter hole the ids soon get there,
        and no more is lost than was reported."""
        return hole.first - hole.last > _FAR

    def _hole(self, last: int, first: int) -> Hole:
        """The verdict on an event behind a hole, after ``_position`` was set to the event."""
        hole = Hole(last, first)
        self._forget_jump()
        self._jump = hole, self._position
        return hole

    def _forget_jump(self) -> None:
        self._jump = self._witness_tracker = None
        self._witnesses = []

    def _undone_restart(self, position: int | None, first: int) -> int | None:
        """The last id before ids began anew, if they did not: the event after the first new one is above that id."""
        before, self._before_restart = self._before_restart, None
        return before[0] if before is not None and before[1] == position and first > before[0] else None

    @property
    def _position(self) -> int | None:
        """Where the sequence stands; it changes with every event that follows."""
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

    def _new(self) -> Tracker:
        """A tracker of the same kind that has seen nothing."""
        raise NotImplementedError

    def _move_behind(self, run: list[Any]) -> None:
        """Set the position behind these events."""
        raise NotImplementedError

    def _old(self, last: int) -> Verdict:
        return "late" if any(hole.last < last < hole.first for hole in self._reported) else "duplicate"


class _Ids(Tracker):
    """``each`` and ``range``: the next event begins with the id after the last one."""

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
        before = self._undone_restart(expected, first)
        if before is not None and first <= before + 1:
            return "next"
        return self._hole(expected - 1 if before is None else before, first)

    @property
    def _position(self) -> int | None:
        return self.expected

    @property
    def _highest(self) -> int:
        assert self.expected is not None
        return self.expected - 1

    def _first_id(self, event: Any) -> int:
        return self._first_of(event)

    def _last_id(self, event: Any) -> int:
        return self._last_of(event)

    def _new(self) -> Tracker:
        return _Ids(self._first_of, self._last_of, single=False)

    def _move_behind(self, run: list[Any]) -> None:
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
        # An event that overlaps the one before it leaves nothing out.
        if self._previous_of(event) <= before:
            return "next"
        undone = self._undone_restart(before, self._first_of(event))
        if undone is not None and self._previous_of(event) <= undone:
            return "next"
        return self._hole(before if undone is None else undone, self._first_of(event))

    def _first_id(self, event: Any) -> int:
        return self._first_of(event)

    def _last_id(self, event: Any) -> int:
        return self._last_of(event)

    def _new(self) -> Tracker:
        return _Previous(self._first_of, self._last_of, self._previous_of)

    def _move_behind(self, run: list[Any]) -> None:
        self._last = self._last_of(run[-1])


class _Bars(Tracker):
    """``time``: several events tell of one bar, and the last of them says that it is closed."""

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
                # A second event about this bar, so its time is not a mistake.
                self._forget_jump()
                return "next"
        was_closed = self._closed
        self._last, self._closed = start, closed
        if before is None:
            return "next"
        following = _next_bar(self._interval, before)
        if was_closed:
            return "next" if start == following else self._hole(before, start)
        # The end of the bar before never came, so that bar is incomplete and missing too.
        return self._hole(_bar_before(self._interval, before), start)

    def _first_id(self, event: Any) -> int:
        return self._start_of(event)

    def _last_id(self, event: Any) -> int:
        return self._start_of(event)

    def _is_far(self, hole: Hole) -> bool:
        return most_bars(self._interval, hole.last, hole.first) > _FAR_BARS

    def _new(self) -> Tracker:
        return _Bars(self._start_of, self._closed_of, self._interval)

    def _move_behind(self, run: list[Any]) -> None:
        self._last, self._closed = self._start_of(run[-1]), self._closed_of(run[-1])


_HALF_DAY = 43_200_000
_SHORTEST_MONTH = 28 * 2 * _HALF_DAY


def _next_bar(interval: str, start: int) -> int:
    # Bars of another time zone begin up to half a day earlier or later; half a day into a bar, the month is the same
    # in both.
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
    """The most bars that can open after ``last``, the one that opens at ``first`` included."""
    return (first - last - 1) // _shortest(interval, last) + 1


def bars_until(interval: str, last: int, count: int) -> int:
    """A time up to which no more than ``count`` bars can open after ``last``."""
    return last + _shortest(interval, last) * count


def _shortest(interval: str, at: int) -> int:
    """Milliseconds that a bar lasts at least."""
    if interval.endswith("M"):
        return int(interval[:-1]) * _SHORTEST_MONTH
    return candle_end(interval, at) - candle_start(interval, at)


def make_tracker(sequence: Sequence, interval: str = "") -> Tracker:
    """A tracker by the rule of a stream; ``interval`` is the length of its bars, for ``time``."""
    tracker = _make_tracker(sequence, interval)
    if sequence.moment:
        tracker.moment = cast(_Read, attrgetter(sequence.moment))
    return tracker


def _make_tracker(sequence: Sequence, interval: str) -> Tracker:
    first, last = cast(_Read, attrgetter(sequence.first)), cast(_Read, attrgetter(sequence.last))
    if sequence.kind == "time":
        closed = cast("Callable[[Any], bool]", attrgetter(sequence.closed))
        return _Bars(first, closed, interval)
    if sequence.kind == "previous":
        return _Previous(first, last, cast(_Read, attrgetter(sequence.previous)))
    return _Ids(first, last, single=sequence.kind == "each")
