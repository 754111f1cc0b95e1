"""On uvloop, which servers of web applications bring along, whatever asks and listens can also be closed."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterator
from itertools import product
from typing import Any

import pytest

from binance_sdk import BinanceClient
from binance_sdk.errors import APIConnectionError, BinanceError
from binance_sdk.simulator import Fault, Simulator
from tests.runtime.server import RawServer, http

uvloop = pytest.importorskip("uvloop", reason="no uvloop here: pip install uvloop")
TRANSPORTS = ("httpx", "aiohttp")
SLOW = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n["


@pytest.fixture(scope="module")
def exchange() -> Iterator[Simulator]:
    with Simulator() as running:
        yield running


async def calls(client: BinanceClient) -> None:
    assert await client.spot.klines("BTCUSDT", "1m", limit=5)
    assert await asyncio.gather(*(client.futures.ticker_price(symbol) for symbol in ("BTCUSDT", "ETHUSDT")))


async def streams(client: BinanceClient) -> None:
    async with client.spot.streams.trade("BTCUSDT") as trades:
        async for trade in trades:
            assert trade.symbol == "BTCUSDT"
            break


async def books(client: BinanceClient) -> None:
    async with client.futures.order_book("BTCUSDT", limit=100) as book:
        await book.wait_synced(20)
        assert book.bids(1)[0].price < book.asks(1)[0].price


@pytest.mark.parametrize(("work", "transport"), list(product((calls, streams, books), TRANSPORTS)))
def test_it_works_and_is_closed(
    work: Callable[[BinanceClient], Awaitable[None]], transport: Any, exchange: Simulator
) -> None:
    async def run() -> None:
        assert type(asyncio.get_running_loop()).__module__.startswith("uvloop")
        for _ in range(3):
            async with exchange.client(transport=transport) as client:
                await work(client)

    uvloop.run(run())
    # What was left open would be told now.
    gc.collect()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_who_waits_for_an_answer_hears_of_the_end(transport: Any) -> None:
    async def run(url: str) -> None:
        client = BinanceClient(spot_base_url=url, transport=transport, max_retries=0)
        asking = asyncio.create_task(client.spot.time())
        while not server.requests:  # noqa: ASYNC110 - the server is a thread
            await asyncio.sleep(0.001)
        await client.aclose()
        with pytest.raises(BinanceError):
            await asyncio.wait_for(asking, 20)

    with RawServer(SLOW, keep_alive=True) as server:
        uvloop.run(run(server.url))
    gc.collect()


def test_connections_that_have_ended_are_forgotten() -> None:
    async def run(url: str) -> int:
        async with BinanceClient(spot_base_url=url, transport="aiohttp") as client:
            for _ in range(5):
                await client.spot.ping()
            sessions: Any = await client._core.transport._own.get()  # type: ignore[union-attr]
            (session,) = sessions._made.values()
            return len(session._opened)

    with RawServer(http("200 OK", b"{}")) as server:
        assert uvloop.run(run(server.url)) <= 2


def test_a_simulator_resets_connections_whatever_loop_the_process_has_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncio.events.new_event_loop", uvloop.new_event_loop)

    async def run(simulator: Simulator) -> None:
        async with simulator.client(max_retries=0) as client:
            simulator.faults.add(Fault.reset())
            with pytest.raises(APIConnectionError, match="reset"):
                await client.spot.ping()

    with Simulator() as simulator:
        asyncio.run(run(simulator))
