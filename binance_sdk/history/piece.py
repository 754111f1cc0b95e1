"""A piece of history, which is fetched, written and proved as one, and what was fetched for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

from binance_sdk.catalogue import Market

if TYPE_CHECKING:
    import polars as pl

Source: TypeAlias = Literal["archive_monthly", "archive_daily", "rest"]
"""A file of a month, a file of a day, or the endpoints that answer the same."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Prices: TypeAlias = Literal["decimal", "float"]
"""Exact decimal columns, or floats of 64 bits."""


@dataclass(frozen=True, slots=True, order=True)
class Series:
    """What is kept: one kind of data of one symbol.

    Attributes:
        market: The market.
        kind: The kind of data, e.g. ``klines`` or ``agg_trades``.
        symbol: The symbol, or the pair for kinds that go by pairs.
        interval: The interval as REST spells it; empty for kinds without one.
    """

    market: Market
    kind: str
    symbol: str
    interval: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Piece:
    """A span of a series that is fetched from one source, within one month (UTC).

    Pieces depend on nothing but themselves: each may be fetched in any order, by any process, and again.

    Attributes:
        series: What it is a part of.
        start: First moment in it, in milliseconds.
        end: First moment after it, in milliseconds.
        source: Where it comes from.
    """

    series: Series
    start: int
    end: int
    source: Source

    @property
    def month(self) -> str:
        """The month it lies in, as ``2025-01``."""
        return f"{datetime.fromtimestamp(self.start / 1000, UTC):%Y-%m}"

    @property
    def name(self) -> str:
        """A name that no other piece of the same series has, fit for a file."""
        first, last = (_EPOCH + timedelta(milliseconds=moment) for moment in (self.start, self.end))
        if self.source == "archive_monthly":
            return f"{first:%Y-%m}.monthly"
        if self.source == "archive_daily":
            return f"{first:%Y-%m-%d}.daily"
        return f"{_precisely(first)}-{_precisely(last)}.rest"


def _precisely(moment: datetime) -> str:
    """To the second, and to the millisecond where there are some."""
    text = f"{moment:%Y-%m-%dT%H%M%S}"
    return f"{text}.{moment.microsecond // 1000:03}" if moment.microsecond else text


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a piece that its user should know: what was wrong with what came, and what was made of it.

    Attributes:
        kind: A short name for what it is, e.g. ``doubled_rows``.
        rows: How many rows it concerns.
        text: The same in words, with an example.
    """

    kind: str
    rows: int
    text: str


@dataclass(frozen=True, slots=True)
class Origin:
    """What a piece was made from.

    Attributes:
        urls: What was asked, in order.
        sha256: Of the zip as it came; over REST, of all bodies one after the other.
        size: Bytes that came.
        requests: Requests that were sent.
        weight: Request weight that they cost.
        days: Files of days that came besides, since that of the piece lacks rows, could they be used or not: the first
            moment of each day in milliseconds, and the SHA-256 of its zip.
    """

    urls: tuple[str, ...]
    sha256: str
    size: int
    requests: int = 1
    weight: int = 0
    days: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Fetched:
    """The rows of a piece: in the columns of its kind, sorted by its key, no two alike, none from outside its span."""

    frame: pl.DataFrame
    origin: Origin
    remarks: tuple[Remark, ...] = ()
