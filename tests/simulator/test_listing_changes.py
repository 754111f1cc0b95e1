"""Symbols that appear, pause, are settled and leave while the simulator runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from binance_sdk import BinanceClient, errors
from binance_sdk.simulator import Instrument, ManualClock, Simulator, SimulatorError
from tests.simulated_http import SimulatedHttp

from .conftest import NOW, simulator

MINUTE = 60_000
NEXT = -(-NOW // MINUTE) * MINUTE
"""The next whole minute."""
OWN = Instrument("spot", "ABCXYZ", "ABC", "XYZ", 2, 3, price_zeros=6, lot_zeros=5)


class Stage:
    def __init__(self, running: Simulator, clock: ManualClock, client: httpx.Client) -> None:
        self.running, self.clock, self.client = running, clock, client

    def get(self, path: str, **params: Any) -> Any:
        return self.client.get(path, params=params).json()

    def statuses(self, path: str) -> dict[str, str]:
        return {listing["symbol"]: listing["status"] for listing in self.get(path)["symbols"]}


@pytest.fixture
def stage() -> Iterator[Stage]:
    clock = ManualClock(NOW)
    with (
        simulator(clock=clock, symbols=["BTCUSDT", "ETHUSDT"]) as running,
        SimulatedHttp(running) as client,
    ):
        yield Stage(running, clock, client)


@pytest.mark.parametrize("symbol", ["SOLUSDT", OWN], ids=str)
def test_a_new_symbol_trades_from_the_next_minute_on(stage: Stage, symbol: str | Instrument) -> None:
    name = symbol if isinstance(symbol, str) else symbol.symbol
    stage.running.list_symbol("spot", symbol)
    assert name not in stage.statuses("/api/v3/exchangeInfo")
    assert stage.get("/api/v3/klines", symbol=name, interval="1m")["code"] == -1121
    stage.clock.set(NEXT)
    assert stage.statuses("/api/v3/exchangeInfo")[name] == "TRADING"
    stage.clock.set(NEXT + 3 * MINUTE - 1)
    candles = stage.get("/api/v3/klines", symbol=name, interval="1m")
    assert [candle[0] for candle in candles] == [NEXT + minute * MINUTE for minute in range(3)]
    assert stage.get("/api/v3/historicalTrades", symbol=name, fromId=0)[0]["time"] >= NEXT
    # Its first hour and its first day begin with it, not before.
    (day,) = stage.get("/api/v3/klines", symbol=name, interval="1d")
    assert day[8] == sum(candle[8] for candle in candles)


def test_before_its_first_trade_a_new_symbol_answers_all_the_same(stage: Stage) -> None:
    stage.running.list_symbol("spot", "SOLUSDT", at=NEXT)
    stage.running.list_symbol("futures", "SOLUSDT", at=NEXT)
    stage.clock.set(NEXT)
    for path in (
        "/api/v3/klines?interval=1m&",
        "/api/v3/depth?",
        "/api/v3/trades?",
        "/api/v3/aggTrades?",
        "/api/v3/avgPrice?",
        "/api/v3/ticker/24hr?",
        "/api/v3/ticker?",
        "/api/v3/ticker/price?",
        "/api/v3/ticker/bookTicker?",
        "/fapi/v1/premiumIndex?",
        "/fapi/v1/klines?interval=1m&",
        "/fapi/v1/fundingRate?",
        "/fapi/v1/openInterest?",
        "/fapi/v1/ticker/24hr?",
        "/futures/data/openInterestHist?period=5m&",
    ):
        response = stage.client.get(f"{path}symbol=SOLUSDT")
        assert response.status_code == 200, f"{path}: {response.text}"
    listed = next(
        listing for listing in stage.get("/fapi/v1/exchangeInfo")["symbols"] if listing["symbol"] == "SOLUSDT"
    )
    assert listed["onboardDate"] == NEXT


def test_listings_for_later(stage: Stage) -> None:
    stage.running.list_symbol("spot", "SOLUSDT", at=NEXT + 10 * MINUTE)
    stage.running.set_status("spot", "SOLUSDT", "BREAK", at=NEXT + 20 * MINUTE)
    stage.running.delist_symbol("spot", "SOLUSDT", at=NEXT + 30 * MINUTE)
    seen = []
    for minute in (9, 10, 19, 20, 29, 30):
        stage.clock.set(NEXT + minute * MINUTE)
        seen.append(stage.statuses("/api/v3/exchangeInfo").get("SOLUSDT"))
    assert seen == [None, "TRADING", "TRADING", "BREAK", "BREAK", None]


def test_a_paused_symbol_stands_still_and_goes_on(stage: Stage) -> None:
    stage.running.set_status("spot", "BTCUSDT", "BREAK")
    before = stage.get("/api/v3/trades", symbol="BTCUSDT")
    stage.clock.advance(600)
    assert stage.get("/api/v3/trades", symbol="BTCUSDT") == before
    assert stage.get("/api/v3/klines", symbol="BTCUSDT", interval="1m")[-1][0] == NEXT - MINUTE
    assert stage.get("/api/v3/depth", symbol="BTCUSDT", symbolStatus="TRADING")["code"] == -1220
    stage.running.set_status("spot", "BTCUSDT", "TRADING")
    assert stage.get("/api/v3/trades", symbol="BTCUSDT")[-1]["time"] > NOW
    assert stage.statuses("/api/v3/exchangeInfo")["BTCUSDT"] == "TRADING"


def test_trading_that_has_stopped_does_not_stop_again(stage: Stage) -> None:
    stage.running.set_status("futures", "ETHUSDT", "PRE_SETTLE")
    last = stage.get("/fapi/v1/trades", symbol="ETHUSDT")
    stage.clock.advance(600)
    stage.running.settle_symbol("ETHUSDT")
    assert stage.statuses("/fapi/v1/exchangeInfo")["ETHUSDT"] == "SETTLING"
    assert stage.get("/fapi/v1/trades", symbol="ETHUSDT") == last


def test_a_settled_contract(stage: Stage) -> None:
    stage.running.settle_symbol("ETHUSDT", removed_after=600)
    stage.clock.advance(599.999)
    assert stage.statuses("/fapi/v1/exchangeInfo") == {"BTCUSDT": "TRADING", "ETHUSDT": "SETTLING"}
    assert "ETHUSDT" not in [row["symbol"] for row in stage.get("/fapi/v1/ticker/price")]
    assert stage.get("/fapi/v1/trades", symbol="ETHUSDT")[-1]["time"] <= NOW
    assert stage.get("/fapi/v1/premiumIndex", symbol="ETHUSDT")["nextFundingTime"] == 0
    assert stage.statuses("/api/v3/exchangeInfo")["ETHUSDT"] == "TRADING"
    stage.clock.advance(0.001)
    assert stage.statuses("/fapi/v1/exchangeInfo") == {"BTCUSDT": "TRADING"}
    assert stage.get("/fapi/v1/klines", symbol="ETHUSDT", interval="1m")["code"] == -1121


def test_a_delisted_symbol_is_unknown_and_may_come_back(stage: Stage) -> None:
    stage.running.delist_symbol("spot", "ETHUSDT")
    assert stage.get("/api/v3/ticker/price", symbol="ETHUSDT")["code"] == -1121
    assert [row["symbol"] for row in stage.get("/api/v3/ticker/price")] == ["BTCUSDT"]
    stage.running.list_symbol("spot", "ETHUSDT")
    stage.clock.set(NEXT + MINUTE)
    assert len(stage.get("/api/v3/klines", symbol="ETHUSDT", interval="1m")) == 2


async def test_the_client_is_told_that_the_symbol_has_gone() -> None:
    with Simulator() as running:
        async with BinanceClient(futures_base_url=running.base_url("futures")) as client:
            assert await client.futures.klines("ETHUSDT", "1m", limit=5)
            running.delist_symbol("futures", "ETHUSDT")
            with pytest.raises(errors.BadRequestError) as caught:
                await client.futures.klines("ETHUSDT", "1m", limit=5)
    assert caught.value.code == -1121


def test_mistakes_are_told() -> None:
    running = simulator(symbols=["BTCUSDT"])
    with pytest.raises(SimulatorError, match="lists BTCUSDT already"):
        running.list_symbol("spot", "BTCUSDT")
    with pytest.raises(SimulatorError, match="knows no symbol NOPE"):
        running.list_symbol("spot", "NOPE")
    with pytest.raises(SimulatorError, match="instrument of spot"):
        running.list_symbol("futures", OWN)
    for change in (
        lambda: running.set_status("spot", "ETHUSDT", "BREAK"),
        lambda: running.delist_symbol("spot", "ETHUSDT"),
        lambda: running.settle_symbol("ETHUSDT"),
    ):
        with pytest.raises(SimulatorError, match=r"lists (no|the) symbol ETHUSDT"):
            change()
