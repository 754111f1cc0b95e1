"""The files of the archive: what their paths say, and when they are published."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from binance_sdk.simulator.archive.kinds import FOLDERS, KINDS, SPELLINGS, FileKind, Period, intervals_of
from binance_sdk.simulator.market.candles import DAY, HOUR, Calendar
from binance_sdk.simulator.market.symbols import Market

_PUBLISHED_AT = 7 * HOUR
"""Time of the day (UTC) at which files come: for a day on the next, for a month on the first Monday after it."""
_MONTH = Calendar("1M")
_FOLDER_OF = {market: folder for folder, market in FOLDERS.items()}
_PATH = re.compile(
    r"data/(?P<market>spot|futures/um|futures/cm)/(?P<period>daily|monthly)/(?P<kind>[A-Za-z]+)/(?P<symbol>[^/]+)/"
    r"(?:(?P<interval>[0-9a-zA-Z]+)/)?(?P<stem>[^/]+)-(?P<date>\d{4}-\d{2}(?:-\d{2})?)\.zip"
)


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """One zip that there could be.

    Attributes:
        market: Its market.
        kind: What is in it.
        period: What it covers.
        symbol: Its symbol, or the pair where files go by pairs.
        interval: As REST spells it; empty for kinds without intervals.
        start: First moment in it, in milliseconds.
        end: First moment after it, in milliseconds.
    """

    market: Market
    kind: FileKind
    period: Period
    symbol: str
    interval: str
    start: int
    end: int

    @property
    def folder(self) -> str:
        """The folder it is in, with the slash at its end."""
        interval = f"{spelled(self.interval)}/" if self.interval else ""
        return f"data/{_FOLDER_OF[self.market]}/{self.period}/{self.kind.folder}/{self.symbol}/{interval}"

    @property
    def stem(self) -> str:
        """Its name without the ending."""
        day = datetime.fromtimestamp(self.start / 1000, UTC)
        told = f"{day:%Y-%m-%d}" if self.period == "daily" else f"{day:%Y-%m}"
        return f"{self.symbol}-{spelled(self.interval) if self.interval else self.kind.folder}-{told}"

    @property
    def key(self) -> str:
        """Its path, without a slash in front."""
        return f"{self.folder}{self.stem}.zip"

    @property
    def day(self) -> date:
        """The first day in it."""
        return datetime.fromtimestamp(self.start / 1000, UTC).date()

    @property
    def rows_end(self) -> int:
        """When the last of its rows is over: bars of several days reach beyond the month in which they open."""
        if self.kind.intervals and self.period == "monthly":
            calendar = Calendar(self.interval)
            return int(calendar.opens(calendar.number(self.end - 1), 2)[1])
        return self.end

    @property
    def published(self) -> int:
        """When it comes, in milliseconds."""
        if self.period == "daily":
            return self.end + _PUBLISHED_AT
        first = datetime.fromtimestamp(self.end / 1000, UTC)
        monday = first + timedelta(days=-first.weekday() % 7)
        return max(int(monday.timestamp() * 1000), self.rows_end) + _PUBLISHED_AT


def spelled(interval: str) -> str:
    """An interval as the archive spells it."""
    return SPELLINGS.get(interval, interval)


def file_at(key: str) -> ArchiveFile | None:
    """The file of a path, if there could be one; ``key`` has no slash in front."""
    found = _PATH.fullmatch(key)
    if found is None:
        return None
    period: Period = "daily" if found["period"] == "daily" else "monthly"
    market = FOLDERS[found["market"]]
    kind = KINDS[market].get(found["kind"])
    if kind is None or period not in kind.periods:
        return None
    intervals = {spelled(interval): interval for interval in intervals_of(market, kind, period)}
    interval = intervals.get(found["interval"] or "", "")
    if kind.intervals != bool(interval):
        return None
    try:
        day = date.fromisoformat(found["date"] if period == "daily" else f"{found['date']}-01")
    except ValueError:
        return None
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
    file = file_of(market, kind, period, found["symbol"], interval, start)
    return file if file.key == key else None


def file_of(market: Market, kind: FileKind, period: Period, symbol: str, interval: str, moment: int) -> ArchiveFile:
    """The file that a moment falls into."""
    if period == "daily":
        start = moment // DAY * DAY
        return ArchiveFile(market, kind, period, symbol, interval, start, start + DAY)
    start, end = _MONTH.opens(_MONTH.number(moment), 2).tolist()
    return ArchiveFile(market, kind, period, symbol, interval, start, end)
