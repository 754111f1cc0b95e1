"""Bytes into models, or one ``DecodeError`` that says what differs from the spec."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from binance_sdk._runtime.answers.row import Row
from binance_sdk._runtime.operation import Operation, Variant
from binance_sdk._runtime.transport.protocol import RawResponse
from binance_sdk.errors import DecodeError

T = TypeVar("T")

_MOST_SHOWN = 12
_EXCERPT = 80
_LARGE = 16 * 1024
_COLLECTS_WITHIN = sys.version_info < (3, 12)
"""Newer interpreters look for garbage between instructions of Python only, so never within one decoding."""
_NOT_JSON = "the body is not JSON"


def decode(operation: Operation[T], variant: Variant[T], response: RawResponse) -> T:
    """The typed answer.

    Raises:
        DecodeError: naming operation, row and every field that is missing or of the wrong type.
    """
    try:
        return validated(variant, response.content)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_context=False)
        problems = tuple(explain(errors, variant.type, _parsed(response.content)))
        raise _failed(operation, response, problems) from error


def validated(variant: Variant[T], content: bytes) -> T:
    """The typed answer, or pydantic's own error."""
    validate = variant.adapter.validate_json
    if len(content) < _LARGE or not _COLLECTS_WITHIN or not gc.isenabled():
        return validate(content, by_alias=True, by_name=False)
    # All that is made here is kept and holds no circle: walking it again and again while it grows finds nothing.
    gc.disable()
    try:
        return validate(content, by_alias=True, by_name=False)
    finally:
        gc.enable()


def _parsed(content: bytes) -> object:
    """The body as plain JSON, or None where it is none; only read to explain a failure."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _failed(operation: Operation[Any], response: RawResponse, problems: tuple[str, ...]) -> DecodeError:
    content = response.content
    garbled = len(problems) == 1 and problems[0].startswith(_NOT_JSON)
    if not content.strip():
        problems = ("the body is empty",)
    elif content.startswith(b"\xef\xbb\xbf"):
        problems = ("the body begins with a byte order mark, which JSON forbids",)
    elif content.lstrip()[:1] == b"<":
        shown = " ".join(content[:_EXCERPT].decode("utf-8", "replace").split())
        problems = (f"the body is HTML, not JSON: {shown!r}",)
    shown_problems = list(problems[:_MOST_SHOWN])
    if len(problems) > _MOST_SHOWN:
        shown_problems.append(f"and {len(problems) - _MOST_SHOWN} more")
    text = f"{operation.id}: the answer is not what the spec says: {'; '.join(shown_problems)}"
    return DecodeError(
        text,
        operation=operation.id,
        problems=problems,
        body=content,
        status_code=response.status_code,
        headers=dict(response.headers),
        garbled=garbled,
    )


def explain(errors: Iterable[ErrorDetails], type_: object, body: object) -> list[str]:
    """One line for each kind of mistake; the same mistake in many rows is told once, with the first row and a count."""
    rows = _row_types(type_)
    nodes: dict[tuple[int | str, ...], list[ErrorDetails]] = {}
    for item in errors:
        nodes.setdefault(_real(item, body), []).append(item)
    groups: dict[tuple[str, str], list[str]] = {}
    for loc, items in nodes.items():
        path, pattern = _path(loc, rows)
        groups.setdefault((pattern, _words(items)), []).append(path)
    lines: list[str] = []
    for (_, words), paths in groups.items():
        more = f" (and {len(paths) - 1} more like it)" if len(paths) > 1 else ""
        lines.append(f"{paths[0]}: {words}{more}" if paths[0] else words)
    return lines


def _real(item: ErrorDetails, body: object) -> tuple[int | str, ...]:
    """The steps of an error that exist in the answer: pydantic puts the names of union members between them."""
    path: list[int | str] = []
    node = body
    last = len(item["loc"]) - 1
    for index, step in enumerate(item["loc"]):
        if isinstance(node, dict) and step in node:
            node = cast("dict[object, object]", node)[step]
            path.append(step)
        elif isinstance(node, list) and isinstance(step, int) and step < len(cast("list[object]", node)):
            node = cast("list[object]", node)[step]
            path.append(step)
        elif index == last and item["type"] == "missing":
            path.append(step)
    return tuple(path)


def _path(loc: tuple[int | str, ...], rows: Mapping[int, type[Row]]) -> tuple[str, str]:
    """``symbols[3].filters[0].tickSize``, and the same with ``[*]`` for grouping."""
    path = pattern = ""
    last = len(loc) - 1
    for index, step in enumerate(loc):
        if isinstance(step, int):
            named = _position(step, rows) if index == last and index > 0 and isinstance(loc[index - 1], int) else None
            path += f"[{step}]" if named is None else f".{named}"
            pattern += "[*]" if named is None else f".{named}"
        else:
            path += f".{step}" if path else step
            pattern += f".{step}" if pattern else step
    return path, pattern


def _position(position: int, rows: Mapping[int, type[Row]]) -> str | None:
    for row in rows.values():
        if position < len(row._positions):
            return row._positions[position][0] or f"position {position}"
    return None


def _row_types(type_: object) -> dict[int, type[Row]]:
    """Row classes inside a type, so that a position can be called by its name."""
    found: dict[int, type[Row]] = {}
    todo: list[object] = [type_]
    seen: set[int] = set()
    while todo:
        current = todo.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, type) and issubclass(current, Row):
            found[id(current)] = current
        if isinstance(current, type) and issubclass(current, BaseModel):
            todo += [field.annotation for field in current.model_fields.values()]
        todo += cast("tuple[object, ...]", getattr(current, "__args__", ()))
    return found


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
_JSON_KINDS = {"dict": "object", "list": "array", "NoneType": "null"}


def _words(items: list[ErrorDetails]) -> str:
    """What is wrong with one node; the members of a union complain each, about the same value."""
    first = items[0]
    if first["type"] == "missing":
        return "is missing"
    if first["type"] == "json_invalid":
        return f"{_NOT_JSON} ({first['msg'].removeprefix('Invalid JSON: ')})"
    shown = repr(first["input"])
    shown = shown if len(shown) <= _EXCERPT else f"{shown[:_EXCERPT]}…"
    kind = _JSON_KINDS.get(type(first["input"]).__name__)
    got = f"got {f'{kind} ' if kind else ''}{shown}"
    expected = list(dict.fromkeys(_EXPECTED[item["type"]] for item in items if item["type"] in _EXPECTED))
    if not expected:
        return f"{first['msg'][0].lower()}{first['msg'][1:]}, {got}"
    return f"should be {' or '.join(expected)}, {got}"
