"""One request for identical calls that are made at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
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


class _InterruptedError(Exception):
    """The thread that made the request was interrupted; another one has to make it again."""


class ThreadSingleFlight:
    """For the threads of a blocking client."""

    def __init__(self) -> None:
        self._futures: dict[str, Future[Any]] = {}
        self._lock = new_lock()

    async def run(self, key: str, make: Callable[[], Awaitable[Any]]) -> tuple[Any, bool]:
        """The answer, and whether it came from another caller's request. Never suspends."""
        while True:
            with self._lock:
                future = self._futures.get(key)
                if future is None:
                    own = self._futures[key] = Future[Any]()
                    break
            try:
                return future.result(), True
            except _InterruptedError:
                continue
        try:
            result = await make()
        except Exception as error:
            self._finish(key)
            own.set_exception(error)
            raise
        except BaseException:
            self._finish(key)
            own.set_exception(_InterruptedError())
            raise
        self._finish(key)
        own.set_result(result)
        return result, False

    def after_fork(self) -> None:
        """The requests under way belong to the parent, and would never end here."""
        self._futures.clear()

    def _finish(self, key: str) -> None:
        with self._lock:
            self._futures.pop(key, None)
