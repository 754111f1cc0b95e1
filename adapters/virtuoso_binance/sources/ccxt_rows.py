"""CCXT's unified structures in Virtuoso's words: pure functions. What CCXT leaves None stays absent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from virtuoso_binance.convert import checked_book
from virtuoso_binance.scalars import Row, is_number, iso, positive
from virtuoso_binance.sentiment import interest_series

__all__ = [
    "funding_rows",
    "interest_row",
    "long_short_row",
    "order_book_row",
    "plain_rows",
    "ticker_row",
    "trade_rows",
]

_NAMES: Mapping[str, tuple[str, ...]] = {
    "last": ("last", "close", "lastPrice"),
    "open": ("open",),
    "high": ("high",),
    "low": ("low",),
    "bid": ("bid",),
    "ask": ("ask",),
    "vwap": ("vwap",),
    "previousClose": ("previousClose",),
    "markPrice": ("mark", "markPrice"),
    "indexPrice": ("index", "indexPrice"),
}
"""Prices, which are absent where they are not above zero."""
_COUNTS: Mapping[str, tuple[str, ...]] = {
    "bidVolume": ("bidVolume",),
    "askVolume": ("askVolume",),
    "baseVolume": ("baseVolume", "volume", "volume24h"),
    "quoteVolume": ("quoteVolume", "turnover", "turnover24h"),
    "change": ("change",),
    "percentage": ("percentage", "priceChangePercent"),
}
_PERIODS = 200


def ticker_row(ticker: Mapping[str, Any], symbol: str, received: int) -> Row:
    """The ticker.

    Args:
        ticker: CCXT's.
        symbol: As ``BTCUSDT``.
        received: Its time where it names none, in milliseconds.
    """
    time = ticker.get("timestamp")
    time = time if isinstance(time, int) else received
    row: Row = {"symbol": symbol, "timestamp": time, "datetime": iso(time)}
    for name, names in _NAMES.items():
        price = positive(ticker.get(name))
        if price is not None:
            row.update(dict.fromkeys(names, price))
    for name, names in _COUNTS.items():
        value = ticker.get(name)
        if is_number(value):
            row.update(dict.fromkeys(names, float(value)))
    for side in ("bid", "ask"):
        if side not in row:
            row.pop(f"{side}Volume", None)
    if "percentage" in row:
        row["price24hPcnt"] = row["percentage"] / 100
    return row


def order_book_row(book: Mapping[str, Any], symbol: str, received: int) -> Row | None:
    """The order book; None where a side is empty.

    Raises:
        DecodeError: it is crossed, out of order or has an empty level.
    """
    bids, asks = ([[float(level[0]), float(level[1])] for level in book[side]] for side in ("bids", "asks"))
    time, nonce = book.get("timestamp"), book.get("nonce")
    row = checked_book(symbol, bids, asks, time if isinstance(time, int) else received, nonce or 0)
    if not isinstance(nonce, int):
        del row["nonce"]
    return row if bids and asks else None


def trade_rows(trades: Iterable[Mapping[str, Any]], symbol: str, since: int) -> list[Row]:
    """Trades from ``since`` on, oldest first; one without id, side, price or amount is left out."""
    rows: list[Row] = []
    for trade in trades:
        id_, side, time = trade.get("id"), trade.get("side"), trade.get("timestamp")
        price, amount = positive(trade.get("price")), positive(trade.get("amount"))
        if not id_ or side not in ("buy", "sell") or price is None or amount is None or not isinstance(time, int):
            continue
        if time < since:
            continue
        row: Row = {"id": str(id_), "symbol": symbol, "price": price, "amount": amount, "size": amount, "qty": amount}
        row.update(cost=positive(trade.get("cost")) or price * amount, side=side, timestamp=time, time=time)
        rows.append({**row, "datetime": iso(time), "takerOrMaker": "taker"})
    return sorted(rows, key=lambda row: int(row["timestamp"]))


def plain_rows(candles: Iterable[Sequence[Any]]) -> list[list[float]]:
    """Candles oldest first, each time once; one with a hole in it is left out."""
    by_time = {int(row[0]): [int(row[0]), *map(float, row[1:6])] for row in candles if None not in row[:6]}
    return [by_time[time] for time in sorted(by_time)]


def funding_rows(funding: Mapping[str, Any], now: int) -> tuple[Row, Row] | None:
    """``funding`` of the top level, and that of the sentiment; None where no funding is due.

    Args:
        funding: CCXT's funding rate.
        now: The time, in milliseconds.
    """
    rate = funding.get("fundingRate")
    times = (funding.get("fundingTimestamp"), funding.get("nextFundingTimestamp"))
    # By some exchanges the first one is of the funding that was paid last.
    due = min((time for time in times if isinstance(time, int) and time > now), default=None)
    if not is_number(rate) or due is None:
        return None
    time = funding.get("timestamp")
    return (
        {"rate": float(rate), "timestamp": time if isinstance(time, int) else now},
        {"rate": float(rate), "next_funding_time": due},
    )


def interest_row(history: Iterable[Mapping[str, Any]], symbol: str) -> Row | None:
    """Open interest in base units with its past; None where fewer than two periods are known."""
    points = [
        (point["timestamp"], Decimal(repr(float(point["openInterestAmount"]))))
        for point in history
        if isinstance(point.get("timestamp"), int) and is_number(point.get("openInterestAmount"))
    ]
    return interest_series(symbol, sorted(points), _PERIODS)


def long_short_row(ratios: Iterable[Mapping[str, Any]], symbol: str) -> Row | None:
    """Shares in percent of the newest ratio of long to short; None where there is none."""
    known = [
        (row["timestamp"], float(row["longShortRatio"]))
        for row in ratios
        if isinstance(row.get("timestamp"), int) and positive(row.get("longShortRatio")) is not None
    ]
    if not known:
        return None
    time, ratio = max(known)
    long_share = 100 * ratio / (1 + ratio)
    return {"symbol": symbol, "long": long_share, "short": 100 - long_share, "timestamp": time}
