"""What a walk over pages is asked for: where it begins, what is refused, and what it will cost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import numpy as np
import pytest

from binance_sdk._runtime.calls.paging import cheapest_page, paging_of, plan_pages, step_ms
from binance_sdk._runtime.operation import Lookback, MaxSpan, Operation
from binance_sdk._runtime.weight import Bands
from binance_sdk.catalogue import CATALOGUE
from binance_sdk.errors import ParameterError

from .fake_exchange import AggTrade, Candle, Exchange
from .support import NOW_MS, Recorder
from .walks import BASE, DAY, FUTURES, HOUR, MINUTE, SPOT, collect, planned, walk_of


@pytest.mark.parametrize("market", ["spot", "futures"])
def test_an_id_and_a_start_time_are_not_taken_together(market: str) -> None:
    # The walk would follow the id and leave the start time out of account without a word.
    with pytest.raises(ParameterError, match="from_id"):
        walk_of(CATALOGUE[market].operations["agg_trades"], fromId=7, startTime=NOW_MS - HOUR)  # type: ignore[arg-type]


@pytest.mark.parametrize("market", ["spot", "futures"])
def test_plan_of_agg_trades_over_more_than_an_hour(market: str, recorder: Recorder) -> None:
    with recorder.sync() as client:
        plan = getattr(client, market).plan.iter_agg_trades(
            "BTCUSDT", start_time=NOW_MS - 5 * HOUR, end_time=NOW_MS, limit=2500
        )
    assert plan.requests == 3
    assert plan.weight == 3 * {"spot": 4, "futures": 20}[market]
    assert recorder.requests == []


@pytest.mark.parametrize("operation", [op for op in CATALOGUE.operations if op.paging], ids=lambda op: op.id)
def test_a_walk_knows_where_to_begin(operation: Operation[Any]) -> None:
    """From a start on, 0 being the oldest; the newest without one; with neither start nor limit it is refused."""
    paging = operation.paging
    assert paging is not None
    needed = operation.by_wire[paging.cursor].required
    with pytest.raises(ParameterError, match="required") as caught:
        walk_of(operation, **({paging.cursor: None} if needed else {}))
    assert caught.value.parameter == (operation.by_wire[paging.cursor].name if needed else "limit")
    for wire in (paging.cursor, paging.start):
        if wire is not None:
            exchange = Exchange(operation, [])
            assert collect(walk_of(operation, **{wire: 0}), exchange) == []
            assert exchange.requests[0].keys() & {paging.cursor, paging.start}
    if not needed:
        exchange = Exchange(operation, [])
        assert collect(walk_of(operation, 7), exchange) == []
        asked = {name: value for name, value in exchange.requests[0].items() if name != "symbol"}
        # The very call that gives the newest rows by itself.
        assert asked.pop(paging.size) == 7
        assert not asked.keys() & {paging.cursor, paging.start, paging.end}


# --------------------------------------------------------------------------------------- arguments


@pytest.mark.parametrize("bad", [0, -1, 1.5, "5", True])
@pytest.mark.parametrize("name", ["limit", "page_size"])
@pytest.mark.parametrize("mode", ["iter", "plan"])
def test_counts_that_are_none(recorder: Recorder, name: str, bad: Any, mode: str) -> None:
    with recorder.sync() as client:
        api: Any = client.spot if mode == "iter" else client.spot.plan
        with pytest.raises(ParameterError, match=name) as caught:
            api.iter_klines("BTCUSDT", "1h", start_time=NOW_MS - DAY, **{name: bad})
    assert (caught.value.operation, caught.value.parameter, caught.value.value) == ("spot.klines", name, bad)
    assert recorder.requests == []


def test_pages_beyond_the_largest_are_refused() -> None:
    with pytest.raises(ParameterError, match="page_size=1001 is above 1000"):
        walk_of(SPOT["klines"], None, 1001)


def test_swapped_times_are_refused_before_the_first_request() -> None:
    for operation in (SPOT["klines"], SPOT["agg_trades"], FUTURES["basis"], FUTURES["funding_rate"]):
        with pytest.raises(ParameterError, match="swap the two") as caught:
            walk_of(operation, startTime=NOW_MS, endTime=NOW_MS - 1)
        assert caught.value.parameter == "start_time"


@pytest.mark.parametrize("bad", ["7", 7.0, [7], datetime(2026, 1, 1, tzinfo=UTC), -1, True])
def test_an_id_that_is_none_is_refused_and_not_left_out(recorder: Recorder, bad: Any) -> None:
    with recorder.sync() as client, pytest.raises(ParameterError) as caught:
        next(client.spot.iter_agg_trades("BTCUSDT", from_id=bad, limit=5))
    assert caught.value.parameter == "from_id"
    assert recorder.requests == []


def test_numpy_ints_are_ints() -> None:
    walk = walk_of(SPOT["agg_trades"], np.int64(3), np.int32(2), fromId=np.int64(5))  # type: ignore[arg-type]
    exchange = Exchange(SPOT["agg_trades"], [AggTrade(n, BASE + n) for n in range(10)], time="trade_time")
    assert [row.agg_id for row in collect(walk, exchange)] == [5, 6, 7]


@pytest.mark.parametrize(
    ("operation", "size"),
    [
        (SPOT["klines"], 1000),
        (SPOT["agg_trades"], 1000),
        (FUTURES["agg_trades"], 1000),
        (FUTURES["klines"], 499),
        (FUTURES["mark_price_klines"], 499),
        (FUTURES["basis"], 500),
        (FUTURES["funding_rate"], 1000),
        (FUTURES["historical_trades"], 500),
    ],
    ids=lambda value: getattr(value, "id", value),
)
def test_cheapest_page(operation: Operation[Any], size: int) -> None:
    assert cheapest_page(operation, {}) == size
    every = range(1, (operation.by_wire["limit"].max or 0) + 1)
    assert min(operation.price({"limit": rows}) / rows for rows in every) == operation.price({"limit": size}) / size


class Interval(StrEnum):
    HOUR = "1h"


class Period(str):
    """Some other library's own text."""

    __slots__ = ()

    def __str__(self) -> str:
        return "Period.HOUR"


