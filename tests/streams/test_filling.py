"""Missing events from REST: complete, in order, each once, and marked."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from binance_sdk import spot
from binance_sdk._runtime.stream.names import name_streams
from binance_sdk._runtime.stream.reading.fill import fetch_missing
from binance_sdk._runtime.stream.reading.sequence import Hole
from binance_sdk.catalogue import STREAMS
from binance_sdk.streams import Gap

from .conftest import Engine
from .manual_clock import ManualClock
from .rows import FakeRest, agg_trade, kline
from .server import eventually

TRADES = "btcusdt@aggTrade"
BARS = "btcusdt@kline_1m"


async def read(events: Any, count: int) -> list[Any]:
    """Events and notices."""
    items = events.with_notices()
    return [await anext(items) for _ in range(count)]


async def test_a_gap_is_filled_in_order(engine: Engine) -> None:
    engine.rest.page = 4
    async with engine.spot.agg_trade("BTCUSDT", "ETHUSDT", fill_gaps=True) as events:
        for number in (10, 21, 22, 15, 22, 23):
            await engine.exchange.send(TRADES, agg_trade(number))
        await eventually(lambda: events.stats.received == 6)
        seen = await read(events, 14)
        assert [event.agg_id for event in seen] == list(range(10, 24))
        assert [event.agg_id for event in seen if event.filled] == list(range(11, 21))
        assert events.stats.filled == 10
        assert events.stats.duplicates == 2
    asked = [(request["fromId"], request["limit"], request["symbol"]) for request in engine.rest.asked]
    assert asked == [(11, 4, "BTCUSDT"), (15, 4, "BTCUSDT"), (19, 2, "BTCUSDT")]


async def test_a_filled_event_says_what_rest_knows_and_no_more(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", fill_gaps=True) as events:
        await engine.exchange.send(TRADES, agg_trade(1))
        await engine.exchange.send(TRADES, agg_trade(3))
        live, filled, _ = await read(events, 3)
    assert filled.stream == live.stream == TRADES
    assert (filled.symbol, filled.event_type, filled.event_time) == ("BTCUSDT", "aggTrade", None)
    assert '"E"' not in filled.model_dump_json(by_alias=True, exclude_unset=True)
    assert filled.price == live.price


async def test_other_streams_do_not_wait_for_a_fill(engine: Engine) -> None:
    engine.rest.missing_at_first = {2}
    async with engine.spot.agg_trade("BTCUSDT", "ETHUSDT", fill_gaps=True) as events:
        await engine.exchange.send(TRADES, agg_trade(1))
        await engine.exchange.send(TRADES, agg_trade(3))
        await engine.exchange.send("ethusdt@aggTrade", agg_trade(7, "ETHUSDT"))
        first, second = await read(events, 2)
        assert [first.symbol, second.symbol] == ["BTCUSDT", "ETHUSDT"]
        # REST is behind the stream; it is asked again.
        await eventually(lambda: engine.rest.asked)
        await engine.clock.advance(1.0)
        assert [event.agg_id for event in await read(events, 2)] == [2, 3]


async def test_two_gaps_of_one_stream_are_filled_one_after_the_other(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", fill_gaps=True) as events:
        for number in (1, 4, 5, 8):
            await engine.exchange.send(TRADES, agg_trade(number))
        await eventually(lambda: events.stats.received == 4)
        assert [event.agg_id for event in await read(events, 8)] == list(range(1, 9))


async def test_what_cannot_be_fetched_is_a_gap(engine: Engine) -> None:
    engine.rest.without = {5}
    async with engine.spot.agg_trade("BTCUSDT", fill_gaps=True) as events:
        await engine.exchange.send(TRADES, agg_trade(1))
        await engine.exchange.send(TRADES, agg_trade(8))
        seen = await read(events, 4)
        assert [event.agg_id for event in seen] == [1, 2, 3, 4]
        await engine.clock.advance(5)
        gap, last = await read(events, 2)
        assert isinstance(gap, Gap)
        assert (gap.last_id, gap.first_id, gap.reason) == (4, 8, "fill_failed")
        assert last.agg_id == 8


async def test_a_fill_that_fails_does_not_silence_the_stream(engine: Engine) -> None:
    engine.rest.failures = 1
    async with engine.spot.agg_trade("BTCUSDT", fill_gaps=True) as events:
        for number in (1, 3, 4):
            await engine.exchange.send(TRADES, agg_trade(number))
        first, gap, second, third = await read(events, 4)
        assert [first.agg_id, second.agg_id, third.agg_id] == [1, 3, 4]
        assert gap == Gap(TRADES, 1, 3, "fill_failed", "no connection")


async def test_missing_bars_are_fetched(engine: Engine) -> None:
    async with engine.spot.kline("BTCUSDT", interval="1m", fill_gaps=True) as events:
        for minute, closed in ((100, False), (100, True), (101, False), (104, False)):
            await engine.exchange.send(BARS, kline(minute, closed=closed))
        seen = await read(events, 7)
        bars = [(event.kline.open_time // 60_000, event.kline.is_closed, event.filled) for event in seen]
        # The end of bar 101 was never told, so it is fetched too.
        assert bars == [
            (100, False, False), (100, True, False), (101, False, False),
            (101, True, True), (102, True, True), (103, True, True), (104, False, False),
        ]  # fmt: skip
        assert seen[4].kline.first_trade_id is None
    assert engine.rest.asked[0]["startTime"] == 100 * 60_000 + 1
    assert engine.rest.asked[0]["interval"] == "1m"
    # Three are missing, and the bar that is running may be among the rows.
    assert engine.rest.asked[0]["limit"] == 4


@pytest.mark.parametrize("page", [1000, 4])
async def test_where_the_newest_bars_of_a_window_come_the_window_ends_with_the_page(page: int) -> None:
    kind = next(operation for operation in STREAMS if operation.id == "spot.kline")
    assert kind.fill is not None
    (stream,) = name_streams(
        replace(kind, fill=replace(kind.fill, end="endTime")), {"symbol": "BTCUSDT", "interval": "1m"}
    )
    rest = FakeRest()
    rest.newest_of_window, rest.page, rest.newest_bar = True, page, 500 * 60_000
    hole = Hole(100 * 60_000, 111 * 60_000)
    found = [event async for events in fetch_missing(rest, stream, hole, ManualClock()) for event in events]
    assert [event.kline.open_time // 60_000 for event in found] == list(range(101, 111))  # type: ignore[attr-defined]


async def test_bars_that_rest_has_not_published_yet_are_waited_for(engine: Engine) -> None:
    engine.rest.newest_bar = 101 * 60_000
    async with engine.spot.kline("BTCUSDT", interval="1m", fill_gaps=True) as events:
        for minute, closed in ((100, True), (104, False)):
            await engine.exchange.send(BARS, kline(minute, closed=closed))
        seen = await read(events, 2)
        assert [event.kline.open_time // 60_000 for event in seen] == [100, 101]
        engine.rest.newest_bar = 104 * 60_000
        await eventually(lambda: len(engine.rest.asked) == 1)
        await engine.clock.advance(1.0)
        seen = await read(events, 3)
        assert [(event.kline.open_time // 60_000, event.filled) for event in seen] == [
            (102, True), (103, True), (104, False),
        ]  # fmt: skip


async def test_pages_shorter_than_asked_for_are_followed_to_the_end(engine: Engine) -> None:
    """As when Binance lowers the most rows of a page: each brings one bar, however many were asked for."""
    engine.rest.most_bars = 1
    async with engine.spot.kline("BTCUSDT", interval="1m", fill_gaps=True) as events:
        for minute, closed in ((100, True), (110, False)):
            await engine.exchange.send(BARS, kline(minute, closed=closed))
        async with asyncio.timeout(10):
            reading = asyncio.create_task(read(events, 11))
            while not reading.done():
                await engine.clock.advance(1.0)
        seen = reading.result()
        assert [event.kline.open_time // 60_000 for event in seen] == list(range(100, 111))


async def test_bars_that_never_come_are_a_gap(engine: Engine) -> None:
    engine.rest.newest_bar = 101 * 60_000
    async with engine.spot.kline("BTCUSDT", interval="1m", fill_gaps=True) as events:
        for minute, closed in ((100, True), (104, False)):
            await engine.exchange.send(BARS, kline(minute, closed=closed))
        await read(events, 2)
        for _ in range(4):
            await engine.clock.advance(1.0)
        gap, bar = await read(events, 2)
        assert isinstance(gap, Gap)
        assert (gap.last_id, gap.first_id, gap.reason) == (101 * 60_000, 104 * 60_000, "fill_failed")
        assert bar.kline.open_time == 104 * 60_000


async def test_missing_bars_are_named_without_filling(engine: Engine) -> None:
    async with engine.spot.kline("BTCUSDT", interval="1m") as events:
        await engine.exchange.send(BARS, kline(100, closed=True))
        await engine.exchange.send(BARS, kline(103, closed=False))
        _, gap, bar = await read(events, 3)
        assert gap == Gap(BARS, 100 * 60_000, 103 * 60_000)
        assert isinstance(bar, spot.KlineEvent)


@pytest.mark.parametrize("fill", [True, False])
async def test_leaving_while_a_fill_is_under_way(engine: Engine, fill: bool) -> None:
    engine.rest.without = {2}
    async with engine.spot.agg_trade("BTCUSDT", fill_gaps=fill) as events:
        await engine.exchange.send(TRADES, agg_trade(1))
        await engine.exchange.send(TRADES, agg_trade(3))
        assert (await anext(events)).agg_id == 1
        if fill:
            events._consumer.reader.take()
            await eventually(lambda: engine.rest.asked)
    assert [event async for event in events] == []
