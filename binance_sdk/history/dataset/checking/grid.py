"""The moments at which a series must have a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from binance_sdk._runtime.archive import ArchiveKind
from binance_sdk._runtime.candles import candle_end, candle_start
from binance_sdk.history.piece import Series

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class RawHole:
    """A hole before its reason is known.

    Attributes:
        start: First moment in it, in milliseconds.
        end: First moment after it, in milliseconds.
        missing: Rows that are missing; None where that cannot be told.
    """

    start: int
    end: int
    missing: int | None


@dataclass(frozen=True, slots=True)
class Grid:
    """Moments one step apart: those at which bars open, or at which something is measured.

    Attributes:
        interval: The step as the interval of a bar.
    """

    interval: str

    def first(self, at: int) -> int:
        """The first moment of the grid that is not before ``at``, in milliseconds."""
        start = candle_start(self.interval, at)
        return start if start == at else candle_end(self.interval, at)

    def count(self, start: int, end: int) -> int:
        """Moments of the grid from ``start``, which is one, to before ``end``."""
        if start >= end:
            return 0
        if not self._months:
            return -(-(end - start) // self._step)
        found = 0
        while start < end:
            start, found = candle_end(self.interval, start), found + 1
        return found

    def holes(self, expected: int, times: pl.Series) -> tuple[list[RawHole], int]:
        """Where rows are missing.

        Args:
            expected: The moment at which a row is due, in milliseconds.
            times: Times of the rows that follow, in milliseconds; at least one.

        Returns:
            The holes, and the moment at which the next row is due.
        """
        import polars as pl

        if self._months:
            following = pl.Series([candle_end(self.interval, time) for time in times], dtype=pl.Int64)
        else:
            following = times + self._step
        due = following.shift(1, fill_value=expected)
        late = (times > due).arg_true()
        found = zip(due.gather(late).to_list(), times.gather(late).to_list(), strict=True)
        return [RawHole(start, end, self.count(start, end)) for start, end in found], int(following[-1])

    def off(self, times: pl.Series) -> int:
        """How many of some times are no moments of the grid."""
        if self._months:
            return sum(candle_start(self.interval, time) != time for time in times)
        return int(((times - candle_start(self.interval, 0)) % self._step != 0).sum())

    @property
    def _months(self) -> bool:
        return self.interval.endswith("M")

    @property
    def _step(self) -> int:
        """Milliseconds from one moment to the next; months are not all of one length."""
        return candle_end(self.interval, 0) - candle_start(self.interval, 0)


def grid_of(kind: ArchiveKind, series: Series) -> Grid | None:
    """The moments at which a series must have a row; None where rows come when something happens."""
    if series.interval:
        return Grid(series.interval)
    return Grid(f"{kind.cadence // 1000}s") if kind.cadence else None
