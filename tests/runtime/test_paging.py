"""Iterators against a pure exchange: every row once, in order, with no more requests than the plan says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from binance_sdk._runtime.calls.drive import drive_iterator
from binance_sdk._runtime.calls.paging import Walk, cheapest_page, pages, plan_pages, plan_walk, step_ms
from binance_sdk._runtime.operation import Lookback, Operation
from binance_sdk.catalogue import CATALOGUE
from binance_sdk.errors import ParameterError

from .fake_exchange import AggTrade, Candle, Exchange, Funding, Statistic, Trade
from .support import NOW_MS, Recorder

SPOT, FUTURES = CATALOGUE.spot.operations, CATALOGUE.futures.operations
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def walk_of(
    operation: Operation[Any], limit: int | None = None, page_size: int | None = None, **arguments: Any
) -> Walk:
    needed = {p.wire: p.choices[0] if p.choices else "BTCUSDT" for p in operation.parameters if p.required}
    return plan_walk(operation, {**needed, **arguments}, limit, page_size, NOW_MS)


def collect(walk: Walk, exchange: Callable[[Mapping[str, object]], Awaitable[list[Any]]]) -> list[Any]:
    return list(drive_iterator(pages(walk, exchange)))


def within(rows: Iterable[Any], attribute: str, start: int | None, end: int | None, limit: int | None) -> list[Any]:
    found = [
        row
        for row in rows
        if (start is None or getattr(row, attribute) >= start) and (end is None or getattr(row, attribute) <= end)
    ]
    return found[:limit]


def planned(walk: Walk) -> int:
    return sum(count for count, _ in plan_pages(walk, NOW_MS))


BASE = NOW_MS // DAY * DAY - 10 * DAY
limits = st.none() | st.integers(1, 40)
sizes = st.integers(1, 12)
moments = st.none() | st.integers(-3 * HOUR, 33 * HOUR).map(lambda ms: BASE + ms)
ranges = st.tuples(moments, moments).map(lambda pair: sorted(pair) if None not in pair else list(pair))  # type: ignore[type-var]
gaps = st.lists(st.integers(0, 30), unique=True, max_size=31).map(sorted)


# ------------------------------------------------------------------------------------- klines


@example(hours=list(range(6)), span=[BASE, BASE + 5 * HOUR], limit=None, size=3)
@example(hours=list(range(6)), span=[BASE, BASE + 5 * HOUR], limit=None, size=6)
@example(hours=list(range(6)), span=[BASE, BASE + 5 * HOUR + 1], limit=None, size=3)
@given(hours=gaps, span=ranges, limit=limits, size=sizes)
def test_klines(hours: list[int], span: list[int | None], limit: int | None, size: int) -> None:
    start, end = span
    rows = [Candle(BASE + hour * HOUR) for hour in hours]
    exchange = Exchange(SPOT["klines"], rows, time="open_time")
    walk = walk_of(SPOT["klines"], limit, size, interval="1h", startTime=start, endTime=end)
    assert collect(walk, exchange) == within(rows, "open_time", start, end, limit)
    if start is not None:
        assert len(exchange.requests) <= planned(walk) + 1


def test_klines_of_months_ask_no_more_often_than_planned() -> None:
    months = [datetime(2010 + n // 12, n % 12 + 1, 1, tzinfo=UTC) for n in range(120)]
    rows = [Candle(int(month.timestamp()) * 1000) for month in months]
    exchange = Exchange(SPOT["klines"], rows, time="open_time")
    end = rows[-1].open_time + 27 * DAY
    walk = walk_of(SPOT["klines"], None, 1, interval="1M", startTime=rows[0].open_time, endTime=end)
    assert collect(walk, exchange) == rows
    assert len(exchange.requests) <= planned(walk) + 1


def test_klines_of_a_whole_range_need_no_request_beyond_it() -> None:
    rows = [Candle(BASE + n * HOUR) for n in range(6)]
    exchange = Exchange(FUTURES["klines"], rows, time="open_time")
    walk = walk_of(FUTURES["klines"], None, 3, interval="1h", startTime=BASE, endTime=rows[-1].open_time)
    assert collect(walk, exchange) == rows
    assert len(exchange.requests) == planned(walk) == 2


# ---------------------------------------------------------------------------------- agg trades


@pytest.mark.parametrize("market", [SPOT, FUTURES], ids=["spot", "futures"])
@given(
    steps=st.lists(st.integers(0, 90_000), max_size=30),
    span=ranges,
    from_id=st.none() | st.integers(0, 40),
    limit=limits,
    size=sizes,
)
def test_agg_trades(
    market: Mapping[str, Operation[Any]],
    steps: list[int],
    span: list[int | None],
    from_id: int | None,
    limit: int | None,
    size: int,
) -> None:
    recent = NOW_MS - 40 * HOUR - BASE
    start, end = (None if moment is None else moment + recent for moment in span)
    from_id = from_id if start is None else None
    rows, now = [], BASE + recent
    for number, step in enumerate(steps):
        now += step
        rows.append(AggTrade(number, now))
    exchange = Exchange(market["agg_trades"], rows, time="time")
    walk = walk_of(market["agg_trades"], limit, size, startTime=start, endTime=end, fromId=from_id)
    expected = within([row for row in rows if row.agg_id >= (from_id or 0)], "time", start, end, limit)
    assert collect(walk, exchange) == expected
    assert len(exchange.requests) <= len(expected) // size + 1
    for asked in exchange.requests:
        assert not {"fromId", "startTime"} <= set(asked)
    for asked in exchange.requests[1:]:
        assert "fromId" in asked


@pytest.mark.parametrize("market", ["spot", "futures"])
def test_an_id_and_a_start_time_are_not_taken_together(market: str) -> None:
    # The walk would follow the id and leave the start time out of account without a word.
    with pytest.raises(ParameterError, match="from_id"):
        walk_of(CATALOGUE.market(market).operations["agg_trades"], fromId=7, startTime=NOW_MS - HOUR)  # type: ignore[arg-type]


@pytest.mark.parametrize("market", ["spot", "futures"])
def test_plan_of_agg_trades_over_more_than_an_hour(market: str, recorder: Recorder) -> None:
    with recorder.sync() as client:
        plan = getattr(client, market).plan.iter_agg_trades(
            "BTCUSDT", start_time=NOW_MS - 5 * HOUR, end_time=NOW_MS, limit=2500
        )
    assert plan.requests == 3
    assert plan.weight == 3 * {"spot": 4, "futures": 20}[market]
    assert recorder.requests == []


# ----------------------------------------------------------------------------------- statistics


@given(hours=gaps, span=ranges, limit=limits, size=sizes, newest=st.booleans())
def test_statistics(hours: list[int], span: list[int | None], limit: int | None, size: int, newest: bool) -> None:
    start, end = span
    rows = [Statistic(BASE + hour * HOUR) for hour in hours]
    operation = FUTURES["open_interest_hist"]
    exchange = Exchange(operation, rows, time="timestamp", newest_within=newest)
    walk = walk_of(operation, limit, size, period="1h", startTime=start, endTime=end)
    assert collect(walk, exchange) == within(rows, "timestamp", start, end, limit)
    for asked in exchange.requests:
        assert asked["endTime"] - asked["startTime"] < asked["limit"] * HOUR


@example(hours=[30], start=BASE, length=31 * HOUR, limit=1, size=2)
@given(
    hours=gaps,
    start=st.integers(BASE - 3 * HOUR, BASE + 33 * HOUR),
    length=st.integers(0, 30 * HOUR),
    limit=limits,
    size=sizes,
)
def test_statistics_ask_no_more_often_than_planned(
    hours: list[int], start: int, length: int, limit: int | None, size: int
) -> None:
    operation = FUTURES["basis"]
    exchange = Exchange(operation, [Statistic(BASE + hour * HOUR) for hour in hours], time="timestamp")
    walk = walk_of(operation, limit, size, period="1h", startTime=start, endTime=start + length)
    collect(walk, exchange)
    assert len(exchange.requests) <= planned(walk) + 1


def test_a_few_statistics_of_a_young_contract_take_full_windows() -> None:
    # A month of five-minute periods in windows of one would be 8640 requests, and the group allows 1000.
    operation = FUTURES["open_interest_hist"]
    exchange = Exchange(operation, [Statistic(NOW_MS - HOUR)], time="timestamp")
    assert collect(walk_of(operation, 1, None, period="5m"), exchange) == [Statistic(NOW_MS - HOUR)]
    assert len(exchange.requests) <= 31 * DAY // (500 * 5 * MINUTE) + 1


def test_statistics_reach_back_as_far_as_allowed_and_no_further() -> None:
    for name in ("open_interest_hist", "basis", "taker_long_short_ratio"):
        operation = FUTURES[name]
        kept = next(rule.seconds for rule in operation.rules if isinstance(rule, Lookback)) * 1000
        exchange = Exchange(operation, [], time="timestamp")
        assert collect(walk_of(operation, period="1d"), exchange) == []
        first = exchange.requests[0]["startTime"]
        assert NOW_MS - kept <= first <= NOW_MS - kept + 2 * MINUTE
        assert exchange.requests[-1]["endTime"] == NOW_MS


def test_an_end_before_the_look_back_is_the_argument_to_blame() -> None:
    with pytest.raises(ParameterError) as caught:
        collect(walk_of(FUTURES["basis"], period="1h", endTime=NOW_MS - 40 * DAY), Exchange(FUTURES["basis"], []))
    assert caught.value.parameter == "end_time"
    assert "30 days" in str(caught.value)


def test_a_start_to_come_gives_nothing() -> None:
    for name, time in (("basis", "timestamp"), ("klines", "open_time")):
        exchange = Exchange(FUTURES[name], [], time=time)
        assert collect(walk_of(FUTURES[name], startTime=NOW_MS + DAY), exchange) == []


# --------------------------------------------------------------------------- rows that share a time


@given(ties=st.lists(st.integers(1, 4), max_size=10), span=ranges, limit=limits, size=st.integers(5, 12))
def test_funding_rates(ties: list[int], span: list[int | None], limit: int | None, size: int) -> None:
    start, end = span
    rows = [Funding(f"S{n}", BASE + hour * 3 * HOUR) for hour, count in enumerate(ties) for n in range(count)]
    exchange = Exchange(FUTURES["funding_rate"], rows, time="funding_time")
    walk = walk_of(FUTURES["funding_rate"], limit, size, startTime=start, endTime=end)
    assert collect(walk, exchange) == within(rows, "funding_time", start, end, limit)


def test_more_ties_than_a_page_holds_are_an_error_and_no_endless_loop() -> None:
    exchange = Exchange(FUTURES["funding_rate"], [Funding(f"S{n}", BASE) for n in range(9)], time="funding_time")
    with pytest.raises(ParameterError, match="raise page_size") as caught:
        collect(walk_of(FUTURES["funding_rate"], None, 4, startTime=BASE), exchange)
    assert caught.value.parameter == "page_size"
    assert len(exchange.requests) == 2


# ------------------------------------------------------------------------------------------- trades


@pytest.mark.parametrize("name", ["spot", "futures", "block"])
@given(ids=st.sets(st.integers(0, 60)).map(sorted), from_id=st.integers(0, 60), limit=limits, size=sizes)
def test_historical_trades(name: str, ids: list[int], from_id: int, limit: int | None, size: int) -> None:
    operation = {
        "spot": SPOT["historical_trades"],
        "futures": FUTURES["historical_trades"],
        "block": SPOT["historical_block_trades"],
    }[name]
    rows = [Trade(number) for number in ids]
    exchange = Exchange(operation, rows)
    walk = walk_of(operation, limit, size, fromId=from_id)
    expected = within(rows, "id", from_id, None, limit)
    assert collect(walk, exchange) == expected
    assert len(exchange.requests) <= len(expected) // size + 1
    if limit is not None:
        assert len(exchange.requests) <= planned(walk)


def test_spot_trades_without_an_id_begin_at_the_first() -> None:
    exchange = Exchange(SPOT["historical_trades"], [Trade(n) for n in range(7)])
    assert collect(walk_of(SPOT["historical_trades"], None, 3), exchange) == [Trade(n) for n in range(7)]


@pytest.mark.parametrize("operation", [op for op in CATALOGUE if op.paging], ids=lambda op: op.id)
def test_a_walk_knows_where_to_begin(operation: Operation[Any]) -> None:
    """Without a cursor: at the first row or the look-back; where neither is known it is a ``ParameterError``."""
    paging = operation.paging
    assert paging is not None
    exchange = Exchange(operation, [])
    try:
        collect(walk_of(operation), exchange)
    except ParameterError as error:
        concerned: str | None = error.parameter
    else:
        concerned = None
        assert exchange.requests[0].keys() & {paging.cursor, paging.start}
    assert concerned in (None, operation.by_wire[paging.cursor].name)


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
    exchange = Exchange(SPOT["agg_trades"], [AggTrade(n, BASE + n) for n in range(10)], time="time")
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


def test_steps() -> None:
    assert [step_ms(step) for step in ("1s", "15m", "4h", "3d", "1w")] == [1000, 900_000, 4 * HOUR, 3 * DAY, 7 * DAY]
