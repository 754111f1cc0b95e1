"""A thread with an event loop, for blocking code. The code that waits for it may be interrupted at any moment."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from typing import Any, Generic, TypeVar

from binance_sdk._runtime.locks import new_lock
from binance_sdk._runtime.transport.reasons import reason
from binance_sdk.errors import ConfigError, StreamError

T = TypeVar("T")
Work = Callable[[], Coroutine[Any, Any, T]]
"""Makes a coroutine in the thread that runs it: one that was made before could be left behind by an interrupt."""


class _Job(Generic[T]):
    """Work for the other thread, and its result.

    The result is waited for with a bare lock, which is one step. A ``Future`` waits in several, and an interrupt
    between two of them would be raised as another error.
    """

    def __init__(self, work: Work[T], promised: set[asyncio.Task[Any]] | None = None) -> None:
        self._work = work
        self._promised = promised
        self._task: asyncio.Task[T] | None = None
        self._unwanted = False
        self._pending = threading.Lock()
        self._pending.acquire()

    def start(self) -> None:
        """Called in the thread of the loop; only the first call starts it."""
        if self._unwanted or self._task is not None:
            return
        self._task = asyncio.get_running_loop().create_task(self._run(), name="for another thread")
        self._task.add_done_callback(self._over)
        if self._promised is not None:
            self._promised.add(self._task)
            self._task.add_done_callback(self._promised.discard)

    async def _run(self) -> T:
        return await self._work()

    def _over(self, task: asyncio.Task[T]) -> None:
        if not task.cancelled():
            # Nobody may be waiting any more, and asyncio warns of an exception that nobody reads.
            task.exception()
        self._pending.release()

    def result(self) -> T:
        """The result, when there is one.

        Raises:
            CancelledError: the work was cancelled from elsewhere.
        """
        with self._pending:
            task = self._task
        if task is None or task.cancelled():
            raise CancelledError
        return task.result()

    def cancel(self) -> None:
        """Called in the thread of the loop."""
        self._unwanted = True
        if self._task is not None:
            self._task.cancel()


class BackgroundLoop:
    """The thread: started by the first work, ended by ``close``."""

    def __init__(self, *, closed: bool = False) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ending: _Job[None] | None = None
        self._promised: set[asyncio.Task[Any]] = set()
        """Work that is done to the end, even if nobody waits for it."""
        self._lock = new_lock()
        self.closed = closed

    @property
    def busy(self) -> bool:
        """Whether the thread runs."""
        return self._loop is not None

    def run(self, work: Work[T], *, to_the_end: bool = False) -> T:
        """The result of work that is done in the thread.

        Args:
            work: Cancelled if the wait for it is interrupted, e.g. by Ctrl-C.
            to_the_end: Go on with it even if the wait is interrupted.

        Raises:
            ConfigError: closed, or called in that thread.
            StreamError: the machine has no thread or no file descriptor left.
            CancelledError: closed meanwhile.
        """
        self._check_thread()
        loop, job = self._running(), _Job(work, self._promised if to_the_end else None)
        try:
            loop.call_soon_threadsafe(job.start)
            return job.result()
        except BaseException:
            if not to_the_end:
                _call_soon(loop, job.cancel)
            raise

    def leave(self, work: Work[None]) -> None:
        """Have it done without waiting for it. Nothing happens if the thread has ended, and all work with it."""
        if self._loop is not None:
            _call_soon(self._loop, _Job(work, self._promised).start)

    def _check_thread(self) -> None:
        if threading.current_thread() is self._thread:
            # It would wait for itself.
            raise ConfigError(
                "a hook that runs in the thread of a blocking client's streams cannot open, change or close them: "
                "it would wait for itself; do it in another thread"
            )

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self.closed:
                raise ConfigError("the client is closed; make a new one")
            if self._loop is None:
                self._start()
            assert self._loop is not None
            return self._loop

    def _start(self) -> None:
        try:
            loop = asyncio.new_event_loop()
        except OSError as error:
            raise StreamError(f"no event loop for streams: {reason(error, None).text}") from error
        thread = threading.Thread(target=loop.run_forever, name="binance-sdk streams", daemon=True)
        self._loop, self._thread = loop, thread
        try:
            thread.start()
        except RuntimeError as error:
            self._loop = self._thread = None
            loop.close()
            raise StreamError(f"no thread for streams: {error}") from error

    def close(self, last: Work[None]) -> None:
        """Do the last work and end the thread. If the call is interrupted, call it again: it waits for the same end.

        Raises:
            ConfigError: called in that thread.
        """
        self._check_thread()
        with self._lock:
            self.closed = True
            loop, thread = self._loop, self._thread
            if loop is None or thread is None:
                return
            if self._ending is None:
                self._ending = _Job(lambda: _end(last, self._promised))
            _call_soon(loop, self._ending.start)
        try:
            self._ending.result()
        finally:
            thread.join()
            self._loop = self._thread = None
            loop.close()


def _call_soon(loop: asyncio.AbstractEventLoop, function: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):
        # The loop has ended, and all work with it.
        loop.call_soon_threadsafe(function)


async def _end(last: Work[None], promised: set[asyncio.Task[Any]]) -> None:
    loop = asyncio.get_running_loop()
    try:
        await asyncio.gather(*promised, return_exceptions=True)
        await last()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        await loop.shutdown_asyncgens()
        await loop.shutdown_default_executor()
    finally:
        # Two steps later, so that whoever waits for this is woken before the loop stops.
        loop.call_soon(loop.call_soon, loop.stop)
