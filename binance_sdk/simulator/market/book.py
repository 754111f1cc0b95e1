"""The order book as a function of its update id.

The update id counts the milliseconds since the listing, so it grows with time, any two snapshots can be compared,
and the change from one id to the next is a difference of two calls. Where all symbols of a market share the ids, only
every third one belongs to a book. The best levels hug the last trade. Behind them the price axis is cut into cells,
each with at most one level whose quantity is drawn anew at a rhythm of its own, from once in three seconds to once in
seven minutes: so about one level in a hundred changes in a tenth of a second.
"""

from __future__ import annotations

from collections.abc import Callable
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
        return self._snapshot(update_id, levels, self._cells)

    def follow(self, levels: int) -> FollowedBook:
        """The same book, at most so many levels deep, for whoever reads it again and again."""
        return FollowedBook(self, levels)

    def _snapshot(self, update_id: int, levels: int, cells_of: Callable[[int, int], _Cells]) -> Snapshot:
        time = self._tape.listed_at + update_id // self._ids
        trade = self._tape.last(time)
        price = int(trade.price[0])
        # Now and then the spread is two ticks; the trade that sets it is also what changes it.
        spread = 1 + (int(trade.quantity[0]) & 7 == 0)
        # A buyer took the best ask, a seller the best bid: so the last price is always one of the two.
        bid, ask = (price - spread, price) if trade.taker_buys[0] else (price, price + spread)
        reach = _reach(levels)
        cells = cells_of(bid // self._cell - reach + 1, ask // self._cell + reach)
        cells.move_to(time // _TICK_MS)
        return Snapshot(
            update_id=update_id,
            changed=max(int(trade.time[0]), time - time % _TICK_MS),
            bids=cells.side(bid, levels, time // _TICK_MS, -1),
            asks=cells.side(ask, levels, time // _TICK_MS, 1),
        )

    def _cells(self, first: int, stop: int) -> _Cells:
        return _Cells(first, stop, self._cell, self._largest, self._place_key, self._size_key)


class FollowedBook:
    """A book on its way through time: what did not change since the last look is not drawn again.

    For one thread at a time. A look back in time is as right as any, and costs more.
    """

    def __init__(self, book: Book, levels: int) -> None:
        self._book = book
        self._levels = levels
        self._known: _Cells | None = None

    def at(self, now: int) -> Snapshot:
        """The book at a time in milliseconds."""
        book = self._book
        return book._snapshot(book.update_id(now), self._levels, self._cells)

    def _cells(self, first: int, stop: int) -> _Cells:
        known = self._known
        if known is None or first < known.first or stop > known.stop:
            # The price may go this far before cells are placed anew.
            margin = (stop - first) // 8
            known = self._known = self._book._cells(first - margin, stop + margin)
        return known


def _reach(levels: int) -> int:
    """How many cells hold so many levels: one in eight is empty at any moment."""
    return levels + levels // 4 + 16


class _Cells:
    """Consecutive cells, and the level of each at one moment."""

    def __init__(
        self, first: int, stop: int, width: int, largest: int, place_key: np.uint64, size_key: np.uint64
    ) -> None:
        self.first, self.stop = first, stop
        self._width, self._largest, self._size_key = width, largest, size_key
        self._numbers = np.arange(first, stop, dtype=np.int64)
        place = hashed(place_key, self._numbers)
        self._price = self._numbers * width + bits(place, 0, 30) % width
        self._rhythm = _FASTEST + bits(place, 30, 3)
        # The phase is as long as the slowest rhythm, or all slow levels would change at once.
        self._phase = bits(place, 33, _FASTEST + 7)
        self._generation = np.full(stop - first, -1, dtype=np.int64)
        self._quantity = np.zeros(stop - first, dtype=np.int64)
        self._shown = np.zeros(stop - first, dtype=np.bool_)

    def move_to(self, tick: int) -> None:
        """Draw the levels that change at this moment anew."""
        generation = (tick + self._phase) >> self._rhythm
        new = np.flatnonzero(generation != self._generation)
        if len(new):
            size = hashed(self._size_key, (generation[new] << 27) ^ self._numbers[new])
            self._quantity[new] = self._lots((bits(size, 0, 20) * bits(size, 20, 20)) >> 20)
            self._shown[new] = bits(size, 40, 3) != 0
            self._generation = generation

    def side(self, best: int, levels: int, tick: int, direction: int) -> Side:
        """The levels on one side, from the best price on."""
        start, reach = best // self._width - self.first, _reach(levels)
        part = slice(start, start + reach) if direction > 0 else slice(start - reach + 1, start + 1)
        price, quantity = (column[part][::direction] for column in (self._price, self._quantity))
        shown = self._shown[part][::direction]
        beyond = price > best if direction > 0 else (price < best) & (price > 0)
        places = np.flatnonzero(beyond & shown)[: levels - 1]
        own = hashed(self._size_key, np.array([-(best << 20) - tick], dtype=np.int64))
        return Side(
            price=np.concatenate(([best], price[places])),
            quantity=np.concatenate((self._lots(bits(own, 0, 20)), quantity[places])),
        )

    def _lots(self, drawn: Ints) -> Ints:
        """A quantity for each number below 2 ** 20."""
        return 1 + (drawn * self._largest >> 20)
