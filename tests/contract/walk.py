"""An answer and its JSON, walked side by side."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from binance_sdk._runtime.answers.row import Row

Step = int | str


@dataclass(frozen=True)
class Place:
    """A model or row, with the JSON it was read from and the way there."""

    value: Any
    wire: Any
    path: tuple[Step, ...]

    @property
    def spelled(self) -> str:
        """As a ``DecodeError`` spells it: ``symbols[3].filters[0]``."""
        text = ""
        for step in self.path:
            text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
        return text

    def field(self, name: str) -> str:
        return f"{self.spelled}.{name}" if self.path else name


def places(value: Any, wire: Any, path: tuple[Step, ...] = ()) -> Iterator[Place]:
    """Every model and row inside an answer, outermost first."""
    if isinstance(value, BaseModel):
        yield Place(value, wire, path)
        for name, field in type(value).model_fields.items():
            key = field.alias or name
            if key in wire:
                yield from places(getattr(value, name), wire[key], (*path, key))
    elif isinstance(value, Row):
        yield Place(value, wire, path)
    elif isinstance(value, list):
        for index, (item, part) in enumerate(zip(value, wire, strict=True)):
            yield from places(item, part, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, wire[key], (*path, key))


def at(document: Any, path: tuple[Step, ...]) -> Any:
    for step in path:
        document = document[step]
    return document


def changed(document: Any, path: tuple[Step, ...], value: Any) -> Any:
    """A copy of the document with one value replaced."""
    changed_copy = copy.deepcopy(document)
    at(changed_copy, path[:-1])[path[-1]] = value
    return changed_copy


def without(document: Any, path: tuple[Step, ...]) -> Any:
    """A copy of the document with one member removed."""
    changed_copy = copy.deepcopy(document)
    del at(changed_copy, path[:-1])[path[-1]]
    return changed_copy
