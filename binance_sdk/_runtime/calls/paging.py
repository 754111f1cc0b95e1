"""More rows than one answer holds: where a walk over pages begins and ends, and what it costs.

Pure, and decided before the first request; ``paginator`` makes the walk. Names of parameters are wire names, those of
rows are attributes.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, SupportsIndex

from binance_sdk._runtime.calls.parameters import EARLIEST_MS, LATEST_MS, check_lookback, validate, validate_one
from binance_sdk._runtime.operation import Lookback, MaxSpan, Operation, Paging
from binance_sdk.errors import ParameterError, shown

_STEP_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "M": 28 * 86_400}
_LOOKBACK_MARGIN_MS = 60_000
"""Where no start is given, a walk begins this much after the look-back limit, as the first request takes time."""


def step_ms(step: str) -> int:
    """Length of ``"5m"`` in milliseconds; a month counts as the shortest one, so that no plan is too small."""
    return int(step[:-1]) * _STEP_SECONDS[step[-1]] * 1000


@dataclass(frozen=True)
class Walk:
    """Where a walk over pages begins and ends, checked once before its first request."""

    operation: Operation[Any]
    arguments: Mapping[str, object]
    """Everything except the parameters that the walk sets itself, in wire form."""
    page_size: int
    limit: int | None
    cursor: int | None
    """Key of the first row wanted, if it is known."""
    start: int | None
    """Time of the first row wanted, if the key is not a time."""
    end: int | None
    """Time of the last row wanted, as the caller gave it."""

    @property
    def paging(self) -> Paging:
        return paging_of(self.operation)

    @property
    def by_time(self) -> bool:
        """Whether the key is a time, and so can be compared with ``end``."""
        return self.operation.by_wire[self.paging.cursor].type == "time"

    @property
    def newest(self) -> bool:
        """Whether no start is given: then the newest ``limit`` rows are wanted, and are fetched backwards."""
        return self.cursor is None and self.start is None

    @property
    def is_empty(self) -> bool:
        return self.by_time and self.end is not None and self.cursor is not None and self.cursor > self.end

    @property
    def step(self) -> int:
        """The least distance between two rows in milliseconds; 1 where the spec has none."""
        return step_ms(str(self.arguments[self.paging.step])) if self.paging.step else 1

    @property
    def widest(self) -> int | None:
        """The longest window in milliseconds that a request may ask for, both ends included."""
        return _widest(self.operation)

    def request(
        self, size: int, *, first: int | None = None, last: int | None = None, start: int | None = None
    ) -> dict[str, object]:
        """Arguments of one page.

        Args:
            size: Most rows it may hold.
            first: Least key wanted.
            last: Latest time wanted.
            start: Earliest time wanted, if the key is not a time.
        """
        paging = self.paging
        # Binance refuses an id together with a time, or is slow, so never both are sent.
        bounds = ((paging.cursor, first), (paging.start, start), (paging.end, last))
        own = {name: value for name, value in bounds if name is not None and value is not None}
        return {**self.arguments, paging.size: size, **own}

    def first_request(self, size: int) -> dict[str, object]:
        """The first page that the walk asks for, from which its weight is known."""
        return self.request(size, first=self.cursor, start=self.start)


def paging_of(operation: Operation[Any]) -> Paging:
    if operation.paging is None:
        raise TypeError(f"{operation.id} does not page")
    return operation.paging


def cheapest_page(operation: Operation[Any], arguments: Mapping[str, object]) -> int:
    """The page size with the least weight per row; among equals the largest."""
    size = paging_of(operation).size
    given: dict[str, Any] = {name: value for name, value in arguments.items() if value is not None}
    largest = _largest_page(operation, given)
    candidates = [largest, *(upper for upper in operation.weight.edges() if upper < largest)]
    return min(candidates, key=lambda rows: (operation.price({**given, size: rows}) / rows, -rows))


def _widest(operation: Operation[Any]) -> int | None:
    paging = paging_of(operation)
    for rule in operation.rules:
        if isinstance(rule, MaxSpan) and (rule.start, rule.end) == (paging.cursor, paging.end):
            return rule.most_ms + 1
    return None


def _largest_page(operation: Operation[Any], arguments: Mapping[str, object]) -> int:
    """The most rows of one request; where windows are asked for, no more than the longest of them can hold."""
    paging, widest = paging_of(operation), _widest(operation)
    most = operation.by_wire[paging.size].max
    if most is None:
        raise TypeError(f"{operation.id}: paging needs a bound for {paging.size}")
    if not paging.window or paging.step is None or widest is None:
        return most
    return min(most, max(1, widest // step_ms(str(arguments[paging.step]))))


def plan_walk(
    operation: Operation[Any],
    arguments: Mapping[str, object],
    limit: object,
    page_size: object,
    now_ms: int,
) -> Walk:
    """Check the arguments of an iterator.

    Raises:
        ParameterError: an argument is wrong, or neither a start nor ``limit`` is given.
    """
    paging = paging_of(operation)
    own = {paging.cursor, paging.size, paging.start, paging.end}
    wanted, size = _count(operation, "limit", limit), _count(operation, "page_size", page_size)
    largest = operation.by_wire[paging.size].max
    if size is not None and largest is not None and size > largest:
        raise invalid(operation, "page_size", size, f"is above {largest}, the most rows of one request")
    bounds = (paging.cursor, paging.start, paging.end)
    cursor, start, end = (_value(operation, name, arguments, now_ms) for name in bounds)
    _check_range(operation, cursor if paging.start is None else start, end)
    if paging.start is not None and cursor is not None and start is not None:
        names = (operation.by_wire[paging.cursor].name, operation.by_wire[paging.start].name)
        raise invalid(operation, names[0], cursor, f"and {names[1]} exclude each other: drop one of them")
    cursor, start = _oldest(operation, cursor, start, now_ms)
    # What Binance would refuse is refused here, before the first request.
    rest = {name: value for name, value in arguments.items() if name not in own}
    checked = validate(
        operation, {**rest, paging.cursor: cursor, **({paging.start: start} if paging.start else {})}, now_ms
    )
    if cursor is None and start is None and wanted is None:
        starts = [operation.by_wire[name].name for name in (paging.start, paging.cursor) if name is not None]
        text = f"is required without {' or '.join(starts)}: pass limit= for the newest rows, or {starts[0]}= for those"
        raise invalid(operation, "limit", None, f"{text} from there on (0 for the oldest)")
    rest = {name: value for name, value in checked.items() if name not in own}
    size = cheapest_page(operation, rest) if size is None else min(size, _largest_page(operation, rest))
    return Walk(operation, rest, size, wanted, cursor, start, end)


def _oldest(
    operation: Operation[Any], cursor: int | None, start: int | None, now_ms: int
) -> tuple[int | None, int | None]:
    """Cursor and start, where 0 is replaced by the earliest time that is still served."""
    paging = paging_of(operation)
    earliest = earliest_start(operation, now_ms) or (paging.first if paging.window else None)
    if earliest is None or 0 not in (cursor, start):
        return cursor, start
    return (earliest, None) if paging.start is None else (None, earliest)


def earliest_start(operation: Operation[Any], now_ms: int) -> int | None:
    """The earliest time that may be asked for now; None if there is no look-back limit."""
    paging = paging_of(operation)
    for rule in operation.rules:
        if isinstance(rule, Lookback) and (paging.start or paging.cursor) in rule.names:
            return now_ms - rule.seconds * 1000 + _LOOKBACK_MARGIN_MS
    return None


def _count(operation: Operation[Any], name: str, value: object) -> int | None:
    if value is None:
        return None
    try:
        number = operator.index(value) if isinstance(value, SupportsIndex) and not isinstance(value, bool) else 0
    except Exception:  # noqa: BLE001 - a foreign ``__index__`` may raise anything
        number = 0
    if number < 1:
        raise invalid(operation, name, value, "must be a positive int")
    if number >= 2**63:
        raise invalid(operation, name, value, "has more than 64 bits: leave it out for all rows")
    return number


def _value(operation: Operation[Any], wire: str | None, arguments: Mapping[str, object], now_ms: int) -> int | None:
    value = arguments.get(wire) if wire else None
    if value is None or wire is None:
        return None
    number = validate_one(operation, wire, value)
    if not isinstance(number, int):
        return None
    if operation.by_wire[wire].type == "time":
        # The walk goes on with numbers, and beyond these bounds they would be taken for another unit.
        number = min(number, LATEST_MS - 1) if number >= EARLIEST_MS else 0
    # A start of 0 means "the oldest there is", whatever the look-back limit.
    if number or wire == paging_of(operation).end:
        for rule in operation.rules:
            if isinstance(rule, Lookback):
                check_lookback(operation, rule, {wire: number}, now_ms)
    return number


def _check_range(operation: Operation[Any], begin: int | None, end: int | None) -> None:
    paging = paging_of(operation)
    if begin is not None and end is not None and paging.end is not None and begin > end:
        first, last = operation.by_wire[paging.start or paging.cursor].name, operation.by_wire[paging.end].name
        raise invalid(operation, first, begin, f"is later than {last}={end}: swap the two")


def invalid(operation: Operation[Any], name: str, value: object, reason: str) -> ParameterError:
    given = "" if value is None else f"={shown(value)}"
    return ParameterError(
        f"{operation.market}.iter_{operation.name}: {name}{given} {reason}",
        operation=operation.id,
        parameter=name,
        value=value,
    )


# ----------------------------------------------------------------------------------------- the plan


def plan_pages(walk: Walk, now_ms: int) -> list[tuple[int, int]]:
    """(number of requests, page size) of a walk, if Binance sends full pages and no row in between is missing.

    Where only times bound the walk, this includes one further page: the newest rows may be missing, and then only an
    empty page shows that it has ended.

    Raises:
        ParameterError: neither ``limit`` nor a time range in steps says how many rows there can be.
    """
    paging, operation = walk.paging, walk.operation
    if walk.is_empty:
        return []
    rows, further = walk.limit, 0
    if paging.step is not None and walk.cursor:
        last = now_ms if walk.end is None else min(walk.end, now_ms) if paging.window else walk.end
        in_range = max(0, (last - walk.cursor) // walk.step + 1)
        # Windows may be empty, so the limit does not say how many of them have to be fetched.
        if rows is None or paging.window or in_range <= rows:
            rows, further = in_range, 1
    elif paging.window and walk.newest and rows is not None:
        rows = min(rows, _rows_served(walk, now_ms))
    if rows is None:
        raise ParameterError(
            f"plan.iter_{operation.name}: the number of rows is not known in advance: pass limit=, "
            "or a start time where rows have a fixed distance",
            operation=operation.id,
            parameter="limit",
        )
    if not rows:
        return []
    return _parts(walk, rows, further)


def _rows_served(walk: Walk, now_ms: int) -> int:
    """Rows between the look-back limit and the end."""
    earliest = earliest_start(walk.operation, now_ms)
    last = now_ms if walk.end is None else min(walk.end, now_ms)
    return max(0, (last - (earliest or 0)) // walk.step + 1)


def _parts(walk: Walk, rows: int, further: int) -> list[tuple[int, int]]:
    paging, size = walk.paging, walk.page_size
    if rows <= size and not paging.window:
        return [(1, rows), *([(1, size)] if further else [])]
    if not paging.unique:
        # Each page begins with the last row of the page before; backwards, each stretch needs one more page to end.
        following = -(-(rows - size) // max(size - 1, 1))
        return [(1 + following * (2 if walk.newest else 1), size)]
    if paging.window or (walk.newest and not paging.newest_up_to_end):
        first = min(rows, size) if walk.newest and walk.end is None else size
        rest = -(-max(0, rows - first) // size) + further
        return [(1, first), *([(rest, size)] if rest else [])]
    full, rest = divmod(rows, size)
    return [(full + further, size), *([(1, rest)] if rest else [])]
