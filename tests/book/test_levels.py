"""One side of a book: prices that are the same or nearly so, and the end of what is known."""

from __future__ import annotations

from decimal import Context, Decimal, localcontext

import pytest

from binance_sdk._runtime.book.levels import Side, crossed
from binance_sdk._runtime.book.messages import LevelText
from tests.decimal_contexts import HOSTILE


def side(*levels: LevelText, bids: bool = True, limit: int = 100) -> Side:
    made = Side(highest_first=bids)
    made.replace(levels, limit)
    return made


def shown(made: Side, count: int | None = None) -> list[str]:
    return [f"{price} {qty}" for price, qty in made.levels(count)]


def test_a_new_tick_size_does_no_harm() -> None:
    made = side(("1.20", "1"), ("1.10", "2"))
    made.change([("1.1000", "3"), ("1.2000", "0.000"), ("1.1500", "4")])
    assert shown(made) == ["1.1500 4", "1.1000 3"]


def test_prices_that_are_the_same_float_are_kept_apart() -> None:
    near = ["90071992.54740994", "90071992.54740993", "90071992.54740992"]
    assert len({float(price) for price in near}) < 3
    made = side((near[0], "1"), (near[2], "3"))
    made.change([(near[1], "2")])
    assert shown(made) == [f"{price} {qty}" for price, qty in zip(near, "123", strict=True)]
    made.change([(near[1] + "000", "0")])
    assert len(made) == 2


def test_the_first_long_price_makes_the_whole_side_exact_in_the_midst_of_an_update() -> None:
    made = side(("0.3", "1"), ("0.2", "1"), limit=2)
    made.change([("0.30000000000000000001", "5"), ("0.3", "2"), ("0.20", "0"), ("0.1", "9"), ("0.25", "7")])
    assert shown(made) == ["0.30000000000000000001 5", "0.3 2", "0.25 7"]
    assert made.complete_to == Decimal("0.2")


def test_a_short_price_with_many_zeros_stays_a_float() -> None:
    made = side(("0.3", "1"))
    made.change([("0.300000000000000000000", "2")])
    assert shown(made) == ["0.300000000000000000000 2"]


def test_a_quantity_too_small_for_a_float_is_no_zero() -> None:
    made = side(("2", "1"))
    made.change([("2", "0." + "0" * 400 + "1")])
    assert len(made) == 1
    made.change([("2", "0." + "0" * 400)])
    assert len(made) == 0


@pytest.mark.parametrize("bids", [True, False])
def test_nothing_is_shown_behind_the_horizon(bids: bool) -> None:
    made = side(*((("9", "1"), ("7", "1")) if bids else (("7", "1"), ("9", "1"))), bids=bids, limit=2)
    beyond, inside = ("6", "8") if bids else ("10", "8")
    made.change([(beyond, "1"), (inside, "1")])
    end = "7" if bids else "9"
    assert made.complete_to == Decimal(end)
    made.change([(end, "0")])
    assert made.complete_to == Decimal(end)
    assert shown(made) == (["9 1", "8 1"] if bids else ["7 1", "8 1"])


def test_a_snapshot_with_fewer_levels_than_asked_for_is_the_whole_side() -> None:
    made = side(("9", "1"), ("7", "1"), limit=3)
    made.change([("1", "1")])
    assert made.complete_to is None
    assert shown(made, 2) == ["9 1", "7 1"]
    assert shown(made, 99) == ["9 1", "7 1", "1 1"]
    assert shown(made, 0) == []


def test_crossing_is_seen_between_floats_and_decimals() -> None:
    bids, asks = side(("0.3", "1")), side(("0.3", "1"), ("0.30000000000000000001", "1"), bids=False)
    assert crossed(bids, asks)
    bids.change([("0.3", "0"), ("0.2", "1")])
    assert not crossed(bids, asks)
    bids.change([("0.2", "0")])
    assert not crossed(bids, asks)


@pytest.mark.parametrize("context", HOSTILE.values(), ids=HOSTILE.keys())
def test_levels_are_exact_under_every_decimal_context(context: Context) -> None:
    price, qty = "123456789.123456789123", "0.00000000012345678901"
    with localcontext(context):
        made = side(("223456789.123456789123", qty))
        made.change([(price, qty), ("1.5", "0")])
        assert [(str(a), str(b)) for a, b in made.levels()][1] == (price, str(Decimal(qty)))
