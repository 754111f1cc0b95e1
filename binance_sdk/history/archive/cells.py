"""The rows of a CSV as a frame of numbers: quickly where all is in order, and cell by cell where something is not.

Decimals are read by polars as integers of 128 bits, without a float in between, and rounded where they have more digits
than their column: what could be rounded goes the careful way.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from binance_sdk.history.archive.layout import Layout
from binance_sdk.history.archive.odd_cells import read_carefully
from binance_sdk.history.piece import Prices, Remark

if TYPE_CHECKING:
    from binance_sdk._runtime.archive import ArchiveColumn

_TEXT_TIME = "%Y-%m-%d %H:%M:%S"
_LONE_QUOTES = (b',"', b'\n"')
"""Ends of a file whose last cell is a single quotation mark: polars panics over it, and writes that to stderr."""


def cells(
    data: bytes, layout: Layout, prices: Prices, symbol: str, url: str, line: int
) -> tuple[pl.DataFrame, int, list[Remark]]:
    """The rows of a part of a file, in its order, how many lines it has, and what is to be said of it.

    Moments are still the whole numbers that the file has.

    Args:
        data: Whole lines without a header.
        layout: Its columns.
        prices: What becomes of decimals.
        symbol: What a column of symbols has to say.
        url: Where it came from, for errors.
        line: The number of the first line in the file.

    Raises:
        ArchiveError: A row has another number of cells, or a cell that is needed cannot be read.
    """
    lines = data.count(b"\n") + (not data.endswith(b"\n"))
    quick = _quick(data, lines, layout, prices, symbol)
    if quick is not None:
        return quick, lines, []
    frame, remarks = read_carefully(data, layout, prices, symbol, url, line)
    return frame, lines, remarks


def wanted_type(column: ArchiveColumn, prices: Prices) -> pl.DataType:
    """As what the cells of a column are read."""
    if column.type == "decimal":
        return pl.Float64() if prices == "float" else pl.Decimal(38, column.scale)
    if column.type == "bool":
        return pl.Boolean()
    return pl.Int64() if column.type in ("time", "int", "id") else pl.String()


def _quick(data: bytes, lines: int, layout: Layout, prices: Prices, symbol: str) -> pl.DataFrame | None:
    """None where anything is not as it should be."""
    if prices == "decimal" and _may_round(data, lines, layout):
        return None
    if data[-2:] in _LONE_QUOTES:
        return None
    schema = {column.wire: wanted_type(column, prices) for column in layout.columns}
    try:
        frame = pl.read_csv(data, has_header=False, schema=schema, raise_if_empty=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    # A missing cell is null too, and a line in quotes would be a row less.
    if frame.height != lines or any(frame.null_count().row(0)):
        return None
    checks = [pl.col(column.wire) == symbol for column in layout.columns if column.type == "symbol"]
    if prices == "float":
        checks += [pl.col(column.wire).is_finite() for column in layout.columns if column.type == "decimal"]
    if checks and not all(frame.select(check.all() for check in checks).row(0)):
        return None
    texts = [column.wire for column in layout.columns if column.type == "text_time"]
    if texts:
        frame = frame.with_columns(_moments(pl.col(name)) for name in texts)
        if any(frame.select(texts).null_count().row(0)):
            return None
    return frame.select(pl.col(column.wire).alias(column.name) for column in layout.columns if _kept(column))


def _kept(column: ArchiveColumn) -> bool:
    return column.type not in (None, "symbol")


def _moments(text: pl.Expr) -> pl.Expr:
    """Microseconds since 1970."""
    return text.str.to_datetime(_TEXT_TIME, strict=False, time_unit="us").cast(pl.Int64)


def _may_round(data: bytes, lines: int, layout: Layout) -> bool:
    """Whether a number has more digits than the least exact column, or is written with an exponent."""
    scales = [column.scale for column in layout.columns if column.type == "decimal"]
    if not scales:
        return False
    if re.search(rb"\.[0-9]{%d}" % (min(scales) + 1), data):
        return True
    if any(column.type in ("string", "symbol") for column in layout.columns):
        return bool(re.search(rb"[0-9.][eE][-+]?[0-9]", data))
    # Every true and every false has one e; there is no other in numbers without exponent.
    flags = sum(column.type == "bool" for column in layout.columns)
    letters = data.count(b"e") + data.count(b"E")
    return letters != flags * lines
