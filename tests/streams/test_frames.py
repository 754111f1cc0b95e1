"""Frames of any size, whole or in pieces, and how a message is told from an answer."""

from __future__ import annotations

import asyncio
import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binance_sdk._runtime.stream.connection.opener import stream_url
from binance_sdk._runtime.stream.connection.over_websockets import WebsocketsConnector
from binance_sdk._runtime.stream.frames import Reply, Wrapped, cut, inner
from binance_sdk._runtime.stream.frames import other as other_frame
from binance_sdk.streams import SilentStream

from .conftest import Engine
from .rows import agg_trade, mini_ticker
from .server import eventually

TRADES = "btcusdt@aggTrade"


def frame(number: int, padding: int) -> bytes:
    payload = json.dumps({**agg_trade(number), "padding": "x" * padding}, separators=(",", ":"))
    body = f'{{"stream":"{TRADES}","data":{payload}}}'.encode()
    if len(body) < 65_536:
        return b"\x81\x7e" + struct.pack("!H", len(body)) + body
    return b"\x81\x7f" + struct.pack("!Q", len(body)) + body


@pytest.mark.parametrize("step", [1, 2, 3, 7, 100, 1 << 20])
async def test_frames_are_read_however_they_are_cut(engine: Engine, step: int) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None) as events:
        wire: Any = events._consumer._supervisors[0]._connection.socket  # type: ignore[union-attr]
        if not hasattr(wire, "_connection"):
            pytest.skip("aiohttp cuts frames itself")
        ping = b"\x89\x01a"
        data = b"".join((frame(1, 0), ping, frame(2, 300), frame(3, 0), ping))
        for at in range(0, len(data), step):
            wire._connection.data_received(data[at : at + step])
        seen: list[Any] = [await anext(events) for _ in range(3)]
        assert [event.agg_id for event in seen] == [1, 2, 3]
        assert len(engine.exchange.lines) == 1


async def test_large_and_fragmented_messages(engine: Engine) -> None:
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None) as events:
        (line,) = engine.exchange.lines
        for number, size in ((1, 10), (2, 70_000), (3, 400_000), (4, 10)):
            await line.send(TRADES, {**agg_trade(number), "padding": "x" * size})
        text = f'{{"stream":"{TRADES}","data":{json.dumps(agg_trade(5))}}}'
        await line.socket.send([text[:20], text[20:50], text[50:]])
        await line.send(TRADES, agg_trade(6))
        seen: list[Any] = [await anext(events) for _ in range(6)]
        assert [event.agg_id for event in seen] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("bad", [b"\x83\x01a", b"\x81\x85\x00\x00\x00\x00hello"], ids=["unknown kind", "masked"])
async def test_a_frame_that_must_not_be_ends_the_connection(engine: Engine, bad: bytes) -> None:
    if bad[0] == 0x81 and not isinstance(engine.context.connector, WebsocketsConnector):
        pytest.skip("aiohttp reads masked frames")
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None) as events:
        engine.exchange.lines[0].socket.transport.write(bad)
        await eventually(lambda: not engine.exchange.open)
        await engine.clock.advance(1)
        await eventually(lambda: len(engine.exchange.lines) == 2)
        await engine.exchange.lines[1].send(TRADES, agg_trade(1))
        assert (await anext(events)).agg_id == 1


@pytest.mark.parametrize(
    "form",
    [
        '{"stream":"%s","data":%s,"ts":1795978652131}',
        '{"stream":"%s","data":%s,"ts":"1795978652131"}',
        '{"stream":"%s","data":%s,"meta":{"node":{"id":1}}}',
        '{"stream":"%s","data":%s,"nodes":[1,2]}',
        '{"stream":"%s","data":%s,"data2":[{}],"ok":null}',
        '{"ts":1,"stream":"%s","data":%s}',
        '{"stream":"%s","ts":1,"data":%s}',
        '{"stream": "%s", "data": %s, "ts": 1}',
        '{"stream":"%s","data":%s}\n',
        '{ "meta": {"data": [1]}, "stream":"%s" , "data" : %s }',
    ],
)
@pytest.mark.parametrize("listed", [False, True])
async def test_a_frame_that_gains_a_field_is_read_all_the_same(engine: Engine, form: str, listed: bool) -> None:
    stream = engine.spot.agg_trade("BTCUSDT", quiet_time=None)
    name, payload = TRADES, agg_trade
    if listed:
        name = "!miniTicker@arr"

        def payload(number: int) -> Any:
            return [mini_ticker(number)]

        stream = engine.spot.all_mini_tickers(quiet_time=None)
    async with stream as events:
        (line,) = engine.exchange.lines
        await line.send(name, payload(1))
        other = json.dumps(payload(2), separators=(",", ":")).replace('"e":', '"zz":1.50,"e":', 1)
        await line.raw(form % (name, other))
        await line.raw(form % (name, json.dumps(payload(3))))
        await line.send(name, payload(4))
        seen: list[Any] = [await anext(events) for _ in range(4)]
        if listed:
            seen = [item for (item,) in seen]
        assert [event.event_time % 1000 for event in seen] == [1, 2, 3, 4]
        assert seen[1].model_extra == {"zz": 1.5}
        assert events.stats.malformed == 0
    swapped = f'{{"data":{other},"stream":"{name}"}}'
    assert other_frame(swapped.encode()) == Wrapped(name, other.encode())


