"""Settings of one call, and its answer."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Generic, Literal, TypeGuard, TypeVar, overload

from binance_sdk.errors import ConfigError

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Priority = Literal["high", "normal", "low"]

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


@dataclass(frozen=True, slots=True)
class RequestOptions:
    """What one call does differently from its client; None leaves a setting as it is.

    Args:
        timeout: Seconds for connection and whole answer, each attempt.
        max_retries: Attempts after the first one; 0 switches retries off.
        headers: Sent besides the client's own.
        wait: False raises ``BudgetError`` instead of waiting for the budget.
        deadline: Seconds the whole call may take, waiting and retries included.
        priority: Place in the queue for the budget: ``high`` (a health probe, a book snapshot), ``normal``, or ``low``
            (a backfill).
        cache: Whether an answer that still holds will do; a number sets its lifetime in seconds.
    """

    timeout: float | None = None
    max_retries: int | None = None
    headers: Mapping[str, str] | None = None
    wait: bool | None = None
    deadline: float | None = None
    priority: Priority | None = None
    cache: bool | float | None = None

    def __post_init__(self) -> None:
        for name in ("timeout", "deadline"):
            value: object = getattr(self, name)
            if value is not None and not (_is_number(value) and 0 < value < math.inf):
                raise ConfigError(f"{name}={value!r} must be a positive number of seconds")
        cache = self.cache
        if cache is not None and not isinstance(cache, bool) and not (_is_number(cache) and 0 <= cache < math.inf):
            raise ConfigError(f"cache={cache!r} must be True, False or a number of seconds")
        retries = self.max_retries
        if retries is not None and not _is_count(retries):
            raise ConfigError(f"max_retries={retries!r} must be an int, 0 or more")
        for name, text in (self.headers or {}).items():
            _check_header(name, text)
        if self.priority not in (None, "high", "normal", "low"):
            raise ConfigError(f"priority={self.priority!r} must be 'high', 'normal' or 'low'")

    def over(self, other: RequestOptions | None) -> RequestOptions:
        """These settings where they are made, those of ``other`` elsewhere."""
        if other is None:
            return self
        mine = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}
        if self.headers and other.headers:
            mine["headers"] = {**other.headers, **self.headers}
        return replace(other, **mine)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _check_header(name: object, value: object) -> None:
    if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
        raise ConfigError(f"headers: {name!r} is no name of a header")
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        # The value may be a secret, so it is not shown.
        raise ConfigError(f"headers: the value of {name!r} must be a str of printable ASCII characters")


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
