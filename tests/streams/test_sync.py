"""The same streams for blocking code, through the whole client."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from binance_sdk import BinanceClient, SyncBinanceClient, spot
from binance_sdk.errors import ConfigError, StreamError
from binance_sdk.streams import Gap

from .rows import agg_trade
from .server import Exchange

TRADES = "btcusdt@aggTrade"


class Background:
    """An exchange in a thread of its own, since the test blocks."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.exchange = Exchange()
        self.run(self.exchange.__aenter__())

    def run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)

    def close(self) -> None:
        self.run(self.exchange.__aexit__())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@pytest.fixture
def background() -> Iterator[Background]:
    background = Background()
    yield background
    background.close()


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "streams" in thread.name]


@pytest.mark.parametrize("transport", ["httpx", "aiohttp"])
def test_with_and_for(background: Background, transport: Any) -> None:
    with SyncBinanceClient(spot_stream_url=background.exchange.url, transport=transport) as client:
        stream = client.spot.streams.agg_trade("BTCUSDT") | client.spot.streams.trade("BTCUSDT")
        with stream as events:
            for number in (1, 2, 5):
                background.run(background.exchange.send(TRADES, agg_trade(number)))
            items = events.with_notices()
            seen = [next(items) for _ in range(4)]
            assert seen[2] == Gap(TRADES, 2, 5)
            assert [event.agg_id for event in seen if isinstance(event, spot.AggTradeEvent)] == [1, 2, 5]
            assert events.stats.received == 3
            events.unsubscribe(client.spot.streams.trade("BTCUSDT"))
            events.subscribe(client.spot.streams.agg_trade("ETHUSDT"))
            assert events.streams == (TRADES, "ethusdt@aggTrade")
        assert list(events) == []
        assert threads() == ["binance-sdk streams"]
    assert threads() == []
    assert background.run(_open(background.exchange)) == 0


async def _open(exchange: Exchange) -> int:
    for _ in range(1000):
        if not exchange.open:
            break
        await asyncio.sleep(0.001)
    return len(exchange.open)


def test_closing_the_client_closes_its_streams(background: Background) -> None:
    client = SyncBinanceClient(spot_stream_url=background.exchange.url)
    events = client.spot.streams.agg_trade("BTCUSDT").open()
    client.close()
    assert background.run(_open(background.exchange)) == 0
    assert list(events) == []
    events.close()
    with pytest.raises(ConfigError, match="closed"):
        client.spot.streams.agg_trade("BTCUSDT").open()


def forgotten(background: Background) -> asyncio.AbstractEventLoop:
    client = SyncBinanceClient(spot_stream_url=background.exchange.url)
    with client.spot.streams.agg_trade("BTCUSDT"):
        pass
    loop = client._core.streams()._loop._loop
    assert loop is not None
    return loop


def test_a_forgotten_client_that_only_streamed_is_a_warning(background: Background) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        loop = forgotten(background)
        gc.collect()
    (thread,) = [thread for thread in threading.enumerate() if "streams" in thread.name]
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    assert [str(warning.message)[:32] for warning in caught] == ["a Binance client was not closed;"]


def test_a_reader_in_another_thread_ends_with_the_stream(background: Background) -> None:
    with SyncBinanceClient(spot_stream_url=background.exchange.url) as client:
        events = client.spot.streams.agg_trade("BTCUSDT").open()
        seen: list[Any] = []
        reader = threading.Thread(target=lambda: seen.extend(events))
        reader.start()
        background.run(background.exchange.send(TRADES, agg_trade(1)))
        while not seen:
            threading.Event().wait(0.001)
        events.close()
        reader.join(10)
        assert not reader.is_alive()


def test_errors_arrive_where_the_stream_is_opened() -> None:
    with (
        SyncBinanceClient(spot_stream_url="ws://127.0.0.1:9", max_retries=0) as client,
        pytest.raises(StreamError, match="no connection"),
    ):
        client.spot.streams.agg_trade("BTCUSDT").open()


async def test_the_async_client_closes_its_streams(exchange: Exchange) -> None:
    client = BinanceClient(spot_stream_url=exchange.url)
    events = await client.spot.streams.agg_trade("BTCUSDT").open()
    await exchange.send(TRADES, agg_trade(1))
    assert isinstance(await anext(events), spot.AggTradeEvent)
    await client.aclose()
    assert [event async for event in events] == []


async def test_a_market_without_streams_is_a_config_error() -> None:
    async with BinanceClient(environment="data_only") as client:
        with pytest.raises(ConfigError, match="futures_stream_url"):
            await client.futures.streams.agg_trade("BTCUSDT").open()
    async with BinanceClient(spot_base_url="http://127.0.0.1:9") as client:
        # Its streams would be those of another exchange.
        with pytest.raises(ConfigError, match="spot_stream_url"):
            await client.spot.streams.agg_trade("BTCUSDT").open()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "ws://user:pw@127.0.0.1", "nonsense"])
def test_stream_urls_are_checked(url: str) -> None:
    with pytest.raises(ConfigError, match="spot_stream_url"):
        SyncBinanceClient(spot_stream_url=url)


def test_stream_urls_come_from_the_environment_too(background: Background, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BINANCE_SDK_SPOT_STREAM_URL", background.exchange.url)
    with SyncBinanceClient() as client, client.spot.streams.agg_trade("BTCUSDT") as events:
        background.run(background.exchange.send(TRADES, json.dumps(agg_trade(1))))
        assert isinstance(next(events), spot.AggTradeEvent)


def test_transports_are_checked() -> None:
    with pytest.raises(ConfigError, match="must be one of"):
        BinanceClient(transport="carrier pigeon")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="http_client"):
        BinanceClient(transport="aiohttp", http_client=object())  # type: ignore[arg-type]
