"""Answers kept for as long as the spec says they hold, and one request for all who ask the same at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from binance_sdk._runtime.candles import candle_end
from binance_sdk._runtime.fork import abandon
from binance_sdk._runtime.locks import new_lock
from binance_sdk._runtime.operation import Operation
from binance_sdk._runtime.options import Response
from binance_sdk._runtime.weight import Arguments

MAX_BYTES = 32 * 1024 * 1024
"""Bytes of answers (as they came) that a cache keeps at most."""
_OBJECT_FACTOR = 8
"""Decoded objects take about this many times the bytes of their JSON."""


def lifetime(operation: Operation[Any], given: Arguments, server_ms: int) -> float:
    """Seconds an answer holds: the spec's, but never beyond the close of the running candle."""
    seconds = float(operation.cache.seconds)
    interval = given.get(operation.cache.until_close_of or "")
    if isinstance(interval, str):
        seconds = min(seconds, (candle_end(interval, server_ms) - server_ms) / 1000)
    return seconds


@dataclass(frozen=True, slots=True)
class _Entry:
    response: Response[Any]
    expires: float


class AnswerCache:
    """Bounded by bytes and by time; thread-safe."""

    def __init__(self, timer: Callable[[], float]) -> None:
        from cachetools import TLRUCache

        self._timer = timer
        self._entries: TLRUCache[str, _Entry] = TLRUCache(
            maxsize=MAX_BYTES,
            ttu=lambda key, entry, now: entry.expires,
            timer=timer,
            getsizeof=lambda entry: _OBJECT_FACTOR * len(entry.response.content) + 1000,
        )
        self._lock = new_lock()

    def get(self, key: str) -> Response[Any] | None:
        with self._lock:
            entry = self._entries.get(key)
        return entry.response if entry is not None else None

    def put(self, key: str, response: Response[Any], seconds: float) -> None:
        if seconds <= 0:
            return
        entry = _Entry(response, self._timer() + seconds)
        with self._lock:
            try:
                self._entries[key] = entry
            except ValueError:
                # Larger than the whole cache: not kept, which is no error.
                return

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()


class AsyncFlights:
    """Requests under way in one event loop. The request lives as long as one of its waiters does."""

    def __init__(self) -> None:
        self._tasks: dict[tuple[int, str], tuple[asyncio.Task[Any], list[int]]] = {}

    async def fly(self, key: str, make: Callable[[], Awaitable[Any]]) -> tuple[Any, bool]:
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


class ThreadFlights:
    """Requests under way in the threads of a blocking client."""

    def __init__(self) -> None:
        self._futures: dict[str, Future[Any]] = {}
        self._lock = new_lock()

    async def fly(self, key: str, make: Callable[[], Awaitable[Any]]) -> tuple[Any, bool]:
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
