"""A dataset: pieces of history as Parquet files, each with a record of where it came from."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from binance_sdk._runtime.archive import Archive, ArchiveKind
from binance_sdk._version import __version__
from binance_sdk.errors import DatasetError, ParameterError, shown
from binance_sdk.history.dataset.files import TEMPORARY, Storage
from binance_sdk.history.dataset.layout import (
    FACTS,
)
from binance_sdk.history.dataset.libraries import library
from binance_sdk.history.dataset.lock import DatasetLock
from binance_sdk.history.dataset.manifest import Manifest
from binance_sdk.history.dataset.record import (
    FORMAT,
    Absence,
    DatasetFacts,
    HoleReason,
    PieceRecord,
    dump_facts,
    load_facts,
)
from binance_sdk.history.dataset.storage import storage_at
from binance_sdk.history.dataset.writing import PieceWriter, kind_in, read_piece
from binance_sdk.history.piece import Fetched, Piece, Prices, Series

if TYPE_CHECKING:
    import polars as pl


class Dataset:
    """Market data of any number of series, on disk or in an object store.

    Pieces may be written in any order, again, and by several processes at once; the files are the same in the end, once
    those that overlap and were written at one moment are given to ``settle``. A row that several pieces have is in one
    file only: daily files of the archive go before monthly ones, and both before REST.

    A process that is killed while it writes leaves either the piece or nothing of it that a reader would see;
    ``sweep`` clears away the rest.
    """

    def __init__(self, storage: Storage, facts: DatasetFacts, archive: Archive) -> None:
        self._storage = storage
        self._manifest = Manifest(storage)
        self._archive = archive
        self._writer = PieceWriter(storage, self._manifest, facts.prices, archive)
        self.facts = facts
        """What holds for the whole dataset."""

    @classmethod
    def create(
        cls,
        url: str | os.PathLike[str],
        *,
        prices: Prices = "decimal",
        exist_ok: bool = False,
        archive: Archive | None = None,
    ) -> Dataset:
        """Make a dataset.

        Args:
            url: A folder, which is made where it is not there, or the URL of an object store.
            prices: ``decimal`` for exact columns, ``float`` for floats of 64 bits.
            exist_ok: Open the dataset that is there, if its prices are these.
            archive: What the archive has, where that is not this version's own knowledge.

        Raises:
            DatasetError: There is a dataset already, one with other prices, or something else.
            ParameterError: There are no such prices.
            ConfigError: polars is not installed, or what the URL needs.
        """
        _check_prices(prices)
        library("polars")
        storage = storage_at(url)
        data = storage.read(FACTS)
        if data is None:
            if others := [file.path for file in storage.files() if not file.path.endswith(TEMPORARY)]:
                text = (
                    f"{storage.url} has other files, e.g. {others[0]}, and is no dataset; "
                    "choose a folder that is empty or not there"
                )
                raise DatasetError(text, path=storage.url)
            archive = archive or _known_archive()
            facts = DatasetFacts(FORMAT, prices, archive.terms.version, __version__)
            storage.put(FACTS, dump_facts(facts))
            return cls(storage, facts, archive)
        if not exist_ok:
            text = f"{storage.url} is a dataset already; open it, or choose another folder"
            raise DatasetError(text, path=storage.url)
        facts = load_facts(data, storage.location(FACTS))
        _check_same_prices(facts.prices, prices, storage.url)
        return cls(storage, facts, archive or _known_archive())

    @classmethod
    def open(cls, url: str | os.PathLike[str], *, archive: Archive | None = None) -> Dataset:
        """Open a dataset that is there.

        Args:
            url: Its folder or URL.
            archive: What the archive has, where that is not this version's own knowledge.

        Raises:
            DatasetError: There is none, or a newer version of this library made it.
            ConfigError: polars is not installed, or what the URL needs.
        """
        library("polars")
        storage = storage_at(url)
        data = storage.read(FACTS)
        if data is None:
            text = f"{storage.url} is no dataset: it has no {FACTS}; make one there, or look for it elsewhere"
            raise DatasetError(text, path=storage.url)
        return cls(storage, load_facts(data, storage.location(FACTS)), archive or _known_archive())

    @staticmethod
    def require_prices(url: str | os.PathLike[str], prices: Prices) -> None:
        """Refuse prices that ``create`` would refuse for the dataset that is there; nothing is made.

        Args:
            url: Its folder or URL, where there may be none yet.
            prices: As ``create`` takes them.

        Raises:
            ParameterError: There are no such prices.
            DatasetError: The dataset has others, or cannot be read.
            ConfigError: What the URL needs is not installed.
        """
        _check_prices(prices)
        storage = storage_at(url)
        data = storage.read(FACTS)
        if data is not None:
            _check_same_prices(load_facts(data, storage.location(FACTS)).prices, prices, storage.url)

    @property
    def url(self) -> str:
        """Where it is."""
        return self._storage.url

    @property
    def prices(self) -> Prices:
        """Whether decimal columns are exact or floats."""
        return self.facts.prices

    @property
    def storage(self) -> Storage:
        """Its files."""
        return self._storage

    def kind_of(self, series: Series) -> ArchiveKind:
        """What the rows of a series are.

        Raises:
            ParameterError: There is no such kind of data.
        """
        return kind_in(self._archive, series)

    def lock(self) -> DatasetLock:
        """The right to run on this dataset, for a ``with`` statement: one process at a time has it.

        Raises:
            DatasetError: On entering, where another run has it; it says which.
        """
        return DatasetLock(self._storage)

    # ------------------------------------------------------------------------------------ writing

    def write(self, piece: Piece, fetched: Fetched) -> PieceRecord:
        """Keep a piece, in the place of an older one of the same name.

        Rows that another piece has which goes first are left out; where this one goes first, the other one gives them
        up, and is removed where nothing else is left of it. That two disagree is a remark of the one that goes first.

        Args:
            piece: The piece.
            fetched: What was fetched for it.

        Returns:
            What the dataset knows of it now. It is not there where all its rows are in a piece that covers it.

        Raises:
            DatasetError: The rows are not what such a piece holds, or its files cannot be written.
            ParameterError: There is no such kind of data.
        """
        return self._writer.write(piece, fetched)

    def remove(self, record: PieceRecord) -> None:
        """Take a piece out of the dataset. Rows that another piece gave up for it do not come back by that.

        Raises:
            DatasetError: Its files cannot be removed.
        """
        self._writer.remove(record.piece)

    def note_absence(self, series: Series, start: int, end: int, reason: HoleReason, text: str) -> None:
        """Keep in mind that a source was asked in vain, so that ``check`` can tell why there is a hole.

        Args:
            series: The series.
            start: First moment of the span, in milliseconds.
            end: First moment after it, in milliseconds.
            reason: Why nothing came.
            text: The same in words.

        Raises:
            DatasetError: It cannot be written.
        """
        self._manifest.put_absence(Absence(series, start, end, reason, text, time.time_ns() // 1_000_000))

    def sweep(self) -> list[str]:
        """Clear away what a killed process left, while nobody writes: hold the lock.

        Files that were not written to their end, rows without a record and records without rows are removed, and are
        fetched again; a file whose record is there already takes its place; rows that two pieces have are left in one.

        Returns:
            What was done, in words; empty where all was in order.

        Raises:
            DatasetError: Its files cannot be read or written.
        """
        return self._writer.sweep()

    def settle(self, pieces: Iterable[Piece]) -> None:
        """Leave each row in one of some pieces that were written by several threads or processes, in any order.

        Two that are written at one moment do not see each other, and may both have the rows of a moment in common.
        Readers settle that as well; here it is settled in the files. Nothing is read where no two of them overlap.

        Args:
            pieces: What was written.

        Raises:
            DatasetError: Its files cannot be read or written.
        """
        self._writer.settle(pieces)

    # ------------------------------------------------------------------------------------ reading

    def records(self, series: Series | None = None, *, broken: list[DatasetError] | None = None) -> list[PieceRecord]:
        """What the dataset knows of its pieces, by series and start.

        Args:
            series: Those of one series only.
            broken: A list for the errors of records that cannot be read; without it the first is raised.

        Raises:
            DatasetError: A record cannot be read.
        """
        return self._manifest.records(series, broken)

    def series(self) -> list[Series]:
        """What it has rows of, by market, kind, symbol and interval.

        Raises:
            DatasetError: A record cannot be read.
        """
        return self._manifest.series()

    def absences(self, series: Series | None = None) -> list[Absence]:
        """Spans for which a source was asked in vain, by series and start; what came later makes them moot.

        Args:
            series: Those of one series only.

        Raises:
            DatasetError: One cannot be read.
        """
        return self._manifest.absences(series)

    def record(self, piece: Piece) -> PieceRecord | None:
        """What the dataset knows of a piece; None where it has none of that name.

        Raises:
            DatasetError: The record cannot be read.
        """
        return self._manifest.record(piece)

    def read(self, record: PieceRecord) -> pl.DataFrame:
        """The rows of a piece.

        Raises:
            DatasetError: Its file is not there, or is no such file.
        """
        return read_piece(self._storage, record)


def _known_archive() -> Archive:
    # Whoever has an archive of his own does not load ours.
    from binance_sdk.catalogue import ARCHIVE

    return ARCHIVE


def _check_prices(prices: object) -> None:
    if prices not in ("decimal", "float"):
        raise ParameterError(f"prices={shown(prices)}: they are 'decimal' or 'float'", parameter="prices", value=prices)


def _check_same_prices(there: Prices, wanted: Prices, url: str) -> None:
    if there != wanted:
        text = f"{url} has prices as {there}, not {wanted}; choose another folder for those"
        raise DatasetError(text, path=url)
