"""An answer or a message without the rows that are not what the spec says, for who would rather have the others."""

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

_FEW = 100
"""So many bad rows are the exception in an answer of any length."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that was left out.

    Args:
        row: Its place in the list, from 0; for a list within an object with the name of that, e.g. ``symbols[3]``.
        problem: What is wrong with it.
    """

    row: int | str
    problem: str


def good_rows(type_: Any, content: bytes) -> tuple[Any, tuple[BadRow, ...]] | None:
    """``content`` read as ``type_`` without its bad rows; None where that does not help.

    Rows are the items of a list, and where an answer is one object the objects in its lists, as the symbols of an
    exchangeInfo. A bad price level is none of them: without it a book would be wrong. More than a hundred bad rows, if
    they are the most, are no exceptions, but an answer that is not what the spec says.
    """
    try:
        text = content.decode()
        item = item_type(type_)
        if item is not None:
            sieve = _Sieve()
            return [row for row, _ in sieve.good(item, text)], tuple(sieve.bad)
        if isinstance(type_, type) and issubclass(type_, BaseModel):
            return _good_members(type_, text)
    except (ValueError, RecursionError, _NotWorthIt):
        # ValueError includes pydantic's: something else is wrong too.
        pass
    return None


def _good_members(model: type[BaseModel], text: str) -> tuple[Any, tuple[BadRow, ...]]:
    lists = _lists_of_objects(model)
    sieve = _Sieve()
    kept: list[str] = []
    for key, part in object_members(text):
        if key in lists and part.startswith("["):
            part = f"[{','.join(text for _, text in sieve.good(lists[key], part, key))}]"
        kept.append(f"{json.dumps(key)}:{part}")
    found = _reader_of(model).read(f"{{{','.join(kept)}}}")
    return found, tuple(sieve.bad)


class _NotWorthIt(Exception):
    pass


class _Sieve:
    """Lets the good rows pass."""

    def __init__(self) -> None:
        self.bad: list[BadRow] = []

    def good(self, item: object, text: str, within: str = "") -> Iterator[tuple[Any, str]]:
        """Each good row with its text.

        Raises:
            _NotWorthIt: most of them are bad.
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
                if bad > _FEW and bad * 2 > index + 1:
                    raise _NotWorthIt from error
            else:
                yield found, part


@lru_cache(maxsize=512)
def _reader_of(type_: Any) -> JsonReader:
    return JsonReader(type_adapter(type_))


@lru_cache(maxsize=512)
def _lists_of_objects(model: type[BaseModel]) -> dict[str, object]:
    """Wire name of the fields that are lists of objects, and the type of these."""
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
