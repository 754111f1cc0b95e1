"""The rules of connections: how fast, how many, how old; and pings."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from .conftest import World


async def end_of(wire: Any) -> tuple[int, str, list[Any]]:
    """Close code, reason, and what came before."""
    messages: list[Any] = []
    try:
        while True:
            messages.append(await wire.receive())
    except ConnectionClosed:
        return wire.socket.close_code, wire.socket.close_reason, messages


@pytest.mark.parametrize(("market", "allowed"), [("spot", 5), ("futures", 10)])
async def test_too_many_messages_end_the_connection(strict: World, market: str, allowed: int) -> None:
    async with strict.spot() if market == "spot" else strict.futures() as wire:
        for number in range(allowed + 1):
            await wire.socket.send(f'{{"method":"LIST_SUBSCRIPTIONS","id":{number}}}')
        code, reason, messages = await end_of(wire)
    assert (code, reason) == (1008, "Too many requests")
    assert [message["id"] for message in messages] == list(range(allowed))
    assert strict.streams.counts(market).over_limit == 1


async def test_pings_and_pongs_count(strict: World) -> None:
    async with strict.spot() as wire:
        for _ in range(2):
            await wire.socket.ping()
            await wire.socket.pong()
        await wire.socket.send('{"method":"LIST_SUBSCRIPTIONS","id":1}')
        await wire.socket.pong()
        code, _, messages = await end_of(wire)
    assert code == 1008
    assert messages == [{"result": [], "id": 1}]


@pytest.mark.parametrize("market", ["spot", "futures"])
async def test_too_many_streams(strict: World, market: str) -> None:
    names = [f"s{number}usdt@miniTicker" for number in range(1025)]
    async with strict.spot() if market == "spot" else strict.futures() as wire:
        assert await wire.ask("SUBSCRIBE", *names[:1024]) == {"result": None}
        answer = await wire.ask("SUBSCRIBE", names[1024])
        if market == "spot":
            assert answer == {"code": 4, "msg": "Too many subscriptions"}
            assert len((await wire.ask("LIST_SUBSCRIPTIONS"))["result"]) == 1024
        else:
            assert answer == {"error": {"code": 4, "msg": "Too many subscriptions"}}
            assert (await end_of(wire))[:2] == (1008, "Invalid request")


async def test_too_many_connections(strict: World) -> None:
    strict.streams.limits["spot"].connections = 3
    for _ in range(3):
        async with strict.spot():
            pass
    with pytest.raises(InvalidStatus) as refused:
        async with strict.spot():
            pass
    assert refused.value.response.status_code == 429
    assert strict.streams.counts("spot").refused == 1
    strict.streams.reset_limits()
    async with strict.spot() as wire:
        await wire.drain()
        assert strict.streams.counts("spot").accepted == 4


async def test_a_connection_grows_old(strict: World) -> None:
    async with strict.spot() as wire:
        await wire.drain()
        strict.pass_time(86_399)
        assert await wire.drain() == []
        strict.pass_time(1)
        assert (await end_of(wire))[0] == 1001


async def test_the_age_can_be_set(strict: World) -> None:
    strict.streams.limits["futures"].max_age = 5.0
    async with strict.futures() as wire:
        await wire.drain()
        strict.pass_time(5)
        assert (await end_of(wire))[0] == 1001


async def test_server_pings_are_answered_by_any_client(strict: World) -> None:
    strict.streams.limits["spot"].pong_deadline = 0.2
    async with strict.spot() as wire:
        await wire.drain()
        before = strict.streams.counts("spot").received
        assert strict.streams.ping() == 1
        # The ping comes before the first answer, so the pong is there before the second question.
        await wire.drain()
        await wire.drain()
        assert strict.streams.counts("spot").received == before + 3


async def test_who_answers_no_ping_is_closed(strict: World) -> None:
    strict.streams.limits["spot"].pong_deadline = 0.01
    host, _, port = strict.simulator.stream_url("spot").removeprefix("ws://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        key = "dGhlIHNhbXBsZSBub25jZQ=="
        writer.write(
            f"GET /ws HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        await reader.readuntil(b"\r\n\r\n")
        while not strict.streams.ping():  # noqa: ASYNC110 - nobody tells when the server is ready
            await asyncio.sleep(0)
        ping = await reader.readexactly(2)
        assert ping[0] == 0x89
        assert (await reader.readexactly(ping[1])).isdigit()
        close = await reader.readexactly(4)
        assert close[0] == 0x88
        assert int.from_bytes(close[2:4], "big") == 1008
    finally:
        writer.close()
        await writer.wait_closed()


async def test_pings_come_by_themselves(strict: World) -> None:
    strict.streams.limits["futures"].ping_interval = 0.001
    async with strict.futures() as wire:
        while strict.streams.counts("futures").received < 2:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
        await wire.socket.close()


async def test_stopping_does_not_wait_for_clients(strict: World) -> None:
    async with strict.spot("/ws/btcusdt@miniTicker") as wire:
        await wire.drain()
        strict.simulator.stop()
        with pytest.raises(ConnectionClosed):
            await wire.receive()
