"""The columns of rows, models or events that are there already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from operator import attrgetter
from typing import Any, cast

from binance_sdk._runtime.answers.row import Row
from binance_sdk._runtime.answers.scalars import plain
from binance_sdk._runtime.columns.layout import STANDS_FOR_NONE, Column, Layout
from binance_sdk._runtime.columns.options import FrameOptions
from binance_sdk._runtime.columns.table import EARLIEST_MS, LATEST_MS, LEAST_INT, MOST_INT, Table, floats_of, wrong_cell


def table_of_rows(
    what: str,
    layout: Layout,
    columns: tuple[Column, ...],
    rows: Sequence[Any],
    options: FrameOptions,
    *,
    texts: bool,
) -> Table:
    """The columns of rows that are all of the type of the layout.

    ``texts`` leaves decimals that are texts as they are, for a library that makes floats of them itself.

    Raises:
        DecodeError: a value fits into no column: an int of more than 64 bits, a time outside the years 1 to 9999.
    """
    exact = options.prices == "decimal"
    by_position: list[Sequence[Any]] = []
    texts = texts and not exact and issubclass(layout.type, Row)
    if issubclass(layout.type, Row):
        # The wire values: an exact Decimal of each would be made from them in vain.
        by_position = [*cast("Iterable[Sequence[Any]]", zip(*rows, strict=False))] or [()] * len(layout.type._positions)
    cells: list[Sequence[Any]] = []
    for column in columns:
        values = by_position[cast("int", column.wire)] if by_position else _values(column, rows)
        if column.is_decimal:
            if not texts:
                values = _exact(values) if exact else floats_of(what, column, values)
        elif column.is_time:
            _check_range(what, column, values, EARLIEST_MS, LATEST_MS, "is outside the years 1 to 9999")
        elif column.kind == "int":
            _check_range(what, column, values, LEAST_INT, MOST_INT, "does not fit into 64 bits")
        cells.append(values)
    return Table(what, columns, cells, len(rows), options, texts)


def _values(column: Column, rows: Sequence[Any]) -> list[Any]:
    if "." not in column.name:
        values = list(map(attrgetter(column.name), rows))
    else:
        values = list(rows)
        for attribute in column.attributes:
            values = [None if value is None else getattr(value, attribute) for value in values]
    if column.kind == "time_or_zero":
        none = STANDS_FOR_NONE[column.kind]
        return [None if value == none else value for value in values]
    return values


def _exact(values: Sequence[Any]) -> list[str | None]:
    return [value if value is None or isinstance(value, str) else plain(value) for value in values]


def _check_range(what: str, column: Column, values: Sequence[Any], least: int, most: int, reason: str) -> None:
    with suppress(TypeError, ValueError):
        # Nearly always: in C, where none is absent.
        if least <= min(values) and max(values) <= most:
            return
    for row, value in enumerate(values):
        if value is not None and not least <= value <= most:
            raise wrong_cell(what, column, row, value, reason)
