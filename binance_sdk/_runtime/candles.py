"""When candles open and close, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

_DAY = 86_400_000
_UNITS = {"s": 1000, "m": 60_000, "h": 3_600_000, "d": _DAY, "w": 7 * _DAY}
_MONDAY = 4 * _DAY
"""The first Monday after the epoch, which was a Thursday."""


def candle_start(interval: str, at: int) -> int:
    """Open time of the candle that holds the moment ``at``; both in epoch milliseconds."""
    if interval.endswith("M"):
        moment = datetime.fromtimestamp(at / 1000, UTC)
        months = (moment.year * 12 + moment.month - 1) // int(interval[:-1]) * int(interval[:-1])
        return _month(months)
    step, origin = _step(interval)
    return (at - origin) // step * step + origin


def candle_end(interval: str, at: int) -> int:
    """Open time of the next candle after the one that holds ``at``; both in epoch milliseconds."""
    start = candle_start(interval, at)
    if interval.endswith("M"):
        moment = datetime.fromtimestamp(start / 1000, UTC)
        return _month(moment.year * 12 + moment.month - 1 + int(interval[:-1]))
    return start + _step(interval)[0]


def _step(interval: str) -> tuple[int, int]:
    unit = interval[-1]
    # Weeks begin on Monday; everything else counts from the epoch.
    return int(interval[:-1]) * _UNITS[unit], _MONDAY if unit == "w" else 0


def _month(months: int) -> int:
    return int(datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1000
