"""Streams of COIN-M futures: merged with rows of USDⓈ-M, lists by pair, and bars filled from the newest of a window."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from binance_sdk import coin_futures
from binance_sdk.catalogue import stream_fixture
from binance_sdk.streams import StreamOptions

from .conftest import Engine
from .rows import mini_ticker

TICKERS = "!miniTicker@arr"
OVERFLOWS: list[StreamOptions] = [{}, {"overflow": "drop_oldest"}, {"overflow": "latest"}]
MERGED = ["all_mini_tickers", "all_tickers", "all_mark_prices", "all_book_tickers", "all_force_orders", "contract_info"]
"""Streams of all contracts, which both futures hosts send alike."""


def row(number: int, symbol: str, kind: int | None) -> dict[str, Any]:
    return {**mini_ticker(number, symbol), "q": "2.0", **({} if kind is None else {"st": kind})}


@pytest.mark.parametrize("options", OVERFLOWS, ids=str)
async def test_a_consumer_gets_rows_of_coin_m_alone(engine: Engine, options: StreamOptions) -> None:
    async with engine.coin_futures.all_mini_tickers(quiet_time=None, **options) as events:
        # One without `st` was sent before there were others.
        rows = [row(1, "BTCUSDT", 1), row(1, "BTCUSD_PERP", 2), row(1, "ETHUSD_PERP", None)]
        await engine.exchange.send(TICKERS, rows)
        first, second = await anext(events)
        assert isinstance(first, coin_futures.MiniTickerEvent)
        assert [first.symbol, second.symbol] == ["BTCUSD_PERP", "ETHUSD_PERP"]
        assert (first.volume, first.base_volume) == (Decimal("1.0"), Decimal("2.0"))
        await engine.exchange.send(TICKERS, [row(2, "BTCUSDT", 1)])
        await engine.exchange.send(TICKERS, [row(3, "BTCUSD_PERP", 2)])
        (only,) = await anext(events)
        assert only.event_time == 3
        assert (events.stats.other_market, events.stats.malformed) == (2, 0)


@pytest.mark.parametrize("options", OVERFLOWS, ids=str)
async def test_rows_of_both_come_where_asked(engine: Engine, options: StreamOptions) -> None:
    async with engine.coin_futures.all_mini_tickers(quiet_time=None, all_markets=True, **options) as events:
        await engine.exchange.send(TICKERS, [row(1, "BTCUSDT", 1), row(1, "BTCUSD_PERP", 2)])
        rows = await anext(events)
        assert [(ticker.symbol, ticker.symbol_type) for ticker in rows] == [("BTCUSDT", 1), ("BTCUSD_PERP", 2)]
        assert events.stats.other_market == 0


@pytest.mark.parametrize("name", MERGED)
async def test_every_stream_of_all_contracts_leaves_out_the_other_market(engine: Engine, name: str) -> None:
    wire = json.loads(stream_fixture("coin_futures", name))
    foreign = [{**entry, "st": 1} for entry in wire] if isinstance(wire, list) else {**wire, "st": 1}
    made = getattr(engine.coin_futures, name)(quiet_time=None)
    ((named, _),) = made.items
    async with made as events:
        await engine.exchange.send(named.name, foreign)
        await engine.exchange.send(named.name, wire)
        event = await anext(events)
        assert {entry.symbol_type for entry in (event if isinstance(event, list) else [event])} == {2}
        assert events.stats.other_market == (len(wire) if isinstance(wire, list) else 1)


async def test_a_pair_brings_the_prices_of_all_its_contracts(engine: Engine) -> None:
    async with engine.coin_futures.mark_price_of_pair("BTCUSD", quiet_time=None) as events:
        await engine.exchange.send("btcusd@markPrice", json.loads(stream_fixture("coin_futures", "mark_price_of_pair")))
        perpetual, delivery = await anext(events)
        assert [(contract.pair, contract.symbol) for contract in (perpetual, delivery)] == [
            ("BTCUSD", "BTCUSD_PERP"),
            ("BTCUSD", "BTCUSD_261225"),
        ]
        assert (perpetual.funding_rate, delivery.funding_rate) == (Decimal("0.00007310"), None)
