"""Windows, 429, 418 and what a client can read of them."""

from __future__ import annotations

import re

import httpx
import pytest

from binance_sdk.simulator import ManualClock, Simulator
from binance_sdk.simulator.rest.pools import POOL_OF, POOLS
from binance_sdk.simulator.rest.rate_limits import Interval, Limiter, RefusalError, Window
from tests.simulated_http import SimulatedHttp

from .conftest import NOW, simulator

MINUTE = 60_000
REST = MINUTE - NOW % MINUTE
"""Milliseconds from ``NOW`` to the end of its minute."""


def limited(**options: object) -> tuple[Simulator, ManualClock]:
    clock = ManualClock(NOW)
    return simulator(clock=clock, **options), clock


def get(client: httpx.Client, path: str, **params: object) -> httpx.Response:
    return client.get(path, params=params)  # type: ignore[arg-type]


def test_the_header_counts_up_and_starts_again_each_minute() -> None:
    running, clock = limited()
    with running, SimulatedHttp(running) as client:
        assert get(client, "/api/v3/ping").headers["x-mbx-used-weight-1m"] == "1"
        response = get(client, "/api/v3/trades", symbol="BTCUSDT")
        assert response.headers["x-mbx-used-weight-1m"] == response.headers["x-mbx-used-weight"] == "26"
        clock.advance((REST - 1) / 1000)
        assert running.used_weight("spot") == 26
        clock.advance(0.001)
        assert running.used_weight("spot") == 0
        assert get(client, "/api/v3/ping").headers["x-mbx-used-weight-1m"] == "1"


def test_markets_count_apart() -> None:
    running, _ = limited()
    with running, SimulatedHttp(running) as client:
        get(client, "/api/v3/ping")
        response = get(client, "/fapi/v1/klines", symbol="BTCUSDT", interval="1m", limit=1500)
        assert response.headers["x-mbx-used-weight-1m"] == "10"
        assert "x-mbx-used-weight" not in response.headers
        assert (running.used_weight("spot"), running.used_weight("futures")) == (1, 10)


