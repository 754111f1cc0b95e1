"""Binance's public archive as values: which files there are, what stands in them, and what REST knows of the same.

The generator writes one ``ArchiveKind`` for each kind of data of each market; no code asks for the name of a kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from binance_sdk._runtime.market import Market

ColumnType: TypeAlias = Literal["time", "text_time", "decimal", "int", "id", "bool", "string", "symbol"]
"""``time``: milli- or microseconds since 1970, told apart by size. ``text_time``: ``YYYY-MM-DD HH:MM:SS``, UTC time.
``symbol``: that of the file in every row, which is checked and not kept."""

Period: TypeAlias = Literal["daily", "monthly"]


@dataclass(frozen=True, slots=True)
class ArchiveColumn:
    """One column of the files of a kind.

    Attributes:
        name: Our name, that of the field that REST answers where it is the same thing.
        wire: The name in the header of the file.
        type: How its cells are written; ``None`` where they mean nothing and are not kept.
        description: What it is, with its unit.
        scale: Digits after the point that an exact column keeps.
        nullable: A row may have none: cells of files may be blank, or REST does not tell it.
        milliseconds: The moment is a whole millisecond; what files write below that is no information.
        above_zero: A value that is not above zero is kept, and remarkable.
    """

    name: str
    wire: str
    type: ColumnType | None
    description: str = ""
    scale: int = 8
    nullable: bool = False
    milliseconds: bool = False
    above_zero: bool = False


@dataclass(frozen=True, slots=True)
class RestTwin:
    """The endpoint that answers the same data, or some of its columns.

    Attributes:
        operation: Its name, e.g. ``klines``.
        symbol: The parameter that the symbol of a file is passed as: ``symbol`` or ``pair``.
        columns: Name of a column to the attribute of a row of the answer that it is read from, in the order of the
            columns.
        arguments: What else is passed, by name in Python, e.g. ``{"period": "5m"}``.
        shift: Milliseconds by which the time of an answer is later than that of the row it belongs to.
        reach: Seconds into the past that the endpoint reaches; None for all of it.
        uncertain: What nobody has told about it for certain; a row that is made from it has a remark that says so.
    """

    operation: str
    symbol: str
    columns: Mapping[str, str]
    arguments: Mapping[str, str]
    shift: int = 0
    reach: int | None = None
    uncertain: str = ""


@dataclass(frozen=True, slots=True)
class ArchiveKind:
    """One kind of data of one market, as the archive has it.

    Attributes:
        market: The market.
        name: Our name, e.g. ``mark_price_klines``.
        folder: The name in URLs, e.g. ``markPriceKlines``.
        description: What a row is.
        periods: What a file may cover.
        intervals: Intervals as REST spells them, those with daily files and those with monthly ones; empty for kinds
            without intervals.
        symbol: Whether folders are called by symbol or by pair.
        columns: Columns in the order of the file.
        key: Names of the columns that no two rows have alike.
        time: Name of the column that says when.
        cadence: Milliseconds from one row to the next, where that is fixed and not the interval's.
        sequence: Name of the column whose ids grow by one from row to row; None where nothing is counted.
        frozen_after: Milliseconds after which values that are still the same are remarkable; None where they may be.
        rest: Endpoints that answer the same; empty where only the archive has it.
        first: Day of the first file that was seen.
        ended: Last day that there is a file of; None where more are made.
    """

    market: Market
    name: str
    folder: str
    description: str
    periods: tuple[Period, ...]
    intervals: Mapping[Period, tuple[str, ...]]
    symbol: Literal["symbol", "pair"]
    columns: tuple[ArchiveColumn, ...]
    key: tuple[str, ...]
    time: str
    cadence: int | None = None
    sequence: str | None = None
    frozen_after: int | None = None
    rest: tuple[RestTwin, ...] = ()
    first: date | None = None
    ended: date | None = None

    @property
    def kept(self) -> tuple[ArchiveColumn, ...]:
        """The columns that mean something of each row."""
        return tuple(column for column in self.columns if column.type not in (None, "symbol"))


@dataclass(frozen=True, slots=True)
class ArchiveTerms:
    """The terms under which the archive's files may be used.

    Attributes:
        name: What they are called.
        version: Their version.
        date: The day they were made.
        licence: The licence of the data.
        commercial: What commercial use needs.
        url: Where they can be read.
    """

    name: str
    version: str
    date: date
    licence: str
    commercial: str
    url: str


@dataclass(frozen=True, slots=True)
class Archive:
    """The archive: where it is, under which terms, and what it has.

    Attributes:
        url: Address of the files.
        listing_url: Address of the listing of files.
        folders: Folder of each market below ``data/``.
        spellings: Intervals that files spell otherwise than REST: ``{"1M": "1mo"}``.
        terms: The terms of use.
        kinds: What there is, by market and name.
        unpadded_until: Before this day the month in the name of a monthly file may be without a zero.
    """

    url: str
    listing_url: str
    folders: Mapping[Market, str]
    spellings: Mapping[str, str]
    terms: ArchiveTerms
    kinds: Mapping[tuple[Market, str], ArchiveKind]
    unpadded_until: date | None = None
