"""Single values in Virtuoso's form: floats, times as text, and arguments that are checked by name."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias, TypeGuard

from binance_sdk.errors import ParameterError, shown

__all__ = ["Row", "is_number", "iso", "milliseconds", "positive", "read_count"]

Row: TypeAlias = dict[str, Any]
"""One of Virtuoso's dicts."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTES = 256
"""Minutes whose text is cached: the trades of an hour lie in sixty of them."""
_SECONDS_BELOW = 100_000_000_000
"""Epoch numbers below this are seconds: as milliseconds they would lie in 1973."""
_LATEST = 253_402_300_799_999
"""The end of the year 9999, in milliseconds."""


def iso(ms: int) -> str:
    """Epoch milliseconds as ``2026-01-17T12:02:07.250Z``."""
    minute, rest = divmod(ms, 60_000)
    return f"{_minute(minute)}{rest // 1000:02d}.{rest % 1000:03d}Z"


@lru_cache(_MINUTES)
def _minute(minute: int) -> str:
    return (_EPOCH + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:")


def read_count(value: object, name: str, most: int | None = None) -> int:
    """A whole number of at least 1.

    Args:
        value: What the caller passed.
        name: The parameter it was passed for.
        most: The largest one allowed.

    Raises:
        ParameterError: it is something else, or too large.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1 and (most is None or value <= most):
        return value
    wanted = "a whole number of at least 1" if most is None else f"a whole number from 1 to {most}"
    raise ParameterError(f"{name}={shown(value)} must be {wanted}", parameter=name, value=value)


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether it is an int or a float; a bool is neither here."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def positive(value: Decimal | str | int | float | None) -> float | None:
    """As a float where it is above zero; None where it is not: Binance writes 0 for a value that does not exist."""
    number = None if value is None else float(value)
    return number if number is not None and 0 < number < math.inf else None


def milliseconds(moment: int | float | datetime | None) -> int | None:
    """Epoch milliseconds of seconds, milliseconds or a datetime (a naive one is UTC).

    Raises:
        ParameterError: it is something else.
    """
    if moment is None:
        return None
    if isinstance(moment, datetime):
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return round((aware - _EPOCH) / timedelta(milliseconds=1))
    if not is_number(moment) or not abs(moment) <= _LATEST:
        text = f"time={shown(moment)} must be epoch milliseconds or a datetime"
        raise ParameterError(text, parameter="time", value=moment)
    return round(moment * 1000) if abs(moment) < _SECONDS_BELOW else round(moment)
