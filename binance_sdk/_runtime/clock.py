"""The only module that reads the time or waits, so that tests can use another clock."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from binance_sdk._runtime.locks import new_lock

A = TypeVar("A")
T = TypeVar("T")


class Waker(Protocol):
    """Something to wait on that any thread may wake."""

    def wake(self) -> None: ...

    async def wait(self, seconds: float) -> None:
        """Return when woken, or after ``seconds`` (infinity: only when woken)."""
        ...


class Clock(Protocol):
    """Wall time in seconds since the epoch, monotonic time in seconds, and waiting."""

    def time(self) -> float: ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...

    def waker(self) -> Waker: ...

    def may_block(self) -> bool:
        """Whether the caller's thread may be held up by something that nobody can end from outside."""
        ...


class AsyncClock:
    """Waits without blocking the event loop."""

    monotonic = staticmethod(time.monotonic)
    """Read several times in each call, so it is the function itself."""

    def time(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def waker(self) -> Waker:
        return _AsyncWaker()

    def may_block(self) -> bool:
        return False


class BlockingClock(AsyncClock):
    """Waits by blocking the thread. Nothing in it suspends, so ``drive`` can run code that awaits it."""

    async def sleep(self, seconds: float) -> None:
        stop = StopSignal.current()
        if stop is None:
            time.sleep(seconds)  # noqa: ASYNC251 - it is meant to block
        elif stop.wait(seconds):
            raise CallGivenUpError

    def waker(self) -> Waker:
        return _ThreadWaker()

    def may_block(self) -> bool:
        return StopSignal.current() is None


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
            # The event loop is closed, and whoever waited in it is gone.
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
        self._stop = StopSignal.current()

    def wake(self) -> None:
        self._event.set()

    async def wait(self, seconds: float) -> None:
        longest = None if seconds == float("inf") else max(0.0, seconds)
        if self._stop is None:
            self._event.wait(longest)
        else:
            with self._stop.waking(self._event):
                self._event.wait(longest)
            self._stop.check()
        self._event.clear()


class CallGivenUpError(BaseException):
    """Ends a blocking call that is no longer wanted, like ``CancelledError``; no caller ever sees it."""


class StopSignal:
    """Ends the waiting of blocking calls in other threads, which cannot be cancelled like tasks."""

    _in_thread = threading.local()

    def __init__(self) -> None:
        self._lock = new_lock()
        self._given = threading.Event()
        self._waiting: set[threading.Event] = set()

    @classmethod
    def current(cls) -> StopSignal | None:
        """The signal of the call that runs in this thread."""
        found: StopSignal | None = getattr(cls._in_thread, "signal", None)
        return found

    def run(self, call: Callable[[A], T], argument: A) -> T:
        """Run ``call(argument)`` in this thread; when the signal is given, its waiting ends."""
        self.check()
        StopSignal._in_thread.signal = self
        try:
            return call(argument)
        finally:
            del StopSignal._in_thread.signal

    def set(self) -> None:
        """Give the signal."""
        with self._lock:
            self._given.set()
            for event in self._waiting:
                event.set()

    def check(self) -> None:
        """Raise CallGivenUpError if the signal was given."""
        if self._given.is_set():
            raise CallGivenUpError

    def wait(self, seconds: float) -> bool:
        """Wait for so many seconds; True if the signal was given."""
        return self._given.wait(seconds)

    @contextmanager
    def waking(self, event: threading.Event) -> Generator[None, None, None]:
        """Set ``event`` as well if the signal is given during the block."""
        with self._lock:
            self._waiting.add(event)
            if self._given.is_set():
                event.set()
        try:
            yield
        finally:
            with self._lock:
                self._waiting.discard(event)
