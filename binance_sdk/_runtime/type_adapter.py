"""Pydantic's adapter for the type of an answer or an event, and the settings that go with it."""

from __future__ import annotations

from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, TypeAdapter

from binance_sdk._runtime.locks import IMPORT_LOCK

CACHE_STRINGS: Literal["keys"] = "keys"
"""Names of fields come again and again; prices hardly ever do, and to look each up costs a sixth of a decode."""


def type_adapter(type_: object) -> TypeAdapter[Any]:
    """Built with the same setting as the models, which bring their own where they stand alone."""
    alone = isinstance(type_, type) and issubclass(cast("type[object]", type_), BaseModel)
    config = None if alone else ConfigDict(cache_strings=CACHE_STRINGS)
    with IMPORT_LOCK:
        # Pydantic imports some of itself only now.
        return TypeAdapter[Any](cast("type[Any]", type_), config=config)