def test_over_the_limit_is_429_then_418_and_bans_grow() -> None:
    running, clock = limited(weight_limits={"spot": 50}, ban_after=2)
    with running, SimulatedHttp(running) as client:
        for _ in range(2):
            assert get(client, "/api/v3/trades", symbol="BTCUSDT").status_code == 200
        for _ in range(2):
            refused = get(client, "/api/v3/ping")
            assert refused.status_code == 429
            assert refused.json()["code"] == -1003
            assert "current limit is 50 request weight per 1 MINUTE" in refused.json()["msg"]
            assert refused.headers["retry-after"] == str(-(-REST // 1000))
        banned = get(client, "/api/v3/ping")
        assert banned.status_code == 418
        assert banned.headers["retry-after"] == "120"
        assert until(banned) == NOW + 120_000
        # The minute is over and the other market is free, the ban goes on.
        clock.advance(119)
        assert get(client, "/api/v3/ping").headers["retry-after"] == "1"
        assert get(client, "/fapi/v1/ping").status_code == 200
        clock.advance(1)
        assert get(client, "/api/v3/ping").status_code == 200
        statuses = [get(client, "/api/v3/exchangeInfo").status_code for _ in range(5)]
        assert statuses == [200, 200, 429, 429, 418]
        assert get(client, "/api/v3/ping").headers["retry-after"] == "240"
        running.reset_limits()
        assert get(client, "/api/v3/ping").status_code == 200


def until(response: httpx.Response) -> int:
    found = re.search(r"banned until (\d+)", response.json()["msg"])
    assert found is not None
    return int(found.group(1))


def test_by_default_five_warnings() -> None:
    running, _ = limited(weight_limits={"futures": 1})
    with running, httpx.Client(base_url=running.base_url("futures")) as client:
        statuses = [get(client, "/fapi/v1/ping").status_code for _ in range(7)]
    assert statuses == [200, 429, 429, 429, 429, 429, 418]


def test_patience_is_new_in_a_new_window() -> None:
    limiter = Limiter(POOLS["futures"], Window(1, 60), ban_after=2)
    for minute in range(5):
        now = NOW + minute * MINUTE
        assert limiter.spend("/fapi/v1/ping", 1, now) == 1
        for _ in range(2):
            with pytest.raises(RefusalError) as caught:
                limiter.spend("/fapi/v1/ping", 1, now)
            assert caught.value.status == 429


def test_a_ban_is_never_longer_than_three_days() -> None:
    limiter, now = Limiter(POOLS["spot"], Window(1, 60), ban_after=0), NOW
    lengths: list[int] = []
    for _ in range(14):
        with pytest.raises(RefusalError) as caught:
            limiter.spend("/api/v3/depth", 2, now)
        lengths.append(caught.value.retry_after)
        now += caught.value.retry_after * 1000
    assert lengths[:3] == [120, 240, 480]
    assert lengths[-1] == 3 * 86_400


@pytest.mark.parametrize(
    ("path", "other", "limit"),
    [
        ("/fapi/v1/fundingRate", "/fapi/v1/fundingInfo", 500),
        ("/futures/data/basis", "/futures/data/delivery-price", 1000),
    ],
)
def test_groups_count_requests_for_five_minutes(path: str, other: str, limit: int) -> None:
    limiter = Limiter(POOLS["futures"], Window(2400, 60))
    start = NOW // (5 * MINUTE) * 5 * MINUTE
    for number in range(limit):
        limiter.spend(path if number % 2 else other, 0, start + number)
    limiter.spend("/fapi/v1/ping", 1, start)
    with pytest.raises(RefusalError, match=f"current limit is {limit} requests per 5 MINUTE") as caught:
        limiter.spend(path, 0, start + 4 * MINUTE)
    assert caught.value.retry_after == 60
    limiter.spend(path, 0, start + 5 * MINUTE)


def test_raw_requests_are_counted_on_spot() -> None:
    limiter = Limiter(POOLS["spot"], Window(10**9, 60))
    limiter.groups["raw_requests"].add(300_000, NOW)
    with pytest.raises(RefusalError, match="300000 requests per 5 MINUTE"):
        limiter.spend("/api/v3/ping", 1, NOW)


def test_a_short_window_shows_in_header_and_exchange_info() -> None:
    running, clock = limited(weight_limits={"spot": 40}, weight_window_seconds=5)
    with running, SimulatedHttp(running) as client:
        response = get(client, "/api/v3/exchangeInfo", symbol="BTCUSDT")
        assert response.headers["x-mbx-used-weight-5s"] == "20"
        weight = [limit for limit in response.json()["rateLimits"] if limit["rateLimitType"] == "REQUEST_WEIGHT"]
        assert weight == [{"rateLimitType": "REQUEST_WEIGHT", "interval": "SECOND", "intervalNum": 5, "limit": 40}]
        clock.advance(5)
        assert running.used_weight("spot") == 0


def test_the_usual_limits_stand_in_exchange_info(running: Simulator) -> None:
    with SimulatedHttp(running) as client:
        limits = {
            (limit["rateLimitType"], limit["interval"], limit["intervalNum"]): limit["limit"]
            for path in ("/api/v3/exchangeInfo", "/fapi/v1/exchangeInfo")
            for limit in get(client, path).json()["rateLimits"]
            if limit["rateLimitType"] != "REQUEST_WEIGHT" or path.startswith("/api")
        }
    assert limits["REQUEST_WEIGHT", "MINUTE", 1] == 6000
    assert limits["RAW_REQUESTS", "MINUTE", 5] == 300_000


def test_two_headers_lag_behind_as_documented(running: Simulator) -> None:
    with httpx.Client(base_url=running.base_url("futures")) as client:
        for path in ("/fapi/v2/ticker/price", "/fapi/v1/ticker/bookTicker"):
            before = running.used_weight("futures")
            assert get(client, path).headers["x-mbx-used-weight-1m"] == str(before)
            assert running.used_weight("futures") > before


@pytest.mark.parametrize(
    ("seconds", "label", "name"),
    [(60, "1m", "MINUTE"), (5, "5s", "SECOND"), (300, "5m", "MINUTE"), (3600, "1h", "HOUR"), (86_400, "1d", "DAY")],
)
def test_intervals_are_written_as_binance_does(seconds: int, label: str, name: str) -> None:
    assert (Interval(seconds).label, Interval(seconds).name) == (label, name)


# ------------------------------------------------------------------------- two markets of one pool


@pytest.fixture
def one_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both markets count together, as the hosts of USDⓈ-M and COIN-M do."""
    monkeypatch.setitem(POOL_OF, "spot", "futures")  # type: ignore[arg-type]


@pytest.mark.usefixtures("one_pool")
def test_markets_of_one_pool_show_one_used_weight_and_are_banned_together() -> None:
    running, _ = limited(weight_limits={"futures": 30}, ban_after=1)
    with running, SimulatedHttp(running) as client:
        assert get(client, "/api/v3/trades", symbol="BTCUSDT").headers["x-mbx-used-weight-1m"] == "25"
        response = get(client, "/fapi/v1/trades", symbol="BTCUSDT")
        assert (response.status_code, response.headers["x-mbx-used-weight-1m"]) == (200, "30")
        assert running.used_weight("spot") == running.used_weight("futures") == 30
        assert get(client, "/fapi/v1/ping").status_code == 429
        assert get(client, "/api/v3/ping").status_code == 418
        assert get(client, "/fapi/v1/ping").status_code == 418
        running.reset_limits()
        assert get(client, "/api/v3/ping").headers["x-mbx-used-weight-1m"] == "1"


@pytest.mark.usefixtures("one_pool")
def test_of_two_limits_for_one_pool_the_lower_holds() -> None:
    running, _ = limited(weight_limits={"spot": 7, "futures": 30})
    with running, SimulatedHttp(running) as client:
        assert get(client, "/fapi/v1/trades", symbol="BTCUSDT").status_code == 200
        assert get(client, "/fapi/v1/trades", symbol="BTCUSDT").status_code == 429
