"""The tape: every trade an instrument ever saw, readable from any place.

Trades are the only truth of the simulated market: candles, tickers, averages and the top of the book are
computed from them. A *fill* here is what Binance calls a trade; one taker order makes an *aggregate* of one
or two fills at one price and time, which is what Binance calls an aggregate trade. Both are numbered without
gaps from 0 at the time of listing, and the number of the first one of a minute is plain arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from binance_sdk.simulator.market.prices import MINUTE, Prices, minutes_between
from binance_sdk.simulator.market.randomness import Ints, bits, hashed, key
from binance_sdk.simulator.market.symbols import Instrument

Bools = npt.NDArray[np.bool_]

_LARGEST_ORDER_DOLLARS = 20_000
# Half width of the scatter of single trades around the path.
_SCATTER = 0.00005
_SLOTS = 16
"""Upper bound of aggregates in one minute; a power of two, so slot numbers never collide."""
LIVELY_RATE = 120
"""Mean number of orders that trade in a minute of a lively market: no second without one."""
_LIVELY_SLOTS, _LIVELY_FIRST = 256, 1 << 50
"""The same for a minute of a lively market, and where its slots begin: behind all others."""


@dataclass(frozen=True, slots=True)
class Aggregates:
    """Consecutive aggregate trades as columns. Prices are in ticks, quantities in lots, times in milliseconds."""

    id: Ints
    time: Ints
    price: Ints
    quantity: Ints
    taker_buys: Bools
    retail: Bools
    """A retail price improvement order took part (futures)."""
    first_fill: Ints
    fills: Ints
    first_quantity: Ints
    """Quantity of the first fill; the second, if there is one, has the rest."""

    def __len__(self) -> int:
        return len(self.id)

    def slice(self, start: int, stop: int) -> Aggregates:
        return Aggregates(*(getattr(self, column.name)[start:stop] for column in fields(self)))


@dataclass(frozen=True, slots=True)
class Fills:
    """Consecutive trades as columns, in the units of ``Aggregates``."""

    id: Ints
    time: Ints
    price: Ints
    quantity: Ints
    taker_buys: Bools
    retail: Bools

    def slice(self, start: int, stop: int) -> Fills:
        return Fills(*(getattr(self, column.name)[start:stop] for column in fields(self)))


class Tape:
    """All trades of one instrument between its listing and the time its trading stopped (or for ever)."""

    def __init__(
        self,
        instrument: Instrument,
        prices: Prices,
        seed: int,
        listed_at: int,
        stopped_at: int | None = None,
        *,
        lively_from: int | None = None,
    ) -> None:
        """A tape that begins with the listing.

        Args:
            instrument: Whose trades.
            prices: The path its trades scatter around.
            seed: Chooses the trades.
            listed_at: When trading begins, milliseconds since the epoch, a whole minute.
            stopped_at: When its trading stopped, if it did.
            lively_from: The minute from which on trades come every second: as many coins a minute as before, in more
                and smaller orders. History stays as short as it was. ``None``, and whatever is quiet, is never lively.
        """
        if instrument.rate * 2 > _SLOTS:
            raise ValueError(f"{instrument.symbol}: a rate of {instrument.rate} a minute is above {_SLOTS // 2}")
        self.instrument = instrument
        self.listed_at = listed_at
        self.stopped_at = stopped_at
        self._prices = prices
        # One answer looks at the same few minutes again and again: the present, and the start of its window.
        self._one_minute = lru_cache(maxsize=16)(self._generate)
        self._first_minute = listed_at // MINUTE
        self._lively = None if lively_from is None or instrument.quiet else max(listed_at, lively_from) // MINUTE
        names = (instrument.market, instrument.symbol)
        self._count_key = key(seed, *names, "count")
        self._order_key = key(seed, *names, "order")
        self._size_key = key(seed, *names, "size")
        self._split_key = key(seed, *names, "split")
        # Minutes of a quiet instrument may be empty; of the others, each has a trade.
        self._spread = 1 if instrument.quiet else instrument.rate - 1
        self._ticks = 10.0**instrument.price_decimals
        self._largest = max(10, int(_LARGEST_ORDER_DOLLARS / instrument.dollars * 10**instrument.lot_decimals))

    @cached_property
    def first_time(self) -> int:
        """When the very first trade happened, milliseconds since the epoch."""
        return int(self.numbered(0, 1).time[0])

    def now(self, now: int) -> int:
        """The clock as the instrument sees it: it stands still once trading has stopped."""
        return now if self.stopped_at is None else min(now, self.stopped_at)

    # ------------------------------------------------------------------------------ numbering

    def _starts(self, minutes: Ints) -> Ints:
        """Number of the first aggregate of each minute: the mean rate, blurred by a bounded random amount.

        The blur of one minute never exceeds the rate, so the numbers cannot run backwards, and nothing has to be
        added up to know them.
        """
        age, rate = minutes - self._first_minute, self.instrument.rate
        drawn = bits(hashed(self._count_key, minutes), 0, 20)
        calm = np.where(age <= 0, 0, age * rate + drawn % (self._spread + 1))
        if self._lively is None:
            return calm
        # The first lively minute begins where the calm one would have.
        before = (self._lively - self._first_minute) * rate
        lively = before + (minutes - self._lively) * LIVELY_RATE + drawn % LIVELY_RATE
        return np.where(minutes <= self._lively, calm, lively)

    def _minute_of(self, aggregate: int) -> int:
        guess = self._first_minute + aggregate // self.instrument.rate
        if self._lively is not None and guess > self._lively:
            before = (self._lively - self._first_minute) * self.instrument.rate
            guess = self._lively + (aggregate - before) // LIVELY_RATE
        starts = self._starts(np.arange(guess - 1, guess + 2, dtype=np.int64))
        return guess - 2 + int(np.searchsorted(starts, aggregate, side="right"))

    def first_fill(self, aggregates: Ints) -> Ints:
        """Number of the first fill of each aggregate: of every four aggregates, a random one has two fills."""
        group, place = aggregates >> 2, aggregates & 3
        return group * 5 + place + (place > self._double(group))

    def _double(self, groups: Ints) -> Ints:
        return bits(hashed(self._split_key, groups), 0, 2)

    def aggregate_of(self, fill: int) -> int:
        group, place = divmod(fill, 5)
        double = int(self._double(np.array([group], dtype=np.int64))[0])
        return group * 4 + (place if place <= double else place - 1)

    # --------------------------------------------------------------------------------- reading

    def minutes(self, first: int, stop: int) -> Aggregates:
        """The aggregates of the minutes ``first`` up to, not including, ``stop`` (minutes since the epoch)."""
        return self._one_minute(first, stop) if stop - first == 1 else self._generate(first, stop)

    def _generate(self, first: int, stop: int) -> Aggregates:
        first = max(first, self._first_minute)
        stop = max(stop, first)
        starts = self._starts(np.arange(first, stop + 1, dtype=np.int64))
        counts = np.diff(starts)
        number = np.arange(starts[0], starts[-1], dtype=np.int64)
        row = np.repeat(np.arange(stop - first), counts)
        place = number - starts[row]
        minute = row + first
        slot, largest = minute * _SLOTS + place, np.full(len(place), self._largest, dtype=np.int64)
        if self._lively is not None and stop > self._lively:
            lively = minute >= self._lively
            slot = np.where(lively, _LIVELY_FIRST + minute * _LIVELY_SLOTS + place, slot)
            largest = np.where(lively, max(10, self._largest * self.instrument.rate // LIVELY_RATE), largest)

        order = hashed(self._order_key, slot)
        # The k-th of n aggregates falls into the k-th of n equal parts of the minute: sorted without sorting.
        offset = (((place << 20) + bits(order, 0, 20)) * MINUTE // counts[row]) >> 20
        path = self._prices.mid(self.instrument, minutes_between(first, stop))
        mid = path[row] + (path[row + 1] - path[row]) * (offset * (1.0 / MINUTE))
        scatter = (bits(order, 20, 20) - (1 << 19)) * (_SCATTER / (1 << 19))
        price = np.maximum(np.rint(mid * (1.0 + scatter) * self._ticks).astype(np.int64), 4)

        size = hashed(self._size_key, slot)
        # The product of two uniform numbers: many small orders, few large ones.
        quantity = 2 + ((bits(size, 0, 20) * bits(size, 20, 20) >> 20) * largest >> 20)
        group, in_group = number >> 2, number & 3
        double = self._double(group)
        fills = 1 + (in_group == double)
        split = 1 + ((quantity - 1) * bits(size, 40, 20) >> 20)
        return Aggregates(
            id=number,
            time=minute * MINUTE + offset,
            price=price,
            quantity=quantity,
            taker_buys=bits(order, 40, 1) == 1,
            retail=bits(order, 41, 4) == 0,
            first_fill=group * 5 + in_group + (in_group > double),
            fills=fills,
            first_quantity=np.where(fills == 2, split, quantity),
        )

    def between(self, start: int, end: int) -> Aggregates:
        """The aggregates with ``start <= time <= end``, milliseconds."""
        found = self.minutes(start // MINUTE, end // MINUTE + 1)
        low, high = np.searchsorted(found.time, (start, end + 1))
        return found.slice(int(low), int(high))

    def numbered(self, first: int, stop: int) -> Aggregates:
        """The aggregates with ``first <= id < stop``."""
        first = max(first, 0)
        if stop <= first:
            return self.minutes(self._first_minute, self._first_minute)
        found = self.minutes(self._minute_of(first), self._minute_of(stop - 1) + 1)
        offset = first - int(found.id[0])
        return found.slice(offset, offset + stop - first)

    def count(self, time: int) -> int:
        """How many aggregates have happened up to and including this millisecond."""
        minute = max(time // MINUTE, self._first_minute)
        found = self.minutes(minute, minute + 1)
        if not len(found):
            return int(self._starts(np.array([minute], dtype=np.int64))[0])
        return int(found.id[0]) + int(np.searchsorted(found.time, time, side="right"))

    def fill_count(self, time: int) -> int:
        """How many trades have happened up to and including this millisecond."""
        return int(self.first_fill(np.array([self.count(time)], dtype=np.int64))[0])

    def fills(self, first: int, stop: int) -> Fills:
        """The trades with ``first <= id < stop``."""
        first = max(first, 0)
        if stop <= first:
            return split_fills(self.numbered(0, 0))
        found = split_fills(self.numbered(self.aggregate_of(first), self.aggregate_of(stop - 1) + 1))
        offset = first - int(found.id[0])
        return found.slice(offset, offset + stop - first)

    def last(self, time: int) -> Aggregates:
        """The newest aggregate at this millisecond; the very first one when there is none yet."""
        minute = max(time // MINUTE, self._first_minute)
        found = self.minutes(minute, minute + 1)
        place = int(np.searchsorted(found.time, time, side="right"))
        if place:
            return found.slice(place - 1, place)
        number = max(self.count(time) - 1, 0)
        return self.numbered(number, number + 1)


def split_fills(aggregates: Aggregates) -> Fills:
    """The trades that make up these aggregates."""
    row = np.repeat(np.arange(len(aggregates)), aggregates.fills)
    number = np.arange(len(row), dtype=np.int64)
    if len(row):
        number += aggregates.first_fill[0]
    is_first = number == aggregates.first_fill[row]
    first = aggregates.first_quantity[row]
    return Fills(
        id=number,
        time=aggregates.time[row],
        price=aggregates.price[row],
        quantity=np.where(is_first, first, aggregates.quantity[row] - first),
        taker_buys=aggregates.taker_buys[row],
        retail=aggregates.retail[row],
    )
