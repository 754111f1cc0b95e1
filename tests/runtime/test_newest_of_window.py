"""Endpoints that limit how long a window may be and answer with its newest rows, as klines of COIN-M do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binance_sdk._runtime.calls.drive import drive_iterator
from binance_sdk._runtime.calls.paginator import paginate
from binance_sdk._runtime.calls.paging import plan_pages, plan_walk
from binance_sdk._runtime.calls.parameters import validate
from binance_sdk._runtime.calls.received_answer import ReceivedAnswer
from binance_sdk._runtime.operation import MaxSpan, Operation
from binance_sdk._runtime.response import Headers, Response
from binance_sdk.errors import ParameterError

from .fake_exchange import Candle
from .walks import CLOCK, DAY, FUTURES, HOUR, MINUTE, NOW_MS

_LONGEST = 200 * DAY
_plain = FUTURES["klines"]
assert _plain.paging is not None
KLINES: Operation[Any] = replace(
    _plain,
    rules=(*_plain.rules, MaxSpan("startTime", "endTime", _LONGEST // 1000, inclusive=True)),
    paging=replace(_plain.paging, window=True, keeps="newest", first=NOW_MS - 4000 * DAY),
)


@dataclass
class Server:
    """By the documents: a window of 200 days at most, and of that the newest rows."""

    times: list[int]
    most: int = 1500
    requests: list[Mapping[str, Any]] = field(default_factory=list)

    async def fetch(self, arguments: Mapping[str, object]) -> Response[list[Any]]:
        asked: dict[str, Any] = validate(KLINES, arguments, NOW_MS)
        self.requests.append(asked)
        start, end = asked.get("startTime"), asked.get("endTime")
        if end is None:
            end = NOW_MS if start is None else min(NOW_MS, start + _LONGEST)
        if start is None:
            start = end - _LONGEST
        assert end - start <= _LONGEST
        rows = [Candle(time) for time in self.times if start <= time <= end][-min(asked["limit"], self.most) :]
        answer = ReceivedAnswer("", object, b"", data=rows)
        return Response(answer, 200, Headers(), repr(rows).encode(), 0, None, "", 0.0, 0)


def walk(server: Server, *, limit: int | None = None, page_size: int | None = None, **arguments: Any) -> list[int]:
    plan = plan_walk(KLINES, {"symbol": "BTCUSDT", **arguments}, limit, page_size, NOW_MS)
    return [row.open_time for row in drive_iterator(paginate(plan, server.fetch, CLOCK))]


def planned(*, limit: int | None = None, page_size: int | None = None, **arguments: Any) -> int:
    plan = plan_walk(KLINES, {"symbol": "BTCUSDT", **arguments}, limit, page_size, NOW_MS)
    return sum(count for count, _ in plan_pages(plan, NOW_MS))


def bars(since: int, step: int, until: int = NOW_MS) -> list[int]:
    return list(range(-(-since // step) * step, until, step))


@pytest.mark.parametrize(("interval", "step"), [("1h", HOUR), ("1d", DAY), ("4h", 4 * HOUR)])
def test_two_years_have_each_bar_once(interval: str, step: int) -> None:
    begin = NOW_MS - 730 * DAY
    server = Server(bars(begin, step))
    assert walk(server, interval=interval, startTime=begin) == server.times
    assert len(server.requests) <= planned(interval=interval, startTime=begin)


def test_the_rule_of_the_other_markets_would_lose_bars_in_silence() -> None:
    """What the word is for: from a start on, these servers do not answer with what follows it."""
    begin = NOW_MS - 150 * DAY
    server = Server(bars(begin, HOUR))
    assert _plain.paging is not None
    forwards = replace(KLINES, paging=replace(_plain.paging, first=None))
    plan = plan_walk(forwards, {"symbol": "BTCUSDT", "interval": "1h", "startTime": begin}, None, 500, NOW_MS)
    found = [row.open_time for row in drive_iterator(paginate(plan, server.fetch, CLOCK))]
    assert found == server.times[-500:]


def test_a_page_holds_no_more_than_the_longest_window_can() -> None:
    server = Server(bars(NOW_MS - 730 * DAY, DAY))
    walk(server, interval="1d", startTime=NOW_MS - 730 * DAY)
    assert {asked["limit"] for asked in server.requests} == {200}


def test_a_server_with_smaller_pages_loses_nothing() -> None:
    begin = NOW_MS - 30 * DAY
    server = Server(bars(begin, HOUR), most=100)
    assert walk(server, interval="1h", startTime=begin, page_size=300) == server.times


def test_a_contract_listed_years_after_the_start_is_found_with_few_requests() -> None:
    server = Server(bars(NOW_MS - 2 * DAY, MINUTE))
    assert walk(server, interval="1m", startTime=0, page_size=1000) == server.times
    # Twenty windows of 200 days are looked into for one row each, and the last one is halved down to one page.
    assert len([asked for asked in server.requests if asked["limit"] == 1]) <= 20 + 9
    assert len([asked for asked in server.requests if asked["limit"] > 1]) <= 6


def test_a_contract_that_ended_years_ago_ends_the_walk_with_few_requests() -> None:
    begin = NOW_MS - 1000 * DAY
    server = Server(bars(begin, MINUTE, begin + DAY))
    assert walk(server, interval="1m", startTime=begin, page_size=1000) == server.times
    assert len(server.requests) <= 2 + 1 + 5


def test_the_newest_rows_come_backwards() -> None:
    server = Server(bars(NOW_MS - 730 * DAY, DAY))
    assert walk(server, interval="1d", limit=500) == server.times[-500:]
    end = NOW_MS - 300 * DAY
    expected = [time for time in server.times if time <= end][-250:]
    assert walk(server, interval="1d", limit=250, endTime=end) == expected


@settings(deadline=None, max_examples=60)
@given(
    present=st.lists(st.integers(0, 2000), max_size=120, unique=True),
    start=st.integers(0, 2000),
    length=st.integers(0, 2000),
    page_size=st.sampled_from([1, 7, 50, 499, None]),
    most=st.sampled_from([1, 5, 1500]),
    limit=st.sampled_from([None, 1, 30]),
)
def test_whatever_is_missing_each_row_comes_once(
    present: list[int], start: int, length: int, page_size: int | None, most: int, limit: int | None
) -> None:
    base = NOW_MS // DAY * DAY - 2500 * DAY
    server = Server([base + day * DAY for day in sorted(present)], most=most)
    begin, end = base + start * DAY, base + (start + length) * DAY
    wanted = [time for time in server.times if begin <= time <= end][:limit]
    assert walk(server, interval="1d", startTime=begin, endTime=end, page_size=page_size, limit=limit) == wanted


def test_a_span_of_exactly_the_longest_is_no_mistake_and_a_longer_one_is_told_in_days() -> None:
    ends = {"symbol": "BTCUSDT", "interval": "1d", "startTime": NOW_MS - _LONGEST}
    validate(KLINES, {**ends, "endTime": NOW_MS}, NOW_MS)
    with pytest.raises(ParameterError, match=r"at most 17280000 s \(200 days\); use iter_klines for longer spans"):
        validate(KLINES, {**ends, "endTime": NOW_MS + 1}, NOW_MS)