@pytest.mark.parametrize("interval", [Interval.HOUR, Period("1h")])
def test_an_interval_of_the_callers_own_type_pages_as_it_calls(recorder: Recorder, interval: Any) -> None:
    recorder.answer = lambda request: b"[]"
    with recorder.sync() as client:
        for market in (client.spot, client.futures):
            api: Any = market
            asked = {"start_time": NOW_MS - DAY, "end_time": NOW_MS}
            assert api.plan.iter_klines("BTCUSDT", interval, **asked) == api.plan.iter_klines("BTCUSDT", "1h", **asked)
            assert list(api.iter_klines("BTCUSDT", interval, **asked)) == api.klines("BTCUSDT", interval) == []
        assert (
            client.futures.plan.iter_basis("BTCUSDT", contract_type="PERPETUAL", period=interval, limit=900).requests
            == 2
        )
    assert {asked["interval"] for asked in recorder.asked} == {"1h"}


def test_steps() -> None:
    assert [step_ms(step) for step in ("1s", "15m", "4h", "3d", "1w")] == [1000, 900_000, 4 * HOUR, 3 * DAY, 7 * DAY]


def test_no_plan_has_more_statistics_than_are_kept() -> None:
    """A month of five-minute periods, however many are asked for; up to an end, those before it."""
    operation = FUTURES["open_interest_hist"]
    kept = next(rule.seconds for rule in operation.rules if isinstance(rule, Lookback)) * 1000
    for end, span in ((None, kept), (NOW_MS - 10 * DAY, kept - 10 * DAY)):
        walk = walk_of(operation, 10**9, 100, period="5m", endTime=end)
        assert planned(walk) == pytest.approx(span / (100 * 5 * MINUTE), abs=1)
    walk = walk_of(operation, 250, 100, period="5m")
    assert planned(walk) == 3


def test_of_pages_that_cost_the_same_by_row_the_largest_is_taken() -> None:
    bands = Bands("limit", ((10, 1), (100, 10)), above=100)
    assert cheapest_page(replace(SPOT["klines"], weight=bands), {"symbol": "BTCUSDT", "interval": "1h"}) == 1000
    dearer = replace(bands, above=101)
    assert cheapest_page(replace(SPOT["klines"], weight=dearer), {"symbol": "BTCUSDT", "interval": "1h"}) == 100


def test_the_plan_of_the_newest_rows_has_the_pages_of_its_walk() -> None:
    # Where an end gives the rows before it, only the last page is short; else each stretch is read whole.
    assert plan_pages(walk_of(FUTURES["klines"], 1000, 499, interval="1m"), NOW_MS) == [(2, 499), (1, 2)]
    assert plan_pages(walk_of(FUTURES["historical_trades"], 1000, 499), NOW_MS) == [(1, 499), (2, 499)]
    rows = [Candle(NOW_MS // MINUTE * MINUTE - back * MINUTE) for back in reversed(range(1200))]
    exchange = Exchange(FUTURES["klines"], rows, time="open_time")
    assert len(collect(walk_of(FUTURES["klines"], 1000, 499, interval="1m"), exchange)) == 1000
    assert [request["limit"] for request in exchange.requests] == [499, 499, 2]


def test_a_page_of_a_window_holds_no_more_than_the_longest_window() -> None:
    """As on COIN-M, whose klines reach 200 days at most."""
    days = MaxSpan("startTime", "endTime", 200 * 86_400, inclusive=True)
    statistics = replace(FUTURES["open_interest_hist"], rules=(days,))
    assert [cheapest_page(statistics, {"period": period}) for period in ("5m", "12h", "1d")] == [500, 400, 200]
    hour = replace(statistics, rules=(replace(days, seconds=3600),))
    assert cheapest_page(hour, {"period": "1d"}) == 1
    # Pages that are no windows, or whose rows have no distance, are not cut by it.
    klines = replace(FUTURES["klines"], rules=(days,))
    assert cheapest_page(klines, {"interval": "1w"}) == cheapest_page(FUTURES["klines"], {"interval": "1w"})
    paging = paging_of(statistics)
    assert cheapest_page(replace(statistics, paging=replace(paging, step=None)), {"period": "1d"}) == 500
