"""A refused handshake means the same as a refused request: one gate for both, and the error says until when."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import socket
from typing import Any

import pytest

from binance_sdk import spot
from binance_sdk.errors import (
    BinanceError,
    ForbiddenError,
    IPBannedError,
    RateLimitError,
    RestrictedLocationError,
    StreamError,
)
from binance_sdk.events import GateClosed, StreamLost
from tests.runtime.server import RawServer, http

from .conftest import Engine
from .rows import agg_trade
from .server import Answer, Exchange, eventually
from .test_keeping import after_reconnect, until

TRADES = "btcusdt@aggTrade"
LIMITED = json.dumps({"code": -1003, "msg": "Too many requests."})


def banned(engine: Engine, seconds: int) -> str:
    until = round((engine.clock.time() + seconds) * 1000)
    return json.dumps({"code": -1003, "msg": f"Way too many requests; IP banned until {until}."})


def stream(engine: Engine) -> Any:
    return engine.spot.agg_trade("BTCUSDT", quiet_time=None)


async def ended(engine: Engine, events: Any) -> BinanceError:
    """The error that ends a stream."""
    reading = asyncio.create_task(events.__anext__())
    await until(engine, reading.done)
    with pytest.raises(BinanceError) as caught:
        await reading
    return caught.value


@pytest.mark.parametrize("headers", [{"Retry-After": "120"}, {}], ids=["Retry-After", "banned until"])
async def test_a_ban_is_raised_at_once_and_nothing_is_dialled_before_its_end(
    engine: Engine, headers: dict[str, str]
) -> None:
    engine.exchange.answers = [(418, headers, banned(engine, 120))]
    with pytest.raises(IPBannedError, match="418") as caught:
        await stream(engine).open()
    error = caught.value
    assert error.retry_after == pytest.approx(120, abs=2.1)
    assert error.retry_at == pytest.approx((engine.clock.time() + 120) * 1000, abs=2100)
    assert error.banned_until == pytest.approx(error.retry_at, abs=2100)
    # The gate is that of requests.
    assert engine.pool.gate.banned(engine.clock.now + 119)
    assert [event.seconds for event in engine.told if isinstance(event, GateClosed)] == [error.retry_after]
    await engine.clock.advance(60, step=10)
    with pytest.raises(IPBannedError, match="not sent") as again:
        await stream(engine).open()
    assert again.value.retry_after == pytest.approx(error.retry_after - 60)
    assert engine.exchange.asked == 1
    await engine.clock.advance(63, step=10)
    async with stream(engine):
        assert engine.exchange.asked == 2


async def test_a_running_stream_that_meets_a_ban_tells_it(engine: Engine) -> None:
    async with stream(engine) as events:
        await engine.exchange.send(TRADES, agg_trade(1))
        await anext(events)
        await engine.exchange.send(TRADES, agg_trade(2))
        engine.exchange.answers = [(418, {"Retry-After": "300"}, "")]
        await asyncio.sleep(0.01)
        engine.exchange.lines[0].abort()
        # What came before it is handed out first.
        assert (await anext(events)).agg_id == 2
        error = await ended(engine, events)
        assert isinstance(error, IPBannedError)
        assert error.retry_after == pytest.approx(300, abs=1)
        await engine.clock.advance(100, step=10)
        assert engine.exchange.asked == 2


@pytest.mark.parametrize("first", [True, False], ids=["first", "again"])
async def test_the_end_of_a_limit_is_waited_for(engine: Engine, first: bool) -> None:
    engine.exchange.answers = [(429, {"Retry-After": "40"}, LIMITED)]
    if first:
        refused_at = engine.clock.now
        opening = asyncio.create_task(stream(engine).open())
        await eventually(lambda: engine.exchange.asked == 1)
    else:
        refusal, engine.exchange.answers = engine.exchange.answers, []
        opening = asyncio.create_task(stream(engine).open())
        await eventually(opening.done)
        engine.exchange.answers = refusal
        engine.exchange.lines[0].abort()
        await until(engine, lambda: engine.exchange.asked == 2)
        refused_at = engine.clock.now
    await eventually(lambda: any(isinstance(event, GateClosed) for event in engine.told))
    asked = engine.exchange.asked
    await engine.clock.advance(39)
    assert engine.exchange.asked == asked
    waits = [event.pause for event in engine.told if isinstance(event, StreamLost)]
    assert waits[-1] == pytest.approx(40, abs=0.5)
    line = await after_reconnect(engine, 1 if first else 2)
    assert refused_at + 40 <= engine.clock.now <= refused_at + 42
    events = await opening
    # The next refusal is a first one again.
    assert engine.pool.gate.in_a_row == (0, 0, 0)
    await line.send(TRADES, agg_trade(1))
    assert isinstance(await anext(events), spot.AggTradeEvent)
    await events.aclose()


async def test_a_limit_that_does_not_end_is_raised_with_its_end(engine: Engine) -> None:
    engine.exchange.answers = [(429, {"Retry-After": "10"}, LIMITED)] * 4
    opening = asyncio.create_task(stream(engine).open())
    await until(engine, opening.done)
    with pytest.raises(RateLimitError) as caught:
        await opening
    assert engine.exchange.asked == 4
    assert caught.value.retry_after is not None
    assert caught.value.retry_after >= 10
    assert caught.value.retry_at == pytest.approx((engine.clock.time() + caught.value.retry_after) * 1000, abs=1000)


async def test_a_gate_that_requests_have_closed_holds_for_streams(engine: Engine) -> None:
    gate, now = engine.pool.gate, engine.clock.now
    gate.limited(now, now + 30, now)
    opening = asyncio.create_task(stream(engine).open())
    await engine.clock.advance(29)
    assert engine.exchange.asked == 0
    await engine.clock.advance(2)
    await eventually(opening.done)
    await (await opening).aclose()


async def test_who_waits_for_a_limit_hears_that_it_has_become_a_ban(engine: Engine) -> None:
    gate, now = engine.pool.gate, engine.clock.now
    gate.limited(now, now + 300, now)
    opening = asyncio.create_task(stream(engine).open())
    await engine.clock.advance(10)
    gate.ban(engine.clock.now, engine.clock.now + 3600, engine.clock.now)
    await engine.clock.advance(6)
    await eventually(opening.done)
    with pytest.raises(IPBannedError):
        await opening
    assert engine.exchange.asked == 0


async def test_a_connection_is_not_replaced_while_the_gate_is_closed(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None, rollover_after=20.0) as events:
        gate, now = engine.pool.gate, engine.clock.now
        gate.ban(now, now + 120, now)
        await engine.clock.advance(100)
        await engine.exchange.send(TRADES, agg_trade(1))
        assert isinstance(await anext(events), spot.AggTradeEvent)
        assert engine.exchange.asked == 1
        await engine.clock.advance(30)
        assert engine.exchange.asked == 2
        assert events.stats.rollovers == 1


LOCATION = json.dumps(
    {"code": 0, "msg": "Service unavailable from a restricted location according to 'b. Eligibility'"}
)
COUNTRY = "<html>The Amazon CloudFront distribution is configured to block access from your country.</html>"


@pytest.mark.parametrize(
    "answer", [(451, {}, LOCATION), (451, {}, ""), (403, {}, COUNTRY)], ids=["451", "451 without a body", "403"]
)
async def test_a_location_that_is_not_served_names_the_environment_that_may_be(engine: Engine, answer: Answer) -> None:
    engine.exchange.answers = [answer]
    with pytest.raises(RestrictedLocationError, match="data_only"):
        await stream(engine).open()
    assert engine.exchange.asked == 1
    assert not engine.pool.gate.closed(engine.clock.now)
    async with stream(engine) as events:
        engine.exchange.answers = [answer]
        engine.exchange.lines[0].abort()
        assert isinstance(await ended(engine, events), RestrictedLocationError)


async def test_the_firewall_is_left_alone(engine: Engine) -> None:
    engine.exchange.answers = [(403, {}, "<html>Request blocked.</html>")]
    with pytest.raises(ForbiddenError) as caught:
        await stream(engine).open()
    assert caught.value.retry_after == 5.0
    opening = asyncio.create_task(stream(engine).open())
    await engine.clock.advance(4.5)
    assert engine.exchange.asked == 1
    await engine.clock.advance(1)
    await eventually(opening.done)
    # A stream that ran goes on when the pause is over; it has been longer each time.
    engine.exchange.answers = [(403, {}, "")] * 2
    engine.exchange.lines[0].abort()
    await until(engine, lambda: not engine.exchange.answers)
    await after_reconnect(engine, 2)
    await (await opening).aclose()


async def test_an_overloaded_server_is_left_alone_for_as_long_as_it_asks(engine: Engine) -> None:
    async with stream(engine):
        engine.exchange.answers = [(503, {"Retry-After": "60"}, "")]
        engine.exchange.lines[0].abort()
        await until(engine, lambda: engine.exchange.asked == 2)
        await engine.clock.advance(59)
        assert engine.exchange.asked == 2
        await after_reconnect(engine, 2)
    engine.exchange.answers = [(503, {"Retry-After": "86400"}, "")]
    with pytest.raises(StreamError, match="HTTP 503"):
        await stream(engine).open()


@pytest.mark.parametrize("status", [400, 404])
async def test_a_refusal_that_no_repetition_changes_is_raised_at_once(engine: Engine, status: int) -> None:
    engine.exchange.answers = [(status, {}, "no such path")]
    with pytest.raises(StreamError, match=f"HTTP {status}") as caught:
        await stream(engine).open()
    assert engine.exchange.asked == 1
    assert str(caught.value).count("no connection") == 1
    assert caught.value.__cause__ is not None


async def test_the_port_that_failed_is_named_and_the_failure_once(engine: Engine) -> None:
    engine.context = dataclasses.replace(
        engine.context, urls={"spot": ("ws://127.0.0.1:1", "ws://127.0.0.1:2")}, open_attempts=2
    )
    opening = asyncio.create_task(stream(engine).open())
    await until(engine, opening.done)
    with pytest.raises(StreamError) as caught:
        await opening
    text = str(caught.value)
    assert text.count("no connection") == 1
    assert "127.0.0.1:2/stream" in text
    assert "127.0.0.1:1/" not in text
    assert [event.url for event in engine.told if isinstance(event, StreamLost)] == ["ws://127.0.0.1:1/stream"]


async def test_what_a_library_raises_unexpectedly_is_an_error_of_ours(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def connect(*_: object) -> Any:
        raise LookupError("out of luck")

    monkeypatch.setattr(type(engine.context.connector), "__call__", connect)
    with pytest.raises(StreamError, match="LookupError: out of luck") as caught:
        await stream(engine).open()
    assert isinstance(caught.value.__cause__, LookupError)


async def test_a_refusal_whose_body_never_ends_is_told_all_the_same(exchange: Exchange, engine: Engine) -> None:
    """The status has been read; the body that explains it is missing."""
    if "aiohttp" not in type(engine.context.connector).__module__:
        pytest.skip("websockets reads a refusal in one piece")

    def refuse(connection: socket.socket) -> None:
        connection.sendall(http("418 x", b"no", {"Retry-After": "77", "Content-Length": "999"}, last=False))
        connection.recv(1)

    with RawServer(refuse) as server:
        url = server.url.replace("http", "ws")
        engine.context = dataclasses.replace(engine.context, urls={"spot": (url,)})
        with pytest.raises(IPBannedError) as caught:
            await stream(engine).open()
        assert caught.value.retry_after == pytest.approx(77, abs=1)
