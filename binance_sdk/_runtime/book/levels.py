"""One side of a book: fast to change, exact to read, and ending where the snapshot ended.

Nearly every change is of a price that is known, in the spelling that is known, so that changing is one ``dict.update``
from text to text. Only a text that is new is read as a number, because a new tick size writes ``"1.10"`` as
``"1.1000"``: spellings of one price share one level. A float tells prices of up to 15 significant digits apart; the
first longer one turns the numbers of its side into Decimals, which tell all apart.

A level that goes keeps its place, with a quantity of 0, until it is the best one or is met in reading: most come back.
So reading changes a side too, and each side is for one thread at a time.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import islice, pairwise, repeat
from math import isfinite
from operator import itemgetter
from typing import Any, TypeAlias, TypeVar

from binance_sdk._runtime.book.messages import LevelText

Level: TypeAlias = tuple[Decimal, Decimal]
"""Price in the quote asset and quantity in the base asset, exact."""
Key: TypeAlias = float | Decimal
T = TypeVar("T")

SAFE_LENGTH = 15
"""A text no longer than this has at most 15 digits, which a float keeps apart from every other such number."""
SPARE = 1000
"""Prices kept that are no levels, beside as many as there are levels: gone ones, and those behind the horizon."""

MOST_REMEMBERED = 64
"""Rows of one reading that are given out again until the next change."""

_PLAIN = b"0123456789."
_NOTHING_READ: tuple[object, int, list[Any]] = (None, 0, [])
_ZERO = "0."
"""A plain number that has nothing but these characters is 0."""
_quantity = itemgetter(1)


class Side:
    """The bids or the asks of one book.

    Args:
        highest_first: True for bids.
    """

    __slots__ = ("_best", "_exact", "_highest_first", "_horizon", "_keys", "_most", "_prices", "_quantities", "_read")

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
        self._read = _NOTHING_READ
        """What rows were made of, how many at most, and the rows that were read since the last change."""

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
        exact = any(_needs_decimal(price) for price, _ in levels)
        keys = [_key(price) if exact else float(price) for price, _ in levels]
        for key, (price, qty) in zip(keys, levels, strict=True):
            if not (isfinite(key) and key > 0 and Decimal(qty).is_finite() and Decimal(qty) > 0):
                raise ValueError(f"level {price!r}, {qty!r} is not positive")
        prices = [price for price, _ in levels]
        if self._highest_first:
            keys.reverse()
            prices.reverse()
        if any(lower >= higher for lower, higher in pairwise(keys)):
            raise ValueError("levels are out of order or repeat a price")
        self._exact = exact
        self._quantities = dict(levels)
        self._keys, self._prices = keys, prices
        self._horizon = levels[-1][0] if levels and len(levels) >= limit else None
        self._read = _NOTHING_READ
        self._most = 2 * len(levels) + SPARE

    def change(self, levels: Sequence[LevelText]) -> None:
        """Set levels to their new quantities; 0 removes, and what lies behind the horizon is passed over.

        Quantities are plain numbers, digits and at most one point, as they are decoded. That they have no other
        characters is seen here as well.

        Raises:
            ValueError: a price is no number, or a text is a negative one. Some of the levels are changed already.
        """
        if odd := "".join(map(_quantity, levels)).encode().translate(None, _PLAIN):
            raise ValueError(f"{odd!r} is in a quantity: a plain number has digits and a point")
        self._read = _NOTHING_READ
        quantities = self._quantities
        known = len(quantities)
        try:
            quantities.update(levels)
            if len(quantities) > known:
                self._take_new(levels, len(quantities) - known)
        except (ValueError, TypeError):
            self._drop_spare()
            raise
        if self._prices and not quantities[self._prices[self._best]].strip(_ZERO):
            self._drop_gone(1)

    def _take_new(self, levels: Sequence[LevelText], count: int) -> None:
        """Read the prices that were not known before. They are the last ones of the dict."""
        quantities = self._quantities
        new = list(islice(reversed(quantities), count))
        if not self._exact and max(map(len, new)) > SAFE_LENGTH and any(map(_needs_decimal, new)):
            self._turn_exact()
        keys, prices, exact = self._keys, self._prices, self._exact
        highest_first, end = self._highest_first, self._horizon_key()
        for text in new:
            key = _key(text) if exact else float(text)
            if not (isfinite(key) and key > 0):
                raise ValueError(f"price {text!r} is not positive")
            at = bisect_left(keys, key)
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
            if (_key(price) if self._exact else float(price)) == key:
                self._quantities.pop(self._prices[at], None)
                self._quantities.pop(text, None)
                self._quantities[price], self._prices[at] = qty, price

    def _drop_gone(self, count: int) -> None:
        """Forget the levels that are gone among the best ones, as far as to show ``count`` of those that are not."""
        keys, prices, quantities = self._keys, self._prices, self._quantities
        shown, at = 0, len(keys) - 1 if self._highest_first else 0
        while shown < count and 0 <= at < len(keys):
            gone = not quantities[prices[at]].strip(_ZERO)
            if gone:
                del quantities[prices.pop(at)], keys[at]
            else:
                shown += 1
            if self._highest_first:
                at -= 1
            elif not gone:
                at += 1

    def _drop_spare(self) -> None:
        """Forget whatever is not a level."""
        quantities = self._quantities
        left = [
            (key, price) for key, price in zip(self._keys, self._prices, strict=True) if quantities[price].strip(_ZERO)
        ]
        self._keys, self._prices = [key for key, _ in left], [price for _, price in left]
        self._quantities = {price: quantities[price] for price in self._prices}
        self._most = 2 * len(left) + SPARE

    def _turn_exact(self) -> None:
        # The order stays: no two prices so far were the same float.
        self._exact = True
        self._keys = [Decimal(price) for price in self._prices]

    def _horizon_key(self) -> Key | None:
        if self._horizon is None:
            return None
        return _key(self._horizon) if self._exact else float(self._horizon)

    # ------------------------------------------------------------------------------------ reading

    def rows(self, count: int | None, make: Callable[[LevelText], T]) -> list[T]:
        """Levels, the best first; at most ``count``. A row is made of price and quantity as they came."""
        made_by, most, rows = self._read
        if count is not None and count <= most and made_by is make:
            return rows[:count]
        size = len(self._keys) if count is None else count
        prices, quantities = self._first(size)
        if not all(map(str.strip, quantities, repeat(_ZERO))):
            self._drop_gone(size)
            prices, quantities = self._first(size)
        found = list(map(make, zip(prices, quantities, strict=True)))
        if size <= MOST_REMEMBERED:
            self._read = (make, size, found.copy())
        return found

    def texts(self, count: int | None = None) -> list[LevelText]:
        """Levels as they came, the best first; at most ``count``."""
        return self.rows(count, _as_it_came)

    def levels(self, count: int | None = None) -> list[Level]:
        """Levels as exact numbers, the best first; at most ``count``."""
        return [(Decimal(price), Decimal(qty)) for price, qty in self.texts(count)]

    def _first(self, count: int) -> tuple[list[str], list[str]]:
        """Prices and quantities, the best first, of levels that are gone as well."""
        prices = self._prices[: -count - 1 : -1] if self._highest_first else self._prices[:count]
        return prices, list(map(self._quantities.__getitem__, prices))


def crossed(bids: Side, asks: Side) -> bool:
    """Whether the best bid is as high as the best ask, or higher."""
    bid, ask = bids.best_key, asks.best_key
    if bid is None or ask is None:
        return False
    if type(bid) is type(ask):
        return bid >= ask
    # One side has floats and the other Decimals: a float is not quite the price that it stands for.
    return Decimal(bids.best_text or 0) >= Decimal(asks.best_text or 0)


def _as_it_came(level: LevelText) -> LevelText:
    return level


def _needs_decimal(price: str) -> bool:
    if len(price) <= SAFE_LENGTH:
        return False
    return (
        len((price.rstrip("0") if "." in price and "e" not in price.lower() else price).replace(".", "")) > SAFE_LENGTH
    )


def _key(price: str) -> Decimal:
    try:
        return Decimal(price)
    except ArithmeticError as error:
        raise ValueError(f"{price!r} is no number") from error
