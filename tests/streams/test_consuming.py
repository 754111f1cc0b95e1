"""What a consumer sees: names, typed events, many at once, changes while running, ends."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal

import pytest

from binance_sdk import futures, spot
from binance_sdk.errors import ConfigError, ParameterError, StreamError
from binance_sdk.events import MalformedMessage

from .conftest import Engine
from .rows import agg_trade, mini_ticker
from .server import Line, eventually


async def test_events_are_typed_and_know_their_stream(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", "ethusdt") as events:
        await engine.exchange.send("btcusdt@aggTrade", agg_trade(7))
        await engine.exchange.send("ethusdt@aggTrade", agg_trade(8, "ETHUSDT"))
        first, second = await anext(events), await anext(events)
    assert isinstance(first, spot.AggTradeEvent)
    assert isinstance(second, spot.AggTradeEvent)
    assert (first.agg_id, first.price, first.stream, first.filled) == (
        7,
        Decimal("27103.10"),
        "btcusdt@aggTrade",
        False,
    )
    assert second.stream == "ethusdt@aggTrade"
    assert "stream" not in first.model_dump()
    assert events.stats.received == 2


async def test_leaving_closes_the_connection_and_ends_the_loop(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT") as events:
        assert len(engine.exchange.open) == 1
    await eventually(lambda: not engine.exchange.open)
    assert [event async for event in events] == []
    others = [task for task in asyncio.all_tasks() if task.get_name().startswith(("streams", "fill", "websocket"))]
    assert others == []


async def test_closing_wakes_who_waits(engine: Engine) -> None:
    events = await engine.spot.agg_trade("BTCUSDT").open()
    waiting = asyncio.create_task(events.__anext__())
    await asyncio.sleep(0)
    await events.aclose()
    with pytest.raises(StopAsyncIteration):
        await waiting
    with pytest.raises(StreamError, match="closed"):
        await events.subscribe(engine.spot.agg_trade("ETHUSDT"))


async def test_kinds_are_put_together(engine: Engine) -> None:
    both = engine.spot.agg_trade("BTCUSDT") | engine.spot.all_mini_tickers()
    async with both as events:
        assert len(engine.exchange.lines) == 1
        await engine.exchange.send("!miniTicker@arr", [mini_ticker(1), mini_ticker(2, "ETHUSDT")])
        await engine.exchange.send("btcusdt@aggTrade", agg_trade(7))
        tickers, trade = await anext(events), await anext(events)
    assert isinstance(tickers, list)
    assert [(ticker.symbol, ticker.stream) for ticker in tickers] == [
        ("BTCUSDT", "!miniTicker@arr"),
        ("ETHUSDT", "!miniTicker@arr"),
    ]
    assert isinstance(trade, spot.AggTradeEvent)


async def test_routes_have_a_connection_each(engine: Engine) -> None:
    mixed = engine.futures.combine(
        engine.futures.agg_trade("BTCUSDT"), engine.futures.book_ticker("BTCUSDT"), engine.spot.agg_trade("BTCUSDT")
    )
    async with mixed as events:
        paths = sorted((line.path, tuple(line.names)) for line in engine.exchange.lines)
        assert paths == [
            ("/market/stream", ("btcusdt@aggTrade",)),
            ("/public/stream", ("btcusdt@bookTicker",)),
            ("/stream", ("btcusdt@aggTrade",)),
        ]
        await engine.exchange.lines[0].send("btcusdt@aggTrade", {**agg_trade(1), "nq": "1"})
        assert isinstance(await anext(events), (spot.AggTradeEvent, futures.AggTradeEvent))


async def test_many_streams_are_subscribed_in_batches(engine: Engine) -> None:
    symbols = [f"A{number}USDT" for number in range(450)]
    opening = asyncio.create_task(engine.spot.agg_trade(*symbols).open())
    await eventually(lambda: engine.exchange.lines)
    events = await opening
    (line,) = engine.exchange.lines
    assert line.query == ""
    assert [len(request["params"]) for request in line.requests] == [200, 200, 50]
    assert len(events.streams) == 450
    await events.aclose()


async def test_a_connection_carries_no_more_than_1024_streams(engine: Engine) -> None:
    symbols = [f"A{number}USDT" for number in range(1030)]
    opening = asyncio.create_task(engine.spot.agg_trade(*symbols).open())
    await eventually(lambda: len(engine.exchange.lines) == 2)
    for _ in range(20):
        if opening.done():
            break
        await engine.clock.advance(1)
    events = await opening
    assert sorted(len(line.names) for line in engine.exchange.lines) == [6, 1024]
    await events.aclose()


async def test_streams_come_and_go_while_running(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT") as events:
        await events.subscribe(engine.spot.agg_trade("BNBUSDT", "BTCUSDT"))
        (line,) = engine.exchange.lines
        assert line.names == ["btcusdt@aggTrade", "bnbusdt@aggTrade"]
        await engine.exchange.send("btcusdt@aggTrade", agg_trade(1))
        await engine.exchange.send("bnbusdt@aggTrade", agg_trade(5, "BNBUSDT"))
        await eventually(lambda: events.stats.received == 2)
        await events.unsubscribe(engine.spot.agg_trade("BTCUSDT"))
        assert line.names == ["bnbusdt@aggTrade"]
        assert events.streams == ("bnbusdt@aggTrade",)
        event = await anext(events)
        assert isinstance(event, spot.AggTradeEvent)
        assert event.symbol == "BNBUSDT"
        await events.unsubscribe(engine.spot.agg_trade("BNBUSDT"))
        await eventually(lambda: not engine.exchange.open)


async def asked(line: Line, method: str) -> int:
    """The id of a request, once it has come."""
    await eventually(lambda: line.requests and line.requests[-1]["method"] == method)
    number: int = line.requests[-1]["id"]
    return number


async def test_what_still_comes_of_a_stream_that_was_left_is_not_given_out(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", "BNBUSDT") as events:
        (line,) = engine.exchange.lines
        await line.send("btcusdt@aggTrade", agg_trade(1))
        await anext(events)
        engine.exchange.acks = "none"
        leaving = asyncio.create_task(events.unsubscribe(engine.spot.agg_trade("BTCUSDT")))
        number = await asked(line, "UNSUBSCRIBE")
        await line.send("btcusdt@aggTrade", agg_trade(2))
        await line.send("bnbusdt@aggTrade", agg_trade(5, "BNBUSDT"))
        event = await anext(events)
        assert isinstance(event, spot.AggTradeEvent)
        assert event.symbol == "BNBUSDT"
        await line.raw(json.dumps({"result": None, "id": number}))
        await leaving


async def test_what_still_comes_of_a_stream_that_was_refused_is_not_given_out(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT") as events:
        (line,) = engine.exchange.lines
        engine.exchange.acks = "none"
        joining = asyncio.create_task(events.subscribe(engine.spot.agg_trade("BNBUSDT")))
        number = await asked(line, "SUBSCRIBE")
        await line.send("bnbusdt@aggTrade", agg_trade(5, "BNBUSDT"))
        assert await anext(events)
        await line.raw(json.dumps({"code": 2, "msg": "Invalid request", "id": number}))
        with pytest.raises(StreamError):
            await joining
        await line.send("bnbusdt@aggTrade", agg_trade(6, "BNBUSDT"))
        await line.send("btcusdt@aggTrade", agg_trade(1))
        event = await anext(events)
        assert isinstance(event, spot.AggTradeEvent)
        assert event.symbol == "BTCUSDT"


@pytest.mark.parametrize("symbol", ["币安人生USDT", "A+BUSDT"])
async def test_odd_symbols_arrive_as_they_are(engine: Engine, symbol: str) -> None:
    async with engine.spot.agg_trade(symbol) as events:
        (line,) = engine.exchange.lines
        assert line.names == [f"{symbol.lower()}@aggTrade"]
        await line.send(line.names[0], agg_trade(1, symbol))
        event = await anext(events)
        assert isinstance(event, spot.AggTradeEvent)
        assert event.symbol == symbol


async def test_malformed_messages_are_counted_and_told(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT") as events:
        (line,) = engine.exchange.lines
        await line.raw("no json at all")
        await line.raw("[1,2,3]")
        await line.send("btcusdt@aggTrade", {"e": "aggTrade", "s": 7})
        await line.send("btcusdt@aggTrade", agg_trade(1))
        event = await anext(events)
        assert isinstance(event, spot.AggTradeEvent)
        assert event.agg_id == 1
        assert events.stats.malformed == 3
    told = [event for event in engine.told if isinstance(event, MalformedMessage)]
    assert [event.stream for event in told] == ["", "", "btcusdt@aggTrade"]
    assert "missing" in told[-1].problem.lower() or "required" in told[-1].problem.lower()


async def test_a_wrapper_written_in_another_way_is_read_too(engine: Engine) -> None:
    import json

    async with engine.spot.agg_trade("BTCUSDT") as events:
        (line,) = engine.exchange.lines
        await line.raw(json.dumps({"data": agg_trade(3), "stream": "btcusdt@aggTrade"}, indent=1))
        event = await anext(events)
        assert isinstance(event, spot.AggTradeEvent)
        assert event.agg_id == 3


@pytest.mark.parametrize("acks", ["flat error", "nested error"])
async def test_a_refused_subscription_is_an_error(engine: Engine, acks: str) -> None:
    async with engine.spot.agg_trade("BTCUSDT") as events:
        engine.exchange.acks = acks  # type: ignore[assignment]
        with pytest.raises(StreamError, match=r"SUBSCRIBE of bnbusdt@aggTrade was refused: code [24]"):
            await events.subscribe(engine.spot.agg_trade("BNBUSDT"))
        engine.exchange.acks = "ok"
        await engine.exchange.send("btcusdt@aggTrade", agg_trade(1))
        assert isinstance(await anext(events), spot.AggTradeEvent)


async def test_an_exchange_that_cannot_be_reached_is_an_error(engine: Engine) -> None:
    engine.exchange.refuse = 100
    opening = asyncio.create_task(engine.spot.agg_trade("BTCUSDT").open())
    for _ in range(40):
        if opening.done():
            break
        await engine.clock.advance(1)
    with pytest.raises(StreamError, match="no connection: refused with HTTP 503"):
        await opening


async def test_two_readers_at_once_are_refused(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT") as events:
        first = asyncio.create_task(events.__anext__())
        await asyncio.sleep(0)
        with pytest.raises(StreamError, match="two tasks"):
            await anext(events)
        await engine.exchange.send("btcusdt@aggTrade", agg_trade(1))
        assert isinstance(await first, spot.AggTradeEvent)


async def test_options_are_checked_before_anything_is_sent(engine: Engine) -> None:
    for options, said in (
        ({"overflow": "explode"}, "'block' or 'drop_oldest' or 'latest'"),
        ({"buffer": 0}, "1 or more"),
        ({"quiet_time": -1}, "positive"),
        ({"rollover_after": 90_000}, "below 86400"),
        ({"fill_gaps": "yes"}, "True or False"),
        ({"colour": "red"}, "unknown option"),
    ):
        with pytest.raises(ParameterError, match=said):
            engine.spot.agg_trade("BTCUSDT", **options)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="at least one"):
        engine.spot.agg_trade()
    with pytest.raises(ParameterError, match="must be one of"):
        engine.spot.kline("BTCUSDT", interval="7m")  # type: ignore[arg-type]
    for symbol in ("", "BTC/USDT", "BTC USDT", "btc@x", 7):
        with pytest.raises(ParameterError):
            engine.spot.agg_trade(symbol)  # type: ignore[arg-type]
    assert engine.exchange.lines == []


async def test_a_closed_client_opens_nothing(engine: Engine) -> None:
    await engine.manager.aclose()
    with pytest.raises(ConfigError, match="closed"):
        await engine.spot.agg_trade("BTCUSDT").open()


async def test_only_streams_can_be_combined(engine: Engine) -> None:
    with pytest.raises(ParameterError, match="a Stream, not 'btcusdt@trade'"):
        engine.spot.combine(engine.spot.trade("BTCUSDT"), "btcusdt@trade")  # type: ignore[call-overload]  # pyright: ignore
