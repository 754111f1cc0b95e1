"""A simulator whose time the test moves, and its book after every update id."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from binance_sdk._runtime.stream.connection.pacing import Backoff
from binance_sdk.simulator import ManualClock, Simulator

from .truth import Truth
from .world import World

START = 1_700_000_000_000


@dataclass
class Exchange:
    """A simulator, and its time."""

    simulator: Simulator
    clock: ManualClock

    @property
    def faults(self) -> Any:
        """What goes wrong with streams."""
        return self.simulator.streams.faults

    def truth(self, market: Any, symbol: str) -> Truth:
        return Truth(self.simulator, market, symbol)

    async def run(self, until: Callable[[], bool], *, step: float = 0.1, most: int = 3000) -> None:
        """Let time pass until something holds."""
        for _ in range(most):
            if until():
                return
            self.clock.advance(step)
            await asyncio.sleep(0.004)
        pytest.fail("it never came about")

    async def during(self, work: Awaitable[Any], *, step: float = 0.1) -> Any:
        """Let time pass until some work is done."""
        task = asyncio.ensure_future(work)
        try:
            await self.run(task.done, step=step)
        finally:
            if not task.done():
                task.cancel()
        return await task


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    clock = ManualClock(START)
    with Simulator(clock=clock) as simulator:
        yield Exchange(simulator, clock)


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts follow each other at once."""

    def pause(backoff: Backoff) -> float:
        return 0.005

    monkeypatch.setattr(Backoff, "pause", pause)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    made.task.cancel()
    await asyncio.gather(made.task, return_exceptions=True)
