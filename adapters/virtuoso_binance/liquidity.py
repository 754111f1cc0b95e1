"""How much can be traded, and what it costs: pure functions over the SDK's models.

Everything is exact (``Decimal``, quotients rounded once to 28 digits, whatever the caller's decimal context) until
``liquidity_row``, which gives floats. A figure that does not follow from the answer is None; one that follows only in
part says so in ``complete``. A book that is crossed, out of order or has an empty level is a ``DecodeError``:
no price in it can be trusted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal, TypeAlias

from binance_sdk.arithmetic import EXACT, in_own_context, quotient, read_number
from binance_sdk.errors import DecodeError, ParameterError, shown
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

Side: TypeAlias = Literal["buy", "sell"]

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
        return EXACT.divide(EXACT.add(self.bid, self.ask), 2)

    @property
    def absolute(self) -> Decimal:
        """Ask less bid, in the quote asset."""
        return EXACT.subtract(self.ask, self.bid)

    @property
    def bps(self) -> Decimal:
        """The same in basis points of the middle: 1 is 0.01 %."""
        return quotient(EXACT.multiply(self.absolute, _BPS), self.mid)


def spread(book: OrderBook) -> Spread | None:
    """Best bid and ask; None where a side has no orders.

    Raises:
        DecodeError: the book is crossed, out of order or has an empty level.
    """
    bids, asks = _levels(book)
    return Spread(bids[0][0], asks[0][0]) if bids and asks else None


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


@in_own_context
def depth_within(book: OrderBook, bps: Decimal | int) -> Depth | None:
    """Depth within ``bps`` basis points of the middle, both edges included; None where a side has no orders.

    Raises:
        ParameterError: ``bps`` is not a positive Decimal or int.
        DecodeError: the book is crossed, out of order or has an empty level.
    """
    distance = _positive(bps, "bps")
    bids, asks = _levels(book)
    if not bids or not asks:
        return None
    mid = Spread(bids[0][0], asks[0][0]).mid
    reach = mid * distance / _BPS
    low, high = mid - reach, mid + reach
    below = _sums(level for level in bids if level[0] >= low)
    above = _sums(level for level in asks if level[0] <= high)
    return Depth(distance, *below, *above, complete=bids[-1][0] < low and asks[-1][0] > high)


@in_own_context
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
    bids, asks = _levels(book)
    if not bids or not asks:
        return None
    count = min(len(bids), len(asks)) if most is None else most
    return _imbalance(_sums(bids[:count])[0], _sums(asks[:count])[0])


@dataclass(frozen=True, slots=True)
class Fill:
    """What a market order would get from the book as it stands, fees left out.

    Attributes:
        side: ``buy`` takes asks, ``sell`` takes bids.
        base: Filled, in the base asset; of an order by ``quote`` rounded to 28 digits.
        quote: Filled, in the quote asset.
        best: Price of the first level, in the quote asset.
        worst: Price of the last level touched, in the quote asset.
        mid: Middle of the book before the order, in the quote asset.
        complete: The whole order is filled; otherwise the known book ended before it.
        exact_base: ``base`` before it was rounded; by default ``base`` itself.
    """

    side: Side
    base: Decimal
    quote: Decimal
    best: Decimal
    worst: Decimal
    mid: Decimal
    complete: bool
    exact_base: Fraction | None = field(default=None, repr=False, compare=False)

    @property
    def average(self) -> Decimal:
        """Average price, in the quote asset."""
        return _rounded(Fraction(self.quote) / self._base)

    @property
    def slippage_bps(self) -> Decimal:
        """Average price against the best one, in basis points; never negative, and 0 where one level filled it all."""
        return self._worse_than(self.best)

    @property
    def cost_bps(self) -> Decimal:
        """Average price against the middle, half the spread included, in basis points; never negative."""
        return self._worse_than(self.mid)

    @property
    def _base(self) -> Fraction:
        return Fraction(self.base) if self.exact_base is None else self.exact_base

    def _worse_than(self, price: Decimal) -> Decimal:
        # From exact sums: a rounded quotient times the price would be a little more or less than what was paid.
        fair = Fraction(price) * self._base
        paid = Fraction(self.quote) - fair
        return _rounded((paid if self.side == "buy" else -paid) / fair * 10_000)


def _rounded(value: Fraction) -> Decimal:
    return quotient(value.numerator, value.denominator)


@in_own_context
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
    if side not in ("buy", "sell"):
        raise ParameterError(f"side={shown(side)} must be 'buy' or 'sell'", parameter="side", value=side)
    if (quote is None) == (base is None):
        raise ParameterError("give the size either as quote= or as base=", parameter="quote", value=quote)
    left = _positive(quote, "quote") if quote is not None else _positive(base, "base")
    bids, asks = _levels(book)
    if not bids or not asks:
        return None
    mid = Spread(bids[0][0], asks[0][0]).mid
    levels = asks if side == "buy" else bids
    filled, paid, last, worst = _ZERO, _ZERO, Fraction(0), levels[0][0]
    complete = False
    for price, qty in levels:
        size = qty if quote is None else price * qty
        worst = price
        if size < left:
            filled, paid, left = filled + qty, paid + price * qty, left - size
            continue
        # The last level is taken in part; its other amount follows from its price.
        if quote is None:
            filled, paid = filled + left, paid + left * price
        else:
            last, paid = Fraction(left) / Fraction(price), paid + left
        complete = True
        break
    exact = Fraction(filled) + last
    return Fill(side, _rounded(exact) if last else filled, paid, levels[0][0], worst, mid, complete, exact)


def _positive(value: Decimal | int | None, name: str) -> Decimal:
    number = _ZERO if value is None else read_number(value, name)
    if not number:
        raise ParameterError(f"{name}={value} must be positive", parameter=name, value=value)
    return number


Level: TypeAlias = tuple[Decimal, Decimal]
"""Price, and quantity in the base asset."""


def _levels(book: OrderBook) -> tuple[list[Level], list[Level]]:
    """Bids and asks, the best first."""
    bids, asks = ([(level.price, level.qty) for level in side] for side in (book.bids, book.asks))
    fault = book_fault(bids, asks)
    if fault is not None:
        raise DecodeError(f"the order book is {fault}: no price in it can be trusted", problems=(fault,))
    return bids, asks


def _sums(levels: Iterable[Level]) -> tuple[Decimal, Decimal]:
    base = quote = _ZERO
    for price, qty in levels:
        base, quote = base + qty, quote + price * qty
    return base, quote


def _imbalance(bids: Decimal, asks: Decimal) -> Decimal | None:
    total = EXACT.add(bids, asks)
    return quotient(EXACT.subtract(bids, asks), total) if total else None


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
        "average": float(fill.average),
        "worst": float(fill.worst),
        "slippage_bps": float(fill.slippage_bps),
        "cost_bps": float(fill.cost_bps),
        "complete": fill.complete,
    }
