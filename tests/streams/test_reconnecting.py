"""How users choose whether, and after how long, a lost connection is replaced; and what they see of the attempts."""

from __future__ import annotations

import pytest

from binance_sdk import spot
from binance_sdk.errors import StreamError

from .conftest import Engine
from .rows import agg_trade
from .server import eventually
from .test_keeping import after_reconnect, until

TRADES = "btcusdt@aggTrade"


@pytest.mark.parametrize("seconds", [2.0, 100.0])
async def test_a_connection_may_be_silent_for_as_long_as_is_said(engine: Engine, seconds: float) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None, connection_quiet_time=seconds) as events:
        await engine.exchange.send(TRADES, agg_trade(1))
        assert isinstance(await anext(events), spot.AggTradeEvent)
        engine.exchange.lines[0].socket.transport.pause_reading()
        begun = engine.clock.now
        while len(engine.exchange.lines) == 1:
            await engine.clock.advance(seconds / 20, step=seconds / 20)
            assert engine.clock.now < begun + 2 * seconds
        assert engine.clock.now - begun == pytest.approx(seconds, rel=0.11)


async def test_without_reconnecting_a_lost_connection_ends_the_stream(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None, reconnect=False) as events:
        await engine.exchange.send(TRADES, agg_trade(1))
        assert isinstance(await anext(events), spot.AggTradeEvent)
        engine.exchange.lines[0].abort()
        with pytest.raises(StreamError, match="connection lost, and reconnect=False"):
            await anext(events)
        assert events.health(TRADES) == "disconnected"
        # Nothing that is asked for afterwards is left without an answer.
        with pytest.raises(StreamError, match="open another one"):
            await events.subscribe(engine.spot.agg_trade("BNBUSDT"))
        await engine.clock.advance(120, step=10)
    assert len(engine.exchange.lines) == 1


async def test_without_reconnecting_a_connection_is_still_replaced_before_it_ends(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None, reconnect=False, rollover_after=20.0) as events:
        await after_reconnect(engine, 2)
        await engine.clock.advance(6)
        await engine.exchange.lines[1].send(TRADES, agg_trade(1))
        assert isinstance(await anext(events), spot.AggTradeEvent)
        assert (events.stats.rollovers, events.stats.reconnects) == (1, 0)


async def test_failed_attempts_in_a_row_are_counted_until_one_succeeds(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None) as events:
        await engine.exchange.send(TRADES, agg_trade(1))
        assert isinstance(await anext(events), spot.AggTradeEvent)
        assert events.failed_dials == 0
        engine.exchange.refuse = 99
        engine.exchange.lines[0].abort()
        for failed in (1, 2, 3):
            await until(engine, lambda failed=failed: events.failed_dials >= failed)
        engine.exchange.refuse = 0
        await after_reconnect(engine, 2)
        await eventually(lambda: events.failed_dials == 0)
        assert events.health(TRADES) == "flowing"
