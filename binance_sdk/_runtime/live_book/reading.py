"""What can be read from a live book, by blocking and by asynchronous code alike. Nothing here waits."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from binance_sdk._runtime.answers.row import Row
from binance_sdk._runtime.book.figures import check_contract_size
from binance_sdk._runtime.book.reading import Depth, Fill, Spread, TakerSide, depth, fill, spread
from binance_sdk._runtime.live_book.keeper import BookKeeper
from binance_sdk.errors import ParameterError, shown
from binance_sdk.events import BookReason


class BookLevel(Row, tuple[str, str]):
    """One price of a book.

    Price and quantity as the exchange wrote them; properties are their exact meaning.
    """

    __slots__ = ()

    _positions = (("price", "decimal"), ("qty", "decimal"))

    @property
    def price(self) -> Decimal:
        """In the quote asset."""
        return Decimal(self[0])

    @property
    def qty(self) -> Decimal:
        """Quantity at this price, in the base asset; in contracts where its book ``counts_contracts``."""
        return Decimal(self[1])


class BookReading:
    """Levels and figures of a book, as exact Decimals that are made when they are looked at.

    Prices are in the quote asset and quantities in the base asset, or in contracts where it ``counts_contracts``.
    Nothing is shown behind ``complete_to``.
    """

    def __init__(self, keeper: Callable[[], BookKeeper], now: Callable[[], float]) -> None:
        self._find = keeper
        self._now = now

    @property
    def _keeper(self) -> BookKeeper:
        return self._find()

    def _readable(self) -> BookKeeper:
        """The keeper, if its levels may be read."""
        return self._find()

    # ------------------------------------------------------------------------------------ its state

    @property
    def symbol(self) -> str:
        """Its symbol."""
        return self._keeper.symbol

    @property
    def market(self) -> str:
        """Its market, e.g. ``spot``."""
        return self._keeper.market

    @property
    def counts_contracts(self) -> bool:
        """Whether its quantities are numbers of contracts, each worth a fixed amount of the quote asset."""
        return self._keeper.counts_contracts

    @property
    def synced(self) -> bool:
        """Whether its levels are the exchange's as of ``update_id``."""
        return self._keeper.synced

    @property
    def reason(self) -> BookReason | None:
        """Why it is not synced; None where it is."""
        return self._keeper.reason

    @property
    def update_id(self) -> int | None:
        """The exchange's id of the newest update in it; None before the first snapshot."""
        return self._keeper.core.update_id

    @property
    def age(self) -> float:
        """Seconds since an update or a snapshot changed it last; infinity before the first snapshot."""
        return self._now() - self._keeper.changed_at

    @property
    def lag_ms(self) -> float:
        """How long its newest message waited between the line and the book, in milliseconds."""
        return self._keeper.lag_ms

    @property
    def resyncs(self) -> int:
        """How often it was lost and became true again."""
        return self._keeper.resyncs

    # --------------------------------------------------------------------------------------- levels

    @property
    def best_bid(self) -> BookLevel | None:
        """The highest bid; None where there is none."""
        return next(iter(self.bids(1)), None)

    @property
    def best_ask(self) -> BookLevel | None:
        """The lowest ask; None where there is none."""
        return next(iter(self.asks(1)), None)

    def bids(self, count: int | None = None) -> list[BookLevel]:
        """Bids, the highest price first.

        Args:
            count: At most so many; None for all that are known.

        Raises:
            ParameterError: ``count`` is no number of levels.
        """
        if type(count) is not int or count < 0:
            _check_count(count)
        keeper = self._readable()
        with keeper.lock:
            return keeper.core.bids.rows(count, BookLevel)

    def asks(self, count: int | None = None) -> list[BookLevel]:
        """Asks, the lowest price first.

        Args:
            count: At most so many; None for all that are known.

        Raises:
            ParameterError: ``count`` is no number of levels.
        """
        if type(count) is not int or count < 0:
            _check_count(count)
        keeper = self._readable()
        with keeper.lock:
            return keeper.core.asks.rows(count, BookLevel)

    @property
    def complete_to(self) -> tuple[Decimal | None, Decimal | None]:
        """Last known price of bids and of asks, in the quote asset; None for a side that is known whole.

        A snapshot of so many levels says nothing about what lies behind its last one, so the book ends there.
        """
        keeper = self._readable()
        with keeper.lock:
            return keeper.core.complete_to

    # -------------------------------------------------------------------------------------- figures

    @property
    def spread(self) -> Spread | None:
        """The best prices against each other, with ``mid``, ``absolute`` and ``bps``; None where a side is empty."""
        keeper = self._readable()
        with keeper.lock:
            return spread(keeper.core.bids.walk(), keeper.core.asks.walk())

    @property
    def mid(self) -> Decimal | None:
        """The middle of the best prices, in the quote asset; None where a side is empty."""
        found = self.spread
        return None if found is None else found.mid

    def depth(self, *, within: Decimal | int | str, contract_size: Decimal | int | str | None = None) -> Depth | None:
        """What lies within a distance from the middle, both edges included.

        Args:
            within: The distance as a fraction of the middle, above 0: ``Decimal("0.001")`` is 0.1 %.
            contract_size: What one contract is worth, in the quote asset (``SymbolRules.contract_size``): needed where
                the book ``counts_contracts``, and None elsewhere.

        Returns:
            Both sides in base and quote asset, and whether the book is known to the edges; None where a side is empty.

        Raises:
            ParameterError: ``within`` is no number above 0, or ``contract_size`` is missing or out of place.
        """
        check_contract_size(contract_size, counts_contracts=self.counts_contracts)
        return self._depth(within, contract_size)

    def _depth(self, within: Decimal | int | str, contract_size: Decimal | int | str | None) -> Depth | None:
        keeper = self._readable()
        with keeper.lock:
            core = keeper.core
            return depth(core.bids.walk(), core.asks.walk(), within, core.complete_to, contract_size)

    def imbalance(self, *, within: Decimal | int | str) -> Decimal | None:
        """Bids less asks within a distance from the middle, as a share of both by quote volume.

        Contracts are the quote volume but for their size, which makes no difference here.

        Args:
            within: The distance as a fraction of the middle, above 0: ``Decimal("0.001")`` is 0.1 %.

        Returns:
            From -1 (asks only) to 1 (bids only); None where a side, or the band, is empty.

        Raises:
            ParameterError: ``within`` is no number above 0.
        """
        found = self._depth(within, 1 if self.counts_contracts else None)
        return None if found is None else found.imbalance

    def fill(
        self,
        side: TakerSide,
        *,
        quote: Decimal | int | str | None = None,
        base: Decimal | int | str | None = None,
        contract_size: Decimal | int | str | None = None,
    ) -> Fill | None:
        """What a market order would get from the book as it stands, fees left out.

        Args:
            side: ``buy`` takes asks, ``sell`` takes bids.
            quote: Size in the quote asset; or
            base: size in the base asset.
            contract_size: What one contract is worth, in the quote asset (``SymbolRules.contract_size``): needed where
                the book ``counts_contracts``, and None elsewhere. So many contracts are
                ``quote=count * contract_size``.

        Returns:
            None where a side is empty; ``complete`` is False where the known levels do not suffice.

        Raises:
            ParameterError: not exactly one size is given, it is no number above 0, ``side`` is neither, or
                ``contract_size`` is missing or out of place.
        """
        check_contract_size(contract_size, counts_contracts=self.counts_contracts)
        keeper = self._readable()
        with keeper.lock:
            bids, asks = keeper.core.bids.walk(), keeper.core.asks.walk()
            return fill(bids, asks, side, quote=quote, base=base, contract_size=contract_size)

    def vwap(
        self,
        side: TakerSide,
        *,
        quote: Decimal | int | str | None = None,
        base: Decimal | int | str | None = None,
        contract_size: Decimal | int | str | None = None,
    ) -> Decimal | None:
        """Average price of a market order in the quote asset; None where the known levels do not fill it.

        Takes and raises what ``fill`` does.
        """
        found = self.fill(side, quote=quote, base=base, contract_size=contract_size)
        return None if found is None or not found.complete else found.vwap

    def slippage(
        self,
        side: TakerSide,
        *,
        quote: Decimal | int | str | None = None,
        base: Decimal | int | str | None = None,
        contract_size: Decimal | int | str | None = None,
    ) -> Decimal | None:
        """Average price of a market order against the best one, as a fraction; None where the levels do not fill it.

        Takes and raises what ``fill`` does.
        """
        found = self.fill(side, quote=quote, base=base, contract_size=contract_size)
        return None if found is None or not found.complete else found.slippage


class LastKnownBook(BookReading):
    """The levels that a book had last, whether they are still the exchange's or not: ``synced`` tells."""


class CheckedReading(BookReading):
    """A book that raises ``BookNotSyncedError`` when levels are read that may not be the exchange's.

    To wait, call ``wait_synced``; to take what there is, read ``last_known``, whose ``synced`` says what it is.
    """

    def _readable(self) -> BookKeeper:
        keeper = self._find()
        if not keeper.synced:
            keeper.check_synced()
        return keeper

    @property
    def last_known(self) -> LastKnownBook:
        """The same book without that check: its ``synced`` says whether the levels are the exchange's."""
        return LastKnownBook(self._find, self._now)


def _check_count(count: object) -> None:
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 0):
        raise ParameterError(f"count={shown(count)} must be an int, 0 or more, or None", parameter="count", value=count)
