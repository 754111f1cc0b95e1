"""One side of a book: fast to change, exact to read, and ending where the snapshot ended.

Levels are kept by number and not by text, because a new tick size writes ``"1.10"`` as ``"1.1000"``. A float tells
prices of up to 15 significant digits apart; the first longer one turns the keys of its side into Decimals, which tell
all apart.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from math import inf, isfinite
from typing import TypeAlias

from binance_sdk._runtime.book.messages import LevelText

Level: TypeAlias = tuple[Decimal, Decimal]
"""Price in the quote asset and quantity in the base asset, exact."""
Key: TypeAlias = float | Decimal

SAFE_LENGTH = 15
"""A text no longer than this has at most 15 digits, which a float keeps apart from every other such number."""


class Side:
    """The bids or the asks of one book.

    Args:
        highest_first: True for bids.
    """

    __slots__ = ("_exact", "_highest_first", "_horizon", "_keys", "_levels")

    def __init__(self, *, highest_first: bool) -> None:
        self._highest_first = highest_first
        self._levels: dict[Key, LevelText] = {}
        self._keys: list[Key] = []
        self._horizon: LevelText | None = None
        self._exact = False

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def complete_to(self) -> Decimal | None:
        """Price of the last level that the snapshot had: nothing is known behind it. None: the whole side is known."""
        return None if self._horizon is None else Decimal(self._horizon[0])

    @property
    def spent(self) -> bool:
        """Whether every level that was known is gone, while there may be others behind the horizon."""
        return not self._keys and self._horizon is not None

    def replace(self, levels: Sequence[LevelText], limit: int) -> None:
        """Take a snapshot's levels, best first, instead of all there were.

        Raises:
            ValueError: they are out of order, repeat a price, or a number in them is none or not positive. The side is
                left as it was.
        """
        exact = any(_needs_decimal(price) for price, _ in levels)
        keys: list[Key] = [_key(price, exact=exact) for price, _ in levels]
        for key, (price, qty) in zip(keys, levels, strict=True):
            if not (isfinite(key) and key > 0 and Decimal(qty).is_finite() and Decimal(qty) > 0):
                raise ValueError(f"level {price!r}, {qty!r} is not positive")
        ascending = keys[::-1] if self._highest_first else keys
        if any(lower >= higher for lower, higher in pairwise(ascending)):
            raise ValueError("levels are out of order or repeat a price")
        self._exact = exact
        self._levels = dict(zip(keys, levels, strict=True))
        self._keys = ascending
        self._horizon = levels[-1] if levels and len(levels) >= limit else None

    def change(self, levels: Iterable[LevelText]) -> None:
        """Set levels to their new quantities; 0 removes, and what lies behind the horizon is passed over.

        Raises:
            ValueError: a text is no number, or a negative one. Levels before it are changed already.
        """
        known, keys = self._levels, self._keys
        horizon = self._horizon_key()
        for level in levels:
            price, qty = level
            if self._exact or len(price) > SAFE_LENGTH:
                if not self._exact and _needs_decimal(price):
                    self._turn_exact()
                    known, keys, horizon = self._levels, self._keys, self._horizon_key()
                key = _key(price, exact=self._exact)
            else:
                key = float(price)
            amount = float(qty)
            # A float takes 1e-400 for 0. Most zeros are nothing but zeros and a point, which is quicker to see.
            if 0 < amount < inf or (not amount and qty.strip("0.") and Decimal(qty)):
                if key not in known:
                    # Not ``0 < key < inf``: some decimal contexts refuse to compare a Decimal with a float.
                    if not (isfinite(key) and key > 0):
                        raise ValueError(f"price {price!r} is not positive")
                    if horizon is not None and (key < horizon if self._highest_first else key > horizon):
                        continue
                    insort(keys, key)
                known[key] = level
            elif amount:
                raise ValueError(f"quantity {qty!r} is not 0 or more")
            elif known.pop(key, None) is not None:
                del keys[bisect_left(keys, key)]

    def texts(self, count: int | None = None) -> Iterator[LevelText]:
        """Levels as they came, the best first; at most ``count``."""
        size = len(self._keys) if count is None else count
        keys = self._keys[max(0, len(self._keys) - size) :][::-1] if self._highest_first else self._keys[:size]
        return map(self._levels.__getitem__, keys)

    def levels(self, count: int | None = None) -> list[Level]:
        """Levels as exact numbers, the best first; at most ``count``."""
        return [(Decimal(price), Decimal(qty)) for price, qty in self.texts(count)]

    @property
    def best_key(self) -> Key | None:
        """Price of the best level, for comparisons only."""
        if not self._keys:
            return None
        return self._keys[-1] if self._highest_first else self._keys[0]

    @property
    def best_text(self) -> str | None:
        """Price of the best level, as it came."""
        best = self.best_key
        return None if best is None else self._levels[best][0]

    def _horizon_key(self) -> Key | None:
        return None if self._horizon is None else _key(self._horizon[0], exact=self._exact)

    def _turn_exact(self) -> None:
        self._exact = True
        self._levels = {Decimal(level[0]): level for level in self._levels.values()}
        self._keys = sorted(self._levels)


def crossed(bids: Side, asks: Side) -> bool:
    """Whether the best bid is as high as the best ask, or higher."""
    bid, ask = bids.best_key, asks.best_key
    if bid is None or ask is None:
        return False
    if type(bid) is type(ask):
        return bid >= ask
    # One side has floats and the other Decimals: a float is not quite the price that it stands for.
    return Decimal(bids.best_text or 0) >= Decimal(asks.best_text or 0)


def _needs_decimal(price: str) -> bool:
    if len(price) <= SAFE_LENGTH:
        return False
    return (
        len((price.rstrip("0") if "." in price and "e" not in price.lower() else price).replace(".", "")) > SAFE_LENGTH
    )


def _key(price: str, *, exact: bool) -> Key:
    if not exact:
        return float(price)
    try:
        return Decimal(price)
    except ArithmeticError as error:
        raise ValueError(f"{price!r} is no number") from error
