"""The order book as a function of its update id.

The update id counts the milliseconds since the listing, so it grows with time, any two snapshots can be compared,
and the change from one id to the next is a difference of two calls. Where all symbols of a market share the ids, only
every third one belongs to a book. The best levels hug the last trade. Behind them the price axis is cut into cells,
each with at most one level whose quantity is drawn anew at a rhythm of its own, from once in three seconds to once in
seven minutes: so about one level in a hundred changes in a tenth of a second.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from binance_sdk.simulator.market.randomness import Ints, bits, hashed, key
from binance_sdk.simulator.market.rules import rules_of
from binance_sdk.simulator.market.tape import Tape

_CELL = 0.00002
"""Width of a cell as a share of the instrument's usual price: 5000 levels reach about ten percent deep."""
_TICK_MS = 100
_LEVEL_DOLLARS = 60_000
_FASTEST = 5
"""The shortest rhythm is this power of two, in ticks."""


@dataclass(frozen=True, slots=True)
class Side:
    """Levels from the best price on: prices in ticks, quantities in lots."""

    price: Ints
    quantity: Ints


@dataclass(frozen=True, slots=True)
class Snapshot:
    update_id: int
    changed: int
    """When the book last moved, milliseconds since the epoch."""
    bids: Side
    asks: Side


class Book:
    """The book of the instrument behind one tape."""

    def __init__(self, tape: Tape, seed: int) -> None:
        instrument = tape.instrument
        self._tape = tape
        self._ids = rules_of(instrument.market).ids_per_ms
        self._cell = max(1, round(instrument.usual_price * 10**instrument.price_decimals * _CELL))
        self._largest = max(10, int(_LEVEL_DOLLARS / instrument.dollars * 10**instrument.lot_decimals))
        names = (instrument.market, instrument.symbol, "book")
        self._place_key = key(seed, *names, "place")
        self._size_key = key(seed, *names, "size")

    def update_id(self, now: int) -> int:
        return max(self._tape.now(now) - self._tape.listed_at, 1) * self._ids

    def at(self, now: int, levels: int) -> Snapshot:
        """The book at a time in milliseconds, at most so many levels deep."""
        return self.snapshot(self.update_id(now), levels)

    def snapshot(self, update_id: int, levels: int) -> Snapshot:
        """The book after this update, at most so many levels deep."""
        time = self._tape.listed_at + update_id // self._ids
        trade = self._tape.last(time)
        price = int(trade.price[0])
        # Now and then the spread is two ticks; the trade that sets it is also what changes it.
        spread = 1 + (int(trade.quantity[0]) & 7 == 0)
        # A buyer took the best ask, a seller the best bid: so the last price is always one of the two.
        bid, ask = (price - spread, price) if trade.taker_buys[0] else (price, price + spread)
        return Snapshot(
            update_id=update_id,
            changed=max(int(trade.time[0]), time - time % _TICK_MS),
            bids=self._side(bid, levels, time, -1),
            asks=self._side(ask, levels, time, 1),
        )

    def _side(self, best: int, levels: int, time: int, direction: int) -> Side:
        # One cell in eight is empty at any moment: some more are drawn than wanted.
        wanted = levels + levels // 4 + 16
        cells = best // self._cell + direction * np.arange(wanted, dtype=np.int64)
        place = hashed(self._place_key, cells)
        price = cells * self._cell + bits(place, 0, 30) % self._cell
        rhythm = _FASTEST + bits(place, 30, 3)
        # The phase is as long as the slowest rhythm, or all slow levels would change at once.
        generation = (time // _TICK_MS + bits(place, 33, _FASTEST + 7)) >> rhythm
        size = hashed(self._size_key, (generation << 27) ^ cells)
        quantity = 1 + ((bits(size, 0, 20) * bits(size, 20, 20) >> 20) * self._largest >> 20)
        beyond = price > best if direction > 0 else (price < best) & (price > 0)
        shown = beyond & (bits(size, 40, 3) != 0)
        own = hashed(self._size_key, np.array([-(best << 20) - (time // _TICK_MS)], dtype=np.int64))
        first = 1 + (bits(own, 0, 20) * self._largest >> 20)
        return Side(
            price=np.concatenate(([best], price[shown]))[:levels],
            quantity=np.concatenate((first, quantity[shown]))[:levels],
        )
