"""A clock that is set back while connections are open: streams go on from the new time, and agree with REST there."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import NOW, World
from .test_books import Book, levels_of

BACK = NOW - 3_600_000
SPOT = ["btcusdt@aggTrade", "btcusdt@depth@100ms", "btcusdt@kline_1m", "btcusdt@miniTicker", "btcusdt@bookTicker"]
FUTURES = ["btcusdt@aggTrade", "btcusdt@kline_1m", "btcusdt@markPrice@1s", "!forceOrder@arr"]


def set_back(world: World) -> None:
    world.clock.set(BACK)
    world.streams.flush()


def streams_of(messages: list[Any]) -> set[str]:
    return {message["stream"] for message in messages}


@pytest.mark.parametrize(("market", "route", "names"), [("spot", "", SPOT), ("futures", "market", FUTURES)])
async def test_every_stream_goes_on_from_the_earlier_time(
    world: World, market: str, route: str, names: list[str]
) -> None:
    async with world.wire(market, route, names) as wire:
        world.pass_time(60)
        assert streams_of(await wire.drain()) == set(names)
        set_back(world)
        # What was planned for the later time is not sent now, and the hour in between is not told again.
        assert await wire.drain() == []
        world.pass_time(60)
        messages = await wire.drain()
        assert streams_of(messages) == set(names)
        times = [message["data"]["E"] for message in messages if "E" in message["data"]]
        assert BACK < min(times) <= max(times) <= BACK + 60_000
        assert times == sorted(times)
        # Each event comes once: the feed from before is gone.
        told = [(message["stream"], str(message["data"])) for message in messages]
        assert len(told) == len(set(told))


@pytest.mark.parametrize("minutes", [0, 30])
async def test_trades_and_bars_are_those_of_rest_at_that_time(world: World, minutes: int) -> None:
    async with world.wire("spot", "", ["btcusdt@aggTrade", "btcusdt@kline_1m"]) as wire:
        world.pass_time(1 + minutes * 60)
        await wire.drain()
        set_back(world)
        world.pass_time(120)
        messages = [message["data"] for message in await wire.drain()]
    trades = world.rest("/api/v3/aggTrades", symbol="BTCUSDT", startTime=BACK + 1, endTime=BACK + 120_000, limit=1000)
    assert [event["a"] for event in messages if event["e"] == "aggTrade"] == [trade["a"] for trade in trades]
    closed = [event["k"] for event in messages if event["e"] == "kline" and event["k"]["x"]]
    bars = world.rest("/api/v3/klines", symbol="BTCUSDT", interval="1m", startTime=closed[0]["t"], limit=len(closed))
    assert len(closed) == 2
    assert [(bar["t"], bar["o"], bar["c"], bar["v"]) for bar in closed] == [
        (bar[0], bar[1], bar[4], bar[5]) for bar in bars
    ]


@pytest.mark.parametrize("seconds", [3_600, 2])
async def test_a_book_follows_rest_at_that_time(world: World, seconds: int) -> None:
    async with world.wire("spot", "", ["btcusdt@depth@100ms"]) as wire:
        world.pass_time(5)
        await wire.drain()
        world.clock.set(world.clock.now_ms() - seconds * 1_000)
        world.streams.flush()
        book = Book(world.rest("/api/v3/depth", symbol="BTCUSDT", limit=5000))
        # To the first event: it is made from the book of that time, not from the later one that was told last.
        world.pass_time(0.1 - world.clock.now_ms() % 100 / 1000)
        events = [message["data"] for message in await wire.drain()]
        assert len(events) == 1
        assert events[0]["U"] <= book.id + 1 <= events[0]["u"]
        for event in events:
            book.apply(event)
        answer = world.rest("/api/v3/depth", symbol="BTCUSDT", limit=5000)
        assert answer["lastUpdateId"] == book.id
        assert book.top(5000) == levels_of(answer)


@pytest.mark.parametrize("name", ["btcusdt@aggTrade", "btcusdt@depth@100ms", "btcusdt@kline_1m"])
async def test_a_step_back_of_two_seconds_tells_them_again_and_nothing_twice(world: World, name: str) -> None:
    async with world.wire("spot", "", [name]) as wire:
        world.pass_time(10)
        before = await wire.drain()
        world.clock.set(world.clock.now_ms() - 2_000)
        start = world.clock.now_ms()
        world.streams.flush()
        # Past the moment from which the clock was set back: what was planned there must not be sent beside it.
        world.pass_time(5 - start % 1000 / 1000)
        after = [message["data"] for message in await wire.drain()]
    told = [str(event) for event in after]
    assert len(told) == len(set(told))
    assert [event for event in after if event["E"] <= start] == []
    again = [message["data"]["E"] for message in before if message["data"]["E"] > start]
    assert set(again) <= {event["E"] for event in after}


async def test_a_new_subscription_after_it_begins_at_that_time(world: World) -> None:
    async with world.spot() as wire:
        set_back(world)
        await wire.ask("SUBSCRIBE", "btcusdt@aggTrade")
        world.pass_time(60)
        events = await wire.drain()
        assert events
        assert all(BACK < event["T"] <= BACK + 60_000 for event in events)


def test_a_window_of_an_earlier_time_begins_empty(world: World) -> None:
    world.rest("/api/v3/exchangeInfo", symbol="BTCUSDT")
    assert world.simulator.used_weight("spot") == 20
    set_back(world)
    assert world.simulator.used_weight("spot") == 0
    world.rest("/api/v3/ping")
    assert world.simulator.used_weight("spot") == 1
    assert [(window.start, window.used) for window in world.simulator.windows("spot")] == [
        (NOW // 60_000 * 60_000, 20),
        (BACK // 60_000 * 60_000, 1),
    ]


def test_a_symbol_that_was_delisted_is_there_again_before_that(world: World) -> None:
    world.simulator.delist_symbol("spot", "ETHUSDT", at=NOW + 60_000)
    world.clock.set(NOW + 120_000)
    assert "ETHUSDT" not in str(world.rest("/api/v3/ticker/price"))
    world.clock.set(NOW)
    assert "ETHUSDT" in str(world.rest("/api/v3/ticker/price"))
