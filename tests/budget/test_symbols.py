"""Rounding to ticks and steps, for any of them."""

from __future__ import annotations

import decimal
import json
import math
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from binance_sdk import errors, symbols
from binance_sdk.catalogue import CATALOGUE, Market, fixture
from binance_sdk.symbols import SymbolRules, read_symbols
from tests.decimal_contexts import HOSTILE

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
    symbol_rules = rules(tick, price_origin=origin)
    found = symbol_rules.round_price(price, rounding)
    assert (found - origin) % tick == 0
    assert abs(found - price) < tick
    if rounding == ROUND_HALF_EVEN:
        assert abs(found - price) <= tick / 2
    elif rounding == ROUND_CEILING:
        assert found >= price
    assert symbol_rules.round_price(found, rounding) == found
    assert "E" not in f"{found:f}"


@given(qty=VALUES, step=STEPS)
def test_a_quantity_is_never_rounded_up(qty: Decimal, step: Decimal) -> None:
    found = rules(step=step).round_qty(qty)
    assert 0 <= qty - found < step
    assert found % step == 0


@given(price=VALUES, qty=VALUES, tick=STEPS, step=STEPS)
def test_rounded_values_break_no_step(price: Decimal, qty: Decimal, tick: Decimal, step: Decimal) -> None:
    symbol_rules = rules(tick, step)
    assert symbol_rules.problems(symbol_rules.round_price(price), symbol_rules.round_qty(qty)) == []


def test_digits_are_those_of_the_tick() -> None:
    assert str(rules(Decimal("0.01000000")).round_price("12.3")) == "12.30"
    assert str(rules(step=Decimal("1.00000000")).round_qty("12.9")) == "12"
    assert str(rules(Decimal("10.00000000")).round_price("1234")) == "1230"
    assert str(rules().round_price("12.345")) == "12.345"


def test_every_broken_rule_is_told() -> None:
    symbol_rules = rules(
        Decimal("0.1"),
        Decimal("0.01"),
        min_price=Decimal(1),
        max_price=Decimal(100),
        min_qty=Decimal("0.05"),
        max_qty=Decimal(5),
        min_notional=Decimal(10),
    )
    assert symbol_rules.problems("50", "1") == []
    assert len(symbol_rules.problems("0.55", "0.011")) == 5
    assert [text.split()[0] for text in symbol_rules.problems("101", "6")] == ["price", "quantity"]
    assert "USDT" in symbol_rules.problems("1", "1")[0]


EXACTLY = st.decimals(min_value=0, max_value=10**24, allow_nan=False, allow_infinity=False)
"""Of any length: hypothesis draws them with up to a hundred digits."""


@given(value=EXACTLY, step=STEPS)
def test_rounding_is_exact_however_long_the_number_is(value: Decimal, step: Decimal) -> None:
    symbol_rules, whole, size = rules(step, step), Fraction(value), Fraction(step)
    below, above = whole // size * size, -(-whole // size) * size
    assert Fraction(symbol_rules.round_qty(value)) == below
    assert Fraction(symbol_rules.round_price(value, ROUND_FLOOR)) == below
    assert Fraction(symbol_rules.round_price(value, ROUND_UP)) == above
    nearest = Fraction(symbol_rules.round_price(value))
    assert abs(nearest - whole) == min(whole - below, above - whole)
    if whole - below == above - whole and above != below:
        assert nearest / size % 2 == 0


def test_a_quotient_that_would_round_up_does_not() -> None:
    # 28 digits of the quotient are 1.000...: the step above.
    assert rules(step=Decimal(1)).round_qty("0." + "9" * 40) == 0
    assert rules(step=Decimal("0.001")).round_qty("1." + "9" * 60) == Decimal("1.999")


@pytest.mark.parametrize("context", HOSTILE.values(), ids=HOSTILE)
def test_no_decimal_context_of_the_caller_changes_a_figure(context: decimal.Context) -> None:
    symbol_rules = rules(
        Decimal("0.01000000"),
        Decimal("0.0001"),
        min_price=Decimal("0.5"),
        max_price=Decimal("9999.99"),
        min_qty=Decimal("0.01"),
        max_qty=Decimal(10000),
        min_notional=Decimal(10),
        price_origin=Decimal("0.003"),
    )
    numbers = ["1234.56789999", "12345.67891", "0.00123456", "99999999.99995", "0", "0.5"]

    def figures() -> list[object]:
        return [
            (symbol_rules.round_price(n), symbol_rules.round_price(n, ROUND_UP), symbol_rules.round_qty(n))
            for n in numbers
        ] + [symbol_rules.problems(price, qty) for price in numbers for qty in numbers]

    expected = figures()
    assert expected[0] == (Decimal("1234.563"), Decimal("1234.573"), Decimal("1234.5678"))
    with localcontext(context):
        found = figures()
    assert str(found) == str(expected)


WRONG: list[tuple[object, str]] = [
    ("abc", "is no number"),
    ("", "is no number"),
    ("0x10", "is no number"),
    ("\ud800", "is no number"),
    (0.1, "is a float"),
    (1.0, "is a float"),
    (math.nan, "is a float"),
    (math.inf, "is a float"),
    (True, "is a bool"),
    (None, "is a NoneType"),
    (b"1", "is a bytes"),
    (("1",), "is a tuple"),
    (Decimal("NaN"), "is not finite"),
    (Decimal("sNaN"), "is not finite"),
    ("Infinity", "is not finite"),
    ("-0.001", "is negative"),
    (-1, "is negative"),
    (10**5000, "more than 300 digits"),
    ("9" * 5000, "more than 300 digits"),
    ("1e301", "more than 300 digits"),
    ("1e-301", "more than 300 digits"),
    (Decimal("1e999999"), "more than 300 digits"),
]


