"""Settings of one call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal, TypeVar, cast, get_args

from binance_sdk._runtime.setting_checks import (
    MOST_RETRIES,
    MOST_SECONDS,
    check_count,
    check_flag,
    check_instance,
    check_number,
    check_seconds,
    refuse,
)
from binance_sdk.errors import ConfigError, shown

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Priority = Literal["high", "normal", "low"]
BadRows = Literal["raise", "skip"]

_LONGEST_HEADER = 8000
"""Servers refuse longer ones."""
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """Settings of one call; None keeps the setting of the client.

    Args:
        timeout: Seconds for connection and whole answer, each attempt; above 0, at most 1 000 000.
        max_retries: Attempts after the first one, from 0, which switches retries off, to 1000.
        headers: Sent in addition to the client's: printable ASCII, values of at most 8000 characters.
        wait: False raises ``BudgetError`` instead of waiting for the budget.
        deadline: Seconds that the whole call may take, waiting and retries included; above 0, at most 1 000 000.
        priority: Place in the queue for the budget: ``high`` (a health probe, a book snapshot), ``normal``, or ``low``
            (a backfill).
        cache: Whether a cached answer may be used; a number sets how long answers stay valid, 0 to 1 000 000 seconds.
        bad_rows: What happens to a list with a row that differs from the spec: ``raise`` (the default) fails the call
            with a ``DecodeError`` that names the row; ``skip`` leaves the row out, calls the hooks (``RowSkipped``)
            and counts it (``Response.skipped``). Rows are the items of an answer, and the objects in the lists of an
            answer that is one object, such as the symbols of ``exchange_info``; a bad price level always fails the
            call, as its book would be wrong. So do more than a hundred bad rows if they are more than half.

    Raises:
        ConfigError: a setting is wrong; the message names it.
    """

    timeout: float | None = None
    max_retries: int | None = None
    headers: Mapping[str, str] | None = None
    wait: bool | None = None
    deadline: float | None = None
    priority: Priority | None = None
    cache: bool | float | None = None
    bad_rows: BadRows | None = None

    def __repr__(self) -> str:
        given = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}
        if self.headers:
            # Header values may be secrets.
            given["headers"] = dict.fromkeys(self.headers, "***")
        return f"RequestOptions({', '.join(f'{name}={value!r}' for name, value in given.items())})"

    def __post_init__(self) -> None:
        for name in ("timeout", "deadline"):
            seconds: object = getattr(self, name)
            if seconds is not None:
                check_seconds(name, seconds)
        if self.max_retries is not None:
            check_count("max_retries", self.max_retries, 0, MOST_RETRIES)
        if self.wait is not None:
            check_flag("wait", self.wait)
        if self.cache is not None:
            check_cache(self.cache)
        _check_headers(self.headers)
        _check_priority(self.priority)
        _check_bad_rows(self.bad_rows)

    def over(self, other: RequestOptions | None) -> RequestOptions:
        """These settings, and those of ``other`` where these are None."""
        if other is None:
            return self
        mine = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}
        if self.headers and other.headers:
            mine["headers"] = {**other.headers, **self.headers}
        return replace(other, **mine)


def check_options(value: object, name: str = "options") -> RequestOptions:
    """The value, checked to be a ``RequestOptions``.

    Raises:
        ConfigError: it is something else, such as a dict.
    """
    return check_instance(name, value, RequestOptions)


def check_cache(value: object) -> None:
    """Check that the value is True, False, or a number of seconds."""
    if not isinstance(value, bool):
        check_number("cache", value, 0, MOST_SECONDS, " of seconds", "True, False or ")


def _check_priority(value: object) -> None:
    # The type first, as some objects, such as arrays, cannot be compared with a str.
    if value is not None and not (isinstance(value, str) and value in get_args(Priority)):
        refuse("priority", value, "must be 'high', 'normal' or 'low'")


def _check_bad_rows(value: object) -> None:
    if value is not None and not (isinstance(value, str) and value in get_args(BadRows)):
        refuse("bad_rows", value, "must be 'raise' or 'skip'")


def _check_headers(headers: object) -> None:
    if headers is None:
        return
    if not isinstance(headers, Mapping):
        # It may hold a secret, so it is not shown.
        kind = type(headers).__name__
        raise ConfigError(f'headers must be a mapping of names to values, like {{"X-Name": "value"}}, not a {kind}')
    for name, text in cast("Mapping[object, object]", headers).items():
        _check_header(name, text)


def _check_header(name: object, value: object) -> None:
    if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
        raise ConfigError(f"headers: {shown(name)} is not a valid header name")
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or len(value) > _LONGEST_HEADER:
        # The value may be a secret, so it is not shown.
        text = f"must be a str of at most {_LONGEST_HEADER} printable ASCII characters"
        raise ConfigError(f"headers: the value of {shown(name)} {text}")
