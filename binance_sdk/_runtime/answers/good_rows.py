"""Decodes an answer or a message without its bad rows, for callers who want the others anyway."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from binance_sdk._runtime.answers.json_text import array_items, object_members
from binance_sdk._runtime.answers.problems import item_problem, item_type
from binance_sdk._runtime.answers.row import Row
from binance_sdk._runtime.json_validator import JsonReader
from binance_sdk._runtime.type_adapter import type_adapter

_ALWAYS_SKIPPED = 100
"""So many bad rows may be skipped in an answer of any length."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out.

    Args:
        row: Its index in the list; for a list inside an object with the name of the list, e.g. ``symbols[3]``.
        problem: What is wrong with it.
    """

    row: int | str
    problem: str


def good_rows(type_: Any, content: bytes) -> tuple[Any, tuple[BadRow, ...]] | None:
    """``content`` read as ``type_`` without its bad rows; None if that is not possible.

    Rows are the items of a list or, in an answer that is one object, the objects in its lists, such as the symbols of
    exchangeInfo. Price levels are not skipped: without one, a book would be wrong. An answer with more than a hundred
    bad rows that are more than half of it is not read at all.
    """
    try:
        text = content.decode()
        item = item_type(type_)
        if item is not None:
            rows = _RowFilter()
            return [row for row, _ in rows.good(item, text)], tuple(rows.bad)
        if isinstance(type_, type) and issubclass(type_, BaseModel):
            return _good_members(type_, text)
    except (ValueError, RecursionError, _TooManyBadRows):
        # ValueError includes ValidationError: something other than rows is wrong too.
        pass
    return None


def _good_members(model: type[BaseModel], text: str) -> tuple[Any, tuple[BadRow, ...]]:
    lists = _lists_of_objects(model)
    rows = _RowFilter()
    members: list[str] = []
    for key, part in object_members(text):
        if key in lists and part.startswith("["):
            part = f"[{','.join(text for _, text in rows.good(lists[key], part, key))}]"
        members.append(f"{json.dumps(key)}:{part}")
    found = _reader_of(model).read(f"{{{','.join(members)}}}")
    return found, tuple(rows.bad)


class _TooManyBadRows(Exception):
    pass


class _RowFilter:
    """Lets good rows pass and records bad ones."""

    def __init__(self) -> None:
        self.bad: list[BadRow] = []

    def good(self, item: object, text: str, within: str = "") -> Iterator[tuple[Any, str]]:
        """Each good row with its text.

        Raises:
            _TooManyBadRows: more than half of them are bad.
        """
        read = _reader_of(item).read
        bad_before = len(self.bad)
        for index, part in enumerate(array_items(text)):
            try:
                found = read(part)
            except ValidationError as error:
                place = f"{within}[{index}]" if within else index
                self.bad.append(BadRow(place, item_problem(item, part, error)))
                bad = len(self.bad) - bad_before
                if bad > _ALWAYS_SKIPPED and bad * 2 > index + 1:
                    raise _TooManyBadRows from error
            else:
                yield found, part


@lru_cache(maxsize=512)
def _reader_of(type_: Any) -> JsonReader:
    return JsonReader(type_adapter(type_))


@lru_cache(maxsize=512)
def _lists_of_objects(model: type[BaseModel]) -> dict[str, object]:
    """Wire names of the fields that are lists of objects, with the type of the objects."""
    found: dict[str, object] = {}
    for name, field in model.model_fields.items():
        item = item_type(field.annotation)
        if item is not None and _is_object(item):
            found[field.alias or name] = item
    return found


def _is_object(type_: object) -> bool:
    if isinstance(type_, type):
        return issubclass(type_, BaseModel) and not issubclass(type_, Row)
    members = cast("tuple[object, ...]", getattr(type_, "__args__", ()))
    return bool(members) and all(_is_object(member) for member in members)
