"""What a decoded event holds: one of its fields by path, and every model in it."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from typing import Any

from pydantic import BaseModel


def at(value: object, path: str) -> Any:
    """The field at a path such as ``kline.open_time``."""
    return attrgetter(path)(value)


def models(value: object) -> Iterator[BaseModel]:
    """A model and all below it."""
    if isinstance(value, BaseModel):
        yield value
        for name in type(value).model_fields:
            yield from models(getattr(value, name))
    elif isinstance(value, list):
        for item in value:
            yield from models(item)
