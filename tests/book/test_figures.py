"""Figures of any book: answers of every market, events with the best levels, and books that are kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from binance_sdk import books, coin_futures, futures, spot
from binance_sdk._runtime.book import reading
from binance_sdk.books import AnyBook, BookReading, Depth, Fill, Spread, TakerSide
from binance_sdk.errors import ParameterError

D = Decimal
LEVELS = {"bids": [["99", "1"], ["98", "2"], ["95", "4"]], "asks": [["101", "3"], ["102", "1"], ["110", "5"]]}
TIMES = {"E": 1_800_000_000_000, "T": 1_800_000_000_000}


class Level(NamedTuple):
    price: Decimal
    qty: Decimal


class Kept:
    """A book that reads itself, and says that it is known whole."""

    def __init__(self) -> None:
        self._bids, self._asks = ([Level(D(price), D(qty)) for price, qty in LEVELS[side]] for side in LEVELS)

    def bids(self, count: int | None = None) -> Sequence[Level]:
        return self._bids[:count]

    def asks(self, count: int | None = None) -> Sequence[Level]:
        return self._asks[:count]

    @property
    def spread(self) -> Spread | None:
        return reading.spread(self._bids, self._asks)

    def depth(self, *, within: Decimal | int | str, contract_size: Decimal | int | str | None = None) -> Depth | None:
        return reading.depth(self._bids, self._asks, within, (None, None), contract_size)

    def imbalance(self, *, within: Decimal | int | str) -> Decimal | None:
        found = self.depth(within=within)
        return None if found is None else found.imbalance

    def fill(
        self,
        side: TakerSide,
        *,
        quote: Decimal | int | str | None = None,
        base: Decimal | int | str | None = None,
        contract_size: Decimal | int | str | None = None,
    ) -> Fill | None:
        return reading.fill(self._bids, self._asks, side, quote=quote, base=base, contract_size=contract_size)


BOOKS: dict[str, AnyBook] = {
    "spot": spot.OrderBook.model_validate_json(json.dumps({"lastUpdateId": 1, **LEVELS})),
    "futures": futures.OrderBook.model_validate_json(json.dumps({"lastUpdateId": 1, **TIMES, **LEVELS})),
    "event": spot.PartialDepthEvent.model_validate_json(json.dumps({"lastUpdateId": 1, **LEVELS})),
    "kept": Kept(),
}
NO_BIDS = spot.OrderBook.model_validate_json(json.dumps({"lastUpdateId": 1, "bids": [], "asks": [["99", "1"]]}))
EMPTY = spot.OrderBook.model_validate_json(json.dumps({"lastUpdateId": 1, "bids": [["99", "1"]], "asks": []}))


@pytest.mark.parametrize("book", BOOKS.values(), ids=BOOKS.keys())
def test_every_book_has_the_same_figures(book: AnyBook) -> None:
    best, band, order = books.spread(book), books.depth(book, within="0.02"), books.fill(book, "buy", base=4)
    assert best is not None
    assert band is not None
    assert order is not None
    assert (best.bid, best.ask, best.mid, best.bps) == (D(99), D(101), D(100), D(200))
    assert (band.bid_base, band.bid_quote, band.ask_base, band.ask_quote) == (D(3), D(295), D(4), D(405))
    assert (band.bps, band.complete) == (D(200), True)
    assert books.imbalance(book, within="0.02") == D(-110) / D(700)
    assert books.imbalance_of_levels(book, 2) == D(3 - 4) / D(7)
    assert books.imbalance_of_levels(book) == D(7 - 9) / D(16)
    assert (order.vwap, order.worst, order.complete) == (D("101.25"), D(102), True)


def test_an_answer_knows_nothing_behind_its_last_levels() -> None:
    for name, book in BOOKS.items():
        near, far = books.depth(book, within="0.05"), books.depth(book, within="0.11")
        assert near is not None
        assert far is not None
        assert near.complete, "its last bid is the edge itself"
        assert far.complete is (name == "kept"), name


@pytest.mark.parametrize("book", [EMPTY, NO_BIDS])
def test_a_book_with_one_side_has_no_figures(book: AnyBook) -> None:
    assert books.spread(book) is None
    assert books.depth(book, within="0.1") is None
    assert books.imbalance(book, within="0.1") is None
    assert books.imbalance_of_levels(book) is None
    assert books.fill(book, "sell", base=1) is None


def test_a_live_book_may_be_passed() -> None:
    """Type checkers look at this one."""

    def passes(book: BookReading) -> AnyBook:
        return book

    assert passes.__annotations__["return"] == "AnyBook"


@pytest.mark.parametrize("count", [0, -1, True, 1.0, "2"])
def test_a_wrong_count_of_levels_is_refused(count: Any) -> None:
    with pytest.raises(ParameterError, match="count="):
        books.imbalance_of_levels(EMPTY, count)


@pytest.mark.parametrize("book", BOOKS.values(), ids=BOOKS.keys())
def test_wrong_arguments_are_refused_for_every_book(book: AnyBook) -> None:
    with pytest.raises(ParameterError, match="within="):
        books.depth(book, within=0)
    with pytest.raises(ParameterError, match="either as quote= or as base="):
        books.fill(book, "buy")
    neither: Any = "hold"
    with pytest.raises(ParameterError, match="side="):
        books.fill(book, neither, base=1)


def contracts() -> coin_futures.OrderBook:
    sides = {"bids": [["40000", "5"], ["32000", "8"]], "asks": [["50000", "2"], ["64000", "10"]]}
    answer = {"lastUpdateId": 1, "symbol": "BTCUSD_PERP", "pair": "BTCUSD", "E": 1, "T": 1, **sides}
    return coin_futures.OrderBook.model_validate_json(json.dumps(answer))


def test_contracts_are_worth_a_fixed_amount_of_the_quote_asset() -> None:
    """100 US dollars each: the less bitcoin, the higher the price."""
    book = contracts()
    band = books.depth(book, within="0.5", contract_size=100)
    assert band is not None
    assert (band.bid_quote, band.ask_quote) == (1300, 1200)
    assert (band.bid_base, band.ask_base) == (D(500) / 40000 + D(800) / 32000, D(200) / 50000 + D(1000) / 64000)
    buy = books.fill(book, "buy", quote=250, contract_size=D(100))
    assert buy is not None
    assert (buy.quote, buy.base) == (250, D(200) / 50000 + D(50) / 64000)
    assert (buy.worst, buy.complete) == (64000, True)
    assert buy.vwap == D(250) / (D(200) / 50000 + D(50) / 64000)
    again = books.fill(book, "buy", base=buy.base, contract_size="100")
    assert again is not None
    assert (again.quote, again.base, again.vwap, again.slippage) == (250, buy.base, buy.vwap, buy.slippage)
    most = books.fill(book, "sell", base=1, contract_size=100)
    assert most is not None
    assert (most.quote, most.base, most.complete) == (1300, band.bid_base, False)


def test_one_level_of_contracts_has_no_slippage() -> None:
    for price in range(30_001, 30_200):
        found = reading.fill([(D(price), D(5))], [(D(price + 1), D(5))], "sell", base="0.0031", contract_size=100)
        assert found is not None
        assert (found.slippage, found.slippage_bps, found.vwap, found.worst) == (0, 0, price, price)


def test_shares_of_contracts_need_no_contract_size() -> None:
    book = contracts()
    band = books.depth(book, within="0.5", contract_size=100)
    assert band is not None
    assert books.imbalance(book, within="0.5") == band.imbalance == D(100) / D(2500)
    assert books.imbalance_of_levels(book, 1) == D(3) / D(7)


def test_contracts_without_their_size_are_refused_and_the_other_way_round() -> None:
    calls: list[Callable[[AnyBook, Any], object]] = [
        lambda book, size: books.depth(book, within="0.5", contract_size=size),
        lambda book, size: books.fill(book, "buy", base=1, contract_size=size),
    ]
    for call in calls:
        with pytest.raises(ParameterError, match=r"count contracts: pass contract_size=.*SymbolRules") as caught:
            call(contracts(), None)
        assert caught.value.parameter == "contract_size"
        with pytest.raises(ParameterError, match="contract_size=100: quantities of this book are in the base asset"):
            call(BOOKS["spot"], 100)
        for wrong in (0, -1, 0.1, "x"):
            with pytest.raises(ParameterError, match="contract_size="):
                call(contracts(), wrong)
        assert call(BOOKS["spot"], None) is not None
