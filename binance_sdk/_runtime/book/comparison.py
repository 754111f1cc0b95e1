"""A book against a fresh snapshot of the same id: which levels differ, as far as both know the market."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from binance_sdk._runtime.book.levels import Side
from binance_sdk._runtime.book.messages import Snapshot


@dataclass(frozen=True, slots=True)
class Difference:
    """A level that is not the same.

    Attributes:
        side: ``bid`` or ``ask``.
        price: Its price, in the quote asset.
        book: Quantity in the book, in the base asset; 0 where the book has no such level.
        snapshot: Quantity in the snapshot, in the base asset; 0 where it has no such level.
    """

    side: Literal["bid", "ask"]
    price: Decimal
    book: Decimal
    snapshot: Decimal


def compare(bids: Side, asks: Side, snapshot: Snapshot) -> tuple[Difference, ...]:
    """Levels that differ, bids before asks, each the best first; behind either horizon nothing is compared.

    The snapshot must have the book's ``update_id``: of another moment, levels differ by right.

    Raises:
        ValueError: the snapshot's levels are out of order, repeat a price, or are not positive.
    """
    other_bids, other_asks = Side(highest_first=True), Side(highest_first=False)
    other_bids.replace(snapshot.bids, snapshot.limit)
    other_asks.replace(snapshot.asks, snapshot.limit)
    return compare_sides(bids, asks, other_bids, other_asks)


def compare_sides(bids: Side, asks: Side, other_bids: Side, other_asks: Side) -> tuple[Difference, ...]:
    """The same between two books of the same ``update_id``, the second one taken from a snapshot."""
    return (*_differences("bid", bids, other_bids), *_differences("ask", asks, other_asks))


def _differences(name: Literal["bid", "ask"], book: Side, snapshot: Side) -> Iterable[Difference]:
    ours, theirs = dict(book.levels()), dict(snapshot.levels())
    ends = [end for end in (book.complete_to, snapshot.complete_to) if end is not None]
    for price in sorted(ours.keys() | theirs.keys(), reverse=name == "bid"):
        if any(price < end if name == "bid" else price > end for end in ends):
            break
        mine, other = ours.get(price, Decimal(0)), theirs.get(price, Decimal(0))
        if mine != other:
            yield Difference(name, price, mine, other)
