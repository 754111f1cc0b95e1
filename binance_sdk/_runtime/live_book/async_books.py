"""Live books for asyncio: ``async with client.spot.order_book("BTCUSDT") as book``."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from types import TracebackType
from typing import Self

from typing_extensions import Unpack

from binance_sdk._runtime.calls.caller import AsyncCaller
from binance_sdk._runtime.live_book.books_by_symbol import BooksBySymbol
from binance_sdk._runtime.live_book.changes import BookChanges
from binance_sdk._runtime.live_book.group import BookGroup, BooksProgress
from binance_sdk._runtime.live_book.reading import CheckedReading
from binance_sdk._runtime.live_book.settings import BookOptions, BookProcedure, check_settings
from binance_sdk._runtime.live_book.verification import Verification, verify
from binance_sdk._runtime.stream.manager import StreamManager


class LiveBook(CheckedReading):
    """An order book that follows the exchange's. Made by the client; opened by ``async with`` or ``open``.

    Reading levels or figures raises ``BookNotSyncedError`` while they may not be the exchange's: ``wait_synced`` waits
    for them, and ``last_known`` has them nevertheless.
    """

    def __init__(self, group: BookGroup, symbol: str, manager: StreamManager) -> None:
        super().__init__(partial(group.keeper, symbol), group.now)
        self._group = group
        self._symbol = symbol
        self._manager = manager

    @property
    def symbol(self) -> str:
        """Its symbol."""
        return self._symbol

    async def open(self) -> Self:
        """Open it without ``async with``, and call ``aclose()`` afterwards; returns when it is synced.

        Raises:
            StreamError: no connection.
            BadRequestError: there is no such symbol.
            BinanceError: the first snapshot could not be fetched, for another reason.
        """
        await self._group.open(self._manager)
        try:
            await self._keeper.wait_synced(patient=False)
        except BaseException:
            await self._group.aclose()
            raise
        return self

    async def wait_synced(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as the blocking one
        """Return when it is synced.

        Args:
            timeout: Seconds; None waits for however long it takes.

        Raises:
            BookNotSyncedError: not in time.
            BinanceError: it has ended; why.
        """
        await self._keeper.wait_synced(timeout)

    def updates(self) -> BookChanges:
        """What changes from now on, for ``async for``: ``BookChange``, and ``BookResynced`` where it was lost.

        After a ``BookResynced`` the whole book may be another, so read it again. A consumer that is slower than the
        exchange gets several updates as one.
        """
        return BookChanges([self._keeper])

    async def verify(self) -> Verification:
        """Compare it with a fresh snapshot, which costs the weight of one, or of two where the first one differs.

        A book that differs is lost, and starts from another snapshot.

        Returns:
            At which update id, and every level that differs.

        Raises:
            BookNotSyncedError: it is not synced, or was lost meanwhile.
            BinanceError: no snapshot could be fetched.
        """
        return await verify(self._keeper)

    async def aclose(self) -> None:
        """Follow the exchange no more."""
        await self._group.close_one(self._symbol)

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._symbol})"


class LiveBooks(BooksBySymbol[LiveBook]):
    """Many order books on as few connections as the limits allow: a mapping of symbols to books.

    Made by the client; opened by ``async with`` or ``open``. Their snapshots come one after the other, within the share
    of the weight that they may take; ``progress`` says how far they are.
    """

    def __init__(self, group: BookGroup, manager: StreamManager) -> None:
        super().__init__(group, lambda symbol: LiveBook(group, symbol, manager))
        self._manager = manager

    async def open(self) -> Self:
        """Open them without ``async with``, and call ``aclose()`` afterwards; does not wait for the snapshots.

        Raises:
            StreamError: no connection.
        """
        await self._group.open(self._manager)
        return self

    async def add(self, *symbols: str) -> None:
        """Keep the books of more symbols; one that has ended with an error begins anew. Does not wait for snapshots.

        Args:
            *symbols: Symbols, e.g. BTCUSDT.

        Raises:
            ParameterError: one of them is no symbol.
            StreamError: the books are not open, or the exchange refused.
        """
        self._hold(await self._group.add(symbols))

    @property
    def progress(self) -> BooksProgress:
        """How many are synced, whose snapshots have to wait for their turn, and for how long."""
        return self._group.progress

    async def wait_synced(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - as the blocking one
        """Return when each is synced, or has ended with one of ``errors``.

        Args:
            timeout: Seconds; None waits for however long it takes.

        Raises:
            BookNotSyncedError: not in time; it names the first of those that are not synced.
        """
        await self._group.wait_synced(timeout)

    def updates(self) -> BookChanges:
        """What changes from now on in those that are here now, for ``async for``; each item has its ``symbol``.

        After a ``BookResynced`` the whole book may be another, so read it again. A consumer that is slower than the
        exchange gets several updates of a book as one. Books that end with an error are left out.
        """
        return BookChanges(self._keepers())

    async def aclose(self) -> None:
        """Follow the exchange no more."""
        await self._group.aclose()

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def live_book(
    procedure: BookProcedure,
    caller: AsyncCaller,
    manager: StreamManager,
    symbol: str,
    **settings: Unpack[BookOptions],
) -> LiveBook:
    """A book that is not opened yet.

    Raises:
        ParameterError: an argument is wrong.
    """
    checked = check_settings(procedure, (symbol,), **settings)
    group = BookGroup(procedure, checked, caller, blocking=False)
    return LiveBook(group, group.symbols[0], manager)


def live_books(
    procedure: BookProcedure,
    caller: AsyncCaller,
    manager: StreamManager,
    symbols: Iterable[str],
    **settings: Unpack[BookOptions],
) -> LiveBooks:
    """Books that are not opened yet.

    Raises:
        ParameterError: an argument is wrong.
    """
    checked = check_settings(procedure, symbols, **settings)
    return LiveBooks(BookGroup(procedure, checked, caller, blocking=False), manager)
