"""One side of a book: fast to change, exact to read, and ending where the snapshot ended.

Nearly every change is of a price that is known, in the spelling that is known, so that changing is one ``dict.update``
from text to text. Only a text that is new is read as a number, because a new tick size writes ``"1.10"`` as
``"1.1000"``: spellings of one price share one level. A float tells prices of up to 15 significant digits apart; the
first longer one turns the numbers of its side into Decimals, which tell all apart.

A level that goes keeps its place, with a quantity of 0, until it is the best one or is met in reading: most come back.
So reading changes a side too, and each side is for one thread at a time.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import islice, pairwise
from typing import Any, TypeAlias

from binance_sdk._runtime.book.messages import LONGEST_NUMBER, NOTHING, PLAIN_NUMBER, LevelText
from binance_sdk._runtime.book.row_memory import LevelT, RowMemory
from binance_sdk.errors import shown

Level: TypeAlias = tuple[Decimal, Decimal]
"""Price in the quote asset and quantity in the base asset, exact."""
Key: TypeAlias = float | Decimal

SAFE_LENGTH = 15
"""A text no longer than this has at most 15 digits, which a float keeps apart from every other such number."""
SPARE = 1000
"""Prices kept that are no levels, beside as many as there are levels: gone ones, and those behind the horizon."""

MOST_REMEMBERED = 64
"""Levels of one reading whose rows are given out again where they have not changed."""

_IN_THE_WAY, _MOST_IN_THE_WAY = 3, 8
"""Levels that are looked at beside those that are asked for, since some are gone, or will be after an update."""
_STALE = -1
_NUMBER = PLAIN_NUMBER.strip("^$")
_are_plain = re.compile(f"{_NUMBER}(?: {_NUMBER})*", re.ASCII).fullmatch


class Side:
    """The bids or the asks of one book.

    Args:
        highest_first: True for bids.
    """

    __slots__ = (
        *("_best", "_exact", "_fresh", "_highest_first", "_horizon", "_keys", "_memory", "_most", "_moved", "_prices"),
        "_quantities",
    )

    def __init__(self, *, highest_first: bool) -> None:
        self._highest_first = highest_first
        self._best = -1 if highest_first else 0
        """Where the best level stands in ``_keys`` and ``_prices``."""
        self._quantities: dict[str, str] = {}
        """By price, as they came: of levels, of those that are gone, and of those behind the horizon."""
        self._keys: list[Key] = []
        """Prices of levels, and of those that are gone, as ascending numbers; the best one is not gone."""
        self._prices: list[str] = []
        """The same prices as the texts by which their quantities are found."""
        self._horizon: str | None = None
        self._exact = False
        self._most = SPARE
        self._fresh = _STALE
        """How many levels were asked for since the last change: their rows are as they were."""
        self._moved = False
        """Whether prices came or went since then."""
        self._memory: RowMemory[Any] | None = None

    def __len__(self) -> int:
        return len(self.texts())

    @property
    def complete_to(self) -> Decimal | None:
        """Price of the last level that the snapshot had: nothing is known behind it. None: the whole side is known."""
        return None if self._horizon is None else Decimal(self._horizon)

    @property
    def spent(self) -> bool:
        """Whether every level that was known is gone, while there may be others behind the horizon."""
        return not self._keys and self._horizon is not None

    @property
    def best_key(self) -> Key | None:
        """Price of the best level, for comparisons only."""
        return self._keys[self._best] if self._keys else None

    @property
    def best_text(self) -> str | None:
        """Price of the best level, as it came."""
        return self._prices[self._best] if self._prices else None

    # ------------------------------------------------------------------------------------ changes

    def replace(self, levels: Sequence[LevelText], limit: int) -> None:
        """Take a snapshot's levels, best first, instead of all there were.

        Raises:
            ValueError: they are out of order, repeat a price, or a number in them is none or not positive. The side is
                left as it was.
        """
        prices, quantities = [price for price, _ in levels], [qty for _, qty in levels]
        _check_positive("price", prices)
        _check_positive("quantity", quantities)
        exact = any(len(price) > SAFE_LENGTH and _needs_decimal(price) for price in prices)
        keys: list[Key] = list(map(Decimal if exact else float, prices))
        if self._highest_first:
            keys.reverse()
            prices.reverse()
        if any(lower >= higher for lower, higher in pairwise(keys)):
            raise ValueError("levels are out of order or repeat a price")
        self._exact = exact
        self._quantities = dict(levels)
        self._keys, self._prices, self._moved = keys, prices, True
        self._horizon = levels[-1][0] if levels and len(levels) >= limit else None
        self._fresh = _STALE
        self._most = 2 * len(levels) + SPARE

    def change(self, levels: Sequence[LevelText]) -> None:
        """Set levels to their new quantities; 0 removes, and what lies behind the horizon is passed over.

        Quantities are plain numbers, digits and at most one point: whoever decodes them has seen to it. A price is
        looked at here, when it is a new one.

        Raises:
            ValueError: a price is no positive plain number. Some of the levels are changed already.
        """
        self._fresh = _STALE
        quantities = self._quantities
        known = len(quantities)
        try:
            quantities.update(levels)
            if len(quantities) > known:
                self._take_new(levels, len(quantities) - known)
        except (ValueError, TypeError):
            self._drop_spare()
            raise
        if self._prices and quantities[self._prices[self._best]] <= NOTHING:
            self._drop_gone(1)

    def _take_new(self, levels: Sequence[LevelText], count: int) -> None:
        """Read the prices that were not known before. They are the last ones of the dict."""
        quantities = self._quantities
        new = list(islice(reversed(quantities), count))
        _check_positive("price", new)
        if not self._exact and max(map(len, new)) > SAFE_LENGTH and any(map(_needs_decimal, new)):
            self._turn_exact()
        keys, prices, exact = self._keys, self._prices, self._exact
        highest_first, end = self._highest_first, self._horizon_key()
        for text in new:
            key: Key = Decimal(text) if exact else float(text)
            at = bisect_left(keys, key)
            self._moved = True
            if at < len(keys) and keys[at] == key:
                self._respell(at, key, text, levels)
            elif end is not None and (key < end if highest_first else key > end):
                continue
            else:
                keys.insert(at, key)
                prices.insert(at, text)
        if len(quantities) > self._most:
            self._drop_spare()

    def _respell(self, at: int, key: Key, text: str, levels: Sequence[LevelText]) -> None:
        """Of several spellings of a price the one that came last counts."""
        for price, qty in levels:
            if (Decimal(price) if self._exact else float(price)) == key:
                self._quantities.pop(self._prices[at], None)
                self._quantities.pop(text, None)
                self._quantities[price], self._prices[at] = qty, price

    def _drop_gone(self, count: int) -> None:
        """Forget the levels that are gone among the best ones, as far as to show ``count`` of those that are not."""
        keys, prices, quantities = self._keys, self._prices, self._quantities
        shown, at = 0, len(keys) - 1 if self._highest_first else 0
        while shown < count and 0 <= at < len(keys):
            gone = quantities[prices[at]] <= NOTHING
            if gone:
                self._drop(at)
            else:
                shown += 1
            if self._highest_first:
                at -= 1
            elif not gone:
                at += 1

    def _drop(self, at: int) -> None:
        self._moved = True
        del self._quantities[self._prices.pop(at)], self._keys[at]

    def _drop_spare(self) -> None:
        """Forget whatever is not a level."""
        quantities = self._quantities
        left = [
            (key, price) for key, price in zip(self._keys, self._prices, strict=True) if quantities[price] > NOTHING
        ]
        self._keys, self._prices = [key for key, _ in left], [price for _, price in left]
        self._quantities = {price: quantities[price] for price in self._prices}
        self._moved = True
        self._most = 2 * len(left) + SPARE

    def _turn_exact(self) -> None:
        # The order stays: no two prices so far were the same float.
        self._exact = True
        self._keys = [Decimal(price) for price in self._prices]

    def _horizon_key(self) -> Key | None:
        if self._horizon is None:
            return None
        return Decimal(self._horizon) if self._exact else float(self._horizon)

    # ------------------------------------------------------------------------------------ reading

    def rows(self, count: int | None, make: Callable[[LevelText], LevelT]) -> list[LevelT]:
        """Levels, the best first; at most ``count``. A row is made of price and quantity as they came."""
        if count is None or count > MOST_REMEMBERED:
            return list(map(make, self.texts(count)))
        memory = self._memory
        if memory is None or memory.make is not make:
            memory = self._memory = RowMemory(make)
            self._fresh = _STALE
        if count > self._fresh:
            if count != memory.count or (self._moved and memory.prices != self._best_prices(len(memory.prices))):
                self._fill(memory, count)
            else:
                quantities = memory.find(self._quantities)
                if quantities != memory.quantities:
                    memory.renew(quantities)
                if len(memory.rows) < count:
                    self._fill(memory, count)
            self._fresh, self._moved = count, False
        return memory.rows[:count]

    def _fill(self, memory: RowMemory[LevelT], count: int) -> None:
        size = count + _IN_THE_WAY
        if count == memory.count:
            size = max(size, len(memory.prices))
        while True:
            prices = self._best_prices(size)
            memory.fill(count, prices, self._quantities)
            missing = count - len(memory.rows)
            if missing <= 0 or len(prices) < size:
                return
            size += missing + _IN_THE_WAY
            if size > 2 * count + _MOST_IN_THE_WAY:
                # So many that each reading would be slower for it. The others stay, since most of them come back.
                self._drop_gone(count)
                size = count + _IN_THE_WAY

    def texts(self, count: int | None = None) -> list[LevelText]:
        """Levels as they came, the best first; at most ``count``."""
        size = len(self._keys) if count is None else count
        prices, quantities = self._first(size)
        if not all(map(NOTHING.__lt__, quantities)):
            self._drop_gone(size)
            prices, quantities = self._first(size)
        return list(zip(prices, quantities, strict=True))

    def levels(self, count: int | None = None) -> list[Level]:
        """Levels as exact numbers, the best first; at most ``count``."""
        return list(islice(self.walk(), count))

    def walk(self) -> Iterator[Level]:
        """Levels as exact numbers, the best first, each made when it is asked for; changes nothing."""
        quantities, prices = self._quantities, self._prices
        for price in reversed(prices) if self._highest_first else prices:
            qty = quantities[price]
            if qty > NOTHING:
                yield Decimal(price), Decimal(qty)

    def _first(self, count: int) -> tuple[list[str], list[str]]:
        """Prices and quantities, the best first, of levels that are gone as well."""
        prices = self._best_prices(count)
        return prices, list(map(self._quantities.__getitem__, prices))

    def _best_prices(self, count: int) -> list[str]:
        return self._prices[: -count - 1 : -1] if self._highest_first else self._prices[:count]


def crossed(bids: Side, asks: Side) -> bool:
    """Whether the best bid is as high as the best ask, or higher."""
    bid, ask = bids.best_key, asks.best_key
    if bid is None or ask is None:
        return False
    if type(bid) is type(ask):
        return bid >= ask
    # One side has floats and the other Decimals: a float is not quite the price that it stands for.
    return Decimal(bids.best_text or 0) >= Decimal(asks.best_text or 0)


def check_prices(levels: Sequence[LevelText]) -> None:
    """Check the prices of changes that are not applied yet.

    Raises:
        ValueError: one of them is no positive plain number.
    """
    _check_positive("price", [price for price, _ in levels])


def _check_positive(what: str, texts: Sequence[str]) -> None:
    # All in one go, since most are right. Whoever has a space in him adds to their number.
    together = " ".join(texts)
    if (
        _are_plain(together)
        and together.count(" ") == len(texts) - 1
        and all(map(NOTHING.__lt__, texts))
        and max(map(len, texts)) <= LONGEST_NUMBER
    ):
        return
    for text in texts:
        if " " in text or not (_are_plain(text) and text > NOTHING and len(text) <= LONGEST_NUMBER):
            raise ValueError(f"{what} {shown(text)} is not positive, or no plain number")


def _needs_decimal(price: str) -> bool:
    if len(price) <= SAFE_LENGTH:
        return False
    digits = price.rstrip("0") if "." in price else price
    return len(digits.replace(".", "")) > SAFE_LENGTH
