"""Order books, trades and candles in Virtuoso's words: pure functions from typed answers to dicts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import TypeAlias, TypeVar

from binance_sdk import futures, spot
from binance_sdk.books import BookLevel, LiveBook
from binance_sdk.errors import DecodeError
from binance_sdk.futures import Kline, PriceLevel
from virtuoso_binance.scalars import Row, iso

__all__ = [
    "book_fault",
    "candle_row",
    "checked_book",
    "empty_book",
    "live_order_book",
    "ohlcv_rows",
    "order_book",
    "trade_row",
    "trade_rows",
]

Number = TypeVar("Number", float, Decimal)


Candle = list[int | float]
WholeBook: TypeAlias = spot.OrderBook | futures.OrderBook | spot.PartialDepthEvent | futures.PartialDepthEvent


def ohlcv_rows(klines: Iterable[Kline]) -> list[Candle]:
    """``[ms, open, high, low, close, volume]`` for each candle, in the order given."""
    return [[k[0], float(k[1]), float(k[2]), float(k[3]), float(k[4]), float(k[5])] for k in klines]


def candle_row(bar: spot.KlineBar | futures.KlineBar, symbol: str, timeframe: str) -> Row:
    """A running or final candle with names; ``timestamp`` is its open time."""
    return {
        "symbol": symbol,
        "timeframe": timeframe,
        "timestamp": bar.open_time,
        "datetime": iso(bar.open_time),
        "open": float(bar.open),
        "high": float(bar.high),
        "low": float(bar.low),
        "close": float(bar.close),
        "volume": float(bar.volume),
        "closed": bar.is_closed,
    }


def order_book(book: WholeBook, symbol: str, *, received: int, limit: int | None = None) -> Row:
    """A book of at most ``limit`` levels a side.

    Args:
        book: The answer, or the event of a stream of whole books.
        symbol: Binance does not say whose book it is.
        received: Time of the book where it names none, as on spot, in milliseconds.
        limit: Levels wanted; None keeps all.

    Raises:
        DecodeError: it is crossed, out of order or has an empty level, so no price in it can be trusted.
    """
    time = book.event_time if isinstance(book, futures.OrderBook | futures.PartialDepthEvent) else received
    bids, asks = _levels(book.bids, limit), _levels(book.asks, limit)
    return checked_book(symbol, bids, asks, time, book.last_update_id)


def live_order_book(book: LiveBook, now: int, levels: int) -> Row | None:
    """A live book as ``order_book`` gives one; None where it does not know that many levels.

    Args:
        book: A synced one.
        now: Time at the exchange, in milliseconds.
        levels: Levels wanted a side.

    Raises:
        DecodeError: it is crossed or out of order, which a live book never is for long.
    """
    bids, asks = book.bids(levels), book.asks(levels)
    ends = book.complete_to
    if any(len(side) < levels and end is not None for side, end in zip((bids, asks), ends, strict=True)):
        return None
    return checked_book(book.symbol, _rows(bids), _rows(asks), now - round(book.age * 1000), book.update_id or 0)


def checked_book(symbol: str, bids: list[list[float]], asks: list[list[float]], time: int, nonce: int) -> Row:
    """The dict of a book.

    Raises:
        DecodeError: it is crossed, out of order or has an empty level.
    """
    fault = book_fault(bids, asks)
    if fault is not None:
        raise DecodeError(f"the order book of {symbol} is {fault}", problems=(f"{symbol}: {fault}",))
    return {"symbol": symbol, "bids": bids, "asks": asks, "timestamp": time, "datetime": iso(time), "nonce": nonce}


def book_fault(bids: Sequence[Sequence[Number]], asks: Sequence[Sequence[Number]]) -> str | None:
    """Why no price in a book can be trusted; None where all is well.

    Args:
        bids: Price and amount of each level, the best first.
        asks: The same.
    """
    if bids and asks and bids[0][0] >= asks[0][0]:
        return "crossed"
    in_order = all(a[0] > b[0] for a, b in pairwise(bids)) and all(a[0] < b[0] for a, b in pairwise(asks))
    if not in_order or not all(price > 0 and amount > 0 for price, amount in (*bids, *asks)):
        return "out of order or with empty levels"
    return None


def _rows(levels: list[BookLevel]) -> list[list[float]]:
    return [[float(level.price), float(level.qty)] for level in levels]


def _levels(levels: Sequence[PriceLevel], limit: int | None) -> list[list[float]]:
    return [[float(level[0]), float(level[1])] for level in levels[:limit]]


def empty_book(symbol: str, time: int) -> Row:
    """What stands in ``market_data`` where the book could not be had."""
    return {"symbol": symbol, "bids": [], "asks": [], "timestamp": time, "datetime": iso(time)}


def trade_rows(trades: Iterable[spot.Trade | futures.Trade], symbol: str, *, since: int | None = None) -> list[Row]:
    """Trades, oldest first, with every name that a reader of Virtuoso looks for.

    Args:
        trades: The answer, oldest first.
        symbol: Binance does not say whose trades they are.
        since: Leave out what is older, in milliseconds.
    """
    return [
        trade_row(
            str(trade.trade_id),
            symbol,
            float(trade.price),
            float(trade.qty),
            float(trade.quote_qty),
            trade.trade_time,
            trade.is_buyer_maker,
        )
        for trade in trades
        if since is None or trade.trade_time >= since
    ]


def trade_row(
    id_: str, symbol: str | None, price: float, qty: float, cost: float, time: int, is_buyer_maker: bool
) -> Row:
    """One trade; ``side`` is the taker's: where the buyer's order lay in the book, it was a seller who took it."""
    row: Row = {
        "id": id_,
        "symbol": symbol,
        "price": price,
        "amount": qty,
        "size": qty,
        "qty": qty,
        # Futures cut the quote quantity to cents: of a tiny trade nothing is left.
        "cost": cost if cost > 0 else price * qty,
        "side": "sell" if is_buyer_maker else "buy",
        "timestamp": time,
        "time": time,
        "datetime": iso(time),
        "takerOrMaker": "taker",
    }
    if symbol is None:
        del row["symbol"]
    return row
