"""How the updates of a market follow each other, as data: spot and futures differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from binance_sdk._runtime.book.messages import Update


@dataclass(frozen=True, slots=True)
class BookRules:
    """What a book of a market is made of, and which update may follow which.

    Attributes:
        snapshot: Name of the operation that answers a snapshot.
        stream: Name of the stream operation whose events update the book.
        limits: Levels a side that a snapshot can have, ascending.
        default_limit: Levels a side where the caller names none.
        first_id: Key of an event's first update id, on the wire.
        last_id: Key of its last one.
        previous_id: Key of the last id of the event before it. None: an event follows where its first id is at most
            one above the book's id.
        bids: Key of an event's changed bids.
        asks: Key of its changed asks.
        joins_after: How far above a snapshot's id the id lies that the first event must cover: 1 is the next one, 0
            the snapshot's own. Events that end below it are older than the snapshot.
        counts_contracts: Quantities are numbers of contracts; otherwise they are amounts of the base asset.
    """

    snapshot: str
    stream: str
    limits: Sequence[int]
    default_limit: int
    first_id: str
    last_id: str
    previous_id: str | None
    bids: str
    asks: str
    joins_after: int
    counts_contracts: bool = False

    def __post_init__(self) -> None:
        if self.joins_after not in (0, 1):
            raise ValueError(f"joins_after={self.joins_after} must be 0 or 1")
        if self.default_limit not in self.limits:
            raise ValueError(f"default_limit={self.default_limit} is none of {self.limits}")

    def precedes(self, update: Update, snapshot_id: int) -> bool:
        """Whether a snapshot already has all of an update."""
        return update.last_id < snapshot_id + self.joins_after

    def joins(self, update: Update, snapshot_id: int) -> bool:
        """Whether an update may be the first one after a snapshot."""
        if update.first_id <= snapshot_id + self.joins_after <= update.last_id:
            return True
        return self.previous_id is not None and update.previous_id == snapshot_id

    def follows(self, update: Update, last_id: int) -> bool:
        """Whether nothing is missing between ``last_id`` and an update that ends above it."""
        if self.previous_id is None:
            return update.first_id <= last_id + 1
        return update.previous_id == last_id
