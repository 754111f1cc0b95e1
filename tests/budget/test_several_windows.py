"""Each interval that the exchange names is a window beside the others; what cannot be true changes nothing."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from binance_sdk import errors
from binance_sdk._runtime.market import Limit, PoolLimits
from binance_sdk.catalogue import fixture

from .scene import HEADER, make_pool
from .support import Exchange, pool_of, settled
from .virtual import START, now, run

MINUTE = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000}


def weight(interval: str, number: int, limit: int, kind: str = "REQUEST_WEIGHT") -> dict[str, Any]:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}


def teaching(rows: list[dict[str, Any]], headers: dict[str, str] | None = None) -> Any:
    """An exchange whose exchangeInfo names these limits."""
    body = json.loads(fixture("spot", "exchange_info"))
    body["serverTime"] = round(START * 1000)

    def special(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("/exchangeInfo"):
            return None
        return httpx.Response(200, content=json.dumps({**body, "rateLimits": rows}).encode(), headers=headers or {})

    return special


@pytest.mark.parametrize("order", [1, -1], ids=["minute first", "minute last"])
def test_the_minute_and_the_hour_both_hold(order: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        rows = [MINUTE, weight("HOUR", 1, 14_000)][::order]
        exchange = Exchange(special=teaching(rows), limit=6000, latency=0.02)
        async with exchange.client(monkeypatch, max_concurrency=500) as client:
            await client.spot.exchange_info()
            assert [(usage.seconds, usage.limit) for usage in client.limits.spot.weights] == [
                (60, 6000),
                (3600, 14_000),
            ]
            assert client.limits.spot.limit == 6000
            assert client.spot.plan.depth("BTCUSDT", limit=5000).at_least == 0
            calls = [asyncio.ensure_future(client.spot.depth("BTCUSDT", limit=5000)) for _ in range(60)]
            await asyncio.wait(calls, timeout=1800)
            sent = [at for at, path in exchange.sent if "depth" in path]
            # 23 in the first minute beside what was spent, 24 and 8 in the next two, and then the hour is full.
            assert len(sent) == (14_000 - 20) // 250
            assert max(sent) < START + 180
            assert max(exchange.counts.values()) <= 6000
            await asyncio.gather(*calls)
            assert len([at for at in exchange.times if at > START + 1800]) == 60 - len(sent)
            assert settled(client)
        assert exchange.refused == 0

    # Not at the beginning of an hour: the window is the exchange's, not an hour from now on.
    run(story(), START - START % 3600 + 600)


def test_the_servers_count_of_each_window_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        rows = [MINUTE, weight("HOUR", 1, 100_000), weight("DAY", 1, 1_000_000)]
        exchange = Exchange(special=teaching(rows))
        async with exchange.client(monkeypatch) as client:
            await client.spot.exchange_info()
            ordinary = exchange.special

            def special(request: httpx.Request) -> httpx.Response | None:
                if request.url.path.endswith("/ping"):
                    counts = {"x-mbx-used-weight-1h": "90000", "X-MBX-USED-WEIGHT-24H": "no number"}
                    return httpx.Response(200, content=b"{}", headers=counts)
                found: httpx.Response | None = ordinary(request)
                return found

            exchange.special = special
            await client.spot.ping()
            used = {usage.seconds: usage.used for usage in client.limits.spot.weights}
            assert used == {60: 21, 3600: 90_000, 86_400: 21}
            assert client.limits.spot.used == 21

    run(story())


def test_the_minute_goes_only_where_it_is_no_longer_named_and_comes_back() -> None:
    pool = make_pool(6000)
    pool.limits = PoolLimits("spot", Limit(6000, 60), {}, HEADER)
    pool._announced.weight = pool.limits.weight

    def learn(*rows: tuple[str, int, int]) -> list[tuple[int, int]]:
        pool.learn_limits([("REQUEST_WEIGHT", *row) for row in rows], START)
        return [(window.seconds, window.limit) for window in pool.weights]

    minute = pool.weight
    assert learn(("SECOND", 10, 500)) == [(10, 500)]
    assert pool.weight is minute
    assert pool.version == 0
    assert learn(("SECOND", 10, 400), ("HOUR", 1, 50_000)) == [(10, 400), (3600, 50_000)]
    assert learn(("HOUR", 1, 50_000), ("MINUTE", 1, 5000), ("SECOND", 10, 400)) == [
        (60, 5000),
        (10, 400),
        (3600, 50_000),
    ]
    assert len({window.name for window in pool.weights}) == 3
    assert pool.weight.name == "a pool weight"
    assert learn(("MINUTE", 1, 6000)) == [(60, 6000)]
    assert learn() == [(60, 6000)]


def test_who_waits_while_a_window_is_named_is_charged_to_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        exchange = Exchange(limit=6000, latency=0.02)
        async with exchange.client(monkeypatch, max_concurrency=500) as client:
            calls = [asyncio.ensure_future(client.spot.depth("BTCUSDT", limit=5000)) for _ in range(60)]
            await asyncio.sleep(1)
            pool_of(client).learn_limits(
                [("REQUEST_WEIGHT", "MINUTE", 1, 6000), ("REQUEST_WEIGHT", "HOUR", 1, 9000)], now()
            )
            await asyncio.wait(calls, timeout=1800)
            assert len(exchange.sent) == 36
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            assert settled(client)

    run(story(), START - START % 3600 + 600)


def test_a_call_that_waits_while_its_limit_shrinks_below_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        exchange = Exchange(limit=6000)
        async with exchange.client(monkeypatch) as client:
            for _ in range(24):
                await client.spot.depth("BTCUSDT", limit=5000)
            waiting = asyncio.ensure_future(client.spot.depth("BTCUSDT", limit=5000))
            await asyncio.sleep(1)
            pool_of(client).learn_limits([("REQUEST_WEIGHT", "MINUTE", 1, 100)], now())
            with pytest.raises(errors.BudgetError, match="never fits"):
                await waiting
            assert settled(client)

    run(story())


@pytest.mark.parametrize(
    "row",
    [
        weight("MINUTE", 1, 1),
        weight("MINUTE", 1, 19),
        weight("SECOND", 1, 1),
        weight("MINUTE", 1, 10**400),
        weight("MINUTE", 1, 6000 * 10**6 + 1),
        weight("DAY", 10**400, 6000),
        weight("MINUTE", 5, 1, "RAW_REQUESTS"),
        weight("MINUTE", 5, 10**400, "RAW_REQUESTS"),
    ],
    ids=["1", "19", "1 a second", "10^400", "a millionfold", "10^400 days", "1 request", "10^400 requests"],
)
def test_a_limit_that_cannot_be_true_is_told_once_and_changes_nothing(
    row: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        exchange = Exchange(special=teaching([row]), limit=6000)
        async with exchange.client(monkeypatch) as client:
            for _ in range(3):
                await client.spot.exchange_info()
            spot = client.limits.spot
            assert [(usage.seconds, usage.limit) for usage in spot.weights] == [(60, 6000)]
            assert (spot.groups["raw_requests"].seconds, spot.groups["raw_requests"].limit) == (300, 300_000)
            await client.spot.depth("BTCUSDT", limit=5000)
        assert caplog.text.count("cannot be true and is ignored") == 1

    run(story())


def test_a_server_without_limits_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulators and servers of tests say a large number for none, and nothing waits then."""

    async def story() -> None:
        exchange = Exchange(special=teaching([weight("MINUTE", 1, 10**9)]), limit=10**9)
        async with exchange.client(monkeypatch) as client:
            await client.spot.exchange_info()
            assert client.limits.spot.limit == 10**9
            before = now()
            for _ in range(40):
                await client.spot.depth("BTCUSDT", limit=5000)
            assert now() - before < 1

    run(story())


