"""Pages of more rows than one answer holds: which to ask for, and what of it is new.

Pure except for ``pages``, which fetches. Names are wire names; rows are read by attribute.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from binance_sdk._runtime.operation import Lookback, Operation, Paging
from binance_sdk._runtime.parameters import Refused, milliseconds
from binance_sdk.errors import ParameterError

T = TypeVar("T")
Fetch = Callable[[Mapping[str, object]], Awaitable[list[T]]]

_STEP_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "M": 31 * 86_400}
_LOOKBACK_MARGIN_MS = 60_000
"""A start left out begins this much inside the look-back limit: the first request takes time to arrive."""


def step_ms(step: str) -> int:
    """Length of ``"5m"`` in milliseconds; a month counts as its longest."""
    return int(step[:-1]) * _STEP_SECONDS[step[-1]] * 1000


def cheapest_page(operation: Operation[Any], arguments: Mapping[str, object]) -> int:
    """The page size with the least weight a row; of equal ones the largest."""
    paging = _paging(operation)
    size = operation.by_wire[paging.size]
    if size.max is None:
        raise TypeError(f"{operation.id}: paging needs a bound for {paging.size}")
    given: dict[str, Any] = {name: value for name, value in arguments.items() if value is not None}
    largest = size.max
    candidates = [largest, *(upper for upper in operation.weight.edges() if upper < largest)]
    return min(candidates, key=lambda rows: (operation.price({**given, paging.size: rows}) / rows, -rows))


@dataclass(frozen=True)
class Walk:
    """Where a walk begins and ends, checked once before its first request."""

    operation: Operation[Any]
    arguments: Mapping[str, object]
    page_size: int
    limit: int | None
    cursor: int | None
    end: int | None

    @property
    def paging(self) -> Paging:
        return _paging(self.operation)


def plan_walk(
    operation: Operation[Any],
    arguments: Mapping[str, object],
    limit: int | None,
    page_size: int | None,
    now_ms: int,
) -> Walk:
    """Check the arguments of an iterator.

    Raises:
        ParameterError: an argument is wrong, or the iterator cannot know where to begin.
    """
    paging = _paging(operation)
    for name, value in (("limit", limit), ("page_size", page_size)):
        if value is not None and not _is_count(value):
            raise ParameterError(
                f"iter_{operation.name}: {name}={value!r} must be a positive int",
                operation=operation.id,
                parameter=name,
                value=value,
            )
    largest = operation.by_wire[paging.size].max
    if page_size is not None and largest is not None and page_size > largest:
        raise ParameterError(
            f"iter_{operation.name}: page_size={page_size} is above {largest}, the most one request can hold",
            operation=operation.id,
            parameter="page_size",
            value=page_size,
        )
    size = page_size or cheapest_page(operation, arguments)
    end = _time(operation, paging.end, arguments)
    if paging.start is not None:
        begin = _time(operation, paging.start, arguments)
        cursor = _number(arguments.get(paging.cursor))
        if begin is None and cursor is None:
            earliest = _earliest(operation, paging.start, now_ms)
            if earliest is not None:
                arguments = {**arguments, paging.start: earliest}
            else:
                cursor = paging.first
    else:
        begin = cursor = (
            _time(operation, paging.cursor, arguments)
            if operation.by_wire[paging.cursor].type == "time"
            else _number(arguments.get(paging.cursor))
        )
        if cursor is None:
            cursor = _earliest(operation, paging.cursor, now_ms)
        if cursor is None:
            cursor = paging.first
    if begin is not None and end is not None and begin > end:
        start, last = (operation.by_wire[w].name for w in (paging.start or paging.cursor, paging.end or ""))
        raise ParameterError(
            f"iter_{operation.name}: {start}={begin} is later than {last}={end}: swap the two",
            operation=operation.id,
            parameter=start,
            value=begin,
        )
    if paging.window and end is None:
        end = now_ms
    return Walk(operation, arguments, size, limit, cursor, end)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _earliest(operation: Operation[Any], wire: str, now_ms: int) -> int | None:
    for rule in operation.rules:
        if isinstance(rule, Lookback) and wire in rule.names:
            return now_ms - rule.seconds * 1000 + _LOOKBACK_MARGIN_MS
    return None


def _time(operation: Operation[Any], wire: str | None, arguments: Mapping[str, object]) -> int | None:
    value = arguments.get(wire) if wire else None
    if value is None or wire is None:
        return None
    try:
        return milliseconds(value)
    except Refused as reason:
        name = operation.by_wire[wire].name
        text = f"iter_{operation.name}: {name}={value!r:.80} {reason}"
        raise ParameterError(text, operation=operation.id, parameter=name, value=value) from None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _paging(operation: Operation[Any]) -> Paging:
    if operation.paging is None:
        raise TypeError(f"{operation.id} does not page")
    return operation.paging


def plan_pages(walk: Walk, now_ms: int) -> list[tuple[int, int]]:
    """(number of requests, page size) of a walk as far as it can be known before it.

    Raises:
        ParameterError: neither ``limit`` nor a time range in steps says how many rows there can be.
    """
    paging, operation = walk.paging, walk.operation
    rows = walk.limit
    if paging.step is not None and walk.cursor:
        step = step_ms(str(walk.arguments[paging.step]))
        in_range = max(0, ((walk.end if walk.end is not None else now_ms) - walk.cursor) // step + 1)
        rows = in_range if rows is None else min(rows, in_range)
    if rows is None:
        raise ParameterError(
            f"plan.iter_{operation.name}: how many rows there are is not known beforehand: pass limit=, "
            f"or a start time where rows have a fixed distance",
            operation=operation.id,
            parameter="limit",
        )
    full, rest = divmod(rows, walk.page_size)
    # Rows that fill the last page exactly need one more request to learn that it was the last, unless a limit stops it.
    parts = [(full, walk.page_size)] if full else []
    return [*parts, (1, rest)] if rest else parts


async def pages(walk: Walk, fetch: Fetch[T]) -> AsyncIterator[T]:
    """Every row of a walk in order, each once, exactly ``limit`` of them if there are so many."""
    paging, cursor, left = walk.paging, walk.cursor, walk.limit
    seen: list[T] = []
    first = True
    while left is None or left > 0:
        # A shared key makes the next page begin with rows already given, so it must be larger than their number.
        size = walk.page_size if left is None else min(walk.page_size, left + len(seen))
        asked, window_end = _request(walk, cursor, size, first)
        rows = await fetch(asked)
        fresh = [row for row in rows if row not in seen] if seen else rows
        for row in fresh:
            if walk.end is not None and getattr(row, paging.time or paging.key) > walk.end:
                return
            if left is not None:
                if left == 0:
                    return
                left -= 1
            yield row
        first = False
        if window_end is not None:
            if walk.end is None or window_end >= walk.end:
                return
            cursor = max(window_end + 1, getattr(rows[-1], paging.key) + 1 if rows else 0)
            continue
        if len(rows) < size:
            return
        last: int = getattr(rows[-1], paging.key)
        if paging.unique:
            cursor = last + 1
        else:
            if not fresh:
                raise ParameterError(
                    f"iter_{walk.operation.name}: more than {size} rows share {paging.key}={last}: "
                    "raise page_size or narrow the call",
                    operation=walk.operation.id,
                    parameter="page_size",
                    value=size,
                )
            cursor = last
            seen = [row for row in rows if getattr(row, paging.key) == last]


def _request(walk: Walk, cursor: int | None, size: int, first: bool) -> tuple[dict[str, object], int | None]:
    """Arguments of the next request and, where it asks for a window, the window's end."""
    paging = walk.paging
    asked: dict[str, object] = {**walk.arguments, paging.size: size}
    if paging.start is not None:
        # The first page goes by time, the following ones by id; both together are refused or slow.
        asked[paging.cursor] = cursor
        if cursor is not None:
            asked[paging.start] = None
        if not paging.send_end and paging.end is not None:
            asked[paging.end] = None
        return asked, None
    asked[paging.cursor] = cursor
    if not paging.window or paging.step is None or cursor is None or paging.end is None or walk.end is None:
        return asked, None
    window_end = min(walk.end, cursor + size * step_ms(str(walk.arguments[paging.step])) - 1)
    asked[paging.end] = window_end
    return asked, window_end
