"""Moments as people write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import TypeAlias

from binance_sdk._runtime.calls.parameters import InvalidValue, milliseconds
from binance_sdk.errors import ParameterError, shown

Moment: TypeAlias = str | int | date | datetime
"""A date (``2020-01-01``, its beginning in UTC), an aware datetime or its ISO text, or milliseconds since 1970."""


def read_moment(name: str, value: object, caller: str = "history.plan") -> int:
    """Milliseconds since 1970 of a moment as users write it.

    Args:
        name: The argument it was given as.
        value: The moment.
        caller: What was called, for messages.

    Raises:
        ParameterError: It is none.
    """

    def wrong(reason: str) -> ParameterError:
        return ParameterError(f"{caller}: {name}={shown(value)} {reason}", parameter=name, value=value)

    if value is None:
        raise wrong("is required: a date such as '2020-01-01', an aware datetime, or milliseconds")
    moment: object = value
    if isinstance(value, str):
        found = _from_text(value)
        if found is None:
            raise wrong("is no date: write it as '2020-01-01' or '2020-01-01T12:00:00+00:00'")
        moment = found
    elif isinstance(value, date) and not isinstance(value, datetime):
        moment = datetime.combine(value, time(), UTC)
    try:
        return milliseconds(moment)
    except InvalidValue as reason:
        raise wrong(str(reason)) from reason


def _from_text(text: str) -> datetime | None:
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
