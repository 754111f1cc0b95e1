"""Exchanges whose streams come from a simulator of their own, with a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from binance_sdk.simulator import ManualClock, Simulator
from tests.virtuoso.conftest import NOW, Build, exchanges_with_streams

Holds = Callable[[], object]


@pytest.fixture
def clock() -> ManualClock:
    """The exchange's."""
    return ManualClock(NOW)


@pytest.fixture
def own_simulator(clock: ManualClock) -> Any:
    """One for this test alone."""
    with Simulator(clock=clock, history_days=35) as running:
        yield running


@pytest.fixture
async def build() -> AsyncIterator[Build]:
    async with exchanges_with_streams() as build_one:
        yield build_one


@pytest.fixture
async def exchange(build: Build, own_simulator: Simulator) -> Any:
    return await build(own_simulator)


async def eventually(holds: Holds) -> None:
    """Return when it holds: what the simulator sends needs a moment to come through real sockets."""
    for _ in range(4000):
        if holds():
            return
        await asyncio.sleep(0.005)
    pytest.fail("it never came about")


async def pass_time(simulator: Simulator, clock: ManualClock, seconds: float, step: float = 3.0) -> None:
    """Let the exchange's clock go on, and everything that is due be sent."""
    end = clock.now_ms() + round(seconds * 1000)
    while clock.now_ms() < end:
        clock.set(min(end, clock.now_ms() + round(step * 1000)))
        simulator.streams.flush()
        await asyncio.sleep(0)
