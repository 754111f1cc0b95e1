"""Rows: Binance's positional arrays as tuples with named, exact views.

A generated row is ``class Kline(Row, tuple[int, str, ...])`` and holds the validated wire values themselves: a thousand
candles take a quarter of the memory of a thousand models, and a Decimal is made only when a view is read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar, Literal, Never, Self, cast, overload

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from binance_sdk._runtime.answers.scalars import decimal_text_schema, plain
from binance_sdk._runtime.json_validator import ADDED_POSITIONS
from binance_sdk._runtime.numbers import anything_schema

PositionKind = Literal["int", "time", "decimal", "string", "any"]


class Row:
    """Base of the generated rows; mixed in before ``tuple``.

    ``==`` and ``hash`` compare the wire text. ``<``, ``<=``, ``>`` and ``>=`` raise ``TypeError``: the elements are
    text, and the largest text is not the largest price.
    """

    __slots__ = ()

    _positions: ClassVar[tuple[tuple[str | None, PositionKind], ...]] = ()
    """Name and kind of each position; the name of an unused position is None."""

    _counts_contracts: ClassVar[bool] = False
    """Whether its quantity is a number of contracts, and not an amount of the base asset."""

    @classmethod
    def from_wire(cls, row: object) -> Self:
        """Validate one positional array.

        Raises:
            pydantic.ValidationError: if a position is missing or of the wrong type.
        """
        return TypeAdapter(cls).validate_python(row)

    @classmethod
    def field_names(cls) -> tuple[str, ...]:
        """The named positions, in order."""
        return tuple(name for name, _ in cls._positions if name is not None)

    def values(self) -> tuple[int | str | Decimal, ...]:
        """The typed values of the named positions, in order."""
        return tuple(self._asdict().values())

    def _asdict(self) -> dict[str, int | str | Decimal]:
        """The typed values by name (the spelling of ``collections.namedtuple``)."""
        return {name: getattr(self, name) for name in self.field_names()}

    @overload
    def model_dump(self, *, mode: Literal["python"] = "python") -> dict[str, int | str | Decimal]: ...
    @overload
    def model_dump(self, *, mode: Literal["json"]) -> dict[str, int | str]: ...
    def model_dump(self, *, mode: Literal["python", "json"] = "python") -> Mapping[str, int | str | Decimal]:
        """The values by name, as in a pydantic model.

        Args:
            mode: ``python`` for typed values; ``json`` for values that JSON can hold, with decimals as text.
        """
        return self._asdict() if mode == "python" else self._as_json()

    def model_dump_json(self, *, indent: int | None = None) -> str:
        """The values by name as a JSON object: decimals as text, with every digit.

        Args:
            indent: Spaces of each level; None writes one line.
        """
        separators = (",", ":") if indent is None else (",", ": ")
        return json.dumps(self._as_json(), indent=indent, separators=separators, ensure_ascii=False)

    def _as_json(self) -> dict[str, int | str]:
        wire = cast("tuple[int | str, ...]", self)
        return {name: wire[at] for at, (name, _) in enumerate(self._positions) if name is not None}

    def __repr__(self) -> str:
        shown = {name: plain(v) if isinstance(v, Decimal) else v for name, v in self._asdict().items()}
        inside = ", ".join(f"{name}={value}" for name, value in shown.items())
        return f"{type(self).__name__}({inside})"

    def _no_order(self, other: object) -> Never:
        raise TypeError(
            f"{type(self).__name__} rows have no order, their elements are text: compare a view, "
            f"e.g. key=lambda row: row.{self.field_names()[0]}"
        )

    def __lt__(self, other: object) -> Never:
        self._no_order(other)

    def __le__(self, other: object) -> Never:
        self._no_order(other)

    def __gt__(self, other: object) -> Never:
        self._no_order(other)

    def __ge__(self, other: object) -> Never:
        self._no_order(other)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        items = [_POSITION_SCHEMAS[kind]() for _, kind in cls._positions]
        # The last item may repeat: positions that Binance appends are kept, unchecked.
        wire = core_schema.tuple_schema([*items, anything_schema(ADDED_POSITIONS)], variadic_item_index=len(items))
        return core_schema.no_info_after_validator_function(cls, wire)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        prefix = [
            {**_JSON_TYPES[kind], "title": name} if name is not None else dict(_JSON_TYPES[kind])
            for name, kind in cls._positions
        ]
        return {"type": "array", "title": cls.__name__, "prefixItems": prefix, "minItems": len(prefix)}


def _int_schema() -> CoreSchema:
    return core_schema.int_schema(strict=True)


def _str_schema() -> CoreSchema:
    return core_schema.str_schema(strict=True)


_POSITION_SCHEMAS = {
    "int": _int_schema,
    "time": _int_schema,
    "decimal": decimal_text_schema,
    "string": _str_schema,
    "any": anything_schema,
}
_JSON_TYPES: Mapping[PositionKind, Mapping[str, str]] = {
    "int": {"type": "integer"},
    "time": {"type": "integer"},
    "decimal": {"type": "string", "format": "decimal"},
    "string": {"type": "string"},
    "any": {},
}
