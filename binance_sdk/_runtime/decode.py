"""Bytes into models, or one ``DecodeError`` that says what differs from the spec."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from binance_sdk._runtime.http import RawResponse
from binance_sdk._runtime.model import UNKNOWN_TAG
from binance_sdk._runtime.operation import Operation, Variant
from binance_sdk._runtime.row import Row
from binance_sdk.errors import DecodeError

T = TypeVar("T")

_MOST_SHOWN = 12
_EXCERPT = 80
_NOT_JSON = "the body is not JSON"


def decode(operation: Operation[T], variant: Variant[T], response: RawResponse) -> T:
    """The typed answer.

    Raises:
        DecodeError: naming operation, row and every field that is missing or of the wrong type.
    """
    try:
        return variant.adapter.validate_json(response.content, by_alias=True, by_name=False)
    except ValidationError as error:
        problems = tuple(explain(error.errors(include_url=False, include_context=False), variant.type))
        raise _failed(operation, response, problems) from error


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


def explain(errors: Iterable[ErrorDetails], type_: object) -> list[str]:
    """One line for each kind of mistake; the same mistake in many rows is told once, with the first row and a count."""
    rows = _row_types(type_)
    groups: dict[tuple[str, str], list[str]] = {}
    for item in errors:
        path, pattern = _path(item["loc"], rows)
        groups.setdefault((pattern, _words(item)), []).append(path)
    lines: list[str] = []
    for (_, words), paths in groups.items():
        more = f" (and {len(paths) - 1} more like it)" if len(paths) > 1 else ""
        lines.append(f"{paths[0]}: {words}{more}" if paths[0] else words)
    return lines


def _path(loc: tuple[int | str, ...], rows: Mapping[int, type[Row]]) -> tuple[str, str]:
    """``symbols[3].filters[0].tickSize``, and the same with ``[*]`` for grouping."""
    path = pattern = ""
    last = len(loc) - 1
    for index, step in enumerate(loc):
        if isinstance(step, int):
            named = _position(step, rows) if index == last and index > 0 and isinstance(loc[index - 1], int) else None
            path += f"[{step}]" if named is None else f".{named}"
            pattern += "[*]" if named is None else f".{named}"
        elif not _is_tag(step, loc, index):
            path += f".{step}" if path else step
            pattern += f".{step}" if pattern else step
    return path, pattern


def _is_tag(step: str, loc: tuple[int | str, ...], index: int) -> bool:
    # pydantic puts the tag of the chosen member behind the index of a union's item.
    follows_index = index > 0 and isinstance(loc[index - 1], int)
    return follows_index and (step.isupper() or step == UNKNOWN_TAG) and index < len(loc) - 1


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


def _words(item: ErrorDetails) -> str:
    kind = item["type"]
    if kind == "missing":
        return "is missing"
    if kind == "json_invalid":
        return f"{_NOT_JSON} ({item['msg'].removeprefix('Invalid JSON: ')})"
    given = item["input"]
    shown = repr(given)
    shown = shown if len(shown) <= _EXCERPT else f"{shown[:_EXCERPT]}…"
    name = {"dict": "object", "list": "array", "str": "string", "NoneType": "null"}.get(type(given).__name__)
    expected = {
        "string_pattern_mismatch": "a decimal string",
        "string_type": "a string",
        "model_type": "an object",
        "model_attributes_type": "an object",
        "dict_type": "an object",
        "list_type": "an array",
        "tuple_type": "an array",
        "int_type": "an integer",
        "bool_type": "true or false",
    }.get(kind)
    if expected is None:
        return f"{item['msg'][0].lower()}{item['msg'][1:]}, got {shown}"
    return f"should be {expected}, got {name + ' ' if name and name != 'string' else ''}{shown}"
