"""What a dataset knows of itself, as it stands in its manifest: one file for all of it, and one for each piece."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError

from binance_sdk.errors import DatasetError
from binance_sdk.history.piece import Origin, Piece, Prices, Remark, Series

FORMAT = 1
"""Grows when an older version of this library would misread what a newer one writes."""

_DAY = 86_400_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """What holds for a whole dataset.

    Attributes:
        format: The version of layout and manifest.
        prices: Whether decimal columns are exact or floats.
        terms: Version of the archive's terms that were in force when the dataset was made.
        sdk_version: The version of this library that made it.
    """

    format: int
    prices: Prices
    terms: str
    sdk_version: str


@dataclass(frozen=True, slots=True)
class PieceRecord:
    """What a dataset knows of a piece that it holds.

    Attributes:
        piece: The piece.
        rows: Rows in its file.
        superseded: Rows that came as well but are not in its file, as a piece that goes first has the same ones.
        first_time: Time of the earliest row, in milliseconds; None without rows.
        last_time: Time of the latest row, in milliseconds; None without rows.
        first_id: Id of the first row; None without rows and for kinds whose rows are not counted.
        last_id: Id of the last row, likewise.
        sha256: Of its Parquet file.
        size: Bytes of its Parquet file.
        origin: What it was made from.
        remarks: What its user should know.
        written_at: When it was written, in milliseconds.
        terms: Version of the archive's terms that were in force then.
        sdk_version: The version of this library that wrote it.
    """

    piece: Piece
    rows: int
    superseded: int
    first_time: int | None
    last_time: int | None
    first_id: int | None
    last_id: int | None
    sha256: str
    size: int
    origin: Origin
    remarks: tuple[Remark, ...]
    written_at: int
    terms: str
    sdk_version: str

    @property
    def files(self) -> list[tuple[Piece, str]]:
        """The files of the archive that it was made from, as pieces, each with the SHA-256 that it had."""
        if self.piece.source == "rest":
            return []
        days = [
            (Piece(self.piece.series, day, day + _DAY, "archive_daily"), sha256) for day, sha256 in self.origin.days
        ]
        return [(self.piece, self.origin.sha256), *days]

    def remarked(self, kind: str) -> bool:
        """There is a remark of this kind."""
        return any(remark.kind == kind for remark in self.remarks)


HoleReason: TypeAlias = Literal["not_fetched", "file_absent", "rows_missing", "out_of_reach", "exchange_had_none"]
"""Why rows are not there: nobody fetched them; the archive has no file; its file lacks them; REST does not reach them
any more; the exchange itself had none."""


@dataclass(frozen=True, slots=True)
class Absence:
    """A span of a series for which a source was asked in vain, so that a check can tell why nothing is there.

    Attributes:
        series: The series.
        start: First moment in it, in milliseconds.
        end: First moment after it, in milliseconds.
        reason: Why nothing came.
        text: The same in words.
        noted_at: When that was noted, in milliseconds.
    """

    series: Series
    start: int
    end: int
    reason: HoleReason
    text: str
    noted_at: int


_FACTS = TypeAdapter(DatasetFacts)
_RECORD = TypeAdapter(PieceRecord)
_ABSENCE = TypeAdapter(Absence)


def dump_facts(facts: DatasetFacts) -> bytes:
    """Facts of a dataset as they are written."""
    return _FACTS.dump_json(facts, indent=2) + b"\n"


def load_facts(data: bytes, path: str) -> DatasetFacts:
    """Facts of a dataset as they were written.

    Raises:
        DatasetError: They cannot be read, or are of a later format.
    """
    facts = _parsed(_FACTS, data, path, "put back the one that was there, or make the dataset anew")
    if facts.format > FORMAT:
        text = (
            f"{path} is of format {facts.format}, written by version {facts.sdk_version}; "
            f"this version reads up to {FORMAT}: install a newer one"
        )
        raise DatasetError(text, path=path)
    return facts


def dump_record(record: PieceRecord) -> bytes:
    """A record as it is written."""
    return _RECORD.dump_json(record, indent=1) + b"\n"


def load_record(data: bytes, path: str) -> PieceRecord:
    """A record as it was written.

    Raises:
        DatasetError: It cannot be read.
    """
    return _parsed(_RECORD, data, path, "remove it, and the next run fetches its piece again")


def dump_absence(absence: Absence) -> bytes:
    """An absence as it is written."""
    return _ABSENCE.dump_json(absence, indent=1) + b"\n"


def load_absence(data: bytes, path: str) -> Absence:
    """An absence as it was written.

    Raises:
        DatasetError: It cannot be read.
    """
    return _parsed(_ABSENCE, data, path, "remove it, and only the reason of a hole is lost")


def _parsed(adapter: TypeAdapter[T], data: bytes, path: str, remedy: str) -> T:
    try:
        return adapter.validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "as a whole"
        raise DatasetError(f"{path} cannot be read ({where}: {first['msg']}); {remedy}", path=path) from error
