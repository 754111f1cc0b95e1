"""One request for all who ask the same at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any

from binance_sdk._runtime.fork import abandon
from binance_sdk._runtime.locks import new_lock


class AsyncSingleFlight:
    """Requests under way in one event loop. The request lives as long as one of its waiters does."""

    def __init__(self) -> None:
        self._tasks: dict[tuple[int, str], tuple[asyncio.Task[Any], list[int]]] = {}

    async def run(self, key: str, make: Callable[[], Awaitable[Any]]) -> tuple[Any, bool]:
        """The answer, and whether it was somebody else's request."""
        place = (id(asyncio.get_running_loop()), key)
        me = asyncio.current_task()
        for last in (False, False, True):
            found = self._tasks.get(place)
            shared = found is not None and not found[0].done()
            if found is None or found[0].done():
                task = asyncio.ensure_future(_run(make))
                found = (task, [0])
                self._tasks[place] = found
                task.add_done_callback(lambda done: self._land(place, done))
            task, waiters = found
            waiters[0] += 1
            try:
                return await asyncio.shield(task), shared
            except asyncio.CancelledError:
                if last or not task.cancelled() or (me is not None and me.cancelling()):
                    raise
                # Somebody ended the request, and nobody us: ask again.
            finally:
                waiters[0] -= 1
                if not waiters[0] and not task.done():
                    # Nobody wants the answer any more, and who comes next shall not find a request that is ending.
                    self._land(place, task)
                    task.cancel()
        raise AssertionError("the last attempt answers or raises")

    def after_fork(self) -> None:
        """Whoever flies does so in the parent."""
        abandon(*self._tasks.values())
        self._tasks.clear()

    def _land(self, place: tuple[int, str], task: asyncio.Future[Any]) -> None:
        found = self._tasks.get(place)
        if found is not None and found[0] is task:
            del self._tasks[place]


async def _run(make: Callable[[], Awaitable[Any]]) -> Any:
    return await make()


class _Abandoned(Exception):
    """The thread that asked was interrupted; somebody else has to ask again."""


class ThreadSingleFlight:
    """Requests under way in the threads of a blocking client."""

    def __init__(self) -> None:
        self._futures: dict[str, Future[Any]] = {}
        self._lock = new_lock()

    async def run(self, key: str, make: Callable[[], Awaitable[Any]]) -> tuple[Any, bool]:
        """The answer, and whether it was somebody else's request. Never suspends."""
        while True:
            with self._lock:
                future = self._futures.get(key)
                if future is None:
                    own = self._futures[key] = Future[Any]()
                    break
            try:
                return future.result(), True
            except _Abandoned:
                continue
        try:
            result = await make()
        except Exception as error:
            self._finish(key)
            own.set_exception(error)
            raise
        except BaseException:
            self._finish(key)
            own.set_exception(_Abandoned())
            raise
        self._finish(key)
        own.set_result(result)
        return result, False

    def after_fork(self) -> None:
        """Whoever flies does so in the parent: nobody here would ever land."""
        self._futures.clear()

    def _finish(self, key: str) -> None:
        with self._lock:
            self._futures.pop(key, None)
