"""What is asked: everything of the spec, at the prices of the spec, and all of it within one minute's budget."""

from __future__ import annotations

from collections import Counter

import pytest

from binance_sdk.catalogue import CATALOGUE, MARKETS, stream
from binance_sdk.verify import VerifySettings, dry_run
from binance_sdk.verify.market_spec import installed_spec
from binance_sdk.verify.plan import LiveSymbols, example_symbols, live_symbols, plan
from binance_sdk.verify.stream_promises import choose

SAFETY = 0.95
"""The part of a limit that a client uses."""


@pytest.mark.parametrize("market", MARKETS)
def test_every_operation_and_variant_is_asked_for(market: str) -> None:
    spec = installed_spec(market)
    calls = list(plan(spec, example_symbols(spec), list(spec.operations)))
    asked = {(call.name, call.variant) for call in calls if call.purpose == "variant"}
    assert asked == {
        (operation.name, number) for operation in CATALOGUE[market] for number in range(len(operation.variants))
    }


@pytest.mark.parametrize("market", MARKETS)
def test_the_facts_price_and_choose_as_the_generated_operations_do(market: str) -> None:
    spec = installed_spec(market)
    assert list(spec.operations) == list(CATALOGUE[market].operations)
    for call in plan(spec, example_symbols(spec), list(spec.operations)):
        if call.purpose == "mistake":
            continue
        operation = CATALOGUE[market].operations[call.name]
        assert call.operation.path == operation.path
        assert call.weight == operation.price(call.arguments)
        assert operation.variants[call.variant] is operation.variant_for(call.arguments)


@pytest.mark.parametrize("market", MARKETS)
def test_streams_are_named_as_the_client_names_them(market: str) -> None:
    from binance_sdk._runtime.stream.names import name_streams

    spec = installed_spec(market)
    live = example_symbols(spec)
    for name, facts in spec.streams.items():
        chosen = choose(facts, live, {})
        known = stream(f"{market}.{name}")
        texts = {parameter.name: {str(value): value for value in parameter.texts} for parameter in known.parameters}
        given = {key: texts[key].get(str(value), value) for key, value in chosen.parameters.items()}
        assert [one.name for one in name_streams(known, given)] == [chosen.name]
        assert facts.route == known.route


def test_everything_fits_into_one_minutes_budget_of_each_pool() -> None:
    planned = dry_run(VerifySettings(environment="mainnet", api_key="a-key"))
    limits = {CATALOGUE[market].limits.name: CATALOGUE[market].limits.weight for market in MARKETS}
    assert set(planned.weight) == set(limits)
    for pool, weight in planned.weight.items():
        assert weight <= limits[pool].limit * SAFETY
    assert planned.seconds <= 120
    assert set(planned.calls) == set(planned.streams) == set(MARKETS)


def test_every_step_of_a_weight_is_tried_on_both_sides() -> None:
    spec = installed_spec("spot")
    calls = list(plan(spec, LiveSymbols("BTCUSDT", "BTCUSDT", [f"A{number}USDT" for number in range(120)]), ["depth"]))
    limits = Counter(call.arguments.get("limit") for call in calls if call.purpose == "edge")
    assert {100, 101, 500, 501, 1000, 1001, 5000} <= set(limits)
    lists = plan(spec, LiveSymbols("A0USDT", "A0USDT", [f"A{number}USDT" for number in range(120)]), ["ticker_24hr"])
    counts = {len(names) for call in lists if isinstance(names := call.arguments.get("symbols"), tuple)}
    assert {20, 21, 100, 101} <= counts


def test_the_symbols_are_those_that_trade_now() -> None:
    symbols = installed_spec("coin_futures").symbols
    assert symbols is not None
    rows = [
        {"symbol": "BTCUSD_PERP", "pair": "BTCUSD", "contractStatus": "SETTLING"},
        {"symbol": "ETHUSD_270326", "pair": "ETHUSD", "contractStatus": "TRADING"},
        {"symbol": "ADAUSD_PERP", "pair": "ADAUSD", "contractStatus": "TRADING"},
    ]
    assert live_symbols(symbols, rows) == LiveSymbols("ETHUSD_270326", "ETHUSD", ["ETHUSD_270326", "ADAUSD_PERP"])
    rows[0]["contractStatus"] = "TRADING"
    found = live_symbols(symbols, rows)
    assert found is not None
    assert (found.symbol, found.pair) == ("BTCUSD_PERP", "BTCUSD")
    assert live_symbols(symbols, rows[:0]) is None
