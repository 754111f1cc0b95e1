"""A connection that breaks, freezes, falls silent or grows old is replaced, and the consumer is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from binance_sdk import spot
from binance_sdk._runtime.stream.events import Events
from binance_sdk.events import StreamConnected, StreamLost
from binance_sdk.streams import Gap, Reconnected, SilentStream

from .conftest import Engine
from .rows import agg_trade, mini_ticker
from .server import Exchange, Line, eventually

TRADES = "btcusdt@aggTrade"
TICKERS = "!miniTicker@arr"


async def after_reconnect(engine: Engine, connections: int) -> Line:
    """The newest line, once there are so many."""
    for _ in range(200):
        if len(engine.exchange.lines) >= connections and engine.exchange.lines[-1] in engine.exchange.open:
            return engine.exchange.lines[-1]
        await engine.clock.advance(0.25)
    raise AssertionError(f"no connection number {connections}: {engine.told}")


async def until(engine: Engine, condition: Callable[[], object]) -> None:
    for _ in range(400):
        if condition():
            return
        await engine.clock.advance(0.25)
    raise AssertionError(f"it never happened; told: {engine.told}")


async def _abort(line: Line) -> None:
    line.abort()


async def _close(line: Line) -> None:
    await line.close(1008)


@pytest.mark.parametrize("end", [_abort, _close], ids=["abort", "close"])
async def test_after_any_end_the_streams_go_on(engine: Engine, end: Callable[[Line], Any]) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None) as events:
        await events.subscribe(engine.spot.agg_trade("BNBUSDT", quiet_time=None))
        await engine.exchange.send(TRADES, agg_trade(1))
        assert isinstance(await anext(events), spot.AggTradeEvent)
        await end(engine.exchange.lines[0])
        line = await after_reconnect(engine, 2)
        assert sorted(line.names) == ["bnbusdt@aggTrade", TRADES]
        await line.send(TRADES, agg_trade(2))
        event = await anext(events)
        assert isinstance(event, spot.AggTradeEvent)
        assert event.agg_id == 2
        assert events.stats.reconnects == 1
    lost = [event for event in engine.told if isinstance(event, StreamLost)]
    assert len(lost) == 1
    connected = [event for event in engine.told if isinstance(event, StreamConnected)]
    assert [event.streams for event in connected] == [1, 2]


async def test_a_gap_names_what_is_missing(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None) as events:
        await engine.exchange.send(TRADES, agg_trade(10))
        await anext(events)
        engine.exchange.lines[0].abort()
        line = await after_reconnect(engine, 2)
        for number in (15, 12, 15, 16):
            await line.send(TRADES, agg_trade(number))
        items = events.with_notices()
        gap, first, second = [await anext(items) for _ in range(3)]
        assert isinstance(gap, Gap)
        assert gap == Gap(TRADES, 10, 15)
        assert gap.missing == 4
        assert isinstance(first, spot.AggTradeEvent)
        assert isinstance(second, spot.AggTradeEvent)
        assert (first.agg_id, second.agg_id) == (15, 16)
        assert (events.stats.late, events.stats.duplicates, events.stats.dropped) == (1, 1, 1)


async def test_streams_without_ids_are_told_the_time(engine: Engine) -> None:
    async with engine.spot.all_mini_tickers(quiet_time=None) as events:
        await engine.exchange.send(TICKERS, [mini_ticker(1)])
        await anext(events)
        heard = engine.clock.time()
        engine.exchange.lines[0].abort()
        await after_reconnect(engine, 2)
        notice = await anext(events.with_notices())
        assert isinstance(notice, Reconnected)
        assert notice.streams == (TICKERS,)
        assert notice.since == round(heard * 1000)
        assert notice.since < notice.until <= round(engine.clock.time() * 1000)


async def test_pauses_between_attempts_grow(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None) as events:
        await engine.exchange.send(TRADES, agg_trade(1))
        await anext(events)
        engine.exchange.refuse = 4
        engine.exchange.lines[0].abort()
        line = await after_reconnect(engine, 2)
        await line.send(TRADES, agg_trade(2))
        await anext(events)
    pauses = [event.pause for event in engine.told if isinstance(event, StreamLost)]
    assert pauses == [0.25, 0.5, 1.0, 2.0, 4.0]


async def test_an_unacknowledged_subscription_is_asked_for_again(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None) as events:
        engine.exchange.acks = "none"
        asking = asyncio.create_task(events.subscribe(engine.spot.agg_trade("BNBUSDT", quiet_time=None)))
        await eventually(lambda: engine.exchange.lines[0].requests)
        engine.exchange.acks = "ok"
        await engine.clock.advance(11)
        line = await after_reconnect(engine, 2)
        await asking
        assert sorted(line.names) == ["bnbusdt@aggTrade", TRADES]


async def test_a_frozen_connection_is_found_and_replaced(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=5.0) as events:
        await engine.exchange.send(TRADES, agg_trade(1))
        await anext(events)
        # The socket stays open, but the server reads nothing, so it answers no ping either.
        engine.exchange.lines[0].socket.transport.pause_reading()
        line = await after_reconnect(engine, 2)
        await line.send(TRADES, agg_trade(2))
        event = await anext(events)
        assert isinstance(event, spot.AggTradeEvent)
        assert events.stats.reconnects == 1
        assert any("ping" in event.reason for event in engine.told if isinstance(event, StreamLost))


async def test_a_silent_stream_is_asked_for_again_and_then_told(engine: Engine) -> None:
    stream = engine.spot.agg_trade("BTCUSDT", quiet_time=None) | engine.spot.all_mini_tickers(quiet_time=10.0)
    async with stream as events:
        await engine.exchange.send(TICKERS, [mini_ticker(1)])
        await anext(events)
        notice: Any = None
        reading = asyncio.create_task(events.with_notices().__anext__())
        await until(engine, reading.done)
        notice = await reading
        assert isinstance(notice, SilentStream)
        assert notice.stream == TICKERS
        assert 20.0 <= notice.seconds <= 40.0
        assert len(engine.exchange.lines) >= 2
        # It is told once, and again only after the stream has sent something.
        await engine.clock.advance(30)
        await engine.exchange.lines[-1].send(TICKERS, [mini_ticker(2)])
        assert isinstance(await anext(events), list)


async def test_silence_means_nothing_where_the_spec_says_never(engine: Engine) -> None:
    async with engine.futures.force_order("BTCUSDT") as events:
        await engine.clock.advance(3600, step=15.0)
        assert len(engine.exchange.lines) == 1
        assert events.stats.received == 0


async def _send_until(exchange: Exchange, events: Events[Any], engine: Engine, last: int) -> list[Any]:
    seen: list[Any] = []
    for number in range(1, last + 1):
        await exchange.send(TRADES, agg_trade(number))
        await exchange.send(TICKERS, [mini_ticker(number)])
        await engine.clock.advance(0.25)
        while (event := events._consumer.reader.take()) is not None:
            seen.append(event)
    return seen


@pytest.mark.parametrize("why", ["rollover", "serverShutdown"])
async def test_a_replacement_loses_and_repeats_nothing(engine: Engine, why: str) -> None:
    stream = engine.spot.combine(
        engine.spot.agg_trade("BTCUSDT"),
        engine.spot.all_mini_tickers(),
        rollover_after=20.0 if why == "rollover" else 9999.0,
    )
    async with stream as events:
        if why == "serverShutdown":
            await engine.exchange.lines[0].raw('{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}')
        seen = await _send_until(engine.exchange, events, engine, 120)
        trades = [event.agg_id for event in seen if isinstance(event, spot.AggTradeEvent)]
        tickers = [event[0].event_time for event in seen if isinstance(event, list)]
        assert trades == list(range(1, 121))
        assert tickers == list(range(1, 121))
        assert len(seen) == 240
        assert events.stats.rollovers == 1
        assert events.stats.reconnects == 0
    await eventually(lambda: not engine.exchange.open)


async def test_a_connection_that_dies_while_it_is_replaced_is_told(engine: Engine) -> None:
    async with engine.spot.all_mini_tickers(quiet_time=None, rollover_after=5.0) as events:
        await engine.exchange.send(TICKERS, [mini_ticker(1)])
        await anext(events)
        first = engine.exchange.lines[0]
        engine.exchange.on_line = lambda _: first.abort()
        await until(engine, lambda: events.stats.reconnects)
        engine.exchange.on_line = None
        assert isinstance(await anext(events.with_notices()), Reconnected)
        await engine.exchange.send(TICKERS, [mini_ticker(2)])
        assert isinstance(await anext(events), list)


async def test_pings_of_the_server_are_answered(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None):
        socket = engine.exchange.lines[0].socket
        answered = await socket.ping(b"1")
        await asyncio.wait_for(answered, 5)
