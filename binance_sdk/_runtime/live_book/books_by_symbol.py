"""Many books as a mapping of symbols, as far as blocking and asynchronous ones are the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from binance_sdk._runtime.live_book.group import BookGroup
from binance_sdk._runtime.live_book.keeper import BookKeeper
from binance_sdk.errors import BinanceError

BookT = TypeVar("BookT", covariant=True)


class BooksBySymbol(Mapping[str, BookT]):
    """The books of a group.

    Args:
        group: Keeps them.
        make: Makes what users hold of the book of a symbol.
    """

    def __init__(self, group: BookGroup, make: Callable[[str], BookT]) -> None:
        self._group = group
        self._make = make
        self._books = {symbol: make(symbol) for symbol in group.symbols}

    def _hold(self, symbols: Iterable[str]) -> None:
        """Hold the books of these symbols too."""
        for symbol in symbols:
            if symbol not in self._books:
                self._books[symbol] = self._make(symbol)

    def _keepers(self) -> list[BookKeeper]:
        return [self._group.keeper(symbol) for symbol in self._books]

    def __getitem__(self, symbol: str) -> BookT:
        return self._books[symbol]

    def __iter__(self) -> Iterator[str]:
        return iter(self._books)

    def __len__(self) -> int:
        return len(self._books)

    @property
    def errors(self) -> dict[str, BinanceError]:
        """Why books have ended, by symbol; the others go on."""
        return self._group.errors

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} books)"
