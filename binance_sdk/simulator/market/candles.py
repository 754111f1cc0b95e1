"""Candles: the tape folded along a calendar."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from binance_sdk.simulator.market.prices import MINUTE
from binance_sdk.simulator.market.randomness import Ints
from binance_sdk.simulator.market.symbols import Instrument
from binance_sdk.simulator.market.tape import Aggregates, Tape
from binance_sdk.simulator.market.worth import worth_of_orders

SECOND, QUARTER, HOUR, DAY = 1_000, 15 * MINUTE, 60 * MINUTE, 1_440 * MINUTE

# Rows of a table of bars; a bar without trades is not in the table at all.
TIME, OPEN, HIGH, LOW, CLOSE, VOLUME, VALUE, BUY_VOLUME, BUY_VALUE, COUNT = range(10)
_SUMS = slice(VOLUME, COUNT + 1)

# Monday 1970-01-05: weeks start on a Monday, the epoch on a Thursday.
_FIRST_MONDAY = 4 * DAY
_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, "w": 7 * DAY}


@dataclass(frozen=True, slots=True)
class Calendar:
    """When the bars of an interval open. Bars are numbered, so that "the 500 before" is a subtraction."""

    interval: str
    offset: int = 0
    """Milliseconds by which the calendar's time zone is ahead of UTC."""

    @property
    def step(self) -> int:
        """Length of a bar in milliseconds; 0 for months, which have none."""
        return 0 if self.interval == "1M" else int(self.interval[:-1]) * _UNITS[self.interval[-1]]

    @property
    def _origin(self) -> int:
        return (_FIRST_MONDAY if self.interval == "1w" else 0) - self.offset

    def number(self, time: int) -> int:
        """Number of the bar that ``time`` (milliseconds since the epoch) falls into."""
        if self.step:
            return (time - self._origin) // self.step
        return int(np.datetime64(time + self.offset, "ms").astype("datetime64[M]").astype(np.int64))

    def opens(self, first: int, count: int) -> Ints:
        """Open times of ``count`` bars in milliseconds, from bar ``first`` on."""
        numbers = np.arange(first, first + count, dtype=np.int64)
        if self.step:
            return numbers * self.step + self._origin
        return numbers.astype("datetime64[M]").astype("datetime64[ms]").astype(np.int64) - self.offset


def bars_of(trades: Aggregates, instrument: Instrument) -> Ints:
    """Each aggregate as a bar of its own, so that everything folds the same way."""
    value = worth_of_orders(instrument, trades)
    return np.stack(
        (
            trades.time,
            trades.price,
            trades.price,
            trades.price,
            trades.price,
            trades.quantity,
            value,
            trades.quantity * trades.taker_buys,
            value * trades.taker_buys,
            trades.fills,
        )
    )


def _places(times: Ints, wanted: Ints) -> Ints:
    """Where each wanted time stands, or would stand, in ascending times."""
    return np.asarray(np.searchsorted(times, wanted), dtype=np.int64)


def fold(bars: Ints, edges: Ints) -> Ints:
    """Merge bars into longer ones that open at ``edges``; the last edge only closes. Empty ones are left out."""
    places = _places(bars[TIME], edges)
    filled = places[1:] > places[:-1]
    starts, stops = places[:-1][filled], places[1:][filled]
    folded = np.empty((10, len(starts)), dtype=np.int64)
    if not len(starts):
        return folded
    bars = bars[:, : stops[-1]]
    folded[TIME] = edges[:-1][filled]
    folded[OPEN] = bars[OPEN, starts]
    folded[CLOSE] = bars[CLOSE, stops - 1]
    folded[HIGH] = np.maximum.reduceat(bars[HIGH], starts)
    folded[LOW] = np.minimum.reduceat(bars[LOW], starts)
    folded[_SUMS] = np.add.reduceat(bars[_SUMS], starts, axis=1)
    return folded


@dataclass(frozen=True, slots=True)
class BarRange:
    """The bars that are asked for.

    Attributes:
        start: Only bars that open at or after this time.
        end: Only bars that open at or before this time.
        limit: Most bars to return.
        newest: Of a window with more bars the newest come, otherwise the oldest from ``start`` on. Without a start the
            newest always come.
        longest: Milliseconds after ``start`` at which a window without an end is over; 0 for no such bound.
    """

    start: int | None
    end: int | None
    limit: int
    newest: bool = False
    longest: int = 0

    def span(self, calendar: Calendar, first: int, now: int) -> tuple[int, int]:
        """Numbers of the first and the last bar; the first is greater where there are none.

        Args:
            calendar: Interval and time zone.
            first: Number of the first bar there is.
            now: The present, in which the last bar is.
        """
        end = self.end
        if end is None and self.start is not None and self.longest:
            end = self.start + self.longest
        last = calendar.number(now if end is None else min(end, now))
        if self.start is not None:
            begin = calendar.number(self.start)
            first = max(first, begin + (int(calendar.opens(begin, 1)[0]) < self.start))
        if self.start is None or self.newest:
            return max(first, last - self.limit + 1), last
        return first, min(last, first + self.limit - 1)


