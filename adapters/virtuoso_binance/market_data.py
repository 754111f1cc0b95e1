"""``market_data`` of one symbol: everything Virtuoso's analysis reads, fetched at once.

A perpetual costs 13 requests of weight 27 and two requests of the ``/futures/data`` group (``limit=None``); a symbol
that is on spot alone costs 7 requests of weight 40.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from binance_sdk import BinanceClient, futures
from binance_sdk.errors import BinanceError, ConfigError
from binance_sdk.futures import Kline
from virtuoso_binance import calls, convert, sentiment, tickers
from virtuoso_binance.scalars import Row
from virtuoso_binance.symbols import Listed
from virtuoso_binance.timeframes import FRAMES

__all__ = ["Parts", "assemble", "fetch_parts", "fetch_ticker_row"]

logger = logging.getLogger("virtuoso_binance")

_BOOK_LEVELS, _LEAST_LEVELS = 100, 25
_TRADES, _LEAST_TRADES = 1000, 100
_PREMIUM_ROWS = 99
"""The most that costs a weight of 1."""
_OI_ROWS, _OI_SHOWN = 289, 200
"""One row more than a day of five-minute steps, so that the change over 24 h is a real one."""
_HOUR = 3_600_000
_NO_PERPETUAL = "there is no perpetual contract of this symbol"
_NO_BRACKETS = "leverage brackets need a signed request; out of scope"


@dataclass
class Parts:
    """What came, by name, and what went wrong, by the same names."""

    listed: Listed
    data: Mapping[str, Any]
    errors: dict[str, BinanceError] = field(default_factory=dict[str, BinanceError])

    def get(self, name: str) -> Any:
        """None where the part is missing."""
        return self.data.get(name)


async def gather(listed: Listed, calls_by_name: Mapping[str, Coroutine[Any, Any, object]]) -> Parts:
    """Make all calls at once; the budget decides how many really run together."""
    results = await asyncio.gather(*calls_by_name.values(), return_exceptions=True)
    data: dict[str, object] = {}
    errors: dict[str, BinanceError] = {}
    for name, result in zip(calls_by_name, results, strict=True):
        if not isinstance(result, BaseException):
            data[name] = result
        elif isinstance(result, BinanceError) and not isinstance(result, ConfigError):
            errors[name] = result
        else:
            # A mistake in this program or a cancellation is not a failed part.
            raise result
    if "ticker" in errors:
        raise errors["ticker"]
    return Parts(listed, data, errors)


def _ticker_calls(client: BinanceClient, listed: Listed) -> dict[str, Coroutine[Any, Any, object]]:
    out: dict[str, Coroutine[Any, Any, object]] = {"ticker": calls.ticker(client, listed)}
    if listed.market == "usdm":
        out["quotes"] = client.futures.ticker_book_ticker(listed.symbol)
        out["premium"] = client.futures.premium_index(listed.symbol)
        out["interest"] = client.futures.open_interest(listed.symbol)
    return out


async def fetch_ticker_row(client: BinanceClient, listed: Listed) -> Row:
    """The ticker alone: 4 requests of weight 5 for a perpetual, one of weight 2 on spot.

    Raises:
        BinanceError: the 24 h statistics could not be had; what else is missing is absent from the row.
    """
    parts = await gather(listed, _ticker_calls(client, listed))
    _warn(parts.listed, {name: str(error) for name, error in parts.errors.items()})
    return ticker_of(parts)


async def fetch_parts(client: BinanceClient, listed: Listed, limit: int | None = None) -> Parts:
    """Everything ``assemble`` needs.

    Args:
        client: Where to ask.
        listed: The instrument.
        limit: Trades and book levels wished for; never below what the analysis needs.

    Raises:
        BinanceError: there is no ticker.
    """
    levels = _BOOK_LEVELS if limit is None else max(limit, _LEAST_LEVELS)
    trades = _TRADES if limit is None else min(max(limit, _LEAST_TRADES), calls.TRADES_MOST)
    wanted = _ticker_calls(client, listed)
    wanted["orderbook"] = calls.book(client, listed, calls.book_limit(levels))
    wanted["trades"] = calls.trades(client, listed, trades)
    for name, (interval, count) in FRAMES.items():
        wanted[name] = calls.newest_klines(client, listed, interval, count)
    if listed.market == "usdm":
        statistics = client.futures
        wanted["oi_history"] = calls.open_interest(client, listed.symbol, "5m", _OI_ROWS)
        wanted["lsr"] = statistics.global_long_short_account_ratio(listed.symbol, "5m", limit=1)
        wanted["premium_index"] = calls.price_klines(
            statistics.iter_premium_index_klines, listed.symbol, "5m", _PREMIUM_ROWS
        )
    return await gather(listed, wanted)


def ticker_of(parts: Parts) -> Row:
    """The ticker with quotes, mark price, funding and open interest.

    Raises:
        BinanceError: the symbol has no price.
    """
    row = tickers.ticker_row(parts.data["ticker"])
    if row is None:
        raise BinanceError(f"{parts.listed.symbol} has no price: it was not traded yet, or not for long")
    quotes: futures.TickerBookTicker | None = parts.get("quotes")
    premium: futures.PremiumIndex | None = parts.get("premium")
    interest: futures.OpenInterest | None = parts.get("interest")
    if quotes is not None:
        tickers.add_book(row, quotes)
    if premium is not None:
        tickers.add_premium(row, premium)
    if interest is not None:
        tickers.add_open_interest(row, interest, None if premium is None else premium.mark_price)
    return row


def assemble(parts: Parts, now: int, *, kept_liquidations: object = None, limit: int | None = None) -> Row:
    """The dict of the contract's section 3. A part that failed is absent or empty, and its flag says so.

    Args:
        parts: What was fetched.
        now: The time at the exchange, in milliseconds.
        kept_liquidations: What a stream has left of this symbol.
        limit: As asked for.
    """
    from virtuoso_binance.frames import ohlcv_frame

    listed, symbol = parts.listed, parts.listed.symbol
    errors = {name: str(error) for name, error in parts.errors.items()}
    ticker = ticker_of(parts)
    frames = {name: ohlcv_frame(cast("list[Kline]", parts.get(name) or [])) for name in FRAMES}
    for name, frame in frames.items():
        if frame.empty:
            errors.setdefault(name, "no candles")
    book = _book(parts, now, errors, limit)
    if book["bids"] and book["asks"]:
        # Where the quotes failed, the book fetched at the same moment knows them.
        for side, (price, amount) in (("bid", book["bids"][0]), ("ask", book["asks"][0])):
            if side not in ticker:
                ticker[side], ticker[f"{side}Volume"] = price, amount
    trades = convert.trade_rows(parts.get("trades") or [], symbol, since=now - _HOUR)
    if not trades:
        errors.setdefault("trades", "no trades within the last hour")
    out: Row = {
        "symbol": symbol,
        "exchange": "binance",
        "timestamp": now,
        "ticker": ticker,
        "orderbook": book,
        "trades": trades,
        "ohlcv": frames,
        "kline": frames,
        "open_interest_history": [],
        "oi_history": [],
    }
    out["liquidations"] = sentiment.liquidation_rows(kept_liquidations, symbol, now - _HOUR)
    feeling: Row = {"liquidations": out["liquidations"]}
    if trades:
        feeling["volume_sentiment"] = sentiment.volume_sentiment(trades, now)
        ratio = sentiment.taker_ratio(trades, now)
        if "error" not in ratio:
            out["taker_volume_ratio"] = ratio
    swings = sentiment.volatility(parts.get("ltf") or [], now)
    if swings is not None:
        feeling["volatility"] = swings
    else:
        errors.setdefault("volatility", "fewer than 24 closed five-minute candles")
    if listed.market == "usdm":
        _add_contract_parts(out, feeling, parts, now, errors)
    else:
        errors.update(dict.fromkeys(("funding", "lsr", "oi_history", "premium_index"), _NO_PERPETUAL))
    errors["risk_limits"] = _NO_BRACKETS
    out["sentiment"] = feeling
    out["metadata"] = {
        "ticker_success": True,
        "orderbook_success": bool(book["bids"] and book["asks"]),
        "trades_success": bool(trades),
        "lsr_success": "long_short_ratio" in feeling,
        "risk_limits_success": False,
        "ohlcv_success": not any(frame.empty for frame in frames.values()),
        "oi_history_success": bool(out["open_interest_history"]),
        "volatility_success": "volatility" in feeling,
        "funding_success": "funding_rate" in feeling,
        "market": listed.market,
        "errors": errors,
    }
    # What cannot be had from Binance at all is no news.
    _warn(listed, {name: text for name, text in errors.items() if text not in (_NO_BRACKETS, _NO_PERPETUAL)})
    return out


def _book(parts: Parts, now: int, errors: dict[str, str], limit: int | None) -> Row:
    levels = None if limit is None else max(limit, _LEAST_LEVELS)
    answer = parts.get("orderbook")
    if answer is not None:
        try:
            book = convert.order_book(answer, parts.listed.symbol, received=now, limit=levels)
        except BinanceError as error:
            errors["orderbook"] = str(error)
        else:
            if book["bids"] and book["asks"]:
                return book
            errors["orderbook"] = "one side of the order book is empty"
    return convert.empty_book(parts.listed.symbol, now)


def _add_contract_parts(out: Row, feeling: Row, parts: Parts, now: int, errors: dict[str, str]) -> None:
    from virtuoso_binance.frames import premium_frame

    symbol = parts.listed.symbol
    premium: futures.PremiumIndex | None = parts.get("premium")
    interest: futures.OpenInterest | None = parts.get("interest")
    if premium is not None:
        rate, top = sentiment.funding_sentiment(premium), sentiment.funding(premium, interest)
        if rate is not None and top is not None:
            feeling["funding_rate"], out["funding"] = rate, top
        else:
            errors["funding"] = "Binance gave no funding rate" if premium.next_funding_time else "no funding is due"
    elif "premium" in errors:
        errors["funding"] = errors["premium"]
    ratios: list[futures.LongShortRatio] | None = parts.get("lsr")
    if ratios:
        feeling["long_short_ratio"] = out["long_short_ratio"] = sentiment.long_short(ratios[-1])
    else:
        errors.setdefault("lsr", "no ratio of this contract")
    series = sentiment.open_interest_series(parts.get("oi_history") or [], _OI_SHOWN)
    if series is not None:
        feeling["open_interest"] = series
        shown = {name: series[name] for name in ("current", "previous", "value", "timestamp", "history")}
        out["open_interest"] = {**shown, "is_synthetic": False}
        out["open_interest_history"] = out["oi_history"] = series["history"]
    else:
        errors.setdefault("oi_history", "fewer than two periods of open interest")
        current = None if interest is None else sentiment.open_interest_now(interest, symbol)
        if current is not None:
            amount, time = current["openInterest"], current["timestamp"]
            feeling["open_interest"] = {"current": amount, "value": amount, "timestamp": time, "history": []}
    rows: list[futures.PriceKline] | None = parts.get("premium_index")
    if rows:
        out["premium_index"] = premium_frame(rows, symbol, "5", now)
    else:
        errors.setdefault("premium_index", "no premium of this contract")


def _warn(listed: Listed, errors: Mapping[str, str]) -> None:
    if errors:
        told = "; ".join(f"{name}: {text}" for name, text in errors.items())
        logger.warning("%s (%s) is incomplete: %s", listed.symbol, listed.market, told)
