"""Opens the streams of one client, and closes them with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from binance_sdk._runtime.ending import in_loop, to_the_end
from binance_sdk._runtime.fork import ProcessGuard, abandon, notify_after_fork
from binance_sdk._runtime.locks import new_lock
from binance_sdk._runtime.market import Market
from binance_sdk._runtime.stream.background_loop import BackgroundLoop, Work
from binance_sdk._runtime.stream.consumer import Consumer, Item, MakeReader, make_reader
from binance_sdk._runtime.stream.context import StreamContext
from binance_sdk._runtime.stream.options import StreamOptions, resolve_options
from binance_sdk._runtime.stream.stats import StreamStats
from binance_sdk.errors import ConfigError, ParameterError

T = TypeVar("T")


class StreamManager:
    """For asyncio: a stream runs in the event loop in which it is opened.

    Args:
        make_context: Called when the first stream is opened.
    """

    def __init__(self, make_context: Callable[[], StreamContext]) -> None:
        self._make_context = make_context
        self._context: StreamContext | None = None
        self._consumers: dict[Consumer, asyncio.AbstractEventLoop] = {}
        self._closed = False
        self._process = ProcessGuard()
        self._closed_counts: dict[frozenset[Market], StreamStats] = {}
        """Of the consumers that are closed, by the markets that they were opened for."""
        self._counting = new_lock()

    def counted(self) -> tuple[list[Consumer], dict[frozenset[Market], StreamStats]]:
        """Open consumers, and the counts of all, open or closed, by the markets that they were opened for.

        For any thread. No count ever goes down.
        """
        with self._counting:
            consumers = list(self._consumers)
            totals = {markets: replace(counts) for markets, counts in self._closed_counts.items()}
        for consumer in consumers:
            totals.setdefault(consumer.markets, StreamStats()).count_in(consumer.reader.stats)
        return consumers, totals

    async def open(self, items: Sequence[Item], options: StreamOptions, reader: MakeReader = make_reader) -> Consumer:
        """A consumer whose streams are connected and acknowledged.

        Args:
            items: The streams.
            options: Options of the consumer as a whole.
            reader: Makes what reads their messages.

        Raises:
            StreamError: they could not be opened.
            APIError: the handshake was refused with 429, 418, 403 or 451; ``retry_at`` says until when.
        """
        if self._closed:
            raise ConfigError("the client is closed; make a new one")
        self._process.check("an async client", "make a new one in the child")
        if not items:
            raise ParameterError("there is no stream to open; combine() at least one")
        if self._context is None:
            self._context = self._make_context()
        resolved = resolve_options([options, *(own for _, own in items)])
        consumer = Consumer(self._context, resolved, self._forget, reader)
        consumer.markets = frozenset(stream.operation.market for stream, _ in items)
        self._consumers[consumer] = asyncio.get_running_loop()
        try:
            await consumer.add(items)
        except BaseException:
            await consumer.aclose()
            raise
        return consumer

    def made(self, context: StreamContext) -> bool:
        """Whether its streams have this context."""
        return self._context is context

    @property
    def busy(self) -> bool:
        """Whether a stream is open."""
        return bool(self._consumers)

    def _forget(self, consumer: Consumer) -> None:
        with self._counting:
            if self._consumers.pop(consumer, None) is not None:
                self._closed_counts.setdefault(consumer.markets, StreamStats()).count_in(consumer.reader.stats)

    async def aclose(self) -> None:
        """Close every stream that is still open."""
        self._closed = True
        if self._process.is_child:
            return
        # Side by side, since closing takes its time where the peer is frozen.
        await to_the_end(*(in_loop(loop, consumer.aclose) for consumer, loop in list(self._consumers.items())))
        context, self._context = self._context, None
        if context is not None:
            await context.connector.aclose()


class BackgroundStreamManager:
    """For blocking clients: one thread with one event loop, started by the first stream and ended by the client.

    Args:
        make_context: Called when the first stream is opened.
    """

    def __init__(self, make_context: Callable[[], StreamContext]) -> None:
        self._make_context = make_context
        self._manager = StreamManager(make_context)
        self._loop = BackgroundLoop()
        notify_after_fork(self)

    def after_fork(self) -> None:
        """The thread runs in the parent, with its loop and all streams; here another one is started when needed."""
        abandon(self._manager, self._loop)
        self._manager = StreamManager(self._make_context)
        self._loop = BackgroundLoop(closed=self._loop.closed)

    @property
    def inner(self) -> StreamManager:
        """The manager in the thread, for work that ``run`` does there."""
        return self._manager

    def leave(self, work: Work[None]) -> None:
        """Have work done in the thread without waiting for it; see ``BackgroundLoop.leave``."""
        self._loop.leave(work)

    def run(self, work: Work[T], *, to_the_end: bool = False) -> T:
        """The result of work that is done in the background thread; see ``BackgroundLoop.run``.

        Raises:
            ConfigError: the client is closed.
        """
        return self._loop.run(work, to_the_end=to_the_end)

    def made(self, context: StreamContext) -> bool:
        """Whether its streams have this context."""
        return self._manager.made(context)

    @property
    def busy(self) -> bool:
        """Whether the thread runs, which it does from the first stream on."""
        return self._loop.busy

    def open(self, items: Sequence[Item], options: StreamOptions) -> Consumer:
        """As ``StreamManager.open``."""
        opened: list[Consumer] = []
        unwanted = False

        async def work() -> None:
            opened.append(await self._manager.open(items, options))
            if unwanted:
                await opened[0].aclose()

        try:
            self.run(work)
            return opened[0]
        except BaseException:
            # The wait was interrupted, perhaps after the stream was opened: then nobody else knows of the stream.
            unwanted = True
            for consumer in opened:
                self._loop.leave(consumer.aclose)
            raise

    def close(self) -> None:
        """Close every stream and end the thread.

        Raises:
            ConfigError: called by a hook in that thread.
        """
        self._loop.close(self._manager.aclose)
