"""The columns of an answer from its bytes: pydantic-core checks each value and makes neither rows nor models."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Literal, TypeAlias, cast

from pydantic import ValidationError
from pydantic_core import CoreSchema, SchemaValidator, core_schema

from binance_sdk._runtime.answers.decode import undisturbed
from binance_sdk._runtime.answers.row import Row
from binance_sdk._runtime.answers.scalars import DECIMAL_PATTERN
from binance_sdk._runtime.columns.layout import NUMBERS, STANDS_FOR_NONE, Column, Layout, layout_of
from binance_sdk._runtime.columns.options import FrameOptions
from binance_sdk._runtime.columns.table import EARLIEST_MS, LATEST_MS, LEAST_INT, MOST_INT, Table
from binance_sdk._runtime.type_adapter import CACHE_STRINGS

_Decimals: TypeAlias = Literal["text", "float", "plain"]
"""How decimals are read: as exact texts; as floats of texts that are checked one by one; of texts checked before."""


def table_of_bytes(
    what: str, layout: Layout, columns: tuple[Column, ...], content: bytes, options: FrameOptions, many: bool
) -> Table | None:
    """The columns of an answer; None where that is not the way to read it, and its rows have to be made.

    That is so where it is not what the spec says, as the error comes from reading its rows; where objects are in each
    other; and where numbers have to keep digits that a double may not hold.
    """
    decimals: _Decimals = "text" if options.prices == "decimal" else "float"
    if not layout.flat or (decimals == "text" and any(column.kind in NUMBERS for column in layout.columns)):
        return None
    if decimals == "float" and issubclass(layout.type, Row) and _are_written_plainly(layout.type, content):
        decimals = "plain"
    read = _validator(cast(Any, layout.type), decimals, many).validate_json
    try:
        found = undisturbed(read, content)
    except ValidationError:
        return None
    rows = cast("list[Any]", found if many else [found])
    cells: list[Sequence[Any]]
    if issubclass(layout.type, Row):
        # Positions that Binance appended are at the end.
        by_position = list(zip(*rows, strict=False)) or [()] * len(layout.type._positions)
        cells = [by_position[cast("int", column.wire)] for column in columns]
    else:
        cells = [_values(column, rows) for column in columns]
    return Table(what, columns, cells, len(rows), options)


def _values(column: Column, rows: list[Any]) -> list[Any]:
    values = list(map(itemgetter(column.wire), rows))
    if column.kind not in STANDS_FOR_NONE:
        return values
    none = STANDS_FOR_NONE[column.kind]
    return [None if value == none else value for value in values]


def _are_written_plainly(row: type[Row], content: bytes) -> bool:
    """Whether every decimal of these rows is a text in which the digits stand around a point, or have none.

    pydantic-core reads a float from such a text twice as fast where it need not look at its pattern, but takes more for
    a float than a decimal may be: ``1e5``, ``1_0``, ``.5``, a number, ``true``. So the whole body is looked at first.
    """
    shape = content.translate(None, _DIGITS)
    first = shape[1 : shape.find(b"]") + 1]
    positions = first[1:-1].split(b",")
    if len(positions) != len(row._positions) or any(
        found not in _SHAPES.get(kind, ()) for found, (_, kind) in zip(positions, row._positions, strict=True)
    ):
        return False
    if shape != b"[%b]" % b",".join([first] * (shape.count(b"[") - 1)):
        return False
    return not (_POINT_FIRST.search(content) or _POINT_LAST.search(content) or (b"-" in content and b"-." in content))


_DIGITS = b"0123456789.-"
_SHAPES: dict[str, tuple[bytes, ...]] = {"int": (b"",), "time": (b"",), "decimal": (b'""',), "any": (b"", b'""')}
"""What is left of a position by its kind, without digits."""
_POINT_FIRST, _POINT_LAST = re.compile(rb'"\.'), re.compile(rb'\."')


@lru_cache(maxsize=512)
def _validator(type_: Any, decimals: _Decimals, many: bool) -> SchemaValidator:
    layout = cast("Layout", layout_of(type_))
    row = _array(layout, decimals) if issubclass(type_, Row) else _object(layout, decimals)
    whole = core_schema.list_schema(row, fail_fast=True) if many else row
    return SchemaValidator(whole, core_schema.CoreConfig(cache_strings=CACHE_STRINGS))


def _array(layout: Layout, decimals: _Decimals) -> CoreSchema:
    by_position = {column.wire: _value(column, decimals) for column in layout.columns}
    positions = cast("type[Row]", layout.type)._positions
    items = [by_position.get(at, core_schema.any_schema()) for at in range(len(positions))]
    return core_schema.tuple_schema([*items, core_schema.any_schema()], variadic_item_index=len(items))


def _object(layout: Layout, decimals: _Decimals) -> CoreSchema:
    """A dict by wire names; what the spec does not list is left out."""
    fields: dict[str, core_schema.TypedDictField] = {}
    for column in layout.columns:
        value = _value(column, decimals)
        if column.nullable:
            value = core_schema.nullable_schema(value)
        if not column.required:
            value = core_schema.with_default_schema(value, default=None)
        fields[cast("str", column.wire)] = core_schema.typed_dict_field(value, required=column.required)
    return core_schema.typed_dict_schema(fields, extra_behavior="ignore")


def _value(column: Column, decimals: _Decimals) -> CoreSchema:
    """The cell of a column, as a ``Table`` has it; only what stands for none is still there."""
    match column.kind:
        case "int":
            return core_schema.int_schema(strict=True, ge=LEAST_INT, le=MOST_INT)
        case "string":
            return core_schema.str_schema(strict=True)
        case "bool":
            return core_schema.bool_schema(strict=True)
        case "time" | "time_or_zero":
            return _TIME
        case "time_or_digits":
            return _either(_TIME, _TIME_OF_DIGITS)
        case "decimal":
            return _DECIMAL[decimals]
        case "decimal_or_empty":
            return _either(_DECIMAL[decimals], core_schema.literal_schema([""]))
        case "number":
            return _FLOAT
        case "decimal_or_number":
            return _either(_DECIMAL[decimals], _FLOAT)
        case "any":
            raise AssertionError(f"{column.name} is no column")


_TIME = core_schema.int_schema(strict=True, ge=EARLIEST_MS, le=LATEST_MS)
_TIME_OF_DIGITS = core_schema.chain_schema(
    [
        core_schema.str_schema(pattern=r"^(0|[1-9][0-9]*)$", strict=True),
        core_schema.int_schema(ge=EARLIEST_MS, le=LATEST_MS),
    ]
)
_FLOAT = core_schema.float_schema(strict=True, allow_inf_nan=False)
_TEXT = core_schema.str_schema(pattern=DECIMAL_PATTERN, strict=True)
_DECIMAL: dict[_Decimals, CoreSchema] = {
    "text": _TEXT,
    # The text that passed is made a float in pydantic-core: no function of Python is called.
    "float": core_schema.chain_schema([_TEXT, core_schema.float_schema(allow_inf_nan=False)]),
    "plain": core_schema.float_schema(allow_inf_nan=False),
}


def _either(first: CoreSchema, second: CoreSchema) -> CoreSchema:
    return core_schema.union_schema([first, second], mode="left_to_right")
