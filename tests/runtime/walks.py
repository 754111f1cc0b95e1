"""What the tests of paging share: a walk with the least arguments, and all of its rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from binance_sdk._runtime.calls.drive import drive_iterator
from binance_sdk._runtime.calls.paginator import ServerClock, paginate
from binance_sdk._runtime.calls.paging import Walk, plan_pages, plan_walk
from binance_sdk._runtime.operation import Operation
from binance_sdk.catalogue import CATALOGUE

from .fake_exchange import Exchange
from .support import NOW_MS

SPOT, FUTURES = CATALOGUE["spot"].operations, CATALOGUE["futures"].operations
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
BASE = NOW_MS // DAY * DAY - 10 * DAY
CLOCK = ServerClock(lambda: NOW_MS, lambda: True)


def walk_of(
    operation: Operation[Any], limit: int | None = None, page_size: int | None = None, **arguments: Any
) -> Walk:
    needed = {
        p.wire: p.choices[0] if p.choices else p.symbol_form.example if p.symbol_form else "BTCUSDT"
        for p in operation.parameters
        if p.required
    }
    return plan_walk(operation, {**needed, **arguments}, limit, page_size, NOW_MS)


def collect(walk: Walk, exchange: Exchange, clock: ServerClock = CLOCK) -> list[Any]:
    return list(drive_iterator(paginate(walk, exchange.fetch, clock)))


def within(rows: Iterable[Any], attribute: str, start: int | None, end: int | None, limit: int | None) -> list[Any]:
    """The rows that a walk has to give: the oldest from a start on, or the newest without one."""
    found = [row for row in rows if start is None or getattr(row, attribute) >= start]
    found = [row for row in found if end is None or getattr(row, attribute) <= end]
    return found[:limit] if start is not None else found[-(limit or 0) :]


def planned(walk: Walk) -> int:
    return sum(count for count, _ in plan_pages(walk, NOW_MS))


def month(number: int) -> int:
    """Begin of a month counted from January 2010, in epoch milliseconds."""
    return int(datetime(2010 + number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1000
