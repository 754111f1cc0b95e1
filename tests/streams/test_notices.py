"""Iterating gives events alone; notices go to listeners, and a listener that raises breaks nothing."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest

from binance_sdk import BinanceClient, SyncBinanceClient
from binance_sdk.errors import ParameterError
from binance_sdk.streams import Gap, Notice, Reconnected, SilentStream

from .conftest import Engine
from .rows import agg_trade, mini_ticker
from .server import Exchange, eventually
from .test_keeping import after_reconnect, until
from .test_sync import Background, background

__all__ = ["background"]

TRADES = "btcusdt@aggTrade"
TICKERS = "!miniTicker@arr"


async def test_a_plain_loop_survives_a_reconnect(engine: Engine) -> None:
    both = engine.spot.combine(engine.spot.agg_trade("BTCUSDT"), engine.spot.all_mini_tickers(), quiet_time=None)
    async with both as events:
        await engine.exchange.send(TRADES, agg_trade(1))
        await engine.exchange.send(TICKERS, [mini_ticker(1)])
        reading = asyncio.create_task(_read(events, 4))
        await eventually(lambda: events.stats.received == 2)
        engine.exchange.lines[0].abort()
        line = await after_reconnect(engine, 2)
        await line.send(TRADES, agg_trade(5))
        await line.send(TICKERS, [mini_ticker(2)])
        first, _, second, _ = await reading
        assert (first.price, second.price) == (first.price, first.price)
        assert (first.agg_id, second.agg_id) == (1, 5)
        assert (events.stats.gaps, events.stats.reconnects) == (1, 1)
    hooks = [event for event in engine.told if isinstance(event, Notice)]
    assert hooks[1] == Gap(TRADES, 1, 5)
    assert isinstance(hooks[0], Reconnected)
    assert hooks[0].streams == (TICKERS,)


async def _read(events: Any, count: int) -> list[Any]:
    return [await anext(events) for _ in range(count)]


async def test_a_listener_hears_of_it_between_the_events(engine: Engine) -> None:
    order: list[object] = []
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None, on_notice=order.append) as events:
        for number in (1, 2, 5, 6):
            await engine.exchange.send(TRADES, agg_trade(number))
        async for event in events:
            order.append(event.agg_id)
            if event.agg_id == 6:
                break
    assert order == [1, 2, Gap(TRADES, 2, 5), 5, 6]


async def test_both_ways_of_iterating_share_one_stream(engine: Engine) -> None:
    heard: list[Notice] = []
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None, on_notice=heard.append) as events:
        for number in (1, 3, 4, 6, 7):
            await engine.exchange.send(TRADES, agg_trade(number))
        items = events.with_notices()
        assert (await anext(events)).agg_id == 1
        assert await anext(items) == Gap(TRADES, 1, 3)
        assert [(await anext(events)).agg_id for _ in range(3)] == [3, 4, 6]
        assert (await anext(items)).agg_id == 7  # type: ignore[union-attr]  # pyright: ignore
    assert heard == [Gap(TRADES, 1, 3), Gap(TRADES, 4, 6)]
    assert [item async for item in items] == []


async def test_a_listener_that_raises_loses_no_event(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Notice] = []

    def broken(notice: Notice) -> None:
        raise StopAsyncIteration(f"broken by {notice}")

    stream = engine.spot.agg_trade("BTCUSDT", quiet_time=None, on_notice=broken) | engine.spot.trade(
        "ETHUSDT", on_notice=heard.append
    )
    async with stream as events:
        for number in (1, 3, 5):
            await engine.exchange.send(TRADES, agg_trade(number))
        assert [event.agg_id for event in await _read(events, 3)] == [1, 3, 5]
    assert heard == [Gap(TRADES, 1, 3), Gap(TRADES, 3, 5)]
    failures = [record for record in caplog.records if "on_notice failed" in record.getMessage()]
    assert len(failures) == 2
    assert failures[0].exc_info is not None


async def test_silence_is_told_while_nothing_comes(engine: Engine) -> None:
    heard: list[Notice] = []
    async with engine.spot.all_mini_tickers(quiet_time=10.0, on_notice=heard.append) as events:
        await engine.exchange.send(TICKERS, [mini_ticker(1)])
        await anext(events)
        reading = asyncio.create_task(events.__anext__())
        await until(engine, lambda: heard)
        assert not reading.done()
        (notice,) = heard
        assert isinstance(notice, SilentStream)
        assert events.stats.silences == 1
        await engine.clock.advance(30)
        await engine.exchange.lines[-1].send(TICKERS, [mini_ticker(2)])
        await until(engine, reading.done)
        assert isinstance(await reading, list)


async def test_what_is_missing_is_a_warning_in_the_log(exchange: Exchange, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "binance_sdk")
    async with BinanceClient(spot_stream_url=exchange.url) as client:
        streams = client.spot.streams
        async with streams.combine(
            streams.agg_trade("BTCUSDT", "ETHUSDT"), overflow="drop_oldest", buffer=3, quiet_time=None
        ) as events:
            for number in (1, 3):
                await exchange.send(TRADES, agg_trade(number))
            await _read(events, 2)
            for number in range(4, 20):
                await exchange.send(TRADES, agg_trade(number))
            await eventually(lambda: events.stats.received == 18)
            assert (await anext(events)).agg_id == 17
            assert events.stats.gaps == 2
    gaps = [
        (record.levelname, record.getMessage())
        for record in caplog.records
        if "missing from" in record.msg % record.args
    ]
    assert gaps == [
        ("WARNING", f"stream {TRADES}: missing from 1 to 3 (lost)"),
        # What the policy drops is logged once, and again whenever the count has doubled.
        ("DEBUG", f"stream {TRADES}: missing from 3 to 17 (overflow)"),
    ]
    assert sum("messages dropped so far" in record.getMessage() for record in caplog.records) == 4


async def test_notices_that_nobody_reads_are_bounded(engine: Engine) -> None:
    async with engine.spot.all_mini_tickers(quiet_time=None) as events:
        reader = events._consumer.reader
        for number in range(3000):
            reader.add_notice(Reconnected((TICKERS,), number, number + 1))
        await engine.exchange.send(TICKERS, [mini_ticker(1)])
        await eventually(lambda: events.stats.received == 1)
        seen = [await anext(events.with_notices()) for _ in range(1001)]
        assert isinstance(seen[-1], list)
        assert isinstance(seen[0], Reconnected)
        assert seen[0].since == 2000
    assert sum(isinstance(event, Reconnected) for event in engine.told) == 3000


@pytest.mark.parametrize("listener", [7, None, "print"])
def test_a_listener_must_be_a_function(engine: Engine, listener: Any) -> None:
    with pytest.raises(ParameterError, match=r"on_notice=.* must be a function"):
        engine.spot.agg_trade("BTCUSDT", on_notice=listener)


def test_a_listener_that_would_have_to_be_awaited_is_refused(engine: Engine) -> None:
    async def listen(notice: Notice) -> None: ...

    with pytest.raises(ParameterError, match="not awaited"):
        engine.spot.agg_trade("BTCUSDT", on_notice=listen)  # type: ignore[arg-type]  # pyright: ignore


# ------------------------------------------------------------------------------------- blocking


def test_the_same_for_blocking_code(background: Background, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[object] = []

    def listen(notice: Notice) -> None:
        heard.append((threading.current_thread(), notice))
        raise RuntimeError("a broken listener")

    with (
        SyncBinanceClient(spot_stream_url=background.exchange.url) as client,
        client.spot.streams.agg_trade("BTCUSDT", quiet_time=None, on_notice=listen) as events,
    ):
        for number in (1, 3, 4, 6, 7, 9):
            background.run(background.exchange.send(TRADES, agg_trade(number)))
        assert [next(events).agg_id for _ in range(3)] == [1, 3, 4]
        items = events.with_notices()
        assert next(items) == Gap(TRADES, 4, 6)
        assert next(events).agg_id == 6
        assert next(events).agg_id == 7
        assert [next(items) for _ in range(1)] == [Gap(TRADES, 7, 9)]
        here = threading.current_thread()
        assert heard == [(here, Gap(TRADES, 1, 3)), (here, Gap(TRADES, 4, 6)), (here, Gap(TRADES, 7, 9))]
        assert events.stats.gaps == 3
    assert list(items) == []
    assert sum("on_notice failed" in record.getMessage() for record in caplog.records) == 3
