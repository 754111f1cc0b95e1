"""Short stories over three venues on one clock: adding up, disagreeing, listing and delisting, a halt."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from tests.virtuoso.integration.eight_hours import FAILBACK, invalid
from tests.virtuoso.integration.venues import Venues
from tests.virtuoso.sources.ccxt_on_loopback import LimiterClock
from virtuoso_binance import InvalidSymbolError
from virtuoso_binance.scalars import Row
from virtuoso_binance.sources import (
    ClockCorrected,
    SourceFailed,
    SourceQuarantined,
    SourceReleased,
    SourcesDisagree,
    SourceSwitched,
)

pytest.importorskip("ccxt", reason="ccxt is missing: install the extra ccxt")

MINUTE = 60


@pytest.fixture
def venues(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Venues:
    caplog.set_level(logging.CRITICAL)
    LimiterClock().install(monkeypatch)
    return Venues()


def higher(factor: float) -> Callable[[Row], Row]:
    """A lie that contradicts itself nowhere: every price of every part is another one."""

    def lie(data: Row) -> Row:
        prices = ("last", "close", "lastPrice", "open", "high", "low", "bid", "ask", "mark", "markPrice", "index")
        ticker = {key: value * factor if key in prices else value for key, value in data["ticker"].items()}
        ticker["quoteVolume"] *= factor
        book = data["orderbook"]
        levels = {side: [[price * factor, amount] for price, amount in book[side]] for side in ("bids", "asks")}
        frames = {}
        for name, frame in data["ohlcv"].items():
            frames[name] = frame.copy()
            frames[name].loc[:, ["open", "high", "low", "close"]] *= factor
        trades = [{**row, "price": row["price"] * factor} for row in data["trades"]]
        return {
            **data, "ticker": ticker, "orderbook": {**book, **levels}, "trades": trades, "ohlcv": frames,
            "kline": frames,
        }  # fmt: skip

    return lie


def test_all_three_are_added_up_and_a_late_one_is_left_out(venues: Venues) -> None:
    async def story(venues: Venues) -> None:
        async with venues.source(aggregation_mode="aggregate", patience=2) as source:
            data = await source.fetch_market_data("BTC/USDT", 100)
            block, true = data["aggregate"], venues.truth.price("BTCUSDT")
            assert invalid(data) == []
            assert list(block["price"]["by_source"]) == ["bybit", "binance", "second"]
            assert block["price"]["low"] <= block["price"]["last"] <= block["price"]["high"]
            assert block["price"]["last"] == pytest.approx(true, rel=1e-3)
            assert block["volume"]["base"] == sum(block["volume"]["by_source"].values())
            assert block["open_interest"]["amount"] == sum(block["open_interest"]["by_source"].values())
            best = block["book"]["bids"][0]
            assert best["amount"] == sum(best["by_source"].values())
            assert set(block["funding"]["by_source"]) == {"bybit", "binance", "second"}
            venues.line.delay = 10.0
            await asyncio.sleep(MINUTE)
            data = await source.fetch_market_data("BTCUSDT", 100)
            assert list(data["aggregate"]["volume"]["by_source"]) == ["bybit", "second"]
            assert data["metadata"]["sources"]["binance"] == "no answer 2 s after the others"

    venues.run(story)


def test_of_two_that_disagree_the_one_that_serves_goes_on(venues: Venues) -> None:
    async def story(venues: Venues) -> None:
        async with venues.source("bybit", "binance", cross_validation=True, patience=60) as source:
            assert (await source.fetch_market_data("BTCUSDT", 100))["metadata"]["cross_validation"]["verdict"] == (
                "agreed"
            )
            venues.venues["bybit"].lie = higher(1.03)
            await asyncio.sleep(MINUTE)
            data = await source.fetch_market_data("BTCUSDT", 100)
            about = data["metadata"]
            assert invalid(data) == []
            assert (about["source"], about["cross_validation"]["verdict"]) == ("bybit", "disputed")
            assert about["cross_validation"]["disputed"] == ["price", "closes"]
            assert about["quality"]["score"] < 90
            (told,) = venues.told(SourcesDisagree)
            assert told.comparison.disputed == ("price", "closes")
            assert source.switches == 0

    venues.run(story)


def test_of_three_the_liar_is_not_delivered_even_once_and_comes_back(venues: Venues) -> None:
    async def story(venues: Venues) -> None:
        async with venues.source(cross_validation=True, patience=60, **FAILBACK) as source:

            async def served() -> str:
                data = await source.fetch_market_data("BTCUSDT", 100)
                assert data["ticker"]["last"] == pytest.approx(venues.truth.price("BTCUSDT"), rel=1e-3)
                assert invalid(data) == []
                await asyncio.sleep(5 * MINUTE)
                return str(data["metadata"]["source"])

            assert await served() == "bybit"
            venues.venues["bybit"].lie = higher(1.03)
            assert [await served() for _ in range(2)] == ["binance", "binance"]
            (accused,) = venues.told(SourceQuarantined)
            assert (accused.source, accused.reason) == ("bybit", "a majority contradicts its price and closes")
            venues.venues["bybit"].lie = None
            found = [await served() for _ in range(4)]
            assert found[0] == "binance"
            assert found[-1] == "bybit"
            assert [event.source for event in venues.told(SourceReleased)] == ["bybit"]
            assert [(event.before, event.after) for event in venues.told(SourceSwitched)] == [
                ("bybit", "binance"), ("binance", "bybit"),
            ]  # fmt: skip

    venues.run(story)


def test_symbols_are_listed_and_delisted_while_it_runs(venues: Venues) -> None:
    async def story(venues: Venues) -> None:
        venues.bybit.symbols.discard("ETHUSDT")
        async with venues.source("bybit", "binance", **FAILBACK) as source:

            async def served(symbol: str = "ETHUSDT") -> str:
                await asyncio.sleep(8 * MINUTE)
                return str((await source.fetch_market_data(symbol, 100))["metadata"]["source"])

            assert await served() == "binance"
            (failed,) = venues.told(SourceFailed)
            assert (failed.source, failed.cause) == ("bybit", "unknown_symbol")
            assert await served("BTCUSDT") == "bybit"
            # Listed, it is found out without a new start.
            venues.bybit.symbols.add("ETHUSDT")
            assert [await served() for _ in range(4)][-1] == "bybit"
            # Delisted it is a symbol that is unknown, and not an exchange that is down.
            venues.events.clear()
            venues.bybit.symbols.discard("ETHUSDT")
            assert [await served() for _ in range(4)] == ["binance"] * 4
            assert {(event.source, event.cause) for event in venues.told(SourceFailed)} == {("bybit", "unknown_symbol")}
            assert await served("BTCUSDT") == "bybit"
            venues.binance.delist_symbol("futures", "ETHUSDT")
            venues.binance.delist_symbol("spot", "ETHUSDT")
            with pytest.raises(InvalidSymbolError, match="listed by none of binance, bybit"):
                await served()

    venues.run(story)


def test_a_market_that_is_halted_is_had_elsewhere(venues: Venues) -> None:
    async def story(venues: Venues) -> Any:
        async with venues.source("binance", "bybit", **FAILBACK) as source:

            async def served() -> str:
                await asyncio.sleep(8 * MINUTE)
                return str((await source.fetch_market_data("BTCUSDT", 100))["metadata"]["source"])

            assert await served() == "binance"
            venues.binance.set_status("futures", "BTCUSDT", "PENDING_TRADING")
            assert await served() == "bybit"
            # It has learned of the halt by then, and gives spot in the place of the perpetual.
            await asyncio.sleep(60 * MINUTE)
            assert [await served() for _ in range(3)] == ["bybit"] * 3
            venues.binance.set_status("futures", "BTCUSDT", "TRADING")
            await asyncio.sleep(60 * MINUTE)
            assert [await served() for _ in range(4)][-1] == "binance"
            return venues.told(SourceFailed)

    failures = venues.run(story)
    assert {event.source for event in failures} == {"binance"}
    assert "these are prices of spot, and those of the perpetual are wanted" in {event.reason for event in failures}


@pytest.mark.parametrize("seconds", [-900, 900])
def test_this_machine_has_the_wrong_time(venues: Venues, seconds: float) -> None:
    async def story(venues: Venues) -> None:
        async with venues.source("bybit", "binance") as source:
            for off in (seconds, seconds, 0):
                venues.machine.offset_seconds = off
                await asyncio.sleep(MINUTE)
                data = await source.fetch_market_data("BTCUSDT", 100)
                assert abs(data["timestamp"] - venues.clock.now_ms()) < 1000
                assert data["metadata"]["source"] == "bybit"
        assert [event.seconds for event in venues.told(ClockCorrected)] == [pytest.approx(-seconds, abs=2), 0]

    venues.run(story)
