"""Public names of order books: live ones, and what is read from a book wherever it comes from.

A live book is made by ``client.spot.order_book("BTCUSDT")`` or ``order_books``; its events are in
``binance_sdk.events``. The functions take a live book as well as the answer of a moment:

    found = await client.spot.depth("BTCUSDT", limit=1000)
    books.spread(found).bps
    books.fill(found, "buy", quote=10_000).slippage_bps

Prices are in the quote asset, quantities in the base asset. On COIN-M quantities count contracts, and amounts of an
asset are figured out with what one is worth:

    found = await client.coin_futures.depth("BTCUSD_PERP")
    books.fill(found, "buy", quote=10_000, contract_size=rules.contract_size)

All figures are exact Decimals, quotients rounded once to 28 digits, under every decimal context.
"""

from binance_sdk._runtime.book.comparison import Difference
from binance_sdk._runtime.book.figures import (
    AnyBook,
    BookAnswer,
    KeptBook,
    PricedLevel,
    depth,
    fill,
    imbalance,
    imbalance_of_levels,
    spread,
)
from binance_sdk._runtime.book.reading import Depth, Fill, Spread, TakerSide
from binance_sdk._runtime.live_book.async_books import LiveBook, LiveBooks
from binance_sdk._runtime.live_book.changes import BookChange, BookChanges, BookItem
from binance_sdk._runtime.live_book.group import BooksProgress
from binance_sdk._runtime.live_book.reading import BookLevel, BookReading, CheckedReading, LastKnownBook
from binance_sdk._runtime.live_book.sync_books import SyncBookChanges, SyncLiveBook, SyncLiveBooks
from binance_sdk._runtime.live_book.verification import Verification

__all__ = [
    "AnyBook",
    "BookAnswer",
    "BookChange",
    "BookChanges",
    "BookItem",
    "BookLevel",
    "BookReading",
    "BooksProgress",
    "CheckedReading",
    "Depth",
    "Difference",
    "Fill",
    "KeptBook",
    "LastKnownBook",
    "LiveBook",
    "LiveBooks",
    "PricedLevel",
    "Spread",
    "SyncBookChanges",
    "SyncLiveBook",
    "SyncLiveBooks",
    "TakerSide",
    "Verification",
    "depth",
    "fill",
    "imbalance",
    "imbalance_of_levels",
    "spread",
]
