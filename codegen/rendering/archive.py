"""What ``archive.py`` is rendered from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Generic, TypeVar

from codegen.spec_model.archive import ArchiveColumn, Period
from codegen.spec_model.archive_twins import answers, lookback, read_from
from codegen.spec_model.base import seconds
from codegen.spec_model.spec import Spec

T = TypeVar("T")
Intervals = Mapping[Period, tuple[str, ...]]


@dataclass(frozen=True)
class TwinView:
    operation: str
    symbol: str
    columns: Mapping[str, str]
    arguments: Mapping[str, object]
    shift: int
    reach: int | None
    uncertain: str


@dataclass(frozen=True)
class KindView:
    """One kind of data of one market; columns and intervals by the names of the constants that have them."""

    market: str
    name: str
    folder: str
    description: str
    periods: tuple[str, ...]
    intervals: str | None
    symbol: str
    columns: str
    key: tuple[str, ...]
    time: str
    cadence: int | None
    sequence: str | None
    frozen_after: int | None
    rest: list[TwinView]
    first: date | None
    ended: date | None


@dataclass
class Constants(Generic[T]):
    """Values that several kinds share, each written once: under the name of the kind that has it first."""

    ending: str
    by_name: dict[str, T] = field(default_factory=dict[str, T])

    def name_of(self, value: T, market: str, kind: str) -> str:
        for name, known in self.by_name.items():
            if known == value:
                return name
        name = f"_{market}_{kind}_{self.ending}".upper()
        self.by_name[name] = value
        return name


class ArchiveView:
    """The kinds, and what several of them have alike."""

    def __init__(self, spec: Spec) -> None:
        self.columns = Constants[list[ArchiveColumn]]("columns")
        self.intervals = Constants[Intervals]("intervals")
        self.kinds = list(self._kinds(spec))

    def _kinds(self, spec: Spec) -> Iterator[KindView]:
        """Every kind of every market, market by market."""
        for market in spec.market_names:
            for name, kind in spec.archive.kinds.items():
                own = kind.markets.get(market)
                if own is None:
                    continue
                columns = kind.columns_in(market)
                intervals = {period: tuple(some) for period, some in own.intervals.items()}
                twins = []
                for twin in own.rest:
                    placed = spec.operations[market, twin.operation]
                    reach = twin.reach or lookback(placed.value)
                    twins.append(
                        TwinView(
                            twin.operation,
                            twin.symbol,
                            read_from(twin, answers(spec, placed), columns),
                            twin.arguments,
                            twin.shift_ms,
                            None if reach is None else seconds(reach),
                            twin.uncertain or "",
                        )
                    )
                yield KindView(
                    market,
                    name,
                    kind.folder,
                    kind.description,
                    tuple(own.periods),
                    self.intervals.name_of(intervals, market, name) if intervals else None,
                    own.by,
                    self.columns.name_of(columns, market, name),
                    tuple(kind.key),
                    kind.time,
                    None if kind.cadence is None else 1000 * seconds(kind.cadence),
                    kind.sequence,
                    None if kind.frozen_after is None else 1000 * seconds(kind.frozen_after),
                    twins,
                    own.first,
                    own.ended,
                )