@given(
    st.dictionaries(
        st.text(max_size=5), st.recursive(st.none() | st.integers() | st.text(max_size=5), st.lists, max_leaves=5)
    ),
    st.sampled_from([None, 1]),
)
def test_whatever_stands_beside_the_data_is_cut_off(beside: dict[str, Any], indent: int | None) -> None:
    payload = '{"e":"x","p":1.10,"q":{"a":[]}}'
    for at in range(len(beside) + 1):
        items = [(key, json.dumps(value)) for key, value in beside.items() if key not in ("data", "stream")]
        items[at:at] = [("stream", '"a@b"'), ("data", payload)]
        gap = "" if indent is None else "\n"
        text = "{" + f",{gap}".join(f"{json.dumps(key)}:{gap}{value}" for key, value in items) + "}"
        found = cut(text.encode())
        if found is not None:
            name, data = found
            assert name == b"a@b"
            assert (inner(name, data) or data) == payload.encode()
        else:
            assert other_frame(text.encode()) == Wrapped("a@b", payload.encode())


async def test_messages_that_cannot_be_read_are_silence(engine: Engine) -> None:
    """A stream that sends only messages that cannot be read counts as silent."""
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=8.0) as events:
        await engine.exchange.send(TRADES, agg_trade(1))
        await anext(events)
        reading = asyncio.create_task(events.with_notices().__anext__())
        broken = {**agg_trade(2), "p": "no price"}
        begun = engine.clock.now
        while not reading.done():
            await engine.exchange.send(TRADES, broken)
            await engine.clock.advance(0.5)
            assert engine.clock.now < begun + 60
        notice = await reading
        assert isinstance(notice, SilentStream)
        assert notice.stream == TRADES
        assert 15 <= notice.seconds <= 20
        assert len(engine.exchange.lines) >= 2
        # One good message ends the silence: bad ones between good ones are only counted.
        connections = len(engine.exchange.lines) + 1
        for number in range(3, 60):
            await engine.exchange.send(TRADES, broken)
            await engine.exchange.send(TRADES, agg_trade(number))
            assert (await anext(events)).agg_id == number
            await engine.clock.advance(0.5)
        assert len(engine.exchange.lines) <= connections


async def test_bad_messages_take_turns(engine: Engine) -> None:
    """However many of them wait, the connection is read in between."""
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None) as events:
        for _ in range(600):
            await engine.exchange.send(TRADES, '{"e":"aggTrade"}')
        await engine.exchange.send(TRADES, agg_trade(1))
        await eventually(lambda: events.stats.received == 601)
        reader = events._consumer.reader
        assert reader.take() is None
        assert 0 < events.stats.malformed < 600
        assert (await anext(events)).agg_id == 1
        assert events.stats.malformed == 600


def test_an_event_is_cut_open() -> None:
    assert cut(b'{"stream":"a@b","data":{"e":1}}') == (b"a@b", b'{"e":1}')
    for strange in (b"", b"{}", b'{"stream":"a@b"}', b'{"stream":"a@b","data":[1]', b'{"stream": "a","data":1}'):
        assert cut(strange) is None


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ('{"result":null,"id":3}', Reply(3, None, None, "")),
        ('{"code":2,"msg":"no","id":3}', Reply(3, None, 2, "no")),
        ('{"error":{"code":4,"msg":"Too many"}}', Reply(None, None, 4, "Too many")),
        ('{"error":{"code":4,"msg":"Too many"},"id":1}', Reply(1, None, 4, "Too many")),
        ('{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1}}', "shutdown"),
        ('{"e":"serverShutdown","E":1}', "shutdown"),
        ('{"data":{"e":"x"},"stream":"s"}', Wrapped("s", b'{"e":"x"}')),
        ("nonsense", "malformed"),
        ("[1]", "malformed"),
        ("[" * 100_000, "malformed"),
        ('{"hello":1}', "malformed"),
        ('{"stream":"\\ud800","data":{"e":"x"}}', "malformed"),
    ],
)
def test_everything_else_is_told_apart(text: str, meaning: object) -> None:
    assert other_frame(text.encode()) == meaning


def test_addresses() -> None:
    assert stream_url("wss://h", "", ["a+b@trade", "!ticker@arr"]) == "wss://h/stream?streams=a%2Bb@trade/!ticker@arr"
    assert stream_url("wss://h", "market") == "wss://h/market/stream"
