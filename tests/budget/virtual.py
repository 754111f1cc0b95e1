"""Event loops on virtual time: it passes at once when every task sleeps, so waiting a minute costs nothing."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from binance_sdk._runtime.clock import AsyncClock

T = TypeVar("T")

START = 1_790_000_100.0
"""Start of a UTC minute that is also the start of five minutes."""
_IDLE = 5.0


class _Jump(selectors.SelectSelector):
    """Instead of sleeping, lets the time of its loop pass."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.naps = 0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            # Only another thread can help; if none does, the test hangs, and says so.
            ready = super().select(_IDLE)
            assert ready, "everybody waits and nothing will ever happen"
            return ready
        self.now += timeout
        self.naps += 1
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Shows ``START`` when it begins."""

    def __init__(self, start: float = START) -> None:
        self.jump = _Jump()
        self.jump.now = start
        super().__init__(self.jump)
        # A nanosecond is nothing beside the seconds since the epoch: what is due at that very moment would never be.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self.jump.now


class VirtualClock(AsyncClock):
    """The time of the running virtual loop; the wall clock may be off and may be set."""

    def __init__(self) -> None:
        self.wall_ahead = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        loop = asyncio.get_running_loop()
        return loop.time()

    def time(self) -> float:
        return self.monotonic() + self.wall_ahead

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(seconds)


def run(coroutine: Coroutine[Any, Any, T], start: float = START) -> T:
    """``asyncio.run`` on a virtual loop."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(start)) as runner:
        return runner.run(coroutine)


def now() -> float:
    return asyncio.get_running_loop().time()
