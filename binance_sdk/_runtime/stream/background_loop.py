"""A thread with an event loop, for blocking code; whoever waits for it may be interrupted at any moment."""

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
"""Makes a coroutine, in the thread that runs it: one that was made before could be left behind by an interrupt."""


class _Job(Generic[T]):
    """Work on its way through the other thread, and its result on the way back.

    A bare lock, for waiting on it is one step: a ``Future`` waits in several, and an interrupt between two of them
    would come out as another error.
    """

    def __init__(self, work: Work[T], promised: set[asyncio.Task[Any]] | None = None) -> None:
        self._work = work
        self._promised = promised
        self._task: asyncio.Task[T] | None = None
        self._unwanted = False
        self._pending = threading.Lock()
        self._pending.acquire()

    def start(self) -> None:
        """In the thread of the loop; once, however often it is asked for."""
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
            # It may be that nobody asks any more.
            task.exception()
        self._pending.release()

    def result(self) -> T:
        """Waits for it.

        Raises:
            CancelledError: it was cancelled by somebody else.
        """
        with self._pending:
            task = self._task
        if task is None or task.cancelled():
            raise CancelledError
        return task.result()

    def cancel(self) -> None:
        """In the thread of the loop."""
        self._unwanted = True
        if self._task is not None:
            self._task.cancel()


class BackgroundLoop:
    """Started by the first work and ended by ``close``."""

    def __init__(self, *, closed: bool = False) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ending: _Job[None] | None = None
        self._promised: set[asyncio.Task[Any]] = set()
        """What is done to the end, whoever waits for it."""
        self._lock = new_lock()
        self.closed = closed

    @property
    def busy(self) -> bool:
        """Whether the thread runs."""
        return self._loop is not None

    def run(self, work: Work[T], *, to_the_end: bool = False) -> T:
        """The result of work that is done in the thread.

        Args:
            work: Is cancelled where the wait for it is interrupted, by Ctrl-C say.
            to_the_end: Go on with it even then.

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
                _notify(loop, job.cancel)
            raise

    def leave(self, work: Work[None]) -> None:
        """Have it done, without waiting; nothing where the thread has ended, and all work with it."""
        if self._loop is not None:
            _notify(self._loop, _Job(work, self._promised).start)

    def _check_thread(self) -> None:
        if threading.current_thread() is self._thread:
            # It would wait for itself.
            raise ConfigError(
                "streams of a blocking client are not opened, changed or closed by its own hooks and on_notice, which "
                "run where they are read; do it in another thread"
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
        """Do this, and end the thread; interrupted, it can be called again, and waits for the same end.

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
            _notify(loop, self._ending.start)
        try:
            self._ending.result()
        finally:
            thread.join()
            self._loop = self._thread = None
            loop.close()


def _notify(loop: asyncio.AbstractEventLoop, what: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):
        # A loop that has ended has ended everything.
        loop.call_soon_threadsafe(what)


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
        # After those who wait for this have been told.
        loop.call_soon(loop.call_soon, loop.stop)
