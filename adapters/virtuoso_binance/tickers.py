"""Tickers in Virtuoso's words, alone and in bulk."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, SupportsIndex, TypeAlias, overload

from binance_sdk import futures, spot
from binance_sdk.arithmetic import EXACT
from virtuoso_binance.scalars import Row, iso, positive
from virtuoso_binance.symbols import Listed, plain_symbol

__all__ = [
    "TickerTable",
    "add_book",
    "add_open_interest",
    "add_premium",
    "full_ticker_row",
    "funding_due",
    "market_row",
    "ticker_row",
]


Statistics: TypeAlias = spot.Ticker24hr | futures.Ticker24hr | spot.TickerEvent | futures.TickerEvent
"""Those of 24 hours, from an answer or from a stream."""


def ticker_row(ticker: Statistics) -> Row | None:
    """The 24 h statistics; None where the symbol has no price, as before its first trade.

    On spot best bid and ask are part of them; on futures ``add_book`` brings them.
    """
    last, high, low, open_ = (
        positive(price) for price in (ticker.last_price, ticker.high_price, ticker.low_price, ticker.open_price)
    )
    if last is None or high is None or low is None or open_ is None:
        return None
    base, quote = float(ticker.volume), float(ticker.quote_volume)
    percent = float(ticker.price_change_percent)
    row: Row = {
        "symbol": ticker.symbol,
        "timestamp": ticker.close_time,
        "datetime": iso(ticker.close_time),
        "last": last,
        "close": last,
        "lastPrice": last,
        "open": open_,
        "high": high,
        "low": low,
        "change": float(ticker.price_change),
        "percentage": percent,
        "priceChangePercent": percent,
        "price24hPcnt": float(EXACT.divide(ticker.price_change_percent, 100)),
        "baseVolume": base,
        "volume": base,
        "volume24h": base,
        "quoteVolume": quote,
        "turnover": quote,
        "turnover24h": quote,
    }
    _put(row, vwap=positive(ticker.weighted_avg_price))
    if isinstance(ticker, spot.Ticker24hr | spot.TickerEvent):
        _put(row, previousClose=positive(ticker.prev_close_price))
        _put_side(row, "bid", ticker.bid_price, ticker.bid_qty)
        _put_side(row, "ask", ticker.ask_price, ticker.ask_qty)
    return row


def full_ticker_row(
    ticker: Statistics,
    quotes: futures.TickerBookTicker | None = None,
    premium: futures.PremiumIndex | None = None,
    interest: futures.OpenInterest | None = None,
) -> Row | None:
    """The 24 h statistics with all that is known besides; None where the symbol has no price."""
    row = ticker_row(ticker)
    if row is None:
        return None
    if quotes is not None:
        add_book(row, quotes)
    if premium is not None:
        add_premium(row, premium)
    if interest is not None:
        add_open_interest(row, interest, None if premium is None else premium.mark_price)
    return row


def _put(row: Row, **values: float | None) -> None:
    row.update({name: value for name, value in values.items() if value is not None})


def _put_side(row: Row, side: str, price: Decimal, qty: Decimal) -> None:
    known = positive(price)
    if known is not None:
        row[side], row[f"{side}Volume"] = known, float(qty)


def add_book(row: Row, book: futures.TickerBookTicker | spot.TickerBookTicker) -> None:
    """Best bid and ask; a side without orders stays absent."""
    _put_side(row, "bid", book.bid_price, book.bid_qty)
    _put_side(row, "ask", book.ask_price, book.ask_qty)
    if isinstance(book, futures.TickerBookTicker) and book.transaction_time > row["timestamp"]:
        # Statistics of a quiet contract are as old as its last trade, while its quotes live.
        row["timestamp"], row["datetime"] = book.transaction_time, iso(book.transaction_time)


def funding_due(premium: futures.PremiumIndex) -> float | None:
    """The funding rate as a fraction; None where no funding is due: without a next time a rate means nothing."""
    return float(premium.funding_rate) if premium.next_funding_time and premium.funding_rate is not None else None


def add_premium(row: Row, premium: futures.PremiumIndex) -> None:
    """Mark and index price and funding of a perpetual."""
    mark, index = positive(premium.mark_price), positive(premium.index_price)
    _put(row, mark=mark, markPrice=mark, index=index, indexPrice=index)
    rate = funding_due(premium)
    if rate is not None:
        row.update(fundingRate=rate, funding_rate=rate)
        row.update(nextFundingTime=premium.next_funding_time, next_funding_time=premium.next_funding_time)


def add_open_interest(row: Row, interest: futures.OpenInterest, mark: Decimal | None) -> None:
    """Open interest in base units, and in quote units where the mark price is known."""
    amount = positive(interest.open_interest)
    if amount is None:
        return
    row.update(openInterest=amount, open_interest=amount)
    value = None if mark is None else positive(EXACT.multiply(interest.open_interest, mark))
    _put(row, openInterestValue=value, open_interest_value=value)


def market_row(row: Row, listed: Listed) -> Row:
    """A row of ``get_markets()`` from a ticker."""
    out: Row = {
        "symbol": row["symbol"],
        "active": listed.active,
        "turnover24h": row["quoteVolume"],
        "volume24h": row["baseVolume"],
        "turnover": row["quoteVolume"],
        "volume": row["baseVolume"],
        "price": {"last": row["last"], "high": row["high"], "low": row["low"], "change_24h": row["price24hPcnt"]},
        "info": {
            "market": listed.market,
            "status": listed.rules.status,
            "base": listed.rules.base_asset,
            "quote": listed.rules.quote_asset,
        },
    }
    out.update({side: row[side] for side in ("bid", "ask") if side in row})
    return out


class TickerTable(list[Row]):
    """Tickers as a list that also answers like a mapping from symbol to ticker.

    Half of Virtuoso's callers iterate over tickers, the other half ask for ``.items()`` and ``["BTCUSDT"]``.
    """

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        super().__init__(rows)
        self._by_symbol: dict[str, Row] = {row["symbol"]: row for row in self}

    def keys(self) -> Iterable[str]:
        """Symbols, in the order of the list."""
        return self._by_symbol.keys()

    def values(self) -> Iterable[Row]:
        """Tickers."""
        return self._by_symbol.values()

    def items(self) -> Iterable[tuple[str, Row]]:
        """Pairs of symbol and ticker."""
        return self._by_symbol.items()

    def get(self, symbol: str, default: Any = None) -> Any:
        """The ticker of a symbol, in any spelling."""
        return self._by_symbol.get(plain_symbol(symbol), default)

    @overload
    def __getitem__(self, key: SupportsIndex) -> Row: ...

    @overload
    def __getitem__(self, key: slice) -> list[Row]: ...

    @overload
    def __getitem__(self, key: str) -> Row: ...

    def __getitem__(self, key: SupportsIndex | slice | str) -> Row | list[Row]:
        if isinstance(key, str):
            return self._by_symbol[plain_symbol(key)]
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        return key in self._by_symbol if isinstance(key, str) else super().__contains__(key)
