"""The streams of one market: who gets which events, also where the exchange refuses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from binance_sdk import BinanceClient
from binance_sdk.errors import RestrictedLocationError
from binance_sdk.simulator import ManualClock, Simulator
from binance_sdk.simulator.streams import StreamFault
from virtuoso_binance.config.settings import WebSocketSection
from virtuoso_binance.streaming.open_streams import MarketStreams

from .conftest import eventually, pass_time


def ignore(notice: object) -> None:
    """Nobody looks at notices here."""


@pytest.fixture
async def client(own_simulator: Simulator) -> AsyncIterator[BinanceClient]:
    async with own_simulator.client() as made:
        yield made


@pytest.fixture
async def market(client: BinanceClient) -> AsyncIterator[MarketStreams]:
    made = MarketStreams(client, "usdm", ignore)
    yield made
    await made.aclose()


async def test_connections_are_kept_as_the_configuration_says(
    market: MarketStreams, client: BinanceClient, clock: ManualClock
) -> None:
    section = WebSocketSection(ping_interval=7, keep_alive=False)
    other = MarketStreams(client, "usdm", ignore, section)
    tickers = client.futures.streams.ticker("BTCUSDT")
    kept: list[tuple[float, bool]] = []
    for each in (market, other):
        await each.add([(tickers, ignore)])
        assert each._events is not None
        options = each._events._consumer._options
        kept.append((options.connection_quiet_time, options.reconnect))
    await other.aclose()
    assert kept == [(30, True), (7, False)]


async def test_what_is_refused_leaves_everything_as_it_was(
    market: MarketStreams, client: BinanceClient, own_simulator: Simulator, clock: ManualClock
) -> None:
    streams = client.futures.streams
    first: list[Any] = []
    second: list[Any] = []
    tickers, books = streams.ticker("BTCUSDT"), streams.partial_depth("BTCUSDT", levels=5)
    await market.add([(tickers, first.append)])
    # Books have a route of their own, so a connection of their own, which is refused.
    rule = own_simulator.streams.faults.add(StreamFault.refuse(451), where="futures")
    with pytest.raises(RestrictedLocationError):
        await market.add([(tickers, second.append), (books, second.append)])
    assert market.names == ("btcusdt@ticker",)
    rule.remove()
    await pass_time(own_simulator, clock, 6)
    await eventually(lambda: len(first) >= 3)
    assert second == []
    # It can be asked for again, and is subscribed then.
    await market.add([(tickers, second.append), (books, second.append)])
    await pass_time(own_simulator, clock, 6)
    await eventually(lambda: {event.stream for event in second} == {"btcusdt@ticker", "btcusdt@depth5"})


async def test_what_is_cancelled_while_it_closes_is_closed(
    market: MarketStreams, client: BinanceClient, own_simulator: Simulator
) -> None:
    for steps in range(1, 8):
        await market.add([(client.futures.streams.ticker("BTCUSDT"), ignore)])
        reading = market._reading
        assert reading is not None
        closing = asyncio.create_task(market.aclose())
        for _ in range(steps):
            await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait((closing,))
        await eventually(reading.done)
        await eventually(lambda: not own_simulator.streams.subscriptions("futures"))


async def test_streams_of_a_closed_client_are_not_opened_again(client: BinanceClient) -> None:
    async def at_once(seconds: float) -> None:
        await asyncio.sleep(0)

    market = MarketStreams(client, "usdm", ignore, sleep=at_once)
    await market.add([(client.futures.streams.ticker("BTCUSDT"), ignore)])
    reading = market._reading
    assert reading is not None
    await client.aclose()
    await eventually(reading.done)
    assert reading.exception() is None
    await market.aclose()
