"""A consumer that is slower than its streams: what it loses, and that it is told."""

from __future__ import annotations

import asyncio
from typing import Any

from binance_sdk import spot
from binance_sdk.events import MessagesDropped
from binance_sdk.streams import Gap

from .conftest import Engine
from .rows import agg_trade, mini_ticker
from .server import eventually

TRADES = "btcusdt@aggTrade"
TICKERS = "!miniTicker@arr"


def rest_of(events: Any) -> list[Any]:
    found = []
    while (event := events._opened.reader.take(with_notices=True)) is not None:
        found.append(event)
    return found


async def test_drop_oldest_drops_counts_and_names(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", overflow="drop_oldest", buffer=5, fill_gaps=True) as events:
        for number in range(1, 4):
            await engine.exchange.send(TRADES, agg_trade(number))
        await eventually(lambda: events.stats.received == 3)
        assert [event.agg_id for event in rest_of(events)] == [1, 2, 3]
        for number in range(4, 24):
            await engine.exchange.send(TRADES, agg_trade(number))
        await eventually(lambda: events.stats.received == 23)
        gap, *seen = rest_of(events)
        assert gap == Gap(TRADES, 3, 19, "overflow")
        assert [event.agg_id for event in seen] == [19, 20, 21, 22, 23]
        assert events.stats.dropped == 15
    # Fetching what there was no time for would be no help.
    assert engine.rest.asked == []
    told = [event.dropped for event in engine.told if isinstance(event, MessagesDropped)]
    assert told == [1, 2, 4, 8]


async def test_latest_keeps_the_newest_of_each_stream(engine: Engine) -> None:
    stream = engine.spot.combine(
        engine.spot.agg_trade("BTCUSDT"), engine.spot.all_mini_tickers(), overflow="latest", buffer=6
    )
    async with stream as events:
        for number in range(1, 4):
            await engine.exchange.send(TRADES, agg_trade(number))
        await eventually(lambda: events.stats.received == 3)
        # There is room, so nothing is lost.
        assert [event.agg_id for event in rest_of(events)] == [1, 2, 3]
        await engine.exchange.send(TICKERS, [mini_ticker(1)])
        for number in range(4, 10):
            await engine.exchange.send(TRADES, agg_trade(number))
        await eventually(lambda: events.stats.received == 10)
        ticker, gap, trade = rest_of(events)
        assert isinstance(ticker, list)
        assert gap == Gap(TRADES, 3, 9, "overflow")
        assert trade.agg_id == 9
        assert events.stats.dropped == 5


async def test_block_loses_nothing_and_stops_the_line(engine: Engine) -> None:
    payload = {**agg_trade(0), "padding": "x" * 1000}
    async with engine.spot.agg_trade("BTCUSDT", overflow="block", buffer=100) as events:
        total = 20_000
        line = engine.exchange.lines[0]

        async def send() -> None:
            for number in range(1, total + 1):
                await line.send(TRADES, {**payload, "a": number})

        sending = asyncio.create_task(send())
        await eventually(lambda: events._opened.reader.buffer.paused)
        for _ in range(50):
            await asyncio.sleep(0.001)
        waiting = len(events._opened.reader.buffer.waiting)
        assert waiting <= 2 * 100 + 8192
        assert not sending.done()
        seen = [(await anext(events)).agg_id for _ in range(total)]
        await sending
        assert seen == list(range(1, total + 1))
        assert events.stats.dropped == 0


async def test_a_blocked_consumer_answers_pings_and_is_not_taken_for_silent(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", buffer=2, quiet_time=10.0) as events:
        line = engine.exchange.lines[0]
        for number in range(1, 6):
            await line.send(TRADES, agg_trade(number))
        await eventually(lambda: events._opened.reader.buffer.paused)
        answered = await line.socket.ping(b"are you there")
        for _ in range(200):
            if answered.done():
                break
            await engine.clock.advance(1.0)
        assert await answered
        assert len(engine.exchange.lines) == 1
        await engine.clock.advance(60, step=2.0)
        assert len(engine.exchange.lines) == 1
        for number in range(1, 6):
            event = await anext(events)
            assert isinstance(event, spot.AggTradeEvent)
            assert event.agg_id == number
        await engine.clock.advance(5)
        assert len(engine.exchange.lines) == 1


async def test_lag_is_the_time_a_message_waited(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT") as events:
        await engine.exchange.send(TRADES, agg_trade(1))
        await eventually(lambda: events.stats.received == 1)
        await engine.clock.advance(2.0)
        await anext(events)
        assert 2000.0 <= events.stats.lag_ms < 2500.0
