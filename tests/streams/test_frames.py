"""Frames however they are cut, large or in pieces, and what a message is told from."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest

from binance_sdk._runtime.stream.frames import Reply, Wrapped, cut, other
from binance_sdk._runtime.stream.names import stream_url
from binance_sdk._runtime.stream.over_websockets import WebsocketsConnector

from .conftest import Engine
from .rows import agg_trade
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
        wire: Any = events._opened._owners[0]._link.wire  # type: ignore[union-attr]
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
    if bad[0] == 0x81 and not isinstance(engine.parts.connector, WebsocketsConnector):
        pytest.skip("aiohttp reads masked frames")
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None) as events:
        engine.exchange.lines[0].socket.transport.write(bad)
        await eventually(lambda: not engine.exchange.open)
        await engine.clock.advance(1)
        await eventually(lambda: len(engine.exchange.lines) == 2)
        await engine.exchange.lines[1].send(TRADES, agg_trade(1))
        assert (await anext(events)).agg_id == 1


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
    ],
)
def test_everything_else_is_told_apart(text: str, meaning: object) -> None:
    assert other(text.encode()) == meaning


def test_addresses() -> None:
    assert stream_url("wss://h", "", ["a+b@trade", "!ticker@arr"]) == "wss://h/stream?streams=a%2Bb@trade/!ticker@arr"
    assert stream_url("wss://h", "market") == "wss://h/market/stream"
