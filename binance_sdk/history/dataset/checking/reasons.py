"""Why a hole is there, as far as the dataset tells: from its pieces and from what was asked in vain."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from binance_sdk.history.dataset.checking.grid import Grid, RawHole
from binance_sdk.history.dataset.checking.report import Hole
from binance_sdk.history.dataset.record import Absence, HoleReason, PieceRecord

_BEYOND = 1 << 62


class Reasons:
    """The reason of a hole at every moment of a series."""

    def __init__(self, records: Sequence[PieceRecord], absences: Sequence[Absence]) -> None:
        edges = {edge for record in records for edge in (record.piece.start, record.piece.end)}
        edges |= {edge for absence in absences for edge in (absence.start, absence.end)}
        self._edges = sorted(edges)
        by_start = sorted(records, key=lambda record: record.piece.start)
        waiting = sorted(absences, key=lambda absence: absence.start)
        pieces: list[PieceRecord] = []
        asked: list[Absence] = []
        next_piece = next_asked = 0
        self._reasons: list[tuple[HoleReason, str]] = []
        for edge in self._edges:
            pieces = [record for record in pieces if record.piece.end > edge]
            asked = [absence for absence in asked if absence.end > edge]
            while next_piece < len(by_start) and by_start[next_piece].piece.start <= edge:
                pieces.append(by_start[next_piece])
                next_piece += 1
            while next_asked < len(waiting) and waiting[next_asked].start <= edge:
                asked.append(waiting[next_asked])
                next_asked += 1
            self._reasons.append(_reason(pieces, asked))

    def at(self, moment: int) -> tuple[HoleReason, str, int]:
        """Reason and words for a moment, and up to when they hold; both in milliseconds."""
        index = bisect_right(self._edges, moment)
        if not index:
            return "not_fetched", _NOT_FETCHED, self._edges[0] if self._edges else _BEYOND
        until = self._edges[index] if index < len(self._edges) else _BEYOND
        reason, text = self._reasons[index - 1]
        return reason, text, until

    def explain(self, hole: RawHole, grid: Grid | None) -> Iterator[Hole]:
        """A hole with its reason: several where it has several in turn. Without a grid it is one that is not cut."""
        if grid is None:
            yield self._whole(hole)
            return
        start = hole.start
        while start < hole.end:
            reason, text, until = self.at(start)
            # What holds for the moments of the grid counts: an edge between two of them changes nothing.
            end = _on(grid, until, hole.end)
            while end < hole.end and (following := self.at(end))[:2] == (reason, text):
                end = _on(grid, following[2], hole.end)
            yield Hole(start, end, grid.count(start, end), reason, text)
            start = end

    def _whole(self, hole: RawHole) -> Hole:
        """Rows that happened at unknown moments of it: what nobody fetched is the likeliest place."""
        found: dict[HoleReason, str] = {}
        # Both ends are rows that are there, and may be of one moment.
        moment = min(hole.start + 1, max(hole.start, hole.end - 1))
        while True:
            reason, text, moment = self.at(moment)
            found.setdefault(reason, text)
            if moment >= hole.end:
                break
        chosen: HoleReason = next(reason for reason in _LIKELIEST if reason in found)
        return Hole(hole.start, hole.end, hole.missing, chosen, found[chosen])


def _on(grid: Grid, moment: int, end: int) -> int:
    """The first moment of the grid that is not before this one; the end of a hole where that comes first."""
    return end if moment >= end else min(grid.first(moment), end)


def uncovered(records: Sequence[PieceRecord], start: int, end: int) -> Iterator[tuple[int, int]]:
    """Spans between two moments that no piece has.

    Args:
        records: Pieces by start.
        start: First moment, in milliseconds.
        end: First moment after, in milliseconds.
    """
    reached = start
    for record in records:
        if record.piece.start > reached:
            yield reached, record.piece.start
        reached = max(reached, record.piece.end)
    if reached < end:
        yield reached, end


_NOT_FETCHED = "no piece covers it: sync the dataset"

_LIKELIEST: tuple[HoleReason, ...] = ("not_fetched", "file_absent", "out_of_reach", "rows_missing", "exchange_had_none")


def _reason(pieces: Sequence[PieceRecord], asked: Sequence[Absence]) -> tuple[HoleReason, str]:
    if any(record.piece.source == "rest" for record in pieces):
        return "exchange_had_none", "REST was asked for it and had none"
    if asked:
        latest = max(asked, key=lambda absence: absence.noted_at)
        return latest.reason, latest.text
    if pieces:
        names = " and ".join(sorted(record.piece.name for record in pieces))
        return (
            "rows_missing",
            f"{names} has no rows there; whether the exchange had some is not known without asking it",
        )
    return "not_fetched", _NOT_FETCHED
