"""Opens streams for a client, and closes them with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from binance_sdk._runtime.fork import ProcessGuard, abandon, notify_after_fork
from binance_sdk._runtime.stream.background_loop import BackgroundLoop, Work
from binance_sdk._runtime.stream.choices import together
from binance_sdk._runtime.stream.consumer import Item, Opened
from binance_sdk._runtime.stream.context import Parts
from binance_sdk._runtime.stream.options import StreamOptions
from binance_sdk.errors import ConfigError, ParameterError

T = TypeVar("T")


class Opener:
    """For asyncio: everything runs in the loop of who opens a stream."""

    def __init__(self, parts: Callable[[], Parts]) -> None:
        self._make = parts
        self._parts: Parts | None = None
        self._opened: dict[Opened, asyncio.AbstractEventLoop] = {}
        self._closed = False
        self._process = ProcessGuard()

    async def open(self, items: Sequence[Item], options: StreamOptions) -> Opened:
        """Streams whose connections are open and acknowledged.

        Raises:
            StreamError: they could not be opened.
            APIError: the handshake was refused with 429, 418, 403 or 451; ``retry_at`` says until when.
        """
        if self._closed:
            raise ConfigError("the client is closed; make a new one")
        self._process.check("an async client", "make a new one in the child")
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

    def made(self, parts: Parts) -> bool:
        """Whether its streams are made of these."""
        return self._parts is parts

    @property
    def busy(self) -> bool:
        """Whether a stream is open."""
        return bool(self._opened)

    def _forget(self, opened: Opened) -> None:
        self._opened.pop(opened, None)

    async def aclose(self) -> None:
        """Close what is still open."""
        self._closed = True
        if self._process.is_child:
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
        self._background = BackgroundLoop()
        notify_after_fork(self)

    def after_fork(self) -> None:
        """The thread runs in the parent, with its loop and all streams; another one is started here when needed."""
        abandon(self._inner, self._background)
        self._inner = Opener(self._make)
        self._background = BackgroundLoop(closed=self._background.closed)

    def run(self, work: Work[T], *, to_the_end: bool = False) -> T:
        """The result of work that is done in the background thread; see ``BackgroundLoop.run``.

        Raises:
            ConfigError: the client is closed.
        """
        return self._background.run(work, to_the_end=to_the_end)

    def made(self, parts: Parts) -> bool:
        """Whether its streams are made of these."""
        return self._inner.made(parts)

    @property
    def busy(self) -> bool:
        """Whether the thread runs, which it does from the first stream on."""
        return self._background.busy

    def open(self, items: Sequence[Item], options: StreamOptions) -> Opened:
        made: list[Opened] = []
        unwanted = False

        async def work() -> None:
            made.append(await self._inner.open(items, options))
            if unwanted:
                await made[0].aclose()

        try:
            self.run(work)
            return made[0]
        except BaseException:
            # Interrupted, when it may have been opened already: nobody else knows of it.
            unwanted = True
            for opened in made:
                self._background.leave(opened.aclose)
            raise

    def close(self) -> None:
        """Close every stream and end the thread.

        Raises:
            ConfigError: called by a hook in that thread.
        """
        self._background.close(self._inner.aclose)
