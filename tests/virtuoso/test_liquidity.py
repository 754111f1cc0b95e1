"""Liquidity figures: worked examples by hand, and laws that hold for every book."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binance_sdk import futures
from binance_sdk.catalogue import CATALOGUE, fixture
from binance_sdk.errors import DecodeError, ParameterError
from virtuoso_binance.liquidity import (
    Side,
    Turnover,
    candle_turnover,
    depth_within,
    imbalance,
    liquidity_row,
    slippage,
    spread,
    turnover,
)

D = Decimal
SIDES: tuple[Side, Side] = ("buy", "sell")


def book(bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> futures.OrderBook:
    answer = {"lastUpdateId": 1, "E": 1_800_000_000_000, "T": 1_800_000_000_000, "bids": bids, "asks": asks}
    return futures.OrderBook.model_validate_json(json.dumps(answer))


WORKED = book([("99", "1"), ("98", "2"), ("90", "10")], [("101", "1"), ("102", "3"), ("110", "5")])


@st.composite
def books(draw: st.DrawFn) -> futures.OrderBook:
    """Books in order and not crossed, with ticks of a cent."""
    steps = st.lists(st.tuples(st.integers(1, 500), st.integers(1, 10**6)), min_size=1, max_size=12)
    middle = draw(st.integers(10_000, 10**8))

    def side(sign: int) -> list[tuple[str, str]]:
        price, rows = middle, list[tuple[str, str]]()
        for step, qty in draw(steps):
            price += sign * step
            rows.append((str(D(price) / 100), str(D(qty) / 1000)))
        return rows

    return book(side(-1), side(1))


def test_spread_of_a_worked_book() -> None:
    found = spread(WORKED)
    assert found is not None
    assert (found.bid, found.ask, found.mid, found.absolute, found.bps) == (D(99), D(101), D(100), D(2), D(200))


def test_depth_of_a_worked_book_and_whether_it_is_whole() -> None:
    near = depth_within(WORKED, 200)
    assert near is not None
    # The edges at 98 and 102 belong to the band, and the levels at 90 and 110 show that nothing is missing in it.
    assert (near.bid_base, near.bid_quote, near.ask_base, near.ask_quote) == (D(3), D(295), D(4), D(407))
    assert near.complete
    assert near.imbalance == (D(295) - 407) / (295 + 407)
    far = depth_within(WORKED, 1000)
    assert far is not None
    assert (far.bid_base, far.ask_base, far.complete) == (D(13), D(9), True)
    beyond = depth_within(WORKED, 1001)
    assert beyond is not None
    assert (beyond.bid_base, beyond.ask_base, beyond.complete) == (D(13), D(9), False)


def test_an_empty_band_has_no_imbalance() -> None:
    found = depth_within(WORKED, 1)
    assert found is not None
    assert found.imbalance is None
    assert (found.bid_base, found.ask_base, found.complete) == (D(0), D(0), True)


def test_imbalance_compares_as_many_levels_of_both_sides() -> None:
    assert imbalance(WORKED, 1) == 0
    assert imbalance(WORKED, 2) == (D(3) - 4) / 7
    longer = book([("99", "1"), ("98", "1000")], [("101", "1")])
    assert imbalance(longer) == 0


@pytest.mark.parametrize(
    ("side", "base", "quote", "average", "worst"),
    [
        ("buy", "1", "101", "101", "101"),
        ("buy", "3", "305", "101.6666666666666666666666667", "102"),
        ("sell", "2", "197", "98.5", "98"),
    ],
)
def test_fills_of_a_worked_book(side: Side, base: str, quote: str, average: str, worst: str) -> None:
    for found in (slippage(WORKED, side, base=D(base)), slippage(WORKED, side, quote=D(quote))):
        assert found is not None
        assert found.complete
        assert (found.base, found.quote, found.worst) == (D(base), D(quote), D(worst))
        assert found.vwap == D(average)


def test_the_best_level_alone_slips_by_nothing_and_costs_half_the_spread() -> None:
    for side in SIDES:
        found = slippage(WORKED, side, base=1)
        assert found is not None
        assert (found.slippage_bps, found.cost_bps) == (D(0), D(100))


def test_a_book_that_is_too_short_says_so() -> None:
    found = slippage(WORKED, "buy", base=100)
    assert found is not None
    assert not found.complete
    assert (found.base, found.worst) == (D(9), D(110))


def test_one_side_alone_is_no_market() -> None:
    half = book([("99", "1")], [])
    found = (spread(half), imbalance(half), depth_within(half, 10), slippage(half, "sell", base=1))
    assert found == (None, None, None, None)
    assert liquidity_row(half, None) == {}


@pytest.mark.parametrize(
    "sizes", [{}, {"base": 1, "quote": 1}, {"base": 0}, {"quote": -1}], ids=["none", "both", "zero", "negative"]
)
def test_the_size_is_one_positive_number(sizes: dict[str, int]) -> None:
    with pytest.raises(ParameterError):
        slippage(WORKED, "buy", **sizes)


def test_bands_and_levels_are_positive() -> None:
    with pytest.raises(ParameterError, match="bps=0 must be positive"):
        depth_within(WORKED, 0)
    with pytest.raises(ParameterError, match="levels=0"):
        imbalance(WORKED, 0)


@given(books(), st.integers(1, 20_000), st.integers(1, 20_000))
def test_depth_grows_with_the_band_and_never_exceeds_the_book(one: futures.OrderBook, a: int, b: int) -> None:
    narrow, wide = depth_within(one, min(a, b)), depth_within(one, max(a, b))
    assert narrow is not None
    assert wide is not None
    assert narrow.bid_base <= wide.bid_base <= sum(level.qty for level in one.bids)
    assert narrow.ask_quote <= wide.ask_quote <= sum(level.price * level.qty for level in one.asks)
    assert narrow.complete or not wide.complete
    if wide.imbalance is not None:
        assert -1 <= wide.imbalance <= 1


@given(books(), st.sampled_from(SIDES), st.integers(1, 10**7), st.integers(1, 10**7))
def test_larger_orders_never_get_better_prices(one: futures.OrderBook, side: Side, a: int, b: int) -> None:
    small, large = (slippage(one, side, base=D(size) / 1000) for size in (min(a, b), max(a, b)))
    assert small is not None
    assert large is not None
    assert 0 <= small.slippage_bps <= large.slippage_bps
    assert small.cost_bps >= small.slippage_bps
    assert small.base <= large.base
    levels = one.asks if side == "buy" else one.bids
    assert large.complete == (D(max(a, b)) / 1000 <= sum(level.qty for level in levels))


@given(books(), st.sampled_from(SIDES), st.integers(1, 10**9))
def test_an_order_is_the_same_by_base_and_by_quote(one: futures.OrderBook, side: Side, size: int) -> None:
    by_base = slippage(one, side, base=D(size) / 1000)
    assert by_base is not None
    by_quote = slippage(one, side, quote=by_base.quote)
    assert by_quote is not None
    assert by_quote.quote == by_base.quote
    assert abs(by_quote.base - by_base.base) <= D("1e-20") * by_base.base


def of_fractions(one: futures.OrderBook, side: Side, size: Fraction, *, by_quote: bool) -> tuple[Fraction, Fraction]:
    """Base and quote of a fill, counted once more in fractions."""
    base = quote = Fraction(0)
    for level in one.asks if side == "buy" else one.bids:
        price, qty = Fraction(level.price), Fraction(level.qty)
        there = price * qty if by_quote else qty
        part = min(1, size / there)
        base, quote, size = base + part * qty, quote + part * price * qty, size - part * there
    return base, quote


@given(books(), st.sampled_from(SIDES), st.integers(1, 10**12), st.booleans())
def test_fills_are_those_of_exact_fractions(one: futures.OrderBook, side: Side, size: int, by_quote: bool) -> None:
    amount = D(size) / 1000
    found = slippage(one, side, quote=amount) if by_quote else slippage(one, side, base=amount)
    best = spread(one)
    assert found is not None
    assert best is not None
    base, quote = of_fractions(one, side, Fraction(amount), by_quote=by_quote)
    sign = 1 if side == "buy" else -1

    def close(value: Decimal, exact: Fraction) -> bool:
        # Rounded once, to 28 digits.
        return abs(Fraction(value) - exact) * 2 * 10**27 <= abs(exact)

    assert Fraction(found.quote) == quote
    assert close(found.base, base)
    assert close(found.vwap, quote / base)
    for figure, price in ((found.slippage_bps, found.best), (found.cost_bps, best.mid)):
        assert close(figure, sign * (quote / base / Fraction(price) - 1) * 10_000)
        assert figure >= 0


@given(books(), st.sampled_from(SIDES), st.fractions(0, 1).filter(bool))
def test_what_the_best_level_fills_alone_slips_by_exactly_nothing(
    one: futures.OrderBook, side: Side, part: Fraction
) -> None:
    level = (one.asks if side == "buy" else one.bids)[0]
    share = D(part.numerator) / D(part.denominator)
    worth = level.price * level.qty
    for found in (slippage(one, side, quote=min(worth * share, worth)), slippage(one, side, base=level.qty * share)):
        assert found is not None
        assert (found.complete, found.worst, found.slippage_bps) == (True, level.price, 0)


@pytest.mark.parametrize(
    ("bids", "asks"),
    [
        ([("101", "1")], [("100", "1")]),
        ([("100", "1")], [("100", "1")]),
        ([("99", "1"), ("99.5", "1")], [("101", "1")]),
        ([("99", "1")], [("102", "1"), ("101", "1")]),
        ([("99", "1"), ("99", "1")], [("101", "1")]),
        ([("99", "0")], [("101", "1")]),
        ([("99", "1"), ("0", "1")], [("101", "1")]),
        ([("99", "1"), ("-1", "1")], [("101", "1")]),
    ],
)
def test_a_book_that_cannot_be_has_no_figures(bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> None:
    impossible = book(bids, asks)
    for figure in (
        lambda: spread(impossible),
        lambda: depth_within(impossible, 10),
        lambda: imbalance(impossible),
        lambda: slippage(impossible, "buy", quote=1),
        lambda: liquidity_row(impossible, None),
    ):
        with pytest.raises(DecodeError, match="no price in it can be trusted"):
            figure()


ODD: list[Any] = [0.5, True, "abc", "NaN", D("Infinity"), -1, 0, 10**5000, b"1", (1,)]


@pytest.mark.parametrize("value", ODD, ids=[type(value).__name__ for value in ODD])
def test_odd_arguments_are_told_by_name(value: Any) -> None:
    calls = {
        "quote": lambda: slippage(WORKED, "buy", quote=value),
        "base": lambda: slippage(WORKED, "buy", base=value),
        "bps": lambda: depth_within(WORKED, value),
    }
    for name, call in calls.items():
        with pytest.raises(ParameterError, match=f"^{name}=") as caught:
            call()
        assert len(str(caught.value)) < 200


@pytest.mark.parametrize("levels", [0, -1, True, 1.5, "1"])
def test_odd_counts_of_levels(levels: Any) -> None:
    with pytest.raises(ParameterError, match="levels="):
        imbalance(WORKED, levels)


@pytest.mark.parametrize("side", ["BUY", "", None, 1])
def test_a_side_is_buy_or_sell(side: Any) -> None:
    with pytest.raises(ParameterError, match="side="):
        slippage(WORKED, side, base=1)


@given(books())
def test_mirrored_books_have_mirrored_imbalance(one: futures.OrderBook) -> None:
    share = imbalance(one, 3)
    assert share is not None
    assert -1 <= share <= 1
    count = min(len(one.bids), len(one.asks), 3)
    fewer_bids = sum(level.qty for level in one.bids[:3]) < sum(level.qty for level in one.asks[:3])
    assert (share < 0) == fewer_bids
    assert count >= 1


def test_turnover_of_the_day_and_of_candles() -> None:
    body = json.loads(fixture("futures", "ticker_24hr", next(iter(_single_ticker()))))
    ticker = futures.Ticker24hr.model_validate_json(json.dumps(body))
    day = turnover(ticker)
    assert (str(day.base), str(day.quote), day.trades) == (body["volume"], body["quoteVolume"], body["count"])
    rows = [
        [1_800_000_000_000, "1", "2", "0.5", "1.5", "10", 1_800_000_059_999, "12.5", 4, "5", "6", "0"],
        [1_800_000_060_000, "1", "2", "0.5", "1.5", "2.5", 1_800_000_119_999, "3", 1, "1", "1", "0"],
    ]
    found = candle_turnover([futures.Kline.from_wire(row) for row in rows])
    assert found == Turnover(D("12.5"), D("15.5"), 5)
    assert (found.vwap, found.trade_size) == (D("1.24"), D("3.1"))


@given(st.lists(st.tuples(st.integers(0, 10**14), st.integers(0, 10**18), st.integers(0, 10**6)), max_size=30))
def test_averages_of_candles_are_those_of_exact_fractions(sums: list[tuple[int, int, int]]) -> None:
    rows = [
        [1_800_000_000_000, "1", "1", "1", "1", f"{D(b).scaleb(-8):f}", 1_800_000_059_999, f"{D(q).scaleb(-8):f}", n]
        for b, q, n in sums
    ]
    found = candle_turnover([futures.Kline.from_wire([*row, "0", "0", "0"]) for row in rows])
    base, quote = (Fraction(sum(candle[at] for candle in sums), 10**8) for at in (0, 1))
    trades = sum(candle[2] for candle in sums)
    assert (Fraction(found.base), Fraction(found.quote), found.trades) == (base, quote, trades)
    for value, exact in (
        (found.vwap, quote / base if base else None),
        (found.trade_size, quote / trades if trades else None),
    ):
        assert (value is None) == (exact is None)
        if value is not None and exact is not None:
            assert value >= 0
            assert abs(Fraction(value) - exact) * 2 * 10**27 <= exact


def _single_ticker() -> list[str]:
    variants = CATALOGUE["futures"].operations["ticker_24hr"].variants
    return [name for variant in variants if variant.type is futures.Ticker24hr for name in variant.fixtures]


def test_no_trade_has_no_average() -> None:
    nothing = candle_turnover([])
    assert nothing.base == 0
    assert nothing.vwap is None
    assert nothing.trade_size is None


def test_the_row_holds_floats_and_only_what_is_known() -> None:
    row = liquidity_row(WORKED, None, bands=(D(200),), order_quote=305)
    assert "turnover_24h" not in row
    assert row["spread"] == {"absolute": 2.0, "bps": 200.0, "mid": 100.0}
    assert row["depth"][0]["bid_quote"] == 295.0
    assert row["slippage"]["buy"]["average"] == pytest.approx(305 / 3)
    assert row["slippage"]["sell"]["complete"] is True
    assert liquidity_row(None, None) == {}
    json.dumps(row)
