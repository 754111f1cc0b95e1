"""Where the file of a piece lies in the archive."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from urllib.parse import quote

from binance_sdk._runtime.archive import Archive, ArchiveKind, Period
from binance_sdk.history.piece import Piece, Series

_MONTH = re.compile(r"-0([1-9])\.zip$")
CHECKSUM = ".CHECKSUM"
"""What is added to the name of a file for that of its checksum."""


def kind_of(archive: Archive, series: Series) -> ArchiveKind:
    """What the archive has of a series.

    Raises:
        LookupError: It has nothing of that kind in that market.
    """
    found = archive.kinds.get((series.market, series.kind))
    if found is None:
        known = ", ".join(name for market, name in archive.kinds if market == series.market)
        raise LookupError(f"the archive has no {series.kind} of {series.market}; it has {known or 'nothing of it'}")
    return found


def folder_of_kind(archive: Archive, kind: ArchiveKind, period: Period) -> str:
    """Below which the folders of symbols lie, with a slash at its end."""
    return f"data/{archive.folders[kind.market]}/{period}/{kind.folder}/"


def folder_of(archive: Archive, series: Series, period: Period) -> str:
    """In which the files of a series lie, with a slash at its end."""
    interval = archive.spellings.get(series.interval, series.interval)
    below = f"{series.symbol}/{interval}/" if interval else f"{series.symbol}/"
    return folder_of_kind(archive, kind_of(archive, series), period) + below


def path_of(archive: Archive, piece: Piece) -> str:
    """The path of the zip of a piece.

    Raises:
        ValueError: The piece does not come from the archive.
    """
    if piece.source == "rest":
        raise ValueError(f"{piece.name} of {piece.series} comes over REST and not from the archive")
    series = piece.series
    period: Period = "monthly" if piece.source == "archive_monthly" else "daily"
    interval = archive.spellings.get(series.interval, series.interval)
    day = f"{datetime.fromtimestamp(piece.start / 1000, UTC):{'%Y-%m' if period == 'monthly' else '%Y-%m-%d'}}"
    what = interval or kind_of(archive, series).folder
    return f"{folder_of(archive, series, period)}{series.symbol}-{what}-{day}.zip"


def paths_of(archive: Archive, piece: Piece) -> tuple[str, ...]:
    """Where the zip of a piece may lie: early files of months have no zero before the number of the month."""
    path = path_of(archive, piece)
    until = archive.unpadded_until
    if piece.source == "archive_monthly" and until is not None and piece.end <= _ms(until):
        folder, _, name = path.rpartition("/")
        odd = _MONTH.sub(r"-\1.zip", name)
        return (path,) if odd == name else (path, f"{folder}/{odd}")
    return (path,)


def _ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def url_of(base_url: str, path: str) -> str:
    """The address of a path."""
    return f"{base_url.rstrip('/')}/{quote(path)}"
