"""What is read from levels: exact, the same under every decimal context, and frank about what is not known."""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from random import Random
from typing import Any

import pytest

from binance_sdk._runtime.book.comparison import Difference, compare
from binance_sdk._runtime.book.levels import Level, Side
from binance_sdk._runtime.book.messages import Snapshot
from binance_sdk._runtime.book.reading import depth, fill, imbalance, spread
from binance_sdk.errors import ParameterError
from tests.decimal_contexts import HOSTILE

D = Decimal
BIDS: list[Level] = [(D("99"), D("1")), (D("98"), D("2")), (D("95"), D("4"))]
ASKS: list[Level] = [(D("101"), D("3")), (D("102"), D("1")), (D("110"), D("5"))]
WHOLE = (None, None)


def test_the_spread_of_the_best_prices() -> None:
    best = spread(BIDS, ASKS)
    assert best is not None
    assert (best.mid, best.absolute, best.bps) == (D(100), D(2), D(200))
    assert spread([], ASKS) is None
    assert spread(BIDS, []) is None


def test_depth_of_a_band_has_both_edges_in_it() -> None:
    band = depth(BIDS, ASKS, "0.02", WHOLE)
    assert band is not None
    assert (band.bid_base, band.bid_quote, band.ask_base, band.ask_quote) == (D(3), D(295), D(4), D(405))
    assert (band.within, band.complete) == (D("0.02"), True)
    assert band.imbalance == D(-110) / D(700)
    assert depth([], ASKS, "0.02", WHOLE) is None


@pytest.mark.parametrize(
    ("ends", "complete"),
    [((D(98), D(102)), True), ((D("98.1"), None), False), ((None, D("101.9")), False), ((D(90), None), True)],
)
def test_a_band_that_reaches_behind_the_horizon_says_so(
    ends: tuple[Decimal | None, Decimal | None], complete: bool
) -> None:
    band = depth(BIDS, ASKS, "0.02", ends)
    assert band is not None
    assert band.complete is complete


def test_a_band_without_levels_has_no_imbalance() -> None:
    band = depth(BIDS, ASKS, "0.001", WHOLE)
    assert band is not None
    assert band.imbalance is None
    assert imbalance(D(3), D(0)) == 1


def test_a_size_in_base_or_in_quote_is_filled_from_the_best_level_on() -> None:
    buy = fill(BIDS, ASKS, "buy", base=4)
    assert buy is not None
    assert (buy.quote, buy.vwap, buy.best, buy.worst, buy.complete) == (D(405), D("101.25"), D(101), D(102), True)
    assert buy.slippage == D("0.25") / D(101)
    assert buy.cost_bps == D(125)
    sell = fill(BIDS, ASKS, "sell", quote="197")
    assert sell is not None
    assert (sell.base, sell.vwap, sell.complete) == (D(2), D("98.5"), True)
    assert sell.slippage_bps == (D("0.5") / D(99) * 10_000).quantize(sell.slippage_bps)


def test_a_size_that_the_known_levels_do_not_have_is_not_complete() -> None:
    most = fill(BIDS, ASKS, "sell", base=8)
    assert most is not None
    assert (most.base, most.worst, most.complete) == (D(7), D(95), False)
    exact = fill(BIDS, ASKS, "sell", base=7)
    assert exact is not None
    assert exact.complete
    assert fill(BIDS, [], "sell", base=1) is None


def test_what_the_best_level_fills_alone_has_no_slippage() -> None:
    rng = Random(1)
    for _ in range(300):
        price = D(rng.randrange(5_000_000, 12_000_000)) / 100
        for side in ("buy", "sell"):
            found = fill([(price, D(5))], [(price + 1, D(5))], side, quote=10_000)
            assert found is not None
            assert (found.slippage, found.slippage_bps, found.worst) == (0, 0, found.best)


@pytest.mark.parametrize(
    ("side", "size", "name"),
    [
        ("hold", {"base": 1}, "side"),
        ("buy", {}, "quote"),
        ("buy", {"base": 1, "quote": 1}, "quote"),
        ("buy", {"base": 0}, "base"),
        ("sell", {"quote": "-1"}, "quote"),
        ("sell", {"quote": 0.1}, "quote"),
    ],
)
def test_a_wrong_size_is_refused(side: Any, size: dict[str, Any], name: str) -> None:
    with pytest.raises(ParameterError) as caught:
        fill(BIDS, ASKS, side, **size)
    assert caught.value.parameter == name


@pytest.mark.parametrize("within", [0, "0", "x", -1, 0.1])
def test_a_wrong_band_is_refused(within: Any) -> None:
    with pytest.raises(ParameterError, match="within"):
        depth(BIDS, ASKS, within, WHOLE)


@pytest.mark.parametrize("context", HOSTILE.values(), ids=HOSTILE.keys())
def test_figures_are_the_same_under_every_decimal_context(context: Context) -> None:
    bids = [(D("98765.4321987654321"), D("1.23456789012345")), (D("98765.1"), D("3.3"))]
    asks = [(D("98766.4321987654321"), D("2.23456789012345")), (D("98767.7"), D("0.7"))]

    def figures() -> list[object]:
        bought, best = fill(bids, asks, "buy", quote="250000"), spread(bids, asks)
        assert bought is not None
        assert best is not None
        band = depth(bids, asks, "0.0001", WHOLE)
        return [
            bought,
            bought.vwap,
            bought.slippage,
            bought.cost_bps,
            best.mid,
            best.bps,
            band,
            band and band.imbalance,
        ]

    expected = figures()
    with localcontext(context):
        assert figures() == expected


def test_a_comparison_names_each_level_that_differs_within_both_horizons() -> None:
    bids, asks = Side(highest_first=True), Side(highest_first=False)
    bids.replace([("9", "1"), ("8", "1"), ("7", "1")], 3)
    asks.replace([("11", "1"), ("12", "1")], 100)
    fresh = Snapshot(1, 2, [("9", "1.0"), ("8.00", "2")], [("11.5", "1"), ("12", "1")])
    assert compare(bids, asks, fresh) == (
        Difference("bid", D("8"), D(1), D(2)),
        Difference("ask", D("11"), D(1), D(0)),
        Difference("ask", D("11.5"), D(0), D(1)),
    )
    assert (
        compare(bids, asks, Snapshot(1, 5, [("9", "1"), ("8", "1"), ("7", "1"), ("6", "1")], fresh.asks))[0].side
        == "ask"
    )
