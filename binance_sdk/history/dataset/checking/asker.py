"""Asking the sources what a dataset alone cannot tell: were there rows in a hole, and are the files the same."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from binance_sdk._runtime.archive import ArchiveKind
from binance_sdk._runtime.ending import all_of
from binance_sdk.history.dataset.checking.report import CheckReport, Defect, Hole, SeriesCheck
from binance_sdk.history.dataset.dataset import Dataset
from binance_sdk.history.dataset.layout import parquet_path
from binance_sdk.history.dataset.record import HoleReason, PieceRecord
from binance_sdk.history.piece import Piece, Remark, Series

_AT_ONCE = 8
_DAY = 86_400_000


class Asker(Protocol):
    """Whoever can ask the archive and REST. Both methods raise what calls raise when no answer comes."""

    async def checksum(self, piece: Piece) -> str | None:
        """The SHA-256 that the archive names for the file of a piece today; None where it has no such file."""
        ...

    async def rows(self, series: Series, start: int, end: int) -> int | None:
        """How many rows REST has from one moment to before another, in milliseconds; None where it does not reach."""
        ...


async def deepen(report: CheckReport, dataset: Dataset, asker: Asker) -> CheckReport:
    """A report with what the sources say about its holes and files.

    Args:
        report: The report.
        dataset: The dataset that it is about.
        asker: Whom to ask.
    """
    places = asyncio.Semaphore(_AT_ONCE)
    found = [await _deepen(one, dataset, asker, places) for one in report.series]
    return replace(report, series=tuple(found), deep=True)


async def _deepen(found: SeriesCheck, dataset: Dataset, asker: Asker, places: asyncio.Semaphore) -> SeriesCheck:
    kind = dataset.kind_of(found.series)

    async def explained(hole: Hole) -> Hole:
        async with places:
            return await _explained(hole, found.series, kind, asker)

    async def compared(record: PieceRecord, file: Piece, sha256: str) -> Defect | tuple[str, Remark] | None:
        async with places:
            return _compared(record, file, sha256, await asker.checksum(file))

    files = [(record, *file) for record in dataset.records(found.series) for file in record.files]
    holes = await all_of(explained(hole) for hole in found.holes)
    compare = await all_of(compared(*file) for file in files)
    return replace(
        found,
        holes=tuple(holes),
        missing=_recounted(found, holes),
        defects=(*found.defects, *(one for one in compare if isinstance(one, Defect))),
        remarks=(*found.remarks, *(one for one in compare if isinstance(one, tuple))),
    )


def _recounted(found: SeriesCheck, holes: Sequence[Hole]) -> dict[HoleReason, int]:
    """Missing rows by reason, those of holes that are not listed as they were."""
    missing: Counter[HoleReason] = Counter(found.missing)
    reasons = set(missing) if found.hole_count > len(holes) else {hole.reason for hole in holes}
    for before, after in zip(found.holes, holes, strict=True):
        missing[before.reason] -= before.missing or 0
        missing[after.reason] += after.missing or 0
    return {reason: count for reason, count in missing.items() if count or reason in reasons}


async def _explained(hole: Hole, series: Series, kind: ArchiveKind, asker: Asker) -> Hole:
    if hole.reason in ("exchange_had_none", "out_of_reach"):
        return hole
    if hole.reason == "not_fetched" and await _has_files(hole, series, kind, asker):
        return replace(hole, text="the archive has a file of it: sync the dataset")
    # Both ends of a hole in ids are rows that are there.
    start = hole.start + 1 if kind.sequence else hole.start
    if not kind.rest or start >= hole.end:
        reason: HoleReason = "file_absent" if hole.reason == "not_fetched" else hole.reason
        return replace(hole, reason=reason, text="the archive has no more of it, and REST does not serve it")
    rows = await asker.rows(series, start, hole.end)
    if rows is None:
        reason = "rows_missing" if hole.reason == "rows_missing" else "out_of_reach"
        return replace(hole, reason=reason, text="the archive has no more of it, and REST does not reach it any more")
    if rows == 0:
        return replace(hole, reason="exchange_had_none", text="REST was asked for it and had none")
    return replace(hole, text=f"REST has {rows} rows there")


async def _has_files(hole: Hole, series: Series, kind: ArchiveKind, asker: Asker) -> bool:
    """The archive has a file of the first day of a hole, or of its month."""
    day = hole.start // _DAY * _DAY
    month = int(datetime.fromtimestamp(day / 1000, UTC).replace(day=1).timestamp()) * 1000
    pieces = {
        "daily": Piece(series, day, day + _DAY, "archive_daily"),
        "monthly": Piece(series, month, month + 31 * _DAY, "archive_monthly"),
    }
    for period in kind.periods:
        made = not series.interval or series.interval in kind.intervals.get(period, ())
        if made and await asker.checksum(pieces[period]) is not None:
            return True
    return False


def _compared(record: PieceRecord, file: Piece, sha256: str, today: str | None) -> Defect | tuple[str, Remark] | None:
    if today is None:
        text = f"the archive has no checksum of {file.name} any more; what is here stays"
        return record.piece.name, Remark("no_checksum", 0, text)
    if today == sha256:
        return None
    text = f"the archive has another file of {file.name} today: sync the dataset, which fetches it again"
    return Defect("replaced", parquet_path(record.piece), record.rows, text)
