"""Columns as a table of Arrow."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from typing import Any

from binance_sdk._runtime.columns.options import MOST_DIGITS
from binance_sdk._runtime.columns.table import Table, digits_behind

# Without stubs of its own nothing of it has a type.
pa: Any = import_module("pyarrow")
compute: Any = import_module("pyarrow.compute")


def table_of(table: Table) -> Any:
    """A table with the columns.

    Raises:
        DecodeError: a value has more digits than a decimal may have, or than was asked for.
    """
    arrays = [_column(table, at) for at in range(len(table.columns))]
    fields = [
        pa.field(column.name, array.type, nullable=column.may_be_none)
        for column, array in zip(table.columns, arrays, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _column(table: Table, at: int) -> Any:
    column, cells = table.columns[at], table.cells[at]
    if column.is_time:
        table.check_unit(at)
        milliseconds = pa.array(cells, pa.int64()).cast(pa.timestamp("ms", "UTC"))
        return milliseconds.cast(pa.timestamp(table.options.time_unit, "UTC"))
    if column.is_decimal:
        return _decimals(table, at) if table.exact else _floats(table, at)
    if column.kind == "string":
        return pa.array(cells, pa.string())
    return pa.array(cells, pa.bool_() if column.kind == "bool" else pa.int64())


def _floats(table: Table, at: int) -> Any:
    if table.texts:
        with suppress(TypeError, pa.ArrowInvalid):
            found = pa.array(table.cells[at], pa.string()).cast(pa.float64())
            if compute.all(compute.is_finite(found)).as_py() is not False:
                return found
    # What Arrow cannot read, Python reads, or refuses by its row.
    return pa.array(table.floats(at), pa.float64())


def _decimals(table: Table, at: int) -> Any:
    scale = table.scale(at, max(map(digits_behind, table.cells[at]), default=0))
    try:
        return pa.array(table.cells[at], pa.string()).cast(pa.decimal128(MOST_DIGITS, scale))
    except pa.ArrowInvalid as error:
        raise table.too_long(at, scale) from error
