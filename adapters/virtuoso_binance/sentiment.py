"""Funding, ratios, open interest, taker volume, volatility and premium: pure functions, in Virtuoso's words."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from decimal import Decimal
from statistics import fmean
from typing import cast

from binance_sdk import futures
from binance_sdk.arithmetic import EXACT
from binance_sdk.futures import Kline
from virtuoso_binance.scalars import Row, positive
from virtuoso_binance.tickers import funding_due

__all__ = [
    "funding",
    "funding_history",
    "funding_now",
    "funding_sentiment",
    "interest_series",
    "liquidation_row",
    "liquidation_rows",
    "long_short",
    "oi_history",
    "open_interest_now",
    "open_interest_series",
    "premium_signal",
    "taker_ratio",
    "volatility",
    "volatility_of",
    "volume_sentiment",
]

DAY = 86_400_000
_WINDOW = 24
"""Five-minute closes that a volatility is taken over."""
_SPAN = 5
"""Span of the average whose change is the trend of the volatility."""
_TREND = 0.05
_WHOLE = 2.0**60
"""Returns are counted in steps of 2**-60, which is finer than their floats."""
_SIGNAL_ROWS = 20
"""Rows a premium signal needs."""
_EXTREME = 2.0


# ------------------------------------------------------------------------------------- funding


def funding_sentiment(premium: futures.PremiumIndex) -> Row | None:
    """``{rate, next_funding_time}``; None where no funding is due."""
    rate = funding_due(premium)
    return None if rate is None else {"rate": rate, "next_funding_time": premium.next_funding_time}


def funding(premium: futures.PremiumIndex, interest: futures.OpenInterest | None) -> Row | None:
    """``{rate, timestamp, openInterest}`` of the top level; None where no funding is due."""
    rate = funding_due(premium)
    if rate is None:
        return None
    row: Row = {"rate": rate, "timestamp": premium.time}
    amount = None if interest is None else positive(interest.open_interest)
    return row if amount is None else {**row, "openInterest": amount}


def funding_now(premium: futures.PremiumIndex) -> Row | None:
    """What ``fetch_funding_rate`` gives; None where no funding is due."""
    rate = funding_due(premium)
    if rate is None:
        return None
    return {
        "symbol": premium.symbol,
        "fundingRate": rate,
        "nextFundingTime": premium.next_funding_time,
        "timestamp": premium.time,
    }


def funding_history(events: Sequence[futures.FundingRate], symbol: str, now: int) -> Row:
    """Funding events, newest first, with their statistics."""
    rows: list[Row] = [
        {"timestamp": event.funding_time, "fundingRate": float(event.funding_rate), "symbol": event.symbol}
        for event in reversed(events)
    ]
    out: Row = {"history": rows, "symbol": symbol, "timestamp": now}
    if rows:
        rates = [row["fundingRate"] for row in rows]
        out["statistics"] = {"mean": fmean(rates), "min": min(rates), "max": max(rates), "count": len(rates)}
    return out


# ------------------------------------------------------------------------------------- positions


def long_short(ratio: futures.LongShortRatio) -> Row:
    """Shares of long and short in percent, of the sum 100, whichever accounts or positions the ratio counts."""
    long_share = EXACT.multiply(ratio.long_account, 100)
    return {
        "symbol": ratio.symbol,
        "long": float(long_share),
        "short": float(EXACT.subtract(100, long_share)),
        "timestamp": int(ratio.time),
    }


def oi_history(rows: Sequence[futures.OpenInterestHist], limit: int | None = None) -> list[Row]:
    """Open interest by period in base units, newest first."""
    history = [
        {"timestamp": int(row.time), "value": float(row.open_interest), "symbol": row.symbol}
        for row in reversed(rows)
        if row.open_interest > 0
    ]
    return history[:limit]


def open_interest_now(interest: futures.OpenInterest) -> Row | None:
    """What ``fetch_open_interest`` gives; None where there is none."""
    amount = positive(interest.open_interest)
    if amount is None:
        return None
    return {
        "symbol": interest.symbol,
        "openInterest": amount,
        "openInterestAmount": amount,
        "open_interest": amount,
        "timestamp": interest.transaction_time,
    }


def open_interest_series(rows: Sequence[futures.OpenInterestHist], limit: int) -> Row | None:
    """Open interest with its past, from five-minute steps, oldest first.

    ``current`` is the newest step, so that ``previous`` is exactly one step before it; ``change_24h`` is there only
    where the row of 24 h before is.
    """
    points = [(int(row.time), row.open_interest) for row in rows]
    return interest_series(rows[-1].symbol, points, limit) if rows else None


def interest_series(symbol: str, points: Sequence[tuple[int, Decimal]], limit: int) -> Row | None:
    """The same from times and amounts, oldest first."""
    known = [point for point in points if point[1] > 0]
    if len(known) < 2:
        return None
    (time, amount), (_, before) = known[-1], known[-2]
    history = [{"timestamp": when, "value": float(value), "symbol": symbol} for when, value in reversed(known)]
    out: Row = {
        "current": float(amount),
        "previous": float(before),
        "value": float(amount),
        "change": float(EXACT.subtract(amount, before)),
        "timestamp": time,
        "history": history[:limit],
    }
    day_before = next((value for when, value in known if when == time - DAY), None)
    if day_before is not None:
        out["change_24h"] = float(EXACT.subtract(amount, day_before))
    return out


def liquidation_row(order: futures.ForceOrder) -> Row | None:
    """A liquidation: price and size of what was filled, where that is known, else of the order; None without them.

    ``side`` is that of the order: ``sell`` ends a long position.
    """
    price = positive(order.avg_price) or positive(order.price)
    size = positive(order.filled_accumulated_qty) or positive(order.orig_qty)
    side = str(order.side).lower()
    if price is None or size is None or side not in ("buy", "sell"):
        return None
    return {
        "symbol": order.symbol,
        "side": side,
        "price": price,
        "size": size,
        "amount": size,
        "timestamp": order.trade_time,
    }


def liquidation_rows(streamed: object, symbol: str, since: int) -> list[Row]:
    """Liquidations of a symbol out of what a stream has left on the instance; malformed rows are left out."""
    rows: list[Row] = []
    for item in cast("list[object]", streamed) if isinstance(streamed, list) else ():
        if not isinstance(item, dict):
            continue
        row = cast("Row", item)
        size, price = (positive(row.get(name)) for name in ("size", "price"))
        side, time = str(row.get("side", "")).lower(), row.get("timestamp")
        if size is None or price is None or side not in ("buy", "sell") or not isinstance(time, int) or time < since:
            continue
        rows.append({"symbol": symbol, "side": side, "price": price, "size": size, "amount": size, "timestamp": time})
    return rows


# ------------------------------------------------------------------------------------- trades


def volume_sentiment(trades: Sequence[Row], now: int) -> Row:
    """Volume bought and sold by takers, summed over trade rows, in base units."""
    bought = math.fsum(row["amount"] for row in trades if row["side"] == "buy")
    sold = math.fsum(row["amount"] for row in trades if row["side"] == "sell")
    return {"buy_volume": bought, "sell_volume": sold, "timestamp": now}


def taker_ratio(trades: Sequence[Row], now: int, lookback_seconds: float = 300) -> Row:
    """Taker volume of the last seconds, bought against sold, with a score and a signal."""
    recent = [row for row in trades if row["timestamp"] >= now - lookback_seconds * 1000]
    sums = volume_sentiment(recent, now)
    bought, sold = sums["buy_volume"], sums["sell_volume"]
    buys = sum(row["side"] == "buy" for row in recent)
    sells = len(recent) - buys
    # 10 stands for "no sells at all". Where nothing was traded the score is balanced, and `error` says so.
    ratio = bought / sold if sold > 0 else 10.0 if bought > 0 else 1.0
    out: Row = {
        "buy_volume": bought,
        "sell_volume": sold,
        "ratio": ratio,
        "score": min(100.0, max(0.0, 50 + 25 * (ratio - 1))),
        "signal": "BULLISH" if ratio > 1.2 else "BEARISH" if ratio < 0.8 else "NEUTRAL",
        "trade_count": len(recent),
        "buy_trade_count": buys,
        "sell_trade_count": sells,
        "avg_buy_size": bought / buys if buys else 0.0,
        "avg_sell_size": sold / sells if sells else 0.0,
        "lookback_seconds": lookback_seconds,
        "timestamp": now,
    }
    if not recent:
        out["error"] = f"no trades in the last {lookback_seconds} s"
    return out


# ------------------------------------------------------------------------------------- candles


def volatility(klines: Sequence[Kline], now: int) -> Row | None:
    """Annualised standard deviation of the log returns between the last 24 closed five-minute candles.

    The running candle is left out: its return is not one of five minutes. None where there are fewer candles.
    """
    return volatility_of([float(k[4]) for k in klines if k[6] < now], now)


def volatility_of(closes: Sequence[float], now: int) -> Row | None:
    """The same from the closes of finished candles of five minutes."""
    if len(closes) < _WINDOW or min(closes) <= 0:
        return None
    per_year = math.sqrt(365 * 24 * 60 / 5)
    returns = [math.log(after / before) for before, after in itertools.pairwise(closes)]
    size = _WINDOW - 1
    windows = [deviation * per_year for deviation in rolling_stdev(returns, size)]
    return {
        "value": windows[-1],
        "window": _WINDOW,
        "timeframe": "5min",
        "timestamp": now,
        "trend": _trend(windows),
        "period_minutes": 5,
    }


def rolling_stdev(values: Sequence[float], size: int) -> list[float]:
    """Sample standard deviation of every ``size`` neighbours, oldest first.

    A window's sums are differences of running ones, in whole numbers: there they are exact, and floats would cancel.
    """
    whole = [round(value * _WHOLE) for value in values]
    sums = list(itertools.accumulate(whole, initial=0))
    squares = list(itertools.accumulate((value * value for value in whole), initial=0))
    spreads = [
        size * (squares[end] - squares[end - size]) - (sums[end] - sums[end - size]) ** 2
        for end in range(size, len(sums))
    ]
    return [math.sqrt(spread / (size * (size - 1))) / _WHOLE for spread in spreads]


def stdev(values: Sequence[float]) -> float:
    """Sample standard deviation. That of ``statistics`` counts in fractions, which took most of a snapshot's time."""
    mean = fmean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _trend(values: Sequence[float]) -> str:
    """Direction of a span-5 exponential average over its own span; unknown where there is too little of it."""
    if len(values) <= 2 * _SPAN:
        return "unknown"
    weight = 2 / (_SPAN + 1)
    averages = [values[0]]
    for value in values[1:]:
        averages.append(averages[-1] + weight * (value - averages[-1]))
    now, before = averages[-1], averages[-1 - _SPAN]
    if before <= 0:
        return "unknown"
    change = now / before - 1
    return "increasing" if change > _TREND else "decreasing" if change < -_TREND else "stable"


def premium_signal(closes: Sequence[float]) -> Row | None:
    """How unusual the latest premium is; None where there are too few values, or all are the same.

    Args:
        closes: Premium as a fraction, oldest first.
    """
    if len(closes) < _SIGNAL_ROWS:
        return None
    spread = stdev(closes)
    if spread == 0:
        return None
    mean = fmean(closes)
    z = (closes[-1] - mean) / spread
    return {
        "current_premium_pct": closes[-1] * 100,
        "mean_premium_pct": mean * 100,
        "z_score": z,
        "is_extreme_premium": z > _EXTREME,
        "is_extreme_discount": z < -_EXTREME,
    }
