"""Which pieces a series is fetched in: decided purely, from what the archive has, what REST reaches and what is kept.

Whole past months come as monthly files, days that are in no month yet as daily files, and the rest over REST where REST
reaches: the running day, what lies before the archive begins, files that it lacks. Pieces are whole days, so that the
same are planned whatever moments are asked for; the running day ends with what is closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Literal, TypeAlias

from binance_sdk._runtime.archive import ArchiveKind, Period
from binance_sdk._runtime.candles import candle_end, candle_start
from binance_sdk.history.piece import Piece, Series, Source
from binance_sdk.history.planning.arguments import SourceChoice
from binance_sdk.history.planning.density import is_dense, rest_unit, row_step
from binance_sdk.history.planning.spans import DAY, DAY_UNIT, HOUR, MONTH_UNIT, Span, cut, joined, whole, without

DUE: Mapping[Period, int] = {"daily": 12 * HOUR, "monthly": 8 * DAY}
"""How long after its end a file is there, as a rule: days the next morning, months by the second week of the next."""

LARGEST_MONTH = 64 * 2**20
"""Bytes of a monthly file that is still taken whole: zips grow more than tenfold in memory."""

_REACH_MARGIN = 600_000
"""Milliseconds that a plan stays away from what REST is about to forget, as its first request takes time."""
_MINUTE = 60_000

_SOURCES: Mapping[Period, Source] = {"daily": "archive_daily", "monthly": "archive_monthly"}

Reason: TypeAlias = Literal["before_archive", "ended", "no_file", "not_published", "source"]
"""Why the archive does not give a span: its files begin later, are no longer made, this one is absent or not made yet,
or ``source="rest"`` leaves them out."""

OverRest: TypeAlias = Literal["not_served", "left_out", "out_of_reach", "not_traded"]
"""Why REST does not give a span: no endpoint has such data, ``source="archive"`` leaves REST out, the endpoint reaches
back only so far, or the symbol was not there yet or is not any more."""

_REASONS: Mapping[Reason, str] = {
    "before_archive": "the archive's files begin later",
    "ended": "the archive has no more files of it",
    "no_file": "the archive lacks the file",
    "not_published": "the archive's file is not published yet",
    "source": "source='rest' leaves the archive out",
}


@dataclass(frozen=True, slots=True)
class Unreachable:
    """A span that no source has, and why.

    Attributes:
        series: What it is a part of.
        start: First moment in it, in milliseconds.
        end: First moment after it, in milliseconds.
        reason: Why the archive does not have it.
        over_rest: Why REST does not, either.
        text: Both in words.
    """

    series: Series
    start: int
    end: int
    reason: Reason
    over_rest: OverRest
    text: str


@dataclass(frozen=True)
class Files:
    """What the listing shows of one series.

    Attributes:
        sizes: Bytes of each file, by period and by the first moment it covers.
        ended: First moment after the last file, where it is known that none has come since: the symbol is not traded
            any more, or the archive has left it out.
    """

    sizes: Mapping[Period, Mapping[int, int]]
    ended: int | None = None

    @property
    def first(self) -> int | None:
        """First moment that the files cover; None where there are none."""
        starts = sorted(min(files) for files in self.sizes.values() if files)
        if not starts:
            return None
        # The first month tells less than the first day, where that lies in it.
        return max(start for start in starts if start < candle_end(MONTH_UNIT, starts[0]))

    def size_of(self, piece: Piece) -> int | None:
        """Bytes of the file of a piece; None where it is not listed."""
        period: Period = "monthly" if piece.source == "archive_monthly" else "daily"
        files = self.sizes.get(period)
        return None if files is None else files.get(piece.start)


@dataclass(frozen=True)
class Scene:
    """What a choice of pieces depends on.

    Attributes:
        kind: The kind of data.
        now: The present, in milliseconds.
        source: Where data may come from.
        files: What the listing shows; None where it was not asked.
        kept: Pieces that are in the dataset.
        renew: Whether what came over REST gives way to files of the archive that are there by now.
    """

    kind: ArchiveKind
    now: int
    source: SourceChoice = "auto"
    files: Files | None = None
    kept: Sequence[Piece] = ()
    renew: bool = False


@dataclass
class Choice:
    """What was chosen for one series."""

    pieces: list[Piece] = field(default_factory=list[Piece])
    unreachable: list[Unreachable] = field(default_factory=list[Unreachable])


def choose_pieces(scene: Scene, series: Series, span: Span) -> Choice:
    """The pieces of a series in a span that are not kept yet, and what no source has."""
    return _Chooser(scene, series).of(span)


def alternatives(scene: Scene, piece: Piece) -> Choice:
    """What takes the place of a piece whose file the archive turned out not to have."""
    period: Period = "monthly" if piece.source == "archive_monthly" else "daily"
    chooser = _Chooser(scene, piece.series, frozenset({(period, piece.start)}))
    return chooser.of((piece.start, piece.end))


def rest_earliest(kind: ArchiveKind, now: int) -> int | None:
    """The earliest moment that all endpoints of a kind reach; None for all of the past."""
    reaches = [twin.reach for twin in kind.rest if twin.reach is not None]
    return now - min(reaches) * 1000 + _REACH_MARGIN if reaches else None


class _Chooser:
    def __init__(self, scene: Scene, series: Series, absent: frozenset[tuple[Period, int]] = frozenset()) -> None:
        self._scene = scene
        self._kind = scene.kind
        self._series = series
        self._absent = absent
        kept = [piece for piece in scene.kept if piece.series == series]
        self._over_rest = [piece for piece in kept if piece.source == "rest"]
        self._from_archive = [piece for piece in kept if piece.source != "rest"]
        counted = self._from_archive if scene.renew else kept
        self._counted = joined((piece.start, piece.end) for piece in counted)
        self._choice = Choice()
        self._left: list[tuple[Span, Reason]] = []

    def of(self, span: Span) -> Choice:
        start, end = whole(span, DAY_UNIT)
        end = min(end, self._scene.now)
        if not self._offers("daily") and self._offers("monthly") and self._scene.source == "archive":
            # There is no smaller file to take instead.
            start = candle_start(MONTH_UNIT, start)
        for month in cut((start, end), MONTH_UNIT):
            self._month(month)
        for left, reason in _merged(self._left):
            self._rest(left, reason)
        pieces = self._choice.pieces
        if rest_earliest(self._kind, self._scene.now) is None:
            pieces.sort(key=lambda piece: piece.start)
        else:
            # What REST is about to forget comes first.
            pieces.sort(key=lambda piece: (piece.source != "rest", piece.start))
        return self._choice

    # ------------------------------------------------------------------------------- the archive

    def _month(self, month: Span) -> None:
        if not without(month, self._counted):
            return
        full = whole(month, MONTH_UNIT)
        daily = self._offers("daily")
        reason = self._reason("monthly", full)
        # Where there are no days, the file of a whole month is what comes nearest.
        fits = month == full or (not daily and self._scene.source == "archive")
        begun = without(full, self._counted) != [full]
        if fits and reason is None and not begun and not self._too_large(full):
            self._add("archive_monthly", full)
        elif daily:
            for day in cut(month, DAY_UNIT):
                self._day(day)
        else:
            self._left.append((month, reason or "no_file"))

    def _day(self, day: Span) -> None:
        if not without(day, self._counted):
            return
        full = whole(day, DAY_UNIT)
        reason = self._reason("daily", full)
        if reason is None and day != full:
            # There is a file of a day that is not over by this clock, so the clock is behind.
            reason = "not_published"
        if reason is None:
            self._add("archive_daily", full)
        else:
            self._left.append((day, reason))

    def _add(self, source: Source, span: Span) -> None:
        self._choice.pieces.append(Piece(self._series, *span, source))

    def _offers(self, period: Period) -> bool:
        """Whether there are files of that length at all."""
        if self._scene.source == "rest" or period not in self._kind.periods:
            return False
        return not self._series.interval or self._series.interval in self._kind.intervals.get(period, ())

    def _too_large(self, month: Span) -> bool:
        if not self._offers("daily"):
            return False
        files = self._scene.files
        if files is None:
            return is_dense(self._kind)
        size = files.sizes.get("monthly", {}).get(month[0])
        return is_dense(self._kind) if size is None else size > LARGEST_MONTH

    def _reason(self, period: Period, span: Span) -> Reason | None:
        """Why there is no file of this span; None where there is one, as far as can be known."""
        start, end = span
        if self._scene.source == "rest":
            return "source"
        if (period, start) in self._absent or not self._offers(period):
            return "no_file"
        listed = self._listed(period)
        if start in listed:
            return None
        first, ended = _moment(self._kind.first), _moment(self._kind.ended)
        # The month in which files begin is taken by days, where there are days.
        if first is not None and (start < first if self._offers("daily") else end <= first):
            return "before_archive"
        if ended is not None and start > ended:
            return "ended"
        if self._scene.files is not None and self._scene.files.ended is not None and start >= self._scene.files.ended:
            return "ended"
        if listed and start < max(listed):
            return "before_archive" if start < min(listed) else "no_file"
        return None if self._scene.now >= end + DUE[period] else "not_published"

    def _listed(self, period: Period) -> Mapping[int, int]:
        files = self._scene.files
        return {} if files is None else files.sizes.get(period, {})

    # -------------------------------------------------------------------------------------- REST

    def _rest(self, span: Span, reason: Reason) -> None:
        """What the archive does not give, over REST as far as that reaches."""
        kind, scene = self._kind, self._scene
        if not kind.rest:
            self._unreachable(span, reason, "not_served", f"REST does not serve {kind.name}")
            return
        if scene.source == "archive":
            self._unreachable(span, reason, "left_out", "source='archive' leaves REST out")
            return
        start, end = span[0], min(span[1], self._closed())
        listed_since = self._listed_since()
        if start < listed_since:
            lost = start, min(listed_since, span[1])
            text = "its first file comes long after those of other symbols"
            self._unreachable(lost, reason, "not_traded", text)
            start = lost[1]
        earliest = rest_earliest(kind, scene.now)
        if earliest is not None and start < earliest:
            reached = min(end, -(-earliest // _MINUTE) * _MINUTE)
            back = f"{min(twin.reach for twin in kind.rest if twin.reach is not None) // 3600} hours"
            for lost in without((start, reached), ((piece.start, piece.end) for piece in self._over_rest)):
                self._unreachable(lost, reason, "out_of_reach", f"REST reaches back {back} only")
            start = reached
        unit = rest_unit(kind, self._series)
        running = candle_start(unit if unit != MONTH_UNIT else DAY_UNIT, scene.now)
        taken = [(piece.start, piece.end) for piece in self._from_archive]
        taken += [(piece.start, piece.end) for piece in self._over_rest if piece.end <= running or piece.end >= end]
        for left in without((start, end), taken):
            for past in cut((left[0], min(left[1], running)), unit):
                self._add("rest", past)
            if left[1] > max(left[0], running):
                self._add("rest", (max(left[0], running), left[1]))

    def _closed(self) -> int:
        """The moment up to which rows are final."""
        now = self._scene.now - max((twin.shift for twin in self._kind.rest), default=0)
        if self._series.interval:
            return candle_start(self._series.interval, now)
        step = row_step(self._kind, self._series) or _MINUTE
        return now // step * step

    def _listed_since(self) -> int:
        """When the symbol was there first, by its files; 0 where they do not tell."""
        files, began = self._scene.files, _moment(self._kind.first)
        if files is None or files.first is None or began is None or files.first <= began + 45 * DAY:
            return 0
        return files.first

    def _unreachable(self, span: Span, reason: Reason, over_rest: OverRest, text: str) -> None:
        both = f"{_REASONS[reason]}, and {text}"
        self._choice.unreachable.append(Unreachable(self._series, *span, reason, over_rest, both))


def _merged(left: Iterable[tuple[Span, Reason]]) -> list[tuple[Span, Reason]]:
    """Spans that follow each other for the same reason as one."""
    found: list[tuple[Span, Reason]] = []
    for span, reason in left:
        if found and found[-1][1] == reason and found[-1][0][1] == span[0]:
            found[-1] = (found[-1][0][0], span[1]), reason
        else:
            found.append((span, reason))
    return found


def _moment(day: date | None) -> int | None:
    return None if day is None else round(datetime.combine(day, time(), UTC).timestamp() * 1000)
