"""Columns as arrays of numpy."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from binance_sdk._runtime.columns.table import Table

if TYPE_CHECKING:
    from numpy.typing import NDArray


def arrays(table: Table) -> dict[str, NDArray[Any]]:
    """One array for each column; ints and bools that may be absent are masked arrays."""
    return {column.name: _array(table, at) for at, column in enumerate(table.columns)}


def _array(table: Table, at: int) -> NDArray[Any]:
    column, cells = table.columns[at], table.cells[at]
    if column.is_time:
        return times(table, at)
    if column.is_decimal:
        return np.array([decimal(text) for text in cells], dtype=object) if table.exact else floats(table, at)
    if column.kind == "string":
        if not column.may_be_none:
            return np.array(cells, dtype=np.dtypes.StringDType())
        return np.array(cells, dtype=np.dtypes.StringDType(na_object=None))
    dtype = np.bool_ if column.kind == "bool" else np.int64
    if not column.may_be_none:
        return np.array(cells, dtype=dtype)
    absent = [value is None for value in cells]
    return np.ma.masked_array([0 if value is None else value for value in cells], mask=absent, dtype=dtype)


def floats(table: Table, at: int) -> NDArray[np.float64]:
    """A column of floats; what is absent is NaN."""
    # None becomes NaN.
    return np.array(table.cells[at], dtype=np.float64)


def times(table: Table, at: int) -> NDArray[np.datetime64]:
    """A column of times in UTC; what is absent is NaT.

    Raises:
        DecodeError: a time is so far away that 64 bits cannot count its nanoseconds.
    """
    table.check_unit(at)
    cells: Any = table.cells[at]
    if not table.columns[at].may_be_none:
        # Quicker than numpy's own way from ints to times.
        cells = np.array(cells, dtype=np.int64)
    return np.array(cells, dtype="datetime64[ms]").astype(f"datetime64[{table.options.time_unit}]")


def decimal(text: str | None) -> Decimal | None:
    """The exact value."""
    return None if text is None else Decimal(text)
