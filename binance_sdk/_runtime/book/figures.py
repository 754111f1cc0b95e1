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

    def depth(self, *, within: Decimal | int | str) -> Depth | None:
        """What lies within a fraction of the middle."""
        ...

    def fill(
        self, side: TakerSide, *, quote: Decimal | int | str | None = None, base: Decimal | int | str | None = None
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


def depth(book: AnyBook, *, within: Decimal | int | str) -> Depth | None:
    """What lies within a distance from the middle, both edges included, in base and quote asset.

    Args:
        book: Any book.
        within: The distance as a fraction of the middle, above 0: ``Decimal("0.001")`` is 0.1 %.

    Returns:
        None where a side is empty. ``complete`` is False where the known levels end before an edge.

    Raises:
        ParameterError: ``within`` is no number above 0.
    """
    kept = _kept(book)
    if kept is not None:
        return kept.depth(within=within)
    answer = cast("BookAnswer", book)
    ends = (answer.bids[-1].price, answer.asks[-1].price) if answer.bids and answer.asks else (None, None)
    return reading.depth(*_sides(answer), within, ends)


def imbalance(book: AnyBook, *, within: Decimal | int | str) -> Decimal | None:
    """Bids less asks within a distance from the middle, as a share of both by quote volume.

    Args:
        book: Any book.
        within: The distance as a fraction of the middle, above 0: ``Decimal("0.001")`` is 0.1 %.

    Returns:
        From -1 (asks only) to 1 (bids only); None where a side, or the band, is empty.

    Raises:
        ParameterError: ``within`` is no number above 0.
    """
    found = depth(book, within=within)
    return None if found is None else found.imbalance


def imbalance_of_levels(book: AnyBook, count: int | None = None) -> Decimal | None:
    """Bids less asks over the best levels, as a share of both by base volume.

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
) -> Fill | None:
    """What a market order of a size would get from a book as it stands, fees left out.

    Args:
        book: Any book.
        side: ``buy`` takes asks, ``sell`` takes bids.
        quote: Size in the quote asset; or
        base: size in the base asset.

    Returns:
        ``vwap`` in the quote asset, ``slippage`` as a fraction and more; None where a side is empty. ``complete`` is
        False where the known levels do not suffice.

    Raises:
        ParameterError: not exactly one size is given, it is no number above 0, or ``side`` is neither.
    """
    kept = _kept(book)
    if kept is not None:
        return kept.fill(side, quote=quote, base=base)
    return reading.fill(*_sides(cast("BookAnswer", book)), side, quote=quote, base=base)


def _kept(book: AnyBook) -> KeptBook | None:
    # Where another thread keeps a book true, only the book itself can read both sides at one moment.
    bids: object = book.bids
    return None if isinstance(bids, Sequence) else cast("KeptBook", book)


def _sides(answer: BookAnswer) -> tuple[Iterator[Level], Iterator[Level]]:
    return _levels(answer.bids), _levels(answer.asks)


def _levels(levels: Sequence[PricedLevel]) -> Iterator[Level]:
    return ((level.price, level.qty) for level in levels)
