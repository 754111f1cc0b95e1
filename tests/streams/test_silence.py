"""Silence is noticed after the time that the user set, and a short interruption stays short."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from binance_sdk import spot
from binance_sdk._runtime.stream.connection import over_aiohttp, over_websockets
from binance_sdk._runtime.stream.connection.connection import Connection
from binance_sdk.errors import ParameterError
from binance_sdk.events import StreamConnected, StreamLost
from binance_sdk.simulator import Simulator
from binance_sdk.streams import Gap, Reconnected, SilentStream

from .conftest import Engine
from .raw_stream_server import CLOSE, PING, PONG, TEXT, RawStreamServer
from .rows import agg_trade, mini_ticker
from .server import Line, eventually
from .test_keeping import after_reconnect, until

TRADES = "btcusdt@aggTrade"
TICKERS = "!miniTicker@arr"


def connection_of(events: Any) -> Connection:
    connection: Connection | None = events._consumer._supervisors[0]._connection
    assert connection is not None
    return connection


def lost(engine: Engine) -> list[StreamLost]:
    return [event for event in engine.told if isinstance(event, StreamLost)]


async def test_a_connection_that_delivered_sets_the_pauses_back_however_soon_it_ends(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None) as events:
        for number in range(1, 8):
            line = await after_reconnect(engine, number)
            await line.send(TRADES, agg_trade(number))
            assert isinstance(await anext(events), spot.AggTradeEvent)
            line.abort()
            await eventually(lambda number=number: len(lost(engine)) == number)
    assert [event.pause for event in lost(engine)] == [0.25] * 7


async def test_connections_that_end_at_once_again_and_again_are_not_dialled_without_end(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None) as events:
        begun = engine.clock.now
        for number in range(1, 41):
            line = await after_reconnect(engine, number)
            await line.send(TRADES, agg_trade(number))
            assert isinstance(await anext(events), spot.AggTradeEvent)
            line.abort()
        # A host accepts 300 in 300 seconds, of all who share the address.
        assert engine.clock.now - begun >= 29


async def test_connections_that_deliver_nothing_are_tried_less_and_less_often(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None):
        for number in range(1, 5):
            (await after_reconnect(engine, number)).abort()
            await eventually(lambda number=number: len(lost(engine)) == number)
    assert [event.pause for event in lost(engine)] == [0.25, 0.5, 1.0, 2.0]


@pytest.mark.parametrize("quiet_time", [0.5, 2.0, 20.0])
async def test_a_frozen_connection_is_probed_at_half_time_and_replaced_at_the_end(
    engine: Engine, quiet_time: float
) -> None:
    async with engine.spot.all_mini_tickers(quiet_time=quiet_time) as events:
        await engine.exchange.send(TICKERS, [mini_ticker(1)])
        assert isinstance(await anext(events), list)
        engine.exchange.lines[0].socket.transport.pause_reading()
        frozen, connection = engine.clock.now, connection_of(events)
        probed: float | None = None
        while len(engine.exchange.lines) == 1:
            await engine.clock.advance(quiet_time / 20, step=quiet_time / 20)
            if probed is None and connection.pinged_at is not None:
                probed = connection.pinged_at - frozen
            assert engine.clock.now < frozen + 2 * quiet_time
        assert probed == pytest.approx(quiet_time / 2, rel=0.11)
        assert engine.clock.now - frozen == pytest.approx(quiet_time, rel=0.11)
        notice = await anext(events.with_notices())
        assert isinstance(notice, Reconnected)
        assert events.stats.reconnects == 1
        await (await after_reconnect(engine, 2)).send(TICKERS, [mini_ticker(2)])
        assert isinstance(await anext(events), list)


async def test_a_server_that_answers_pings_and_nothing_else(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=8.0) as events:
        await engine.exchange.send(TRADES, agg_trade(1))
        await anext(events)
        await engine.clock.advance(7.5)
        assert len(engine.exchange.lines) == 1
        line = await after_reconnect(engine, 2)
        assert engine.clock.now <= 1008.5
        reading = asyncio.create_task(events.with_notices().__anext__())
        await until(engine, reading.done)
        notice = await reading
        assert isinstance(notice, SilentStream)
        assert notice.seconds == pytest.approx(16.0, abs=0.5)
        # The first event after the silence is not kept back to be compared with a connection that says nothing.
        line = await after_reconnect(engine, 3)
        await line.send(TRADES, agg_trade(2))
        event = await asyncio.wait_for(anext(events), 10)
        assert isinstance(event, spot.AggTradeEvent)
        assert event.agg_id == 2
        assert events.stats.reconnects == 0


async def test_a_silent_stream_that_speaks_on_both_connections_is_given_out_once(engine: Engine) -> None:
    async with engine.spot.all_mini_tickers(quiet_time=8.0) as events:
        await engine.exchange.send(TICKERS, [mini_ticker(1)])
        await anext(events)
        second = await after_reconnect(engine, 2)
        await eventually(lambda: any(isinstance(e, StreamConnected) and "silent" in e.reason for e in engine.told))
        for number in (2, 3, 4):
            await second.send(TICKERS, [mini_ticker(number)])
            await engine.exchange.lines[0].send(TICKERS, [mini_ticker(number)])
        await engine.clock.advance(4)
        await second.send(TICKERS, [mini_ticker(5)])
        seen: list[Any] = [await anext(events) for _ in range(4)]
        assert [tickers[0].event_time for tickers in seen] == [2, 3, 4, 5]


async def test_a_frozen_peer_keeps_nobody_waiting_for_its_acknowledgement(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=2.0) as events:
        await engine.exchange.send(TRADES, agg_trade(1))
        await anext(events)
        engine.exchange.lines[0].socket.transport.pause_reading()
        asking = asyncio.create_task(events.subscribe(engine.spot.agg_trade("BNBUSDT", quiet_time=None)))
        await engine.clock.advance(2.5)
        line = await after_reconnect(engine, 2)
        await asyncio.wait_for(asking, 10)
        assert engine.clock.now < 1005
        assert sorted(line.names) == ["bnbusdt@aggTrade", TRADES]


async def test_a_ping_that_cannot_be_written_does_not_stop_the_watch(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A peer that reads nothing lets the socket fill up, and then whoever writes waits."""
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=4.0) as events:
        await engine.exchange.send(TRADES, agg_trade(1))
        await anext(events)
        socket = connection_of(events).socket
        never = asyncio.Event()
        for name in ("ping", "send"):
            monkeypatch.setattr(socket, name, lambda *_: never.wait())
        engine.exchange.lines[0].socket.transport.pause_reading()
        asking = asyncio.create_task(events.subscribe(engine.spot.agg_trade("BNBUSDT", quiet_time=None)))
        await engine.clock.advance(4.5)
        await after_reconnect(engine, 2)
        await asyncio.wait_for(asking, 10)
        assert engine.clock.now < 1006


