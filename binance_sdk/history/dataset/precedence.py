"""Which piece has a row that several have: no row is in two files of a dataset, whatever was written when.

Days go before months, as the archive's daily files are the better witnesses, and the archive goes before REST, as its
files have checksums. A row that only one piece has is kept, wherever that stands: REST fills what the archive lacks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from binance_sdk.history.piece import Piece, Remark, Series, Source

if TYPE_CHECKING:
    import polars as pl

DISAGREEING = "disagreeing_rows"
"""Kind of the remark of a piece that goes first, where the other one has something else in the same rows."""

_RANK: dict[Source, int] = {"rest": 0, "archive_monthly": 1, "archive_daily": 2}


def goes_first(piece: Piece, other: Piece) -> bool:
    """Whether a piece has the rows that it shares with another one of its series."""
    return (_RANK[piece.source], piece.start, piece.end) > (_RANK[other.source], other.start, other.end)


def overlap(piece: Piece, other: Piece) -> bool:
    """Whether two pieces of a series have a moment in common."""
    return piece.start < other.end and other.start < piece.end


def covers(piece: Piece, other: Piece) -> bool:
    """Whether a piece has every moment of another one of its series."""
    return piece.start <= other.start and other.end <= piece.end


def shared_months(pieces: Iterable[Piece]) -> list[tuple[Series, str]]:
    """The months of series in which two of these pieces have a moment in common."""
    found: list[tuple[Series, str]] = []
    for month, group in groupby(sorted(set(pieces)), key=lambda piece: (piece.series, piece.month)):
        reached = 0
        for piece in group:
            if piece.start < reached:
                found.append(month)
                break
            reached = max(reached, piece.end)
    return found


@dataclass(frozen=True)
class Settled:
    """The rows of a piece after another one that goes first took its own.

    Attributes:
        frame: The rows that are left.
        superseded: How many are not.
        remark: What the piece that goes first should say about it, if the two disagree.
    """

    frame: pl.DataFrame
    superseded: int
    remark: Remark | None


def settle(piece: Piece, frame: pl.DataFrame, first: pl.DataFrame, key: list[str]) -> Settled:
    """Take from a piece the rows that another one has which goes first.

    Args:
        piece: The piece that goes second.
        frame: Its rows.
        first: The rows of the piece that goes first.
        key: Columns that tell rows apart.
    """
    import polars as pl

    left = frame.join(first, on=key, how="anti", nulls_equal=True, maintain_order="left")
    others = [name for name in frame.columns if name not in key]
    remark = None
    if left.height < frame.height and others:
        same = frame.join(first, on=key, how="inner", nulls_equal=True, suffix=" of the first", maintain_order="left")
        # A cell that one of them leaves blank contradicts nothing.
        differ = [(pl.col(name) != pl.col(f"{name} of the first")).fill_null(False).alias(name) for name in others]
        flags = same.select(differ)
        disagreeing = flags.select(pl.any_horizontal(pl.all())).to_series()
        if disagreeing.any():
            row, count = disagreeing.arg_max() or 0, int(disagreeing.sum())
            example = same.row(row, named=True)
            what = next(name for name, differs in flags.row(row, named=True).items() if differs)
            where = ", ".join(f"{name} {example[name]}" for name in key)
            remark = Remark(
                DISAGREEING,
                count,
                f"{count} rows are not as {piece.name} has them, e.g. at {where}: "
                f"{what} {example[f'{what} of the first']}, there {example[what]}; these are kept",
            )
    return Settled(left, frame.height - left.height, remark)
