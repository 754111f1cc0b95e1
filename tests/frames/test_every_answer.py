"""Frames of every answer: the same values as its rows have, from its bytes, and none that is not as the spec says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args

import polars as pl
import pytest
from pydantic import ValidationError

from binance_sdk import frames
from binance_sdk._runtime.answers.scalars import ScalarKind
from binance_sdk._runtime.columns.from_bytes import _are_written_plainly, table_of_bytes
from binance_sdk._runtime.columns.layout import Column
from binance_sdk._runtime.columns.options import FrameOptions
from binance_sdk.errors import ParameterError
from binance_sdk.spot import Kline

from .answers import ALL, FLAT, LIBRARIES, Example

WITH_NUMBERS = {"futures.delivery_price"}
NOT_FLAT = {
    "depth": "bids holds a list, asks holds a list",
    "rpi_depth": "bids holds a list, asks holds a list",
    "exchange_info": "symbols holds a list",
    "execution_rules": "symbol_rules holds a list",
    "constituents": "constituents holds a list",
    "index_info": "composition holds a list",
    "insurance_balance": "assets holds a list",
    "trading_schedule": "market_schedules holds a map",
    "ping": "no fields",
    "reference_price_calculation": "one of several kinds of objects; read its fields from the answer",
}
ONE_OF_EACH_SHAPE = tuple(
    {
        frozenset((c.kind, c.nullable, c.required) for c in one.layout.columns): one for one in FLAT if one.layout
    }.values()
)
each = pytest.mark.parametrize("one", FLAT, ids=lambda one: one.name)


def not_decoded() -> object:
    raise AssertionError("rows were made")


def expected(column: Column, row: Any) -> Any:
    """The value of a field, as the model or row has it."""
    value = getattr(row, column.name)
    return None if column.kind == "time_or_zero" and value == 0 else value


@each
def test_a_frame_has_the_values_of_the_rows_and_none_is_made(one: Example) -> None:
    frame = one.frame("polars", not_decoded)
    assert one.layout is not None
    assert frame.columns == [column.name for column in one.layout.columns]
    for column in one.layout.columns:
        values = [expected(column, row) for row in one.rows]
        found = frame[column.name]
        if column.is_time:
            assert found.dtype == pl.Datetime("us", "UTC")
            moments = [
                None if v is None else getattr(r, f"{column.name}_dt") for v, r in zip(values, one.rows, strict=True)
            ]
            assert found.to_list() == moments
        elif column.is_decimal:
            assert found.dtype == pl.Float64
            assert found.to_list() == [None if value is None else float(value) for value in values]
        else:
            assert found.dtype == {"int": pl.Int64, "string": pl.String, "bool": pl.Boolean}[column.kind]
            assert found.to_list() == values


@each
def test_exact_decimals_are_exact(one: Example) -> None:
    assert one.layout is not None
    has_numbers = any(column.kind in ("number", "decimal_or_number") for column in one.layout.columns)
    assert has_numbers == (one.operation.id in WITH_NUMBERS)
    frame = one.frame("polars", None if has_numbers else not_decoded, prices="decimal")
    for column in one.layout.columns:
        if column.is_decimal:
            assert isinstance(frame[column.name].dtype, pl.Decimal)
            assert frame[column.name].to_list() == [expected(column, row) for row in one.rows]


@pytest.mark.parametrize("one", ONE_OF_EACH_SHAPE, ids=lambda one: one.name)
@pytest.mark.parametrize("library", LIBRARIES)
def test_bytes_and_rows_give_the_same_frame(one: Example, library: str) -> None:
    rows = one.rows
    for prices in ("float", "decimal"):
        of_bytes = one.frame(library, prices=prices)
        of_rows = getattr(frames, f"to_{library}")(rows, prices=prices)
        if library == "numpy":
            # As texts, for NaN is not equal to itself.
            assert [(name, array.dtype, repr(array)) for name, array in of_bytes.items()] == [
                (name, array.dtype, repr(array)) for name, array in of_rows.items()
            ]
        else:
            assert of_bytes.equals(of_rows)


def test_what_fits_into_no_frame_is_refused_with_the_reason() -> None:
    refused = [one for one in ALL if one not in FLAT]
    assert {one.operation.name for one in refused} == set(NOT_FLAT)
    for one in refused:
        with pytest.raises(ParameterError, match=NOT_FLAT[one.operation.name]):
            one.frame("polars")


def test_what_holds_lists_gives_its_other_fields() -> None:
    for one in ALL:
        if one.operation.name == "index_info":
            frame = one.frame("polars", columns=["symbol", "time"])
            assert frame.rows() == [(row.symbol, row.time_dt) for row in one.rows]
            return
    raise AssertionError("no such answer")


# ------------------------------------------------------------------------------------------- bad answers

WRONG: list[Any] = [
    "x",
    "",
    "-",
    "-.5",
    "1.2.3",
    "1-2",
    "NaN",
    "Infinity",
    "1e5",
    " 1",
    "1.",
    ".5",
    "+1",
    "-1",
    "0x1",
    "007",
    "1_0",
]
WRONG += [1, -1, 1.5, 10**30, True, None, [], {}, ...]


def columns_of_each_kind() -> Iterator[tuple[Example, Column]]:
    """One of each kind, in rows and in objects, as the spec lets it be absent or not."""
    seen: set[object] = set()
    for one in FLAT:
        assert one.layout is not None
        for column in one.layout.columns:
            kind = (isinstance(column.wire, int), column.kind, column.nullable, column.required)
            if kind not in seen:
                seen.add(kind)
                yield one, column


def changed(one: Example, column: Column, value: object, rows: int | None) -> bytes:
    wire = json.loads(one.content)
    wire = wire[:rows] if one.many else wire
    row = wire[-1] if one.many else wire
    if value is ...:
        del row[column.wire]
    else:
        row[column.wire] = value
    # As Binance writes it, without spaces: then rows are looked at as a whole.
    return json.dumps(wire, separators=(",", ":")).encode()


def is_read_as_rows(one: Example, content: bytes) -> bool:
    try:
        one.variant.reader.read(content)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_rows_written_plainly_and_otherwise_give_the_same_floats(separators: tuple[str, str]) -> None:
    one = next(one for one in FLAT if one.operation.id == "spot.klines")
    rows = json.loads(one.content)
    rows[0][1:5] = ["0.1", "123456789012345678901234567890.5", "-0.00000000", "7"]
    content = json.dumps(rows, separators=separators).encode()
    assert _are_written_plainly(Kline, content) == (separators == (",", ":"))
    frame = Example(one.operation, one.variant, content, one.name).frame("polars", not_decoded)
    assert repr(frame.row(0)[1:5]) == "(0.1, 1.2345678901234568e+29, -0.0, 7.0)"


def test_there_is_a_column_of_each_kind() -> None:
    kinds = {column.kind for _, column in columns_of_each_kind()}
    assert kinds == (set(get_args(ScalarKind)) | {"int", "string", "bool"}) - {"any", "decimal_or_number"}


@pytest.mark.parametrize("rows", [None, 1])
@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_a_frame_accepts_what_rows_accept_and_nothing_else(value: object, rows: int | None) -> None:
    for one, column in columns_of_each_kind():
        assert one.layout is not None
        content = changed(one, column, value, rows)
        accepted = is_read_as_rows(one, content)
        for prices in ("float", "decimal"):
            if prices == "decimal" and one.operation.id in WITH_NUMBERS:
                continue
            wanted = FrameOptions(prices=prices)
            table = table_of_bytes("", one.layout, one.layout.columns, content, wanted, one.many)
            # What 64 bits cannot hold is left to the rows, and may be an error there.
            assert (table is not None) == accepted or (table is None and value == 10**30), (one.name, column)
