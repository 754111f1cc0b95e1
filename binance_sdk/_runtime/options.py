"""Settings of one call, and its answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Generic, Literal, TypeVar, cast, get_args, overload

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
    """What one call does differently from its client; None leaves a setting as it is.

    Args:
        timeout: Seconds for connection and whole answer, each attempt; above 0, at most 1 000 000.
        max_retries: Attempts after the first one, from 0, which switches retries off, to 1000.
        headers: Sent besides the client's own: printable ASCII, values of at most 8000 characters.
        wait: False raises ``BudgetError`` instead of waiting for the budget.
        deadline: Seconds the whole call may take, waiting and retries included; above 0, at most 1 000 000.
        priority: Place in the queue for the budget: ``high`` (a health probe, a book snapshot), ``normal``, or ``low``
            (a backfill).
        cache: Whether an answer that still holds will do; a number sets its lifetime in seconds, from 0 to 1 000 000.
        bad_rows: What becomes of a list with a row that is not what the spec says: ``raise`` (the usual) fails the
            call with a ``DecodeError`` naming the row; ``skip`` leaves the row out, tells the hooks (``RowSkipped``)
            and counts it (``Response.skipped``). Rows are the items of an answer, and the objects in the lists of an
            answer that is one object, as the symbols of ``exchange_info``; a bad price level always fails its book,
            which would be wrong without it. More than a hundred bad rows, if they are the most, fail the call as well.

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
            # Their values may be secrets.
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
        """These settings where they are made, those of ``other`` elsewhere."""
        if other is None:
            return self
        mine = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}
        if self.headers and other.headers:
            mine["headers"] = {**other.headers, **self.headers}
        return replace(other, **mine)


def check_options(value: object, name: str = "options") -> RequestOptions:
    """What stands where ``RequestOptions`` are wanted.

    Raises:
        ConfigError: it is something else, a dict say.
    """
    return check_instance(name, value, RequestOptions)


def check_cache(value: object) -> None:
    """True, False, or seconds."""
    if not isinstance(value, bool):
        check_number("cache", value, 0, MOST_SECONDS, " of seconds", "True, False or ")


def _check_priority(value: object) -> None:
    # By type first: some objects, an array say, cannot be compared with a str.
    if value is not None and not (isinstance(value, str) and value in get_args(Priority)):
        refuse("priority", value, "must be 'high', 'normal' or 'low'")


def _check_bad_rows(value: object) -> None:
    if value is not None and not (isinstance(value, str) and value in get_args(BadRows)):
        refuse("bad_rows", value, "must be 'raise' or 'skip'")


def _check_headers(headers: object) -> None:
    if headers is None:
        return
    if not isinstance(headers, Mapping):
        # What it holds may be a secret, so it is not shown.
        kind = type(headers).__name__
        raise ConfigError(f'headers must be a mapping of names to values, like {{"X-Name": "value"}}, not a {kind}')
    for name, text in cast("Mapping[object, object]", headers).items():
        _check_header(name, text)


def _check_header(name: object, value: object) -> None:
    if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
        raise ConfigError(f"headers: {shown(name)} is no name of a header")
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or len(value) > _LONGEST_HEADER:
        # The value may be a secret, so it is not shown.
        text = f"must be a str of at most {_LONGEST_HEADER} printable ASCII characters"
        raise ConfigError(f"headers: the value of {shown(name)} {text}")


class Headers(Mapping[str, str]):
    """Response headers: names are case-insensitive, repeated ones joined by a comma."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, str] | None = None) -> None:
        self._items: dict[str, str] = {}
        for name, value in (items or {}).items():
            key = name.lower()
            self._items[key] = f"{self._items[key]}, {value}" if key in self._items else value

    def __getitem__(self, name: str) -> str:
        return self._items[name.lower()]

    @overload
    def get(self, name: str, /) -> str | None: ...
    @overload
    def get(self, name: str, /, default: str | T) -> str | T: ...
    def get(self, name: str, /, default: object = None) -> object:
        # A missing header is the usual case; the inherited way pays for an exception.
        return self._items.get(name.lower(), default)

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._items

    def __repr__(self) -> str:
        return f"Headers({self._items!r})"


@dataclass(frozen=True, slots=True)
class Response(Generic[T_co]):
    """One answer with everything around it.

    Args:
        data: The decoded answer.
        status_code: HTTP status.
        headers: Response headers.
        content: The bytes of the body, decompressed.
        weight: Request weight charged for this call, as the spec says.
        used_weight: The server's own count for the running window; None where it sent none.
        url: What was asked.
        elapsed: Seconds from sending to the whole answer.
        retries: Attempts before this one.
        skipped: Rows left out of ``data`` because they are not what the spec says; see ``RequestOptions.bad_rows``.
    """

    data: T_co
    status_code: int
    headers: Headers
    content: bytes = field(repr=False)
    weight: int
    used_weight: int | None
    url: str
    elapsed: float
    retries: int
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What a call costs, known before it is made.

    Args:
        operation: The endpoint, e.g. ``spot.depth``.
        requests: Number of requests; for an iterator the most it needs where no row is missing in between and pages are
            as large as documented.
        weight: Request weight of all of them.
        groups: Requests by named group, e.g. ``{"funding_rate": 1}``.
        at_least: Least seconds all of it takes within the limits of an otherwise unused minute.
    """

    operation: str
    requests: int
    weight: int
    groups: Mapping[str, int]
    at_least: float
