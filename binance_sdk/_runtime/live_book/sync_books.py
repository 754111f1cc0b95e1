"""Live books for blocking code: the asynchronous ones, kept by the background thread of the client's streams."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError
from functools import partial
from types import TracebackType
from typing import Self

from typing_extensions import Unpack

from binance_sdk._runtime.calls.caller import SyncCaller
from binance_sdk._runtime.live_book.books_by_symbol import BooksBySymbol
from binance_sdk._runtime.live_book.changes import BookChanges, BookItem
from binance_sdk._runtime.live_book.group import BookGroup, BooksProgress
from binance_sdk._runtime.live_book.keeper import BookKeeper
from binance_sdk._runtime.live_book.reading import CheckedReading
from binance_sdk._runtime.live_book.settings import BookOptions, BookProcedure, check_settings
from binance_sdk._runtime.live_book.verification import Verification, verify
from binance_sdk._runtime.stream.background_loop import Work
from binance_sdk._runtime.stream.manager import BackgroundStreamManager
from binance_sdk.errors import ConfigError


class SyncBookChanges:
    """Changes of one or of many books, for ``for``: ``BookChange``, and ``BookResynced`` where one was lost.

    For one thread at a time. A consumer that is slower than the exchange gets several updates as one.
    """

    def __init__(self, manager: BackgroundStreamManager, keepers: Callable[[], Iterable[BookKeeper]]) -> None:
        self._manager = manager
        self._changes = manager.run(partial(_follow, keepers))
        self._taken: deque[BookItem] = deque()
        """Filled by the background thread, so that nothing is lost when this one is interrupted."""
        self._taking = asyncio.Lock()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> BookItem:
        if not self._taken:
            try:
                self._manager.run(self._take)
            except (CancelledError, ConfigError):
                # The client was closed.
                raise StopIteration from None
            if not self._taken:
                raise StopIteration
        return self._taken.popleft()

    async def _take(self) -> None:
        async with self._taking:
            if self._taken:
                # A call that was interrupted had asked before.
                return
            try:
                self._taken.append(await anext(self._changes))
            except StopAsyncIteration:
                return

    def close(self) -> None:
        """Follow them no more."""
        _run_to_the_end(self._manager, self._changes.aclose)


async def _follow(keepers: Callable[[], Iterable[BookKeeper]]) -> BookChanges:
    return BookChanges(keepers())


def _run_to_the_end(manager: BackgroundStreamManager, work: Work[None]) -> None:
    try:
        manager.run(work, to_the_end=True)
    except ConfigError:
        # The client was closed before, and every book with it.
        return


def _open(group: BookGroup, manager: BackgroundStreamManager, work: Work[object]) -> None:
    try:
        manager.run(work)
    except BaseException:
        # The wait may have been interrupted after they were opened.
        manager.leave(group.aclose)
        raise


class SyncLiveBook(CheckedReading):
    """An order book that follows the exchange's, blocking. Made by the client; opened by ``with`` or ``open``.

    Reading levels or figures raises ``BookNotSyncedError`` while they may not be the exchange's: ``wait_synced`` waits
    for them, and ``last_known`` has them nevertheless. Any thread may read.
    """

    def __init__(self, group: BookGroup, symbol: str, manager: BackgroundStreamManager) -> None:
        super().__init__(partial(group.keeper, symbol), group.now)
        self._group = group
        self._symbol = symbol
        self._manager = manager

    @property
    def symbol(self) -> str:
        """Its symbol."""
        return self._symbol

    def open(self) -> Self:
        """Open it without ``with``, and call ``close()`` afterwards; returns when it is synced.

        Raises:
            StreamError: no connection.
            BadRequestError: there is no such symbol.
            BinanceError: the first snapshot could not be fetched, for another reason.
        """
        _open(self._group, self._manager, self._open_in_thread)
        return self

    async def _open_in_thread(self) -> None:
        await self._group.open(self._manager.inner)
        try:
            await self._keeper.wait_synced(patient=False)
        except BaseException:
            await self._group.aclose()
            raise

    def wait_synced(self, timeout: float | None = None) -> None:
        """Return when it is synced.

        Args:
            timeout: Seconds; None waits for however long it takes.

        Raises:
            BookNotSyncedError: not in time.
            BinanceError: it has ended; why.
        """
        keeper = self._keeper
        self._manager.run(lambda: keeper.wait_synced(timeout))

    def updates(self) -> SyncBookChanges:
        """What changes from now on, for ``for``: ``BookChange``, and ``BookResynced`` where it was lost.

        After a ``BookResynced`` the whole book may be another, so read it again. A consumer that is slower than the
        exchange gets several updates as one.
        """
        return SyncBookChanges(self._manager, lambda: [self._keeper])

    def verify(self) -> Verification:
        """Compare it with a fresh snapshot, which costs the weight of one, or of two where the first one differs.

        A book that differs is lost, and starts from another snapshot.

        Returns:
            At which update id, and every level that differs.

        Raises:
            BookNotSyncedError: it is not synced, or was lost meanwhile.
            BinanceError: no snapshot could be fetched.
        """
        keeper = self._keeper
        return self._manager.run(lambda: verify(keeper))

    def close(self) -> None:
        """Follow the exchange no more."""
        if self._group.opened:
            _run_to_the_end(self._manager, lambda: self._group.close_one(self._symbol))

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._symbol})"


class SyncLiveBooks(BooksBySymbol[SyncLiveBook]):
    """Many order books on as few connections as the limits allow, blocking: a mapping of symbols to books.

    Made by the client; opened by ``with`` or ``open``. Their snapshots come one after the other, within the share of
    the weight that they may take; ``progress`` says how far they are. Any thread may read.
    """

    def __init__(self, group: BookGroup, manager: BackgroundStreamManager) -> None:
        super().__init__(group, lambda symbol: SyncLiveBook(group, symbol, manager))
        self._manager = manager

    def open(self) -> Self:
        """Open them without ``with``, and call ``close()`` afterwards; does not wait for the snapshots.

        Raises:
            StreamError: no connection.
        """
        _open(self._group, self._manager, lambda: self._group.open(self._manager.inner))
        return self

    def add(self, *symbols: str) -> None:
        """Keep the books of more symbols; one that has ended with an error begins anew. Does not wait for snapshots.

        Args:
            *symbols: Symbols, e.g. BTCUSDT.

        Raises:
            ParameterError: one of them is no symbol.
            StreamError: the books are not open, or the exchange refused.
        """
        self._hold(self._manager.run(lambda: self._group.add(symbols)))

    @property
    def progress(self) -> BooksProgress:
        """How many are synced, whose snapshots have to wait for their turn, and for how long."""

        async def read() -> BooksProgress:
            return self._group.progress

        # There, since the queue may be used in the loop of the background thread alone.
        return self._manager.run(read)

    def wait_synced(self, timeout: float | None = None) -> None:
        """Return when each is synced, or has ended with one of ``errors``.

        Args:
            timeout: Seconds; None waits for however long it takes.

        Raises:
            BookNotSyncedError: not in time; it names the first of those that are not synced.
        """
        self._manager.run(lambda: self._group.wait_synced(timeout))

    def updates(self) -> SyncBookChanges:
        """What changes from now on in those that are here now, for ``for``; each item has its ``symbol``.

        After a ``BookResynced`` the whole book may be another, so read it again. A consumer that is slower than the
        exchange gets several updates of a book as one. Books that end with an error are left out.
        """
        return SyncBookChanges(self._manager, self._keepers)

    def close(self) -> None:
        """Follow the exchange no more."""
        if self._group.opened:
            _run_to_the_end(self._manager, self._group.aclose)

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def live_book(
    procedure: BookProcedure,
    caller: SyncCaller,
    manager: BackgroundStreamManager,
    symbol: str,
    **settings: Unpack[BookOptions],
) -> SyncLiveBook:
    """A book that is not opened yet.

    Raises:
        ParameterError: an argument is wrong.
    """
    checked = check_settings(procedure, (symbol,), **settings)
    group = BookGroup(procedure, checked, caller.inner, blocking=True)
    return SyncLiveBook(group, group.symbols[0], manager)


def live_books(
    procedure: BookProcedure,
    caller: SyncCaller,
    manager: BackgroundStreamManager,
    symbols: Iterable[str],
    **settings: Unpack[BookOptions],
) -> SyncLiveBooks:
    """Books that are not opened yet.

    Raises:
        ParameterError: an argument is wrong.
    """
    checked = check_settings(procedure, symbols, **settings)
    return SyncLiveBooks(BookGroup(procedure, checked, caller.inner, blocking=True), manager)
