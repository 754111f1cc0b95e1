"""What answers of Binance say about the kinds of data: how old they are, and whether they can be true."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from binance_sdk import futures
from binance_sdk.errors import APIError, BinanceError, ConfigError, ParameterError, plain_number
from virtuoso_binance.health.observations import Observations
from virtuoso_binance.kinds import Kind
from virtuoso_binance.parts import (
    CANDLES,
    LONG_SHORT_RATIO,
    OPEN_INTEREST,
    OPEN_INTEREST_HISTORY,
    ORDER_BOOK,
    PREMIUM,
    QUOTES,
    TICKER,
    TRADES,
    OrderBook,
    Part,
    Parts,
)
from virtuoso_binance.scalars import Row
from virtuoso_binance.timeframes import interval_ms

if TYPE_CHECKING:
    from binance_sdk.futures import Kline, KlineInterval

__all__ = [
    "KINDS_OF_OPERATIONS",
    "observe_candles",
    "observe_failure",
    "observe_part",
    "observe_parts",
    "observe_tickers",
]

_INVALID_SYMBOL = -1121
_CONTRADICTION = 0.05
"""Prices of one symbol at one moment that differ by more than this share cannot all be true."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a part tells.

    Args:
        kinds: The kinds of data that it is of.
        time: What an answer is about, epoch milliseconds; by default as the part itself knows it.
        fault: Why an answer cannot be true; None where it can.
    """

    kinds: tuple[Kind, ...]
    time: Callable[[Any], int | None] | None = None
    fault: Callable[[Any], str | None] | None = None


def _book_fault(book: OrderBook) -> str | None:
    if not book.bids or not book.asks:
        return "one side of the order book is empty"
    bid, ask = float(book.bids[0][0]), float(book.asks[0][0])
    return None if bid < ask else f"the best bid {plain_number(bid)} is not below the best ask {plain_number(ask)}"


def _quotes_fault(quotes: futures.TickerBookTicker) -> str | None:
    bid, ask = quotes.bid_price, quotes.ask_price
    return None if bid < ask else f"the best bid {bid} is not below the best ask {ask}"


_SEEN: Mapping[Part[Any], _Seen] = {
    TICKER: _Seen(("price", "volume"), lambda ticker: ticker.close_time),
    QUOTES: _Seen(("price",), lambda quotes: quotes.transaction_time, _quotes_fault),
    PREMIUM: _Seen(("funding",), lambda premium: premium.time),
    OPEN_INTEREST: _Seen(("open_interest",), lambda interest: interest.transaction_time),
    ORDER_BOOK: _Seen(("book",), lambda book: getattr(book, "event_time", None), _book_fault),
    TRADES: _Seen(("trades",), lambda trades: trades[-1].trade_time),
    **dict.fromkeys(CANDLES.values(), _Seen(("candles",))),
    OPEN_INTEREST_HISTORY: _Seen(("open_interest",)),
    LONG_SHORT_RATIO: _Seen(("long_short",), lambda ratios: ratios[-1].time),
}
"""The premium index in candles is none of the kinds that sources are judged by."""

KINDS_OF_OPERATIONS: Mapping[str, tuple[Kind, ...]] = {
    "ticker_24hr": ("price", "volume"),
    "ticker_book_ticker": ("price",),
    "premium_index": ("funding",),
    "funding_rate": ("funding",),
    "open_interest": ("open_interest",),
    "open_interest_hist": ("open_interest",),
    "depth": ("book",),
    "trades": ("trades",),
    "klines": ("candles",),
    "global_long_short_account_ratio": ("long_short",),
}
"""By the name of an operation on any market."""


def observe_part(observations: Observations, part: Part[Any], value: Any, now: int) -> None:
    """Note an answer.

    Args:
        observations: Where.
        part: What was asked for.
        value: The answer.
        now: The time at the exchange, epoch milliseconds.
    """
    seen = _SEEN.get(part)
    if seen is None:
        return
    if isinstance(value, list) and not value:
        _note(observations, seen.kinds, now, failure=f"{part.name}: no rows")
        return
    time = part.data_time(value, now) if seen.time is None else seen.time(value)
    fault = None if seen.fault is None else seen.fault(value)
    if fault is None and time is not None and now - time > part.max_age:
        fault = f"{(now - time) / 1000:.0f} s old"
    _note(observations, seen.kinds, now, data_time=now if time is None else time, fault=_told(part, fault))


def observe_parts(observations: Observations, parts: Parts, now: int) -> None:
    """Note all parts of a symbol, also whether their prices can be of one moment."""
    for part, value in parts.values.items():
        # Best prices alone are no price that is delivered.
        if part is not QUOTES or TICKER in parts.values:
            observe_part(observations, part, value, now)
    for part, error in parts.errors.items():
        seen = _SEEN.get(part)
        if seen is not None and _counts(error):
            _note(observations, seen.kinds, now, failure=f"{part.name}: {error}")
    contradiction = _contradiction(parts, now)
    if contradiction:
        observations.of("price").note(now, fault=contradiction)


def observe_candles(observations: Observations, rows: Sequence[Kline], interval: KlineInterval, now: int) -> None:
    """Note the newest candles of any length."""
    if not rows:
        _note(observations, ("candles",), now, failure=f"no candles of {interval}")
        return
    age = now - rows[-1].open_time
    fault = f"{interval}: {age / 1000:.0f} s old" if age >= 2 * interval_ms(interval) else ""
    _note(observations, ("candles",), now, data_time=rows[-1].open_time, fault=fault)


def observe_tickers(observations: Observations, rows: Sequence[Row], now: int) -> None:
    """Note tickers of many symbols as one answer, which is as new as the newest of them."""
    newest = max((row["timestamp"] for row in rows), default=None)
    if newest is not None:
        fault = f"bulk tickers: {(now - newest) / 1000:.0f} s old" if now - newest > TICKER.max_age else ""
        _note(observations, ("price", "volume"), now, data_time=newest, fault=fault)


def observe_failure(observations: Observations, error: BinanceError, now: int) -> None:
    """Note a call that failed. One that was wrong, or about a symbol that there is not, tells nothing."""
    if error.operation is not None and _counts(error):
        kinds = KINDS_OF_OPERATIONS.get(error.operation.partition(".")[2], ())
        _note(observations, kinds, now, failure=str(error))


def _counts(error: BinanceError) -> bool:
    wrong = isinstance(error, ParameterError | ConfigError)
    return not wrong and not (isinstance(error, APIError) and error.code == _INVALID_SYMBOL)


def _note(
    observations: Observations,
    kinds: tuple[Kind, ...],
    now: int,
    *,
    data_time: int | None = None,
    failure: str = "",
    fault: str = "",
) -> None:
    for kind in kinds:
        observations.of(kind).note(now, data_time=data_time, failure=failure, fault=fault)


def _told(part: Part[Any], fault: str | None) -> str:
    return "" if fault is None else f"{part.name}: {fault}"


def _contradiction(parts: Parts, now: int) -> str:
    """Prices that cannot all be true, as where one part of the exchange hangs."""
    ticker = parts.get(TICKER)
    if ticker is None or not ticker.last_price:
        return ""
    last = float(ticker.last_price)
    others: dict[str, float] = {}
    quotes, book, minutes = parts.get(QUOTES), parts.get(ORDER_BOOK), parts.rows(CANDLES["base"])
    if quotes is not None:
        others["middle of bid and ask"] = float(quotes.bid_price + quotes.ask_price) / 2
    if book is not None and book.bids and book.asks:
        others["order book"] = (float(book.bids[0][0]) + float(book.asks[0][0])) / 2
    if minutes and now - minutes[-1].open_time <= CANDLES["base"].max_age:
        others["newest candle"] = float(minutes[-1].close)
    told = [
        f"the {name} says {plain_number(value)}"
        for name, value in others.items()
        if abs(value / last - 1) > _CONTRADICTION
    ]
    return f"the last price is {plain_number(last)}, and {', '.join(told)}" if told else ""
