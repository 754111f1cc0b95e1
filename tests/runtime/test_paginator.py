"""Iterators against a pure exchange: every row once, in order, whatever a page holds, with no request too many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain, repeat
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from binance_sdk._runtime.calls.drive import drive_iterator
from binance_sdk._runtime.calls.paginator import ServerClock, paginate
from binance_sdk._runtime.calls.received_answer import ReceivedAnswer
from binance_sdk._runtime.operation import Lookback, Operation
from binance_sdk._runtime.response import Headers, Response
from binance_sdk.errors import DecodeError, ParameterError

from .fake_exchange import AggTrade, Candle, Exchange, Funding, Statistic, Trade
from .support import NOW_MS
from .walks import BASE, CLOCK, DAY, FUTURES, HOUR, MINUTE, SPOT, collect, month, planned, walk_of, within

limits = st.integers(1, 40)
sizes = st.integers(1, 12)
moments = st.integers(-3 * HOUR, 33 * HOUR).map(lambda ms: BASE + ms)
hours_there = st.lists(st.integers(0, 30), unique=True, max_size=31).map(sorted)
"""Hours after ``BASE`` that have a row; the others are holes."""


@st.composite
def spans(draw: st.DrawFn) -> tuple[int | None, int | None, int | None]:
    """Start, end and limit of which at least one of the first and the last is given."""
    start, end = draw(st.none() | moments), draw(st.none() | moments)
    if start is not None and end is not None and start > end:
        start, end = end, start
    return start, end, draw(limits if start is None else st.none() | limits)


@st.composite
def lowered(draw: st.DrawFn, least: int = 1) -> Callable[[], int]:
    """The most rows of each page, lowered at any time and without a word."""
    steps: Iterator[int] = chain(
        draw(st.lists(st.integers(least, 12), max_size=4)), repeat(draw(st.integers(least, 12)))
    )
    return lambda: next(steps)


# ------------------------------------------------------------------------------------- klines


@example(hours=list(range(6)), span=(BASE, BASE + 5 * HOUR, None), size=3, most=lambda: 12)
@example(hours=list(range(6)), span=(BASE, BASE + 5 * HOUR, None), size=6, most=lambda: 5)
@example(hours=list(range(6)), span=(None, BASE + 5 * HOUR + 1, 5), size=3, most=lambda: 2)
@given(hours=hours_there, span=spans(), size=sizes, most=lowered())
def test_klines(
    hours: list[int], span: tuple[int | None, int | None, int | None], size: int, most: Callable[[], int]
) -> None:
    start, end, limit = span
    rows = [Candle(BASE + hour * HOUR) for hour in hours]
    exchange = Exchange(SPOT["klines"], rows, time="open_time", most=most)
    walk = walk_of(SPOT["klines"], limit, size, interval="1h", startTime=start, endTime=end)
    assert collect(walk, exchange) == within(rows, "open_time", start, end, limit)


@given(hours=hours_there, span=spans(), size=sizes)
def test_klines_in_whole_pages_are_asked_for_no_more_often_than_planned(
    hours: list[int], span: tuple[int | None, int | None, int | None], size: int
) -> None:
    start, end, limit = span
    exchange = Exchange(SPOT["klines"], [Candle(BASE + hour * HOUR) for hour in hours], time="open_time")
    walk = walk_of(SPOT["klines"], limit, size, interval="1h", startTime=start, endTime=end)
    found = collect(walk, exchange)
    # A limit that is not reached costs a page more, which a plan cannot know.
    assert len(exchange.requests) <= planned(walk) + (1 if limit is not None and len(found) < limit else 0)


def test_klines_of_a_whole_range_need_no_request_beyond_it() -> None:
    rows = [Candle(BASE + n * HOUR) for n in range(6)]
    for end in (rows[-1].open_time, rows[-1].open_time + HOUR - 1):
        exchange = Exchange(FUTURES["klines"], rows, time="open_time")
        walk = walk_of(FUTURES["klines"], None, 4, interval="1h", startTime=BASE, endTime=end)
        assert collect(walk, exchange) == rows
        assert len(exchange.requests) == 2
        # The newest bar may be missing, and a plan does not know whether it is.
        assert planned(walk) == 3


def test_a_row_at_the_very_end_is_found_behind_a_full_page() -> None:
    rows = [Candle(BASE + n * HOUR) for n in range(5)]
    exchange = Exchange(SPOT["klines"], rows, time="open_time")
    walk = walk_of(SPOT["klines"], None, 4, interval="1h", startTime=BASE, endTime=rows[-1].open_time)
    assert collect(walk, exchange) == rows


def test_a_page_of_which_no_row_could_be_read_is_no_end() -> None:
    async def fetch(arguments: Mapping[str, object]) -> Response[list[Any]]:
        answer = ReceivedAnswer("", object, b"", data=list[Any]())
        return Response(answer, 200, Headers(), b'[["damaged"]]', 0, None, "", 0.0, 0)

    with pytest.raises(DecodeError, match="none of its rows could be read"):
        list(drive_iterator(paginate(walk_of(SPOT["klines"], 5, interval="1h", startTime=BASE), fetch, CLOCK)))


def test_klines_up_to_the_running_bar_need_no_request_beyond_it() -> None:
    begun = NOW_MS // HOUR * HOUR
    rows = [Candle(begun - n * HOUR) for n in range(5, -1, -1)]
    exchange = Exchange(SPOT["klines"], rows, time="open_time")
    assert collect(walk_of(SPOT["klines"], None, 100, interval="1h", startTime=begun - 5 * HOUR), exchange) == rows
    assert len(exchange.requests) == 1


def test_klines_that_stopped_are_shown_to_by_an_empty_page() -> None:
    rows = [Candle(BASE + n * HOUR) for n in range(6)]
    exchange = Exchange(SPOT["klines"], rows, time="open_time")
    assert collect(walk_of(SPOT["klines"], None, 10, interval="1h", startTime=BASE), exchange) == rows
    assert [request["startTime"] for request in exchange.requests] == [BASE, rows[-1].open_time + 1]


def test_klines_of_months_ask_no_more_often_than_planned() -> None:
    rows = [Candle(month(number)) for number in range(120)]
    exchange = Exchange(SPOT["klines"], rows, time="open_time")
    end = rows[-1].open_time + 27 * DAY
    walk = walk_of(SPOT["klines"], None, 1, interval="1M", startTime=rows[0].open_time, endTime=end)
    assert collect(walk, exchange) == rows
    assert len(exchange.requests) <= planned(walk)


# ---------------------------------------------------------------------------------- agg trades


@pytest.mark.parametrize("market", [SPOT, FUTURES], ids=["spot", "futures"])
@given(
    steps=st.lists(st.integers(0, 90_000), max_size=30),
    span=spans(),
    from_id=st.none() | st.integers(1, 40),
    size=sizes,
    most=lowered(),
)
def test_agg_trades(
    market: Mapping[str, Operation[Any]],
    steps: list[int],
    span: tuple[int | None, int | None, int | None],
    from_id: int | None,
    size: int,
    most: Callable[[], int],
) -> None:
    recent = NOW_MS - 40 * HOUR - BASE
    start, end = (None if moment is None else moment + recent for moment in span[:2])
    from_id = from_id if start is None else None
    rows, now = [], BASE + recent
    for number, step in enumerate(steps):
        now += step
        rows.append(AggTrade(number, now))
    exchange = Exchange(market["agg_trades"], rows, time="trade_time", most=most)
    walk = walk_of(market["agg_trades"], span[2], size, startTime=start, endTime=end, fromId=from_id)
    if from_id is None:
        expected = within(rows, "trade_time", start, end, span[2])
    else:
        expected = [row for row in rows if row.agg_id >= from_id and (end is None or row.trade_time <= end)][: span[2]]
    assert collect(walk, exchange) == expected
    for asked in exchange.requests:
        assert len({"fromId", "startTime", "endTime"} & set(asked)) <= 1
    for asked in exchange.requests[1:]:
        assert "fromId" in asked


# ----------------------------------------------------------------------------------- statistics


@example(hours=list(range(10)), span=(BASE, BASE + 9 * HOUR, None), size=5, newest=False, most=lambda: 2)
@example(hours=list(range(10)), span=(BASE, BASE + 9 * HOUR, None), size=5, newest=True, most=lambda: 2)
@example(hours=list(range(10)), span=(None, BASE + 9 * HOUR, 9), size=5, newest=False, most=lambda: 2)
@given(hours=hours_there, span=spans(), size=sizes, newest=st.booleans(), most=lowered())
def test_statistics(
    hours: list[int],
    span: tuple[int | None, int | None, int | None],
    size: int,
    newest: bool,
    most: Callable[[], int],
) -> None:
    start, end, limit = span
    rows = [Statistic(BASE + hour * HOUR) for hour in hours]
    operation = FUTURES["open_interest_hist"]
    exchange = Exchange(operation, rows, time="time", newest_within=newest, most=most)
    walk = walk_of(operation, limit, size, period="1h", startTime=start, endTime=end)
    assert collect(walk, exchange) == within(rows, "time", start, end, limit)
    for asked in exchange.requests:
        assert asked.get("endTime", 0) <= NOW_MS
        if start is not None:
            assert asked["endTime"] - asked["startTime"] < asked["limit"] * HOUR


@given(first=st.integers(0, 30), count=st.integers(0, 31), span=spans(), size=sizes)
def test_statistics_without_a_hole_ask_no_more_often_than_planned(
    first: int, count: int, span: tuple[int | None, int | None, int | None], size: int
) -> None:
    operation, (start, end, limit) = FUTURES["basis"], span
    there = [Statistic(BASE + hour * HOUR) for hour in range(first, first + count)]
    exchange = Exchange(operation, there, time="time")
    walk = walk_of(operation, limit, size, period="1h", startTime=start, endTime=end)
    collect(walk, exchange)
    # What was there before the start, or the contract, would be a hole in front.
    if there and start is not None and there[0].time <= start:
        assert len(exchange.requests) <= planned(walk)


def test_a_few_statistics_of_a_young_contract_take_full_windows() -> None:
    # A month of five-minute periods in windows of one would be 8640 requests, and the group allows 1000.
    operation = FUTURES["open_interest_hist"]
    exchange = Exchange(operation, [Statistic(NOW_MS - HOUR)], time="time")
    for arguments in ({}, {"startTime": 0}):
        exchange.requests.clear()
        assert collect(walk_of(operation, 2, None, period="5m", **arguments), exchange) == [Statistic(NOW_MS - HOUR)]
        assert len(exchange.requests) <= 31 * DAY // (500 * 5 * MINUTE) + 3


def test_the_oldest_statistics_reach_back_as_far_as_allowed_and_no_further() -> None:
    for name in ("open_interest_hist", "basis", "taker_long_short_ratio"):
        operation = FUTURES[name]
        kept = next(rule.seconds for rule in operation.rules if isinstance(rule, Lookback)) * 1000
        exchange = Exchange(operation, [], time="time")
        assert collect(walk_of(operation, period="1d", startTime=0), exchange) == []
        first = exchange.requests[0]["startTime"]
        assert NOW_MS - kept <= first <= NOW_MS - kept + 2 * MINUTE
        assert exchange.requests[-1]["endTime"] == NOW_MS
        # As many as were kept and one more: backwards it ends there too.
        rows = [Statistic(first + n * DAY) for n in range(-2, kept // DAY)]
        exchange = Exchange(operation, rows, time="time")
        assert collect(walk_of(operation, 100, 7, period="1d"), exchange) == rows[2:]


def test_an_end_before_the_look_back_is_the_argument_to_blame() -> None:
    with pytest.raises(ParameterError) as caught:
        walk_of(FUTURES["basis"], 5, period="1h", endTime=NOW_MS - 40 * DAY)
    assert caught.value.parameter == "end_time"
    assert "30 days" in str(caught.value)


def test_windows_do_not_walk_the_future() -> None:
    operation = FUTURES["basis"]
    exchange = Exchange(operation, [], time="time")
    assert collect(walk_of(operation, startTime=NOW_MS + DAY), exchange) == []
    assert exchange.requests == []
    assert collect(walk_of(operation, None, 5, period="1h", startTime=BASE, endTime=NOW_MS + 99 * DAY), exchange) == []
    assert exchange.requests[-1]["endTime"] == NOW_MS
    assert collect(walk_of(FUTURES["klines"], startTime=NOW_MS + DAY), Exchange(FUTURES["klines"], [])) == []


# --------------------------------------------------------------------------- rows that share a time


@example(ties=[4] * 6, span=(BASE, None, None), size=12, most=lambda: 5)
@example(ties=[1] * 9, span=(None, BASE + 24 * HOUR, 7), size=12, most=lambda: 5)
@given(ties=st.lists(st.integers(1, 4), max_size=10), span=spans(), size=st.integers(5, 12), most=lowered(least=5))
def test_funding_rates(
    ties: list[int], span: tuple[int | None, int | None, int | None], size: int, most: Callable[[], int]
) -> None:
    start, end, limit = span
    rows = [Funding(f"S{n}", BASE + hour * 3 * HOUR) for hour, count in enumerate(ties) for n in range(count)]
    exchange = Exchange(FUTURES["funding_rate"], rows, time="funding_time", most=most)
    walk = walk_of(FUTURES["funding_rate"], limit, size, startTime=start, endTime=end)
    assert collect(walk, exchange) == within(rows, "funding_time", start, end, limit)


@given(count=st.integers(0, 40), every=st.integers(1, 8), limit=limits, size=st.integers(6, 12))
def test_the_newest_funding_rates_of_one_contract(count: int, every: int, limit: int, size: int) -> None:
    rows = [Funding("BTCUSDT", BASE + n * every * HOUR) for n in range(count)]
    exchange = Exchange(FUTURES["funding_rate"], rows, time="funding_time")
    walk = walk_of(FUTURES["funding_rate"], limit, size, symbol="BTCUSDT")
    assert collect(walk, exchange) == rows[-limit:]
    if limit <= count:
        assert len(exchange.requests) <= planned(walk) + 2
    # What an end alone would give is documented nowhere.
    assert all("startTime" in asked or "endTime" not in asked for asked in exchange.requests)


@pytest.mark.parametrize("most", [4, 3])
def test_more_ties_than_a_page_holds_are_an_error_and_no_endless_loop(most: int) -> None:
    rows = [Funding(f"S{n}", BASE) for n in range(9)] + [Funding("S0", BASE + HOUR)]
    exchange = Exchange(FUTURES["funding_rate"], rows, time="funding_time", most=lambda: most)
    with pytest.raises(ParameterError, match="raise page_size") as caught:
        collect(walk_of(FUTURES["funding_rate"], None, 4, startTime=BASE), exchange)
    assert caught.value.parameter == "page_size"
    assert len(exchange.requests) == (2 if most == 4 else 3)


# ------------------------------------------------------------------------------------------- trades


@pytest.mark.parametrize("name", ["spot", "futures", "block"])
@given(
    ids=st.sets(st.integers(0, 60)).map(sorted),
    from_id=st.none() | st.integers(0, 60),
    limit=limits,
    size=sizes,
    most=lowered(),
)
def test_historical_trades(
    name: str, ids: list[int], from_id: int | None, limit: int, size: int, most: Callable[[], int]
) -> None:
    operation = {
        "spot": SPOT["historical_trades"],
        "futures": FUTURES["historical_trades"],
        "block": SPOT["historical_block_trades"],
    }[name]
    if name == "block":
        from_id = from_id or 0
    rows = [Trade(number) for number in ids]
    exchange = Exchange(operation, rows, most=most)
    walk = walk_of(operation, limit, size, fromId=from_id)
    assert collect(walk, exchange) == within(rows, "trade_id", from_id, None, limit)


@given(count=st.integers(1, 60), from_id=st.none() | st.integers(0, 60), limit=limits, size=sizes)
def test_trades_without_a_hole_are_asked_for_as_often_as_planned(
    count: int, from_id: int | None, limit: int, size: int
) -> None:
    operation = SPOT["historical_trades"]
    exchange = Exchange(operation, [Trade(number) for number in range(count)])
    walk = walk_of(operation, limit, size, fromId=from_id)
    if len(collect(walk, exchange)) == limit:
        assert len(exchange.requests) == planned(walk)


def test_a_walk_ends_with_the_present_although_trade_follows_trade() -> None:
    rows = [Trade(n, NOW_MS - 5 + n) for n in range(1000)]
    exchange = Exchange(SPOT["historical_trades"], rows)
    assert collect(walk_of(SPOT["historical_trades"], None, 4, fromId=0), exchange) == rows[:6]
    assert len(exchange.requests) == 2


def test_the_clock_that_an_answer_sets_is_the_one_that_counts() -> None:
    """A computer an hour behind must not lose the newest hour, nor one without any answer with a date all of them."""
    rows = [Candle(NOW_MS // MINUTE * MINUTE - n * MINUTE) for n in range(90, -1, -1)]
    arguments = {"interval": "1m", "startTime": rows[0].open_time}
    exchange = Exchange(SPOT["klines"], rows, time="open_time")
    behind = NOW_MS - HOUR
    set_by_answer = ServerClock(lambda: NOW_MS if exchange.requests else behind, lambda: bool(exchange.requests))
    for clock in (set_by_answer, ServerClock(lambda: behind, lambda: False)):
        exchange.requests.clear()
        assert collect(walk_of(SPOT["klines"], None, 10, **arguments), exchange, clock) == rows


# --------------------------------------------------------------------- a server that cannot be followed


class Stubborn(Exchange):
    """Gives the same page whatever is asked for."""

    async def __call__(self, arguments: Mapping[str, object]) -> list[Any]:
        self.requests.append(dict(arguments))
        return list(self.rows)


CANDLES = [Candle(BASE + n * HOUR) for n in range(5)]
BEGIN = {"interval": "1h", "startTime": BASE}


@pytest.mark.parametrize(
    ("name", "rows", "arguments", "limit", "count"),
    [
        ("klines", CANDLES, BEGIN, None, 5),
        ("klines", CANDLES, {"interval": "1h"}, 12, 0),
        ("klines", CANDLES[::-1], BEGIN, None, 0),
        ("klines", [CANDLES[0], CANDLES[0]], BEGIN, None, 0),
        ("basis", [Statistic(BASE + n * HOUR) for n in range(5)], {**BEGIN, "period": "1h"}, None, 5),
        ("basis", [Statistic(BASE + n * HOUR) for n in range(5)], {"period": "1h"}, 12, 0),
        ("agg_trades", [AggTrade(n, NOW_MS - HOUR + n) for n in range(5)], {"fromId": 0}, None, 5),
        ("agg_trades", [AggTrade(n, NOW_MS - HOUR + n) for n in range(9, 5, -1)], {"fromId": 0}, None, 0),
        ("agg_trades", [AggTrade(n, NOW_MS - HOUR + n) for n in range(9)], {"endTime": NOW_MS - HOUR}, 5, 0),
        ("historical_trades", [Trade(n) for n in range(5)], {"fromId": 3}, None, 0),
        ("funding_rate", [Funding("A", BASE + 1), Funding("A", BASE)], {"startTime": BASE}, None, 0),
    ],
)
def test_a_page_that_is_repeated_or_out_of_order_is_an_error(
    name: str, rows: list[Any], arguments: dict[str, Any], limit: int | None, count: int
) -> None:
    operation = FUTURES[name] if name in FUTURES else SPOT[name]
    exchange = Stubborn(operation, rows)
    known = {wire: value for wire, value in arguments.items() if wire in operation.by_wire}
    walk, found = walk_of(operation, limit, 5, **known), list[Any]()
    with pytest.raises(DecodeError, match=operation.id) as caught:
        found.extend(drive_iterator(paginate(walk, exchange.fetch, CLOCK)))
    assert len(found) == count
    assert caught.value.body
    assert caught.value.problems
    assert len(exchange.requests) <= 2
