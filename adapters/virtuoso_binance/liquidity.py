"""How much can be traded, and what it costs: pure functions over the SDK's models.

Everything is exact (``Decimal``) until ``liquidity_row``, which is the float edge. A figure that the answer cannot tell
is None; a figure that the answer tells only in part says so in ``complete``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from binance_sdk import futures, spot
from binance_sdk.errors import ParameterError
from binance_sdk.futures import Kline, PriceLevel
from virtuoso_binance.scalars import Row

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

Book: TypeAlias = spot.OrderBook | futures.OrderBook
Side: TypeAlias = Literal["buy", "sell"]

BANDS: tuple[Decimal, ...] = (Decimal(10), Decimal(50), Decimal(100))
"""Usual distances from the middle, in basis points."""
_BPS = Decimal(10_000)
_ZERO = Decimal(0)


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
        return self.quote / self.base if self.base else None

    @property
    def trade_size(self) -> Decimal | None:
        return self.quote / self.trades if self.trades else None


def turnover(ticker: spot.Ticker24hr | futures.Ticker24hr) -> Turnover:
    """Turnover of the last 24 hours."""
    return Turnover(ticker.volume, ticker.quote_volume, ticker.count)


def candle_turnover(klines: Sequence[Kline]) -> Turnover:
    """Turnover over a span of candles; zero where there are none."""
    return Turnover(
        sum((k.volume for k in klines), _ZERO),
        sum((k.quote_volume for k in klines), _ZERO),
        sum(k.trade_count for k in klines),
    )


@dataclass(frozen=True, slots=True)
class Spread:
    """The best prices against each other.

    Attributes:
        bid: Best bid, in the quote asset.
        ask: Best ask, in the quote asset.
    """

    bid: Decimal
    ask: Decimal

    @property
    def mid(self) -> Decimal:
        """The middle of both, in the quote asset."""
        return (self.bid + self.ask) / 2

    @property
    def absolute(self) -> Decimal:
        """Ask less bid, in the quote asset."""
        return self.ask - self.bid

    @property
    def bps(self) -> Decimal:
        """The same in basis points of the middle: 1 is 0.01 %."""
        return self.absolute / self.mid * _BPS


def spread(book: Book) -> Spread | None:
    """Best bid and ask; None where a side has no orders."""
    if not book.bids or not book.asks:
        return None
    return Spread(book.bids[0].price, book.asks[0].price)


@dataclass(frozen=True, slots=True)
class Depth:
    """What lies in the book within a distance from the middle.

    Attributes:
        bps: The distance, in basis points of the middle.
        bid_base: Bids, in the base asset.
        bid_quote: Bids, in the quote asset.
        ask_base: Asks, in the base asset.
        ask_quote: Asks, in the quote asset.
        complete: Both sides reach beyond the band; otherwise the answer ended inside it, and there may
            be more.
    """

    bps: Decimal
    bid_base: Decimal
    bid_quote: Decimal
    ask_base: Decimal
    ask_quote: Decimal
    complete: bool

    @property
    def imbalance(self) -> Decimal | None:
        """Share of bids less share of asks, by quote volume: -1 (asks only) to 1 (bids only); None in an empty band."""
        return _imbalance(self.bid_quote, self.ask_quote)


def depth_within(book: Book, bps: Decimal | int) -> Depth | None:
    """Depth within ``bps`` basis points of the middle, both edges included; None where a side has no orders.

    Raises:
        ParameterError: ``bps`` is not positive.
    """
    if not bps > 0:
        raise ParameterError(f"bps={bps} must be positive", parameter="bps", value=bps)
    best = spread(book)
    if best is None:
        return None
    reach = best.mid * Decimal(bps) / _BPS
    low, high = best.mid - reach, best.mid + reach
    bids = _sums(level for level in book.bids if level.price >= low)
    asks = _sums(level for level in book.asks if level.price <= high)
    complete = book.bids[-1].price < low and book.asks[-1].price > high
    return Depth(Decimal(bps), *bids, *asks, complete)


def imbalance(book: Book, levels: int | None = None) -> Decimal | None:
    """Bids against asks by base volume over the best levels: -1 (asks only) to 1 (bids only).

    Args:
        book: The book.
        levels: Levels of each side that count; None takes what both sides have.

    Returns:
        None where a side has no orders: that is no market, not an extreme one.
    """
    if levels is not None and levels < 1:
        raise ParameterError(f"levels={levels} must be at least 1", parameter="levels", value=levels)
    if not book.bids or not book.asks:
        return None
    count = min(len(book.bids), len(book.asks)) if levels is None else levels
    return _imbalance(_sums(iter(book.bids[:count]))[0], _sums(iter(book.asks[:count]))[0])


@dataclass(frozen=True, slots=True)
class Fill:
    """What a market order would get from the book as it stands, fees left out.

    Attributes:
        side: ``buy`` takes asks, ``sell`` takes bids.
        base: Filled, in the base asset.
        quote: Filled, in the quote asset.
        best: Price of the first level, in the quote asset.
        worst: Price of the last level touched, in the quote asset.
        mid: Middle of the book before the order, in the quote asset.
        complete: The whole order is filled; otherwise the known book ended before it.
    """

    side: Side
    base: Decimal
    quote: Decimal
    best: Decimal
    worst: Decimal
    mid: Decimal
    complete: bool

    @property
    def average(self) -> Decimal:
        """Average price, in the quote asset."""
        return self.quote / self.base

    @property
    def slippage_bps(self) -> Decimal:
        """Average price against the best one, in basis points; never negative."""
        return self._worse_than(self.best)

    @property
    def cost_bps(self) -> Decimal:
        """Average price against the middle, half the spread included, in basis points; never negative."""
        return self._worse_than(self.mid)

    def _worse_than(self, price: Decimal) -> Decimal:
        # From the sums, not from the rounded average: so the best level alone gives exactly 0.
        paid = self.quote - price * self.base
        return (paid if self.side == "buy" else -paid) / (price * self.base) * _BPS


def slippage(
    book: Book, side: Side, *, quote: Decimal | int | None = None, base: Decimal | int | None = None
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
        ParameterError: not exactly one size is given, or it is not positive.
    """
    if (quote is None) == (base is None):
        raise ParameterError("give the size either as quote= or as base=", parameter="quote", value=quote)
    size = Decimal(quote if quote is not None else base or 0)
    if not size > 0:
        raise ParameterError(f"the size {size} must be positive", parameter="quote", value=size)
    best = spread(book)
    if best is None:
        return None
    levels = book.asks if side == "buy" else book.bids
    got, paid, left, worst = _ZERO, _ZERO, size, levels[0].price
    for level in levels:
        price, qty = level.price, level.qty
        there = qty if quote is None else price * qty
        worst = price
        if there >= left:
            # The last level is taken in part; its other amount follows from its price.
            got += left if quote is None else left / price
            paid += left * price if quote is None else left
            left = _ZERO
            break
        got, paid, left = got + qty, paid + price * qty, left - there
    return Fill(side, got, paid, levels[0].price, worst, best.mid, left == 0)


