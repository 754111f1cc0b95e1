"""The book as Binance's depth streams send it: which levels changed between two moments.

A level may come and go between two events. Whoever took a snapshot in between holds it, so an event names every
level that changed at any time in its span, with the quantity that it has at the end.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from binance_sdk.simulator.market.book import Side
from binance_sdk.simulator.market.decimals import DecimalFormat
from binance_sdk.simulator.market.randomness import Ints
from binance_sdk.simulator.market.simulated_market import SymbolData

_STEP = 100
_EXACT = 30_000
"""Milliseconds that are walked step by step; of a longer leap of the clock only the ends are."""
_KEPT = 256


class _Levels:
    """One side, with everything in ascending order of price."""

    def __init__(self, side: Side, *, bids: bool) -> None:
        step = -1 if bids else 1
        self.prices, self.quantities = side.price[::step], side.quantity[::step]
        # Beyond this price nothing is known.
        self.edge = int(side.price[-1])

    def quantities_at(self, prices: Ints) -> Ints:
        """Quantity at each price, 0 where there is no level."""
        place = np.minimum(np.searchsorted(self.prices, prices), len(self.prices) - 1)
        return np.where(self.prices[place] == prices, self.quantities[place], 0)


@dataclass(frozen=True, slots=True)
class Change:
    """Levels that changed, as prices and quantities, best price first."""

    bids: tuple[Ints, Ints]
    asks: tuple[Ints, Ints]


class BookChanges:
    """The book of one data, walked forward through time."""

    def __init__(self, data: SymbolData, levels: int, start: int) -> None:
        """``levels`` is the depth that is sent; ``start`` the moment from which on changes are known."""
        self._data = data
        self._book = data.book.follow(levels)
        self._begin(start)

    def _begin(self, start: int) -> None:
        self._since = self._time = start
        self._bids, self._asks = self._read(start)
        self._steps: deque[tuple[int, Ints, Ints]] = deque(maxlen=_KEPT)
        none = np.empty(0, dtype=np.int64)
        # Levels that sank below the depth that is sent; their quantity may be out of date when they come back.
        self._sunk = [none, none]

    def _read(self, time: int) -> tuple[_Levels, _Levels]:
        book = self._book.at(time)
        return _Levels(book.bids, bids=True), _Levels(book.asks, bids=False)

    def between(self, previous: int, time: int) -> Change:
        """What changed after ``previous`` and up to ``time``, in milliseconds."""
        if time < self._time or previous < self._since:
            self._begin(previous)
        self._walk(time)
        steps = [step for step in self._steps if step[0] > previous]
        none = np.empty(0, dtype=np.int64)
        bids = np.unique(np.concatenate([none, *(step[1] for step in steps)]))
        asks = np.unique(np.concatenate([none, *(step[2] for step in steps)]))
        return Change(
            bids=(bids[::-1], self._bids.quantities_at(bids)[::-1]),
            asks=(asks, self._asks.quantities_at(asks)),
        )

    def _walk(self, time: int) -> None:
        for moment in self._moments(time):
            bids, asks = self._read(moment)
            self._steps.append((moment, self._turn(0, self._bids, bids), self._turn(1, self._asks, asks)))
            self._time, self._bids, self._asks = moment, bids, asks
        self._time = time

    def _moments(self, time: int) -> list[int]:
        """When the book changes until then: ten times a second, and with every trade."""
        start = self._time
        leap = time - start > _EXACT
        spans = [(start, start + 1_000), (time - 1_000, time)] if leap else [(start, time)]
        moments: set[int] = set()
        for first, last in spans:
            moments.update(range((first // _STEP + 1) * _STEP, last + 1, _STEP))
            moments.update(self._data.tape.between(first + 1, last).time.tolist())
        return sorted(moments)

    def _turn(self, number: int, old: _Levels, new: _Levels) -> Ints:
        """Prices of the levels on one side that differ, down to the depth that is sent."""
        fresh = new.prices[old.quantities_at(new.prices) != new.quantities]
        candidates = np.concatenate((old.prices, self._sunk[number]))
        gone = candidates[new.quantities_at(candidates) == 0]
        told = gone >= new.edge if number == 0 else gone <= new.edge
        sunk = candidates[candidates < new.edge] if number == 0 else candidates[candidates > new.edge]
        self._sunk[number] = np.unique(sunk)
        return np.concatenate((fresh, gone[told]))


def levels(prices: Ints, quantities: Ints, price: DecimalFormat, quantity: DecimalFormat) -> str:
    """Levels as JSON."""
    pairs = zip(prices.tolist(), quantities.tolist(), strict=True)
    return "[" + ",".join([f'["{price.text(level)}","{quantity.text(amount)}"]' for level, amount in pairs]) + "]"
