"""The only place that reads the time or waits, so that tests can hand in another one."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Protocol


class Waker(Protocol):
    """One sleeper that others may wake, from any thread."""

    def wake(self) -> None: ...

    async def wait(self, seconds: float) -> None:
        """Until woken, or ``seconds`` have passed (infinity: until woken)."""
        ...


class Clock(Protocol):
    """Wall time in seconds since the epoch, monotonic time in seconds, and waiting."""

    def time(self) -> float: ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...

    def waker(self) -> Waker: ...


class AsyncClock:
    """Waits without blocking the event loop."""

    monotonic = staticmethod(time.monotonic)
    """Read several times in every call, so without a function of ours in between."""

    def time(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def waker(self) -> Waker:
        return _AsyncWaker()


class BlockingClock(AsyncClock):
    """Waits by blocking the thread; nothing here suspends, so ``drive`` can run code that awaits it."""

    async def sleep(self, seconds: float) -> None:
        time.sleep(seconds)  # noqa: ASYNC251 - blocking is what it is for

    def waker(self) -> Waker:
        return _ThreadWaker()


class _AsyncWaker:
    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._event = asyncio.Event()

    def wake(self) -> None:
        try:
            if threading.get_ident() == self._thread:
                self._event.set()
            else:
                self._loop.call_soon_threadsafe(self._event.set)
        except RuntimeError:
            # The loop has ended, and its sleepers with it.
            return

    async def wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(None if seconds == float("inf") else max(0.0, seconds)):
                await self._event.wait()
        except TimeoutError:
            pass
        self._event.clear()


class _ThreadWaker:
    def __init__(self) -> None:
        self._event = threading.Event()

    def wake(self) -> None:
        self._event.set()

    async def wait(self, seconds: float) -> None:
        self._event.wait(None if seconds == float("inf") else max(0.0, seconds))
        self._event.clear()
