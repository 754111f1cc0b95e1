"""Symbols that come, go and change their status while the program runs: two lists of symbols compared."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from virtuoso_binance.symbols import Listed, Listing

__all__ = ["ListingChange", "ListingChanges", "changes_between"]

_KEPT = 100


@dataclass(frozen=True, slots=True)
class ListingChange:
    """What became of a symbol.

    Args:
        market: ``futures`` or ``spot``.
        symbol: E.g. ``BTCUSDT``.
        change: It is new, it is gone, or its status is another one.
        before: Its status before; empty where it is new.
        after: Its status now; empty where it is gone.
        seen_at: When that was noticed, epoch milliseconds: the list is renewed once an hour, and sooner in doubt.
    """

    market: str
    symbol: str
    change: Literal["listed", "delisted", "status"]
    before: str
    after: str
    seen_at: int


@dataclass
class ListingChanges:
    """The newest changes, and how many there were."""

    newest: deque[ListingChange] = field(default_factory=lambda: deque(maxlen=_KEPT))
    counts: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    """By market and change."""

    def note(self, changes: list[ListingChange]) -> None:
        self.newest.extend(changes)
        for each in changes:
            key = each.market, each.change
            self.counts[key] = self.counts.get(key, 0) + 1


def changes_between(before: Listing, after: Listing, seen_at: int) -> list[ListingChange]:
    """What is another in the second list, sorted by market and symbol.

    A market that is not in both lists at all is left out: not to have asked is no delisting.
    """
    pairs = (("futures", before.usdm, after.usdm), ("spot", before.spot, after.spot))
    return [change for name, old, new in pairs if old and new for change in _changes_of_market(name, old, new, seen_at)]


def _changes_of_market(
    market: str, before: Mapping[str, Listed], after: Mapping[str, Listed], seen_at: int
) -> list[ListingChange]:
    changes: list[ListingChange] = []
    for symbol in sorted(before.keys() | after.keys()):
        old = before[symbol].rules.status if symbol in before else ""
        new = after[symbol].rules.status if symbol in after else ""
        if old != new:
            kind: Literal["listed", "delisted", "status"] = "status" if old and new else "delisted" if old else "listed"
            changes.append(ListingChange(market, symbol, kind, old, new, seen_at))
    return changes
