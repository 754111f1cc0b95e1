"""``overflow="latest"``: after a pause the consumer gets the newest event of each stream and symbol alone."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from binance_sdk import BinanceClient, SyncBinanceClient, spot
from binance_sdk.streams import Gap

from .conftest import Engine
from .rows import agg_trade, mini_ticker
from .server import eventually
from .test_keeping import after_reconnect
from .test_sync import Background, background

__all__ = ["background"]

TRADES = "btcusdt@aggTrade"
TICKERS = "!miniTicker@arr"


def book_ticker(number: int, symbol: str = "BTCUSDT") -> dict[str, Any]:
    quote = {"u": number, "s": symbol, "b": "1.0", "B": "1.0", "a": "1.1", "A": "1.0"}
    return {"e": "bookTicker", "E": number, "T": number, "st": 1, "ps": symbol, **quote}


async def everything(events: Any) -> list[Any]:
    """Events and notices, until there is nothing more to be had."""
    items = events.with_notices()
    seen: list[Any] = []
    while True:
        reading = asyncio.ensure_future(anext(items))
        for _ in range(20):
            await asyncio.sleep(0)
        if not reading.done():
            reading.cancel()
            await asyncio.wait([reading])
            return seen
        seen.append(await reading)


async def test_the_newest_of_each_stream_comes_after_a_pause(engine: Engine) -> None:
    stream = engine.spot.combine(engine.spot.agg_trade("BTCUSDT", "ETHUSDT", "BNBUSDT"), overflow="latest")
    async with stream as events:
        for number in range(1, 51):
            await engine.exchange.send("ethusdt@aggTrade", agg_trade(number, "ETHUSDT"))
            await engine.exchange.send(TRADES, agg_trade(number))
        await engine.exchange.send("bnbusdt@aggTrade", agg_trade(7, "BNBUSDT"))
        await eventually(lambda: events.stats.received == 101)
        seen = [(event.symbol, event.agg_id) for event in await everything(events)]
        # A busy stream keeps its place, and does not keep the others waiting.
        assert seen == [("ETHUSDT", 50), ("BTCUSDT", 50), ("BNBUSDT", 7)]
        assert events.stats.dropped == 98
        await engine.exchange.send(TRADES, agg_trade(51))
        assert (await anext(events)).agg_id == 51
        # What it drops is counted, and is no gap.
        assert events.stats.gaps == 0
    assert not [event for event in engine.told if isinstance(event, Gap)]


async def test_what_is_lost_on_the_way_is_a_gap_all_the_same(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", overflow="latest", quiet_time=None, fill_gaps=True) as events:
        await engine.exchange.send(TRADES, agg_trade(1))
        await anext(events)
        engine.exchange.lines[0].abort()
        line = await after_reconnect(engine, 2)
        await line.send(TRADES, agg_trade(5))
        gap, trade = await everything(events)
        assert gap == Gap(TRADES, 1, 5)
        assert trade.agg_id == 5
    # What fills a hole is never the newest.
    assert engine.rest.asked == []


async def test_of_a_list_the_newest_row_of_each_symbol_survives(engine: Engine) -> None:
    """A message carries only the symbols that changed."""
    async with engine.spot.all_mini_tickers(overflow="latest", quiet_time=None) as events:
        for rows in (
            [mini_ticker(1, "AUSDT"), mini_ticker(1, "BUSDT")],
            [mini_ticker(2, "AUSDT")],
            [mini_ticker(3, "CUSDT"), mini_ticker(3, "AUSDT")],
        ):
            await engine.exchange.send(TICKERS, rows)
        await eventually(lambda: events.stats.received == 3)
        (rows,) = await everything(events)
        assert {row.symbol: row.event_time for row in rows} == {"AUSDT": 3, "BUSDT": 1, "CUSDT": 3}
        assert {row.stream for row in rows} == {TICKERS}
        assert events.stats.dropped == 2
        await engine.exchange.send(TICKERS, [mini_ticker(4, "BUSDT")])
        (row,) = await anext(events)
        assert (row.symbol, row.event_time) == ("BUSDT", 4)


async def test_one_event_of_each_symbol_where_a_stream_sends_them_one_by_one(engine: Engine) -> None:
    async with engine.futures.all_book_tickers(overflow="latest", quiet_time=None) as events:
        for number in range(1, 6):
            for symbol in ("AUSDT", "BUSDT"):
                await engine.exchange.send("!bookTicker", book_ticker(number, symbol))
        await engine.exchange.send("!bookTicker", book_ticker(9, "AUSDT"))
        await eventually(lambda: events.stats.received == 11)
        seen = [(event.symbol, event.last_update_id) for event in await everything(events)]
        assert seen == [("AUSDT", 9), ("BUSDT", 5)]
        assert events.stats.dropped == 9


async def test_however_long_the_pause_no_more_than_that_is_kept(engine: Engine) -> None:
    total = 1000
    async with engine.spot.all_mini_tickers(overflow="latest", quiet_time=None) as events:
        (line,) = engine.exchange.lines
        for number in range(1, total + 1):
            rows = [mini_ticker(number, f"A{(number + at) % 50}USDT") for at in range(10)]
            await line.send(TICKERS, rows)
        await eventually(lambda: events.stats.received == total)
        buffer: Any = events._consumer.reader.buffer
        size = len(json.dumps(mini_ticker(total), separators=(",", ":")))
        assert buffer._total < 2 * (50 * size + 64 * 10 * size)
        (rows,) = await everything(events)
        assert len(rows) == 50
        assert min(row.event_time for row in rows) > total - 50
        assert events.stats.dropped == total * 10 - 50
        assert buffer._total == 0


async def test_streams_that_are_too_much_together_are_dropped(engine: Engine) -> None:
    names = [f"S{number}USDT" for number in range(6)]
    async with engine.spot.agg_trade(*names, overflow="latest", buffer_bytes=2000) as events:
        for name in names:
            await engine.exchange.send(f"{name.lower()}@aggTrade", {**agg_trade(1, name), "padding": "x" * 500})
        await eventually(lambda: events.stats.received == 6)
        seen = [event.symbol for event in await everything(events)]
        assert seen == ["S4USDT", "S5USDT"] or seen == ["S3USDT", "S4USDT", "S5USDT"]
        assert events.stats.dropped == 6 - len(seen)


async def test_what_is_unsubscribed_from_is_not_given_out(engine: Engine) -> None:
    stream = engine.spot.combine(
        engine.spot.agg_trade("BTCUSDT", "ETHUSDT"), engine.spot.all_mini_tickers(), overflow="latest", quiet_time=None
    )
    async with stream as events:
        for name, payload in ((TRADES, agg_trade(1)), (TICKERS, [mini_ticker(1)])):
            await engine.exchange.send(name, payload)
        await eventually(lambda: events.stats.received == 2)
        await events.unsubscribe(engine.spot.agg_trade("BTCUSDT") | engine.spot.all_mini_tickers())
        assert await everything(events) == []
        buffer: Any = events._consumer.reader.buffer
        assert buffer._total == 0


async def test_a_consumer_who_keeps_the_loop_busy_gets_the_newest_too(background: Background) -> None:
    """Nothing was read from the socket meanwhile, so what waits in the process is old, and the newest is in there."""
    async with (
        BinanceClient(spot_stream_url=background.exchange.url) as client,
        client.spot.streams.agg_trade("BTCUSDT", overflow="latest", quiet_time=None) as events,
    ):
        background.run(background.exchange.send(TRADES, agg_trade(1)))
        assert (await anext(events)).agg_id == 1
        background.run(background.exchange.send(TRADES, agg_trade(2)))
        await eventually(lambda: events.stats.received == 2)
        background.run(_send_many(background, 3, 2003))
        assert events.stats.received == 2
        assert (await anext(events)).agg_id == 2002


async def _send_many(background: Background, first: int, end: int) -> None:
    for number in range(first, end):
        await background.exchange.send(TRADES, agg_trade(number))


def test_blocking_code_gets_the_newest_too(background: Background) -> None:
    with (
        SyncBinanceClient(spot_stream_url=background.exchange.url) as client,
        client.spot.streams.agg_trade("BTCUSDT", overflow="latest", quiet_time=None) as events,
    ):
        background.run(_send_many(background, 1, 101))
        client._core.streams().run(lambda: eventually(lambda: events.stats.received == 100))
        event = next(events)
        assert isinstance(event, spot.AggTradeEvent)
        assert event.agg_id == 100
        background.run(_send_many(background, 101, 201))
        client._core.streams().run(lambda: eventually(lambda: events.stats.received == 200))
        assert next(events).agg_id == 200
        assert (events.stats.dropped, events.stats.gaps) == (198, 0)
