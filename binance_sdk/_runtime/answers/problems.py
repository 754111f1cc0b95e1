"""What is wrong with a JSON text, for messages: each problem with its place, the same one in many rows only once.

The decoder stops at the first bad item of an array. When it has failed, the text is read again here, part by part,
until a hundred problems are found: a small body with a million of them must not take minutes and gigabytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from reprlib import Repr
from types import NoneType, UnionType
from typing import Annotated, Any, TypeAlias, Union, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, SchemaValidator

from binance_sdk._runtime.answers.json_text import array_items, object_members
from binance_sdk._runtime.answers.row import Row
from binance_sdk._runtime.answers.union import KNOWN_TAG
from binance_sdk._runtime.json_validator import json_validator
from binance_sdk._runtime.type_adapter import type_adapter

Path: TypeAlias = tuple[int | str, ...]
NodeErrors: TypeAlias = tuple[object, list[ErrorDetails]]
"""A value, and pydantic's errors about it."""

MAX_PROBLEMS = 100
"""Problems that are looked for in one text."""
NOT_JSON = "the body is not JSON"
AND_MORE = "and more"
_EXCERPT = 80
_SHOWN = Repr()
_SHOWN.maxstring = _SHOWN.maxother = _SHOWN.maxlong = _EXCERPT


def problems_of(type_: object, content: bytes, error: ValidationError) -> tuple[str, ...]:
    """One line for each kind of problem; the last one is "and more" if there are more than were looked for.

    Args:
        type_: What the content should be.
        content: The text.
        error: What the decoder said.
    """
    found = _Problems()
    try:
        found.look(type_, content.decode(), ())
    except _TooMany:
        return (*lines(found.by_node), AND_MORE)
    except (ValueError, RecursionError):
        # It is not JSON, or not JSON that Python can read: pydantic's own message is used.
        found = _Problems()
    if not found.by_node:
        found.add(_details(error), (), None)
    return tuple(lines(found.by_node))


def broken_parts(type_: object, content: bytes) -> Mapping[Path, NodeErrors]:
    """What is not as it should be, by place: at most a hundred; nothing where the content is no JSON."""
    found = _Problems()
    with suppress(_TooMany, ValueError, RecursionError):
        found.look(type_, content.decode(), ())
    # A body that is no JSON tells nothing about what is sent in good health.
    return {path: node for path, node in found.by_node.items() if node[1][0]["type"] != "json_invalid"}


def item_problem(type_: object, text: str, error: ValidationError) -> str:
    """What is wrong with one row, on one line."""
    found = _Problems()
    try:
        row = type_ if isinstance(type_, type) and issubclass(type_, Row) else None
        found.add(_details(error), (), text, row)
    except _TooMany:
        return "; ".join([*lines(found.by_node), AND_MORE])
    return "; ".join(lines(found.by_node))


@lru_cache(maxsize=512)
def validator_of(type_: Any) -> SchemaValidator:
    """The decoder for one part of an answer."""
    return json_validator(type_adapter(type_), "double")


class _TooMany(Exception):
    pass


class RowPosition(str):
    """Step to a position of a row, by its name."""

    __slots__ = ("at", "positions")
    at: int
    positions: int

    def __new__(cls, index: int, row: type[Row]) -> RowPosition:
        """The position at an index of a row."""
        positions = row._positions
        name = positions[index][0] if index < len(positions) else None
        made = super().__new__(cls, name or f"position {index}")
        made.at = index
        made.positions = len(positions)
        return made


class MapKey(str):
    """Step to a value of a map."""

    __slots__ = ()


class _Problems:
    """Collects problems by the value that they are about."""

    def __init__(self) -> None:
        self.by_node: dict[Path, NodeErrors] = {}
        self._count = 0

    def look(self, type_: object, text: str, path: Path) -> None:
        """Read ``text`` as ``type_`` and, if that fails, its parts.

        Raises:
            _TooMany: a hundred were found, and there is at least one more.
            ValueError: the text is not JSON.
        """
        error = _failure(type_, text)
        if error is None:
            return
        type_ = _bare(type_)
        item = item_type(type_)
        model = type_ if isinstance(type_, type) and issubclass(type_, BaseModel) else None
        row = type_ if isinstance(type_, type) and issubclass(type_, Row) else None
        before = self._count
        if item is not None and text.lstrip()[:1] == "[":
            for index, part in enumerate(array_items(text)):
                self.look(item, part, (*path, index))
        elif get_origin(type_) is dict and text.lstrip()[:1] == "{":
            for key, part in object_members(text):
                self.look(get_args(type_)[1], part, (*path, MapKey(key)))
        elif model is not None and text.lstrip()[:1] == "{":
            self._look_into_fields(model, text, path, error)
        if self._count == before:
            self.add(_details(error), path, text, row)

    def _look_into_fields(self, model: type[BaseModel], text: str, path: Path, error: ValidationError) -> None:
        parts = dict(object_members(text))
        nested = {wire: type_ for wire, type_ in _nested_fields(model) if wire in parts}
        # Problems of the object itself come first: they say more than those of its hundredth row.
        self.add([item for item in _details(error) if not item["loc"] or item["loc"][0] not in nested], path, text)
        for wire, type_ in nested.items():
            self.look(type_, parts[wire], (*path, wire))

    def add(self, errors: Iterable[ErrorDetails], path: Path, text: str | None, row: type[Row] | None = None) -> None:
        body = _parsed(text)
        found = [(*_real(item, body), item) for item in errors]
        said = {real[:length] for real, _, item in found if item["type"] not in _TAG_ERRORS for length in range(9)}
        for real, value, item in found:
            if item["type"] in _TAG_ERRORS and real in said:
                # An error about the tag says less than the errors of the union member.
                continue
            if row is not None and len(real) == 1 and isinstance(real[0], int):
                real = (RowPosition(real[0], row),)
            node = (*path, *real)
            if node not in self.by_node:
                if self._count == MAX_PROBLEMS:
                    raise _TooMany
                self._count += 1
            self.by_node.setdefault(node, (value, []))[1].append(item)


