"""The judge's record, and limits, weights and clocks that change while the simulator runs."""

from __future__ import annotations

import httpx
import pytest

from binance_sdk import BinanceClient
from binance_sdk.simulator import Fault, ManualClock, OffsetClock, Simulator, SimulatorClock, SimulatorError
from binance_sdk.simulator.faults.requests import Injected
from binance_sdk.simulator.rest.exchange import Request
from tests.simulated_http import SimulatedHttp

from .conftest import NOW, simulator

MINUTE = 60_000
START = NOW // MINUTE * MINUTE
TRADES = "/api/v3/trades?symbol=BTCUSDT"


def test_the_record_has_what_was_accepted_and_refused() -> None:
    clock = ManualClock(START)
    with (
        simulator(clock=clock, weight_limits={"spot": 60}, ban_after=2) as running,
        SimulatedHttp(running) as client,
    ):
        assert running.windows("spot") == []
        assert [client.get(TRADES).status_code for _ in range(6)] == [200, 200, 429, 429, 418, 418]
        clock.advance(180)
        assert client.get(TRADES).status_code == 200
        first, last = running.windows("spot")
        assert (first.start, first.seconds, first.limit) == (START, 60, 60)
        assert (first.requests, first.used, first.over_limit, first.banned) == (2, 50, 2, 2)
        assert (first.peak, first.share) == (125, 50 / 60)
        assert (last.start, last.requests, last.used) == (START + 180_000, 1, 25)
        assert running.windows("futures") == []
        running.reset_windows("futures")
        assert len(running.windows("spot")) == 2
        running.reset_windows()
        assert running.windows("spot") == []
        assert running.used_weight("spot") == 25


def test_a_copy_of_the_record_stays_as_it_is() -> None:
    with simulator() as running, SimulatedHttp(running) as client:
        client.get(TRADES)
        (before,) = running.windows("spot")
        client.get(TRADES)
        assert (before.requests, running.windows("spot")[0].requests) == (1, 2)


@pytest.mark.parametrize("fault", [None, Fault.rate_limited(30), Fault.banned(60)])
def test_who_goes_on_while_the_gate_should_be_closed_is_noted(fault: Fault | None) -> None:
    clock = ManualClock(START)
    with (
        simulator(clock=clock, weight_limits={"spot": 40}, grace_seconds=0.5) as running,
        SimulatedHttp(running) as client,
    ):
        assert client.get(TRADES).status_code == 200
        if fault is not None:
            running.faults.next(1, fault)
        assert client.get(TRADES).status_code in (429, 418)
        # Those that had left before the refusal could be known.
        clock.advance(0.5)
        client.get("/api/v3/time")
        assert running.windows("spot")[0].while_closed == 0
        clock.advance(0.001)
        client.get("/api/v3/time")
        client.get("/fapi/v1/time")
        assert running.windows("spot")[0].while_closed == 1
        clock.advance(60)
        assert client.get("/api/v3/time").status_code == 200
        assert [window.while_closed for window in running.windows("spot")] == [1, 0]
        assert sum(window.while_closed for window in running.windows("futures")) == 0


def test_the_time_of_grace_begins_when_the_client_can_know() -> None:
    clock = ManualClock(START)
    exchange = simulator(clock=clock, weight_limits={"spot": 1}, ban_after=10, grace_seconds=0.5)._exchange
    request = Request("spot", 0, "GET", "/api/v3/time")

    def noted() -> int:
        exchange.answer(request)
        return exchange.limiters["spot"].windows(clock.now_ms())[0].while_closed

    exchange.answer(request)
    # A 429 that takes two seconds to arrive.
    assert exchange.answer(request, Injected(after=2.0)).status == 429
    clock.advance(2.5)
    assert noted() == 0
    clock.advance(0.001)
    assert noted() == 1


def test_a_page_of_the_firewall_is_no_weight_but_still_a_request() -> None:
    clock = ManualClock(START)
    with simulator(clock=clock, grace_seconds=0) as running, SimulatedHttp(running) as client:
        running.faults.next(1, Fault.rate_limited(30))
        client.get(TRADES)
        clock.advance(1)
        running.faults.next(1, Fault.forbidden())
        assert client.get(TRADES).status_code == 403
        (window,) = running.windows("spot")
        assert (window.used, window.requests, window.while_closed) == (25, 1, 1)


