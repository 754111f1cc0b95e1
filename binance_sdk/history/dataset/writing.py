"""Pieces as they are written, taken away and kept apart, in an order of steps that may end anywhere."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from binance_sdk._runtime.archive import Archive, ArchiveKind
from binance_sdk._version import __version__
from binance_sdk.errors import DatasetError, ParameterError
from binance_sdk.history.dataset.files import TEMPORARY, Storage
from binance_sdk.history.dataset.layout import CLAIMS, STAGED, parquet_path, staged_path
from binance_sdk.history.dataset.manifest import Manifest
from binance_sdk.history.dataset.parquet import bounds_of, from_parquet, key_of, require_rows_of, to_parquet
from binance_sdk.history.dataset.precedence import Settled, covers, goes_first, overlap, settle, shared_months
from binance_sdk.history.dataset.record import PieceRecord
from binance_sdk.history.piece import Fetched, Origin, Piece, Prices, Remark, Series

if TYPE_CHECKING:
    import polars as pl


def kind_in(archive: Archive, series: Series) -> ArchiveKind:
    """What the rows of a series are.

    Raises:
        ParameterError: There is no such kind of data.
    """
    kind = archive.kinds.get((series.market, series.kind))
    if kind is None:
        known = ", ".join(sorted(name for market, name in archive.kinds if market == series.market))
        raise ParameterError(f"kind={series.kind!r}: {series.market} has {known or 'none'}")
    return kind


def read_piece(storage: Storage, record: PieceRecord) -> pl.DataFrame:
    """The rows of a piece.

    Raises:
        DatasetError: Its file is not there, or is no such file.
    """
    import polars as pl

    path = parquet_path(record.piece)
    data = storage.read(path)
    where = storage.location(path)
    if data is None:
        text = f"{where} is not there, though its record is; sweep the dataset, and the next run fetches it again"
        raise DatasetError(text, path=where)
    try:
        return from_parquet(data)
    except pl.exceptions.PolarsError as error:
        # Polars adds lines of its own doings.
        why = str(error).strip().partition("\n")[0]
        text = f"{where} cannot be read: {why}; remove it and sweep the dataset, and the next run fetches it again"
        raise DatasetError(text, path=where) from error


class PieceWriter:
    """Writes pieces of a dataset, each with its record."""

    def __init__(self, storage: Storage, manifest: Manifest, prices: Prices, archive: Archive) -> None:
        self._storage = storage
        self._manifest = manifest
        self._prices: Prices = prices
        self._archive = archive

    def write(self, piece: Piece, fetched: Fetched) -> PieceRecord:
        """Keep a piece; see ``Dataset.write``."""
        kind = self._kind_of(piece.series)
        require_rows_of(piece, fetched.frame, kind, self._prices)
        frame, remarks, superseded = fetched.frame, list(fetched.remarks), 0
        others = self._manifest.overlapping(piece)
        first = [other for other in others if goes_first(other.piece, piece)]
        for other in first:
            settled = settle(piece, frame, self._read(other), key_of(kind))
            frame, superseded = settled.frame, superseded + settled.superseded
            self._remark(other, settled.remark)
        if _needless(piece, frame, superseded, others):
            self.remove(piece)
            return self._recorded(piece, frame, superseded, fetched.origin, remarks)[0]
        second = [
            (other, settle(other.piece, self._read(other), fetched.frame, key_of(kind)))
            for other in others
            if goes_first(piece, other.piece)
        ]
        remarks += [settled.remark for _, settled in second if settled.remark]
        record, data = self._recorded(piece, frame, superseded, fetched.origin, remarks)
        self._place(record, data)
        # From here on the piece is there. A process that is killed now leaves rows twice, which readers and `sweep`
        # settle in the same way.
        for other, settled in second:
            self._give_up(other, settled, [*others, record])
        return record

    def _kind_of(self, series: Series) -> ArchiveKind:
        return kind_in(self._archive, series)

    def _read(self, record: PieceRecord) -> pl.DataFrame:
        return read_piece(self._storage, record)

    def remove(self, piece: Piece) -> None:
        """Take a piece away."""
        # In this order: rows without a record are swept, a record without rows is an error.
        self._manifest.delete(piece)
        self._storage.delete(parquet_path(piece))

    def sweep(self) -> list[str]:
        """Clear away what a killed process left; see ``Dataset.sweep``."""
        done: list[str] = []
        # Claims are left alone: the lock says again and again that this run is alive.
        files = [file.path for file in self._storage.files() if not file.path.startswith(CLAIMS)]
        present = {path for path in files if path.endswith(".parquet")}
        wanted = {parquet_path(record.piece): record for record in self._manifest.records()}
        staged = {staged_path(record.piece, record.sha256): path for path, record in wanted.items()}
        for path in files:
            if path in staged:
                self._storage.move(path, staged[path])
                present.add(staged[path])
                done.append(f"{staged[path]}: the rows that its record names were put in their place")
            elif path.endswith((TEMPORARY, STAGED)):
                self._storage.delete(path)
                done.append(f"{path}: removed, as it was not written to its end")
        for path in sorted(present - wanted.keys()):
            self._storage.delete(path)
            done.append(f"{path}: removed, as there is no record of it")
        for path in sorted(wanted.keys() - present):
            self._manifest.delete(wanted.pop(path).piece)
            done.append(f"{path}: its record was removed, as it is not there")
        return done + self._settle(list(wanted.values()))

    def settle(self, pieces: Iterable[Piece]) -> None:
        """Leave each row in one piece, where some were written at one moment; see ``Dataset.settle``."""
        for series, month in shared_months(pieces):
            self._settle([record for record in self._manifest.records(series) if record.piece.month == month])

    def _settle(self, records: list[PieceRecord]) -> list[str]:
        """Leave rows that two pieces have in one of them."""
        done: list[str] = []
        by_month: dict[tuple[Series, str], list[Piece]] = {}
        for record in records:
            by_month.setdefault((record.piece.series, record.piece.month), []).append(record.piece)
        for pieces in by_month.values():
            for second in pieces:
                for first in pieces:
                    if goes_first(first, second) and overlap(first, second):
                        done += self._settle_two(first, second, pieces)
        return done

    def _settle_two(self, first: Piece, second: Piece, pieces: list[Piece]) -> list[str]:
        before, after = self._manifest.record(first), self._manifest.record(second)
        if before is None or after is None:
            return []
        settled = settle(second, self._read(after), self._read(before), key_of(self._kind_of(first.series)))
        self._remark(before, settled.remark)
        there = [record for piece in pieces if (record := self._manifest.record(piece))]
        if not self._give_up(after, settled, there):
            return []
        return [f"{parquet_path(second)}: {settled.superseded} rows were removed, as {first.name} has them"]

    def _recorded(
        self, piece: Piece, frame: pl.DataFrame, superseded: int, origin: Origin, remarks: Sequence[Remark]
    ) -> tuple[PieceRecord, bytes]:
        """The record of a piece, and the bytes of its file."""
        kind, data = self._kind_of(piece.series), to_parquet(frame)
        times = bounds_of(frame[kind.time])
        ids: list[int] = frame[kind.sequence].gather([0, -1]).to_list() if kind.sequence and frame.height else []
        record = PieceRecord(
            piece=piece,
            rows=frame.height,
            superseded=superseded,
            first_time=times[0] if times else None,
            last_time=times[1] if times else None,
            first_id=ids[0] if ids else None,
            last_id=ids[1] if ids else None,
            sha256=hashlib.sha256(data).hexdigest(),
            size=len(data),
            origin=origin,
            remarks=tuple(remarks),
            written_at=time.time_ns() // 1_000_000,
            terms=self._archive.terms.version,
            sdk_version=__version__,
        )
        return record, data

    def _place(self, record: PieceRecord, data: bytes) -> None:
        """Write rows and record so that a reader at no moment sees a record without rows."""
        piece = record.piece
        path = parquet_path(piece)
        older = self._manifest.record(piece)
        if older is None or older.sha256 == record.sha256:
            self._storage.put(path, data)
            self._manifest.put(record)
            return
        # The new rows wait under a name of their own until the record names them: killed before, the old ones stay;
        # killed after, `sweep` puts the new ones in their place.
        waiting = staged_path(piece, record.sha256)
        self._storage.put(waiting, data)
        self._manifest.put(record)
        self._storage.move(waiting, path)

    def _give_up(self, record: PieceRecord, settled: Settled, others: list[PieceRecord]) -> bool:
        """Take from a piece the rows that one has which goes first; gives whether that changes anything."""
        superseded = record.superseded + settled.superseded
        if _needless(record.piece, settled.frame, superseded, others):
            self.remove(record.piece)
        elif settled.superseded:
            self._place(*self._recorded(record.piece, settled.frame, superseded, record.origin, record.remarks))
        else:
            return False
        return True

    def _remark(self, record: PieceRecord, remark: Remark | None) -> None:
        if remark is not None and remark not in record.remarks:
            self._manifest.put(replace(record, remarks=(*record.remarks, remark)))


def _needless(piece: Piece, frame: pl.DataFrame, superseded: int, others: list[PieceRecord]) -> bool:
    """All rows of a piece are in others that go first, and one of those has its whole span."""
    covered = any(goes_first(other.piece, piece) and covers(other.piece, piece) for other in others)
    return frame.is_empty() and superseded > 0 and covered
