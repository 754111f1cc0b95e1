"""``market_data`` out of what is known of one symbol of any exchange: the dict of the contract's section 3."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from virtuoso_binance import convert, sentiment
from virtuoso_binance.scalars import Row
from virtuoso_binance.symbols import MarketName

__all__ = ["HOUR", "NO_PERPETUAL", "Known", "market_data_of"]

logger: logging.Logger = logging.getLogger("virtuoso_binance")

HOUR = 3_600_000
NO_PERPETUAL = "there is no perpetual contract of this symbol"
_NO_BRACKETS = "leverage brackets need a signed request; out of scope"
_OF_PERPETUALS = ("funding", "lsr", "oi_history", "premium_index")


@dataclass
class Known:
    """Everything known of a symbol at one moment, in Virtuoso's words. What is None or empty is not known.

    Attributes:
        exchange: Whose data they are.
        symbol: E.g. ``BTCUSDT``.
        market: ``usdm`` for a linear perpetual, ``spot``.
        ticker: The 24 h statistics with all that is known besides.
        book: The order book.
        trades: Those of the last hour, oldest first.
        candles: Rows of the four frames, oldest first: open time, open, high, low, close, volume.
        volatility: Out of finished candles of five minutes.
        funding: ``funding`` of the top level.
        funding_rate: The same for the sentiment.
        long_short: The ratio in percent.
        interest: Open interest with its past.
        interest_now: Open interest of this moment, where there is no past.
        premium_index: Candles of the premium, with their signal.
        liquidations: What a stream has left.
        errors: Why something is not known, by the name of its part.
    """

    exchange: str
    symbol: str
    market: MarketName
    ticker: Row
    book: Row | None = None
    trades: list[Row] = field(default_factory=list[Row])
    candles: Mapping[str, Sequence[Sequence[Any]]] = field(default_factory=dict[str, Sequence[Sequence[Any]]])
    volatility: Row | None = None
    funding: Row | None = None
    funding_rate: Row | None = None
    long_short: Row | None = None
    interest: Row | None = None
    interest_now: Row | None = None
    premium_index: Row | None = None
    liquidations: list[Row] = field(default_factory=list[Row])
    errors: dict[str, str] = field(default_factory=dict[str, str])


def market_data_of(known: Known, now: int) -> Row:
    """The dict. A part that is missing is absent or empty, its flag is False, and its reason stands in ``metadata``.

    Args:
        known: What there is.
        now: The time at the exchange, in milliseconds.
    """
    from virtuoso_binance.frames import ohlcv_frame

    errors, ticker = known.errors, known.ticker
    frames = {name: ohlcv_frame(rows) for name, rows in known.candles.items()}
    for name, frame in frames.items():
        if frame.empty:
            errors.setdefault(name, "no candles")
    book = known.book or convert.empty_book(known.symbol, now)
    if known.book is not None:
        # Where the quotes are not known, the book of the same moment knows them.
        for side, (price, amount) in (("bid", book["bids"][0]), ("ask", book["asks"][0])):
            if side not in ticker:
                ticker[side], ticker[f"{side}Volume"] = price, amount
    if not known.trades:
        errors.setdefault("trades", "no trades within the last hour")
    history: list[Row] = [] if known.interest is None else known.interest["history"]
    out: Row = {
        "symbol": known.symbol,
        "exchange": known.exchange,
        "timestamp": now,
        "ticker": ticker,
        "orderbook": book,
        "trades": known.trades,
        "ohlcv": frames,
        "kline": frames,
        "open_interest_history": history,
        "oi_history": history,
        "liquidations": known.liquidations,
    }
    sentiment_row: Row = {"liquidations": known.liquidations}
    if known.trades:
        sentiment_row["volume_sentiment"] = sentiment.volume_sentiment(known.trades, now)
        ratio = sentiment.taker_ratio(known.trades, now)
        if "error" not in ratio:
            out["taker_volume_ratio"] = ratio
    if known.volatility is not None:
        sentiment_row["volatility"] = known.volatility
    else:
        errors.setdefault("volatility", "fewer than 24 closed five-minute candles")
    _add_statistics(out, sentiment_row, known)
    if known.market == "spot":
        errors.update(dict.fromkeys(_OF_PERPETUALS, NO_PERPETUAL))
    errors["risk_limits"] = _NO_BRACKETS
    out["sentiment"] = sentiment_row
    out["metadata"] = {
        "ticker_success": True,
        "orderbook_success": known.book is not None,
        "trades_success": bool(known.trades),
        "lsr_success": "long_short_ratio" in sentiment_row,
        "risk_limits_success": False,
        "ohlcv_success": not any(frame.empty for frame in frames.values()),
        "oi_history_success": bool(history),
        "volatility_success": "volatility" in sentiment_row,
        "funding_success": "funding_rate" in sentiment_row,
        "market": known.market,
        "errors": errors,
    }
    # What an exchange never has is expected to be missing.
    told = {name: text for name, text in errors.items() if text not in (_NO_BRACKETS, NO_PERPETUAL)}
    warn_incomplete(known.symbol, known.market, told)
    return out


def _add_statistics(out: Row, sentiment_row: Row, known: Known) -> None:
    if known.funding is not None and known.funding_rate is not None:
        out["funding"], sentiment_row["funding_rate"] = known.funding, known.funding_rate
    if known.long_short is not None:
        out["long_short_ratio"] = sentiment_row["long_short_ratio"] = known.long_short
    if known.interest is not None:
        sentiment_row["open_interest"] = known.interest
        top = {name: known.interest[name] for name in ("current", "previous", "value", "timestamp", "history")}
        out["open_interest"] = {**top, "is_synthetic": False}
    elif known.interest_now is not None:
        amount, time = known.interest_now["openInterest"], known.interest_now["timestamp"]
        sentiment_row["open_interest"] = {"current": amount, "value": amount, "timestamp": time, "history": []}
    if known.premium_index is not None:
        out["premium_index"] = known.premium_index


def warn_incomplete(symbol: str, market: str, errors: Mapping[str, str]) -> None:
    """One warning about what is missing of a symbol."""
    if errors:
        reasons = "; ".join(f"{name}: {text}" for name, text in errors.items())
        logger.warning("%s (%s) is incomplete: %s", symbol, market, reasons)
