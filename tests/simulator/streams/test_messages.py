"""Messages that are whole and wrong, refusals in detail, and pings in floods."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.frames import Opcode

from binance_sdk.simulator.streams import StreamFault

from .conftest import World

TRADES = "btcusdt@aggTrade"
ARRAY = "!miniTicker@arr"


async def next_of(world: World, wire: Any, name: str) -> Any:
    """The next message of a stream, as it came."""
    world.pass_time(5)
    return next(message for message in await wire.drain() if message.get("stream") == name)


async def drained(wire: Any) -> None:
    """Read until the connection says why it ended."""
    while True:
        await wire.socket.recv()


async def test_a_field_more_in_the_wrapper(world: World) -> None:
    async with world.wire("spot", "", [TRADES]) as wire:
        await wire.drain()
        world.simulator.add_fault("extra_field:count=1")
        message = await next_of(world, wire, TRADES)
    assert set(message) == {"stream", "data", "ts"}
    assert message["data"]["e"] == "aggTrade"


async def test_ids_from_the_future(world: World) -> None:
    async with world.wire("spot", "", [TRADES]) as wire:
        before = (await next_of(world, wire, TRADES))["data"]["a"]
        world.streams.faults.next(1, StreamFault.future_id())
        message = await next_of(world, wire, TRADES)
    assert message["data"]["a"] > before + 10**9
    assert message["data"]["f"] < 10**9


async def test_an_event_and_a_row_without_a_number(world: World) -> None:
    async with world.wire("spot", "", [TRADES, ARRAY]) as wire:
        await wire.drain()
        world.streams.faults.next(1, StreamFault.bad_event(), where=TRADES)
        world.streams.faults.next(1, StreamFault.bad_event(), where=ARRAY)
        world.pass_time(5)
        messages = await wire.drain()
    trade = next(message for message in messages if message["stream"] == TRADES)["data"]
    assert trade["p"] == ""
    assert trade["q"] != ""
    rows = next(message for message in messages if message["stream"] == ARRAY)["data"]
    assert [row for row in rows if row["c"] == ""] == [rows[len(rows) // 2]]


async def test_rows_of_coin_m_contracts(world: World) -> None:
    async with world.wire("futures", "market", [ARRAY, "!forceOrder@arr"]) as wire:
        await wire.drain()
        world.streams.carry_other_markets(False)
        world.streams.faults.add(StreamFault.coin_m())
        found: dict[str, list[Any]] = {ARRAY: [], "!forceOrder@arr": []}
        while not all(found.values()):
            world.pass_time(30)
            for message in await wire.drain():
                found[message["stream"]].append(message["data"])
    rows = found[ARRAY][0]
    assert [row["s"] for row in rows if row["st"] == 2] == ["BTCUSD_PERP"] == [rows[-1]["s"]]
    assert {row["st"] for row in rows[:-1]} == {1}
    orders = found["!forceOrder@arr"]
    assert [(order["st"], order["o"]["s"] == "BTCUSD_PERP") for order in orders[:2]] == [(1, False), (2, True)]


async def test_a_close_frame_has_code_and_reason(world: World) -> None:
    async with world.spot(f"/ws/{TRADES}") as wire:
        world.simulator.add_fault("close:code=1008,reason=too slow")
        world.pass_time(5)
        await wire.socket.wait_closed()
        with pytest.raises(ConnectionClosedError) as caught:
            await drained(wire)
    assert caught.value.rcvd is not None
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (1008, "too slow")


async def test_a_flood_of_pings(world: World) -> None:
    async with world.spot(f"/ws/{TRADES}") as wire:
        await wire.drain()
        seen: list[bytes] = []
        protocol = wire.socket.protocol
        receive = protocol.recv_frame

        def noted(frame: Any) -> None:
            if frame.opcode is Opcode.PING:
                seen.append(bytes(frame.data))
            receive(frame)

        protocol.recv_frame = noted
        world.streams.faults.next(1, StreamFault.pings(30))
        world.pass_time(5)
        assert json.loads(await wire.socket.recv())["e"] == "aggTrade"
    assert seen == [b"flood %d" % number for number in range(30)]


@pytest.mark.parametrize(
    ("fault", "status", "headers"),
    [
        (StreamFault.refuse(429, retry_after=30), 429, {"Retry-After": "30"}),
        (StreamFault.refuse(418, retry_after=0), 418, {"Retry-After": "0"}),
        (StreamFault.refuse(503), 503, {"Retry-After": "1"}),
        (StreamFault.refuse(451), 451, {}),
        (StreamFault.refuse(403), 403, {}),
    ],
)
async def test_refusals(world: World, fault: StreamFault, status: int, headers: dict[str, str]) -> None:
    world.streams.faults.next(1, fault)
    with pytest.raises(InvalidStatus) as caught:
        async with world.spot(f"/ws/{TRADES}"):
            pass
    assert caught.value.response.status_code == status
    given = caught.value.response.headers
    assert {name: given.get_all(name) for name in ("Retry-After",)} == {
        "Retry-After": [headers["Retry-After"]] if headers else []
    }
