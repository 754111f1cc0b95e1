"""``streaming: [order_books]``: the exchange's order book from a stream, and over REST wherever that cannot be."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from binance_sdk.simulator import Simulator
from binance_sdk.simulator.streams import StreamFault

from .conftest import Build, exchanges_with_streams


@pytest.fixture
async def build() -> AsyncIterator[Build]:
    async with exchanges_with_streams() as build_one:
        yield build_one


@pytest.fixture
async def exchange(own_simulator: Simulator, build: Build) -> Any:
    return await build(own_simulator, streaming=["order_books"])


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(2000):
        if await holds():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it never came about")


async def answers(exchange: Any, symbol: str) -> bool:
    """Whether the live book of a symbol does."""
    return await exchange._live_book(await exchange._listed(symbol)) is not None


async def synced(exchange: Any, symbol: str) -> None:
    await until(lambda: answers(exchange, symbol))


@pytest.mark.parametrize(("types", "market"), [(["futures"], "futures"), (["spot"], "spot")])
async def test_a_live_book_answers_as_rest_does_and_costs_nothing(
    own_simulator: Simulator, build: Build, types: list[str], market: Any
) -> None:
    exchange = await build(own_simulator, streaming=["order_books"], market_types=types)
    # The first call begins the book, and does not wait for it.
    first = await exchange.fetch_order_book("BTC/USDT", 20)
    await synced(exchange, "BTCUSDT")
    spent = own_simulator.used_weight(market)
    live = [await exchange.fetch_order_book("BTCUSDT", 20) for _ in range(5)]
    assert own_simulator.used_weight(market) == spent
    # The exchange's clock stands still, and its book with it.
    for book in live:
        assert set(book) == set(first)
        assert (book["symbol"], book["bids"], book["asks"]) == ("BTCUSDT", first["bids"], first["asks"])
        assert abs(book["timestamp"] - first["timestamp"]) < 20_000
    assert len((await exchange.fetch_order_book("BTCUSDT"))["bids"]) == 100
    assert own_simulator.used_weight(market) == spent
    # More than the snapshot of the live book knows.
    assert len((await exchange.fetch_order_book("BTCUSDT", 5000 if market == "spot" else 1000))["bids"]) >= 1000


async def test_books_of_one_market_share_a_connection(exchange: Any, own_simulator: Simulator) -> None:
    for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT"):
        await exchange.fetch_order_book(symbol)
    for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT"):
        await synced(exchange, symbol)
    assert own_simulator.streams.counts("futures").accepted == 1
    await exchange.close()

    async def closed() -> bool:
        return own_simulator.streams.counts("futures").open == 0

    # The exchange hears of it a moment after the client is done.
    await until(closed)


async def test_without_streams_rest_answers(
    exchange: Any, own_simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    own_simulator.streams.faults.add(StreamFault.refuse(451), where="futures")
    with caplog.at_level(logging.WARNING, "virtuoso_binance"):
        for _ in range(3):
            assert (await exchange.fetch_order_book("BTCUSDT", 5))["bids"]

        async def told() -> bool:
            return "no live order book of BTCUSDT" in caplog.text

        await until(told)
    assert (await exchange.fetch_order_book("BTCUSDT", 5))["bids"]
    # It is not tried again at once.
    assert caplog.text.count("no live order book") == 1


async def test_a_book_that_is_lost_is_no_answer(exchange: Any, own_simulator: Simulator) -> None:
    await exchange.fetch_order_book("BTCUSDT")
    await synced(exchange, "BTCUSDT")
    own_simulator.streams.faults.add(StreamFault.refuse(503), where="futures")
    own_simulator.streams.abort("futures")

    async def lost() -> bool:
        return not await answers(exchange, "BTCUSDT")

    await until(lost)
    spent = own_simulator.used_weight("futures")
    assert (await exchange.fetch_order_book("BTCUSDT", 20))["bids"]
    assert own_simulator.used_weight("futures") > spent


async def test_switched_off_no_stream_is_opened(own_simulator: Simulator, build: Build) -> None:
    exchange = await build(own_simulator)
    await exchange.fetch_order_book("BTCUSDT")
    assert own_simulator.streams.counts("futures").accepted == 0
