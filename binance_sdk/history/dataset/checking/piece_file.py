"""The file of one piece, looked at whole and then row by row."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from binance_sdk._runtime.archive import ArchiveKind
from binance_sdk.history.columns import polars_schema
from binance_sdk.history.dataset.checking.report import Defect, DefectKind
from binance_sdk.history.dataset.files import Storage
from binance_sdk.history.dataset.layout import parquet_path
from binance_sdk.history.dataset.libraries import library
from binance_sdk.history.dataset.record import PieceRecord
from binance_sdk.history.piece import Prices

if TYPE_CHECKING:
    import polars as pl

_CHUNK = 1 << 20
_ROWS = 1 << 19
"""Rows in memory at once."""

_AGAIN = "remove it and sync the dataset, which fetches it again"


class PieceFile:
    """The file of a piece, open for reading.

    Attributes:
        defects: What is wrong with it so far.
    """

    def __init__(self, storage: Storage, record: PieceRecord, kind: ArchiveKind, prices: Prices) -> None:
        self.record = record
        self.defects: list[Defect] = []
        self._kind = kind
        self._path = parquet_path(record.piece)
        self._file: Any = None
        self._errors: tuple[type[Exception], ...] = (OSError, library("pyarrow").ArrowException)
        system, root = storage.file_system()
        self._system: Any = system
        self._full = f"{root}/{self._path}"
        try:
            self._look(prices)
        except FileNotFoundError:
            self.wrong(
                "missing_file", 0, "its record is there, but it is not: sync the dataset, which fetches it again"
            )
        except self._errors as error:
            self._file = None
            self.wrong("unreadable_file", 0, f"{error}: {_AGAIN}")

    def wrong(self, kind: DefectKind, rows: int, text: str) -> None:
        """Take note of a defect."""
        self.defects.append(Defect(kind, self._path, rows, text))

    def batches(self, columns: list[str]) -> Iterator[pl.DataFrame]:
        """Some of its columns, in parts; none where it cannot be read."""
        import polars as pl

        if self._file is None or not set(columns) <= set(self._file.schema_arrow.names):
            return
        if not self._file.metadata.num_rows:
            return  # nor has it a part that some versions of Arrow would begin with
        try:
            for batch in self._file.iter_batches(batch_size=_ROWS, columns=columns):
                yield pl.DataFrame(pl.from_arrow(batch))
        except self._errors as error:
            self.wrong("unreadable_file", 0, f"{error}: {_AGAIN}")

    def close(self) -> None:
        """Give the file back."""
        if self._file is not None:
            self._file.close(force=True)

    def _look(self, prices: Prices) -> None:
        digest, size = hashlib.sha256(), 0
        with self._system.open_input_stream(self._full) as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
        if digest.hexdigest() != self.record.sha256:
            what = f"it has {size} bytes" if size != self.record.size else "its bytes are others"
            self.wrong("checksum", 0, f"{what}, not the {self.record.size} that were written: {_AGAIN}")
        self._file = library("pyarrow.parquet").ParquetFile(self._system.open_input_file(self._full))
        self._compare_columns(prices)
        if self._file.metadata.num_rows != self.record.rows:
            rows = self._file.metadata.num_rows
            self.wrong("rows", rows, f"it has {rows} rows, its record says {self.record.rows}: {_AGAIN}")

    def _compare_columns(self, prices: Prices) -> None:
        import polars as pl

        expected = polars_schema(self._kind, prices)
        found = pl.DataFrame(pl.from_arrow(self._file.schema_arrow.empty_table())).schema
        if found != expected:
            wrong = [
                f"{name} is {found.get(name, 'absent')}, not {expected.get(name, 'wanted')}"
                for name in dict.fromkeys((*expected, *found))
                if found.get(name) != expected.get(name)
            ]
            self.wrong("columns", 0, f"{'; '.join(wrong) or 'they are in another order'}: {_AGAIN}")
        metadata = self._file.metadata
        for column in self._kind.kept:
            if column.nullable or column.name not in found:
                continue
            place = list(found).index(column.name)
            groups = (metadata.row_group(index).column(place) for index in range(metadata.num_row_groups))
            if blank := sum(group.statistics.null_count for group in groups if group.is_stats_set):
                self.wrong("blank", blank, f"{blank} cells of {column.name} are blank: {_AGAIN}")
