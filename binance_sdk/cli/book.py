"""``binance-sdk book``: a live order book, as a ladder or as one line of JSON an update."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, cast

from binance_sdk import BinanceClient
from binance_sdk.books import BookItem, BookLevel, LiveBook, LiveBooks
from binance_sdk.catalogue import Market
from binance_sdk.cli.book_board import BAND, BookBoard
from binance_sdk.cli.event_loop import run, run_beside
from binance_sdk.cli.exit_codes import CommandError
from binance_sdk.cli.markets import market_word
from binance_sdk.events import BookLost, BookResynced

_LOOK = 0.25
"""Seconds between two looks at how the snapshot comes along."""


@dataclass(frozen=True)
class BookCall:
    """What the command line asks for."""

    market: Market
    symbol: str
    levels: int
    limit: int
    environment: str | None = None
    as_json: bool = False
    count: int | None = None


def run_book(call: BookCall) -> None:
    """Show the book until Ctrl-C, the end of the reader, or ``count`` updates.

    Raises:
        CommandError: the market has no live order books.
        BinanceError: the book cannot be opened, or ended.
    """
    as_json = call.as_json or not sys.stdout.isatty()
    run(lambda: _follow(call, as_json=as_json))


async def _follow(call: BookCall, *, as_json: bool) -> None:
    heard: list[Callable[[object], None]] = []

    def hook(event: object) -> None:
        if isinstance(event, BookLost | BookResynced):
            for tell in heard:
                tell(event)

    # The client refuses an unknown environment and names the known ones.
    async with BinanceClient(cast(Any, call.environment), hooks=[hook]) as client:
        open_books = getattr(client.market(call.market), "order_books", None)
        if open_books is None:
            raise CommandError(f"{market_word(call.market)} has no live order books; choose another market with -m")
        books = cast(LiveBooks, open_books([call.symbol], limit=call.limit))
        async with books:
            (book,) = books.values()
            if as_json:
                heard.append(_print_notice)
                await _read_on(book, call.count, lambda item: _print_change(item, book, call.levels))
                return
            size = None
            if book.counts_contracts:
                rules = (await client.market(call.market).symbols()).get(book.symbol)
                size = None if rules is None else rules.contract_size
            board = BookBoard(book, call.levels, size)
            heard.append(board.tell)
            board.start()
            try:
                await run_beside(
                    _read_on(book, call.count, lambda item: _count(item, board)),
                    _look(books, board),
                    board.redrawer.run(),
                )
            finally:
                board.stop()


async def _read_on(book: LiveBook, count: int | None, show: Callable[[BookItem], None]) -> None:
    """Show what changes until there have been ``count`` updates."""
    changes = book.updates()
    await book.wait_synced()
    left = count
    async for item in changes:
        show(item)
        if left is not None and not isinstance(item, BookResynced):
            left -= item.updates
            if left <= 0:
                return


async def _look(books: LiveBooks, board: BookBoard) -> None:
    """Draw now and then, also where nothing changes: the turn comes nearer, and the book gets older."""
    while True:
        board.seconds_left = books.progress.seconds_left
        board.redrawer.changed()
        await asyncio.sleep(_LOOK)


def _count(item: BookItem, board: BookBoard) -> None:
    if not isinstance(item, BookResynced):
        board.count(item.updates)


def _print_change(item: BookItem, book: LiveBook, levels: int) -> None:
    """The best levels after an update, exact numbers as texts; what was lost is told by a hook."""
    if isinstance(item, BookResynced) or not book.synced:
        return
    spread, imbalance = book.spread, book.imbalance(within=BAND)
    line = {
        "market": book.market,
        "symbol": book.symbol,
        "update_id": book.update_id,
        "bids": _texts(book.bids(levels)),
        "asks": _texts(book.asks(levels)),
        "spread_bps": None if spread is None else str(spread.bps),
        "imbalance": None if imbalance is None else str(imbalance),
        "lag_ms": round(book.lag_ms, 3),
        "resyncs": book.resyncs,
    }
    _print_line(line)


def _texts(levels: list[BookLevel]) -> list[tuple[str, str]]:
    return [(format(level.price, "f"), format(level.qty, "f")) for level in levels]


def _print_notice(event: object) -> None:
    """An object with the key ``notice``, which no other line has."""
    _print_line({"notice": type(event).__name__, **asdict(cast(Any, event)), "text": str(event)})


def _print_line(line: dict[str, Any]) -> None:
    # Flushed at once, so that the reader of a pipe gets each update, and a closed pipe is noticed.
    sys.stdout.buffer.write(json.dumps(line).encode() + b"\n")
    sys.stdout.buffer.flush()
