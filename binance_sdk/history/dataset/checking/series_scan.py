"""All rows of a series in the order of time, in parts, with what follows from one part to the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from binance_sdk._runtime.archive import ArchiveKind
from binance_sdk.history.dataset.checking.grid import RawHole, grid_of
from binance_sdk.history.dataset.checking.piece_file import PieceFile
from binance_sdk.history.dataset.checking.reasons import Reasons, uncovered
from binance_sdk.history.dataset.checking.report import Defect, DefectKind, Hole, SeriesCheck
from binance_sdk.history.dataset.files import Storage
from binance_sdk.history.dataset.layout import parquet_path
from binance_sdk.history.dataset.parquet import bounds_of, key_of, out_of_order
from binance_sdk.history.dataset.precedence import overlap
from binance_sdk.history.dataset.record import Absence, HoleReason, PieceRecord
from binance_sdk.history.piece import Prices, Remark, Series

if TYPE_CHECKING:
    import polars as pl

MOST_HOLES = 1000
"""Holes of a series that are listed; all are counted."""


class SeriesScan:
    """One series, from its first piece to its last."""

    def __init__(
        self,
        storage: Storage,
        prices: Prices,
        kind: ArchiveKind,
        series: Series,
        records: Sequence[PieceRecord],
        absences: Sequence[Absence],
    ) -> None:
        self._storage = storage
        self._prices: Prices = prices
        self._kind = kind
        self._series = series
        self._records = sorted(records, key=lambda record: (record.piece.start, record.piece.end))
        self._key = key_of(kind)
        wanted = [*self._key, kind.time, *([kind.sequence] if kind.sequence else [])]
        self._columns: list[str] = list(dict.fromkeys(wanted))
        spans = [(record.piece.start, record.piece.end) for record in records]
        spans += [(absence.start, absence.end) for absence in absences]
        self._start, self._end = min(start for start, _ in spans), max(end for _, end in spans)
        self._grid = grid_of(kind, series)
        self._due = self._grid.first(self._start) if self._grid else 0
        self._reasons = Reasons(records, absences)
        self._last: pl.DataFrame | None = None
        self._last_path = ""
        self._holes: list[Hole] = []
        self._hole_count = 0
        self._missing: Counter[HoleReason] = Counter()
        self._defects: list[Defect] = []
        self._remarks = [(record.piece.name, remark) for record in self._records for remark in record.remarks]
        self._first: tuple[int, int | None] | None = None
        self._latest: tuple[int, int | None] | None = None
        self._rows = 0
        self._off = 0

    def run(self) -> SeriesCheck:
        """Look at all of it."""
        for group in _together(self._records):
            if len(group) == 1:
                self._alone(group[0])
            else:
                self._several(group)
        self._end_of_series()
        if self._off:
            text = f"{self._off} rows are not of a time at which one is due, as after an outage"
            self._remarks.append((self._series.kind, Remark("shifted_rows", self._off, text)))
        return SeriesCheck(
            series=self._series,
            pieces=len(self._records),
            rows=self._rows,
            bytes=sum(record.size for record in self._records),
            start=self._start,
            end=self._end,
            first_time=self._first[0] if self._first else None,
            last_time=self._latest[0] if self._latest else None,
            first_id=self._first[1] if self._first else None,
            last_id=self._latest[1] if self._latest else None,
            holes=tuple(self._holes),
            hole_count=self._hole_count,
            missing=dict(self._missing),
            defects=tuple(self._defects),
            remarks=tuple(self._remarks),
        )

    # ------------------------------------------------------------------------------------ pieces

    def _alone(self, record: PieceRecord) -> None:
        """A piece that no other one overlaps: as much of it in memory as a part has."""
        with closing(PieceFile(self._storage, record, self._kind, self._prices)) as file:
            bounds: list[tuple[int, int]] = []
            for rows in file.batches(self._columns):
                bounds += self._own(file, rows)
                self._follow(rows, parquet_path(record.piece))
            self._compare(file, bounds)
        self._defects += file.defects

    def _several(self, group: Sequence[PieceRecord]) -> None:
        """Pieces that overlap, within a month: their rows are put in order first."""
        import polars as pl

        parts: list[pl.DataFrame] = []
        for record in group:
            with closing(PieceFile(self._storage, record, self._kind, self._prices)) as file:
                bounds: list[tuple[int, int]] = []
                for rows in file.batches(self._columns):
                    bounds += self._own(file, rows)
                    parts.append(rows)
                self._compare(file, bounds)
            self._defects += file.defects
        if parts:
            names = " and ".join(parquet_path(record.piece) for record in group)
            self._follow(pl.concat(parts).sort(self._key), names, overlapping=True)

    def _own(self, file: PieceFile, rows: pl.DataFrame) -> list[tuple[int, int]]:
        """What must hold of the rows of a piece whatever stands around it; gives their bounds."""
        piece = file.record.piece
        bounds = bounds_of(rows[self._kind.time])
        if bounds is None:
            return []
        if bounds[0] < piece.start or bounds[1] >= piece.end:
            times = rows[self._kind.time].dt.timestamp("ms")
            count = int(((times < piece.start) | (times >= piece.end)).sum())
            file.wrong("outside", count, f"{count} rows are not of the span that its name tells: fetch it again")
        return [bounds]

    def _compare(self, file: PieceFile, bounds: list[tuple[int, int]]) -> None:
        """Hold the times that were found against the record."""
        record = file.record
        found = (min(low for low, _ in bounds), max(high for _, high in bounds)) if bounds else (None, None)
        if not any(
            defect.kind in ("missing_file", "unreadable_file", "columns") for defect in file.defects
        ) and found != (
            record.first_time,
            record.last_time,
        ):
            file.wrong("rows", record.rows, "its rows do not begin and end as its record says: fetch it again")

    # ------------------------------------------------------------------------------------ rows

    def _follow(self, rows: pl.DataFrame, path: str, *, overlapping: bool = False) -> None:
        """Rows that come next in the series, from one file or from several that overlap."""
        import polars as pl

        if rows.is_empty():
            return
        joined = rows if self._last is None else pl.concat([self._last, rows])
        stuck = out_of_order(joined, self._key)
        if not stuck.is_empty():
            twice = "sweep the dataset, which leaves each in one file" if overlapping else self._twice(rows, path)
            self._stuck(joined, stuck.height, path, twice)
        times = joined[self._kind.time].dt.timestamp("ms")
        new = times.tail(rows.height)
        if self._grid is not None:
            holes, self._due = self._grid.holes(self._due, new)
            self._note(holes)
            self._off += self._grid.off(new)
        elif self._kind.sequence is not None:
            ids = joined[self._kind.sequence]
            gaps = (ids.diff() > 1).fill_null(False).arg_true().to_list()
            for at in gaps:
                self._note([RawHole(times[at - 1], times[at], ids[at] - ids[at - 1] - 1)])
        self._rows += rows.height
        self._last, self._last_path = rows.tail(1), path
        first = (int(new[0]), self._id(rows, 0))
        self._first = self._first or first
        self._latest = (int(new[-1]), self._id(rows, -1))

    def _id(self, rows: pl.DataFrame, at: int) -> int | None:
        return int(rows[self._kind.sequence][at]) if self._kind.sequence else None

    def _twice(self, rows: pl.DataFrame, path: str) -> str:
        """What helps against rows that stand twice where no files overlap."""
        if self._last_path in ("", path) or rows.select(self._key).n_unique() < rows.height:
            return "remove the file and sweep the dataset, and the next run fetches it again"
        return (
            f"the same {', '.join(self._key)} is in {self._last_path}, at another time. To sweep does not help: remove "
            "both files, sweep, and let the next run fetch them again; if they come so again, they were published so, "
            "and readers have to leave one out"
        )

    def _stuck(self, joined: pl.DataFrame, count: int, path: str, twice: str) -> None:
        doubled = joined.height - joined.select(self._key).n_unique()
        if doubled:
            self._wrong("doubled", path, doubled, f"{doubled} rows stand twice: {twice}")
        if count > doubled:
            rows = count - doubled
            text = (
                f"{rows} rows do not come after the row before them by {', '.join(self._key)}: fetch the pieces again"
            )
            self._wrong("order", path, rows, text)

    def _wrong(self, kind: DefectKind, path: str, rows: int, text: str) -> None:
        self._defects.append(Defect(kind, path, rows, text))

    # ------------------------------------------------------------------------------------ holes

    def _end_of_series(self) -> None:
        if self._grid is not None:
            if missing := self._grid.count(self._due, self._end):
                self._note([RawHole(self._due, self._end, missing)])
            return
        for start, end in uncovered(self._records, self._start, self._end):
            if not self._quiet(start, end):
                self._note([RawHole(start, end, None)])

    def _quiet(self, start: int, end: int) -> bool:
        """Ids go on over a span, so nothing happened in it; or they do not, and that is noted as a hole already."""
        before = [record for record in self._records if record.piece.end <= start and record.last_id is not None]
        after = [record for record in self._records if record.piece.start >= end and record.first_id is not None]
        return bool(before and after)

    def _note(self, holes: Sequence[RawHole]) -> None:
        for raw in holes:
            for hole in self._reasons.explain(raw, self._grid):
                self._hole_count += 1
                self._missing[hole.reason] += hole.missing or 0
                if len(self._holes) < MOST_HOLES:
                    self._holes.append(hole)


def _together(records: Sequence[PieceRecord]) -> Iterator[list[PieceRecord]]:
    """Records by start, those that overlap in one group."""
    group: list[PieceRecord] = []
    for record in records:
        if group and not any(overlap(other.piece, record.piece) for other in group):
            yield group
            group = []
        group.append(record)
    if group:
        yield group
