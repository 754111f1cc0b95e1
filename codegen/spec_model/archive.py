"""The strict model of ``spec/archive.yaml``: the bulk files that the exchange offers, and what stands in them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from codegen.spec_model.base import (
    Duration,
    Folder,
    IntervalName,
    Node,
    Plain,
    PythonName,
    RestUrl,
    Source,
    Text,
    Url,
    WireName,
    wrong,
)

Period = Literal["daily", "monthly"]


class ArchiveColumn(Node):
    """One column of a file."""

    wire: PythonName
    """Its name in the header of the files that have one."""
    name: PythonName | None = None
    """Name in Python, where the one of the file would not do."""
    type: Literal["time", "text_time", "decimal", "int", "id", "bool", "string", "symbol"] | None = None
    """``time``: milli- or microseconds, told apart by size; ``text_time``: ``YYYY-MM-DD HH:MM:SS``, UTC time;
    ``symbol``: that of the file in every row."""
    description: Text
    unused: bool = False
    """Means nothing and is not kept."""
    scale: int = Field(default=8, ge=0, le=18)
    """Digits after the point that an exact column keeps; no file has more."""
    nullable: bool = False
    """A row may have none: cells may be blank, or no endpoint tells it."""
    milliseconds: bool = False
    """A moment that is a whole millisecond, whatever files write below that."""
    above_zero: bool = False
    """A value that is not above zero is kept, and told of."""
    uncertain: Text | None = None
    source: Source | None = None
    """Where this was read, where that is not what the file says."""

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        if self.unused == (self.type is not None):
            raise wrong("a column has a `type`, or is `unused: true`")
        if "scale" in self.model_fields_set and self.type != "decimal":
            raise wrong(f"`scale` goes with `type: decimal`, not with {self.type or 'what is unused'}", "scale")
        if self.above_zero and self.type != "decimal":
            raise wrong(
                f"`above_zero` goes with `type: decimal`, not with {self.type or 'what is unused'}", "above_zero"
            )
        if self.milliseconds and self.type != "time":
            raise wrong(
                f"`milliseconds` goes with `type: time`, not with {self.type or 'what is unused'}", "milliseconds"
            )
        return self

    @property
    def python(self) -> str:
        """Its name in Python."""
        return self.name or self.wire


class ArchiveTwin(Node):
    """An endpoint that answers the same data, or some of its columns."""

    operation: PythonName
    symbol: PythonName = "symbol"
    """The parameter that the symbol of a file is passed as."""
    arguments: dict[PythonName, Plain] = Field(default_factory=dict)
    """What else is passed."""
    columns: dict[PythonName, PythonName] = Field(default_factory=dict)
    """Column to the field that it is read from; where none is named, every column is read from the field of its name
    if there is one."""
    shift_ms: int = 0
    """So much later is the time of an answer than that of the row it belongs to."""
    reach: Duration | None = None
    """So far back it goes, where the rules of the endpoint have no ``lookback`` that says so."""
    uncertain: Text | None = None


class ArchiveMarket(Node):
    """What there is of a kind in one market."""

    periods: list[Period] = Field(min_length=1)
    """What a file may cover."""
    intervals: dict[Period, Annotated[list[IntervalName], Field(min_length=1)]] = Field(default_factory=dict)
    """Lengths of bars that there are files of, as REST spells them, by what a file covers."""
    columns: list[ArchiveColumn] = Field(default_factory=list[ArchiveColumn])
    """Those that are otherwise in this market, by ``wire``; what is not a column of the kind comes after its last."""
    by: Literal["symbol", "pair"] = "symbol"
    """What folders are called after."""
    rest: list[ArchiveTwin] = Field(default_factory=list[ArchiveTwin])
    first: date | None = None
    """Day of the first file that was seen."""
    ended: date | None = None
    """Last day that there is a file of."""
    notes: list[Text] = Field(default_factory=list[str])
    uncertain: Text | None = None
    source: Source | None = None
    """Where this was read, where that is not what the file says."""

    @model_validator(mode="after")
    def _one_thing_once(self) -> Self:
        if self.intervals and list(self.intervals) != self.periods:
            raise wrong("`intervals` names the periods that `periods` names, in the same order", "intervals")
        if self.first is not None and self.ended is not None and self.ended < self.first:
            raise wrong(f"`ended` {self.ended} is before `first` {self.first}", "ended")
        return self


class ArchiveKind(Node):
    """One kind of data."""

    description: Text
    folder: WireName
    """Its name in URLs."""
    columns: list[ArchiveColumn] = Field(min_length=1)
    """In the order of the file."""
    key: list[PythonName] = Field(min_length=1)
    """Names in Python of the columns that no two rows have alike."""
    time: PythonName
    """Name in Python of the column that says when."""
    cadence: Duration | None = None
    """From one row to the next, where that is fixed and no interval."""
    sequence: PythonName | None = None
    """Name in Python of the column whose ids grow by one."""
    frozen_after: Duration | None = None
    """Values that are still the same after so long are told of; those of a kind without may stay as they are."""
    markets: dict[PythonName, ArchiveMarket] = Field(min_length=1)
    notes: list[Text] = Field(default_factory=list[str])
    source: Source | None = None
    """Where this was read, where that is not what the file says."""

    def columns_in(self, market: str) -> list[ArchiveColumn]:
        """The columns of a market's files, in their order."""
        own = {column.wire: column for column in self.markets[market].columns}
        return [*(own.pop(column.wire, column) for column in self.columns), *own.values()]


class ArchiveTerms(Node):
    """Under which terms the files may be used."""

    name: Text
    version: Text
    date: date
    licence: Text
    commercial: Text
    """What commercial use needs."""
    url: Url


class ArchiveFile(Node):
    """``spec/archive.yaml``."""

    description: Text
    source: Source
    url: RestUrl
    """Where the files are."""
    listing_url: Url
    """Where the list of files is."""
    terms: ArchiveTerms
    folders: dict[PythonName, Folder]
    """Market to its folder below ``data/``."""
    spellings: dict[IntervalName, IntervalName] = Field(default_factory=dict)
    """Intervals that files spell otherwise than REST."""
    unpadded_until: date | None = None
    """Before this day the month in the name of a monthly file may be without a zero."""
    kinds: dict[PythonName, ArchiveKind]


__all__ = ["ArchiveColumn", "ArchiveFile", "ArchiveKind", "ArchiveMarket", "ArchiveTerms", "ArchiveTwin"]
