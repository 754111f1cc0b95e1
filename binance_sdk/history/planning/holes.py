"""Bars that a file of the archive lacks, and what to ask REST for them."""

from __future__ import annotations

from collections.abc import Sequence

from binance_sdk._runtime.archive import ArchiveKind
from binance_sdk.history.piece import Piece
from binance_sdk.history.planning.density import bar_step
from binance_sdk.history.planning.pieces import rest_earliest
from binance_sdk.history.planning.spans import DAY, DAY_UNIT, Span, cut

_NEAR = 500
"""Holes with fewer bars between them are asked for together, as one page has them all."""


def fills(kind: ArchiveKind, piece: Piece, times: Sequence[int], now: int) -> list[Piece]:
    """What to ask REST for where bars are missing in a file: the exchange had none then, or the file lacks them.

    Args:
        kind: The kind of data.
        piece: What the file was fetched for.
        times: Open times of its bars in milliseconds, in order.
        now: The present, in milliseconds.
    """
    if not piece.series.interval or not kind.rest:
        # Rows of other kinds do not come at fixed times.
        return []
    step = bar_step(piece.series.interval)
    if step > DAY:
        # Longer bars do not begin with a month.
        return []
    if len(times) >= (piece.end - piece.start) // step:
        return []
    earliest = rest_earliest(kind, now) or 0
    found = [
        Piece(piece.series, start, end, "rest")
        for hole in _together(_missing(piece, times, step), _NEAR * step)
        for start, end in cut(hole, DAY_UNIT)
    ]
    return [fill for fill in found if fill.start >= earliest]


def _missing(piece: Piece, times: Sequence[int], step: int) -> list[Span]:
    holes: list[Span] = []
    due = piece.start
    for time in times:
        if time - due >= step:
            holes.append((due, time))
        due = time + step
    if piece.end - due >= step:
        holes.append((due, piece.end))
    return holes


def _together(holes: Sequence[Span], near: int) -> list[Span]:
    found: list[Span] = []
    for start, end in holes:
        if found and start - found[-1][1] < near:
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return found
