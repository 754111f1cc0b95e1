"""What type checkers see at the call sites of live order books. Checked by mypy and pyright, never run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from decimal import Decimal
from typing import assert_never, assert_type

from binance_sdk import BinanceClient, SyncBinanceClient
from binance_sdk.books import (
    BookChange,
    BookLevel,
    Depth,
    Fill,
    LastKnownBook,
    LiveBook,
    LiveBooks,
    Spread,
    SyncLiveBook,
    SyncLiveBooks,
    Verification,
)
from binance_sdk.errors import BinanceError
from binance_sdk.events import BookReason, BookResynced


async def asynchronous(client: BinanceClient) -> None:
    async with client.spot.order_book("BTCUSDT", limit=100, speed="100ms", share=0.5, verify_every=60) as book:
        assert_type(book, LiveBook)
        assert_type(book.best_bid, BookLevel | None)
        assert_type(book.asks(10), list[BookLevel])
        assert_type(book.asks(1)[0].price, Decimal)
        assert_type(book.mid, Decimal | None)
        assert_type(book.spread, Spread | None)
        assert_type(book.depth(within="0.001"), Depth | None)
        assert_type(book.imbalance(within=Decimal("0.001")), Decimal | None)
        assert_type(book.fill("buy", quote=10), Fill | None)
        assert_type(book.fill("buy", quote=10, contract_size=100), Fill | None)
        assert_type(book.vwap("sell", base=10), Decimal | None)
        assert_type(book.complete_to, tuple[Decimal | None, Decimal | None])
        assert_type(book.update_id, int | None)
        assert_type(book.reason, BookReason | None)
        assert_type(book.last_known, LastKnownBook)
        assert_type(await book.verify(), Verification)
        async for item in book.updates():
            match item:
                case BookChange():
                    assert_type(item.bids, list[BookLevel])
                case BookResynced():
                    assert_type(item.seconds, float)
                case _:
                    assert_never(item)
        book.fill("both", quote=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.spot.order_book("BTCUSDT", speed="250ms")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    async with client.futures.order_books(["BTCUSDT", "ETHUSDT"], speed="250ms") as books:
        assert_type(books, LiveBooks)
        assert_type(books["BTCUSDT"], LiveBook)
        assert_type(books.errors, dict[str, BinanceError])
        assert_type(books.progress.waiting, tuple[str, ...])
        await books.add("BNBUSDT")


def blocking(client: SyncBinanceClient) -> None:
    with client.futures.order_book("BTCUSDT") as book, client.spot.order_books(["BTCUSDT"]) as books:
        assert_type(book, SyncLiveBook)
        assert_type(books, SyncLiveBooks)
        assert_type(books["BTCUSDT"].bids(5), list[BookLevel])
        assert_type(book.verify(), Verification)
        for item in book.updates():
            assert_type(item, BookChange | BookResynced)
