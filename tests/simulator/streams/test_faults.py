"""Everything that can go wrong on demand."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus

from binance_sdk.simulator import SimulatorError
from binance_sdk.simulator.streams import StreamFault

from .conftest import World

TRADES = "btcusdt@aggTrade"


async def raw(wire: Any) -> list[str]:
    """Texts up to now, parsed or not."""
    await wire.socket.send('{"method":"GET_PROPERTY","params":["combined"],"id":"end"}')
    texts: list[str] = []
    while '"id":"end"' not in (text := await wire.socket.recv()):
        texts.append(text)
    return texts


async def ids(world: World, wire: Any) -> list[int]:
    world.pass_time(120)
    return [event["a"] for event in await wire.drain()]


async def test_exactly_the_next_ones_are_dropped(world: World) -> None:
    async with world.spot(f"/ws/{TRADES}") as wire:
        before = await ids(world, wire)
        world.streams.faults.next(2, StreamFault.drop(), where=TRADES)
        after = await ids(world, wire)
    assert after[0] == before[-1] + 3
    assert after == list(range(after[0], after[-1] + 1))
    assert world.streams.faults.injected == {"drop": 2}


async def test_duplicates_and_disorder(world: World) -> None:
    async with world.spot(f"/ws/{TRADES}") as wire:
        last = (await ids(world, wire))[-1]
        world.streams.faults.next(1, StreamFault.duplicate())
        assert (await ids(world, wire))[:3] == [last + 1, last + 1, last + 2]
        last = (await ids(world, wire))[-1]
        world.streams.faults.next(1, StreamFault.reorder())
        assert (await ids(world, wire))[:3] == [last + 2, last + 1, last + 3]


async def test_garbage_is_no_json_and_noise_costs_no_event(world: World) -> None:
    async with world.spot(f"/ws/{TRADES}") as wire:
        last = (await ids(world, wire))[-1]
        world.streams.faults.next(1, StreamFault.garbage())
        world.pass_time(120)
        texts = await raw(wire)
        with pytest.raises(ValueError, match=r"Unterminated|Expecting|delimiter"):
            json.loads(texts[0])
        assert json.loads(texts[1])["a"] == last + 2
        last = json.loads(texts[-1])["a"]
        world.streams.faults.next(1, StreamFault.noise())
        world.pass_time(120)
        texts = await raw(wire)
        with pytest.raises(ValueError, match="Expecting"):
            json.loads(texts[0])
        assert json.loads(texts[1])["a"] == last + 1


async def test_delayed_events_are_overtaken(world: World) -> None:
    async with world.spot(f"/ws/{TRADES}") as wire:
        last = (await ids(world, wire))[-1]
        world.streams.faults.next(1, StreamFault.delay(150))
        got = await ids(world, wire)
        assert last + 1 not in got
        later = await ids(world, wire)
        assert last + 1 in later
        assert later[0] == got[-1] + 1


async def test_shares_are_drawn_by_seed(world: World) -> None:
    stories: list[list[int]] = []
    for _ in range(2):
        world.clock.set(1_800_000_123_456)
        rule = world.streams.faults.add(StreamFault.drop(), where="spot.agg_trade", probability=0.5, seed=3)
        async with world.spot(f"/ws/{TRADES}") as wire:
            await wire.drain()
            world.pass_time(600)
            stories.append([event["a"] for event in await wire.drain()])
        world.streams.faults.remove(rule)
    assert stories[0] == stories[1]
    missing = stories[0][-1] - stories[0][0] + 1 - len(stories[0])
    assert 5 < missing < len(stories[0]) * 2


async def test_other_streams_are_left_alone(world: World) -> None:
    world.streams.faults.add(StreamFault.drop(), where=["ethusdt@*", "futures"])
    async with world.spot("/stream?streams=btcusdt@miniTicker/ethusdt@miniTicker") as wire:
        await wire.drain()
        world.pass_time(1)
        assert [event["stream"] for event in await wire.drain()] == ["btcusdt@miniTicker"]
        world.streams.faults.clear()
        world.pass_time(1)
        assert len(await wire.drain()) == 2


async def test_a_reset_in_place_of_an_event(world: World) -> None:
    world.streams.faults.next(1, StreamFault.abort(), where=TRADES)
    async with world.spot(f"/ws/{TRADES}") as wire:
        await wire.drain()
        world.pass_time(120)
        with pytest.raises(ConnectionClosedError) as closed:
            await wire.receive()
    # Nobody said goodbye.
    assert closed.value.rcvd is None
    async with world.spot(f"/ws/{TRADES}") as again:
        await again.drain()
        assert await ids(world, again)


async def test_all_connections_of_a_market_are_reset(world: World) -> None:
    async with world.spot() as spot, world.futures() as futures, world.futures() as other:
        for wire in (spot, futures, other):
            await wire.drain()
        assert world.streams.abort("futures") == 2
        for wire in (futures, other):
            with pytest.raises(ConnectionClosedError):
                await wire.receive()
        assert await spot.drain() == []


async def test_only_connections_with_a_stream_are_closed(world: World) -> None:
    async with world.spot(f"/ws/{TRADES}") as one, world.spot() as two:
        await one.drain()
        await two.drain()
        assert world.streams.hang_up(stream="btcusdt@*", code=1011, reason="sorry") == 1
        with pytest.raises(ConnectionClosed) as closed:
            await one.receive()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1011, "sorry")
        assert await two.drain() == []


async def test_a_frozen_connection_is_open_and_dumb(world: World) -> None:
    async with world.spot(f"/ws/{TRADES}") as wire:
        last = (await ids(world, wire))[-1]
        assert world.streams.freeze() == 1
        world.pass_time(120)
        pong = await wire.socket.ping()
        question = asyncio.create_task(wire.ask("LIST_SUBSCRIPTIONS"))
        world.pass_time(120)
        assert world.streams.counts("spot").open == 1
        assert not pong.done()
        assert not question.done()
        world.streams.thaw()
        assert await question == {"result": [TRADES]}
        await pong
        after = await ids(world, wire)
    assert after[0] > last + 1


async def test_freezing_in_place_of_an_event(world: World) -> None:
    async with world.spot(f"/ws/{TRADES}") as wire:
        first = await ids(world, wire)
        world.streams.faults.next(1, StreamFault.freeze())
        world.pass_time(120)
        world.streams.thaw()
        later = await ids(world, wire)
    assert later[0] > first[-1] + 1


async def test_the_server_warns_before_it_goes(world: World) -> None:
    async with world.spot(f"/ws/{TRADES}") as plain, world.spot("/stream") as combined:
        await plain.drain()
        await combined.drain()
        assert world.streams.shut_down(seconds=30) == 2
        now = world.clock.now_ms()
        assert await plain.drain() == [{"e": "serverShutdown", "E": now}]
        assert await combined.drain() == [{"stream": "!serverShutdown", "data": {"e": "serverShutdown", "E": now}}]
        world.pass_time(29)
        async with world.spot(f"/ws/{TRADES}") as fresh:
            await fresh.drain()
            world.pass_time(1)
            for wire in (plain, combined):
                await wire.socket.wait_closed()
                assert wire.socket.close_code == 1001
            assert await ids(world, fresh)


async def test_a_lost_subscription_and_a_muted_stream(world: World) -> None:
    names = ["btcusdt@miniTicker", "ethusdt@miniTicker"]
    path = f"/stream?streams={'/'.join(names)}"

    async def heard(wire: Any) -> list[str]:
        world.pass_time(1)
        return sorted(event["stream"] for event in await wire.drain())

    async with world.spot(path) as wire:
        await wire.drain()
        assert world.streams.forget(names[0]) == 1
        assert await heard(wire) == [names[1]]
        assert await wire.ask("LIST_SUBSCRIPTIONS") == {"result": names}
        async with world.spot(path) as fresh:
            await fresh.drain()
            assert await heard(fresh) == names
            world.streams.faults.mute(names[1])
            assert await heard(fresh) == [names[0]]
        async with world.spot(path) as fresh:
            await fresh.drain()
            assert await heard(fresh) == [names[0]]
            world.streams.faults.unmute()
            assert await heard(fresh) == names


async def test_connections_are_refused(world: World) -> None:
    world.streams.faults.next(2, StreamFault.refuse(503), where="futures")
    world.streams.faults.next(1, StreamFault.refuse(429), where="futures")
    statuses: list[int] = []
    for _ in range(3):
        with pytest.raises(InvalidStatus) as refused:
            async with world.futures():
                pass
        statuses.append(refused.value.response.status_code)
    assert statuses == [503, 503, 429]
    async with world.futures() as wire:
        assert await wire.drain() == []


async def test_faults_come_from_any_thread(world: World) -> None:
    async with world.spot(f"/ws/{TRADES}") as wire:
        await wire.drain()
        thread = threading.Thread(target=world.streams.abort)
        thread.start()
        with pytest.raises(ConnectionClosedError):
            await wire.receive()
        thread.join()


def test_rules_that_make_no_sense(world: World) -> None:
    faults = world.streams.faults
    with pytest.raises(SimulatorError, match="which fault"):
        faults.add()
    with pytest.raises(SimulatorError, match="add two rules"):
        faults.add(StreamFault.refuse(), StreamFault.drop())
    with pytest.raises(SimulatorError, match="from 0 to 1"):
        faults.add(StreamFault.drop(), probability=2)
    with pytest.raises(ValueError, match="must not be negative"):
        StreamFault.delay(-1)
    assert not faults.armed


def test_a_stopped_simulator_says_so(world: World) -> None:
    world.simulator.stop()
    with pytest.raises(SimulatorError, match="does not run"):
        world.streams.flush()
