"""Recorded traffic and floods."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from shared_facts import FACTS, needs_facts

from binance_sdk.simulator import SimulatorError

from .conftest import World


def line(at: float, stream: str, **data: Any) -> str:
    return json.dumps({"received_at": at, "message": {"stream": stream, "data": data}})


LINES = [
    line(10.0, "btcusdt@trade", n=1),
    line(10.5, "ethusdt@trade", n=2),
    line(11.0, "btcusdt@trade", n=3),
    line(14.0, "retired@stream", n=4),
]


async def test_a_recording_is_played_by_the_clock(world: World) -> None:
    async with world.spot("/stream?streams=btcusdt@trade/ethusdt@trade") as wire:
        await wire.drain()
        playing = world.streams.replay(LINES, market="spot", speed=2.0)
        assert [event["data"] for event in await wire.drain()] == [{"n": 1}]
        world.pass_time(0.25)
        assert [event["data"] for event in await wire.drain()] == [{"n": 2}]
        world.pass_time(0.249)
        assert await wire.drain() == []
        world.pass_time(0.001)
        assert await wire.drain() == [{"stream": "btcusdt@trade", "data": {"n": 3}}]
        assert not playing.over
        world.pass_time(1.5)
        assert playing.wait(5)
        assert (playing.sent, playing.unheard) == (3, 1)
        # Then the market speaks again.
        world.pass_time(60)
        assert {event["data"]["e"] for event in await wire.drain()} == {"trade"}


async def test_a_stopped_replay(world: World) -> None:
    async with world.spot("/stream?streams=btcusdt@trade") as wire:
        await wire.drain()
        playing = world.streams.replay(LINES, market="spot")
        playing.stop()
        assert await asyncio.to_thread(playing.wait, 5)
        await wire.drain()
        world.pass_time(60)
        assert all("e" in event["data"] for event in await wire.drain())


async def test_a_stream_that_only_the_recording_knows(world: World) -> None:
    async with world.spot("/stream") as wire:
        await wire.drain()
        playing = world.streams.replay(LINES, market="spot", speed=1.0)
        assert await wire.ask("SUBSCRIBE", "retired@stream") == {"result": None}
        world.pass_time(4)
        assert [event["data"] for event in await wire.drain()] == [{"n": 4}]
        assert playing.over


def messages_of(path: Path) -> list[Any]:
    return [json.loads(text)["message"] for text in path.read_text("utf-8").splitlines()]


@needs_facts
@pytest.mark.parametrize("market", ["spot", "futures"])
async def test_real_traffic_comes_out_as_it_was(world: World, market: str) -> None:
    path: Path = FACTS / "recorded" / market / "ws.jsonl"
    recorded = messages_of(path)
    names = sorted({message["stream"] for message in recorded})
    routes = [""] if market == "spot" else ["public", "market"]
    heard: list[Any] = []
    first, *others = [world.wire(market, route, names) for route in routes]
    async with first as wire:
        await wire.drain()
        if not others:
            assert world.streams.replay(path, market=market, speed=None).wait(30)
            assert await wire.drain() == recorded
            return
        async with others[0] as other:
            await other.drain()
            assert world.streams.replay(path, market=market, speed=None).wait(30)
            heard = [*await wire.drain(), *await other.drain()]
    assert sorted(map(json.dumps, heard)) == sorted(map(json.dumps, recorded))


def test_lines_that_are_no_recording(world: World) -> None:
    with pytest.raises(ValueError, match="line 2"):
        world.streams.replay([LINES[0], '{"message": 1}'], market="spot")
    with pytest.raises(ValueError, match="above 0"):
        world.streams.replay(LINES, market="spot", speed=0)


@pytest.mark.parametrize("market", ["spot", "futures"])
async def test_a_flood_is_whole(world: World, market: str) -> None:
    async with world.wire(market, "market", ["btcusdt@aggTrade"]) as wire:
        await wire.drain()
        playing = world.streams.flood("btcusdt@aggTrade", 3_000, market=market, first_id=70)
        ids = [(await wire.receive())["data"]["a"] for _ in range(3_000)]
        assert ids == list(range(70, 3_070))
        assert await asyncio.to_thread(playing.wait, 5)
        assert playing.sent == 3_000


def test_a_flood_of_nothing(world: World) -> None:
    with pytest.raises(SimulatorError, match="btcusdt@aggTrade"):
        world.streams.flood("btcusdt@depth", 5, market="spot")
    assert world.streams.flood("btcusdt@aggTrade", 5, market="spot").wait(5)
