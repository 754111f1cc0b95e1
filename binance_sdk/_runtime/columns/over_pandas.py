"""Columns as a DataFrame of pandas."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pandas as pd

from binance_sdk._runtime.columns.over_numpy import decimal, floats, times
from binance_sdk._runtime.columns.table import Table


def frame(table: Table) -> pd.DataFrame:
    """A DataFrame with the columns, over one of them as index or over the numbers of the rows."""
    made = pd.DataFrame({column.name: _column(table, at) for at, column in enumerate(table.columns)})
    index = table.options.index
    return made if index is None else made.set_index(index)


def _column(table: Table, at: int) -> Any:
    column, cells = table.columns[at], cast("list[Any]", table.cells[at])
    if column.is_time:
        return pd.DatetimeIndex(times(table, at)).tz_localize("UTC")
    if column.is_decimal:
        if not table.exact:
            return floats(table, at)
        return np.array([decimal(text) for text in cells], dtype=object)
    if column.kind == "string":
        # The type that this pandas gives to texts by itself, also where there are none.
        return pd.Series(cells, dtype=pd.Series(["text"]).dtype)
    if column.may_be_none:
        return pd.array(cells, dtype="boolean" if column.kind == "bool" else "Int64")
    return np.array(cells, dtype=np.bool_ if column.kind == "bool" else np.int64)
