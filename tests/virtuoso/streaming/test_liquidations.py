"""Liquidations: kept as they are streamed, found again in ``market_data``, and bounded."""

from __future__ import annotations

from typing import Any

import pytest

from binance_sdk.simulator import ManualClock, Simulator
from virtuoso_binance import InvalidSymbolError
from virtuoso_binance.streaming import liquidations

from .conftest import eventually, pass_time


async def test_they_are_kept_and_delivered(exchange: Any, own_simulator: Simulator, clock: ManualClock) -> None:
    assert exchange.get_recent_liquidations("BTCUSDT") == []
    # Asked twice, kept once.
    for _ in range(2):
        assert await exchange.subscribe_liquidations(["BTC/USDT", "ETHUSDT"]) is True
    await pass_time(own_simulator, clock, 90)
    await eventually(lambda: len(exchange.get_recent_liquidations("BTC/USDT:USDT")) >= 5)
    rows = exchange.get_recent_liquidations("BTCUSDT")
    assert rows == exchange._liquidations["BTCUSDT"]
    assert len({row["timestamp"] for row in rows}) == len(rows)
    assert {row["symbol"] for row in rows} == {"BTCUSDT"}
    assert {row["side"] for row in rows} <= {"buy", "sell"}
    data = await exchange.fetch_market_data("BTCUSDT")
    # Others may have come meanwhile.
    assert data["sentiment"]["liquidations"][: len(rows)] == data["liquidations"][: len(rows)] == rows
    await pass_time(own_simulator, clock, 3600, step=600)
    # The adapter knows the exchange's time from its answers.
    await exchange.fetch_ticker("BTCUSDT")
    recent = exchange.get_recent_liquidations("BTCUSDT", hours=0.5)
    assert len(recent) < len(exchange.get_recent_liquidations("BTCUSDT", hours=2))
    assert exchange.get_recent_liquidations("SOLUSDT") == []


async def test_what_was_streamed_outlives_the_connection(
    exchange: Any, own_simulator: Simulator, clock: ManualClock
) -> None:
    assert await exchange.subscribe_liquidations("BTCUSDT")
    await pass_time(own_simulator, clock, 40)
    await eventually(lambda: exchange.get_recent_liquidations("BTCUSDT"))
    await exchange.close()
    before = list(exchange._liquidations["BTCUSDT"])
    assert before
    assert await exchange.initialize()
    assert await exchange.subscribe_liquidations("BTCUSDT")
    await pass_time(own_simulator, clock, 40)
    await eventually(lambda: len(exchange.get_recent_liquidations("BTCUSDT")) > len(before))
    assert exchange.get_recent_liquidations("BTCUSDT")[: len(before)] == before


async def test_memory_is_bounded(
    exchange: Any, own_simulator: Simulator, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(liquidations, "KEPT", 4)
    assert await exchange.subscribe_liquidations("BTCUSDT")
    await pass_time(own_simulator, clock, 120)
    await eventually(lambda: len(exchange._liquidations.get("BTCUSDT", ())) == 4)
    newest = exchange._liquidations["BTCUSDT"][-1]["timestamp"]
    await pass_time(own_simulator, clock, 60)
    await eventually(lambda: exchange._liquidations["BTCUSDT"][-1]["timestamp"] > newest)
    assert len(exchange._liquidations["BTCUSDT"]) == 4


async def test_of_an_unknown_symbol_and_of_spot_there_are_none(build: Any, own_simulator: Simulator) -> None:
    exchange = await build(own_simulator)
    with pytest.raises(InvalidSymbolError, match="NOPEUSDT"):
        await exchange.subscribe_liquidations(["BTCUSDT", "NOPEUSDT"])
    spot = await build(own_simulator, market_types=["spot"])
    with pytest.raises(InvalidSymbolError, match="on spot alone"):
        await spot.subscribe_liquidations(["BTCUSDT"])
    assert own_simulator.streams.counts("futures").accepted == 0
