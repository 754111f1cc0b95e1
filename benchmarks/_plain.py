"""Plain pydantic models with the fields of the SDK's: what its decoding is compared with. Not used by the library.

As a user would write them by hand: names as on the wire, pydantic's own ``Decimal`` and ``extra="ignore"``, a tagged
union where a key tells objects apart, a ``NamedTuple`` for a positional array.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model

from binance_sdk._runtime.answers.row import Row
from binance_sdk._runtime.answers.union import UNKNOWN_TAG, ByTag

_KINDS: dict[str, type] = {"int": int, "time": int, "decimal": Decimal, "string": str, "any": object}


def plain_adapter(type_: object) -> TypeAdapter[Any]:
    """Reads the same answer as ``type_``."""
    return TypeAdapter(plain(type_))


def plain(type_: Any) -> Any:
    """The plain counterpart of a type of the SDK."""
    origin, arguments = get_origin(type_), get_args(type_)
    if origin is Annotated:
        tags = [tag for tag in arguments[1:] if isinstance(tag, ByTag)]
        return _union(arguments[0], tags[0].wire) if tags else plain(arguments[0])
    if origin in (list, dict):
        return origin[tuple(plain(argument) for argument in arguments)]
    if origin in (Union, UnionType):
        members = [plain(argument) for argument in arguments]
        if str in members:
            # The values listed for an editor are texts too.
            members = [member for member in members if get_origin(member) is not Literal]
        return Union[tuple(members)]  # noqa: UP007
    if not isinstance(type_, type):
        return type_
    if issubclass(type_, Row):
        return _row(type_)
    return _model(type_, None) if issubclass(type_, BaseModel) else type_


@cache
def _model(model: type[BaseModel], tag: tuple[str, str] | None) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        wire = field.alias or name
        kept = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
        type_ = Literal[tag[1]] if tag is not None and tag[0] == wire else plain(kept)
        fields[wire] = (type_, ... if field.is_required() else None)
    return cast("type[BaseModel]", create_model(model.__name__, __config__=ConfigDict(frozen=True), **fields))


def _union(union: Any, wire: str) -> Any:
    members = [get_args(member) for member in get_args(union)]
    known = [_model(model, (wire, tag.tag)) for model, tag in members if tag.tag != UNKNOWN_TAG]
    if len(known) == 1:
        return known[0]
    return Annotated[Union[tuple(known)], Field(discriminator=wire)]  # noqa: UP007


def _row(row: type[Row]) -> Any:
    names = [(name or f"unused_{at}", _KINDS[kind]) for at, (name, kind) in enumerate(row._positions)]
    return NamedTuple(row.__name__, names)
