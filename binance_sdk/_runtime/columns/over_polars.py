"""Columns as a DataFrame of polars."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from binance_sdk._runtime.columns.options import MOST_DIGITS
from binance_sdk._runtime.columns.table import Table


def frame(table: Table) -> pl.DataFrame:
    """A DataFrame with the columns.

    Raises:
        DecodeError: a value has more digits than a decimal may have, or than was asked for.
    """
    exact = _decimals(table) if table.exact else {}
    return pl.DataFrame([exact[at] if at in exact else _column(table, at) for at in range(len(table.columns))])


def _column(table: Table, at: int) -> pl.Series:
    column, cells = table.columns[at], table.cells[at]
    if column.is_time:
        table.check_unit(at)
        milliseconds = pl.Series(column.name, cells, pl.Int64).cast(pl.Datetime("ms", "UTC"))
        return milliseconds.cast(pl.Datetime(table.options.time_unit, "UTC"))
    if column.is_decimal:
        quick = floats_of_texts(column.name, cells) if table.texts else None
        return pl.Series(column.name, table.floats(at), pl.Float64) if quick is None else quick
    if column.kind == "string":
        return pl.Series(column.name, cells, pl.String)
    return pl.Series(column.name, cells, pl.Boolean if column.kind == "bool" else pl.Int64)


def floats_of_texts(name: str, texts: Sequence[str | None]) -> pl.Series | None:
    """Floats of the texts of decimals, the nearest there are; None where one is no decimal or beyond every float."""
    try:
        found = pl.Series(name, texts, pl.String).cast(pl.Float64)
    except (TypeError, pl.exceptions.PolarsError):
        return None
    return found if found.is_finite().all() else None


def _decimals(table: Table) -> dict[int, pl.Series]:
    """The columns of exact decimals, by their place."""
    places = [at for at, column in enumerate(table.columns) if column.is_decimal]
    texts = pl.DataFrame([pl.Series(table.columns[at].name, table.cells[at], pl.String) for at in places])
    # Casting would round what has more digits behind the point than the type. All at once, as each question costs.
    length, point = pl.all().str.len_bytes().cast(pl.Int64), pl.all().str.find(".", literal=True).cast(pl.Int64)
    longest = texts.select((length - point - 1).max()).row(0) if places else ()
    found: dict[int, pl.Series] = {}
    for at, column, digits in zip(places, texts.get_columns(), longest, strict=True):
        scale = table.scale(at, digits or 0)
        try:
            found[at] = column.cast(pl.Decimal(MOST_DIGITS, scale))
        except pl.exceptions.PolarsError as error:
            raise table.too_long(at, scale) from error
    return found
