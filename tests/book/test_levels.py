"""One side of a book: prices that are the same or nearly so, and the end of what is known."""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binance_sdk._runtime.book.levels import SPARE, Level, Side, crossed
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


def test_of_two_spellings_in_one_update_the_last_one_counts() -> None:
    for last in ("1.10", "1.1000"):
        made = side(("1.20", "1"), ("1.10", "2"))
        made.change([("1.100", "5"), ("1.1000" if last == "1.10" else "1.10", "6"), (last, "7")])
        assert shown(made) == ["1.20 1", f"{last} 7"]
        # Neither of the others is taken for one that is known.
        for other in ("1.100", "1.1000", "1.10"):
            made.change([(other, "9")])
            assert shown(made) == ["1.20 1", f"{other} 9"]
        made.change([("1.10", "0")])
        assert shown(made) == ["1.20 1"]


def test_a_level_that_came_back_is_where_it_was() -> None:
    for bids in (True, False):
        made = side(
            *((("3", "1"), ("2", "1"), ("1", "1")) if bids else (("1", "1"), ("2", "1"), ("3", "1"))), bids=bids
        )
        first = "3" if bids else "1"
        made.change([("2", "0"), (first, "0.0")])
        assert made.best_text == ("1" if bids else "3")
        made.change([("2", "5")])
        assert shown(made, 1) == ["2 5"]
        made.change([("2.0", "0"), (first + ".0", "4")])
        assert shown(made) == [f"{first}.0 4", "1 1" if bids else "3 1"]


def test_a_price_that_was_never_a_level_may_be_removed() -> None:
    made = side(("9", "1"))
    made.change([("5", "0"), ("8", "0.00")])
    assert shown(made) == ["9 1"]
    made.change([("5", "2")])
    assert shown(made) == ["9 1", "5 2"]


@pytest.mark.parametrize("level", [("1e", "1"), ("1e1", "1"), ("-7", "1"), (" 7", "1"), ("07", "1"), ("0.0", "1")])
def test_what_came_beside_a_malformed_level_is_kept_or_not_but_never_hidden(level: LevelText) -> None:
    made = side(("9", "1"))
    with pytest.raises(ValueError, match="is not positive, or no plain number"):
        made.change([("8", "1"), level, ("6", "1")])
    made.change([("6", "2"), ("8", "3")])
    assert shown(made) == ["9 1", "8 3", "6 2"]


def test_what_is_no_level_takes_no_memory_for_ever() -> None:
    made = side(*((str(1000 - at), "1") for at in range(100)), limit=100)
    for at in range(20 * SPARE):
        # Half of them behind the horizon, half of them gone at once.
        made.change([(f"0.{at + 1}", "1"), (f"950.{at + 1}", "1")])
        made.change([(f"950.{at + 1}", "0")])
        assert len(made._quantities) <= 2 * 100 + SPARE + 2
    assert len(made) == 100


