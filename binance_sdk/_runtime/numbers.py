"""JSON numbers as they are written, however many digits they have.

pydantic-core reads a number with a point or an exponent into a double, and keeps some sixteen digits. Such numbers are
rare in market data: prices are texts. So the quick way of reading refuses them, and the text is read once more, with
each of them marked as what it is.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from contextvars import ContextVar
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal, InvalidOperation
from typing import Any, cast

from pydantic_core import CoreSchema, PydanticCustomError, core_schema

INEXACT = "inexact_number"
"""Type of the error with which the quick way refuses a number that may have more digits than a double."""
NUMBER, ANYTHING = "number", "anything"
ROLE = "binance_sdk.numbers"
"""Key in the metadata of a schema: which of the two it is."""

_MARK = f"<number {secrets.token_hex(16)}>"
"""Unguessable, so that no text of an answer is taken for a marked number."""
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?')
_DUMPED = re.compile(f'"{re.escape(_MARK)}([^"]*)"')
_DUMPING: ContextVar[bool] = ContextVar("binance_sdk_dumping", default=False)


_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[InvalidOperation])


class WireNumber(Decimal):
    """A decimal that came as a JSON number where a text is usual, or where a double could not hold it."""

    __slots__ = ()

    def __str__(self) -> str:
        # What pydantic-core writes for a decimal; ``numbers_written`` makes a number of the marked text.
        text = super().__str__()
        return f"{_MARK}{text}" if _DUMPING.get() else text


def marked(text: str) -> str:
    """JSON in which every number with a point or an exponent is a marked text."""
    return _TOKEN.sub(_mark, text)


def _mark(match: re.Match[str]) -> str:
    token = match[0]
    exact = token[0] == '"' or not ("." in token or "e" in token or "E" in token)
    return token if exact else f'"{_MARK}{token}"'


# --------------------------------------------------------------------------------------- schemas


def number_schema(made: Callable[[int | float | str], Decimal]) -> CoreSchema:
    """A JSON number, handed to ``made`` as int, float or, where it was marked, text."""
    number = core_schema.union_schema(
        [core_schema.int_schema(strict=True), core_schema.float_schema(strict=True, allow_inf_nan=False)],
        mode="left_to_right",
    )
    return core_schema.no_info_after_validator_function(made, number, metadata={ROLE: NUMBER})


def anything_schema(*marks: str) -> CoreSchema:
    """Any JSON value; ``marks`` are further keys of its metadata."""
    return core_schema.any_schema(metadata={ROLE: ANYTHING, **dict.fromkeys(marks, True)})


def quick(node: dict[str, Any]) -> CoreSchema:
    """The schema of a role for the quick way, which refuses what may be inexact."""
    refused = core_schema.no_info_plain_validator_function(_refuse)
    if node["metadata"][ROLE] == NUMBER:
        exact = core_schema.no_info_after_validator_function(
            node["function"]["function"], core_schema.int_schema(strict=True)
        )
        doubtful = core_schema.no_info_after_validator_function(_refuse, core_schema.float_schema(strict=True))
        return core_schema.union_schema([exact, doubtful], mode="left_to_right")
    plain: list[CoreSchema | tuple[CoreSchema, str]] = [
        core_schema.str_schema(strict=True),
        core_schema.int_schema(strict=True),
        core_schema.bool_schema(strict=True),
        core_schema.none_schema(),
        refused,
    ]
    return core_schema.union_schema(plain, mode="left_to_right")


def exact(node: dict[str, Any]) -> CoreSchema:
    """The schema of a role for marked text."""
    if node["metadata"][ROLE] == NUMBER:
        text = core_schema.str_schema(strict=True, pattern=f"^{re.escape(_MARK)}")
        both = core_schema.union_schema([core_schema.int_schema(strict=True), text], mode="left_to_right")
        return core_schema.no_info_after_validator_function(_unmarking(node["function"]["function"]), both)
    return core_schema.no_info_plain_validator_function(_unmarked)


def _refuse(value: object) -> object:
    if _holds_float(value):
        raise PydanticCustomError(INEXACT, "may have more digits than a double")
    return value


def _holds_float(value: object) -> bool:
    if isinstance(value, dict):
        return any(_holds_float(item) for item in cast("dict[str, object]", value).values())
    if isinstance(value, list):
        return any(_holds_float(item) for item in cast("list[object]", value))
    return isinstance(value, float)


def _unmarking(made: Callable[[int | float | str], Decimal]) -> Callable[[int | str], Decimal]:
    def unmark(value: int | str) -> Decimal:
        if isinstance(value, int):
            return made(value)
        text = value.removeprefix(_MARK)
        _decimal(text)
        return made(text)

    return unmark


def _unmarked(value: object) -> object:
    """Marked texts as numbers: floats where these are exact, decimals where they are not."""
    if isinstance(value, str):
        return _number(value.removeprefix(_MARK)) if value.startswith(_MARK) else value
    if isinstance(value, dict):
        return {key: _unmarked(item) for key, item in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [_unmarked(item) for item in cast("list[object]", value)]
    if isinstance(value, float):
        # Every number of JSON was marked; pydantic-core reads these as well, and they would be written as null.
        raise PydanticCustomError("json_invalid", "NaN or Infinity is no value of it")
    return value


def _number(text: str) -> float | WireNumber:
    decimal = _decimal(text)
    return float(text) if is_float(decimal) else decimal


def _decimal(text: str) -> WireNumber:
    try:
        return WireNumber(text, _EXACT)
    except InvalidOperation:
        raise PydanticCustomError("number_range", "is a number with an exponent beyond any sense") from None


def is_float(value: Decimal) -> bool:
    """Whether the shortest text of the nearest double says the same."""
    return Decimal(repr(float(value))) == value


# --------------------------------------------------------------------------------------- writing


def dumped_number(value: Decimal) -> object:
    """A decimal as a JSON number."""
    exponent = value.as_tuple().exponent
    if exponent == 0:
        return int(value)
    return float(value) if is_float(value) else WireNumber(value)


def numbers_written(dump: Callable[[], str]) -> str:
    """What ``dump`` gives, with every number as it was read."""
    token = _DUMPING.set(True)
    try:
        text = dump()
    finally:
        _DUMPING.reset(token)
    # What is left of the mark after that stands within a text that somebody else made of the number.
    return _DUMPED.sub(r"\1", text).replace(_MARK, "") if _MARK in text else text
