"""Cache, drift, learnt limits, plans, batches, hooks and log, on virtual time."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from typing import Any

import httpx
import pytest

from binance_sdk import BinanceClient, RequestOptions, errors
from binance_sdk._runtime.budget.server_time import ServerTime
from binance_sdk._runtime.budget.weight_drift import DriftWatch
from binance_sdk._runtime.calls import cache as caching
from binance_sdk.events import CacheHit, CacheMiss, RequestSent, ResponseReceived, WeightDrift
from binance_sdk.spot import ExchangeInfo
from tests.runtime.support import example_answer

from .support import Exchange, pool_of, settled
from .virtual import START, now, run

KEY = "k3yThatNobodyMaySee"

# ------------------------------------------------------------------------------------------ cache


@pytest.mark.parametrize(
    ("path", "call", "seconds"),
    [
        ("ticker", lambda c: c.spot.ticker_price("BTCUSDT"), 5),
        ("depth", lambda c: c.spot.depth("BTCUSDT"), 1),
        ("fundingRate", lambda c: c.futures.funding_rate("BTCUSDT"), 300),
        ("klines", lambda c: c.spot.klines("BTCUSDT", "1h"), 60),
        # 20 s into the minute, its candle closes in 40.
        ("klines", lambda c: c.spot.klines("BTCUSDT", "1m"), 40),
    ],
)
def test_answers_are_kept_as_long_as_the_spec_says(
    path: str, call: Any, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        exchange = Exchange()
        async with exchange.client(monkeypatch, cache=True) as client:
            await client.spot.time()
            await client.futures.time()
            await asyncio.sleep(START + 20 - now())
            exchange.sent.clear()
            await call(client)
            await asyncio.sleep(seconds - 0.1)
            await call(client)
            assert len(exchange.sent) == 1
            await asyncio.sleep(0.2)
            await call(client)
            assert len(exchange.sent) == 2
            assert path in exchange.sent[0][1]

    run(story())


def test_the_cache_is_off_unless_asked_for_and_a_call_decides_for_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        exchange = Exchange()
        async with exchange.client(monkeypatch) as client:
            for _ in range(2):
                await client.spot.ping()
            assert len(exchange.sent) == 2
            for _ in range(2):
                await client.spot.depth("BTCUSDT", options=RequestOptions(cache=100))
            assert len(exchange.sent) == 3
            await asyncio.sleep(99)
            await client.spot.depth("BTCUSDT", options=RequestOptions(cache=True))
            assert len(exchange.sent) == 3
            await client.spot.depth("BTCUSDT", options=RequestOptions(cache=False))
            assert len(exchange.sent) == 4

    run(story())


def test_a_cached_list_belongs_to_its_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with Exchange().client(monkeypatch, cache=True) as client:
            first = await client.spot.klines("BTCUSDT", "1h")
            count = len(first)
            first.clear()
            assert len(await client.spot.klines("BTCUSDT", "1h")) == count > 0

    run(story())


def test_concurrent_callers_share_one_request_and_survive_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        events: list[Any] = []
        exchange = Exchange(latency=1.0)
        async with exchange.client(monkeypatch, cache=True, hooks=[events.append]) as client:
            calls = [asyncio.ensure_future(client.spot.depth("BTCUSDT")) for _ in range(10)]
            await asyncio.sleep(0.2)
            calls[0].cancel()
            done = await asyncio.gather(*calls, return_exceptions=True)
            assert isinstance(done[0], asyncio.CancelledError)
            assert len({id(answer) for answer in done[1:]}) == 1
            assert len(exchange.sent) == 1
            assert sum(event == CacheHit("spot.depth", "request") for event in events) == 9

            # No caller is left who wants the answer, so the request is cancelled too.
            calls = [asyncio.ensure_future(client.spot.depth("ETHUSDT")) for _ in range(3)]
            await asyncio.sleep(0.2)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert exchange.running == 0
            assert settled(client)

    run(story())


def test_hits_and_misses_are_told_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        events: list[Any] = []
        exchange = Exchange(latency=1.0)
        async with exchange.client(monkeypatch, cache=True, hooks=[events.append]) as client:
            await asyncio.gather(*(client.spot.exchange_info() for _ in range(3)))
            await client.spot.exchange_info()
            await client.spot.time(options=RequestOptions(cache=False))
            cache = client.cache
            assert (cache.misses, cache.request_hits, cache.memory_hits, cache.store_hits, cache.hits) == (
                1,
                2,
                1,
                0,
                3,
            )
        name = "spot.exchange_info"
        told = [event for event in events if isinstance(event, CacheHit | CacheMiss)]
        assert told == [CacheMiss(name), *[CacheHit(name, "request")] * 2, CacheHit(name, "memory")]

    run(story())


def test_an_error_is_shared_but_not_kept_and_patience_is_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        exchange = Exchange(latency=3.0)
        async with exchange.client(monkeypatch, cache=True, max_retries=0, max_concurrency=1) as client:
            busy = asyncio.ensure_future(client.spot.ping())
            await asyncio.sleep(0)
            patient = asyncio.ensure_future(client.spot.depth("BTCUSDT"))
            hasty = asyncio.ensure_future(client.spot.depth("BTCUSDT", options=RequestOptions(wait=False)))
            with pytest.raises(errors.BudgetError):
                await hasty
            await asyncio.gather(busy, patient)
            exchange.special = lambda request: httpx.Response(500)
            for sent in (3, 4):
                with pytest.raises(errors.ServerError):
                    await client.spot.avg_price("BTCUSDT")
                assert len(exchange.sent) == sent

    run(story())


def test_the_cache_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        monkeypatch.setattr(caching, "MAX_BYTES", 50_000)
        async with Exchange().client(monkeypatch, cache=True) as client:
            for number in range(200):
                await client.spot.avg_price(f"COIN{number}USDT")
            entries = client._core.cache()._entries
            assert 0 < entries.currsize <= 50_000
            assert len(entries) < 60

    run(story())


# ------------------------------------------------------------------------------------------ drift


def test_drift_is_told_once_and_by_name(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        told: list[WeightDrift] = []
        events: list[Any] = []
        exchange = Exchange(weights={"spot.depth": 10})
        async with exchange.client(monkeypatch, on_drift=told.append, hooks=[events.append]) as client:
            await asyncio.sleep(2)
            for _ in range(10):
                await client.spot.depth("BTCUSDT")
                await client.spot.avg_price("BTCUSDT")
            assert [(d.operation, d.spec, d.seen) for d in told] == [("spot.depth", 5, 10)]
            assert str(told[0]) == "spot.depth: the spec says 5, the server took 10"
            (row,) = client.limits.drift()
            assert (row.operation, row.spec, row.seen) == ("spot.depth", 5, 10)
            assert row.count >= 9
        assert told == [event for event in events if isinstance(event, WeightDrift)]
        assert sum("weight drift" in record.message for record in caplog.records) == 1

    run(story())


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("mean", [0.3, 1.0, 5.0, 40.0])
def test_others_on_the_address_are_no_drift(seed: int, mean: float) -> None:
    chance, watch = random.Random(seed), DriftWatch()
    for number in range(300):
        others, left = 0, chance.expovariate(1.0)
        while left < mean:
            others, left = others + 1, left + chance.expovariate(1.0)
        name, weight = [("spot.depth", 5), ("spot.klines", 2), ("spot.avg_price", 2)][number % 3]
        assert watch.observe(name, weight, weight + others) is None
    assert watch.rows() == []


def test_concurrent_calls_are_no_drift(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        exchange = Exchange(latency=0.1)
        async with exchange.client(monkeypatch) as client:
            for _ in range(10):
                await asyncio.gather(*(client.spot.depth("BTCUSDT", limit=n) for n in (100, 500, 1000)))
            assert client.limits.drift() == []

    run(story())


# ------------------------------------------------------------------- learnt limits, server time


def _info(rows: list[dict[str, Any]]) -> Any:
    def special(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("exchangeInfo"):
            return None
        body = json.loads(example_answer(request))
        body.update(rateLimits=rows, serverTime=round(now() * 1000))
        return httpx.Response(200, json=body)

    return special


def test_limits_are_learnt_when_they_pass_by(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        rows = [
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "SECOND", "intervalNum": 10, "limit": 70},
            {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 61000},
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 3},
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "FORTNIGHT", "intervalNum": 1, "limit": 5},
            {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": -5},
        ]
        exchange = Exchange(special=_info(rows), headers=False)
        async with exchange.client(monkeypatch) as client:
            assert (client.limits.spot.limit, client.limits.spot.weight.seconds) == (6000, 60)
            await client.spot.exchange_info()
            spot = client.limits.spot
            assert (spot.limit, spot.weight.seconds, spot.used) == (70, 10, 20)
            assert spot.remaining == 50
            assert 0 < spot.resets_in <= 10
            assert spot.groups["raw_requests"].limit == 61000
            assert client.spot.plan.depth("BTCUSDT", limit=1000).weight == 50
            with pytest.raises(errors.BudgetError, match="never fits"):
                await client.spot.depth("BTCUSDT", limit=5000)
            for _ in range(3):
                await client.spot.depth("BTCUSDT", limit=1000)
            assert now() - START >= 20, exchange.sent

    run(story())


def test_the_servers_clock_is_believed_but_not_every_proxy() -> None:
    time = ServerTime(START, START)
    time.observe(START + 100.25, 0.001, START, START + 0.02)
    assert time.now(START) == pytest.approx(START + 100.25, abs=0.03)
    # A stale header gives another weight once; that is not drift.
    time.observe(START - 4000, 1.0, START + 1, START + 1.02)
    assert time.now(START) == pytest.approx(START + 100.25, abs=0.03)
    time.observe(START + 102.0, 1.0, START + 2, START + 2.02)
    assert time.now(START) == pytest.approx(START + 100.25, abs=0.03)
    # The machine slept for ten minutes: two who agree, or the exchange itself.
    for second in (3, 4):
        time.observe(START + 700 + second, 1.0, START + second, START + second + 0.02)
    assert time.now(START) == pytest.approx(START + 700.5, abs=0.6)
    time.observe(START + 9005, 0.001, START + 5, START + 5.02)
    assert time.now(START) == pytest.approx(START + 9000, abs=0.03)
    assert time.uncertainty(START + 5) < 0.05


def test_plans_know_the_least_time(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        exchange = Exchange()
        async with exchange.client(monkeypatch) as client:
            end = round(START * 1000)
            year = client.spot.plan.iter_klines("BTCUSDT", "1m", start_time=end - 365 * 86_400_000, end_time=end)
            assert (year.requests, year.weight, year.at_least) == (527, 1054, 0.0)
            futures = client.futures.plan.iter_klines("BTCUSDT", "1m", start_time=end - 365 * 86_400_000, end_time=end)
            assert futures.weight == pytest.approx(2108, abs=4)
            assert futures.at_least == 0.0
            pool_of(client).learn_limits([("REQUEST_WEIGHT", "MINUTE", 1, 500)], now())
            plan = client.spot.plan.iter_klines("BTCUSDT", "1m", start_time=end - 365 * 86_400_000, end_time=end)
            assert plan.at_least == 120.0
            assert exchange.sent == []

    run(story())


# ----------------------------------------------------------------------------- batches, symbols


def test_many_symbols_come_as_they_are_ready_and_bad_ones_are_kept_as_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        def special(request: httpx.Request) -> httpx.Response | None:
            if "BAD" in str(request.url):
                return httpx.Response(400, json={"code": -1121, "msg": "Invalid symbol."})
            return None

        exchange = Exchange(latency=1.0, special=special)
        async with exchange.client(monkeypatch, max_concurrency=5) as client:
            names = [f"COIN{n}USDT" for n in range(20)] + ["BADUSDT", "COIN0USDT"]
            batch = client.spot.each(client.spot.klines, names, "1h", limit=5)
            arrived = {}
            async for symbol, klines in batch:
                arrived[symbol] = now() - START
                assert klines
            assert set(arrived) == set(names) - {"BADUSDT"}
            assert min(arrived.values()) < 1.1
            assert max(arrived.values()) >= 4
            assert exchange.most_running == 5
            assert len(exchange.sent) == 21
            assert list(batch.errors) == ["BADUSDT"]
            assert isinstance(batch.errors["BADUSDT"], errors.BadRequestError)

            async for _ in client.spot.each(client.spot.klines, names, "1h"):
                break
            await asyncio.sleep(0)
            assert settled(client)

    run(story())


def test_symbols_are_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        exchange = Exchange(latency=0.1)
        async with exchange.client(monkeypatch) as client:
            found = await asyncio.gather(*(client.spot.symbols() for _ in range(5)))
            again = await client.spot.symbols()
            assert all(rules is again for rules in found)
            assert len(exchange.sent) == 1
            info: ExchangeInfo = await client.spot.exchange_info()
            assert set(again) == {symbol.symbol for symbol in info.symbols}
            with pytest.raises(KeyError, match="not listed"):
                again["NOSUCHUSDT"]

    run(story())


# --------------------------------------------------------------------------------- hooks and log


def test_a_hook_sees_each_request_and_may_fail(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        events: list[Any] = []

        def broken(event: object) -> None:
            raise ValueError("a bug of the user")

        async with Exchange().client(monkeypatch, hooks=[broken, events.append]) as client:
            await client.spot.depth("BTCUSDT")
        sent, received = events
        assert isinstance(sent, RequestSent)
        assert (sent.operation, sent.weight, sent.attempt) == ("spot.depth", 5, 1)
        assert isinstance(received, ResponseReceived)
        assert (received.outcome, received.used_weight, received.status_code) == ("ok", 5, 200)
        assert "a hook failed" in caplog.text

    run(story())


@pytest.mark.parametrize("status", [200, 401, 403, 418, 429, 500])
def test_no_log_hook_or_error_shows_the_key(
    status: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> None:
        seen: list[Any] = []
        caplog.set_level(logging.DEBUG, "binance_sdk")
        exchange = Exchange()
        if status != 200:
            exchange.special = lambda request: httpx.Response(status, headers={"retry-after": "1"})
        client: BinanceClient
        async with exchange.client(monkeypatch, api_key=KEY, hooks=[seen.append], max_retries=1) as client:
            try:
                await client.futures.historical_trades("BTCUSDT")
            except errors.BinanceError as error:
                seen += [str(error), repr(error), error.__dict__]
            seen.append(repr(client))
        assert len(seen) >= 3
        assert KEY not in repr(seen)
        assert KEY not in caplog.text
        assert "futures.historical_trades" in caplog.text

    run(story())


@pytest.mark.parametrize(("level", "shown"), [("debug", True), ("info", False)])
def test_the_log_can_be_switched_on_by_a_variable(
    level: str, shown: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = logging.getLogger("binance_sdk")
    monkeypatch.setattr(logger, "handlers", [logging.NullHandler()])
    monkeypatch.setattr(logger, "level", logging.NOTSET)
    monkeypatch.setenv("BINANCE_SDK_LOG", level)

    async def story() -> None:
        for _ in range(2):
            async with Exchange().client(monkeypatch) as client:
                await client.spot.ping()

    run(story())
    logger.manager._clear_cache()  # type: ignore[attr-defined]
    text = capsys.readouterr().err
    assert text.count("spot.ping -> ") == (2 if shown else 0)


def test_a_call_whose_client_was_closed_while_it_waited_is_not_charged(monkeypatch: pytest.MonkeyPatch) -> None:
    """The budget is that of the address: what it holds back is missed by all other clients."""

    async def story() -> None:
        exchange = Exchange(latency=4)
        client = exchange.client(monkeypatch, max_concurrency=1)
        first = asyncio.create_task(client.spot.ping())
        second = asyncio.create_task(client.spot.depth("BTCUSDT", limit=5000))
        await asyncio.sleep(1)
        await client.aclose()
        with pytest.raises(errors.ConfigError, match="closed"):
            await second
        await first
        assert len(exchange.sent) == 1
        assert settled(client)

    run(story())
