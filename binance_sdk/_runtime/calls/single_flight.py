"""One request for identical calls that are made at the same time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from binance_sdk._runtime.fork import abandon
from binance_sdk._runtime.locks import new_lock


class AsyncSingleFlight:
    """For the calls of an event loop. A request goes on for as long as any caller waits for it."""

    def __init__(self) -> None:
        self._tasks: dict[tuple[int, str], tuple[asyncio.Task[Any], list[int]]] = {}

    async def run(self, key: str, make: Callable[[], Awaitable[Any]]) -> tuple[Any, bool]:
        """The answer, and whether it came from another caller's request."""
        place = (id(asyncio.get_running_loop()), key)
        me = asyncio.current_task()
        for last in (False, False, True):
            found = self._tasks.get(place)
            shared = found is not None and not found[0].done()
            if found is None or found[0].done():
                task = asyncio.ensure_future(_run(make))
                found = (task, [0])
                self._tasks[place] = found
                task.add_done_callback(lambda done: self._forget(place, done))
            task, waiters = found
            waiters[0] += 1
            try:
                return await asyncio.shield(task), shared
            except asyncio.CancelledError:
                if last or not task.cancelled() or (me is not None and me.cancelling()):
                    raise
                # The request was cancelled, but this caller was not: ask again.
            finally:
                waiters[0] -= 1
                if not waiters[0] and not task.done():
                    # Nobody waits any more; the next caller must not find a request that is being cancelled.
                    self._forget(place, task)
                    task.cancel()
        raise AssertionError("the last attempt answers or raises")

    def after_fork(self) -> None:
        """The requests under way belong to the parent."""
        abandon(*self._tasks.values())
        self._tasks.clear()

    def _forget(self, place: tuple[int, str], task: asyncio.Future[Any]) -> None:
        found = self._tasks.get(place)
        if found is not None and found[0] is task:
            del self._tasks[place]


async def _run(make: Callable[[], Awaitable[Any]]) -> Any:
    return await make()


class _Flight:
    """A request under way. A ``Future`` that Ctrl-C meets while it tells its waiters cannot tell them again."""

    __slots__ = ("error", "interrupted", "over", "result")

    def __init__(self) -> None:
        self.over = threading.Event()
        self.result: Any = None
        self.error: Exception | None = None
        self.interrupted = False
        """The thread that made the request was; another one has to make it again."""


class ThreadSingleFlight:
    """For the threads of a blocking client."""

    def __init__(self) -> None:
        self._flights: dict[str, _Flight] = {}
        self._lock = new_lock()

    async def run(self, key: str, make: Callable[[], Awaitable[Any]]) -> tuple[Any, bool]:
        """The answer, and whether it came from another caller's request. Never suspends."""
        own = _Flight()
        # All of it in one ``try``: Ctrl-C may come at any call, and others would wait for ever.
        try:
            while True:
                with self._lock:
                    flight = self._flights.setdefault(key, own)
                if flight is own:
                    break
                flight.over.wait()
                if flight.error is not None:
                    raise flight.error
                if not flight.interrupted:
                    return flight.result, True
            own.result = await make()
            self._finish(key, own)
            return own.result, False
        except BaseException as error:
            own.interrupted = True
            if isinstance(error, Exception):
                own.error = error
            self._finish(key, own)
            raise

    def after_fork(self) -> None:
        """The requests under way belong to the parent, and would never end here."""
        self._flights.clear()

    def _finish(self, key: str, own: _Flight) -> None:
        with self._lock:
            if self._flights.get(key) is own:
                del self._flights[key]
        own.over.set()