class Candles:
    """The candles of one tape. Past days are kept at two resolutions, as they never change."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        # 115 kB a day at one minute, 8 kB at a quarter of an hour: enough for paging and for years of daily bars.
        # Long pages of minutes are kept as text instead, see ``rest.kline_cache``.
        self._minutes = lru_cache(maxsize=6)(self._fold_minutes)
        self._quarters = lru_cache(maxsize=512)(self._fold_quarters)

    def _bars_of(self, trades: Aggregates) -> Ints:
        return bars_of(trades, self.tape.instrument)

    def _fold_minutes(self, day: int) -> Ints:
        first = day * 1440
        trades = self.tape.minutes(first, first + 1440)
        return fold(self._bars_of(trades), np.arange(first, first + 1441, dtype=np.int64) * MINUTE)

    def _fold_quarters(self, day: int) -> Ints:
        return fold(self._minutes(day), day * DAY + np.arange(0, DAY + 1, QUARTER, dtype=np.int64))

    def window(self, start: int, end: int, step: int = MINUTE) -> Ints:
        """Bars that together hold exactly the trades with ``start <= time <= end`` (milliseconds).

        Bars are ``step`` long where a whole one fits and single aggregates at the ragged ends; with ``step`` 0
        they are aggregates throughout.
        """
        start = max(start, self.tape.listed_at)
        if end < start:
            return np.empty((10, 0), dtype=np.int64)
        if not step:
            return self._bars_of(self.tape.between(start, end))
        low, high = -(-start // step) * step, (end + 1) // step * step
        if low >= high:
            return self._bars_of(self.tape.between(start, end))
        parts = [self._whole(low, high, step)]
        if start < low:
            parts.insert(0, self._bars_of(self.tape.between(start, low - 1)))
        if high <= end:
            parts.append(self._bars_of(self.tape.between(high, end)))
        return np.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]

    def _whole(self, low: int, high: int, step: int) -> Ints:
        read = self._quarters if step == QUARTER else self._minutes
        days = [read(day) for day in range(low // DAY, (high - 1) // DAY + 1)]
        bars = np.concatenate(days, axis=1) if len(days) > 1 else days[0]
        first, stop = np.searchsorted(bars[TIME], (low, high))
        return bars[:, first:stop]

    def summary(self, start: int, end: int) -> Ints:
        """One bar over ``start <= time <= end`` as a column of ten, or an empty table when nothing traded."""
        edges = np.array([min(start, self.tape.listed_at), end + 1], dtype=np.int64)
        return fold(self.window(start, end), edges)

    def span(self, calendar: Calendar, wanted: BarRange, now: int) -> tuple[int, int]:
        """Numbers of the first and the last bar that ``read`` gives; the first is greater where there are none."""
        return wanted.span(calendar, calendar.number(self.tape.first_time), self.tape.now(now))

    def read(self, calendar: Calendar, wanted: BarRange, now: int) -> tuple[Ints, Ints]:
        """Bars the way the klines endpoint picks them.

        Args:
            calendar: Interval and time zone.
            wanted: Which bars.
            now: The present; the running bar ends here.

        Returns:
            A table of bars, empty ones repeated from the last close, and the open time behind each bar.
        """
        now = self.tape.now(now)
        first, last = self.span(calendar, wanted, now)
        if first > last:
            return np.empty((10, 0), dtype=np.int64), np.empty(0, dtype=np.int64)
        edges = calendar.opens(first, last - first + 2)
        step = 0 if calendar.step == SECOND else QUARTER if not np.any(edges % QUARTER) else MINUTE
        bars = fold(self.window(int(edges[0]), min(int(edges[-1]) - 1, now), step), edges)
        return self._filled(bars, edges), edges[1:]

    def _filled(self, bars: Ints, edges: Ints) -> Ints:
        """Put in the bars without trades: their four prices are the close before them, everything else is 0."""
        wanted = len(edges) - 1
        if bars.shape[1] == wanted:
            return bars
        place = _places(edges, bars[TIME])
        full = np.zeros((10, wanted), dtype=np.int64)
        full[:, place] = bars
        known = np.zeros(wanted, dtype=np.int64)
        known[place] = np.arange(1, len(place) + 1)
        before = int(self.tape.last(int(edges[0]) - 1).price[0])
        closes = np.concatenate(([before], bars[CLOSE]))[np.maximum.accumulate(known)]
        empty = full[COUNT] == 0
        full[OPEN : CLOSE + 1, empty] = closes[empty]
        full[TIME] = edges[:-1]
        return full
