"""Every way Virtuoso writes a timeframe, as Binance's intervals and periods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias, get_args

from binance_sdk.errors import ParameterError, shown
from binance_sdk.futures import KlineInterval, StatisticsPeriod

__all__ = ["FRAMES", "TIMEFRAMES", "interval_ms", "kline_interval", "statistics_period"]

Timeframe: TypeAlias = str | int

FRAMES: Mapping[str, tuple[KlineInterval, int]] = {
    "base": ("1m", 1000),
    "ltf": ("5m", 300),
    "mtf": ("30m", 200),
    "htf": ("4h", 200),
}
"""The four frames of ``ohlcv``, in the order readers rely on, with the number of candles delivered."""

_INTERVALS: tuple[KlineInterval, ...] = get_args(KlineInterval)
_PERIODS: tuple[StatisticsPeriod, ...] = get_args(StatisticsPeriod)
_MINUTES = range(1, 1_000_000)
_UNITS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "M": 2_592_000_000}


def interval_ms(interval: str) -> int:
    """Length of an interval in milliseconds; a month counts as 30 days."""
    return int(interval[:-1]) * _UNITS[interval[-1]]


def _names() -> dict[str, KlineInterval]:
    names: dict[str, KlineInterval] = {name: interval for name, (interval, _) in FRAMES.items()}
    for interval in _INTERVALS:
        names[interval] = interval
        minutes = interval_ms(interval) // 60_000
        if interval[-1] in "mh" or interval == "1d":
            names[str(minutes)] = interval
        if interval[-1] == "m":
            names[f"{minutes}min"] = interval
        if interval[-1] in "hdw":
            names[interval.upper()] = interval
    names |= {"D": "1d", "W": "1w", "M": "1M", "60min": "1h", "240min": "4h"}
    return names


TIMEFRAMES: Mapping[str, KlineInterval] = _names()
"""Interval of Binance by every accepted name. Case matters in one pair: ``1m`` is a minute, ``1M`` a month."""


def _name(timeframe: object) -> str:
    if isinstance(timeframe, str):
        return timeframe.strip()
    # An int of thousands of digits cannot even be written.
    return str(timeframe) if isinstance(timeframe, int) and timeframe in _MINUTES else ""


def kline_interval(timeframe: Timeframe) -> KlineInterval:
    """The candle length a name stands for.

    Raises:
        ParameterError: there is no such timeframe.
    """
    interval = TIMEFRAMES.get(_name(timeframe))
    if interval is None:
        raise ParameterError(
            f"timeframe {shown(timeframe)} is unknown; use one of {', '.join(TIMEFRAMES)}",
            parameter="timeframe",
            value=timeframe,
        )
    return interval


def statistics_period(timeframe: Timeframe) -> StatisticsPeriod:
    """The period of open interest and ratios a name stands for.

    Raises:
        ParameterError: Binance has no statistics of this period.
    """
    interval = kline_interval(timeframe)
    for period in _PERIODS:
        if period == interval:
            return period
    raise ParameterError(
        f"there are no statistics by {interval}; use one of {', '.join(_PERIODS)}",
        parameter="interval",
        value=timeframe,
    )
