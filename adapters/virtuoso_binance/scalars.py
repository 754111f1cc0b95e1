"""The edge where exact numbers become floats: only here, and straight from what came over the wire."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias

from binance_sdk.errors import ParameterError, shown

__all__ = ["Row", "is_count", "is_number", "iso", "milliseconds", "positive"]

Row: TypeAlias = dict[str, Any]
"""One of Virtuoso's dicts."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTES = 256
"""Kept as text: the trades of an hour lie in sixty of them."""
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


def is_count(value: object) -> bool:
    """Whether it is an int of 1 or more; True is none."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def is_number(value: object) -> bool:
    """Whether it is an int or a float; True is none."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def positive(value: Decimal | str | int | float | None) -> float | None:
    """As a float where it is above zero; where it is not, Binance says 0 for "there is none"."""
    number = None if value is None else float(value)
    return number if number is not None and 0 < number < math.inf else None


def milliseconds(moment: int | float | datetime | None) -> int | None:
    """Epoch milliseconds of seconds, milliseconds or a datetime (a naive one is UTC).

    Raises:
        ParameterError: it is none of these.
    """
    if moment is None:
        return None
    if isinstance(moment, datetime):
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return round((aware - _EPOCH) / timedelta(milliseconds=1))
    if not is_number(moment) or not abs(moment) <= _LATEST:
        text = f"{shown(moment)} is no time; pass epoch milliseconds or a datetime"
        raise ParameterError(text, parameter="time", value=moment)
    return round(moment * 1000) if abs(moment) < _SECONDS_BELOW else round(moment)
