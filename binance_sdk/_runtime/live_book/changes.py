"""What changed in a book, for those who follow it. Whoever is slow gets several updates as one, and loses nothing."""

from __future__ import annotations

import asyncio
import weakref
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Self, TypeAlias

from binance_sdk._runtime.book.messages import LevelText, Update
from binance_sdk._runtime.live_book.keeper import BookKeeper
from binance_sdk._runtime.live_book.reading import BookLevel
from binance_sdk._runtime.live_book.surroundings import Listener
from binance_sdk.errors import BinanceError, StreamError
from binance_sdk.events import BookResynced

_MOST_UNMERGED = 64
_MOST_RESYNCS = 100


@dataclass(frozen=True, slots=True)
class BookChange:
    """What changed in a book since the change before.

    Attributes:
        symbol: Of which book.
        update_id: The book's update id after it.
        updates: Messages of the exchange in it: more than one where the consumer is slower than they come.
        complete_to: Last known price of bids and of asks; what lies behind it is left out.
    """

    symbol: str
    update_id: int
    updates: int
    complete_to: tuple[Decimal | None, Decimal | None]
    _bids: Sequence[LevelText] = field(repr=False)
    _asks: Sequence[LevelText] = field(repr=False)

    @property
    def bids(self) -> list[BookLevel]:
        """Changed bids with their new quantities; 0 where the level is gone."""
        end = self.complete_to[0]
        return [level for level in map(BookLevel, self._bids) if end is None or level.price >= end]

    @property
    def asks(self) -> list[BookLevel]:
        """Changed asks with their new quantities; 0 where the level is gone."""
        end = self.complete_to[1]
        return [level for level in map(BookLevel, self._asks) if end is None or level.price <= end]


BookItem: TypeAlias = BookChange | BookResynced
"""What following a book gives: after a ``BookResynced`` the whole book may be another, so read it again."""


class _Pending(Listener):
    """What one follower has not taken yet of one book."""

    def __init__(self, keeper: BookKeeper, queue: _Queue) -> None:
        self.keeper = keeper
        self._queue = queue
        self._resyncs: deque[BookResynced] = deque(maxlen=_MOST_RESYNCS)
        self._updates: list[Update] = []
        self._count = 0

    def changed(self, update: Update) -> None:
        self._updates.append(update)
        self._count += 1
        if len(self._updates) > _MOST_UNMERGED:
            self._updates = [_merged(self._updates)]
        self._queue.put(self)

    def resynced(self, event: BookResynced) -> None:
        # What changed before is part of what is to be read again.
        self._updates, self._count = [], 0
        self._resyncs.append(event)
        self._queue.put(self)

    def ended(self) -> None:
        self._queue.put(self)

    def take(self) -> BookItem | None:
        if self._resyncs:
            return self._resyncs.popleft()
        if not self._updates:
            return None
        updates, count = self._updates, self._count
        self._updates, self._count = [], 0
        update = updates[0] if len(updates) == 1 else _merged(updates)
        complete_to = self.keeper.core.complete_to
        return BookChange(self.keeper.symbol, update.last_id, count, complete_to, update.bids, update.asks)


def _merged(updates: Sequence[Update]) -> Update:
    sides: list[list[LevelText]] = []
    for levels in (
        (level for update in updates for level in update.bids),
        (level for update in updates for level in update.asks),
    ):
        latest: dict[str, LevelText] = {}
        for level in levels:
            # At the end: one price may be written in two ways, and the later quantity is the one that counts.
            latest.pop(level[0], None)
            latest[level[0]] = level
        sides.append(list(latest.values()))
    first, last = updates[0], updates[-1]
    return Update(first.first_id, last.last_id, first.previous_id, *sides)


class _Queue:
    """The books that have something to take, in the order in which it came."""

    def __init__(self) -> None:
        self.ready: dict[_Pending, None] = {}
        self.waiter: asyncio.Future[None] | None = None

    def put(self, pending: _Pending) -> None:
        self.ready[pending] = None
        waiter, self.waiter = self.waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)


class BookChanges:
    """Changes of one or of many books, for ``async for``: ``BookChange``, and ``BookResynced`` where one was lost.

    It begins with the first update after it was made. A consumer that is slower than the exchange gets several updates
    as one, so it never falls behind by more than the levels of the books.
    """

    def __init__(self, keepers: Iterable[BookKeeper]) -> None:
        self._queue = _Queue()
        self._pending = [_Pending(keeper, self._queue) for keeper in keepers]
        for pending in self._pending:
            pending.keeper.add_listener(pending)
        # Whoever leaves the loop does not say so.
        self._detach = weakref.finalize(self, _detach, self._pending)
        self._detach.atexit = False
        self._closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> BookItem:
        queue = self._queue
        while not self._closed:
            while queue.ready:
                pending = next(iter(queue.ready))
                del queue.ready[pending]
                item = pending.take()
                if item is not None:
                    # Behind the others, if there is more of it.
                    queue.ready[pending] = None
                    return item
            self._check_not_over()
            if queue.waiter is not None:
                raise StreamError("two tasks follow the same changes at once; call updates() for each")
            queue.waiter = asyncio.get_running_loop().create_future()
            try:
                await queue.waiter
            finally:
                queue.waiter = None
        raise StopAsyncIteration

    def _check_not_over(self) -> None:
        """End the iteration when nothing can come any more."""
        keepers = [pending.keeper for pending in self._pending]
        if any(keeper.error is None and not keeper.closed for keeper in keepers):
            return
        errors: list[BinanceError] = [keeper.error for keeper in keepers if keeper.error is not None]
        if errors and not any(keeper.closed for keeper in keepers):
            raise errors[0]
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Follow them no more."""
        self._closed = True
        self._detach()
        if self._queue.waiter is not None and not self._queue.waiter.done():
            self._queue.waiter.set_result(None)


def _detach(pending: Iterable[_Pending]) -> None:
    for listener in pending:
        listener.keeper.remove_listener(listener)