def _sums(levels: Iterator[PriceLevel]) -> tuple[Decimal, Decimal]:
    base = quote = _ZERO
    for level in levels:
        qty = level.qty
        base, quote = base + qty, quote + level.price * qty
    return base, quote


def _imbalance(bids: Decimal, asks: Decimal) -> Decimal | None:
    total = bids + asks
    return (bids - asks) / total if total else None


def liquidity_row(
    book: Book | None,
    ticker: spot.Ticker24hr | futures.Ticker24hr | None,
    *,
    bands: Sequence[Decimal] = BANDS,
    order_quote: Decimal | int = 10_000,
) -> Row:
    """The figures as one dict of floats; what is unknown is absent.

    Args:
        book: The order book, or None where it could not be had.
        ticker: The 24 h statistics, or None.
        bands: Distances for the depth, in basis points.
        order_quote: Size of the order whose slippage is told, in the quote asset.
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
    found = [one for one in (depth_within(book, band) for band in bands) if one is not None]
    row["depth"] = [
        {
            "bps": float(one.bps),
            "bid_base": float(one.bid_base),
            "bid_quote": float(one.bid_quote),
            "ask_base": float(one.ask_base),
            "ask_quote": float(one.ask_quote),
            "complete": one.complete,
        }
        for one in found
    ]
    sides: tuple[Side, Side] = ("buy", "sell")
    fills = [one for one in (slippage(book, side, quote=order_quote) for side in sides) if one is not None]
    row["slippage"] = {
        one.side: {
            "order_quote": float(order_quote),
            "filled_quote": float(one.quote),
            "average": float(one.average),
            "worst": float(one.worst),
            "slippage_bps": float(one.slippage_bps),
            "cost_bps": float(one.cost_bps),
            "complete": one.complete,
        }
        for one in fills
    }
    return row
