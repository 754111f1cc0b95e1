"""Large transactions: aggregate trades above a quote value, or above a percentile of those before them.

``LargeTradeWatch`` is the pure core: pages of aggregate trades in, large ones out. ``LargeTradeMonitor`` fetches the
pages. An aggregate is one order of a taker at one price (on futures: within 100 ms), so it is closer to a transaction
than the single trades it is made of.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias, cast

from binance_sdk import BinanceClient, futures, spot
from binance_sdk.arithmetic import EXACT, read_number
from binance_sdk.errors import ParameterError, shown
from virtuoso_binance.scalars import Row, is_number, iso, read_count
from virtuoso_binance.symbols import Listed

__all__ = [
    "LargeTrade",
    "LargeTradeMonitor",
    "LargeTradeWatch",
    "MissedTrades",
    "Thresholds",
    "large_trade_row",
    "percentile",
]

AggTrade: TypeAlias = spot.AggTrade | futures.AggTrade
Reason: TypeAlias = Literal["quote", "percentile"]

_PAGE = 1000
_LENGTHS = 20
"""Pages by whose lengths it is known how many rows a page holds at most."""
_LARGEST_WINDOW = 1_000_000
_VOID = -1
"""First id of a row that spot has declared void."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a trade is large. Either suffices; None switches one off.

    Args:
        quote: Value from which on it is, in the quote asset.
        percentile: It is worth more than so many percent of the trades in the window, above 0 and below 100.
        window: Trades the percentile is taken over, the newest ones.
        least: Trades the window has to hold before the percentile says anything.
    """

    quote: Decimal | None = Decimal(100_000)
    percentile: float | None = 99.0
    window: int = 5000
    least: int = 100

    def __post_init__(self) -> None:
        if self.quote is not None and not read_number(self.quote, "quote"):
            raise ParameterError(f"quote={self.quote} must be positive", parameter="quote", value=self.quote)
        if self.percentile is not None and not (is_number(self.percentile) and 0 < self.percentile < 100):
            text = f"percentile={shown(self.percentile)} must be a number above 0 and below 100"
            raise ParameterError(text, parameter="percentile", value=self.percentile)
        read_count(self.window, "window", _LARGEST_WINDOW)
        # The window has to hold as many trades as the percentile waits for.
        read_count(self.least, "least", self.window)


@dataclass(frozen=True, slots=True)
class LargeTrade:
    """One large transaction.

    Attributes:
        agg_id: Id of the aggregate.
        time: When, in epoch milliseconds.
        side: The taker's: ``buy`` lifted the asks.
        price: In the quote asset.
        qty: In the base asset.
        reasons: The thresholds it passed.
    """

    agg_id: int
    time: int
    side: Literal["buy", "sell"]
    price: Decimal
    qty: Decimal
    reasons: tuple[Reason, ...]

    @property
    def quote(self) -> Decimal:
        """Value, in the quote asset."""
        return EXACT.multiply(self.price, self.qty)


@dataclass(frozen=True, slots=True)
class MissedTrades:
    """Aggregates that were never seen, from ``first`` to ``last``, both included."""

    first: int
    last: int


def percentile(values: Sequence[Decimal], percent: float) -> Decimal:
    """The nearest-rank percentile: the smallest value that at least ``percent`` percent of all do not exceed.

    Args:
        values: At least one.
        percent: Above 0, up to 100.

    Raises:
        ParameterError: there are no values, or ``percent`` is out of range.
    """
    if not values:
        raise ParameterError("values is empty: nothing has no percentile", parameter="values")
    if not (is_number(percent) and 0 < percent <= 100):
        text = f"percent={shown(percent)} must be a number above 0 and up to 100"
        raise ParameterError(text, parameter="percent", value=percent)
    ordered = sorted(values)
    return ordered[max(math.ceil(percent / 100 * len(ordered)), 1) - 1]


@dataclass
class LargeTradeWatch:
    """Finds large trades in pages that may overlap, and notices what is missing between them.

    Attributes:
        thresholds: When a trade is large.
        last_id: The newest aggregate seen.
        gaps: What was missed.
    """

    thresholds: Thresholds = field(default_factory=Thresholds)
    last_id: int | None = None
    gaps: deque[MissedTrades] = field(default_factory=lambda: deque[MissedTrades](maxlen=100))
    _values: deque[Decimal] = field(init=False)

    def __post_init__(self) -> None:
        self._values = deque(maxlen=self.thresholds.window)

    def feed(self, trades: Sequence[AggTrade]) -> list[LargeTrade]:
        """The large ones among those trades of a page that were not seen before, oldest first.

        Args:
            trades: One page, oldest first.
        """
        fresh = [trade for trade in trades if self.last_id is None or trade.agg_id > self.last_id]
        if not fresh:
            return []
        if self.last_id is not None and fresh[0].agg_id > self.last_id + 1:
            self.gaps.append(MissedTrades(self.last_id + 1, fresh[0].agg_id - 1))
        self.last_id = fresh[-1].agg_id
        # A void row has an id, but no transaction belongs to it.
        real = [
            (trade, EXACT.multiply(trade.price, trade.qty))
            for trade in fresh
            if trade.first_trade_id != _VOID and trade.qty > 0
        ]
        self._values.extend(value for _, value in real)
        cutoff = self.cutoff
        found: list[LargeTrade] = []
        for trade, value in real:
            reasons = self._reasons(value, cutoff)
            if reasons:
                side: Literal["buy", "sell"] = "sell" if trade.is_buyer_maker else "buy"
                found.append(LargeTrade(trade.agg_id, trade.trade_time, side, trade.price, trade.qty, reasons))
        return found

    @property
    def cutoff(self) -> Decimal | None:
        """The value above which the percentile finds a trade large, in the quote asset; None with too few trades."""
        percent = self.thresholds.percentile
        if percent is None or len(self._values) < self.thresholds.least:
            return None
        return percentile(self._values, percent)

    def _reasons(self, value: Decimal, cutoff: Decimal | None) -> tuple[Reason, ...]:
        by_quote = self.thresholds.quote is not None and value >= self.thresholds.quote
        by_rank = cutoff is not None and value > cutoff
        reasons: tuple[tuple[Reason, bool], ...] = (("quote", by_quote), ("percentile", by_rank))
        return tuple(reason for reason, holds in reasons if holds)


class LargeTradeMonitor:
    """Watches one symbol by polling its aggregate trades; each page weighs 20 on futures and 4 on spot.

    Args:
        client: Where to ask.
        listed: The instrument.
        thresholds: When a trade is large.
        max_pages: Pages a poll may take; what came in faster than that is skipped and noted as a gap.
    """

    def __init__(
        self, client: BinanceClient, listed: Listed, thresholds: Thresholds | None = None, *, max_pages: int = 3
    ) -> None:
        self._max_pages = read_count(max_pages, "max_pages")
        self.listed = listed
        self.watch: LargeTradeWatch = LargeTradeWatch(thresholds or Thresholds())
        self._client = client
        self._lengths: deque[int] = deque(maxlen=_LENGTHS)

    async def poll(self) -> list[LargeTrade]:
        """The large trades since the poll before; the first one looks at the newest page.

        Raises:
            BinanceError: a page could not be had. What came before it is kept, and the next poll goes on from there.
        """
        if self.watch.last_id is None:
            return self.watch.feed(await self._page(None))
        found: list[LargeTrade] = []
        for _ in range(self._max_pages):
            page = await self._page(self.watch.last_id + 1)
            found += self.watch.feed(page)
            if not page or len(page) < max(self._lengths):
                return found
        # Too much has happened: jump to now. The watch notes what was skipped.
        return found + self.watch.feed(await self._page(None))

    async def _page(self, from_id: int | None) -> Sequence[AggTrade]:
        if self.listed.market == "spot":
            pages: object = await self._client.spot.agg_trades(self.listed.symbol, from_id=from_id, limit=_PAGE)
        else:
            pages = await self._client.futures.agg_trades(self.listed.symbol, from_id=from_id, limit=_PAGE)
        page = cast("Sequence[AggTrade]", pages)
        # Binance may lower the most rows of a page unannounced, so a page is short by comparison with those before it.
        self._lengths.append(len(page))
        return page


def large_trade_row(trade: LargeTrade, symbol: str) -> Row:
    """A large trade as a dict of floats, with the names Virtuoso's trades have."""
    qty, quote = float(trade.qty), float(trade.quote)
    return {
        "id": str(trade.agg_id),
        "symbol": symbol,
        "price": float(trade.price),
        "amount": qty,
        "size": qty,
        "cost": quote,
        "side": trade.side,
        "timestamp": trade.time,
        "datetime": iso(trade.time),
        "reasons": list(trade.reasons),
    }
