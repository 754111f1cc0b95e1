"""How much there is of one series: what ``info`` reads in the manifest, and ``check`` in the files themselves."""

from __future__ import annotations

from dataclasses import dataclass

from binance_sdk.history.piece import Series


@dataclass(frozen=True, slots=True)
class SeriesExtent:
    """How much a dataset has of one series, and from when to when.

    Attributes:
        series: The series.
        pieces: How many pieces.
        rows: Rows in all of them.
        bytes: Size of their files.
        start: First moment of the first piece, in milliseconds.
        end: First moment after the last one.
        first_time: Time of the earliest row, in milliseconds; None without rows.
        last_time: Time of the latest row, likewise.
        first_id: Id of the first row; None for kinds that are not counted.
        last_id: Id of the last row, likewise.
    """

    series: Series
    pieces: int
    rows: int
    bytes: int
    start: int
    end: int
    first_time: int | None
    last_time: int | None
    first_id: int | None
    last_id: int | None
