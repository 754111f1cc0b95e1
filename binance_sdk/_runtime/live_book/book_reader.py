"""The end of a connection that serves books: every message is applied as soon as it has come, nobody waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any

from binance_sdk._runtime.ending import cancel
from binance_sdk._runtime.live_book.keeper import BookKeeper
from binance_sdk._runtime.stream.context import StreamContext
from binance_sdk._runtime.stream.notices import Notice, SilentStream
from binance_sdk._runtime.stream.options import ResolvedOptions
from binance_sdk._runtime.stream.reading.reader import Reader
from binance_sdk._runtime.stream.reading.subscription import Subscription
from binance_sdk.errors import BinanceError, StreamError

_BATCH = 128
"""Messages that are applied before others of the event loop come to their turn: those of some milliseconds."""


class BookReader(Reader):
    """Applies the messages of one consumer's streams to books.

    Args:
        keepers: The books by the name of their stream.
        context: What the streams of the client share.
        options: The consumer's options.
        pause: Stops (True) and resumes (False) reading from the connections.
    """

    def __init__(
        self,
        keepers: Mapping[bytes, BookKeeper],
        context: StreamContext,
        options: ResolvedOptions,
        pause: Callable[[bool], None],
    ) -> None:
        super().__init__(options, pause, clock=context.clock, rest=context.rest, notify=context.notify)
        self._keepers = keepers
        self._tasks: set[asyncio.Task[None]] = set()
        self._start(self._run(), "books")

    @property
    def keepers(self) -> list[BookKeeper]:
        """Its books, for any thread."""
        return list(self._keepers.values())

    def start(self) -> None:
        """Begin with the snapshots."""
        for keeper in self._keepers.values():
            self.start_one(keeper)

    def start_one(self, keeper: BookKeeper) -> None:
        """Begin with the snapshots of a book."""
        self._start(keeper.run(), f"book {keeper.symbol}")

    def in_background(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Have it done, no longer than until this is closed."""
        self._start(work, name)

    def _start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # No such error is known. If there is one, whoever reads the books must hear of it.
            failure = StreamError(f"{task.get_name()}: {type(error).__name__}: {error}")
            failure.__cause__ = error
            self.fail(failure)

    async def _run(self) -> None:
        while True:
            self._apply(_BATCH)
            if self.waiting:
                await asyncio.sleep(0)
                continue
            self.waiter = asyncio.get_running_loop().create_future()
            await self.waiter

    def _apply(self, count: int) -> None:
        """Apply at most so many of the messages that wait."""
        waiting, buffer, keepers, stats = self.waiting, self.buffer, self._keepers, self.stats
        now = self._now()
        while waiting and count:
            item = waiting.popleft()
            if type(item) is not tuple:
                # Told already, when it came.
                buffer.notices -= 1
                continue
            count -= 1
            subscription, payload, came = item
            if buffer.paused:
                buffer.taken(len(payload))
            keeper = keepers.get(subscription.id)
            if keeper is None:
                continue
            keeper.lag_ms = stats.lag_ms = (now - came) * 1000.0
            problem = keeper.take(payload, came)
            if problem:
                self.note_malformed(subscription.name, problem, payload)

    # ---------------------------------------------------------------------- the connection's side

    def add_notice(self, notice: Notice) -> None:
        """Tell it, and doubt a book of which nothing comes."""
        self.notices.announce(notice)
        if isinstance(notice, SilentStream):
            keeper = self._keepers.get(notice.stream.encode())
            if keeper is not None:
                keeper.silent()

    def connection_ready(self, subscriptions: Iterable[Subscription]) -> None:
        for keeper in self._of(subscriptions):
            keeper.connection_ready()

    def connection_lost(self, subscriptions: Iterable[Subscription]) -> None:
        # What it has brought comes before what the next one brings.
        self._apply(len(self.waiting))
        for keeper in self._of(subscriptions):
            keeper.connection_lost()

    def connection_replaced(self, subscriptions: Iterable[Subscription]) -> None:
        self._apply(len(self.waiting))
        for keeper in self._of(subscriptions):
            keeper.connection_replaced()

    def _of(self, subscriptions: Iterable[Subscription]) -> list[BookKeeper]:
        found = (self._keepers.get(subscription.id) for subscription in subscriptions)
        return [keeper for keeper in found if keeper is not None]

    # ----------------------------------------------------------------------------------------- ends

    def fail(self, error: BaseException) -> None:
        """No message comes any more."""
        failure = error if isinstance(error, BinanceError) else StreamError(f"{type(error).__name__}: {error}")
        # A book that fails is left out of them.
        for keeper in list(self._keepers.values()):
            keeper.fail(failure)

    async def aclose(self) -> None:
        for keeper in list(self._keepers.values()):
            keeper.close()
        try:
            await cancel(task for task in self._tasks if task is not asyncio.current_task())
        finally:
            await super().aclose()
