"""Pages of more rows than one answer holds: which to ask for, and what of it is new.

Pure except for ``pages``, which fetches. Names are wire names; rows are read by attribute.
"""

from __future__ import annotations

import operator
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, SupportsIndex, TypeVar

from binance_sdk._runtime.calls.parameters import check_lookback, validate, validate_one
from binance_sdk._runtime.operation import Lookback, Operation, Paging
from binance_sdk.errors import ParameterError, shown

T = TypeVar("T")
Fetch = Callable[[Mapping[str, object]], Awaitable[list[T]]]

_STEP_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "M": 28 * 86_400}
_LOOKBACK_MARGIN_MS = 60_000
"""A start left out begins this much inside the look-back limit: the first request takes time to arrive."""


def step_ms(step: str) -> int:
    """Length of ``"5m"`` in milliseconds; of months the shortest, so that no plan comes out too small."""
    return int(step[:-1]) * _STEP_SECONDS[step[-1]] * 1000


@dataclass(frozen=True)
class Walk:
    """Where a walk begins and ends, checked once before its first request."""

    operation: Operation[Any]
    arguments: Mapping[str, object]
    """Everything but the parameters that the walk itself sets."""
    page_size: int
    limit: int | None
    cursor: int | None
    """Key of the first row wanted, where that is known."""
    start: int | None
    """Time of the first row wanted, where the key is no time."""
    end: int | None

    @property
    def paging(self) -> Paging:
        return paging_of(self.operation)

    @property
    def by_time(self) -> bool:
        """Whether the key itself is a time, which can be compared with ``end``."""
        return self.operation.by_wire[self.paging.cursor].type == "time"

    @property
    def is_empty(self) -> bool:
        return self.by_time and self.end is not None and self.cursor is not None and self.cursor > self.end

    @property
    def step(self) -> int:
        return step_ms(str(self.arguments[self.paging.step or ""]))

    def request(self, cursor: int | None, size: int) -> tuple[dict[str, object], int | None]:
        """Arguments of a page and, where it asks for a window, the window's end."""
        paging = self.paging
        asked: dict[str, object] = {**self.arguments, paging.size: size}
        if paging.start is not None:
            # The first page goes by time, the following ones by id; both together are refused or slow.
            asked[paging.start if cursor is None else paging.cursor] = self.start if cursor is None else cursor
            return asked, None
        asked[paging.cursor] = cursor
        if paging.end is None:
            return asked, None
        window_end = self.end
        if paging.window and cursor is not None and self.end is not None:
            window_end = min(self.end, cursor + size * self.step - 1)
        asked[paging.end] = window_end
        return asked, window_end if paging.window else None


def paging_of(operation: Operation[Any]) -> Paging:
    if operation.paging is None:
        raise TypeError(f"{operation.id} does not page")
    return operation.paging


def cheapest_page(operation: Operation[Any], arguments: Mapping[str, object]) -> int:
    """The page size with the least weight a row; of equal ones the largest."""
    size = operation.by_wire[paging_of(operation).size]
    if size.max is None:
        raise TypeError(f"{operation.id}: paging needs a bound for {size.wire}")
    given: dict[str, Any] = {name: value for name, value in arguments.items() if value is not None}
    largest = size.max
    candidates = [largest, *(upper for upper in operation.weight.edges() if upper < largest)]
    return min(candidates, key=lambda rows: (operation.price({**given, size.wire: rows}) / rows, -rows))


# ------------------------------------------------------------------------------ before the first request


def plan_walk(
    operation: Operation[Any],
    arguments: Mapping[str, object],
    limit: object,
    page_size: object,
    now_ms: int,
) -> Walk:
    """Check the arguments of an iterator.

    Raises:
        ParameterError: an argument is wrong, or the iterator cannot know where to begin.
    """
    paging = paging_of(operation)
    own = {paging.cursor, paging.size, paging.start, paging.end}
    rest = {name: value for name, value in arguments.items() if name not in own}
    wanted, size = _count(operation, "limit", limit), _count(operation, "page_size", page_size)
    largest = operation.by_wire[paging.size].max
    if size is not None and largest is not None and size > largest:
        raise _wrong(operation, "page_size", size, f"is above {largest}, the most one request can hold")
    bounds = (paging.cursor, paging.start, paging.end)
    cursor, start, end = (_value(operation, name, arguments, now_ms) for name in bounds)
    _check_range(operation, cursor if paging.start is None else start, end)
    if paging.start is not None and cursor is not None and start is not None:
        names = (operation.by_wire[paging.cursor].name, operation.by_wire[paging.start].name)
        raise _wrong(operation, names[0], cursor, f"and {names[1]} exclude each other: drop one of them")
    if cursor is None and start is None:
        earliest = _earliest(operation, paging.start or paging.cursor, now_ms)
        if paging.start is not None and earliest is not None:
            start = earliest
        else:
            cursor = earliest if earliest is not None else paging.first
    if cursor is None and start is None:
        name = operation.by_wire[paging.cursor].name
        raise _wrong(operation, name, None, "is required: nobody knows the first one")
    if paging.window and end is None:
        end = now_ms
    # What Binance would refuse is refused here, not somewhere along the way.
    validate(operation, {**rest, paging.cursor: cursor, **({paging.start: start} if paging.start else {})}, now_ms)
    size = size or cheapest_page(operation, rest)
    return Walk(operation, rest, size, wanted, cursor, start, end)


