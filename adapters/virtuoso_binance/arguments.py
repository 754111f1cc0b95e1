"""Arguments of the methods that Virtuoso calls, read and checked by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from binance_sdk.errors import ParameterError, shown
from virtuoso_binance.scalars import is_number, read_count

__all__ = ["read_rows", "read_span", "read_symbols"]

_LARGEST_LIMIT = 10**7
"""More rows than Binance has of anything but trades."""
_LONGEST_SPAN = 10**9
"""Seconds or hours that a caller may look back."""


def read_symbols(value: object) -> Iterable[object]:
    """One symbol or several.

    Raises:
        ParameterError: it is neither.
    """
    if isinstance(value, str | Mapping):
        return [cast("object", value)]
    if not isinstance(value, Iterable) or isinstance(value, bytes):
        text = f"symbols={shown(value)} must be a list of symbols, as ['BTCUSDT']; leave it out for all"
        raise ParameterError(text, parameter="symbols", value=value)
    return cast("Iterable[object]", value)


def read_rows(limit: object) -> int:
    """A number of rows wished for.

    Raises:
        ParameterError: it is no such number.
    """
    return read_count(limit, "limit", _LARGEST_LIMIT)


def read_span(value: object, name: str) -> float:
    """Seconds or hours to look back.

    Raises:
        ParameterError: it is no such number.
    """
    if not is_number(value) or not 0 <= value <= _LONGEST_SPAN:
        text = f"{name}={shown(value)} must be a number from 0 to {_LONGEST_SPAN}"
        raise ParameterError(text, parameter=name, value=value)
    return value
