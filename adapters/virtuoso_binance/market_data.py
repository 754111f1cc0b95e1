"""``market_data`` of one symbol: everything Virtuoso's analysis reads, fetched at once.

A perpetual costs 13 requests of weight 27 and two requests of the ``/futures/data`` group (``limit=None``); a symbol
that is on spot alone costs 7 requests of weight 40.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from binance_sdk import BinanceClient
from binance_sdk.errors import BinanceError
from virtuoso_binance import calls, convert, sentiment, tickers
from virtuoso_binance.parts import (
    CANDLES,
    LONG_SHORT_RATIO,
    OPEN_INTEREST,
    OPEN_INTEREST_HISTORY,
    ORDER_BOOK,
    PREMIUM,
    PREMIUM_KLINES,
    QUOTES,
    TICKER,
    TICKER_PARTS,
    TRADES,
    Part,
    Parts,
    parts_of,
)
from virtuoso_binance.scalars import Row
from virtuoso_binance.symbols import Listed

__all__ = ["assemble", "fetch_parts", "fetch_ticker_row"]

logger = logging.getLogger("virtuoso_binance")

_PERIODS_DELIVERED = 200
_HOUR = 3_600_000
_NO_PERPETUAL = "there is no perpetual contract of this symbol"
_NO_BRACKETS = "leverage brackets need a signed request; out of scope"


# ------------------------------------------------------------------------------------- fetching


async def fetch_parts(client: BinanceClient, listed: Listed, limit: int | None = None) -> Parts:
    """Everything ``assemble`` needs.

    Args:
        client: Where to ask.
        listed: The instrument.
        limit: Trades and book levels wished for; never below what the analysis needs.

    Raises:
        BinanceError: there is no ticker.
    """
    return await _fetch(client, listed, parts_of(listed.market), limit)


async def fetch_ticker_row(client: BinanceClient, listed: Listed) -> Row:
    """The ticker alone: 4 requests of weight 5 for a perpetual, one of weight 2 on spot.

    Raises:
        BinanceError: the 24 h statistics could not be had; what else is missing is absent from the row.
    """
    parts = await _fetch(client, listed, [part for part in TICKER_PARTS if listed.market in part.markets])
    _warn(listed, _reasons(parts))
    return ticker_of(parts)


async def _fetch(client: BinanceClient, listed: Listed, wanted: Sequence[Part[Any]], limit: int | None = None) -> Parts:
    answers, errors = await calls.gather(
        {part: part.request(client, listed, part.rows_for(limit)).send() for part in wanted}
    )
    if TICKER in errors:
        raise errors[TICKER]
    return Parts(listed, answers, errors)


# ------------------------------------------------------------------------------------- assembling


def ticker_of(parts: Parts) -> Row:
    """The ticker with quotes, mark price, funding and open interest.

    Raises:
        BinanceError: the symbol has no ticker, or no price in it.
    """
    ticker = parts.get(TICKER)
    if ticker is None:
        raise BinanceError(f"{parts.listed.symbol} has no ticker")
    row = tickers.full_ticker_row(ticker, parts.get(QUOTES), parts.get(PREMIUM), parts.get(OPEN_INTEREST))
    if row is None:
        raise BinanceError(f"{parts.listed.symbol} has no price: it was not traded yet, or not for long")
    return row


def assemble(parts: Parts, now: int, *, streamed_liquidations: object = None, limit: int | None = None) -> Row:
    """The dict of the contract's section 3. A part that is missing is absent or empty, and its flag says so.

    Args:
        parts: What there is.
        now: The time at the exchange, in milliseconds.
        streamed_liquidations: What a stream has left of this symbol.
        limit: As asked for.

    Raises:
        BinanceError: there is no ticker, or no price in it.
    """
    from virtuoso_binance.frames import ohlcv_frame

    listed, symbol = parts.listed, parts.listed.symbol
    errors = _reasons(parts)
    ticker = ticker_of(parts)
    frames = {name: ohlcv_frame(parts.rows(part)) for name, part in CANDLES.items()}
    for name, frame in frames.items():
        if frame.empty:
            errors.setdefault(name, "no candles")
    book = _order_book(parts, now, errors, limit)
    if book["bids"] and book["asks"]:
        # Where the quotes failed, the book fetched at the same moment knows them.
        for side, (price, amount) in (("bid", book["bids"][0]), ("ask", book["asks"][0])):
            if side not in ticker:
                ticker[side], ticker[f"{side}Volume"] = price, amount
    trades = convert.trade_rows(parts.rows(TRADES), symbol, since=now - _HOUR)
    if not trades:
        errors.setdefault(TRADES.name, "no trades within the last hour")
    liquidations = sentiment.liquidation_rows(streamed_liquidations, symbol, now - _HOUR)
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
        "liquidations": liquidations,
    }
    sentiment_row: Row = {"liquidations": liquidations}
    if trades:
        sentiment_row["volume_sentiment"] = sentiment.volume_sentiment(trades, now)
        ratio = sentiment.taker_ratio(trades, now)
        if "error" not in ratio:
            out["taker_volume_ratio"] = ratio
    swings = sentiment.volatility(parts.rows(CANDLES["ltf"]), now)
    if swings is not None:
        sentiment_row["volatility"] = swings
    else:
        errors.setdefault("volatility", "fewer than 24 closed five-minute candles")
    if listed.market == "usdm":
        _add_funding(out, sentiment_row, parts, errors)
        _add_long_short_ratio(out, sentiment_row, parts, errors)
        _add_open_interest(out, sentiment_row, parts, errors)
        _add_premium_index(out, parts, now, errors)
    else:
        missing = ("funding", LONG_SHORT_RATIO.name, OPEN_INTEREST_HISTORY.name, PREMIUM_KLINES.name)
        errors.update(dict.fromkeys(missing, _NO_PERPETUAL))
    errors["risk_limits"] = _NO_BRACKETS
    out["sentiment"] = sentiment_row
    out["metadata"] = {
        "ticker_success": True,
        "orderbook_success": bool(book["bids"] and book["asks"]),
        "trades_success": bool(trades),
        "lsr_success": "long_short_ratio" in sentiment_row,
        "risk_limits_success": False,
        "ohlcv_success": not any(frame.empty for frame in frames.values()),
        "oi_history_success": bool(out["open_interest_history"]),
        "volatility_success": "volatility" in sentiment_row,
        "funding_success": "funding_rate" in sentiment_row,
        "market": listed.market,
        "errors": errors,
    }
    # What Binance never has is expected to be missing.
    _warn(listed, {name: text for name, text in errors.items() if text not in (_NO_BRACKETS, _NO_PERPETUAL)})
    return out


def _order_book(parts: Parts, now: int, errors: dict[str, str], limit: int | None) -> Row:
    answer = parts.get(ORDER_BOOK)
    if answer is not None:
        levels = None if limit is None else ORDER_BOOK.rows_for(limit)
        try:
            book = convert.order_book(answer, parts.listed.symbol, received=now, limit=levels)
        except BinanceError as error:
            errors[ORDER_BOOK.name] = str(error)
        else:
            if book["bids"] and book["asks"]:
                return book
            errors[ORDER_BOOK.name] = "one side of the order book is empty"
    return convert.empty_book(parts.listed.symbol, now)


def _add_funding(out: Row, sentiment_row: Row, parts: Parts, errors: dict[str, str]) -> None:
    premium = parts.get(PREMIUM)
    if premium is None:
        if PREMIUM.name in errors:
            errors["funding"] = errors[PREMIUM.name]
        return
    rate, top = sentiment.funding_sentiment(premium), sentiment.funding(premium, parts.get(OPEN_INTEREST))
    if rate is not None and top is not None:
        sentiment_row["funding_rate"], out["funding"] = rate, top
    else:
        errors["funding"] = "Binance gave no funding rate" if premium.next_funding_time else "no funding is due"


def _add_long_short_ratio(out: Row, sentiment_row: Row, parts: Parts, errors: dict[str, str]) -> None:
    ratios = parts.rows(LONG_SHORT_RATIO)
    if ratios:
        sentiment_row["long_short_ratio"] = out["long_short_ratio"] = sentiment.long_short(ratios[-1])
    else:
        errors.setdefault(LONG_SHORT_RATIO.name, "no ratio of this contract")


def _add_open_interest(out: Row, sentiment_row: Row, parts: Parts, errors: dict[str, str]) -> None:
    series = sentiment.open_interest_series(parts.rows(OPEN_INTEREST_HISTORY), _PERIODS_DELIVERED)
    if series is not None:
        sentiment_row["open_interest"] = series
        top = {name: series[name] for name in ("current", "previous", "value", "timestamp", "history")}
        out["open_interest"] = {**top, "is_synthetic": False}
        out["open_interest_history"] = out["oi_history"] = series["history"]
        return
    errors.setdefault(OPEN_INTEREST_HISTORY.name, "fewer than two periods of open interest")
    interest = parts.get(OPEN_INTEREST)
    current = None if interest is None else sentiment.open_interest_now(interest)
    if current is not None:
        amount, time = current["openInterest"], current["timestamp"]
        sentiment_row["open_interest"] = {"current": amount, "value": amount, "timestamp": time, "history": []}


def _add_premium_index(out: Row, parts: Parts, now: int, errors: dict[str, str]) -> None:
    from virtuoso_binance.frames import premium_frame

    rows = parts.rows(PREMIUM_KLINES)
    if rows:
        out["premium_index"] = premium_frame(rows, parts.listed.symbol, "5", now)
    else:
        errors.setdefault(PREMIUM_KLINES.name, "no premium of this contract")


def _reasons(parts: Parts) -> dict[str, str]:
    return {part.name: str(error) for part, error in parts.errors.items()}


def _warn(listed: Listed, errors: Mapping[str, str]) -> None:
    if errors:
        reasons = "; ".join(f"{name}: {text}" for name, text in errors.items())
        logger.warning("%s (%s) is incomplete: %s", listed.symbol, listed.market, reasons)
