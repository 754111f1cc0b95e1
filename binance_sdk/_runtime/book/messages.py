"""What goes into a book: snapshots and updates, with prices and quantities as the texts that came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

LevelText: TypeAlias = tuple[str, str]
"""Price in the quote asset and quantity in the base asset, plain numbers as they were written."""

PLAIN_NUMBER = r"^(0|[1-9][0-9]*)(\.[0-9]+)?$"
"""A number of 0 or more, without a sign, an exponent, or a zero that means nothing before its first digit."""
LONGEST_NUMBER = 1000
"""Characters that a plain number may have: more than any exchange writes."""
NOTHING = "0." + "0" * LONGEST_NUMBER
"""A plain number is above 0 where its text sorts behind this one: it has another digit before the zeros end."""


@dataclass(slots=True)
class Update:
    """One event of a diff stream. Each quantity replaces what the level had; 0 removes the level.

    Attributes:
        first_id: First update id in it.
        last_id: Last update id in it.
        previous_id: Last id of the event before it; None on markets that do not send it.
        bids: Changed bids, in any order.
        asks: Changed asks, in any order.
    """

    first_id: int
    last_id: int
    previous_id: int | None
    bids: Sequence[LevelText]
    asks: Sequence[LevelText]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A book as the exchange answered it.

    Attributes:
        last_id: Update id of the last change in it.
        limit: Levels a side that were asked for: a side with as many may have more behind its last one.
        bids: Bids, the highest price first.
        asks: Asks, the lowest price first.
    """

    last_id: int
    limit: int
    bids: Sequence[LevelText]
    asks: Sequence[LevelText]
