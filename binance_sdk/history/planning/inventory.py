"""What there is before anything is planned: files in the archive, by its listing, and pieces in a dataset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING

from binance_sdk._runtime.archive import ArchiveKind, Period
from binance_sdk._runtime.candles import candle_end, candle_start
from binance_sdk._runtime.ending import all_of
from binance_sdk.errors import ArchiveError
from binance_sdk.history.dataset.dataset import Dataset
from binance_sdk.history.dataset.layout import FACTS
from binance_sdk.history.dataset.storage import storage_at
from binance_sdk.history.piece import Piece, Series
from binance_sdk.history.planning.pieces import DUE, Files
from binance_sdk.history.planning.spans import DAY, DAY_UNIT, MONTH_UNIT

if TYPE_CHECKING:
    from binance_sdk.history.archive.session import ArchiveSession

UNITS: Mapping[Period, str] = {"daily": DAY_UNIT, "monthly": MONTH_UNIT}
"""What a file covers, written as candles are."""

_EARLY = 45 * DAY
"""A listing whose last file is older than this ends early: a month later there should be another."""


def has_dataset(out: str | PathLike[str]) -> bool:
    """Whether there is a dataset.

    Raises:
        DatasetError: it cannot be told.
    """
    return storage_at(out).read(FACTS) is not None


def pieces_kept(out: str | PathLike[str], series: Iterable[Series]) -> list[Piece]:
    """The pieces of these series that a dataset has; none where there is no dataset yet.

    Raises:
        DatasetError: the dataset cannot be read.
    """
    if not has_dataset(out):
        return []
    dataset = Dataset.open(out)
    return [record.piece for one in series for record in dataset.records(one)]


async def list_series(
    session: ArchiveSession, kind: ArchiveKind, series: Sequence[Series], now: int
) -> Mapping[str, Files]:
    """What the listing shows of each series, by symbol.

    Args:
        session: What the archive is asked through.
        kind: The kind of data.
        series: Series of that kind.
        now: The present, in milliseconds.

    Raises:
        ArchiveError: the listing could not be read.
    """
    from binance_sdk.history.archive.listing import list_files

    asked: list[tuple[Series, Period]] = [
        (one, period)
        for one in series
        for period in kind.periods
        if not one.interval or one.interval in kind.intervals[period]
    ]
    found = await all_of(list_files(session, kind, one, period) for one, period in asked)
    sizes: dict[str, dict[Period, Mapping[int, int]]] = {one.symbol: {} for one in series}
    for (one, period), files in zip(asked, found, strict=True):
        sizes[one.symbol][period] = files
    ends = await all_of(_ended(session, one, sizes[one.symbol], now) for one in series)
    return {one.symbol: Files(sizes[one.symbol], end) for one, end in zip(series, ends, strict=True)}


async def _ended(
    session: ArchiveSession, series: Series, sizes: Mapping[Period, Mapping[int, int]], now: int
) -> int | None:
    """The end of the last listed file, if there is no later one.

    A listing that ended years before files that were there has been seen, so where it ends early the checksum of the
    latest file that is due is asked for.
    """
    from binance_sdk.history.archive.fetch import checksum_of

    ends: dict[Period, int] = {}
    for period, files in sizes.items():
        if files:
            ends[period] = candle_end(UNITS[period], max(files))
    if not ends or max(ends.values()) > now - _EARLY:
        return None
    for period in ends:
        start = candle_start(UNITS[period], now - DUE[period])
        latest = candle_start(UNITS[period], start - 1)
        piece = Piece(series, latest, start, "archive_monthly" if period == "monthly" else "archive_daily")
        try:
            await checksum_of(piece, session)
        except ArchiveError as error:
            if not error.missing:
                raise
        else:
            return None
    return max(ends.values())
