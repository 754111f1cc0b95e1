"""How much can be traded, and what it costs: ``binance_sdk.books`` in Virtuoso's terms, and turnover.

Everything is exact (``Decimal``, quotients rounded once to 28 digits, whatever the caller's decimal context) until
``liquidity_row``, which gives floats. A figure that does not follow from the answer is None; one that follows only in
part says so in ``complete``. A book that is crossed, out of order or has an empty level is a ``DecodeError``:
no price in it can be trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from binance_sdk import books
from binance_sdk.arithmetic import EXACT, in_own_context, quotient, read_number
from binance_sdk.books import Depth, Fill, Spread, TakerSide
from binance_sdk.errors import DecodeError, ParameterError
from binance_sdk.futures import Kline
from virtuoso_binance.convert import book_fault
from virtuoso_binance.parts import OrderBook, Ticker
from virtuoso_binance.scalars import Row, read_count

__all__ = [
    "BANDS",
    "Depth",
    "Fill",
    "Side",
    "Spread",
    "Turnover",
    "candle_turnover",
    "depth_within",
    "imbalance",
    "liquidity_row",
    "slippage",
    "spread",
    "turnover",
]

Side: TypeAlias = TakerSide

BANDS: tuple[Decimal, ...] = (Decimal(10), Decimal(50), Decimal(100))
"""Usual distances from the middle, in basis points."""
_BPS = Decimal(10_000)
_ZERO = Decimal(0)
_SIDES: tuple[Side, Side] = ("buy", "sell")


@dataclass(frozen=True, slots=True)
class Turnover:
    """What was traded in a span of time.

    Attributes:
        base: Volume in the base asset.
        quote: Volume in the quote asset.
        trades: Number of trades.
        vwap: Average price, in the quote asset; None where nothing was traded.
        trade_size: Quote volume of an average trade; None where nothing was traded.
    """

    base: Decimal
    quote: Decimal
    trades: int

    @property
    def vwap(self) -> Decimal | None:
        return quotient(self.quote, self.base) if self.base else None

    @property
    def trade_size(self) -> Decimal | None:
        return quotient(self.quote, self.trades) if self.trades else None


def turnover(ticker: Ticker) -> Turnover:
    """Turnover of the last 24 hours."""
    return Turnover(ticker.volume, ticker.quote_volume, ticker.trade_count)


@in_own_context
def candle_turnover(klines: Sequence[Kline]) -> Turnover:
    """Turnover over a span of candles; zero where there are none."""
    return Turnover(
        sum((k.volume for k in klines), _ZERO),
        sum((k.quote_volume for k in klines), _ZERO),
        sum(k.trade_count for k in klines),
    )


def spread(book: OrderBook) -> Spread | None:
    """Best bid and ask; None where a side has no orders.

    Raises:
        DecodeError: the book is crossed, out of order or has an empty level.
    """
    return books.spread(_checked(book))


def depth_within(book: OrderBook, bps: Decimal | int) -> Depth | None:
    """Depth within ``bps`` basis points of the middle, both edges included; None where a side has no orders.

    Raises:
        ParameterError: ``bps`` is not a positive Decimal or int.
        DecodeError: the book is crossed, out of order or has an empty level.
    """
    distance = read_number(bps, "bps")
    if not distance:
        raise ParameterError(f"bps={bps} must be positive", parameter="bps", value=bps)
    return books.depth(_checked(book), within=EXACT.divide(distance, _BPS))


def imbalance(book: OrderBook, levels: int | None = None) -> Decimal | None:
    """Bids against asks by base volume over the best levels: -1 (asks only) to 1 (bids only).

    Args:
        book: The book.
        levels: Levels of each side that count; None takes what both sides have.

    Returns:
        None where a side has no orders: there is nothing to compare.

    Raises:
        ParameterError: ``levels`` is not a whole number of at least 1.
        DecodeError: the book is crossed, out of order or has an empty level.
    """
    most = None if levels is None else read_count(levels, "levels")
    return books.imbalance_of_levels(_checked(book), most)


def slippage(
    book: OrderBook, side: Side, *, quote: Decimal | int | None = None, base: Decimal | int | None = None
) -> Fill | None:
    """What filling a market order costs.

    Args:
        book: The book.
        side: ``buy`` or ``sell``.
        quote: Size in the quote asset; or
        base: size in the base asset.

    Returns:
        None where a side has no orders. ``complete`` is False where the known levels do not suffice.

    Raises:
        ParameterError: not exactly one size is given, it is not a positive Decimal or int, or ``side`` is neither.
        DecodeError: the book is crossed, out of order or has an empty level.
    """
    return books.fill(_checked(book), side, quote=quote, base=base)


def _checked(book: OrderBook) -> OrderBook:
    fault = book_fault(*([(level.price, level.qty) for level in side] for side in (book.bids, book.asks)))
    if fault is not None:
        raise DecodeError(f"the order book is {fault}: no price in it can be trusted", problems=(fault,))
    return book


def liquidity_row(
    book: OrderBook | None,
    ticker: Ticker | None,
    *,
    bands: Sequence[Decimal] = BANDS,
    order_quote: Decimal | int = 10_000,
) -> Row:
    """The figures as one dict of floats; what is unknown is absent.

    Args:
        book: The order book, or None where it could not be had.
        ticker: The 24 h statistics, or None.
        bands: Distances for the depth, in basis points.
        order_quote: Size of the order whose slippage is shown, in the quote asset.
    """
    row: Row = {}
    if ticker is not None:
        day = turnover(ticker)
        row["turnover_24h"] = {"base": float(day.base), "quote": float(day.quote), "trades": day.trades}
        if day.vwap is not None and day.trade_size is not None:
            row["turnover_24h"] |= {"vwap": float(day.vwap), "trade_size": float(day.trade_size)}
    best = None if book is None else spread(book)
    if book is None or best is None:
        return row
    row["spread"] = {"absolute": float(best.absolute), "bps": float(best.bps), "mid": float(best.mid)}
    share = imbalance(book)
    if share is not None:
        row["imbalance"] = float(share)
    row["depth"] = [_depth_row(depth) for band in bands if (depth := depth_within(book, band)) is not None]
    fills = (slippage(book, side, quote=order_quote) for side in _SIDES)
    row["slippage"] = {fill.side: _fill_row(fill, order_quote) for fill in fills if fill is not None}
    return row


def _depth_row(depth: Depth) -> Row:
    names = ("bps", "bid_base", "bid_quote", "ask_base", "ask_quote")
    return {**{name: float(getattr(depth, name)) for name in names}, "complete": depth.complete}


def _fill_row(fill: Fill, order_quote: Decimal | int) -> Row:
    return {
        "order_quote": float(order_quote),
        "filled_quote": float(fill.quote),
        "average": float(fill.vwap),
        "worst": float(fill.worst),
        "slippage_bps": float(fill.slippage_bps),
        "cost_bps": float(fill.cost_bps),
        "complete": fill.complete,
    }