def _failure(type_: object, text: str) -> ValidationError | None:
    try:
        validator_of(type_).validate_json(text, by_alias=True, by_name=False)
    except ValidationError as error:
        return error
    return None


def _details(error: ValidationError) -> list[ErrorDetails]:
    # Without the input: for each missing field that would be a copy of the whole object.
    return error.errors(include_url=False, include_context=False, include_input=False)


def _bare(type_: object) -> object:
    """Without ``Annotated`` and without ``None``."""
    while True:
        origin = get_origin(type_)
        if origin is Annotated:
            type_ = get_args(type_)[0]
        elif origin in (Union, UnionType):
            members = [member for member in get_args(type_) if member is not NoneType]
            if len(members) != 1:
                return type_
            type_ = members[0]
        else:
            return type_


def item_type(type_: object) -> object | None:
    """Type of the items of a list; None for anything else."""
    return get_args(type_)[0] if get_origin(type_) is list else None


@lru_cache(maxsize=512)
def _nested_fields(model: type[BaseModel]) -> tuple[tuple[str, object], ...]:
    """Wire name and type of the fields that hold more than one value."""
    found: list[tuple[str, object]] = []
    for name, field in model.model_fields.items():
        type_ = _bare(field.annotation)
        if get_origin(type_) in (list, dict) or (isinstance(type_, type) and issubclass(type_, (BaseModel, Row))):
            found.append((field.alias or name, type_))
    return tuple(found)


def _parsed(text: str | None) -> object:
    """The text parsed as JSON, or None if it is not JSON."""
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return None


def _real(item: ErrorDetails, body: object) -> tuple[Path, object]:
    """The path of an error as it exists in the answer, and the value there.

    Pydantic's path also contains names of union members.
    """
    path: list[int | str] = []
    node, last = body, len(item["loc"]) - 1
    for index, step in enumerate(item["loc"]):
        found = _inside(node, step)
        if found is not None:
            (node,) = found
        elif not (index == last and item["type"] == "missing"):
            continue
        path.append(step)
    return tuple(path), node


def _inside(node: object, step: int | str) -> tuple[object] | None:
    """The member or item with that name or index, if there is one."""
    if isinstance(node, dict) and step in node:
        return (cast("dict[object, object]", node)[step],)
    if isinstance(node, list) and isinstance(step, int) and step < len(cast("list[object]", node)):
        return (cast("list[object]", node)[step],)
    return None


# ------------------------------------------------------------------------------------------- in words


def lines(by_node: Mapping[Path, NodeErrors]) -> list[str]:
    """One line for each kind of problem; the same one in many rows has the first row and a count."""
    groups: dict[tuple[str, str], list[str]] = {}
    for path, (value, items) in by_node.items():
        written, pattern = _written(path)
        groups.setdefault((pattern, _words(value, items)), []).append(written)
    found: list[str] = []
    for (_, words), paths in groups.items():
        more = f" (and {len(paths) - 1} more like it)" if len(paths) > 1 else ""
        found.append(f"{paths[0]}: {words}{more}" if paths[0] else words)
    return found


def _written(path: Path) -> tuple[str, str]:
    """``symbols[3].filters[0].tickSize``, and the same with ``[*]`` for grouping."""
    written = pattern = ""
    for step in path:
        if isinstance(step, int):
            written += f"[{step}]"
            pattern += "[*]"
        else:
            written += f".{step}" if written else step
            pattern += f".{step}" if pattern else step
    return written, pattern


_EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "an object",
    "float_type": "a number",
    "int_from_float": "an integer",
    "int_type": "an integer",
    "list_type": "an array",
    "literal_error": "a string",
    "model_attributes_type": "an object",
    "model_type": "an object",
    "string_pattern_mismatch": "a decimal string",
    "string_type": "a string",
    "tuple_type": "an array",
}
_TAG_ERRORS = frozenset({"union_tag_invalid", "union_tag_not_found", KNOWN_TAG})
_JSON_KINDS = {"dict": "object", "list": "array"}


def _words(given: object, items: list[ErrorDetails]) -> str:
    """What is wrong with one value; each member of a union may have an error about it."""
    first = items[0]
    if first["type"] == "missing":
        return "is missing"
    if first["type"] == "json_invalid":
        return f"{NOT_JSON} ({first['msg'].removeprefix('Invalid JSON: ')})"
    shown = repr(given[: _EXCERPT + 1]) if isinstance(given, str) else _SHOWN.repr(given)
    shown = shown if len(shown) <= _EXCERPT else f"{shown[:_EXCERPT]}…"
    kind = _JSON_KINDS.get(type(given).__name__)
    got = "got null" if given is None else f"got {f'{kind} ' if kind else ''}{shown}"
    should = expected(items)
    return f"should be {should}, {got}" if should else f"{first['msg'][0].lower()}{first['msg'][1:]}, {got}"


def expected(items: list[ErrorDetails]) -> str:
    """What a value should be, in words; empty where only pydantic's message tells."""
    return " or ".join(dict.fromkeys(_EXPECTED[item["type"]] for item in items if item["type"] in _EXPECTED))
