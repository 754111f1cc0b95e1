"""``Response``, an answer with its status and headers, and ``Plan``, the cost of a call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar, overload

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


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
        # Most lookups find no header; the inherited method raises and catches a KeyError for each.
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
    """An answer with its status, headers and cost.

    Args:
        data: The decoded answer.
        status_code: HTTP status.
        headers: Response headers.
        content: The bytes of the body, decompressed.
        weight: Request weight charged for this call, as the spec says.
        used_weight: Weight that the server has counted in the running window; None if it did not say.
        url: URL of the request.
        elapsed: Seconds from sending the request to the end of the answer.
        retries: Attempts before this one.
        skipped: Rows left out of ``data`` because they differ from the spec; see ``RequestOptions.bad_rows``.
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
        requests: Number of requests; for an iterator the most it needs if no row is missing in between and pages are
            as large as documented.
        weight: Request weight of all of them.
        groups: Requests by named group, e.g. ``{"funding_rate": 1}``.
        at_least: Seconds that it takes at least, if nothing else uses the limits.
    """

    operation: str
    requests: int
    weight: int
    groups: Mapping[str, int]
    at_least: float
