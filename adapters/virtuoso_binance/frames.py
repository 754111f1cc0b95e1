"""DataFrames, and the only module that needs pandas; importing it without pandas says what to install."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
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

__all__ = ["COLUMNS", "json_view", "merge_tail", "ohlcv_frame", "premium_frame", "price_klines", "rows_frame"]

COLUMNS = ("open", "high", "low", "close", "volume")
_COLUMNS = pd.Index(COLUMNS)


def ohlcv_frame(klines: Sequence[Kline]) -> pd.DataFrame:
    """Candles as float64 columns over their naive UTC open times, oldest first; no candles give an empty frame."""
    cells = itertools.chain.from_iterable(k[1:6] for k in klines)
    values = np.fromiter(map(float, cells), dtype=np.float64, count=5 * len(klines)).reshape(-1, 5)
    return _frame([k[0] for k in klines], values)


def rows_frame(rows: Sequence[Sequence[int | float]]) -> pd.DataFrame:
    """The same from rows as ``fetch_ohlcv`` gives them."""
    values = np.array([row[1:6] for row in rows], dtype=np.float64).reshape(-1, 5)
    return _frame([int(row[0]) for row in rows], values)


def _frame(times: Sequence[int], values: Any) -> pd.DataFrame:
    # Nanoseconds under every pandas: the resolution it would choose itself depends on its version.
    index = pd.DatetimeIndex(np.array(times, dtype="datetime64[ms]").astype("datetime64[ns]"), name="timestamp")
    return pd.DataFrame(values, index=index, columns=_COLUMNS)


def merge_tail(frame: pd.DataFrame, tail: pd.DataFrame, keep: int) -> pd.DataFrame:
    """A kept frame with its newest candles replaced and followed by a tail, cut to ``keep`` rows.

    The tail has to begin within the frame or at its next candle, or the result would have a gap: then it stands alone.
    """
    if frame.empty or tail.empty:
        return tail if frame.empty else frame
    begin = int(cast("Any", frame.index).searchsorted(tail.index[0]))
    step = frame.index[-1] - frame.index[-2] if len(frame) > 1 else None
    if begin == 0 or step is None or tail.index[0] - frame.index[begin - 1] > step:
        return tail.iloc[-keep:]
    return pd.concat([frame.iloc[:begin], tail]).iloc[-keep:]


def premium_frame(klines: Sequence[PriceKline], symbol: str, interval: str, now: int) -> Row:
    """Premium index candles, newest first, with their signal where there are enough of them."""
    history = [
        {"timestamp": k[0], "open": float(k[1]), "high": float(k[2]), "low": float(k[3]), "close": float(k[4])}
        for k in reversed(klines)
    ]
    out: Row = {
        "data": price_frame(history),
        "history": history,
        "symbol": symbol,
        "interval": interval,
        "timestamp": now,
    }
    signal = premium_signal([float(k[4]) for k in klines])
    return out if signal is None else {**out, "signal": signal}


def price_klines(klines: Sequence[PriceKline], symbol: str, interval: str) -> Row:
    """Mark price candles, oldest first."""
    history = [
        {"timestamp": k[0], "open": float(k[1]), "high": float(k[2]), "low": float(k[3]), "close": float(k[4])}
        for k in klines
    ]
    out: Row = {
        "data": price_frame(history),
        "history": history,
        "symbol": symbol,
        "interval": interval,
        "count": len(history),
    }
    return {**out, "current_mark_price": history[-1]["close"]} if history else out


def price_frame(history: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Records as a frame with the columns timestamp (ms), open, high, low, close."""
    columns: dict[str, Any] = {"timestamp": np.array([row["timestamp"] for row in history], dtype=np.int64)}
    for name in COLUMNS[:4]:
        columns[name] = np.array([row[name] for row in history], dtype=np.float64)
    # The arrays are nobody else's.
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
