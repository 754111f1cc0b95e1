"""``info``: what a dataset has, as its manifest tells it; no file with rows is opened."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass

from binance_sdk._runtime.archive import Archive
from binance_sdk.history.dataset.checking.grid import RawHole, grid_of
from binance_sdk.history.dataset.checking.reasons import Reasons, uncovered
from binance_sdk.history.dataset.checking.report import Hole
from binance_sdk.history.dataset.dataset import Dataset
from binance_sdk.history.dataset.record import Absence, DatasetFacts, PieceRecord
from binance_sdk.history.dataset.series_extent import SeriesExtent
from binance_sdk.history.piece import Series, Source


@dataclass(frozen=True, slots=True)
class SeriesInfo(SeriesExtent):
    """What a dataset has of one series, beside its extent.

    Attributes:
        sources: Pieces by where they came from.
        downloaded: Bytes that came for them.
        remarks: Rows that were remarked upon, by kind of remark.
        holes: Spans that no piece has, with the reason as far as it is known. What is missing inside of pieces is for
            ``check`` to find.
        terms: Versions of the archive's terms under which its pieces came.
        written_at: When the latest piece was written, in milliseconds; None without pieces.
    """

    sources: dict[Source, int]
    downloaded: int
    remarks: dict[str, int]
    holes: tuple[Hole, ...]
    terms: tuple[str, ...]
    written_at: int | None


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """What a dataset has.

    Attributes:
        url: Where it is.
        facts: What holds for the whole dataset.
        series: What it has of each series.
    """

    url: str
    facts: DatasetFacts
    series: tuple[SeriesInfo, ...]

    @property
    def rows(self) -> int:
        """Rows in all series."""
        return sum(found.rows for found in self.series)

    @property
    def bytes(self) -> int:
        """Size of all files with rows."""
        return sum(found.bytes for found in self.series)


def info(url: str | os.PathLike[str], *, archive: Archive | None = None) -> DatasetInfo:
    """Tell what a dataset has, by its manifest alone.

    Args:
        url: The folder or URL of the dataset.
        archive: What the archive has, where that is not this version's own knowledge.

    Raises:
        DatasetError: There is no dataset, or a record cannot be read.
        ConfigError: polars is not installed, or what the URL needs.
    """
    dataset = Dataset.open(url, archive=archive)
    by_series: dict[Series, tuple[list[PieceRecord], list[Absence]]] = {}
    for record in dataset.records():
        by_series.setdefault(record.piece.series, ([], []))[0].append(record)
    for absence in dataset.absences():
        by_series.setdefault(absence.series, ([], []))[1].append(absence)
    return DatasetInfo(
        dataset.url, dataset.facts, tuple(_of(dataset, series, *by_series[series]) for series in sorted(by_series))
    )


def _of(dataset: Dataset, series: Series, records: list[PieceRecord], absences: list[Absence]) -> SeriesInfo:
    spans = [(record.piece.start, record.piece.end) for record in records]
    spans += [(absence.start, absence.end) for absence in absences]
    start, end = min(start for start, _ in spans), max(end for _, end in spans)
    reasons, grid = Reasons(records, absences), grid_of(dataset.kind_of(series), series)
    remarks: Counter[str] = Counter()
    for record in records:
        for remark in record.remarks:
            remarks[remark.kind] += remark.rows
    ids = [(record.first_id, record.last_id) for record in records if record.first_id is not None]
    return SeriesInfo(
        series=series,
        pieces=len(records),
        rows=sum(record.rows for record in records),
        bytes=sum(record.size for record in records),
        start=start,
        end=end,
        first_time=min((record.first_time for record in records if record.first_time is not None), default=None),
        last_time=max((record.last_time for record in records if record.last_time is not None), default=None),
        first_id=ids[0][0] if ids else None,
        last_id=ids[-1][1] if ids else None,
        sources=dict(Counter(record.piece.source for record in records)),
        downloaded=sum(record.origin.size for record in records),
        remarks=dict(remarks),
        holes=tuple(
            hole
            for low, high in uncovered(records, start, end)
            for hole in reasons.explain(RawHole(grid.first(low) if grid else low, high, None), grid)
        ),
        terms=tuple(sorted({record.terms for record in records})),
        written_at=max((record.written_at for record in records), default=None),
    )