async def test_a_request_that_cannot_be_written_ends_the_connection(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None) as events:
        never = asyncio.Event()
        monkeypatch.setattr(connection_of(events).socket, "send", lambda _: never.wait())
        asking = asyncio.create_task(events.subscribe(engine.spot.agg_trade("BNBUSDT", quiet_time=None)))
        await engine.clock.advance(11)
        await after_reconnect(engine, 2)
        await asyncio.wait_for(asking, 10)
        assert any("written" in event.reason for event in lost(engine))


async def test_a_busy_loop_is_not_silence(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits in the socket while the loop does other things must be read before anything is judged."""
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=4.0) as events:
        await engine.exchange.send(TRADES, agg_trade(1))
        await anext(events)
        connection, silence = connection_of(events), events._consumer._supervisors[0]._silence
        due, waiting = silence.next_silent_at, [_frame(agg_trade(2))]

        def next_silent_at() -> float:
            if engine.clock.now >= 1060 and waiting:
                # The loop has been busy for a minute; that it can read comes next.
                asyncio.get_running_loop().call_soon(connection.received, waiting.pop())
            return due()

        monkeypatch.setattr(silence, "next_silent_at", next_silent_at)
        await engine.clock.advance(60, step=60)
        assert (await anext(events)).agg_id == 2
        assert not waiting
        assert len(engine.exchange.lines) == 1


def _frame(payload: object) -> bytes:
    return f'{{"stream":"{TRADES}","data":{json.dumps(payload)}}}'.encode()


async def test_a_connection_that_cannot_be_replaced_is_kept_and_still_watched(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None, rollover_after=5.0) as events:
        await engine.exchange.send(TRADES, agg_trade(1))
        await anext(events)
        engine.exchange.refuse = 8
        await until(engine, lambda: len(lost(engine)) == 5)
        # The exchange counts a refusal before the client has read it.
        assert engine.exchange.refuse == 3
        await engine.exchange.send(TRADES, agg_trade(2))
        assert (await anext(events)).agg_id == 2
        # The pause before the next attempt to replace it is long by now; that of a loss is a short one all the same.
        assert lost(engine)[-1].pause >= 4.0
        engine.exchange.refuse = 0
        engine.exchange.lines[0].abort()
        await eventually(lambda: not lost(engine)[-1].reason.startswith("not replaced"))
        assert lost(engine)[-1].pause == 0.25
        await (await after_reconnect(engine, 2)).send(TRADES, agg_trade(3))
        assert (await anext(events)).agg_id == 3


async def test_a_replacement_that_worked_sets_the_pauses_back(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None, rollover_after=20.0) as events:
        for number, refused in ((1, 2), (2, 1)):
            engine.exchange.refuse = refused
            await until(engine, lambda number=number: events.stats.rollovers == number)
    assert [event.pause for event in lost(engine)] == [0.25, 0.5, 0.25]


async def test_a_ping_of_the_server_is_a_sign_of_life(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None) as events:
        await engine.clock.advance(2)
        answered = await engine.exchange.lines[0].socket.ping()
        await asyncio.wait_for(answered, 10)
        assert connection_of(events).last_heard == engine.clock.now


async def test_connections_whose_streams_are_refused_do_not_pile_up(engine: Engine) -> None:
    # A name that fits into no URL is subscribed to when the connection is open.
    async with engine.spot.agg_trade("币安人生USDT", quiet_time=None):
        engine.exchange.acks = "flat error"
        engine.exchange.lines[0].abort()
        await until(engine, lambda: len(engine.exchange.lines) > 3)
        await eventually(lambda: len(engine.exchange.open) <= 1)


async def test_a_connection_that_could_not_be_replaced_compares_nothing(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None, rollover_after=20.0) as events:
        engine.exchange.refuse = 1
        await until(engine, lambda: lost(engine))
        # Else it would keep every message for a successor that never comes.
        assert connection_of(events).replaced_by is None


async def test_successors_that_end_at_once_are_not_dialled_without_end(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None, rollover_after=5.0):
        engine.exchange.on_line = lambda line: line.abort()
        await engine.clock.advance(35)
        engine.exchange.on_line = None
        # 5, 5.25, 5.75, 6.75, 8.75, 12.75, 20.75 s
        assert 5 <= engine.exchange.asked <= 9


async def test_unsubscribing_does_not_wait_for_a_connection(engine: Engine) -> None:
    stream = engine.spot.agg_trade("BTCUSDT", "BNBUSDT", quiet_time=None)
    async with stream as events:
        engine.exchange.refuse = 1000
        engine.exchange.lines[0].abort()
        await eventually(lambda: lost(engine))
        await asyncio.wait_for(events.unsubscribe(engine.spot.agg_trade("BNBUSDT")), 10)
        engine.exchange.refuse = 0
        line = await after_reconnect(engine, 2)
        assert line.names == [TRADES]


async def test_what_is_unsubscribed_from_while_a_connection_opens_is_not_carried_by_it(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", "BNBUSDT", quiet_time=None) as events:
        removing: list[asyncio.Task[None]] = []

        def remove(line: Line) -> None:
            # The handshake, whose URL names both, has been answered; its answer has not been read yet.
            assert line.names == [TRADES, "bnbusdt@aggTrade"]
            removing.append(asyncio.create_task(events.unsubscribe(engine.spot.agg_trade("BNBUSDT"))))

        engine.exchange.on_line = remove
        engine.exchange.lines[0].abort()
        line = await after_reconnect(engine, 2)
        await removing[0]
        await eventually(lambda: line.names == [TRADES])


async def test_closing_waits_for_no_frozen_peer_longer_than_for_all(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = [await engine.spot.agg_trade(symbol, quiet_time=None).open() for symbol in ("BTCUSDT", "BNBUSDT")]
    closing: list[Any] = []
    both = asyncio.Event()

    async def close(politely: Any) -> None:
        closing.append(politely)
        if len(closing) == len(opened):
            both.set()
        try:
            await asyncio.wait_for(both.wait(), 5)
        finally:
            await politely()

    for events in opened:
        socket = connection_of(events).socket
        assert socket is not None
        monkeypatch.setattr(socket, "close", lambda politely=socket.close: close(politely))
    await engine.manager.aclose()
    assert both.is_set()


async def test_a_frozen_peer_is_given_one_moment_to_say_goodbye(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (over_aiohttp, over_websockets):
        monkeypatch.setattr(module, "CLOSE_SECONDS", 0.05)
    events = await engine.spot.agg_trade("BTCUSDT", quiet_time=None).open()
    engine.exchange.lines[0].socket.transport.pause_reading()
    await asyncio.wait_for(events.aclose(), 1.5)


@pytest.fixture
async def raw() -> AsyncIterator[RawStreamServer]:
    async with RawStreamServer() as server:
        yield server


@pytest.fixture
def raw_engine(engine: Engine, raw: RawStreamServer) -> Engine:
    engine.context = dataclasses.replace(engine.context, urls={"spot": (raw.url,), "futures": (raw.url,)})
    return engine


@pytest.mark.parametrize("payload", [b"\x03\xe9going away", b""], ids=["1001", "no code"])
async def test_a_close_frame_is_answered_and_followed_by_a_new_connection(
    raw_engine: Engine, raw: RawStreamServer, payload: bytes
) -> None:
    """Whatever the server does with the TCP connection, and whenever."""
    async with raw_engine.spot.agg_trade("BTCUSDT", quiet_time=None):
        (line,) = raw.lines
        line.send(CLOSE, payload)
        await eventually(lambda: line.of(CLOSE))
        assert line.of(CLOSE)[0][:2] == (payload[:2] or b"\x03\xe8"[: len(line.of(CLOSE)[0])])
        await eventually(lambda: lost(raw_engine))
        assert lost(raw_engine)[0].pause == 0.25
        assert "closed by the server with" in lost(raw_engine)[0].reason
        await raw_engine.clock.advance(0.25)
        await eventually(lambda: len(raw.lines) == 2)
        for each in raw.lines:
            each.hang_up()


async def test_a_flood_of_pings_is_answered_within_the_limit_and_shuts_nothing_out(
    raw_engine: Engine, raw: RawStreamServer
) -> None:
    clock = raw_engine.clock
    async with raw_engine.spot.agg_trade("BTCUSDT", quiet_time=None) as events:
        (line,) = raw.lines
        for number in range(500):
            line.send(PING, str(number).encode())
            if number % 20 == 0:
                # Read one by one, at least some of them.
                await asyncio.sleep(0.001)
        await eventually(lambda: line.of(PONG))
        await asyncio.sleep(0.01)
        assert len(line.of(PONG)) <= 2
        asking = asyncio.create_task(events.subscribe(raw_engine.spot.agg_trade("BNBUSDT", quiet_time=None)))
        await eventually(lambda: line.of(TEXT))
        line.send(TEXT, json.dumps({"result": None, "id": json.loads(line.of(TEXT)[0])["id"]}).encode())
        await asyncio.wait_for(asking, 10)
        body = f'{{"stream":"{TRADES}","data":{json.dumps(agg_trade(1), separators=(",", ":"))}}}'
        line.send(TEXT, body.encode())
        assert isinstance(await asyncio.wait_for(anext(events), 10), spot.AggTradeEvent)
        for second in range(1, 6):
            before = len(line.frames)
            line.send(PING, f"round {second}".encode())
            await clock.advance(1.1, step=0.05)
            assert len(line.frames) - before <= 5
        # Only the newest ping is answered.
        await clock.advance(2.2, step=0.05)
        await eventually(lambda: line.of(PONG)[-1:] == [b"round 5"])
        assert len(line.of(PONG)) <= 2 * 8
        line.hang_up()


async def test_a_lone_ping_is_answered_at_once(raw_engine: Engine, raw: RawStreamServer) -> None:
    async with raw_engine.spot.agg_trade("BTCUSDT", quiet_time=None):
        (line,) = raw.lines
        line.send(PING, b"1795978652131")
        await eventually(lambda: line.of(PONG))
        assert line.of(PONG) == [b"1795978652131"]
        line.hang_up()


async def test_gaps_are_told_after_a_polite_end_too(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None) as events:
        await engine.exchange.send(TRADES, agg_trade(1))
        await anext(events)
        await engine.exchange.lines[0].close(1001)
        line = await after_reconnect(engine, 2)
        await line.send(TRADES, agg_trade(5))
        assert await anext(events.with_notices()) == Gap(TRADES, 1, 5)


async def test_health_is_told_by_name(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=8.0) as events:
        await engine.exchange.send(TRADES, agg_trade(1))
        await anext(events)
        assert events.health(TRADES) == "flowing"
        line = engine.exchange.lines[0]
        engine.clock.now += 9.0
        assert events.health(TRADES) == "silent"
        await line.send(TRADES, agg_trade(2))
        await anext(events)
        assert events.health(TRADES) == "flowing"
        line.abort()
        await eventually(lambda: events.health(TRADES) == "disconnected")
        with pytest.raises(ParameterError, match="is not listened to") as caught:
            events.health("ethusdt@aggTrade")
        assert caught.value.parameter == "stream"


def test_health_of_a_blocking_stream(binance_simulator: Simulator) -> None:
    with binance_simulator.sync_client() as client, client.spot.streams.agg_trade("BTCUSDT") as events:
        assert events.health(TRADES) == "flowing"


async def test_a_connection_that_has_ended_is_disconnected_before_anybody_looks_after_it(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=8.0) as events:
        connection = connection_of(events)
        assert events.health(TRADES) == "flowing"
        connection.end_reason = "the peer closed it"
        assert events.health(TRADES) == "disconnected"