def _count(operation: Operation[Any], name: str, value: object) -> int | None:
    if value is None:
        return None
    try:
        number = operator.index(value) if isinstance(value, SupportsIndex) and not isinstance(value, bool) else 0
    except TypeError:
        number = 0
    if number < 1:
        raise _wrong(operation, name, value, "must be a positive int")
    return number


def _value(operation: Operation[Any], wire: str | None, arguments: Mapping[str, object], now_ms: int) -> int | None:
    value = arguments.get(wire) if wire else None
    if value is None or wire is None:
        return None
    number = validate_one(operation, wire, value)
    for rule in operation.rules:
        if isinstance(rule, Lookback):
            check_lookback(operation, rule, {wire: number}, now_ms)
    return number if isinstance(number, int) else None


def _check_range(operation: Operation[Any], begin: int | None, end: int | None) -> None:
    paging = paging_of(operation)
    if begin is not None and end is not None and paging.end is not None and begin > end:
        first, last = operation.by_wire[paging.start or paging.cursor].name, operation.by_wire[paging.end].name
        raise _wrong(operation, first, begin, f"is later than {last}={end}: swap the two")


def _earliest(operation: Operation[Any], wire: str, now_ms: int) -> int | None:
    for rule in operation.rules:
        if isinstance(rule, Lookback) and wire in rule.names:
            return now_ms - rule.seconds * 1000 + _LOOKBACK_MARGIN_MS
    return None


def _wrong(operation: Operation[Any], name: str, value: object, reason: str) -> ParameterError:
    given = "" if value is None else f"={shown(value)}"
    return ParameterError(
        f"iter_{operation.name}: {name}{given} {reason}", operation=operation.id, parameter=name, value=value
    )


def plan_pages(walk: Walk, now_ms: int) -> list[tuple[int, int]]:
    """(number of requests, page size) of a walk: the most it can need, as far as that can be known before it.

    Raises:
        ParameterError: neither ``limit`` nor a time range in steps says how many rows there can be.
    """
    paging, operation = walk.paging, walk.operation
    if walk.is_empty:
        return []
    rows = walk.limit
    if paging.step is not None and walk.cursor:
        last = walk.end if walk.end is not None else now_ms
        in_range = max(0, (last - walk.cursor) // walk.step + 1)
        # Windows may be empty, so a limit does not say how many of them have to be looked into.
        rows = in_range if rows is None or paging.window else min(rows, in_range)
    if rows is None:
        raise ParameterError(
            f"plan.iter_{operation.name}: how many rows there are is not known beforehand: pass limit=, "
            "or a start time where rows have a fixed distance",
            operation=operation.id,
            parameter="limit",
        )
    if paging.window:
        return [(-(-rows // walk.page_size), walk.page_size)] if rows else []
    full, rest = divmod(rows, walk.page_size)
    parts = [(full, walk.page_size)] if full else []
    return [*parts, (1, rest)] if rest else parts


# --------------------------------------------------------------------------------------- the walk


async def pages(walk: Walk, fetch: Fetch[T]) -> AsyncIterator[T]:
    """Every row of a walk in order, each once, exactly ``limit`` of them if there are so many."""
    paging, cursor, left = walk.paging, walk.cursor, walk.limit
    seen: list[T] = []
    while not walk.is_empty and (left is None or left > 0):
        # A shared key makes the next page begin with rows already given, so it must be larger than their number;
        # a window is always a full one, since it may be empty.
        size = walk.page_size if left is None or paging.window else min(walk.page_size, left + len(seen))
        asked, window_end = walk.request(cursor, size)
        rows = await fetch(asked)
        fresh = [row for row in rows if row not in seen] if seen else rows
        for row in fresh:
            if walk.end is not None and getattr(row, paging.time or paging.key) > walk.end:
                return
            yield row
            if left is not None:
                left -= 1
                if left == 0:
                    return
        if window_end is not None:
            cursor = max(window_end + 1, getattr(rows[-1], paging.key) + 1 if rows else 0)
        elif len(rows) < size:
            return
        elif paging.unique:
            cursor = getattr(rows[-1], paging.key) + 1
        else:
            cursor = getattr(rows[-1], paging.key)
            if not fresh:
                raise _wrong(
                    walk.operation,
                    "page_size",
                    size,
                    f"is too small: more rows share {paging.key}={cursor}; raise page_size or narrow the call",
                )
            seen = [row for row in rows if getattr(row, paging.key) == cursor]
        if walk.by_time and walk.end is not None and cursor is not None and cursor > walk.end:
            return
