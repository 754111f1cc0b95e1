"""Makes pydantic's ``TypeAdapter`` for the type of an answer or an event, with the settings of the models."""

from __future__ import annotations

from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, TypeAdapter

from binance_sdk._runtime.locks import IMPORT_LOCK

CACHE_STRINGS: Literal["keys"] = "keys"
"""Field names repeat; prices hardly ever do, and looking each of them up takes a sixth of the time of decoding."""


def type_adapter(type_: object) -> TypeAdapter[Any]:
    """A new adapter with the setting that models have themselves."""
    alone = isinstance(type_, type) and issubclass(cast("type[object]", type_), BaseModel)
    config = None if alone else ConfigDict(cache_strings=CACHE_STRINGS)
    with IMPORT_LOCK:
        # Pydantic imports more of itself when the first adapter is made.
        return TypeAdapter[Any](cast("type[Any]", type_), config=config)
