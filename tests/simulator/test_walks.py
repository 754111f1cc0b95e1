"""Iterators on the simulator: the newest rows and the oldest, and as many requests as their plan says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from binance_sdk import SyncBinanceClient
from binance_sdk.catalogue import CATALOGUE, MARKETS
from binance_sdk.events import RequestSent
from binance_sdk.simulator import Simulator
from binance_sdk.simulator.rest.answers_by_market import answers_of

from .conftest import NOW, simulator

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
PAGED = [
    operation
    for operation in CATALOGUE.operations
    if operation.paging is not None and operation.name in answers_of(operation.market)
]
"""What is served from its example has no more rows than that."""


def market_of(client: SyncBinanceClient, name: str) -> Any:
    return getattr(client, name)


class Counted:
    """A client and the number of requests it has made."""

    def __init__(self, exchange: Simulator) -> None:
        self.requests = 0
        self.client = exchange.sync_client(api_key="a-key", budget=False, hooks=[self._count])
        # So that it knows what time it is everywhere.
        for market in MARKETS:
            market_of(self.client, market).time()

    def _count(self, event: object) -> None:
        self.requests += isinstance(event, RequestSent)

    def walk(self, operation: Any, *arguments: Any, **more: Any) -> tuple[list[Any], int, int]:
        """The rows, the requests planned and the requests made."""
        api: Any = getattr(self.client, operation.market)
        planned = getattr(api.plan, f"iter_{operation.name}")(*arguments, **more).requests
        self.requests = 0
        return list(getattr(api, f"iter_{operation.name}")(*arguments, **more)), planned, self.requests


@pytest.fixture(scope="module")
def counted() -> Iterator[Counted]:
    with simulator(history_days=40) as running:
        made = Counted(running)
        with made.client:
            yield made


def needed(operation: Any) -> list[str]:
    steps = {"interval": "1h", "period": "1h", "contractType": "PERPETUAL"}
    cursor = operation.paging.cursor
    wires = [p.wire for p in operation.parameters if (p.required or p.wire == "symbol") and p.wire != cursor]
    names = {"symbol": "BTCUSD_PERP", "pair": "BTCUSD"} if operation.market == "coin_futures" else {}
    return [steps.get(wire) or names.get(wire, "BTCUSDT") for wire in wires]


@pytest.mark.parametrize("operation", PAGED, ids=lambda operation: operation.id)
@pytest.mark.parametrize(("limit", "page_size"), [(25, 10), (20, 10), (7, 10)])
def test_the_newest_rows_take_the_requests_that_were_planned(
    counted: Counted, operation: Any, limit: int, page_size: int
) -> None:
    if operation.by_wire[operation.paging.cursor].required:
        pytest.skip("it cannot be asked for its newest rows")
    api: Any = getattr(counted.client, operation.market)
    rows, planned, made = counted.walk(operation, *needed(operation), limit=limit, page_size=page_size)
    assert rows == getattr(api, operation.name)(*needed(operation), limit=limit)
    assert len(rows) == limit
    assert made == planned


@pytest.mark.parametrize("operation", PAGED, ids=lambda operation: operation.id)
def test_a_range_takes_the_requests_that_were_planned(counted: Counted, operation: Any) -> None:
    if operation.paging.step is None:
        pytest.skip("how many rows a range holds is not known beforehand")
    start = NOW // HOUR * HOUR - 30 * HOUR
    for end, step in ((start + 25 * HOUR, 10), (start + 24 * HOUR + 5, 5), (None, 7)):
        rows, planned, made = counted.walk(
            operation, *needed(operation), start_time=start, end_time=end, page_size=step
        )
        times = [getattr(row, operation.paging.key) for row in rows]
        expected = list(range(start, (NOW if end is None else end) + 1, HOUR))
        # What is named by the start of its period comes when that is over.
        assert times in (expected, [time for time in expected if time + HOUR <= NOW])
        # One is for the newest row, should it be missing.
        assert planned - 1 <= made <= planned


@pytest.mark.parametrize("operation", PAGED, ids=lambda operation: operation.id)
def test_so_many_rows_from_a_start_take_the_requests_that_were_planned(counted: Counted, operation: Any) -> None:
    paging = operation.paging
    by_time = operation.by_wire[paging.start or paging.cursor].type == "time"
    begin = {"start_time": NOW - 26 * HOUR} if by_time else {"from_id": 0}
    if operation.id == "coin_futures.agg_trades":
        begin = {"start_time": NOW - 20 * HOUR}
    if operation.id == "futures.historical_trades":
        api = counted.client.futures
        begin = {"from_id": api.trades("BTCUSDT", limit=1)[0].trade_id - 100}
    limit = 4 if operation.name == "funding_rate" else 25
    if operation.name == "funding_rate":
        begin = {"start_time": NOW - 9 * DAY}
    rows, planned, made = counted.walk(operation, *needed(operation), limit=limit, page_size=10, **begin)
    if operation.name == "historical_block_trades":
        # There may be fewer of them; then an empty page shows the end.
        assert made <= planned + 1
        return
    assert len(rows) == limit
    if paging.window:
        # A window may be empty, so a limit does not bound how many there are.
        assert made <= planned
    else:
        assert made == planned
