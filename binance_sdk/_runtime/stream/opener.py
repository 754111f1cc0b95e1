"""Opens streams for a client, and closes them with it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from binance_sdk._runtime.locks import new_lock
from binance_sdk._runtime.process import Home, abandon, tell_of_fork
from binance_sdk._runtime.stream.choices import together
from binance_sdk._runtime.stream.opened import Item, Opened
from binance_sdk._runtime.stream.options import StreamOptions
from binance_sdk._runtime.stream.parts import Parts
from binance_sdk.errors import ConfigError, ParameterError

T = TypeVar("T")


class Opener:
    """For asyncio: everything runs in the loop of who opens a stream."""

    def __init__(self, parts: Callable[[], Parts]) -> None:
        self._make = parts
        self._parts: Parts | None = None
        self._opened: dict[Opened, asyncio.AbstractEventLoop] = {}
        self._closed = False
        self._home = Home()

    async def open(self, items: Sequence[Item], options: StreamOptions) -> Opened:
        """Streams whose connections are open and acknowledged.

        Raises:
            StreamError: they could not be opened.
            APIError: the handshake was refused with 429, 418, 403 or 451; ``retry_at`` says until when.
        """
        if self._closed:
            raise ConfigError("the client is closed; make a new one")
        self._home.check("an async client", "make a new one in the child")
        if not items:
            raise ParameterError("there is no stream to open; combine() at least one")
        if self._parts is None:
            self._parts = self._make()
        choices = together([options, *(own for _, own in items)])
        opened = Opened(self._parts, choices, self._forget)
        self._opened[opened] = asyncio.get_running_loop()
        try:
            await opened.add(items)
        except BaseException:
            await opened.aclose()
            raise
        return opened

    @property
    def busy(self) -> bool:
        """Whether a stream is open."""
        return bool(self._opened)

    def _forget(self, opened: Opened) -> None:
        self._opened.pop(opened, None)

    async def aclose(self) -> None:
        """Close what is still open."""
        self._closed = True
        if self._home.left:
            return
        here = asyncio.get_running_loop()
        # Side by side: a frozen peer takes its time.
        await asyncio.gather(
            *(
                opened.aclose()
                if loop is here
                else asyncio.wrap_future(asyncio.run_coroutine_threadsafe(opened.aclose(), loop))
                for opened, loop in list(self._opened.items())
                if loop is here or loop.is_running()
            )
        )
        parts, self._parts = self._parts, None
        if parts is not None:
            await parts.connector.aclose()


class BackgroundOpener:
    """For blocking clients: one thread with one loop, started by the first stream and ended by the client."""

    def __init__(self, parts: Callable[[], Parts]) -> None:
        self._make = parts
        self._inner = Opener(parts)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = new_lock()
        self._closed = False
        tell_of_fork(self)

    def after_fork(self) -> None:
        """The thread runs in the parent, with its loop and all streams; another one is started here when needed."""
        abandon(self._inner, self._loop, self._thread)
        self._inner = Opener(self._make)
        self._loop = self._thread = None

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine that runs in the background thread.

        Raises:
            ConfigError: the client is closed.
        """
        try:
            self._check_thread()
            loop = self._running()
        except BaseException:
            work.close()
            raise
        future = asyncio.run_coroutine_threadsafe(work, loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def _check_thread(self) -> None:
        if threading.current_thread() is self._thread:
            # It would wait for itself.
            raise ConfigError(
                "streams of a blocking client are not opened, changed or closed by its own hooks and on_notice, which "
                "run where they are read; do it in another thread"
            )

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._closed:
                raise ConfigError("the client is closed; make a new one")
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="binance-sdk streams", daemon=True)
                self._thread.start()
            return self._loop

    @property
    def busy(self) -> bool:
        """Whether the thread runs, which it does from the first stream on."""
        return self._loop is not None

    def open(self, items: Sequence[Item], options: StreamOptions) -> Opened:
        return self.run(self._inner.open(items, options))

    def close(self) -> None:
        """Close every stream and end the thread.

        Raises:
            ConfigError: called by a hook in that thread.
        """
        self._check_thread()
        with self._lock:
            self._closed = True
            loop, self._loop = self._loop, None
            thread, self._thread = self._thread, None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(_finish(self._inner), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _finish(opener: Opener) -> None:
    await opener.aclose()
    loop = asyncio.get_running_loop()
    rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()