@pytest.mark.parametrize("context", [decimal.Context(), HOSTILE["traps nothing"]], ids=["usual", "traps nothing"])
@pytest.mark.parametrize(
    ("value", "reason"),
    WRONG,
    ids=[reason.replace(" ", "-") for _, reason in WRONG],
)
def test_what_is_no_number_is_told_with_the_true_reason(value: object, reason: str, context: decimal.Context) -> None:
    symbol_rules = rules(Decimal("0.1"), Decimal("0.1"))
    number: Any = value
    with localcontext(context):
        for name, call in {
            "price": lambda: symbol_rules.round_price(number),
            "qty": lambda: symbol_rules.round_qty(number),
        }.items():
            with pytest.raises(errors.ParameterError, match=f"^{name}=") as caught:
                call()
            assert reason in str(caught.value)
            assert len(str(caught.value)) < 250
            assert caught.value.parameter == name
        for arguments in ((number, "1"), ("1", number)):
            with pytest.raises(errors.ParameterError, match=reason):
                symbol_rules.problems(*arguments)


@pytest.mark.parametrize("rounding", ["round_down", "", None, 1, ["ROUND_UP"]])
def test_what_is_no_rounding_mode(rounding: Any) -> None:
    with pytest.raises(errors.ParameterError, match=r"rounding=.* must be one of ROUND_DOWN"):
        rules(Decimal("0.1")).round_price("1", rounding)


# -------------------------------------------------------------------------- from exchange information


def listed(market: str, filters: list[dict[str, str]], **more: object) -> SymbolRules:
    """The rules of the first symbol of a market's example, with other filters."""
    document = json.loads(fixture(cast(Market, market), "exchange_info"))
    row = document["symbols"][0]
    document["symbols"] = [{**row, "filters": filters, **more}]
    info: Any = TypeAdapter(CATALOGUE[market].operations["exchange_info"].variants[0].type).validate_python(document)
    return read_symbols(info, cast(Market, market))[row["symbol"]]


PRICE = {"filterType": "PRICE_FILTER", "minPrice": "0.03", "maxPrice": "90.00", "tickSize": "0.02"}
LOT = {"filterType": "LOT_SIZE", "minQty": "1", "maxQty": "9", "stepSize": "0.5"}


def test_prices_of_futures_are_counted_from_the_least_one_and_those_of_spot_from_zero() -> None:
    assert listed("futures", [PRICE]).round_price("0.054") == Decimal("0.05")
    assert listed("spot", [PRICE]).round_price("0.05", ROUND_UP) == Decimal("0.06")
    assert listed("futures", []).price_origin == 0


def test_the_larger_least_notional_counts() -> None:
    old = {"filterType": "MIN_NOTIONAL", "minNotional": "5", "applyToMarket": True, "avgPriceMins": 5}
    new = {"filterType": "NOTIONAL", "minNotional": "7", "applyMinToMarket": True, "maxNotional": "9",
           "applyMaxToMarket": False, "avgPriceMins": 5}  # fmt: skip
    assert listed("spot", [old]).min_notional == 5
    assert listed("spot", [old, new]).min_notional == listed("spot", [new, old]).min_notional == 7
    assert listed("futures", [{"filterType": "MIN_NOTIONAL", "notional": "3"}]).min_notional == 3


def test_what_no_filter_says_is_no_rule() -> None:
    found = listed("spot", [{"filterType": "T_PLUS_SELL", "endTime": "5"}])
    assert (found.tick_size, found.max_price, found.step_size, found.min_qty, found.min_notional) == (None,) * 5
    assert found.contract_size is None
    with_lot = listed("futures", [LOT])
    assert (with_lot.step_size, with_lot.min_qty, with_lot.max_qty) == (Decimal("0.5"), 1, 9)


def test_the_worth_of_contracts_does_not_depend_on_the_price() -> None:
    symbol_rules = rules(min_notional=Decimal(500), contract_size=Decimal(100))
    assert symbol_rules.problems("0.1", 5) == []
    assert symbol_rules.problems("99999", 4) == ["contract size times quantity 400 is below 500 USDT"]


def test_quantities_of_coin_m_are_contracts_of_a_worth() -> None:
    found = listed("coin_futures", [PRICE, LOT], contractSize=100, contractStatus="PENDING_TRADING")
    assert (found.contract_size, found.min_notional, found.is_trading) == (Decimal(100), None, False)
    assert found.round_price("0.054") == Decimal("0.05")
    assert found.round_qty("2.7") == Decimal("2.5")


def test_a_market_without_symbols_is_refused_with_those_that_have_some(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = {**symbols.MARKETS, "futures": replace(symbols.MARKETS["futures"], symbols=None)}
    monkeypatch.setattr(symbols, "MARKETS", facts)
    with pytest.raises(errors.ParameterError, match=r"market='futures' has no symbols; use one of spot, coin_futures$"):
        listed("futures", [])
