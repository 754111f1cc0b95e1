"""Windows of the ledger by numbers alone: no order of events spends more than the limit."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from binance_sdk._runtime.budget.fixed_window import FixedWindow
from binance_sdk._runtime.budget.pool import Cost, Pool, Usage
from binance_sdk._runtime.budget.resource import Charge
from binance_sdk._runtime.budget.server_time import ServerTime
from binance_sdk._runtime.response import Headers
from binance_sdk.catalogue import CATALOGUE
from tests.budget.counting_server import LIMIT, MINUTE, START, CountingServer


@dataclass
class Request:
    charge: Charge
    told: int | None = None
    arrived: bool = False


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("send"), st.integers(1, 60)),
        st.tuples(st.just("arrive"), st.integers(0, 5)),
        st.tuples(st.just("answer"), st.integers(0, 5)),
        st.tuples(st.just("lose"), st.integers(0, 5)),
        st.tuples(st.just("wait"), st.sampled_from([0, 1, 100, 200, 500, 1000, 20_000, 61_000])),
    ),
    max_size=60,
)


@settings(max_examples=600)
@example(
    # One request is lost after the server counted it; then comes an answer that was written before.
    events=[
        *[("send", 50), ("send", 50), ("arrive", 0), ("arrive", 1)],
        *[("lose", 1), ("answer", 0), ("send", 50), ("arrive", 0)],
    ],
    ahead=0.0,
    begin=30.0,
)
@example(
    # Sent before the turn of the minute, counted after it.
    events=[
        *[("send", 60), ("wait", 500), ("arrive", 0), ("answer", 0), ("wait", 1000), ("wait", 1000)],
        *[("send", 60), ("arrive", 0)],
    ],
    ahead=0.0,
    begin=59.9,
)
@example(
    # The server's clock goes ahead: it counts in its new minute what we sent in our old one.
    events=[("send", 60), ("arrive", 0), ("answer", 0), ("wait", 1000), ("wait", 1000), ("send", 60), ("arrive", 0)],
    ahead=0.5,
    begin=59.9,
)
@example(
    # The server's clock goes behind: its old minute still runs when ours has turned.
    events=[("send", 60), ("arrive", 0), ("answer", 0), ("wait", 1000), ("wait", 200), ("send", 60), ("arrive", 0)],
    ahead=-0.5,
    begin=59.0,
)
@given(events=EVENTS, ahead=st.sampled_from([-0.5, 0.0, 0.5]), begin=st.sampled_from([0.0, 30.0, 59.0, 59.9]))
def test_no_order_of_events_spends_more_than_the_limit(
    events: list[tuple[str, int]], ahead: float, begin: float
) -> None:
    window = FixedWindow("weight", LIMIT, MINUTE, uncertainty=0.5)
    server, under_way, now = CountingServer(ahead), [], START + begin
    for event, number in events:
        if event == "send":
            if window.ready_at(number, now, 1.0) <= now:
                under_way.append(Request(window.take(number, now)))
        elif event == "wait":
            now += number / 1000
        elif under_way:
            request = under_way[number % len(under_way)]
            if event == "arrive" and not request.arrived:
                request.arrived, request.told = True, server.take(request.charge.amount, now)
            elif event == "lose" or (event == "answer" and request.arrived):
                under_way.remove(request)
                window.settle(request.charge, request.told if event == "answer" else None, now)
        assert all(count <= LIMIT for count in server.counts.values()), server.counts
    for request in under_way:
        window.settle(request.charge, None, now)
    assert window.in_flight == 0


def test_a_clock_that_is_set_back_forgets_nothing() -> None:
    window = FixedWindow("weight", LIMIT, MINUTE)
    window.settle(window.take(80, START + 90), None, START + 90)
    for now in (START + 30, START, START - 3600, 0.0):
        assert window.ready_at(30, now, 1.0) > now
        window.roll(now)
        assert window.used == 80
    assert window.ready_at(30, START + 150, 1.0) <= START + 150


def test_a_full_window_opens_again_when_it_has_turned() -> None:
    window = FixedWindow("weight", LIMIT, MINUTE)
    now = START + 20.0
    window.settle(window.take(LIMIT, now), LIMIT, now)
    ready = window.ready_at(1, now, 1.0)
    assert START + MINUTE <= ready < START + MINUTE + 1
    assert window.ready_at(1, ready, 1.0) <= ready


def test_what_is_never_sent_is_given_back() -> None:
    window = FixedWindow("weight", LIMIT, MINUTE)
    charge = window.take(70, START + 20)
    assert window.used == 70
    window.refund(charge, START + 21)
    assert (window.used, window.in_flight) == (0, 0)


def test_the_servers_count_replaces_ours_and_later_requests_come_on_top() -> None:
    window = FixedWindow("weight", LIMIT, MINUTE)
    now = START + 20.0
    window.settle(window.take(5, now), None, now)
    assert window.used == 5
    window.settle(window.take(5, now), 40, now)
    assert window.used == 40
    window.take(7, now)
    assert window.used == 47


@given(amount=st.integers(1, 200), share=st.sampled_from([0.5, 0.95, 1.0]))
def test_only_a_share_of_the_limit_is_used(amount: int, share: float) -> None:
    window = FixedWindow("weight", LIMIT, MINUTE)
    now = START + 20.0
    assert (window.ready_at(amount, now, share) <= now) == (amount <= LIMIT * share)


# --------------------------------------------------------------------------------------- the pool


def pool(market: str) -> Pool:
    limits = (CATALOGUE["spot"] if market == "spot" else CATALOGUE["futures"]).limits
    return Pool(market, limits, ServerTime(START, START))


def test_a_request_is_charged_to_its_weight_and_groups() -> None:
    spot, futures = pool("spot"), pool("futures")
    charged = [(window.name, amount) for window, amount in spot.charges(Cost(25, ()))]
    assert charged == [("spot weight", 25), ("spot raw_requests", 1)]
    charged = [(window.name, amount) for window, amount in futures.charges(Cost(0, ("funding_rate",)))]
    assert charged == [("futures funding_rate", 1)]


@pytest.mark.parametrize(
    ("headers", "count"),
    [
        ({"X-MBX-USED-WEIGHT-1M": "17"}, 17),
        ({"x-mbx-used-weight-60s": "17"}, 17),
        ({"x-mbx-used-weight": "17"}, None),
        ({"x-mbx-used-weight-1h": "17"}, None),
        ({"x-mbx-used-weight-1m": ""}, None),
        ({"x-mbx-used-weight-1m": "-1"}, None),
        ({"x-mbx-used-weight-1m": "1.5"}, None),
        ({"x-mbx-used-weight-1m": "\u00b2"}, None),
        ({"x-mbx-used-weight-1m": "9" * 5000}, None),
        ({"x-mbx-used-weight-" + "9" * 5000 + "m": "1"}, None),
        ({}, None),
    ],
)
def test_the_count_of_the_right_window_is_read(headers: dict[str, str], count: int | None) -> None:
    assert pool("spot").reported(Headers(headers)) == count


def test_what_is_left_is_never_negative() -> None:
    assert Usage(7, 10, 60, 1.0).remaining == 3
    assert Usage(12, 10, 60, 1.0).remaining == 0


def test_a_local_clock_that_is_set_later_is_off_by_so_much_from_then_on() -> None:
    time = ServerTime(wall=1000.0, monotonic=10.0)
    assert time.skew(1000.0, 10.0) == 0
    time.observe(1005.0, 0.001, 10.0, 10.0)
    assert time.skew(1000.0, 10.0) == pytest.approx(5, abs=0.01)
    # Set right, and by a minute too far: monotonic time knows nothing of it.
    assert time.skew(1025.0, 30.0) == pytest.approx(0, abs=0.01)
    assert time.skew(1085.0, 30.0) == pytest.approx(-60, abs=0.01)
