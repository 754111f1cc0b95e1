"""What live order books tell the hooks of their client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BookReason = Literal[
    "started", "gap", "restarted", "crossed", "malformed", "too_old", "horizon", "connection_lost", "stale", "different"
]
"""Why a live order book needs a snapshot.

``gap``: updates are missing. ``restarted``: several updates in a row are older than the book, so the
ids began anew or one was wrong. ``crossed``: the best bid is not below the best ask. ``malformed``: an update or a
snapshot could not be read. ``too_old``: the snapshot ends before the kept updates begin. ``horizon``: every known level
of a side is gone. ``stale``: no update came for too long. ``different``: a fresh snapshot differed.
"""


@dataclass(frozen=True, slots=True)
class BookLost:
    """A live order book is not the exchange's any more; it is again after a snapshot.

    Attributes:
        market: E.g. ``spot``.
        symbol: Its symbol.
        reason: Why.
        last_id: Update id up to which it was true.
        next_id: First id that came after a gap; None where there was none.
    """

    market: str
    symbol: str
    reason: BookReason
    last_id: int | None
    next_id: int | None

    def __str__(self) -> str:
        until = "" if self.last_id is None else f" after {self.last_id}"
        since = "" if self.next_id is None else f", went on with {self.next_id}"
        return f"{self.market} {self.symbol}: lost{until}{since} ({self.reason})"


@dataclass(frozen=True, slots=True)
class BookResynced:
    """A live order book that was lost is the exchange's again. It may differ in every level from what it was.

    Attributes:
        market: E.g. ``spot``.
        symbol: Its symbol.
        reason: Why it was lost.
        last_id: Update id up to which it was true before.
        next_id: First id that came after a gap; None where there was none.
        update_id: Its update id now.
        seconds: How long it was out.
    """

    market: str
    symbol: str
    reason: BookReason
    last_id: int | None
    next_id: int | None
    update_id: int
    seconds: float

    def __str__(self) -> str:
        return (
            f"{self.market} {self.symbol}: true again at {self.update_id}, out for {self.seconds:.1f} s ({self.reason})"
        )


@dataclass(frozen=True, slots=True)
class BookSnapshotLoaded:
    """The snapshot of a live order book has come, and its turn is over.

    Attributes:
        market: E.g. ``spot``.
        symbol: Its symbol.
        update_id: Of the snapshot.
        waiting: Snapshots whose turn has not come.
        seconds_left: Seconds until the turn of the last of them, if nothing else delays it.
    """

    market: str
    symbol: str
    update_id: int
    waiting: int
    seconds_left: float

    def __str__(self) -> str:
        left = f"; {self.waiting} more within {self.seconds_left:.0f} s" if self.waiting else ""
        return f"{self.market} {self.symbol}: snapshot of {self.update_id}{left}"


@dataclass(frozen=True, slots=True)
class BookSnapshotFailed:
    """The snapshot of a live order book could not be fetched; it is tried again.

    Attributes:
        market: E.g. ``spot``.
        symbol: Its symbol.
        error: Why.
        pause: Seconds before the next attempt, at least.
    """

    market: str
    symbol: str
    error: Exception
    pause: float

    def __str__(self) -> str:
        return f"{self.market} {self.symbol}: no snapshot, again in {self.pause:.2f} s: {self.error}"


@dataclass(frozen=True, slots=True)
class BookVerified:
    """A live order book was compared with a fresh snapshot.

    Attributes:
        market: E.g. ``spot``.
        symbol: Its symbol.
        update_id: At which both were compared.
        differences: Number of levels that differ. If there are any, the book is lost and starts from a snapshot.
    """

    market: str
    symbol: str
    update_id: int
    differences: int

    def __str__(self) -> str:
        found = f"{self.differences} levels differ" if self.differences else "no level differs"
        return f"{self.market} {self.symbol}: compared with a snapshot at {self.update_id}, {found}"


@dataclass(frozen=True, slots=True)
class BookFailed:
    """A live order book has ended, since another attempt would be of no use: perhaps its symbol was delisted.

    Attributes:
        market: E.g. ``spot``.
        symbol: Its symbol.
        error: Why; reading the book raises it.
    """

    market: str
    symbol: str
    error: Exception

    def __str__(self) -> str:
        return f"{self.market} {self.symbol}: ended: {self.error}"
