"""What is read: which series of a dataset, which of their pieces, and between which moments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from binance_sdk._runtime.archive import ArchiveKind
from binance_sdk.errors import DatasetError, ParameterError, shown
from binance_sdk.history.dataset.dataset import Dataset
from binance_sdk.history.dataset.layout import parquet_path, series_folder
from binance_sdk.history.dataset.precedence import goes_first, overlap
from binance_sdk.history.dataset.record import PieceRecord
from binance_sdk.history.moments import Moment, read_moment
from binance_sdk.history.piece import Series


@dataclass(frozen=True, slots=True)
class Selected:
    """What is read of one series.

    Attributes:
        series: The series.
        groups: Its pieces by start; those that overlap in one group, the one that goes first before the others.
    """

    series: Series
    groups: tuple[tuple[PieceRecord, ...], ...]

    @property
    def paths(self) -> list[str]:
        """Files in the dataset, by start."""
        return [parquet_path(record.piece) for group in self.groups for record in group]


@dataclass(frozen=True, slots=True)
class Selection:
    """What is read.

    Attributes:
        kind: What a row is.
        start: First moment, in milliseconds; None for all there is.
        end: First moment after it, likewise.
        several: Any number of symbols was asked for, so rows tell theirs.
        series: What is read of each series.
    """

    kind: ArchiveKind
    start: int | None
    end: int | None
    several: bool
    series: tuple[Selected, ...]


def select(
    dataset: Dataset,
    *,
    kind: str,
    symbol: str | Iterable[str] | None,
    interval: str | None,
    market: str | None,
    start: Moment | None,
    end: Moment | None,
) -> Selection:
    """Find what is asked for.

    Raises:
        ParameterError: The dataset has no such series, or several where one was meant; it names what there is.
        DatasetError: A file that its manifest names is not there.
    """
    first = None if start is None else read_moment("start", start, "history.open")
    after = None if end is None else read_moment("end", end, "history.open")
    if first is not None and after is not None and first >= after:
        raise ParameterError(f"history.open: start={shown(start)} is not before end={shown(end)}: swap the two")
    there = dataset.series()
    found = _only("kind", kind, there)
    if market is not None:
        found = _only("market", market, found)
    elif len(markets := {series.market for series in found}) > 1:
        raise ParameterError(f"history.open: market is needed, as {' and '.join(sorted(markets))} have {kind} here")
    if interval is not None:
        found = _only("interval", interval, found)
    elif len(intervals := {series.interval for series in found}) > 1:
        known = ", ".join(sorted(intervals))
        raise ParameterError(f"history.open: interval is needed, as there are {kind} of {known}")
    if symbol is not None:
        names = [symbol] if isinstance(symbol, str) else list(symbol)
        found = [series for name in names for series in _only("symbol", name.upper(), found)]
    several = not isinstance(symbol, str)
    chosen = tuple(_pieces(dataset, series, first, after) for series in dict.fromkeys(found))
    return Selection(dataset.kind_of(found[0]), first, after, several, chosen)


def _only(name: str, value: str, there: Sequence[Series]) -> list[Series]:
    found = [series for series in there if getattr(series, name) == value]
    if not found:
        known = ", ".join(sorted({str(getattr(series, name)) for series in there})) or "nothing"
        raise ParameterError(f"history.open: {name}={shown(value)} is not here; there is {known}")
    return found


def _pieces(dataset: Dataset, series: Series, start: int | None, end: int | None) -> Selected:
    records = [
        record
        for record in dataset.records(series)
        if record.rows and (start is None or record.piece.end > start) and (end is None or record.piece.start < end)
    ]
    there = {file.path for file in dataset.storage.files(series_folder(series))}
    for record in records:
        if (path := parquet_path(record.piece)) not in there:
            where = dataset.storage.location(path)
            text = f"{where} is not there, though its record is; sync the dataset, which fetches it again"
            raise DatasetError(text, path=where)
    return Selected(series, tuple(_groups(records)))


def _groups(records: Sequence[PieceRecord]) -> Iterator[tuple[PieceRecord, ...]]:
    group: list[PieceRecord] = []
    for record in records:
        if group and not any(overlap(other.piece, record.piece) for other in group):
            yield _by_precedence(group)
            group = []
        group.append(record)
    if group:
        yield _by_precedence(group)


def _by_precedence(group: Sequence[PieceRecord]) -> tuple[PieceRecord, ...]:
    return tuple(sorted(group, key=lambda record: sum(goes_first(other.piece, record.piece) for other in group)))
