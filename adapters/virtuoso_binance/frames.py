"""DataFrames, and the only module that needs pandas; importing it without pandas says what to install."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from binance_sdk.futures import PriceKline
from virtuoso_binance.scalars import Row
from virtuoso_binance.sentiment import premium_signal

try:
    import numpy as np
    import pandas as pd
except ModuleNotFoundError as _error:
    raise ModuleNotFoundError(
        f"market data frames need {_error.name}: pip install 'binance-market-sdk[adapter]'", name=_error.name
    ) from _error

__all__ = [
    "COLUMNS",
    "candle_frame_fault",
    "json_view",
    "mark_price_frame",
    "newest_closes",
    "ohlcv_frame",
    "premium_frame",
    "premium_frame_fault",
]

COLUMNS = ("open", "high", "low", "close", "volume")
_COLUMNS = pd.Index(COLUMNS)


def ohlcv_frame(klines: Sequence[Sequence[Any]]) -> pd.DataFrame:
    """Candles as float64 columns over their naive UTC open times, oldest first; no candles give an empty frame.

    Args:
        klines: Each begins with open time, open, high, low, close and volume: rows of the SDK, or of numbers.
    """
    cells = itertools.chain.from_iterable(k[1:6] for k in klines)
    values = np.fromiter(map(float, cells), dtype=np.float64, count=5 * len(klines)).reshape(-1, 5)
    times = [k[0] for k in klines]
    # Nanoseconds under every pandas: the resolution it would choose itself depends on its version.
    index = pd.DatetimeIndex(np.array(times, dtype="datetime64[ms]").astype("datetime64[ns]"), name="timestamp")
    return pd.DataFrame(values, index=index, columns=_COLUMNS)


def premium_frame(klines: Sequence[Sequence[Any]], symbol: str, interval: str, now: int) -> Row:
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


def _history(klines: Iterable[Sequence[Any]]) -> list[Row]:
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


def candle_frame_fault(frame: object) -> str | None:
    """Why something is no frame of candles as ``ohlcv_frame`` makes them; None where it is one, an empty one too."""
    if not isinstance(frame, pd.DataFrame):
        return f"a DataFrame is needed, not {type(frame).__name__}"
    if tuple(frame.columns[: len(COLUMNS)]) != COLUMNS:
        return f"its columns must be {', '.join(COLUMNS)}"
    index = frame.index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is not None or index.name != "timestamp":
        return "its index must be of naive UTC times and called timestamp"
    if not index.is_monotonic_increasing or not index.is_unique:
        return "its rows must be oldest first, each of another time"
    # Slicing takes pandas longer than everything else here.
    values = (frame if len(frame.columns) == len(COLUMNS) else frame.iloc[:, : len(COLUMNS)]).to_numpy()
    if values.dtype != np.float64:
        return "its columns must be of float64"
    # One comparison each: NaN is not above zero, and infinity is not below it.
    if not ((values[:, :4] > 0).all() and (values[:, 4] >= 0).all() and (values < np.inf).all()):
        return "its prices must be above zero and its volumes not below"
    first, high, low, close = values[:, 0], values[:, 1], values[:, 2], values[:, 3]
    if not ((high >= np.maximum(first, close)).all() and (low <= np.minimum(first, close)).all()):
        return "the high of a candle must be its highest price, the low its lowest"
    return None


def premium_frame_fault(frame: object) -> str | None:
    """Why something is no frame of premiums as ``premium_frame`` makes them; None where it is one."""
    wanted = ("timestamp", *COLUMNS[:4])
    if not isinstance(frame, pd.DataFrame):
        return f"a DataFrame is needed, not {type(frame).__name__}"
    if tuple(frame.columns) != wanted or frame["timestamp"].dtype.kind not in "iu":
        return f"its columns must be {', '.join(wanted)}, the first in whole milliseconds"
    for name in COLUMNS[:4]:
        values = frame[name].to_numpy()
        if values.dtype.kind not in "fiu" or not np.isfinite(values).all():
            return "its values must be numbers"
    return None


def newest_closes(frame: Any, count: int) -> dict[int, float]:
    """Closes of the newest candles of a frame, oldest first, by open time in milliseconds."""
    tail = frame.iloc[-count:]
    times = tail.index.to_numpy().astype("datetime64[ms]").astype("int64")
    return dict(zip(times.tolist(), tail["close"].to_numpy().tolist(), strict=True))


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
