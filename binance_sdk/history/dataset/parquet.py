"""Rows to the bytes of a Parquet file and back; the bytes depend on the rows alone."""

from __future__ import annotations

from functools import reduce
from io import BytesIO
from typing import TYPE_CHECKING

from binance_sdk._runtime.archive import ArchiveKind
from binance_sdk.errors import DatasetError
from binance_sdk.history.columns import polars_schema
from binance_sdk.history.piece import Piece, Prices

if TYPE_CHECKING:
    import polars as pl

ROW_GROUP = 1 << 17
"""Rows that are read as one: a part of a large file is read without the rest, and a small file is one."""


def to_parquet(frame: pl.DataFrame) -> bytes:
    """Rows as a file. Every option that has a say in the bytes is named, and the frame is laid out as one."""
    buffer = BytesIO()
    frame.rechunk().write_parquet(
        buffer,
        compression="zstd",
        compression_level=3,
        statistics=True,
        row_group_size=ROW_GROUP,
        data_page_size=1 << 20,
    )
    return buffer.getvalue()


def from_parquet(data: bytes) -> pl.DataFrame:
    """The rows of a file."""
    import polars as pl

    return pl.read_parquet(BytesIO(data), hive_partitioning=False)


def bounds_of(times: pl.Series) -> tuple[int, int] | None:
    """The earliest and the latest of some times, in milliseconds; None of no times."""
    microseconds = times.dt.timestamp("us")
    first, last = microseconds.min(), microseconds.max()
    return (first // 1000, last // 1000) if isinstance(first, int) and isinstance(last, int) else None


def key_of(kind: ArchiveKind) -> list[str]:
    """The columns that no two rows of a kind have alike; all where nothing less tells them apart."""
    return list(kind.key) or [column.name for column in kind.kept]


def require_rows_of(piece: Piece, frame: pl.DataFrame, kind: ArchiveKind, prices: Prices) -> None:
    """Refuse rows that are not what a piece of this kind holds.

    Raises:
        DatasetError: Columns, blank cells, order, doubles or times are wrong.
    """
    import polars as pl

    expected = polars_schema(kind, prices)
    if frame.schema != expected:
        wrong = [
            f"{name} is {frame.schema.get(name, 'absent')}, not {expected.get(name, 'wanted')}"
            for name in dict.fromkeys((*expected, *frame.schema))
            if frame.schema.get(name) != expected.get(name)
        ]
        raise _unfit(piece, f"columns: {'; '.join(wrong) or 'their order is another one'}")
    if frame.is_empty():
        return
    first, last = bounds_of(frame[kind.time]) or (piece.start, piece.start)
    if first < piece.start or last >= piece.end:
        when = pl.col(kind.time).dt.timestamp("us")
        outside = frame.filter((when < piece.start * 1000) | (when >= piece.end * 1000))
        raise _unfit(piece, f"{outside.height} rows are of another time, e.g. {outside[kind.time][0]}")
    for column in kind.kept:
        if not column.nullable and (blank := frame[column.name].null_count()):
            raise _unfit(piece, f"{blank} cells of {column.name} are blank")
    unordered = out_of_order(frame, key_of(kind))
    if not unordered.is_empty():
        example = unordered.select(key_of(kind)).row(0, named=True)
        raise _unfit(
            piece, f"{unordered.height} rows do not come after the row before them by their key, e.g. {example}"
        )


def out_of_order(frame: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """The rows that do not come after the one before them by their key. Nothing comes before a value."""
    if len(key) == 1:
        # Nearly always so: one look at one column.
        values = frame[key[0]]
        if (values.slice(1) > values.head(-1)).all(ignore_nulls=False):
            return frame.clear()
    return frame.filter(~_grows(key))


def _grows(key: list[str]) -> pl.Expr:
    """Whether each row comes after the one before it; the first one does."""
    import polars as pl

    def after(column: str) -> tuple[pl.Expr, pl.Expr]:
        now, before = pl.col(column), pl.col(column).shift(1)
        later = (now > before).fill_null(now.is_not_null() & before.is_null())
        return later, now.eq_missing(before)

    later, _ = after(key[-1])
    later = reduce(lambda rest, column: after(column)[0] | (after(column)[1] & rest), reversed(key[:-1]), later)
    return later | (pl.int_range(pl.len()) == 0)


def _unfit(piece: Piece, what: str) -> DatasetError:
    series = piece.series
    name = " ".join(part for part in (series.market, series.kind, series.symbol, series.interval, piece.name) if part)
    return DatasetError(f"{name}: what was fetched does not fit: {what}")
