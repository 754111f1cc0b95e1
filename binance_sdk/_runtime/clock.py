"""The only place that reads the time or waits, so that tests can hand in another one."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Wall time in seconds since the epoch, monotonic time in seconds, and waiting."""

    def time(self) -> float: ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class AsyncClock:
    """Waits without blocking the event loop."""

    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class BlockingClock(AsyncClock):
    """Waits by blocking the thread; ``sleep`` never suspends, so ``drive`` can run code that awaits it."""

    async def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
