"""Tells where the shape of answers and messages is not what the spec says: each difference once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from binance_sdk._runtime.additions import noted
from binance_sdk._runtime.answers.problems import MapKey, Path, RowPosition, broken_parts, expected
from binance_sdk._runtime.answers.row import Row
from binance_sdk._runtime.answers.union import UNKNOWN_TAG, ByTag
from binance_sdk._runtime.json_validator import JsonReader
from binance_sdk._runtime.locks import new_lock
from binance_sdk.events import Drift, FieldDrift, FieldKind, ValueDrift

ShapeDrift: TypeAlias = FieldDrift | ValueDrift

_MOST_TOLD = 1000
"""Differences that are kept; what comes after them is not told."""
_MOST_SHOWN = 80


class ShapeWatch:
    """The differences that one client has met; thread-safe.

    Args:
        tell: Called with each, once.
        muted: Whether nobody would hear of it now; it is told the next time that it is met.
    """

    def __init__(self, tell: Callable[[Drift], None] | None = None, muted: Callable[[], bool] = bool) -> None:
        self._tell = tell
        self._muted = muted
        self._told: dict[ShapeDrift, ShapeDrift] = {}
        self._broken: dict[tuple[str, str], int] = {}
        self._lock = new_lock()
        self.mark: object = object()
        """What readers know it by: they outlive clients, and must not keep their hooks."""

    def begin(self, reader: JsonReader) -> None:
        """Have what is read next noted for this watch."""
        if reader.additions.watch is not self.mark:
            reader.read_for(self.mark)

    def look(self, operation: str, variant: str, type_: object, reader: JsonReader, value: object) -> None:
        """Find what is new in a value that was read for this watch; cheap where the reader has noted nothing."""
        if not noted():
            return
        if reader.additions.watch is not self.mark:
            # Somebody else has read with it at the same time, and may have been told what is news to this watch.
            reader.additions.release()
        if self._muted():
            reader.additions.release()
            return
        reader.learn()
        for found in additions(type_, value):
            self._note(replace(found, operation=operation, variant=variant))

    def look_at_broken(self, operation: str, variant: str, type_: object, reader: JsonReader, content: bytes) -> None:
        """Find out what is wrong with content that could not be read.

        The first time, the second, the fourth, and so on: what is broken for good must not cost more and more.
        """
        if noted():
            # What is new in it has no place yet, as there is no value.
            reader.additions.release()
        if self._muted():
            return
        with self._lock:
            count = self._broken[operation, variant] = self._broken.get((operation, variant), 0) + 1
        if count & (count - 1):
            return
        for path, (value, errors) in broken_parts(type_, content).items():
            self._note(_broken(operation, variant, path, value, errors))

    def rows(self) -> list[ShapeDrift]:
        """Everything so far, in the order in which it was met."""
        with self._lock:
            return list(self._told.values())

    def _note(self, found: ShapeDrift) -> None:
        # The same shape whatever value it had; of values each is one.
        shape = replace(found, seen="", spec="") if isinstance(found, FieldDrift) else found
        with self._lock:
            if shape in self._told or len(self._told) >= _MOST_TOLD:
                return
            self._told[shape] = found
        if self._tell is not None:
            self._tell(found)


# ----------------------------------------------------------------------------------- what was added


def additions(type_: object, value: object) -> Iterator[ShapeDrift]:
    """What a value has beyond its type, each once; ``operation`` and ``variant`` are left empty."""
    told: set[tuple[str, str, str]] = set()
    for found in _additions(type_, value, ""):
        mark = (found.path, found.kind, found.seen if isinstance(found, ValueDrift) else "")
        if mark not in told:
            told.add(mark)
            yield found


def _additions(type_: Any, value: Any, path: str) -> Iterator[ShapeDrift]:
    if isinstance(value, Row):
        row = cast("tuple[object, ...]", value)
        if len(row) > len(value._positions):
            yield FieldDrift("", path, "positions_added", f"{len(value._positions)} positions", shown(row))
    elif isinstance(value, BaseModel):
        yield from _of_model(type_, value, path)
    elif isinstance(value, list):
        item = _item(type_, list)
        if item is not None and _may_have_additions(item):
            for one in cast("list[object]", value):
                yield from _additions(item, one, f"{path}[]")
    elif isinstance(value, dict):
        item = _item(type_, dict)
        if item is not None and _may_have_additions(item):
            for one in cast("dict[str, object]", value).values():
                yield from _additions(item, one, f"{path}{{}}")
    elif isinstance(value, str):
        listed = _listed(type_)
        if listed is not None and value not in listed:
            yield ValueDrift("", path, "value_added", listed, value)


def _of_model(type_: Any, model: BaseModel, path: str) -> Iterator[ShapeDrift]:
    union = _union(type_)
    if union is not None and type(model) is union[0]:
        _, kinds, tag = union
        yield ValueDrift("", _within(path, tag.wire), "member_added", kinds, shown(getattr(model, tag.attribute))[1:-1])
        return
    for key, extra in (model.model_extra or {}).items():
        yield FieldDrift("", _within(path, key), "field_added", "", shown(extra))
    for name, wire, inner in _fields(type(model)):
        yield from _additions(inner, getattr(model, name), _within(path, wire))


@lru_cache(maxsize=512)
def _fields(model: type[BaseModel]) -> tuple[tuple[str, str, Any], ...]:
    """Attribute, wire name and type of the fields in which something may be added."""
    found = [(name, field.alias or name, _type_of(field)) for name, field in model.model_fields.items()]
    return tuple((name, wire, type_) for name, wire, type_ in found if _may_have_additions(type_))


def _type_of(field: FieldInfo) -> Any:
    tags = [tag for tag in field.metadata if isinstance(tag, ByTag)]
    return Annotated[field.annotation, tags[0]] if tags else field.annotation


def _may_have_additions(type_: Any) -> bool:
    origin = get_origin(type_)
    if origin is Literal or type_ in (str, NoneType):
        return False
    if origin in (Union, UnionType):
        return _listed(type_) is not None or any(_may_have_additions(member) for member in get_args(type_))
    if origin is Annotated:
        return _may_have_additions(get_args(type_)[0])
    if origin in (list, dict):
        return _may_have_additions(get_args(type_)[-1])
    return isinstance(type_, type) and issubclass(type_, (BaseModel, Row))


@lru_cache(maxsize=512)
def _item(type_: Any, container: type) -> Any:
    """Type of what a list or map holds; None for other types."""
    for member in _members(type_):
        if get_origin(member) is container:
            return get_args(member)[-1]
    return None


@lru_cache(maxsize=512)
def _listed(type_: Any) -> tuple[str, ...] | None:
    """The values of an open enum; None for other types."""
    members = _members(type_)
    if str not in members:
        return None
    listed = [value for member in members if get_origin(member) is Literal for value in get_args(member)]
    return tuple(listed) or None


@lru_cache(maxsize=512)
def _union(type_: Any) -> tuple[type[BaseModel], tuple[str, ...], ByTag] | None:
    """Of a union that a tag tells apart: the member for unknown tags, the known tags, and where the tag is."""
    if get_origin(type_) is not Annotated:
        return None
    inner, *metadata = get_args(type_)
    tags = [tag for tag in metadata if isinstance(tag, ByTag)]
    if not tags:
        return None
    by_tag = {get_args(member)[1].tag: get_args(member)[0] for member in get_args(inner)}
    return by_tag.pop(UNKNOWN_TAG), tuple(by_tag), tags[0]


def _members(type_: Any) -> tuple[Any, ...]:
    if get_origin(type_) is Annotated:
        type_ = get_args(type_)[0]
    return get_args(type_) if get_origin(type_) in (Union, UnionType) else (type_,)


def _within(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def shown(value: object) -> str:
    """A value as JSON, shortened."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


# ----------------------------------------------------------------------------------- what is broken


def _broken(operation: str, variant: str, path: Path, value: object, errors: list[ErrorDetails]) -> FieldDrift:
    last = path[-1] if path else None
    missing = any(error["type"] == "missing" for error in errors)
    if missing and isinstance(last, RowPosition):
        positions = f"{last.positions} positions"
        return FieldDrift(operation, _wire_path(path[:-1]), "positions_missing", positions, "", variant)
    place, should = _wire_path(path), expected(errors)
    if missing:
        return FieldDrift(operation, place, "field_missing", "", "", variant)
    kind: FieldKind = "type_changed"
    if value is None:
        kind = "null"
    elif value == "" and "a string" not in should:
        kind = "empty_string"
    return FieldDrift(operation, place, kind, should, shown(value), variant)


def _wire_path(path: Path) -> str:
    text = ""
    for step in path:
        if isinstance(step, RowPosition):
            text += f"[{step.at}]"
        elif isinstance(step, MapKey):
            text += "{}"
        elif isinstance(step, int):
            text += "[]"
        else:
            text = _within(text, step)
    return text
