"""How many rows a span of a series has: known where rows have a fixed distance, otherwise estimated."""

from __future__ import annotations

from binance_sdk._runtime.archive import ArchiveKind
from binance_sdk._runtime.candles import candle_end
from binance_sdk.history.piece import Series
from binance_sdk.history.planning.spans import DAY, DAY_UNIT, HOUR, HOUR_UNIT, MONTH_UNIT, Span

MOST_ROWS = 50_000
"""Rows of a piece that is fetched over REST: what is lost with a killed process, and what memory one takes."""

_DENSE_DAY = 1_500_000
"""Rows in a day of the busiest symbol, where each trade or each change of a price has one."""
_SPARSE_STEP = HOUR


def row_step(kind: ArchiveKind, series: Series) -> int | None:
    """Milliseconds from one row to the next, at least; None where that is not fixed."""
    return bar_step(series.interval) if series.interval else kind.cadence


def bar_step(interval: str) -> int:
    """Milliseconds from one bar to the next, at least."""
    # A month counts as the shortest one: that of February 1970.
    start = 31 * DAY if interval[-1] == "M" else candle_end(interval, 0)
    return candle_end(interval, start) - start


def is_dense(kind: ArchiveKind) -> bool:
    """Whether rows come as often as something happens: those have ids."""
    return kind.cadence is None and not any(kind.intervals.values()) and any(c.type == "id" for c in kind.kept)


def rows_in(kind: ArchiveKind, series: Series, span: Span) -> tuple[int, bool]:
    """Rows of a span, and whether that is the most there can be; otherwise it is that of a busy symbol."""
    length = span[1] - span[0]
    step = row_step(kind, series)
    if step is not None:
        return -(-length // step), True
    if is_dense(kind):
        return -(-length * _DENSE_DAY // DAY), False
    return -(-length // _SPARSE_STEP), True


def rest_unit(kind: ArchiveKind, series: Series) -> str:
    """The length of pieces over REST: a month, where that is not too many rows."""
    if row_step(kind, series) is None and is_dense(kind):
        return HOUR_UNIT
    return MONTH_UNIT if rows_in(kind, series, (0, 31 * DAY))[0] <= MOST_ROWS else DAY_UNIT
