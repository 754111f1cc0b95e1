"""What became of pieces: one by one as workers tell it, and of a whole run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from binance_sdk.errors import BinanceError, RunError
from binance_sdk.history.piece import Fetched, Piece, Remark
from binance_sdk.history.planning.pieces import Unreachable

_SHOWN = 3
"""Failures that a message names."""


@dataclass(frozen=True)
class Outcome:
    """What became of one piece.

    Attributes:
        piece: Which.
        rows: Rows that were fetched for it.
        requests: Requests that were sent for it.
        weight: Request weight that they cost.
        bytes: Bytes that came.
        remarks: What its user should know.
        kept: It was there already; nothing was sent.
        instead: The archive has no such file; these pieces are fetched in its place.
        unreachable: What no source has of it.
        error: Why it could not be fetched.
    """

    piece: Piece
    rows: int = 0
    requests: int = 0
    weight: int = 0
    bytes: int = 0
    remarks: tuple[Remark, ...] = ()
    kept: bool = False
    instead: tuple[Piece, ...] = ()
    unreachable: tuple[Unreachable, ...] = ()
    error: BinanceError | None = None

    @classmethod
    def of(cls, piece: Piece, fetched: Fetched, filled: Sequence[Fetched] = ()) -> Outcome:
        """That of a piece that was fetched and written, with what REST gave for the bars that it lacks."""
        every = (fetched, *filled)
        return cls(
            piece,
            sum(one.frame.height for one in every),
            sum(one.origin.requests for one in every),
            sum(one.origin.weight for one in every),
            sum(one.origin.size for one in every),
            fetched.remarks,
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        done: Pieces that are written, or that nothing can be done for.
        pieces: Pieces in all; grows where several take the place of one.
        rows: Rows that were fetched.
        requests: Requests that were sent.
        weight: Request weight that they cost.
        bytes: Bytes that came.
        seconds: Since the run began.
        seconds_left: To the end, if it goes on as it went; None before the first piece.
        piece: The last one.
    """

    done: int
    pieces: int
    rows: int
    requests: int
    weight: int
    bytes: int
    seconds: float
    seconds_left: float | None
    piece: Piece | None


ProgressHook: TypeAlias = Callable[[Progress], None]
"""Called in the process that runs, after each piece."""


@dataclass
class RunReport:
    """What a run did.

    Attributes:
        fetched: Pieces that were fetched and written.
        kept: Pieces that were there already.
        rows: Rows that were fetched.
        requests: Requests that were sent.
        weight: Request weight that they cost.
        bytes: Bytes that came.
        seconds: How long it took.
        remarks: What the user should know, by piece.
        replaced: Pieces whose file the archive turned out not to have, with what was fetched in their place.
        unreachable: What no source has, and why.
        failures: Pieces that could not be fetched, and why.
    """

    fetched: list[Piece] = field(default_factory=list[Piece])
    kept: list[Piece] = field(default_factory=list[Piece])
    rows: int = 0
    requests: int = 0
    weight: int = 0
    bytes: int = 0
    seconds: float = 0.0
    remarks: list[tuple[Piece, Remark]] = field(default_factory=list[tuple[Piece, Remark]])
    replaced: list[tuple[Piece, tuple[Piece, ...]]] = field(default_factory=list[tuple[Piece, tuple[Piece, ...]]])
    unreachable: list[Unreachable] = field(default_factory=list[Unreachable])
    failures: list[tuple[Piece, BinanceError]] = field(default_factory=list[tuple[Piece, BinanceError]])

    def add(self, outcome: Outcome) -> None:
        """Take note of what became of a piece."""
        self.rows += outcome.rows
        self.requests += outcome.requests
        self.weight += outcome.weight
        self.bytes += outcome.bytes
        self.remarks += [(outcome.piece, remark) for remark in outcome.remarks]
        self.unreachable += outcome.unreachable
        if outcome.error is not None:
            self.failures.append((outcome.piece, outcome.error))
        elif outcome.kept:
            self.kept.append(outcome.piece)
        elif outcome.instead or outcome.unreachable:
            self.replaced.append((outcome.piece, outcome.instead))
        else:
            self.fetched.append(outcome.piece)

    @property
    def done(self) -> int:
        """Pieces of which it is known what became of them."""
        return len(self.fetched) + len(self.kept) + len(self.replaced) + len(self.failures)

    def raise_for_failures(self, where: str) -> None:
        """Tell loudly what could not be fetched.

        Raises:
            RunError: there is something.
        """
        if not self.failures:
            return
        failures = {_named(piece): error for piece, error in self.failures}
        named = "; ".join(f"{name}: {error}" for name, error in list(failures.items())[:_SHOWN])
        more = f"; and {len(failures) - _SHOWN} more" if len(failures) > _SHOWN else ""
        text = (
            f"{len(failures)} of {self.done} pieces could not be fetched ({named}{more}); the others are in "
            f"{where}, and the next run fetches what is missing"
        )
        raise RunError(text, failures=failures) from self.failures[0][1]


def _named(piece: Piece) -> str:
    series = piece.series
    return " ".join(part for part in (series.market, series.kind, series.symbol, series.interval, piece.name) if part)
