"""Public names of order books: live ones, what is read from them, and what they tell.

A live book is made by ``client.spot.order_book("BTCUSDT")`` or ``order_books``; its events are in
``binance_sdk.events``.
"""

from binance_sdk._runtime.book.comparison import Difference
from binance_sdk._runtime.live_book.async_books import LiveBook, LiveBooks
from binance_sdk._runtime.live_book.changes import BookChange, BookChanges, BookItem
from binance_sdk._runtime.live_book.group import BooksProgress
from binance_sdk._runtime.live_book.reading import BookLevel, BookReading, CheckedReading, LastKnownBook
from binance_sdk._runtime.live_book.sync_books import SyncBookChanges, SyncLiveBook, SyncLiveBooks
from binance_sdk._runtime.live_book.verification import Verification

__all__ = [
    "BookChange",
    "BookChanges",
    "BookItem",
    "BookLevel",
    "BookReading",
    "BooksProgress",
    "CheckedReading",
    "Difference",
    "LastKnownBook",
    "LiveBook",
    "LiveBooks",
    "SyncBookChanges",
    "SyncLiveBook",
    "SyncLiveBooks",
    "Verification",
]
