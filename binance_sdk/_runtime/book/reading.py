"""What is read from the levels of a book. Exact, quotients rounded once to 28 digits, under every decimal context.

Levels are ``(price, quantity)``, the best first: prices in the quote asset, quantities in the base asset, or in
contracts that are each worth a fixed amount of the quote asset, the contract size. No more levels are taken than a
figure needs, so they may be made as they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from itertools import chain, islice, takewhile
from typing import Literal, TypeAlias

from binance_sdk._runtime.book.levels import Level
from binance_sdk.arithmetic import EXACT, QUOTIENTS, in_own_context, quotient, read_number
from binance_sdk.errors import ParameterError, shown

TakerSide: TypeAlias = Literal["buy", "sell"]

_ZERO = Decimal(0)
_BPS = Decimal(10_000)
_FINE = Context(prec=100, rounding=ROUND_HALF_EVEN, Emin=MIN_EMIN, Emax=MAX_EMAX)


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


def spread(bids: Iterable[Level], asks: Iterable[Level]) -> Spread | None:
    """Best bid and ask; None where a side has no levels."""
    bid, ask = next(iter(bids), None), next(iter(asks), None)
    return None if bid is None or ask is None else Spread(bid[0], ask[0])


@dataclass(frozen=True, slots=True)
class Depth:
    """What lies in the book within a distance from the middle.

    Attributes:
        within: The distance, as a fraction of the middle: 0.001 is 0.1 %.
        bid_base: Bids, in the base asset; of contracts rounded to 28 digits.
        bid_quote: Bids, in the quote asset.
        ask_base: Asks, in the base asset, as ``bid_base``.
        ask_quote: Asks, in the quote asset.
        complete: Both sides are known to the edge of the band; otherwise there may be more in it.
    """

    within: Decimal
    bid_base: Decimal
    bid_quote: Decimal
    ask_base: Decimal
    ask_quote: Decimal
    complete: bool

    @property
    def bps(self) -> Decimal:
        """``within`` in basis points of the middle: 1 is 0.01 %."""
        return EXACT.multiply(self.within, _BPS)

    @property
    def imbalance(self) -> Decimal | None:
        """Bids less asks, as a share of both, by quote volume: -1 (asks only) to 1; None in an empty band."""
        return imbalance(self.bid_quote, self.ask_quote)


@in_own_context
def depth(
    bids: Iterable[Level],
    asks: Iterable[Level],
    within: Decimal | int | str,
    complete_to: tuple[Decimal | None, Decimal | None],
    contract_size: Decimal | int | str | None = None,
) -> Depth | None:
    """Depth within a fraction of the middle, both edges included; None where a side has no levels.

    Args:
        bids: Bids, the best first.
        asks: Asks, the best first.
        within: The fraction, above 0: ``Decimal("0.001")`` is 0.1 %.
        complete_to: Prices to which bids and asks are known; None for a side that is known whole.
        contract_size: What one contract is worth, in the quote asset; None where quantities are in the base asset.

    Raises:
        ParameterError: ``within`` or ``contract_size`` is no number above 0.
    """
    distance = _positive(within, "within")
    size = None if contract_size is None else _positive(contract_size, "contract_size")
    top, bids, asks = _with_top(bids, asks)
    if top is None:
        return None
    reach = top.mid * distance
    low, high = top.mid - reach, top.mid + reach
    below = sums(takewhile(lambda level: level[0] >= low, bids), size)
    above = sums(takewhile(lambda level: level[0] <= high, asks), size)
    bids_end, asks_end = complete_to
    complete = (bids_end is None or bids_end <= low) and (asks_end is None or asks_end >= high)
    return Depth(distance, *below, *above, complete=complete)


@in_own_context
def sums(levels: Iterable[Level], contract_size: Decimal | None = None) -> tuple[Decimal, Decimal]:
    """Quantity of levels in the base asset, and what it is worth in the quote asset."""
    base = quote = _ZERO
    if contract_size is not None:
        for price, qty in levels:
            worth = qty * contract_size
            # Digits enough that the errors of a thousand levels are none of the 28 in the end.
            base, quote = base + _FINE.divide(worth, price), quote + worth
        return QUOTIENTS.plus(base), quote
    for price, qty in levels:
        base, quote = base + qty, quote + price * qty
    return base, quote


def imbalance(bids: Decimal, asks: Decimal) -> Decimal | None:
    """Bids less asks, as a share of both: -1 to 1; None where there is neither."""
    total = EXACT.add(bids, asks)
    return quotient(EXACT.subtract(bids, asks), total) if total else None


@dataclass(frozen=True, slots=True)
class Fill:
    """What a market order would get from the book as it stands, fees left out.

    Attributes:
        side: ``buy`` takes asks, ``sell`` takes bids.
        base: Filled, in the base asset; of an order by ``quote``, or of contracts, rounded to 28 digits.
        quote: Filled, in the quote asset; of contracts by ``base`` rounded to 28 digits.
        best: Price of the first level, in the quote asset.
        worst: Price of the last level touched, in the quote asset.
        mid: Middle of the book before the order, in the quote asset.
        complete: The whole order is filled; otherwise the known book ended before it.
        exact_base: ``base`` before it was rounded; by default ``base`` itself.
        exact_quote: ``quote`` before it was rounded; by default ``quote`` itself.
    """

    side: TakerSide
    base: Decimal
    quote: Decimal
    best: Decimal
    worst: Decimal
    mid: Decimal
    complete: bool
    exact_base: Fraction | None = field(default=None, repr=False, compare=False)
    exact_quote: Fraction | None = field(default=None, repr=False, compare=False)

    @property
    def vwap(self) -> Decimal:
        """Average price, in the quote asset."""
        return _rounded(self._quote / self._base)

    @property
    def slippage(self) -> Decimal:
        """Average price against the best one, as a fraction; never negative, and 0 where one level filled it all."""
        return _rounded(self._worse_than(self.best))

    @property
    def slippage_bps(self) -> Decimal:
        """``slippage`` in basis points."""
        return _rounded(self._worse_than(self.best) * 10_000)

    @property
    def cost_bps(self) -> Decimal:
        """Average price against the middle, half the spread included, in basis points; never negative."""
        return _rounded(self._worse_than(self.mid) * 10_000)

    @property
    def _base(self) -> Fraction:
        return Fraction(self.base) if self.exact_base is None else self.exact_base

    @property
    def _quote(self) -> Fraction:
        return Fraction(self.quote) if self.exact_quote is None else self.exact_quote

    def _worse_than(self, price: Decimal) -> Fraction:
        # From exact sums: a rounded quotient times the price would be a little more or less than what was paid.
        fair = Fraction(price) * self._base
        paid = self._quote - fair
        return (paid if self.side == "buy" else -paid) / fair


@in_own_context
def fill(
    bids: Iterable[Level],
    asks: Iterable[Level],
    side: TakerSide,
    *,
    quote: Decimal | int | str | None = None,
    base: Decimal | int | str | None = None,
    contract_size: Decimal | int | str | None = None,
) -> Fill | None:
    """What a market order of a size gets.

    Args:
        bids: Bids, the best first.
        asks: Asks, the best first.
        side: ``buy`` or ``sell``.
        quote: Size in the quote asset; or
        base: size in the base asset.
        contract_size: What one contract is worth, in the quote asset; None where quantities are in the base asset.

    Returns:
        None where a side has no levels. ``complete`` is False where the known levels do not suffice.

    Raises:
        ParameterError: not exactly one size is given, a number is none above 0, or ``side`` is neither.
    """
    if side not in ("buy", "sell"):
        raise ParameterError(f"side={shown(side)} must be 'buy' or 'sell'", parameter="side", value=side)
    if (quote is None) == (base is None):
        raise ParameterError("give the size either as quote= or as base=", parameter="quote", value=quote)
    left = _positive(quote, "quote") if quote is not None else _positive(base, "base")
    top, bids, asks = _with_top(bids, asks)
    if top is None:
        return None
    levels, best = (asks, top.ask) if side == "buy" else (bids, top.bid)
    if contract_size is not None:
        contract = _positive(contract_size, "contract_size")
        taken = _take_contracts(levels, Fraction(left), by_quote=quote is not None, contract=Fraction(contract))
        bought, worth, worst, complete = taken
        return Fill(side, _rounded(bought), _rounded(worth), best, worst, top.mid, complete, bought, worth)
    filled, paid, last, worst = _ZERO, _ZERO, Fraction(0), best
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
    return Fill(side, _rounded(exact) if last else filled, paid, best, worst, top.mid, complete, exact)


def _take_contracts(
    levels: Iterable[Level], left: Fraction, *, by_quote: bool, contract: Fraction
) -> tuple[Fraction, Fraction, Decimal, bool]:
    """What contracts come to in base and quote asset, the price of the last ones, and whether they were enough."""
    base, quote, worst = Fraction(0), Fraction(0), _ZERO
    for price, qty in levels:
        worst, at = price, Fraction(price)
        worth = Fraction(qty) * contract
        offered = worth if by_quote else worth / at
        taken = min(offered, left)
        left -= taken
        base, quote = (base + taken / at, quote + taken) if by_quote else (base + taken, quote + taken * at)
        if not left:
            break
    return base, quote, worst, not left


def _with_top(bids: Iterable[Level], asks: Iterable[Level]) -> tuple[Spread | None, Iterable[Level], Iterable[Level]]:
    """The best prices, and both sides from their first level on."""
    sides = iter(bids), iter(asks)
    first_bids, first_asks = list(islice(sides[0], 1)), list(islice(sides[1], 1))
    return spread(first_bids, first_asks), chain(first_bids, sides[0]), chain(first_asks, sides[1])


def _rounded(value: Fraction) -> Decimal:
    return quotient(value.numerator, value.denominator)


def _positive(value: Decimal | int | str | None, name: str) -> Decimal:
    number = _ZERO if value is None else read_number(value, name)
    if not number:
        raise ParameterError(f"{name}={shown(value)} must be positive", parameter=name, value=value)
    return number
