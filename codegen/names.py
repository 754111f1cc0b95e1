"""Wire names into Python names. Names are decided here, never by a tool downstream."""

from __future__ import annotations

import builtins
import keyword
import re

from pydantic import BaseModel

_ACRONYM = re.compile(r"([A-Z]+)([A-Z][a-z])")
_BOUNDARY = re.compile(r"([a-z0-9])([A-Z])")

# Parameters and fields that shadow a builtin but are what everybody calls these things.
_ACCEPTED = frozenset({"type", "id"})


def snake(wire: str) -> str:
    """``CMCCirculatingSupply`` as ``cmc_circulating_supply``, ``isRPITrade`` as ``is_rpi_trade``."""
    spaced = _ACRONYM.sub(r"\1_\2", wire)
    return _BOUNDARY.sub(r"\1_\2", spaced).lower()


def pascal(name: str) -> str:
    """``ticker_24hr`` as ``Ticker24hr``."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def refusal(name: str) -> str | None:
    """Why ``name`` cannot be a field or parameter, or None where it can."""
    if keyword.iskeyword(name):
        return "is a Python keyword"
    if name in _ACCEPTED:
        return None
    if hasattr(builtins, name):
        return "shadows a Python builtin"
    if hasattr(BaseModel, name):
        return "is a method of every pydantic model"
    if name.startswith("model_"):
        return "begins with pydantic's own prefix `model_`"
    return None


def english_list(words: list[str], conjunction: str = "and") -> str:
    """``["a", "b", "c"]`` as ``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {conjunction} {words[-1]}"
