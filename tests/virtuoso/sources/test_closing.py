"""What is closed, or cancels work of its own, while it is asked: whoever asks is not cancelled by that."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.virtuoso.sources.fake_sources import Clock, FakeExchange, source_of
from virtuoso_binance import NoSourceError


@pytest.mark.parametrize("steps", range(1, 8))
async def test_closing_while_all_are_asked_is_told_as_an_error(steps: int) -> None:
    clock = Clock()
    exchanges = {"a": FakeExchange(clock), "b": FakeExchange(clock, "bybit")}
    for exchange in exchanges.values():
        exchange.behaviour = lambda _: asyncio.get_running_loop().create_future()
    source = source_of(clock, exchanges, aggregation_mode="aggregate")
    asking = asyncio.create_task(source.fetch_market_data("BTCUSDT"))
    for _ in range(steps):
        await asyncio.sleep(0)
    await source.close()
    if steps == 1:
        # Nobody was asked yet, so there is nothing that closing could end.
        asking.cancel()
    await asyncio.wait((asking,))
    if steps > 1:
        assert isinstance(asking.exception(), NoSourceError)
    assert not source._under_way


async def test_an_exchange_that_cancels_its_own_work_has_failed_and_another_one_serves() -> None:
    clock = Clock()
    exchanges = {"a": FakeExchange(clock), "b": FakeExchange(clock, "bybit")}

    def cancelled(symbol: str) -> Any:
        gone: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        gone.cancel()
        return gone

    exchanges["a"].behaviour = cancelled
    async with source_of(clock, exchanges) as source:
        data = await source.fetch_market_data("BTCUSDT")
        assert data["metadata"]["source"] == "b"
        assert source.stats["a"].failed == {"error": 1}


async def test_closing_that_is_cancelled_closes_every_exchange() -> None:
    clock = Clock()
    exchanges = {"a": FakeExchange(clock), "b": FakeExchange(clock, "bybit")}
    source = source_of(clock, exchanges, aggregation_mode="aggregate")

    async def slowly(symbol: str) -> Any:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0.01)

    for exchange in exchanges.values():
        exchange.behaviour = slowly
    asking = asyncio.create_task(source.fetch_market_data("BTCUSDT"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert source._under_way
    closing = asyncio.create_task(source.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait((closing, asking))
    assert closing.cancelled()
    assert isinstance(asking.exception(), NoSourceError)
    assert [exchange.closed for exchange in exchanges.values()] == [1, 1]
