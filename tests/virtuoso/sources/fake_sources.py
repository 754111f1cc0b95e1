"""Exchanges that give whatever a test tells them to, and a clock that moves by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from virtuoso_binance import MarketDataSource
from virtuoso_binance.frames import ohlcv_frame, premium_frame
from virtuoso_binance.scalars import Row, iso
from virtuoso_binance.timeframes import FRAMES, interval_ms

NOW = 1_768_651_327_450
"""2026-01-17 12:02:07.450 UTC."""
_LENGTHS = {"base": 120, "ltf": 60, "mtf": 60, "htf": 60}
_STEP = 300_000


class Clock:
    """Seconds, moved by hand."""

    def __init__(self, now_ms: int = NOW) -> None:
        self.now_ms = now_ms

    def __call__(self) -> float:
        return self.now_ms / 1000

    def move(self, seconds: float) -> None:
        self.now_ms += round(seconds * 1000)


class FakeExchange:
    """Answers with ``market_data`` of its own price, or does what ``behaviour`` does.

    Attributes:
        behaviour: Given the symbol; returns the answer or raises; None answers well.
        asked: The arguments of each question.
    """

    def __init__(self, clock: Clock, exchange: str = "binance", price: float = 100.0) -> None:
        self.clock = clock
        self.exchange = exchange
        self.price = price
        self.behaviour: Callable[[str], Any] | None = None
        self.asked: list[tuple[Any, int | None]] = []
        self.changes: dict[str, Any] = {}
        self.up = True
        self.closed = 0

    async def initialize(self) -> bool:
        return self.up

    async def close(self) -> None:
        self.closed += 1

    async def fetch_market_data(self, symbol: Any, limit: int | None = None) -> Any:
        self.asked.append((symbol, limit))
        if self.behaviour is None:
            return self.good(str(symbol))
        answer = self.behaviour(str(symbol))
        return await answer if hasattr(answer, "__await__") else answer

    def good(self, symbol: str = "BTCUSDT") -> Row:
        plain = symbol.replace("/", "").split(":")[0]
        return market_data(plain, self.clock.now_ms, price=self.price, exchange=self.exchange, **self.changes)

    def fails(self, error: Exception) -> None:
        def behaviour(symbol: str) -> Any:
            raise error

        self.behaviour = behaviour

    def gives(self, **changes: Any) -> None:
        """``market_data`` with some keys replaced, by their dotted names with ``__`` for the dot."""

        def behaviour(symbol: str) -> Any:
            return changed(self.good(symbol), **changes)

        self.behaviour = behaviour

    def recovers(self) -> None:
        self.behaviour = None


def source_of(
    clock: Clock, exchanges: Mapping[str, FakeExchange], events: list[Any] | None = None, **block: Any
) -> MarketDataSource:
    names = list(exchanges)
    hooks = [] if events is None else [events.append]
    return MarketDataSource(exchanges, {"primary": names[0], "secondary": names[1:], **block}, hooks=hooks, now=clock)


def changed(data: Row, **changes: Any) -> Row:
    """A copy in which ``ticker__last=5`` stands for ``data["ticker"]["last"] = 5``, and ``...`` takes a key away."""
    out = dict(data)
    for dotted, value in changes.items():
        *path, last = dotted.split("__")
        row = out
        for name in path:
            row[name] = dict(row[name])
            row = row[name]
        if value is ...:
            del row[last]
        else:
            row[last] = value
    return out


def market_data(
    symbol: str = "BTCUSDT",
    now: int = NOW,
    *,
    price: float = 100.0,
    exchange: str = "binance",
    half_spread: float = 0.0001,
    volume: float = 1_000_000.0,
    rate: float = 0.0001,
    interest: float = 5000.0,
    spot: bool = False,
) -> Row:
    """A whole and valid one."""
    bid, ask = price * (1 - half_spread), price * (1 + half_spread)
    due = now - now % 28_800_000 + 28_800_000
    ticker: Row = {
        "symbol": symbol, "timestamp": now, "datetime": iso(now), "last": price, "close": price, "open": price * 0.99,
        "high": price * 1.02, "low": price * 0.98, "bid": bid, "ask": ask, "bidVolume": 1.0, "askVolume": 1.0,
        "baseVolume": volume, "volume": volume, "quoteVolume": volume * price, "percentage": 1.0,
        "change": price * 0.01,
    }  # fmt: skip
    trades = [
        {
            "id": str(n), "symbol": symbol, "price": price, "amount": 1.0, "size": 1.0, "side": ("buy", "sell")[n % 2],
            "timestamp": now - 100 * (110 - n), "time": now - 100 * (110 - n),
        }
        for n in range(110)
    ]  # fmt: skip
    frames = {name: ohlcv_frame(_candles(name, now, price)) for name in FRAMES}  # type: ignore[arg-type]
    history = [{"timestamp": now - now % _STEP - n * _STEP, "value": interest, "symbol": symbol} for n in range(3)]
    data: Row = {
        "symbol": symbol,
        "exchange": exchange,
        "timestamp": now,
        "ticker": ticker,
        "orderbook": {
            "symbol": symbol,
            "bids": [[bid * (1 - n / 10_000), 1.0 + n] for n in range(12)],
            "asks": [[ask * (1 + n / 10_000), 1.0 + n] for n in range(12)],
            "timestamp": now,
        },
        "trades": trades,
        "ohlcv": frames,
        "kline": frames,
        "open_interest_history": [],
        "oi_history": [],
        "liquidations": [],
        "sentiment": {
            "liquidations": [],
            "volatility": {
                "value": 0.5, "window": 24, "timeframe": "5min", "timestamp": now, "trend": "stable",
                "period_minutes": 5,
            },
        },
        "metadata": {
            "ticker_success": True, "orderbook_success": True, "trades_success": True, "lsr_success": False,
            "risk_limits_success": False, "ohlcv_success": True, "oi_history_success": False,
            "volatility_success": True, "funding_success": False, "market": "spot" if spot else "usdm", "errors": {},
        },
    }  # fmt: skip
    if spot:
        return data
    top = {"current": interest, "previous": interest, "value": interest, "timestamp": history[0]["timestamp"]}
    ratio = {"symbol": symbol, "long": 55.0, "short": 45.0, "timestamp": now}
    ticker.update(fundingRate=rate, funding_rate=rate, nextFundingTime=due, next_funding_time=due)
    ticker.update(openInterest=interest, open_interest=interest)
    data.update(open_interest={**top, "history": history}, open_interest_history=history, oi_history=history)
    data.update(long_short_ratio=ratio, funding={"rate": rate, "timestamp": now})
    data["premium_index"] = premium_frame(_candles("ltf", now, 0.0001), symbol, "5", now)  # type: ignore[arg-type]
    data["sentiment"].update(funding_rate={"rate": rate, "next_funding_time": due}, long_short_ratio=ratio)
    data["sentiment"]["open_interest"] = {**top, "history": history}
    data["metadata"].update(lsr_success=True, oi_history_success=True, funding_success=True)
    return data


def _candles(name: str, now: int, price: float) -> list[list[float]]:
    step, count = interval_ms(FRAMES[name][0]), _LENGTHS[name]
    newest = now - now % step
    return [[newest - n * step, price, price * 1.001, price * 0.999, price, 10.0] for n in reversed(range(count))]
