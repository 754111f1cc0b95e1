"""A clock that moves when the test says so."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count


class ManualClock:
    """Monotonic time from 1000 s, wall time from 1 700 000 000 s; both move together."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = count()

    def time(self) -> float:
        return 1_700_000_000.0 + self.now

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._numbers), sleeper))
        await sleeper

    def waker(self) -> ManualWaker:
        return ManualWaker(self)

    def may_block(self) -> bool:
        return False

    async def advance(self, seconds: float, step: float = 0.25) -> None:
        """Let time pass in small steps, and everybody act in between, the network included."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + step)
            while self._sleepers and self._sleepers[0][0] <= self.now:
                sleeper = heapq.heappop(self._sleepers)[2]
                if not sleeper.done():
                    sleeper.set_result(None)
            for _ in range(3):
                await asyncio.sleep(0.0005)


class ManualWaker:
    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._event = asyncio.Event()

    def wake(self) -> None:
        self._event.set()

    async def wait(self, seconds: float) -> None:
        timer = asyncio.ensure_future(self._clock.sleep(seconds))
        woken = asyncio.ensure_future(self._event.wait())
        try:
            await asyncio.wait((timer, woken), return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            woken.cancel()
        self._event.clear()
