"""A monthly file that lacks rows is mended by the files of those days, which are the better witness of the two."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import polars as pl

from binance_sdk._runtime.archive import ArchiveKind
from binance_sdk._runtime.candles import candle_end
from binance_sdk.errors import ArchiveError
from binance_sdk.history.archive.rows import MISSING_IDS, missing_ids
from binance_sdk.history.piece import Piece, Remark

_DAY = 86_400_000
_UNMENDED = "unmended_day"


class File(Protocol):
    """The rows of one file, and where they are from."""

    @property
    def frame(self) -> pl.DataFrame: ...
    @property
    def remarks(self) -> tuple[Remark, ...]: ...
    @property
    def url(self) -> str: ...
    @property
    def sha256(self) -> str: ...

    @property
    def size(self) -> int: ...


@dataclass
class Mended:
    """The rows of a month with those of its days in their place."""

    frame: pl.DataFrame
    remarks: list[Remark] = field(default_factory=list[Remark])
    urls: list[str] = field(default_factory=list[str])
    size: int = 0
    days: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    """Those that came, could they be used or not: first moment of each in milliseconds, and SHA-256 of its zip."""
    added: dict[str, int] = field(default_factory=dict[str, int])
    """Rows that were missing, by day."""
    differing: dict[str, int] = field(default_factory=dict[str, int])
    """Rows that were another in the monthly file, by day."""

    def tell(self) -> None:
        """Say what was mended."""
        rows, days = sum(self.added.values()), ", ".join(self.added)
        if rows:
            text = f"{rows} rows were missing in the monthly file and came from the files of their days: {days}"
            self.remarks.append(Remark("mended_rows", rows, text))
        rows, days = sum(self.differing.values()), ", ".join(self.differing)
        if rows:
            text = f"{rows} rows were another in the monthly file; those of their days were taken: {days}"
            self.remarks.append(Remark("monthly_differs", rows, text))


async def mend(
    piece: Piece,
    kind: ArchiveKind,
    frame: pl.DataFrame,
    remarks: Sequence[Remark],
    read: Callable[[Piece], Awaitable[File]],
) -> Mended:
    """The rows of a month, with those of the files of the days on which some are missing.

    Before the first row and after the last one nothing may be missing: a symbol was listed late, or no longer traded.
    There the nearest day is asked for, and the one next to it only where that has a file.

    Args:
        piece: The month.
        kind: What is in it.
        frame: The rows of its file.
        remarks: What was said of that.
        read: Reads the file of a day; what it raises, but for an ``ArchiveError``, ends all.
    """
    mended = Mended(frame, list(remarks))
    if "daily" not in kind.periods or (piece.series.interval and piece.series.interval not in kind.intervals["daily"]):
        return mended
    found = _days_with_holes(piece, kind, frame)
    for days, onwards in found:
        for day in days:
            start = day * _DAY
            there = await _ask(mended, kind, Piece(piece.series, start, start + _DAY, "archive_daily"), read)
            if onwards and not there:
                break
    mended.tell()
    if mended.urls and kind.sequence is not None:
        # What the month lacked by itself is no longer true.
        mended.remarks = [remark for remark in mended.remarks if remark.kind != MISSING_IDS]
        mended.remarks += missing_ids(mended.frame, kind.sequence)
    return mended


async def begin(
    piece: Piece,
    kind: ArchiveKind,
    frame: pl.DataFrame,
    remarks: Sequence[Remark],
    read: Callable[[Piece], Awaitable[File]],
) -> Mended:
    """The rows of a day, whose first one may stand at the end of the file of the day before.

    Takes what ``mend`` takes.
    """
    mended = Mended(frame, list(remarks))
    start = piece.start * 1000
    if kind.cadence is None or (frame.height and frame[kind.time].cast(pl.Int64).min() == start):
        return mended
    await _ask(mended, kind, Piece(piece.series, piece.start - _DAY, piece.start, piece.source), read)
    # What is to be said of that file is said with its own day.
    mended.remarks = [*remarks, *(remark for remark in mended.remarks[len(remarks) :] if remark.kind == _UNMENDED)]
    return mended


async def _ask(mended: Mended, kind: ArchiveKind, day: Piece, read: Callable[[Piece], Awaitable[File]]) -> bool:
    """Take the rows of a day in; whether there is a file of it."""
    try:
        file = await read(day)
    except ArchiveError as error:
        if not error.missing:
            mended.remarks.append(Remark(_UNMENDED, 0, f"the file of {day.name} cannot be used: {error}"))
        if error.sha256:
            # When another one is there, the piece is worth another look.
            mended.days.append((day.start, error.sha256))
        return not error.missing
    mended.urls.append(file.url)
    mended.size += file.size
    mended.days.append((day.start, file.sha256))
    mended.remarks += [Remark(remark.kind, remark.rows, f"{day.name}: {remark.text}") for remark in file.remarks]
    key, kept = list(kind.key), [column.name for column in kind.kept]
    values = [name for name in kept if name not in key]
    both = mended.frame.join(file.frame, on=key, how="inner", suffix=" of the day")
    differ = 0
    if values:
        other = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name} of the day")) for name in values)
        differ = both.filter(other).height
    more = file.frame.height - both.height
    date = day.name.removesuffix(".daily")
    if more:
        mended.added[date] = more
    if differ:
        mended.differing[date] = differ
    if more or differ:
        rest = mended.frame.join(file.frame, on=key, how="anti")
        mended.frame = pl.concat([rest, file.frame]).select(kept).sort(key)
    return True


def _days_with_holes(piece: Piece, kind: ArchiveKind, frame: pl.DataFrame) -> list[tuple[list[int], bool]]:
    """Days since 1970 to ask for in their order, and whether to go on only as long as there are files."""
    first, last = piece.start // _DAY, piece.end // _DAY - 1
    if not frame.height:
        return [(list(range(first, last + 1)), False)]
    rows = _rows_by_day(kind, frame, first, last)
    begins, ends = min(rows), max(rows)
    whole = _DAY // (candle_end(piece.series.interval, 0)) if piece.series.interval else 1
    holes = {day for day in range(begins, ends + 1) if rows.get(day, 0) < whole}
    if kind.sequence is not None:
        steps = frame.select(
            (pl.col(kind.time).cast(pl.Int64) // (_DAY * 1000)).alias("to"),
            (pl.col(kind.time).cast(pl.Int64) // (_DAY * 1000)).shift(1).alias("from"),
            (pl.col(kind.sequence).diff() > 1).alias("gap"),
        ).filter("gap")
        for to, start in steps.select("to", "from").unique().iter_rows():
            holes |= set(range(min(start, to), max(start, to) + 1))
    return [
        (list(range(begins - 1, first - 1, -1)), True),
        (sorted(holes), False),
        (list(range(ends + 1, last + 1)), True),
    ]


def _rows_by_day(kind: ArchiveKind, frame: pl.DataFrame, first: int, last: int) -> dict[int, int]:
    """How many rows there are of each day since 1970 that has some."""
    if kind.key[0] != kind.time:
        counts = frame.group_by((pl.col(kind.time).cast(pl.Int64) // (_DAY * 1000)).alias("day")).len()
        return dict(counts.iter_rows())
    # Sorted by time: where the days begin tells it without a look at the rows between.
    days = range(first, last + 1)
    midnights = pl.Series([day * _DAY * 1000 for day in (*days, last + 1)], dtype=pl.Int64)
    begins = frame[kind.time].to_physical().search_sorted(midnights).to_list()
    return {day: after - before for day, before, after in zip(days, begins, begins[1:], strict=False) if after > before}