# ---------------------------------------------------------------------------------- changed limits


def test_changed_limits_hold_and_stand_in_exchange_info() -> None:
    clock = ManualClock(START)
    with simulator(clock=clock) as running, SimulatedHttp(running) as client:
        client.get(TRADES)
        running.change_limits("spot", weight=70, window_seconds=10, groups={"raw_requests": 5})
        response = client.get("/api/v3/exchangeInfo?symbol=BTCUSDT")
        # The running window keeps what it had used.
        assert response.headers["x-mbx-used-weight-10s"] == "45"
        limits = {limit["rateLimitType"]: limit for limit in response.json()["rateLimits"]}
        assert limits["REQUEST_WEIGHT"]["limit"] == 70
        assert (limits["REQUEST_WEIGHT"]["interval"], limits["REQUEST_WEIGHT"]["intervalNum"]) == ("SECOND", 10)
        assert limits["RAW_REQUESTS"]["limit"] == 5
        assert client.get(TRADES).status_code == 200
        assert "70 request weight per 10 SECOND" in client.get(TRADES).json()["msg"]
        running.reset_limits()
        assert [client.get("/api/v3/time").status_code for _ in range(6)] == [200] * 5 + [429]
        clock.advance(10)
        assert running.used_weight("spot") == 0
        assert {(window.seconds, window.limit) for window in running.windows("spot")} == {(60, 1_000_000_000), (10, 70)}


def test_limits_of_groups() -> None:
    with simulator() as running, httpx.Client(base_url=running.base_url("futures")) as client:
        running.change_limits("futures", groups={"funding_rate": 1})
        assert [client.get("/fapi/v1/fundingInfo").status_code for _ in range(2)] == [200, 429]
        assert client.get("/fapi/v1/time").status_code == 200


def test_limits_that_are_none_are_refused() -> None:
    running = simulator()
    with pytest.raises(SimulatorError, match="spot has no group funding_rate; it has raw_requests"):
        running.change_limits("spot", groups={"funding_rate": 1})
    for wrong in ({"weight": 0}, {"window_seconds": -1}, {"groups": {"raw_requests": 0}}):
        with pytest.raises(SimulatorError, match="at least 1"):
            running.change_limits("spot", **wrong)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------ changed weights


def test_a_weight_that_drifted_from_the_documents() -> None:
    with simulator() as running, SimulatedHttp(running) as client:
        running.drift("spot.trades", 40)
        assert client.get(TRADES).headers["x-mbx-used-weight"] == "40"
        assert client.get("/api/v3/time").headers["x-mbx-used-weight"] == "41"
        running.drift("spot.trades", 0)
        assert client.get(TRADES).headers["x-mbx-used-weight"] == "41"
        for _ in range(2):
            running.drift("spot.trades", None)
        assert client.get(TRADES).headers["x-mbx-used-weight"] == "66"
        with pytest.raises(SimulatorError, match=r"no operation 'spot\.trade'"):
            running.drift("spot.trade", 1)
        with pytest.raises(SimulatorError, match="at least 0"):
            running.drift("spot.trades", -1)


async def test_the_client_sees_the_drift() -> None:
    with Simulator() as running:
        running.drift("spot.trades", 40)
        async with BinanceClient(spot_base_url=running.base_url("spot")) as client:
            raw = await client.spot.with_raw_response.trades("BTCUSDT")
    assert (raw.weight, raw.used_weight) == (25, 40)


# ----------------------------------------------------------------------------------------- clocks


def test_a_clock_that_is_fast() -> None:
    base = ManualClock(START)
    clock = OffsetClock(0.8, base)
    assert clock.now_ms() == START + 800
    with simulator(clock=clock) as running, SimulatedHttp(running) as client:
        base.advance(59.2)
        client.get(TRADES)
        assert [window.start for window in running.windows("spot")] == [START + MINUTE]
        clock.offset_seconds = -0.8
        assert client.get("/api/v3/time").json()["serverTime"] == START + 58_400
    assert abs(OffsetClock(-3600).now_ms() + 3_600_000 - SimulatorClock().now_ms()) < 5_000
