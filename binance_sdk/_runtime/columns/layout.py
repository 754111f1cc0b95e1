"""Which columns a row, a model or an event has, read from what was generated for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, cast, get_args, get_origin

from pydantic import BaseModel

from binance_sdk._runtime.answers.row import Row
from binance_sdk._runtime.answers.scalars import Scalar, ScalarKind

ColumnKind: TypeAlias = Literal["int", "string", "bool"] | ScalarKind

NUMBERS: frozenset[ColumnKind] = frozenset({"number", "decimal_or_number"})
"""Decimals that may be JSON numbers."""
DECIMALS: frozenset[ColumnKind] = frozenset({*NUMBERS, "decimal", "decimal_or_empty"})
TIMES: frozenset[ColumnKind] = frozenset({"time", "time_or_zero", "time_or_digits"})

_PLAIN: dict[object, ColumnKind] = {int: "int", str: "string", bool: "bool"}
STANDS_FOR_NONE: Mapping[ColumnKind, object] = {"decimal_or_empty": "", "time_or_zero": 0}
"""What stands for none, by kind."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Args:
        name: Name of the field; of one in an object inside with the name of that before it: ``kline.close``.
        kind: What it holds.
        nullable: Whether the spec lets it, or the object that it is in, be absent or null.
        required: Whether its key is always there.
        wire: Its key in JSON; of a row the position.
    """

    name: str
    kind: ColumnKind
    nullable: bool = False
    required: bool = True
    wire: str | int = ""

    @property
    def may_be_none(self) -> bool:
        return self.nullable or self.kind in STANDS_FOR_NONE

    @property
    def attributes(self) -> tuple[str, ...]:
        """Those that lead to it from a model."""
        return tuple(self.name.split("."))

    @property
    def is_decimal(self) -> bool:
        return self.kind in DECIMALS

    @property
    def is_time(self) -> bool:
        return self.kind in TIMES


@dataclass(frozen=True)
class Layout:
    """The columns of one type of rows, models or events.

    Args:
        type: The type.
        columns: Its columns, in the order of its fields.
        without: Fields that fit into no column, each with what it holds.
        flat: Whether each column is a key of the JSON object, or a position of the array, and the other way round.
    """

    type: type[Row] | type[BaseModel]
    columns: tuple[Column, ...]
    without: tuple[tuple[str, str], ...] = ()
    flat: bool = True


def layout_of(type_: object) -> Layout | None:
    """The columns of a type; None where it is no row, no model and no event."""
    if not isinstance(type_, type) or not issubclass(type_, (Row, BaseModel)):
        return None
    return _layout(cast(Any, type_))


@lru_cache(maxsize=512)
def _layout(type_: Any) -> Layout:
    if issubclass(type_, Row):
        positions = enumerate(type_._positions)
        return Layout(type_, tuple(Column(name, kind, wire=at) for at, (name, kind) in positions if name is not None))
    found = list(_of_model(type_))
    columns = [column for column in found if isinstance(column, Column)]
    told: Sequence[tuple[str, ColumnKind]] = getattr(type_, "_told_by_name", ())
    columns += [Column(name, kind) for name, kind in told]
    without = tuple(item for item in found if not isinstance(item, Column))
    flat = not told and not without and len(columns) == len(type_.model_fields)
    return Layout(type_, tuple(columns), without, flat and not any("." in column.name for column in columns))


def _of_model(model: type[BaseModel], before: str = "", nullable: bool = False) -> Iterator[Column | tuple[str, str]]:
    """The columns, and the fields that are none with what they hold."""
    for attribute, field in model.model_fields.items():
        annotation = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
        name = before + attribute
        kind, inside, takes_null = _kind(annotation)
        if inside is not None:
            yield from _of_model(inside, f"{name}.", nullable or takes_null)
        elif kind is None:
            yield name, _in_words(annotation)
        else:
            yield Column(name, kind, nullable or takes_null, field.is_required(), field.alias or attribute)


def _kind(annotation: Any) -> tuple[ColumnKind | None, type[BaseModel] | None, bool]:
    """What a field holds, the model if it is one object, and whether null will do."""
    origin = get_origin(annotation)
    if origin is Annotated:
        scalars: list[Scalar] = [item for item in get_args(annotation)[1:] if isinstance(item, Scalar)]
        if not scalars:
            return _kind(get_args(annotation)[0])
        scalar: ColumnKind = scalars[0].kind
        return (None if scalar == "any" else scalar), None, False
    if origin is Literal:
        return "string", None, False
    if origin in (Union, UnionType):
        members = [member for member in get_args(annotation) if member is not NoneType]
        nullable = len(members) < len(get_args(annotation))
        found = {_kind(member) for member in members}
        if len(found) > 1:
            return None, None, nullable
        kind, inside, _ = found.pop()
        return kind, inside, nullable
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return None, annotation, False
    return _PLAIN.get(cast(object, annotation)), None, False


def _in_words(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _in_words(get_args(annotation)[0])
    if origin in (Union, UnionType):
        members = {_in_words(member) for member in get_args(annotation) if member is not NoneType}
        return members.pop() if len(members) == 1 else "one of several kinds of objects"
    return "a list" if origin is list else "a map" if origin is dict else "any JSON"
