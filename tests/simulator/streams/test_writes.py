"""How events get into the socket: together, complete and in order."""

from __future__ import annotations

from typing import Any

import pytest

from binance_sdk.simulator.streams.connection import StreamConnection

from .conftest import World


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The size of each piece that was given to a transport."""
    sizes: list[int] = []
    made = StreamConnection.connection_made

    def connection_made(self: StreamConnection, transport: Any) -> None:
        write = transport.write

        def counted(data: bytes) -> None:
            sizes.append(len(data))
            write(data)

        transport.write = counted
        made(self, transport)

    monkeypatch.setattr(StreamConnection, "connection_made", connection_made)
    return sizes


async def test_the_events_of_a_jump_of_the_clock_are_written_together(world: World, writes: list[int]) -> None:
    # One by one they cost time that grows with their square from Python 3.12 on.
    async with world.wire("spot", "", ["btcusdt@depth@100ms", "btcusdt@avgPrice", "btcusdt@trade"]) as wire:
        await wire.drain()
        writes.clear()
        world.pass_time(600)
        events = await wire.drain()
    assert len(events) > 200
    assert len(writes) < 10
    assert sum(writes) > 500_000
    ids = [event["data"]["u"] for event in events if event["stream"] == "btcusdt@depth@100ms"]
    assert ids == sorted(ids)


async def test_a_close_comes_after_the_events_before_it(world: World) -> None:
    limits = world.simulator.streams.limits["spot"]
    limits.max_age = 10
    async with world.wire("spot", "", ["btcusdt@depth@100ms"]) as wire:
        world.pass_time(60)
        events = [event async for event in wire.socket]
    assert len(events) >= 98
    assert wire.socket.close_code == 1001
