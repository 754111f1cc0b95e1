"""What several sources say about one symbol together, kind by kind: pure functions.

Nothing here is a mean. Prices of two venues are two prices: the one in the middle is taken, which somebody really
paid. What is counted is added up: volumes, open interest, amounts in books. A funding rate belongs to the contract of
one venue, and a share of accounts to its accounts: they stand side by side. Each figure names the sources in it, as a
sum over fewer of them is another figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from virtuoso_binance.kinds import (
    Book,
    Funding,
    Interest,
    Price,
    Volume,
    book_of,
    funding_of,
    open_interest_of,
    price_of,
    volume_of,
)
from virtuoso_binance.scalars import Row

__all__ = ["aggregated", "filled", "merged_book", "middle_price", "side_by_side", "total_interest", "total_volume"]

T = TypeVar("T")

_BPS = 10_000
_OLD = 900_000
"""Milliseconds by which open interest may be older than the newest one in a sum."""
_OLD_BOOK = 60_000
"""The same for books and prices."""
_LEVELS = 100

_FILLS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    # flag: keys at the top level, keys of the sentiment
    "funding_success": (("funding",), ("funding_rate",)),
    "lsr_success": (("long_short_ratio",), ("long_short_ratio",)),
    "oi_history_success": (("open_interest", "open_interest_history", "oi_history"), ("open_interest",)),
}
"""What may come from another source than the prices: none of it is compared with prices by readers."""


def aggregated(by_source: Mapping[str, Row]) -> Row:
    """The block ``aggregate``: every kind over the sources that have it, which are of one symbol and market.

    Args:
        by_source: ``market_data`` by source, the preferred one first; at least one.
    """
    prices = {name: price_of(data) for name, data in by_source.items()}
    row: Row = {
        "price": middle_price(_fresh(prices, _OLD_BOOK)),
        "volume": total_volume({name: volume_of(data) for name, data in by_source.items()}),
    }
    books = _fresh(_there(by_source, book_of), _OLD_BOOK)
    if books:
        row["book"] = merged_book(books)
    funding = _there(by_source, funding_of)
    if funding:
        row["funding"] = side_by_side(funding)
    interest = _fresh(_there(by_source, open_interest_of), _OLD)
    if interest:
        row["open_interest"] = total_interest(interest)
    ratios = _there(by_source, lambda data: data["sentiment"].get("long_short_ratio"))
    if ratios:
        row["long_short"] = {
            "by_source": {name: {"long": r["long"], "short": r["short"]} for name, r in ratios.items()}
        }
    return row


def _there(by_source: Mapping[str, Row], read: Callable[[Row], T | None]) -> dict[str, T]:
    return {name: value for name, data in by_source.items() if (value := read(data)) is not None}


Timed = TypeVar("Timed", Price, Book, Interest)


def _fresh(by_source: Mapping[str, Timed], most: int) -> dict[str, Timed]:
    newest = max((value.time for value in by_source.values()), default=0)
    return {name: value for name, value in by_source.items() if newest - value.time <= most}


def middle_price(by_source: Mapping[str, Price]) -> Row:
    """The last price in the middle; of an even number of sources the one of the preferred source of the two.

    Args:
        by_source: The preferred source first; at least one.
    """
    ranked = sorted(by_source, key=lambda name: by_source[name].last)
    half = len(ranked) // 2
    middle = ranked[half - 1 : half + 1] if len(ranked) % 2 == 0 else ranked[half : half + 1]
    chosen = min(middle, key=list(by_source).index)
    low, high = by_source[ranked[0]].last, by_source[ranked[-1]].last
    return {
        "last": by_source[chosen].last,
        "source": chosen,
        "low": low,
        "high": high,
        "range_bps": (high - low) / by_source[chosen].last * _BPS,
        "by_source": {name: price.last for name, price in by_source.items()},
    }


def total_volume(by_source: Mapping[str, Volume]) -> Row:
    """The sum over 24 hours: no trade is on two venues."""
    return {
        "base": sum(volume.base for volume in by_source.values()),
        "quote": sum(volume.quote for volume in by_source.values()),
        "by_source": {name: volume.base for name, volume in by_source.items()},
    }


def merged_book(by_source: Mapping[str, Book]) -> Row:
    """All levels in one ladder, with the amount of each source beside each price.

    A bid of one venue may be above an ask of another: then ``crossed`` is True, which is how the world is, and no
    reader that wants a book of one market may take this for one.
    """
    bids = _ladder({name: book.bids for name, book in by_source.items()}, descending=True)
    asks = _ladder({name: book.asks for name, book in by_source.items()}, descending=False)
    return {
        "bids": bids,
        "asks": asks,
        "crossed": bids[0]["price"] >= asks[0]["price"],
        "timestamp": min(book.time for book in by_source.values()),
        "sources": list(by_source),
    }


def _ladder(sides: Mapping[str, Sequence[Sequence[float]]], *, descending: bool) -> list[Row]:
    levels: dict[float, dict[str, float]] = {}
    for name, side in sides.items():
        for price, amount in side:
            levels.setdefault(price, {})[name] = amount
    # Behind the last price of the shortest book its source knows nothing, so that a level there would not be a sum.
    ends = [side[-1][0] for side in sides.values()]
    end = max(ends) if descending else min(ends)
    prices = sorted((p for p in levels if (p >= end if descending else p <= end)), reverse=descending)
    return [{"price": p, "amount": sum(levels[p].values()), "by_source": levels[p]} for p in prices[:_LEVELS]]


def side_by_side(by_source: Mapping[str, Funding]) -> Row:
    """Each rate with the time it is due: intervals differ between venues, and so does what a rate is paid for."""
    return {
        "by_source": {name: {"rate": found.rate, "next_funding_time": found.due} for name, found in by_source.items()}
    }


def total_interest(by_source: Mapping[str, Interest]) -> Row:
    """The sum in base units: a contract is open on one venue."""
    return {
        "amount": sum(interest.amount for interest in by_source.values()),
        "by_source": {name: interest.amount for name, interest in by_source.items()},
    }


def filled(data: Row, others: Mapping[str, Row]) -> tuple[Row, dict[str, str]]:
    """``market_data`` with what its source lacks, whole, from the first other source that has it.

    Prices, book, trades and candles are never filled in: they are of one market, or they say nothing about each other.

    Returns:
        The data, and the source of each flag that another one filled.
    """
    came_from: dict[str, str] = {}
    out = data
    for flag, (top, inner) in _FILLS.items():
        if data["metadata"].get(flag) is not False:
            continue
        for name, other in others.items():
            if other["metadata"].get(flag):
                out = _with(out, other, flag, top, inner)
                came_from[flag] = name
                break
    return out, came_from


def _with(data: Row, other: Row, flag: str, top: Sequence[str], inner: Sequence[str]) -> Row:
    return {
        **data,
        **{key: other[key] for key in top if key in other},
        "sentiment": {
            **data["sentiment"],
            **{key: other["sentiment"][key] for key in inner if key in other["sentiment"]},
        },
        "metadata": {**data["metadata"], flag: True},
    }
