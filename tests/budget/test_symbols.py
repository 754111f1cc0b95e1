"""Rounding to ticks and steps, for any of them."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binance_sdk import errors
from binance_sdk.symbols import SymbolRules

STEPS = st.builds(
    lambda digits, exponent, zeros: Decimal(digits).scaleb(-exponent).quantize(Decimal(1).scaleb(-exponent - zeros)),
    st.sampled_from([1, 2, 5, 25]),
    st.integers(0, 8),
    st.integers(0, 4),
)
VALUES = st.decimals(min_value=0, max_value=10**9, allow_nan=False, allow_infinity=False, places=10)


def rules(tick: Decimal | None = None, step: Decimal | None = None, **more: Decimal) -> SymbolRules:
    none = {"min_price": None, "max_price": None, "min_qty": None, "max_qty": None, "min_notional": None}
    fields = {**none, **more}
    return SymbolRules("BTCUSDT", "TRADING", "BTC", "USDT", tick_size=tick, step_size=step, **fields)  # type: ignore[arg-type]


@given(price=VALUES, tick=STEPS, origin=STEPS, rounding=st.sampled_from([ROUND_DOWN, ROUND_CEILING, ROUND_HALF_EVEN]))
def test_a_price_lands_on_a_tick_next_to_it(price: Decimal, tick: Decimal, origin: Decimal, rounding: str) -> None:
    one = rules(tick, price_origin=origin)
    found = one.round_price(price, rounding)
    assert (found - origin) % tick == 0
    assert abs(found - price) < tick
    if rounding == ROUND_HALF_EVEN:
        assert abs(found - price) <= tick / 2
    elif rounding == ROUND_CEILING:
        assert found >= price
    assert one.round_price(found, rounding) == found
    assert "E" not in f"{found:f}"


@given(qty=VALUES, step=STEPS)
def test_a_quantity_is_never_rounded_up(qty: Decimal, step: Decimal) -> None:
    found = rules(step=step).round_qty(qty)
    assert 0 <= qty - found < step
    assert found % step == 0


@given(price=VALUES, qty=VALUES, tick=STEPS, step=STEPS)
def test_rounded_values_break_no_step(price: Decimal, qty: Decimal, tick: Decimal, step: Decimal) -> None:
    one = rules(tick, step)
    assert one.problems(one.round_price(price), one.round_qty(qty)) == []


def test_digits_are_those_of_the_tick() -> None:
    assert str(rules(Decimal("0.01000000")).round_price("12.3")) == "12.30"
    assert str(rules(step=Decimal("1.00000000")).round_qty("12.9")) == "12"
    assert str(rules(Decimal("10.00000000")).round_price("1234")) == "1230"
    assert str(rules().round_price("12.345")) == "12.345"


def test_every_broken_rule_is_told() -> None:
    one = rules(
        Decimal("0.1"),
        Decimal("0.01"),
        min_price=Decimal(1),
        max_price=Decimal(100),
        min_qty=Decimal("0.05"),
        max_qty=Decimal(5),
        min_notional=Decimal(10),
    )
    assert one.problems("50", "1") == []
    assert len(one.problems("0.55", "0.011")) == 5
    assert [text.split()[0] for text in one.problems("101", "6")] == ["price", "quantity"]
    assert "USDT" in one.problems("1", "1")[0]


@pytest.mark.parametrize("value", [0.1, 1.0, float("nan")])
def test_a_float_is_not_the_number_you_wrote(value: float) -> None:
    with pytest.raises(errors.ParameterError, match="float"):
        rules(Decimal("0.1")).round_price(value)  # type: ignore[arg-type]