@pytest.mark.parametrize("told", [10**13 + 1, 10**20, 10**400, 0, -5], ids=lambda told: f"{str(told)[:8]}")
def test_a_clock_that_cannot_be_true_is_not_believed(told: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        exchange = Exchange(
            special=lambda request: httpx.Response(200, content=b'{"serverTime":%d}' % told), dated=False
        )
        async with exchange.client(monkeypatch) as client:
            try:
                await client.spot.time()
            except errors.DecodeError:
                # Not a time either.
                assert not 0 <= told <= 10**13
            assert client.limits.spot.clock_skew == 0
            await client.spot.ping()

    run(story())


def test_a_group_may_have_several_windows_too() -> None:
    pool = make_pool(6000, {"raw_requests": 1000})
    rows = [("RAW_REQUESTS", "MINUTE", 5, 900), ("RAW_REQUESTS", "MINUTE", 1, 200)]
    pool.learn_limits(rows, START)
    windows = [(window.name, window.seconds, window.limit) for window in pool.windows if window is not pool.weight]
    assert windows == [("a pool raw_requests", 300, 900), ("a pool raw_requests of 60 s", 60, 200)]
    version = pool.version
    pool.learn_limits(rows, START)
    assert pool.version == version
    pool.learn_limits(rows[:1], START)
    assert [window for window in pool.windows if window is not pool.weight] == [pool.groups["raw_requests"]]


def test_where_markets_of_one_pool_announce_different_limits_the_least_holds() -> None:
    pool = make_pool(2400)

    def told(market: str, *rows: tuple[str, int, int]) -> dict[int, int]:
        pool.learn_limits([("REQUEST_WEIGHT", *row) for row in rows], START, market=market)
        return {window.seconds: window.limit for window in pool.weights}

    assert told("futures", ("MINUTE", 1, 2400)) == {60: 2400}
    assert told("coin_futures", ("MINUTE", 1, 6000)) == {60: 2400}
    assert told("coin_futures", ("MINUTE", 1, 1200), ("HOUR", 1, 50_000)) == {60: 1200, 3600: 50_000}
    # The other's answer takes nothing back that this one said ...
    assert told("futures", ("MINUTE", 1, 2400)) == {60: 1200, 3600: 50_000}
    # ... and what cannot be true is nobody's limit.
    assert told("futures", ("MINUTE", 1, 10**15)) == {60: 1200, 3600: 50_000}
    assert told("coin_futures", ("MINUTE", 1, 2400)) == {60: 2400}
