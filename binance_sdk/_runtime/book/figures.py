"""The figures of ``reading`` for any book: an answer over REST, an event with the best levels, or a live book."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Protocol, TypeAlias, cast

from binance_sdk._runtime.book import reading
from binance_sdk._runtime.book.levels import Level
from binance_sdk._runtime.book.reading import Depth, Fill, Spread, TakerSide
from binance_sdk.errors import ParameterError, shown


class PricedLevel(Protocol):
    """One price of a book, e.g. ``binance_sdk.spot.PriceLevel``."""

    @property
    def price(self) -> Decimal:
        """In the quote asset."""
        ...

    @property
    def qty(self) -> Decimal:
        """Quantity at this price, in the base asset."""
        ...


class BookAnswer(Protocol):
    """A book of one moment, e.g. an ``OrderBook`` or a ``PartialDepthEvent`` of any market.

    Its levels are taken as they stand. It ends at its last levels: whether there are more behind them, it does not say.
    """

    @property
    def bids(self) -> Sequence[PricedLevel]:
        """The highest price first."""
        ...

    @property
    def asks(self) -> Sequence[PricedLevel]:
        """The lowest price first."""
        ...


class KeptBook(Protocol):
    """A live book, as far as figures need it: it reads both of its sides at one moment."""

    def bids(self, count: int | None = None) -> Sequence[PricedLevel]:
        """The highest price first; at most ``count``."""
        ...

    def asks(self, count: int | None = None) -> Sequence[PricedLevel]:
        """The lowest price first; at most ``count``."""
        ...

    def depth(self, *, within: Decimal | int | str, contract_size: Decimal | int | str | None = None) -> Depth | None:
        """What lies within a fraction of the middle."""
        ...

    def imbalance(self, *, within: Decimal | int | str) -> Decimal | None:
        """Bids less asks within a fraction of the middle, as a share of both."""
        ...

    def fill(
        self,
        side: TakerSide,
        *,
        quote: Decimal | int | str | None = None,
        base: Decimal | int | str | None = None,
        contract_size: Decimal | int | str | None = None,
    ) -> Fill | None:
        """What a market order of a size gets."""
        ...

    @property
    def spread(self) -> Spread | None:
        """Best bid and ask."""
        ...


AnyBook: TypeAlias = BookAnswer | KeptBook


def spread(book: AnyBook) -> Spread | None:
    """Best bid and ask, ``mid`` and ``absolute`` in the quote asset, and ``bps``; None where a side is empty."""
    kept = _kept(book)
    return kept.spread if kept is not None else reading.spread(*_sides(cast("BookAnswer", book)))


def depth(
    book: AnyBook, *, within: Decimal | int | str, contract_size: Decimal | int | str | None = None
) -> Depth | None:
    """What lies within a distance from the middle, both edges included, in base and quote asset.

    Args:
        book: Any book.
        within: The distance as a fraction of the middle, above 0: ``Decimal("0.001")`` is 0.1 %.
        contract_size: What one contract is worth, in the quote asset (``SymbolRules.contract_size``): needed where
            quantities count contracts, and None elsewhere.

    Returns:
        None where a side is empty. ``complete`` is False where the known levels end before an edge.

    Raises:
        ParameterError: ``within`` is no number above 0, or ``contract_size`` is missing or out of place.
    """
    kept = _kept(book)
    if kept is not None:
        return kept.depth(within=within, contract_size=contract_size)
    answer = cast("BookAnswer", book)
    check_contract_size(contract_size, counts_contracts=_counts_contracts(answer))
    return _depth(answer, within, contract_size)


def _depth(answer: BookAnswer, within: Decimal | int | str, contract_size: Decimal | int | str | None) -> Depth | None:
    ends = (answer.bids[-1].price, answer.asks[-1].price) if answer.bids and answer.asks else (None, None)
    return reading.depth(*_sides(answer), within, ends, contract_size)


def imbalance(book: AnyBook, *, within: Decimal | int | str) -> Decimal | None:
    """Bids less asks within a distance from the middle, as a share of both by quote volume.

    Where quantities count contracts, they are the quote volume but for their size, which makes no difference here.

    Args:
        book: Any book.
        within: The distance as a fraction of the middle, above 0: ``Decimal("0.001")`` is 0.1 %.

    Returns:
        From -1 (asks only) to 1 (bids only); None where a side, or the band, is empty.

    Raises:
        ParameterError: ``within`` is no number above 0.
    """
    kept = _kept(book)
    if kept is not None:
        return kept.imbalance(within=within)
    answer = cast("BookAnswer", book)
    found = _depth(answer, within, 1 if _counts_contracts(answer) else None)
    return None if found is None else found.imbalance


def imbalance_of_levels(book: AnyBook, count: int | None = None) -> Decimal | None:
    """Bids less asks over the best levels, as a share of both by quantity.

    Args:
        book: Any book.
        count: Levels of each side that count; None takes as many as both sides have.

    Returns:
        From -1 (asks only) to 1 (bids only); None where a side is empty.

    Raises:
        ParameterError: ``count`` is not a whole number of at least 1.
    """
    if count is not None and (type(count) is not int or count < 1):
        raise ParameterError(
            f"count={shown(count)} must be a whole number of at least 1", parameter="count", value=count
        )
    kept, answer = _kept(book), cast("BookAnswer", book)
    bids, asks = (answer.bids, answer.asks) if kept is None else (kept.bids(count), kept.asks(count))
    if not bids or not asks:
        return None
    most = min(len(bids), len(asks)) if count is None else count
    return reading.imbalance(reading.sums(_levels(bids[:most]))[0], reading.sums(_levels(asks[:most]))[0])


def fill(
    book: AnyBook,
    side: TakerSide,
    *,
    quote: Decimal | int | str | None = None,
    base: Decimal | int | str | None = None,
    contract_size: Decimal | int | str | None = None,
) -> Fill | None:
    """What a market order of a size would get from a book as it stands, fees left out.

    Args:
        book: Any book.
        side: ``buy`` takes asks, ``sell`` takes bids.
        quote: Size in the quote asset; or
        base: size in the base asset.
        contract_size: What one contract is worth, in the quote asset (``SymbolRules.contract_size``): needed where
            quantities count contracts, and None elsewhere. So many contracts are ``quote=count * contract_size``.

    Returns:
        ``vwap`` in the quote asset, ``slippage`` as a fraction and more; None where a side is empty. ``complete`` is
        False where the known levels do not suffice.

    Raises:
        ParameterError: not exactly one size is given, it is no number above 0, ``side`` is neither, or
            ``contract_size`` is missing or out of place.
    """
    kept = _kept(book)
    if kept is not None:
        return kept.fill(side, quote=quote, base=base, contract_size=contract_size)
    answer = cast("BookAnswer", book)
    check_contract_size(contract_size, counts_contracts=_counts_contracts(answer))
    return reading.fill(*_sides(answer), side, quote=quote, base=base, contract_size=contract_size)


def check_contract_size(contract_size: object, *, counts_contracts: bool | None) -> None:
    """Check that it is there where quantities count contracts, and only there.

    Args:
        contract_size: What was passed.
        counts_contracts: Whether they do; None where nobody but the caller knows.

    Raises:
        ParameterError: it is missing, or out of place.
    """
    if counts_contracts and contract_size is None:
        text = (
            "quantities of this book count contracts: pass contract_size=, what one of them is worth in the quote "
            "asset (SymbolRules.contract_size)"
        )
        raise ParameterError(text, parameter="contract_size")
    if counts_contracts is False and contract_size is not None:
        text = f"contract_size={shown(contract_size)}: quantities of this book are in the base asset; leave it out"
        raise ParameterError(text, parameter="contract_size", value=contract_size)


def _counts_contracts(answer: BookAnswer) -> bool | None:
    level = next(iter((*answer.bids[:1], *answer.asks[:1])), None)
    return getattr(type(level), "_counts_contracts", None)


def _kept(book: AnyBook) -> KeptBook | None:
    # Where another thread keeps a book true, only the book itself can read both sides at one moment.
    bids: object = book.bids
    return None if isinstance(bids, Sequence) else cast("KeptBook", book)


def _sides(answer: BookAnswer) -> tuple[Iterator[Level], Iterator[Level]]:
    return _levels(answer.bids), _levels(answer.asks)


def _levels(levels: Sequence[PricedLevel]) -> Iterator[Level]:
    return ((level.price, level.qty) for level in levels)
