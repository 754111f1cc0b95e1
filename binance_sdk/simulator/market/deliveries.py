"""When quarterly contracts are delivered: at 08:00 UTC on the last Friday of a quarter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def deliveries(start: int, end: int) -> list[int]:
    """The times of delivery from ``start`` to ``end``, oldest first; all in milliseconds since the epoch."""
    first, last = (datetime.fromtimestamp(time / 1000, UTC).year for time in (start, end))
    times = [_last_friday(year, month) for year in range(first, last + 1) for month in (3, 6, 9, 12)]
    return [time for time in times if start <= time <= end]


def _last_friday(year: int, month: int) -> int:
    day = datetime(year + month // 12, month % 12 + 1, 1, 8, tzinfo=UTC) - timedelta(days=1)
    return int((day - timedelta(days=(day.weekday() - 4) % 7)).timestamp() * 1000)
