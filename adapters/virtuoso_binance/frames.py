"""DataFrames, and the only module that needs pandas; importing it without pandas says what to install."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from binance_sdk.futures import Kline, PriceKline
from virtuoso_binance.scalars import Row
from virtuoso_binance.sentiment import premium_signal

try:
    import numpy as np
    import pandas as pd
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        f"market data frames need {error.name}: pip install 'binance-market-sdk[adapter]'", name=error.name
    ) from error

__all__ = ["COLUMNS", "json_view", "mark_price_frame", "ohlcv_frame", "premium_frame"]

COLUMNS = ("open", "high", "low", "close", "volume")
_COLUMNS = pd.Index(COLUMNS)


def ohlcv_frame(klines: Sequence[Kline]) -> pd.DataFrame:
    """Candles as float64 columns over their naive UTC open times, oldest first; no candles give an empty frame."""
    cells = itertools.chain.from_iterable(k[1:6] for k in klines)
    values = np.fromiter(map(float, cells), dtype=np.float64, count=5 * len(klines)).reshape(-1, 5)
    times = [k[0] for k in klines]
    # Nanoseconds under every pandas: the resolution it would choose itself depends on its version.
    index = pd.DatetimeIndex(np.array(times, dtype="datetime64[ms]").astype("datetime64[ns]"), name="timestamp")
    return pd.DataFrame(values, index=index, columns=_COLUMNS)


def premium_frame(klines: Sequence[PriceKline], symbol: str, interval: str, now: int) -> Row:
    """Premium index candles, newest first, with their signal where there are enough of them."""
    history = _history(reversed(klines))
    out: Row = {
        "data": _price_frame(history),
        "history": history,
        "symbol": symbol,
        "interval": interval,
        "timestamp": now,
    }
    signal = premium_signal([float(k[4]) for k in klines])
    return out if signal is None else {**out, "signal": signal}


def mark_price_frame(klines: Sequence[PriceKline], symbol: str, interval: str) -> Row:
    """Mark price candles, oldest first."""
    history = _history(klines)
    out: Row = {
        "data": _price_frame(history),
        "history": history,
        "symbol": symbol,
        "interval": interval,
        "count": len(history),
    }
    return {**out, "current_mark_price": history[-1]["close"]} if history else out


def _history(klines: Iterable[PriceKline]) -> list[Row]:
    return [
        {"timestamp": k[0], "open": float(k[1]), "high": float(k[2]), "low": float(k[3]), "close": float(k[4])}
        for k in klines
    ]


def _price_frame(history: Sequence[Row]) -> pd.DataFrame:
    """The same rows as a frame with the columns timestamp (ms), open, high, low, close."""
    columns: dict[str, Any] = {"timestamp": np.array([row["timestamp"] for row in history], dtype=np.int64)}
    for name in COLUMNS[:4]:
        columns[name] = np.array([row[name] for row in history], dtype=np.float64)
    # Nobody else holds the arrays, so pandas may use them as they are.
    return pd.DataFrame(columns, copy=False)


def json_view(value: object) -> Any:
    """``market_data`` with each DataFrame as a list of records, its time index as integer milliseconds."""
    if isinstance(value, pd.DataFrame):
        frame = value
        if isinstance(frame.index, pd.DatetimeIndex):
            times = frame.index.to_numpy().astype("datetime64[ms]").astype("int64")
            frame = frame.reset_index(drop=True)
            frame.insert(0, "timestamp", times)
        return frame.to_dict(orient="records")
    if isinstance(value, Mapping):
        return {key: json_view(item) for key, item in cast("Mapping[str, object]", value).items()}
    if isinstance(value, list | tuple):
        return [json_view(item) for item in cast("Sequence[object]", value)]
    return value