@pytest.mark.parametrize("tick", ["0.01", "0.00000000000000000001"])
@given(seed=st.integers(0, 2**32 - 1), bids=st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_side_equals_a_plain_dict(tick: str, seed: int, bids: bool) -> None:
    rng, truth, expected = Random(seed), dict[Decimal, Decimal](), list[Level]()
    made = Side(highest_first=bids)

    def written(number: Decimal) -> str:
        return f"{number:f}" + "0" * rng.randrange(3)

    for _ in range(rng.randrange(1, 40)):
        levels = list[LevelText]()
        for _ in range(rng.randrange(6)):
            price = 7 + Decimal(tick) * rng.randrange(30)
            qty = rng.choice([Decimal("0.0"), Decimal("0.1"), Decimal("2.5")])
            levels.append((written(price), written(qty)))
            truth[price] = qty
        made.change(levels)
        expected = sorted(((price, qty) for price, qty in truth.items() if qty), reverse=bids)
        assert [Decimal(made.best_text)] == [expected[0][0]] if made.best_text else expected == []
        count = rng.choice([None, 0, 1, 3])
        if rng.randrange(2):
            assert made.levels(count) == expected[:count]
    assert made.levels() == expected


class Counted(tuple[str, str]):
    """A row that says how many were made."""

    made = 0

    def __new__(cls, level: LevelText) -> Counted:
        Counted.made += 1
        return super().__new__(cls, level)


@pytest.mark.parametrize("bids", [True, False])
def test_rows_that_have_not_changed_are_given_out_again(bids: bool) -> None:
    texts = [str(price) for price in (range(49, 29, -1) if bids else range(30, 50))]
    made = side(*((text, "1") for text in texts), bids=bids)
    Counted.made = 0
    first = made.rows(10, Counted)
    again = made.rows(5, Counted)
    assert again == first[:5]
    assert all(one is other for one, other in zip(first, again, strict=False))
    seen = Counted.made
    # What a caller does with his list is his own affair.
    first.clear()
    again.clear()
    made.change([(texts[19], "2")])
    assert made.rows(10, Counted) == [(text, "1") for text in texts[:10]]
    assert Counted.made == seen, "far off"
    made.change([(texts[2], "3"), (texts[4], "3")])
    assert made.rows(10, Counted) == [(text, "3" if at in (2, 4) else "1") for at, text in enumerate(texts[:10])]
    assert Counted.made == seen + 2
    made.change([(texts[0], "0")])
    assert made.rows(10, Counted)[0] == (texts[1], "1")
    assert Counted.made <= seen + 3, "they moved up, and one more came into sight"
    made.change([(texts[0], "7")])
    assert made.rows(10, Counted)[:2] == [(texts[0], "7"), (texts[1], "1")]
    made.replace([("7", "7")], 100)
    assert made.rows(10, Counted) == [("7", "7")]


@given(seed=st.integers(0, 2**32 - 1), bids=st.booleans())
@settings(max_examples=200, deadline=None)
def test_rows_are_what_the_levels_are(seed: int, bids: bool) -> None:
    """However many are asked for, whatever changed in between."""
    rng = Random(seed)
    truth: dict[int, str] = {}
    made = Side(highest_first=bids)
    for _ in range(rng.randrange(1, 60)):
        changes = {rng.randrange(1, 40): rng.choice(["0", "0.0", "1", "2.5"]) for _ in range(rng.randrange(8))}
        truth |= changes
        made.change([(str(price), qty) for price, qty in changes.items()])
        if rng.random() < 0.05:
            kept = sorted((price for price, qty in truth.items() if Decimal(qty)), reverse=bids)
            made.replace([(str(price), truth[price]) for price in kept], 100)
        expected = [(str(price), truth[price]) for price in sorted(truth, reverse=bids) if Decimal(truth[price])]
        for count in rng.choices([0, 1, 2, 5, 5, 5, 10, 30, 64, 65, None], k=rng.randrange(3)):
            row = Counted if rng.random() < 0.9 else tuple[str, str]
            assert made.rows(count, row) == expected[:count]


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


def test_a_long_price_is_no_spelling_of_a_short_one_that_is_nearly_the_same() -> None:
    for levels in (long_first := [("0.30000000000000000001", "5"), ("0.3000", "2")], long_first[::-1]):
        made = side(("0.3", "1"))
        made.change(levels)
        assert shown(made) == ["0.30000000000000000001 5", "0.3000 2"]


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
    bids.change([("0.2", "1")])
    asks.replace([], 100)
    assert not crossed(bids, asks)


@pytest.mark.parametrize("context", HOSTILE.values(), ids=HOSTILE.keys())
def test_levels_are_exact_under_every_decimal_context(context: Context) -> None:
    price, qty = "123456789.123456789123", "0.00000000012345678901"
    with localcontext(context):
        made = side(("223456789.123456789123", qty))
        made.change([(price, qty), ("1.5", "0")])
        assert [(str(a), str(b)) for a, b in made.levels()][1] == (price, str(Decimal(qty)))
