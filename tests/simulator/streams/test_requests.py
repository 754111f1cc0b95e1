"""Paths, routes and the control protocol, as a plain client meets them."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from .conftest import World

BAD_ID = "Invalid request: request ID must be an unsigned integer"
METHODS = "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`"


async def test_subscriptions_come_and_go(world: World) -> None:
    async with world.spot() as wire:
        assert await wire.ask("LIST_SUBSCRIPTIONS") == {"result": []}
        assert await wire.ask("SUBSCRIBE", "btcusdt@miniTicker", "ethusdt@miniTicker") == {"result": None}
        assert await wire.ask("LIST_SUBSCRIPTIONS") == {"result": ["btcusdt@miniTicker", "ethusdt@miniTicker"]}
        world.pass_time(1)
        assert [event["s"] for event in await wire.drain()] == ["BTCUSDT", "ETHUSDT"]
        assert await wire.ask("UNSUBSCRIBE", "btcusdt@miniTicker", "nobody@trade") == {"result": None}
        world.pass_time(1)
        assert [event["s"] for event in await wire.drain()] == ["ETHUSDT"]


async def test_raw_and_combined(world: World) -> None:
    async with world.spot("/ws/btcusdt@miniTicker") as raw, world.spot("/stream?streams=btcusdt@miniTicker") as both:
        assert (await raw.ask("GET_PROPERTY", "combined"), await both.ask("GET_PROPERTY", "combined")) == (
            {"result": False},
            {"result": True},
        )
        world.pass_time(1)
        [event], [wrapped] = await raw.drain(), await both.drain()
        assert wrapped == {"stream": "btcusdt@miniTicker", "data": event}
        assert await raw.ask("SET_PROPERTY", "combined", True) == {"result": None}
        assert await both.ask("SET_PROPERTY", "combined", False) == {"result": None}
        world.pass_time(1)
        [wrapped], [event] = await raw.drain(), await both.drain()
        assert wrapped == {"stream": "btcusdt@miniTicker", "data": event}


async def test_several_raw_names_and_escaped_ones(world: World) -> None:
    name = "币安人生usdt@kline_1m@%2B08:00"
    async with world.spot(
        f"/ws/btcusdt@miniTicker/{name}".replace("币安人生", "%E5%B8%81%E5%AE%89%E4%BA%BA%E7%94%9F")
    ) as wire:
        listed = await wire.ask("LIST_SUBSCRIPTIONS")
        assert listed == {"result": ["btcusdt@miniTicker", "币安人生usdt@kline_1m@+08:00"]}
        world.pass_time(2)
        assert {event["s"] for event in await wire.drain()} == {"BTCUSDT", "币安人生USDT"}


@pytest.mark.parametrize("request_id", [1, -5, 2**63 - 1, "abc123", "a" * 36, None])
async def test_ids_are_echoed(world: World, request_id: Any) -> None:
    async with world.spot() as wire:
        await wire.socket.send(json.dumps({"method": "LIST_SUBSCRIPTIONS", "id": request_id}))
        assert await wire.receive() == {"result": [], "id": request_id}


MISTAKES: list[tuple[str, int, str]] = [
    ("{", 3, "Invalid JSON: expected value at line 1 column 2"),
    ("[]", 2, "Invalid request: missing field `method` at line 1 column 2"),
    ('{"id":1}', 2, "Invalid request: missing field `method` at line 1 column 8"),
    (
        '{"method":"SING","id":1}',
        2,
        f"Invalid request: unknown variant `SING`, expected one of {METHODS} at line 1 column 16",
    ),
    ('{"method":"LIST_SUBSCRIPTIONS"}', 2, BAD_ID),
    ('{"method":"LIST_SUBSCRIPTIONS","id":1.5}', 2, BAD_ID),
    ('{"method":"LIST_SUBSCRIPTIONS","id":true}', 2, BAD_ID),
    (
        '{"method":"LIST_SUBSCRIPTIONS","id":9223372036854775808}',
        2,
        BAD_ID,
    ),
    ('{"method":"LIST_SUBSCRIPTIONS","id":"a-b"}', 2, BAD_ID),
    ('{"method":"GET_PROPERTY","params":["speed"],"id":1}', 0, "Unknown property"),
    ('{"method":"GET_PROPERTY","params":[],"id":1}', 2, "Invalid request: property name must be a string"),
    ('{"method":"GET_PROPERTY","params":["combined",1],"id":1}', 2, "Invalid request: too many parameters"),
    ('{"method":"SET_PROPERTY","params":["combined",1],"id":1}', 1, "Invalid value type: expected Boolean"),
    ('{"method":"SET_PROPERTY","params":[1,true],"id":1}', 2, "Invalid request: property name must be a string"),
    ('{"method":"LIST_SUBSCRIPTIONS","params":["x"],"id":1}', 2, "Invalid request: too many parameters"),
    ('{"method":"SUBSCRIBE","id":1}', 2, "Invalid request: missing field `params` at line 1 column 29"),
]


@pytest.mark.parametrize(("text", "code", "message"), MISTAKES)
async def test_mistakes_are_answered_flat_on_spot_and_nested_on_futures(
    world: World, text: str, code: int, message: str
) -> None:
    async with world.spot() as spot, world.futures() as futures:
        await spot.socket.send(text)
        await futures.socket.send(text)
        flat, nested = await spot.receive(), await futures.receive()
        flat.pop("id", None)
        assert flat == {"code": code, "msg": message}
        assert nested["error"] == flat
        # The connection listings on.
        assert await spot.ask("LIST_SUBSCRIPTIONS") == {"result": []}


@pytest.mark.parametrize(
    "name", ["BTCUSDT@miniTicker", "btcusdt@minticker", "nobody@miniTicker", "btcusdt@depth@250ms", "btcusdt", "x@y@z"]
)
async def test_unknown_names_are_acknowledged_and_silent(world: World, name: str) -> None:
    async with world.spot("/stream") as spot, world.futures("/market/stream") as futures:
        for wire in (spot, futures):
            assert await wire.ask("SUBSCRIBE", name, "ethusdt@miniTicker") == {"result": None}
            assert await wire.ask("LIST_SUBSCRIPTIONS") == {"result": [name, "ethusdt@miniTicker"]}
            world.pass_time(4)
            assert {event["stream"] for event in await wire.drain()} == {"ethusdt@miniTicker"}


async def test_a_wrong_route_is_acknowledged_and_silent(world: World) -> None:
    names = ["btcusdt@bookTicker", "btcusdt@miniTicker"]
    heard: dict[str, set[str]] = {}
    for route in ("/public", "/market", ""):
        async with world.futures(f"{route}/stream?streams={'/'.join(names)}") as wire:
            assert await wire.ask("LIST_SUBSCRIPTIONS") == {"result": names}
            world.pass_time(4)
            heard[route] = {event["stream"] for event in await wire.drain()}
    assert heard == {"/public": {names[0]}, "/market": {names[1]}, "": {names[0]}}


async def test_streams_of_the_other_market_are_silent(world: World) -> None:
    async with world.futures("/market/stream?streams=btcusdt@avgPrice/btcusdt@trade") as wire:
        world.pass_time(60)
        assert await wire.drain() == []


@pytest.mark.parametrize("path", ["/", "/nowhere", "/public/ws", "/stream/btcusdt@trade", "/api/v3/ping"])
async def test_paths_that_lead_nowhere(world: World, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with world.spot(path):
            pass
    assert refused.value.response.status_code == 404


async def test_microseconds(world: World) -> None:
    path = "/stream?streams=btcusdt@aggTrade/btcusdt@kline_1m"
    async with world.spot(path) as usual, world.spot(f"{path}&timeUnit=MICROSECOND") as fine:
        world.pass_time(70)
        pairs = list(zip(await usual.drain(), await fine.drain(), strict=True))
    assert len(pairs) > 30
    for message, fine_message in pairs:
        assert fine_message["data"]["E"] == message["data"]["E"] * 1000
        if "k" in message["data"]:
            bar, fine_bar = message["data"]["k"], fine_message["data"]["k"]
            assert (fine_bar["t"], fine_bar["T"]) == (bar["t"] * 1000, bar["T"] * 1000 + 999)
            assert {**fine_bar, "t": 0, "T": 0} == {**bar, "t": 0, "T": 0}
        else:
            assert fine_message["data"]["T"] == message["data"]["T"] * 1000
    with pytest.raises(InvalidStatus) as refused:
        async with world.spot(f"{path}&timeUnit=SECOND"):
            pass
    assert refused.value.response.status_code == 400


async def test_a_binary_frame_is_refused(world: World) -> None:
    async with world.futures() as wire:
        await wire.socket.send(b'{"method":"LIST_SUBSCRIPTIONS","id":1}')
        with pytest.raises(ConnectionClosedError) as closed:
            await wire.receive()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


async def test_a_message_in_pieces(world: World) -> None:
    async with world.spot() as wire:
        await wire.socket.send(iter(['{"method":"LIST_', 'SUBSCRIPTIONS","id":1}']))
        assert await wire.receive() == {"result": [], "id": 1}


async def test_aiohttp_understands_it_too(world: World) -> None:
    url = f"{world.simulator.stream_url('spot')}/ws/btcusdt@aggTrade"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        await socket.send_json({"method": "LIST_SUBSCRIPTIONS", "id": 1})
        assert await socket.receive_json() == {"result": ["btcusdt@aggTrade"], "id": 1}
        world.pass_time(60)
        event = await socket.receive_json()
    rows = world.rest("/api/v3/aggTrades", symbol="BTCUSDT", fromId=event["a"], limit=1)
    assert {key: event[key] for key in rows[0]} == rows[0]
