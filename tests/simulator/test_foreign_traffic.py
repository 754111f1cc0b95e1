"""Others at the same address: how fast they spend, what they are refused, and that they cost no time."""

from __future__ import annotations

from fractions import Fraction

import pytest

from binance_sdk.simulator import ManualClock, SimulatorError
from binance_sdk.simulator.rest.foreign_traffic import ForeignTraffic
from binance_sdk.simulator.rest.pools import POOLS
from binance_sdk.simulator.rest.rate_limits import Limiter, RefusalError, Window
from tests.simulated_http import SimulatedHttp

from .conftest import NOW, simulator

MINUTE = 60_000
START = NOW // MINUTE * MINUTE


@pytest.mark.parametrize(("rate", "weight"), [(16, 1), (0.1, 7), (1 / 3, 1), (1000, 3), (2400 / 60, 10)])
def test_the_rate_is_exact_however_often_somebody_looks(rate: float, weight: int) -> None:
    at_once, often = (ForeignTraffic.at_rate(rate, weight, START) for _ in range(2))
    total = at_once.take(START + 600_000)
    # Steps that share no factor with the gap.
    assert sum(often.take(START + at) for at in [*range(0, 600_000, 137), 600_000]) == total
    exact = Fraction(rate).limit_denominator(1_000_000) * 600 / weight
    assert 0 <= total - exact <= 1
    assert at_once.next > START + 600_000


def test_none_come_before_the_start_or_twice() -> None:
    foreign = ForeignTraffic.at_rate(1, 1, START)
    assert foreign.take(START - 1) == 0
    assert foreign.take(START) == 1
    assert foreign.take(START) == 0
    assert foreign.take(START - 5_000) == 0


def test_the_used_weight_header_has_the_weight_of_others_too() -> None:
    clock = ManualClock(START)
    with simulator(clock=clock) as running, SimulatedHttp(running) as client:
        running.foreign_traffic("futures", 4, weight=2)
        assert running.used_weight("futures") == 2
        clock.advance(10)
        response = client.get("/fapi/v1/time")
        assert response.headers["x-mbx-used-weight-1m"] == str(2 * 21 + 1)
        assert running.used_weight("spot") == 0
        running.stop_foreign_traffic()
        clock.advance(10)
        assert running.used_weight("futures") == 43
        (window,) = running.windows("futures")
        assert (window.used, window.foreign, window.foreign_refused, window.peak) == (1, 42, 0, 43)
        assert window.share == 43 / window.limit


def test_what_does_not_fit_is_refused_and_leaves_the_counter() -> None:
    clock = ManualClock(START)
    with simulator(clock=clock, weight_limits={"spot": 10}) as running, SimulatedHttp(running) as client:
        running.foreign_traffic("spot", 3, weight=3)
        clock.advance(9)
        assert running.used_weight("spot") == 9
        assert client.get("/api/v3/time").status_code == 200
        assert client.get("/api/v3/time").status_code == 429
        (window,) = running.windows("spot")
        assert (window.foreign, window.foreign_refused, window.requests, window.over_limit) == (9, 7, 1, 1)
        assert window.peak == 11


def test_every_window_they_were_in_has_its_record() -> None:
    clock = ManualClock(START + 30_500)
    with simulator(clock=clock) as running:
        running.foreign_traffic("futures", 1)
        clock.advance(180)
        windows = running.windows("futures")
        assert [window.start for window in windows] == [START + minute * MINUTE for minute in range(4)]
        assert [window.foreign for window in windows] == [30, 60, 60, 31]
        assert {window.used for window in windows} == {0}


def test_a_leap_of_the_clock_costs_no_time() -> None:
    limiter = Limiter(POOLS["spot"], Window(6000, 60))
    limiter.let_in(START, ForeignTraffic.at_rate(50, 1, START))
    later = START + 3_650 * 86_400_000
    assert limiter.used(later) == 1
    assert len(limiter.windows(later)) <= 1_002
    assert limiter.used(later + 999) == 50


def test_others_can_change_their_pace() -> None:
    clock = ManualClock(START)
    with simulator(clock=clock) as running:
        running.foreign_traffic("spot", 1)
        clock.advance(9.5)
        running.foreign_traffic("spot", 10)
        clock.advance(1)
        assert running.used_weight("spot") == 10 + 11


@pytest.mark.parametrize(("rate", "weight"), [(0, 1), (-1, 1), (1, 0)])
def test_a_pace_that_is_none_is_refused(rate: float, weight: int) -> None:
    with pytest.raises(SimulatorError, match="must be positive"):
        simulator().foreign_traffic("spot", rate, weight)


def test_own_requests_meet_the_same_limit() -> None:
    limiter = Limiter(POOLS["spot"], Window(100, 60))
    limiter.let_in(START, ForeignTraffic.at_rate(1, 1, START))
    limiter.spend("/api/v3/depth", 50, START + 30_000)
    with pytest.raises(RefusalError):
        limiter.spend("/api/v3/depth", 50, START + 30_000)
