"""Where prices come from: one path of dollars for each asset, shared by everything that quotes the asset.

Spot and futures of a pair, and the cross of two coins, stay together because they are made of the same paths.
"""

from __future__ import annotations

import numpy as np

from binance_sdk.simulator.market.randomness import Floats, Ints, Walk
from binance_sdk.simulator.market.rules import rules_of
from binance_sdk.simulator.market.symbols import Instrument, asset

MINUTE = 60_000

# Each octave four times slower and twice as large than the one before: what a random walk looks like
# at every zoom. They add up to 0.41, so a price can never reach zero.
_PRICE_OCTAVES = tuple((4**n, 0.0004 * 2**n) for n in range(10))
# A perpetual trades between -0.02 and +0.06 percent of its index.
_BASIS_OCTAVES = ((8, 0.00008), (128, 0.00012), (2048, 0.0002))
_BASIS_MEAN = 0.0002


class Prices:
    """The true price of every instrument at every minute, before trades scatter around it."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._walks: dict[str, Walk] = {}

    def index(self, instrument: Instrument, minutes: Ints) -> Floats:
        """Price of the asset in the quote asset at each of these minutes since the epoch."""
        price = self._dollars(instrument.followed, minutes)
        if instrument.multiplier != 1:
            price = price * instrument.multiplier
        if instrument.quote != "USDT":
            price = price / self._dollars(instrument.quote, minutes)
        return price

    def mid(self, instrument: Instrument, minutes: Ints) -> Floats:
        """The price trades scatter around: the index itself, with the basis added for contracts."""
        price = self.index(instrument, minutes)
        if not rules_of(instrument.market).contracts:
            return price
        return price * (1.0 + self.premium(instrument, minutes))

    def premium(self, instrument: Instrument, minutes: Ints) -> Floats:
        """How far a perpetual is above its index, as a share of it."""
        return _BASIS_MEAN + self._walk(f"basis {instrument.symbol}", _BASIS_OCTAVES).at(minutes)

    def walk(self, name: str, octaves: tuple[tuple[int, float], ...], minutes: Ints) -> Floats:
        """A path of its own for anything else that moves."""
        return self._walk(name, octaves).at(minutes)

    def _dollars(self, name: str, minutes: Ints) -> Floats:
        facts = asset(name)
        if facts.wildness == 0.0:
            return np.full(len(minutes), facts.dollars)
        return facts.dollars * (1.0 + facts.wildness * self._walk(name, _PRICE_OCTAVES).at(minutes))

    def _walk(self, name: str, octaves: tuple[tuple[int, float], ...]) -> Walk:
        if name not in self._walks:
            self._walks[name] = Walk(self._seed, name, octaves)
        return self._walks[name]


def minutes_between(first: int, last: int) -> Ints:
    """All minutes from ``first`` to ``last``, both included."""
    return np.arange(first, last + 1, dtype=np.int64)
