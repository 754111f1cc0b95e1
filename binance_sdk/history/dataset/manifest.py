"""The manifest of a dataset: one record a piece, each in a file of its own: processes share none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from binance_sdk.errors import DatasetError
from binance_sdk.history.dataset.files import Storage
from binance_sdk.history.dataset.layout import MANIFEST, absences_folder, record_path, records_folder, span_in
from binance_sdk.history.dataset.precedence import overlap
from binance_sdk.history.dataset.record import (
    Absence,
    PieceRecord,
    dump_absence,
    dump_record,
    load_absence,
    load_record,
)
from binance_sdk.history.piece import Piece, Series

T = TypeVar("T")

_READERS = 16
"""Records that are read at once: in an object store each is an answer to wait for."""


class Manifest:
    """The records of a dataset. All raise DatasetError where the storage refuses or a record cannot be read."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def record(self, piece: Piece) -> PieceRecord | None:
        """What is known of a piece; None where there is none of that name."""
        return self._load(record_path(piece))

    def records(self, series: Series | None = None, broken: list[DatasetError] | None = None) -> list[PieceRecord]:
        """What is known of all pieces, or of those of a series, by series and start.

        Args:
            series: Those of one series only.
            broken: Where to put records that cannot be read; None raises the first.
        """
        return self._load_all(MANIFEST if series is None else records_folder(series), lambda name: True, broken)

    def series(self) -> list[Series]:
        """Of which series there are records; one record of each is read."""
        folders: dict[str, str] = {}
        for file in self._storage.files(MANIFEST):
            if file.path.startswith(f"{MANIFEST}/market=") and file.path.endswith(".json"):
                folders.setdefault(file.path.partition("/month=")[0], file.path)
        return sorted(record.piece.series for record in self._all(list(folders.values()), self._load))

    def overlapping(self, piece: Piece) -> list[PieceRecord]:
        """What is known of the other pieces that have a moment in common with one."""

        def near(name: str) -> bool:
            start, end = span_in(name)
            return start < piece.end and piece.start < end

        month = record_path(piece).rpartition("/")[0]
        found = self._load_all(month, near)
        return [record for record in found if record.piece != piece and overlap(record.piece, piece)]

    def put(self, record: PieceRecord) -> None:
        """Write a record, in the place of an older one of its piece."""
        self._storage.put(record_path(record.piece), dump_record(record))

    def delete(self, piece: Piece) -> None:
        """Forget a piece."""
        self._storage.delete(record_path(piece))

    def absences(self, series: Series | None = None) -> list[Absence]:
        """Where sources were asked in vain, for all series or one, by start."""
        paths = [file.path for file in self._storage.files(absences_folder(series)) if file.path.endswith(".json")]
        found = self._all(paths, self._load_absence)
        return sorted(found, key=lambda absence: (absence.series, absence.start, absence.end))

    def put_absence(self, absence: Absence) -> None:
        """Note that a source was asked in vain; what was noted of the same span before is replaced."""
        path = f"{absences_folder(absence.series)}/{absence.start}-{absence.end}.json"
        self._storage.put(path, dump_absence(absence))

    def _load_absence(self, path: str) -> Absence | None:
        data = self._storage.read(path)
        return None if data is None else load_absence(data, self._storage.location(path))

    def _load(self, path: str) -> PieceRecord | None:
        data = self._storage.read(path)
        return None if data is None else load_record(data, self._storage.location(path))

    def _load_all(
        self, below: str, wanted: Callable[[str], bool], broken: list[DatasetError] | None = None
    ) -> list[PieceRecord]:
        paths = [
            file.path
            for file in self._storage.files(below)
            if file.path.startswith(f"{MANIFEST}/market=")
            and file.path.endswith(".json")
            and wanted(file.path.rpartition("/")[2].removesuffix(".json"))
        ]

        def load_or_note(path: str) -> PieceRecord | None:
            try:
                return self._load(path)
            except DatasetError as error:
                if broken is None:
                    raise
                broken.append(error)
                return None

        return sorted(self._all(paths, load_or_note), key=lambda record: record.piece)

    def _all(self, paths: Sequence[str], load: Callable[[str], T | None]) -> list[T]:
        """What lies at these paths; one that was removed meanwhile is not there."""
        if len(paths) < 2:
            found = [load(path) for path in paths]
        else:
            with ThreadPoolExecutor(min(_READERS, len(paths))) as pool:
                found = list(pool.map(load, paths))
        return [one for one in found if one is not None]
