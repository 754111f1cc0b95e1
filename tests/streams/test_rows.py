"""Messages of many rows: those of another market are left out, and a bad one costs itself alone where asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from binance_sdk import futures, spot
from binance_sdk.events import MalformedMessage, RowSkipped
from binance_sdk.streams import StreamOptions

from .conftest import Engine
from .rows import agg_trade, mini_ticker

TICKERS = "!miniTicker@arr"
TRADES = "bnbusd_261225@aggTrade"
"""Of a symbol that may be a contract of either futures market, as far as its form tells."""
OVERFLOWS: list[StreamOptions] = [{}, {"overflow": "drop_oldest"}, {"overflow": "latest"}]


def row(number: int, symbol: str, kind: int | None = 1) -> dict[str, Any]:
    return {**mini_ticker(number, symbol), "ps": symbol, **({} if kind is None else {"st": kind})}


# ------------------------------------------------------------------------------- other markets


@pytest.mark.parametrize("options", OVERFLOWS, ids=str)
async def test_a_futures_consumer_gets_rows_of_his_market_alone(engine: Engine, options: StreamOptions) -> None:
    async with engine.futures.all_mini_tickers(quiet_time=None, **options) as events:
        # One without `st` was sent before there were others.
        rows = [row(1, "BTCUSD_PERP", 2), row(1, "BTCUSDT"), row(1, "ETHUSDT", None), row(1, "NEWUSD", 3)]
        await engine.exchange.send(TICKERS, rows)
        (first, second) = await anext(events)
        assert [first.symbol, second.symbol] == ["BTCUSDT", "ETHUSDT"]
        assert (first.stream, second.symbol_type) == (TICKERS, None)
        assert events.stats.other_market == 2
        # Nothing of it is for this consumer: neither an empty list nor a malformed message.
        await engine.exchange.send(TICKERS, [row(2, "BTCUSD_PERP", 2)])
        await engine.exchange.send(TICKERS, [row(3, "BTCUSDT")])
        (only,) = await anext(events)
        assert (only.symbol, only.event_time) == ("BTCUSDT", 3)
        stats = events.stats
        assert (stats.other_market, stats.received, stats.malformed, stats.dropped) == (3, 3, 0, 0)


@pytest.mark.parametrize("options", OVERFLOWS, ids=str)
async def test_events_that_come_one_by_one(engine: Engine, options: StreamOptions) -> None:
    quote = {"e": "bookTicker", "u": 1, "E": 1, "T": 1, "b": "1.0", "B": "1.0", "a": "1.1", "A": "1.0"}
    async with engine.futures.all_book_tickers(quiet_time=None, **options) as events:
        for symbol, kind in (("BTCUSD_PERP", 2), ("BTCUSDT", 1)):
            await engine.exchange.send("!bookTicker", {**quote, "s": symbol, "ps": symbol, "st": kind})
        event = await anext(events)
        assert isinstance(event, futures.BookTickerEvent)
        assert event.symbol == "BTCUSDT"
        assert events.stats.other_market == 1


async def test_what_is_wrong_in_a_row_of_another_market_costs_nothing(engine: Engine) -> None:
    async with engine.futures.all_mini_tickers(quiet_time=None) as events:
        strange = {**row(1, "BTCUSD_PERP", 2), "c": ""}
        await engine.exchange.send(TICKERS, [strange, row(1, "BTCUSDT")])
        (only,) = await anext(events)
        assert only.symbol == "BTCUSDT"
        await engine.exchange.send(TICKERS, [strange])
        # The same in a row of this market is the whole message, as ever.
        await engine.exchange.send(TICKERS, [{**row(2, "BTCUSDT"), "c": ""}, row(2, "ETHUSDT")])
        await engine.exchange.send(TICKERS, [row(3, "ETHUSDT")])
        (only,) = await anext(events)
        assert only.event_time == 3
        assert (events.stats.other_market, events.stats.malformed) == (2, 1)


async def test_a_contract_of_another_market_that_was_asked_for_is_told(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    async with engine.futures.agg_trade("BNBUSD_261225", quiet_time=None) as events:
        for number in (1, 2):
            await engine.exchange.send(TRADES, {**agg_trade(number, "BNBUSD_261225"), "st": 2})
        await engine.exchange.send(TRADES, {**agg_trade(7, "BNBUSD_261225"), "st": 1})
        assert (await anext(events)).agg_id == 7
        # Ids of rows that were left out are not a gap.
        assert (events.stats.other_market, events.stats.gaps) == (2, 0)
    warnings = [record.getMessage() for record in caplog.records if "another market" in record.getMessage()]
    assert warnings == [f"stream {TRADES}: its events belong to another market than futures and are left out"]


@pytest.mark.parametrize("options", OVERFLOWS, ids=str)
async def test_rows_of_all_markets_come_where_asked(engine: Engine, options: StreamOptions) -> None:
    async with engine.futures.all_mini_tickers(quiet_time=None, all_markets=True, **options) as events:
        await engine.exchange.send(TICKERS, [row(1, "BTCUSD_PERP", 2), row(1, "BTCUSDT"), row(1, "NEWUSD", 3)])
        rows = await anext(events)
        assert [(row.symbol, row.symbol_type) for row in rows] == [("BTCUSD_PERP", 2), ("BTCUSDT", 1), ("NEWUSD", 3)]
        await engine.exchange.send(TICKERS, [row(2, "BTCUSD_PERP", 2)])
        (only,) = await anext(events)
        assert (only.symbol, only.stream, only.event_time) == ("BTCUSD_PERP", TICKERS, 2)
        assert (events.stats.other_market, events.stats.malformed) == (0, 0)


async def test_a_contract_of_another_market_comes_where_asked(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    async with engine.futures.agg_trade("BNBUSD_261225", quiet_time=None, all_markets=True) as events:
        await engine.exchange.send(TRADES, {**agg_trade(1, "BNBUSD_261225"), "st": 2})
        assert (await anext(events)).agg_id == 1
        assert events.stats.other_market == 0
    assert not [record for record in caplog.records if "another market" in record.getMessage()]


async def test_of_several_streams_each_has_its_own_choice(engine: Engine) -> None:
    quotes = engine.futures.all_book_tickers(quiet_time=None, all_markets=True)
    async with engine.futures.all_mini_tickers(quiet_time=None) | quotes as events:
        quote = {"e": "bookTicker", "u": 1, "E": 1, "T": 1, "b": "1.0", "B": "1.0", "a": "1.1", "A": "1.0"}
        await engine.exchange.send(TICKERS, [row(1, "BTCUSD_PERP", 2), row(1, "BTCUSDT")])
        tickers = await anext(events)
        assert isinstance(tickers, list)
        assert [row.symbol for row in tickers] == ["BTCUSDT"]
        await engine.exchange.send("!bookTicker", {**quote, "s": "BTCUSD_PERP", "ps": "BTCUSD", "st": 2})
        event = await anext(events)
        assert isinstance(event, futures.BookTickerEvent)
        assert (event.symbol, event.pair) == ("BTCUSD_PERP", "BTCUSD")
        assert events.stats.other_market == 1


# ------------------------------------------------------------------------------------ bad rows


BAD = {**mini_ticker(1, "BADUSDT"), "c": ""}


@pytest.mark.parametrize("options", OVERFLOWS, ids=str)
async def test_a_bad_row_costs_itself_alone_where_asked(engine: Engine, options: StreamOptions) -> None:
    async with engine.spot.all_mini_tickers(quiet_time=None, bad_rows="skip", **options) as events:
        await engine.exchange.send(TICKERS, [mini_ticker(1, "AUSDT"), BAD, mini_ticker(1, "BUSDT")])
        rows = await anext(events)
        assert [(row.symbol, row.stream) for row in rows] == [("AUSDT", TICKERS), ("BUSDT", TICKERS)]
        assert (events.stats.skipped_rows, events.stats.malformed) == (1, 0)
        # A message without a good row is malformed.
        await engine.exchange.send(TICKERS, [BAD])
        await engine.exchange.send(TICKERS, [mini_ticker(2, "AUSDT")])
        (only,) = await anext(events)
        assert isinstance(only, spot.MiniTickerEvent)
        assert only.event_time == 2
        assert (events.stats.skipped_rows, events.stats.malformed) == (1, 1)
    (told,) = [event for event in engine.told if isinstance(event, RowSkipped)]
    assert (told.operation, told.row) == ("spot.all_mini_tickers", 1)
    assert "c" in told.problem


async def test_it_is_the_whole_message_otherwise(engine: Engine) -> None:
    async with engine.spot.all_mini_tickers(quiet_time=None, bad_rows="raise") as events:
        await engine.exchange.send(TICKERS, [mini_ticker(1, "AUSDT"), BAD])
        await engine.exchange.send(TICKERS, [mini_ticker(2, "AUSDT")])
        (only,) = await anext(events)
        assert only.event_time == 2
        assert (events.stats.skipped_rows, events.stats.malformed) == (0, 1)
    (told,) = [event for event in engine.told if isinstance(event, MalformedMessage)]
    assert told.stream == TICKERS
    assert json.loads(told.body)[1] == BAD


async def test_each_stream_of_a_consumer_has_its_own_choice(engine: Engine) -> None:
    stream = engine.spot.all_mini_tickers(quiet_time=None, bad_rows="skip") | engine.spot.all_rolling_tickers(
        window_size="1h", quiet_time=None
    )
    async with stream as events:
        await engine.exchange.send("!ticker_1h@arr", [BAD])
        await engine.exchange.send(TICKERS, [BAD, mini_ticker(1, "AUSDT")])
        (only,) = await anext(events)
        assert only.stream == TICKERS
        assert (events.stats.skipped_rows, events.stats.malformed) == (1, 1)


async def test_a_message_that_can_be_read_in_part_is_no_silence(engine: Engine) -> None:
    async with engine.spot.all_mini_tickers(quiet_time=10.0, bad_rows="skip") as events:
        await engine.exchange.send(TICKERS, [BAD])
        await engine.exchange.send(TICKERS, [BAD, mini_ticker(1, "AUSDT")])
        await anext(events)
        for number in range(2, 12):
            await engine.clock.advance(3.0)
            await engine.exchange.send(TICKERS, [BAD, mini_ticker(number, "AUSDT")])
            await anext(events)
        assert len(engine.exchange.lines) == 1
