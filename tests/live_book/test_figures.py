"""Figures of a live book: they look at as few levels as they need, and come out as from all of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from binance_sdk._runtime.book.levels import Level
from binance_sdk._runtime.book.messages import Snapshot
from binance_sdk._runtime.book.reading import depth, fill
from binance_sdk._runtime.book.state import BookCore
from binance_sdk._runtime.live_book.reading import LastKnownBook
from binance_sdk.errors import ParameterError
from tests.book.rule_sets import SPOT


def book_of(
    bids: int, asks: int, limit: int = 1000, *, counts_contracts: bool = False
) -> tuple[LastKnownBook, BookCore]:
    core = BookCore(SPOT)
    core.begin()
    core.take_snapshot(
        Snapshot(
            1,
            limit,
            [(f"{1000 - n * 0.3:.2f}", f"{1 + n % 7}.5") for n in range(bids)],
            [(f"{1000.5 + n * 0.7:.2f}", f"{1 + n % 5}.25") for n in range(asks)],
        )
    )
    keeper: Any = SimpleNamespace(
        core=core, lock=threading.Lock(), symbol="BTCUSDT", market="spot", counts_contracts=counts_contracts
    )
    return LastKnownBook(lambda: keeper, lambda: 0.0), core


@pytest.mark.parametrize("sides", [(1000, 1000), (1000, 3), (2, 1000), (31, 32), (33, 700), (1, 1), (0, 5), (5, 0)])
@pytest.mark.parametrize("limit", [1000, 5000])
def test_few_levels_give_what_all_of_them_give(sides: tuple[int, int], limit: int) -> None:
    book, core = book_of(*sides, limit)
    bids, asks = core.bids.levels(), core.asks.levels()
    for within in ("0.00001", "0.00025", "0.001", "0.0096", "0.0105", "0.05", "0.1", "0.29", "0.5", "3"):
        assert book.depth(within=within) == depth(bids, asks, within, core.complete_to)
    for size in ("0.1", "20", "77.5", "500", "3000", "1000000"):
        for side in ("buy", "sell"):
            assert book.fill(side, base=size) == fill(bids, asks, side, base=size)
            assert book.fill(side, quote=size) == fill(bids, asks, side, quote=size)


def test_what_the_levels_do_not_fill_has_no_average_price() -> None:
    book, _ = book_of(1000, 1000)
    assert book.vwap("buy", base=1) == Decimal("1000.5")
    assert book.slippage("buy", base=1) == 0
    assert book.vwap("buy", base=10**9) is None
    assert book.slippage("sell", quote=10**12) is None
    assert book.vwap("sell", base=2) == (Decimal("1.5") * 1000 + Decimal("0.5") * Decimal("999.70")) / 2
    empty, _ = book_of(0, 3)
    assert empty.vwap("buy", base=1) is empty.mid is empty.spread is empty.imbalance(within=1) is None


def test_figures_look_at_no_more_levels_than_they_need(monkeypatch: pytest.MonkeyPatch) -> None:
    book, core = book_of(1000, 1000)
    seen: list[Decimal] = []
    walk = type(core.bids).walk

    def counted(side: Any) -> Iterator[Level]:
        for level in walk(side):
            seen.append(level[0])
            yield level

    monkeypatch.setattr(type(core.bids), "walk", counted)
    band = book.depth(within="0.001")
    assert band is not None
    # One more on each side shows that the band is over; the best of both give the middle.
    low, high = (Decimal("1000.25") * factor for factor in (Decimal("0.999"), Decimal("1.001")))
    assert (
        len(seen)
        == sum(low <= bid for bid, _ in core.bids.levels()) + sum(ask <= high for ask, _ in core.asks.levels()) + 2
    )


def test_a_book_of_contracts_wants_their_size() -> None:
    book, core = book_of(100, 100, counts_contracts=True)
    bids, asks = core.bids.levels(), core.asks.levels()
    assert book.depth(within="0.01", contract_size=10) == depth(bids, asks, "0.01", core.complete_to, 10)
    order = fill(bids, asks, "buy", quote=1000, contract_size=10)
    assert order is not None
    assert book.fill("buy", quote=1000, contract_size=10) == order
    assert book.vwap("buy", quote=1000, contract_size=10) == order.vwap
    assert book.slippage("buy", quote=1000, contract_size=10) == order.slippage
    band = depth(bids, asks, "0.01", core.complete_to, 10)
    assert band is not None
    assert book.imbalance(within="0.01") == band.imbalance
    for figure in (book.fill, book.vwap, book.slippage):
        with pytest.raises(ParameterError, match="pass contract_size="):
            figure("buy", base=1)
    with pytest.raises(ParameterError, match="pass contract_size="):
        book.depth(within="0.01")
    other, _ = book_of(3, 3)
    with pytest.raises(ParameterError, match="in the base asset"):
        other.fill("buy", base=1, contract_size=10)
