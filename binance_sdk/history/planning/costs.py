"""What pieces cost before any of them is fetched: requests, weight, bytes and time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from binance_sdk._runtime.archive import ArchiveKind, RestTwin
from binance_sdk._runtime.calls.paging import cheapest_page, paging_of, plan_pages, plan_walk
from binance_sdk._runtime.calls.parameters import validate
from binance_sdk._runtime.market import Limit
from binance_sdk.catalogue import CATALOGUE
from binance_sdk.history.piece import Piece
from binance_sdk.history.planning.density import is_dense, row_step, rows_in
from binance_sdk.history.planning.pieces import Files
from binance_sdk.history.planning.spans import DAY
from binance_sdk.history.rest.arguments import arguments_of

Certainty: TypeAlias = Literal["exact", "at_most", "estimate"]

SAFETY_MARGIN = 0.05
"""Share of each limit that a client leaves unused, unless it is told otherwise."""

_BYTES_A_CELL, _BYTES_A_TRADE_CELL, _JSON_BYTES_A_CELL = 4.0, 1.8, 15.0
"""In a zip or a Parquet file, as measured of bars, statistics and funding, and of trades; and in an answer of REST."""
_PARQUET_BYTES_A_COLUMN = 500
"""What a file tells about itself."""
_LATEST_DAYS = 3
_FILE_REQUESTS = 2
"""The file and its checksum."""
_SECONDS_A_FILE, _FILES_AT_ONCE, _BYTES_A_SECOND = 1.0, 8, 8e6
"""How fast the archive was seen to answer."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of a plan, and how sure it is.

    Attributes:
        value: The number.
        certainty: ``exact``; ``at_most`` where some of it may turn out not to be needed; or an ``estimate``.
    """

    value: float
    certainty: Certainty

    def __add__(self, other: Figure) -> Figure:
        # The less certain of the two is said last.
        order: tuple[Certainty, ...] = ("exact", "at_most", "estimate")
        least = order[max(order.index(self.certainty), order.index(other.certainty))]
        return Figure(self.value + other.value, least)


NOTHING = Figure(0, "exact")


@dataclass(frozen=True)
class Cost:
    """What some pieces cost together."""

    rows: Figure = NOTHING
    requests: Figure = NOTHING
    weight: Figure = NOTHING
    bytes: Figure = NOTHING
    disk: Figure = NOTHING
    groups: Mapping[str, int] = field(default_factory=dict[str, int])
    """Requests by group of limits, over REST."""
    files: int = 0
    """Files of the archive."""

    def __add__(self, other: Cost) -> Cost:
        names = {*self.groups, *other.groups}
        return Cost(
            self.rows + other.rows,
            self.requests + other.requests,
            self.weight + other.weight,
            self.bytes + other.bytes,
            self.disk + other.disk,
            {name: self.groups.get(name, 0) + other.groups.get(name, 0) for name in sorted(names)},
            self.files + other.files,
        )


def cost_of(kind: ArchiveKind, pieces: Iterable[Piece], files: Mapping[str, Files], now: int) -> Cost:
    """What pieces of a kind cost.

    Args:
        kind: The kind of data.
        pieces: Pieces of one market, kind and interval.
        files: What the listing shows, by symbol; symbols that it was not asked for are missing.
        now: The present, in milliseconds.
    """
    total = Cost()
    for piece in pieces:
        listed = files.get(piece.series.symbol)
        count = over_rest if piece.source == "rest" else from_archive
        total += count(kind, piece, now, listed)
    return total


def from_archive(kind: ArchiveKind, piece: Piece, now: int, files: Files | None) -> Cost:
    """What a file costs: nothing of the budget, and the bytes that the listing tells or that such rows usually have."""
    rows = _rows(kind, piece, files)
    size = None if files is None else files.size_of(piece)
    taken = Figure(rows.value * len(kind.columns) * _bytes_a_cell(kind), "estimate")
    if size is not None:
        taken = Figure(size, "exact")
    requests = Figure(_FILE_REQUESTS, "exact" if size is not None else "estimate")
    return Cost(rows, requests, NOTHING, taken, Figure(_disk(kind, rows), "estimate"), files=1)


def over_rest(kind: ArchiveKind, piece: Piece, now: int, files: Files | None = None) -> Cost:
    """What a piece costs over REST, all of its endpoints together."""
    rows = _rows(kind, piece, files)
    total = Cost(rows, disk=Figure(_disk(kind, rows), "estimate"))
    for twin in kind.rest:
        total += _of_twin(kind, twin, piece, rows, now)
    return total


def _of_twin(kind: ArchiveKind, twin: RestTwin, piece: Piece, rows: Figure, now: int) -> Cost:
    operation = CATALOGUE[kind.market].operations[twin.operation]
    given = arguments_of(operation, twin, piece)
    certainty: Certainty = "at_most" if rows.certainty == "at_most" else "estimate"
    if row_step(kind, piece.series) is not None:
        walk = plan_walk(operation, given, None, None, now)
        asked = [(count, walk.first_request(size)) for count, size in plan_pages(walk, now)]
    else:
        rest = {name: value for name, value in given.items() if operation.by_wire[name].type != "time"}
        size = cheapest_page(operation, rest)
        asked = [(int(-(-rows.value // size)) + 1, {**rest, paging_of(operation).size: size})]
    requests = sum(count for count, _ in asked)
    weight = sum(count * operation.price(validate(operation, given, now)) for count, given in asked)
    # JSON has the names of fields beside the cells, or quotes around them.
    size_of_rows = rows.value * len(twin.columns) * _JSON_BYTES_A_CELL
    return Cost(
        requests=Figure(requests, certainty),
        weight=Figure(weight, certainty),
        bytes=Figure(size_of_rows, "estimate"),
        groups=dict.fromkeys(operation.groups, requests),
    )


def minutes(cost: Cost, weight_limit: Limit, groups: Mapping[str, Limit], remaining: float | None) -> Figure:
    """How long it takes at least: what of the budget is not at hand comes with the next windows.

    Args:
        cost: What is to be fetched.
        weight_limit: The limit on weight.
        groups: The limits on groups of requests.
        remaining: Weight that is left of the running window; None for all of it.
    """
    usable = weight_limit.limit * (1 - SAFETY_MARGIN)
    at_hand = usable if remaining is None else remaining
    windows = -(-max(0.0, cost.weight.value - at_hand) // usable)
    waits = [windows * weight_limit.seconds]
    for name, count in cost.groups.items():
        limit = groups[name]
        waits.append(-(-max(0.0, count - limit.limit) // limit.limit) * limit.seconds)
    downloads = 0.0
    if cost.files:
        downloads = max(cost.files * _SECONDS_A_FILE / _FILES_AT_ONCE, cost.bytes.value / _BYTES_A_SECOND)
    return Figure(max(*waits, downloads) / 60, "estimate")


def _rows(kind: ArchiveKind, piece: Piece, files: Files | None) -> Figure:
    length = piece.end - piece.start
    if is_dense(kind) and files is not None and (days := files.sizes.get("daily")):
        # Of trades nobody knows how many there are; the files of days tell how many there were.
        size = files.size_of(piece)
        if size is None:
            latest = sorted(days)[-_LATEST_DAYS:]
            size = round(sum(days[day] for day in latest) / len(latest) * length / DAY)
        return Figure(-(-size // round(len(kind.columns) * _BYTES_A_TRADE_CELL)), "estimate")
    count, is_bound = rows_in(kind, piece.series, (piece.start, piece.end))
    return Figure(count, "at_most" if is_bound else "estimate")


def _disk(kind: ArchiveKind, rows: Figure) -> float:
    return len(kind.kept) * (_PARQUET_BYTES_A_COLUMN + round(rows.value * _bytes_a_cell(kind)))


def _bytes_a_cell(kind: ArchiveKind) -> float:
    return _BYTES_A_TRADE_CELL if is_dense(kind) else _BYTES_A_CELL
