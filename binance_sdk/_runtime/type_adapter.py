"""Pydantic's adapter for the type of an answer or an event."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

CACHE_STRINGS: Literal["keys"] = "keys"
"""Names of fields come again and again; prices hardly ever do, and to look each up costs a sixth of a decode."""


def type_adapter(type_: Any) -> TypeAdapter[Any]:
    """Built with the same setting as the models, which bring their own where they stand alone."""
    if isinstance(type_, type) and issubclass(type_, BaseModel):
        return TypeAdapter(type_)
    return TypeAdapter(type_, config=ConfigDict(cache_strings=CACHE_STRINGS))
