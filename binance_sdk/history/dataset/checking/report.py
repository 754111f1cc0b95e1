"""What a check of a dataset found, in values that ``dataclasses.asdict`` makes JSON of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from binance_sdk.history.dataset.record import HoleReason
from binance_sdk.history.dataset.series_extent import SeriesExtent
from binance_sdk.history.piece import Prices, Remark

DefectKind: TypeAlias = Literal[
    "record", "missing_file", "unreadable_file", "checksum", "columns", "blank", "rows", "outside", "order", "doubled",
    "no_record", "replaced",
]  # fmt: skip
"""``record``: a record cannot be read. ``missing_file``, ``unreadable_file``, ``checksum``: the file of a piece is not
there, no such file, or not the one that was written. ``columns``: names or types are others. ``blank``: cells are empty
that must not be. ``rows``: they are not as many, or do not begin and end, as the record says. ``outside``: rows are not
of the piece's span. ``order``: rows do not follow one another. ``doubled``: a row stands twice. ``no_record``: a file
that no record names. ``replaced``: the archive has another file today."""


@dataclass(frozen=True, slots=True)
class Defect:
    """Something in a dataset that must not be.

    Attributes:
        kind: What it is.
        path: The file.
        rows: How many rows it concerns; 0 where it is about the file.
        text: The same in words, with the remedy.
    """

    kind: DefectKind
    path: str
    rows: int
    text: str


@dataclass(frozen=True, slots=True)
class Hole:
    """A span without rows where there should be some.

    Attributes:
        start: First moment in it, in milliseconds; of counted rows, the time of the last one before it.
        end: First moment after it, in milliseconds; of counted rows, the time of the first one after it.
        missing: Rows that are missing, by time or id; None where that cannot be told.
        reason: Why.
        text: The same in words.
    """

    start: int
    end: int
    missing: int | None
    reason: HoleReason
    text: str


@dataclass(frozen=True, slots=True)
class SeriesCheck(SeriesExtent):
    """What a check found of one series, beside its extent.

    Attributes:
        holes: The first of the holes, by start.
        hole_count: How many there are.
        missing: Rows that are missing, by reason, as far as that can be counted.
        defects: What must not be.
        remarks: What was remarked when a piece was fetched, and what this check adds, with the name of the piece.
    """

    holes: tuple[Hole, ...]
    hole_count: int
    missing: dict[HoleReason, int]
    defects: tuple[Defect, ...]
    remarks: tuple[tuple[str, Remark], ...]

    @property
    def complete(self) -> bool:
        """Nothing is missing but what the exchange itself had not."""
        return all(reason == "exchange_had_none" for reason in self.missing)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What a check of a dataset found.

    Attributes:
        url: Where the dataset is.
        prices: Whether decimal columns are exact or floats.
        series: What was found of each series.
        defects: What must not be and belongs to no series.
        seconds: How long it took.
        deep: Sources were asked for what the dataset alone does not tell.
    """

    url: str
    prices: Prices
    series: tuple[SeriesCheck, ...]
    defects: tuple[Defect, ...] = ()
    seconds: float = 0.0
    deep: bool = False

    @property
    def sound(self) -> bool:
        """What is there is what it should be."""
        return not self.defects and not any(found.defects for found in self.series)

    @property
    def complete(self) -> bool:
        """Nothing is missing but what the exchange itself had not."""
        return all(found.complete for found in self.series)

    @property
    def rows(self) -> int:
        """Rows in all series."""
        return sum(found.rows for found in self.series)
