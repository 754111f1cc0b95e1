"""A consumer that is slower than its streams: what it loses, and that it is told."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from binance_sdk import spot
from binance_sdk._runtime.stream.consumer import make_reader
from binance_sdk._runtime.stream.options import StreamOptions, resolve_options
from binance_sdk._runtime.stream.reading.reader import Reader
from binance_sdk._runtime.stream.reading.subscription import Subscription
from binance_sdk.events import MessagesDropped
from binance_sdk.streams import Gap, SilentStream

from .conftest import Engine
from .rows import agg_trade
from .server import eventually

TRADES = "btcusdt@aggTrade"


def rest_of(events: Any) -> list[Any]:
    found = []
    while (event := events._consumer.reader.take(with_notices=True)) is not None:
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
    # A consumer that is too slow would not be helped by fetched events.
    assert engine.rest.asked == []
    told = [event.dropped for event in engine.told if isinstance(event, MessagesDropped)]
    assert told == [1, 2, 4, 8]


async def test_block_loses_nothing_and_stops_the_line(engine: Engine) -> None:
    payload = {**agg_trade(0), "padding": "x" * 1000}
    async with engine.spot.agg_trade("BTCUSDT", overflow="block", buffer=100) as events:
        total = 20_000
        line = engine.exchange.lines[0]

        async def send() -> None:
            for number in range(1, total + 1):
                await line.send(TRADES, {**payload, "a": number})

        sending = asyncio.create_task(send())
        await eventually(lambda: events._consumer.reader.buffer.paused)
        for _ in range(50):
            await asyncio.sleep(0.001)
        waiting = len(events._consumer.reader.buffer.waiting)
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
        await eventually(lambda: events._consumer.reader.buffer.paused)
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


async def test_a_ping_without_an_answer_gets_its_time_again_when_a_blocked_consumer_goes_on(engine: Engine) -> None:
    """Nothing was heard because nothing was read."""
    async with engine.spot.agg_trade("BTCUSDT", buffer=2, quiet_time=10.0) as events:
        line = engine.exchange.lines[0]
        await line.send(TRADES, agg_trade(1))
        await anext(events)
        line.socket.transport.pause_reading()
        await engine.clock.advance(6)
        assert events._consumer._supervisors[0]._connection.pinged_at is not None
        for number in range(2, 7):
            await line.send(TRADES, agg_trade(number))
        await eventually(lambda: events._consumer.reader.buffer.paused)
        await engine.clock.advance(60, step=2.0)
        for _ in range(5):
            await anext(events)
        await engine.clock.advance(2)
        line.socket.transport.resume_reading()
        await engine.clock.advance(4)
        assert len(engine.exchange.lines) == 1
        assert events.stats.reconnects == 0


async def test_lag_is_the_time_a_message_waited(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT") as events:
        await engine.exchange.send(TRADES, agg_trade(1))
        await eventually(lambda: events.stats.received == 1)
        await engine.clock.advance(2.0)
        await anext(events)
        assert 2000.0 <= events.stats.lag_ms < 2500.0


# ------------------------------------------------------------------------------------ bounds


def test_a_stalled_consumer_of_lists_holds_64_mib(engine: Engine) -> None:
    """Ten thousand messages of half a megabyte would be five gigabytes."""
    payload = b"x" * 500_000
    for policy, bound in (("drop_oldest", 64), ("block", 64), ("latest", 64)):
        reader, subscription = stalled(engine, {"overflow": policy})
        for _ in range(10_000):
            reader.feed(subscription, payload, 0.0)
        held = sum(len(item[1]) for item in reader.waiting if isinstance(item, tuple))
        assert held <= bound * 2**20
        if policy != "latest":
            assert held <= reader.buffer.size <= bound * 2**20
            assert len(reader.waiting) > 110
        assert reader.stats.received == 10_000
        assert reader.stats.dropped >= 10_000 - bound * 2**20 // len(payload)


def stalled(engine: Engine, options: StreamOptions) -> tuple[Reader, Subscription]:
    """Trades that no consumer reads."""
    named = engine.spot.agg_trade("BTCUSDT").items[0][0]
    subscription = Subscription(named, fill_gaps=False, quiet_time=None, from_spec=False, now=0.0)
    return make_reader(engine.context, resolve_options([options]), lambda _: None), subscription


def test_one_message_is_always_let_in(engine: Engine) -> None:
    for policy in ("drop_oldest", "block", "latest"):
        reader, subscription = stalled(engine, {"overflow": policy, "buffer_bytes": 1})
        reader.feed(subscription, json.dumps(agg_trade(1)).encode(), 0.0)
        vars(reader)["_connections_read_at"] = 1e300
        assert reader.take().agg_id == 1
        assert reader.stats.dropped == 0


def test_notices_push_no_message_out(engine: Engine) -> None:
    reader, subscription = stalled(engine, {"overflow": "drop_oldest", "buffer": 2})
    for number in range(5):
        reader.add_notice(SilentStream(TRADES, number))
    for number in (1, 2):
        reader.feed(subscription, json.dumps(agg_trade(number)).encode(), 0.0)
    assert reader.stats.dropped == 0
    assert [reader.take().agg_id, reader.take().agg_id] == [1, 2]


async def test_bytes_block_as_messages_do(engine: Engine) -> None:
    payload = {**agg_trade(0), "padding": "x" * 10_000}
    async with engine.spot.agg_trade("BTCUSDT", overflow="block", buffer_bytes=200_000) as events:
        total = 1000
        line = engine.exchange.lines[0]

        async def send() -> None:
            for number in range(1, total + 1):
                await line.send(TRADES, {**payload, "a": number})

        sending = asyncio.create_task(send())
        buffer = events._consumer.reader.buffer
        await eventually(lambda: buffer.paused)
        for _ in range(50):
            await asyncio.sleep(0.001)
        assert 100_000 < buffer.size <= 100_000 + 2**20
        assert not sending.done()
        seen = [(await anext(events)).agg_id for _ in range(total)]
        await sending
        assert seen == list(range(1, total + 1))
        assert events.stats.dropped == 0


async def test_bytes_drop_the_oldest_as_messages_do(engine: Engine) -> None:
    payload = {**agg_trade(0), "padding": "x" * 10_000}
    async with engine.spot.agg_trade("BTCUSDT", overflow="drop_oldest", buffer_bytes=105_000) as events:
        await engine.exchange.send(TRADES, agg_trade(1))
        await anext(events)
        for number in range(2, 102):
            await engine.exchange.send(TRADES, {**payload, "a": number})
        await eventually(lambda: events.stats.received == 101)
        assert events._consumer.reader.buffer.size <= 105_000
        gap, *seen = rest_of(events)
        first = seen[0].agg_id
        assert gap == Gap(TRADES, 1, first, "overflow")
        assert [event.agg_id for event in seen] == list(range(first, 102))
        assert 8 <= len(seen) <= 10
        assert events.stats.dropped == 100 - len(seen)


def test_what_was_read_takes_no_room(engine: Engine) -> None:
    """Bytes are counted as they come; a consumer that keeps up loses nothing when they are many in all."""
    for policy in ("drop_oldest", "block"):
        reader, subscription = stalled(engine, {"overflow": policy, "buffer_bytes": 4000})
        # Three wait at a time: the last message is let in whatever is counted.
        for number in range(1, 201):
            reader.feed(subscription, json.dumps(agg_trade(number)).encode(), 0.0)
            if number > 2:
                assert reader.take().agg_id == number - 2
        assert (reader.stats.received, reader.stats.dropped) == (200, 0)
        assert not reader.buffer.paused


async def test_fills_of_many_streams_at_once_are_bounded(engine: Engine) -> None:
    engine.rest.page = 100
    names = [f"S{number}USDT" for number in range(40)]
    async with engine.spot.agg_trade(*names, fill_gaps=True, buffer=50) as events:
        reader = events._consumer.reader
        for number in (1, 400):
            for name in names:
                await engine.exchange.send(f"{name.lower()}@aggTrade", agg_trade(number, name))
        for _ in names:
            assert (await anext(events)).agg_id == 1
        await eventually(lambda: events.stats.received == 80)
        seen, most = 0, 0
        while seen < 399 * len(names):
            await anext(events)
            seen += 1
            most = max(most, len(reader._ready))
        assert 50 < most <= 50 + 16 * 100
        assert events.stats.filled == 398 * len(names)
