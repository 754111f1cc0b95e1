"""Prices: against a table written by hand, against the vectors of the fact base, and as rules in general."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared_facts import endpoints, needs_facts, vectors

from binance_sdk import SyncBinanceClient, errors
from binance_sdk._runtime import weight as w
from binance_sdk._runtime.calls.parameters import validate
from binance_sdk.catalogue import CATALOGUE, Operation, Parameter
from tests.hand_lines import lines_for_endpoint

from .calls import API_KEY, NOW_MS, OPERATIONS
from .endpoint_table import GROUPS, LIMITS, WEIGHTS

ROWS = [
    pytest.param(id_, given_, weight, id=f"{id_}-{given_}") for id_, rows in WEIGHTS.items() for given_, weight in rows
]
BY_ID = {operation.id: operation for operation in OPERATIONS}


def symbols(count: int) -> list[str]:
    return [f"S{index}USDT" for index in range(count)]


def arguments(operation: Operation[Any], some: dict[str, Any]) -> dict[str, Any]:
    """Arguments by wire name, with whatever else the call cannot do without."""
    example = operation.variants[0].example
    required = {parameter.wire: example[parameter.wire] for parameter in operation.parameters if parameter.required}
    return {**required, **some}


def planned(operation: Operation[Any], wire: dict[str, Any]) -> Any:
    with SyncBinanceClient(api_key=API_KEY) as client:
        plan = getattr(client, operation.market).plan
        return getattr(plan, operation.name)(**{operation.by_wire[name].name: value for name, value in wire.items()})


# ----------------------------------------------------------------------------------------- tables


@pytest.mark.parametrize(("id_", "some", "weight"), ROWS)
def test_the_table_written_by_hand(id_: str, some: dict[str, Any], weight: int) -> None:
    assert id_ in BY_ID, lines_for_endpoint(id_)
    operation = BY_ID[id_]
    wire = arguments(operation, some)
    if "symbols" in wire:
        wire["symbols"] = symbols(wire["symbols"])
    plan = planned(operation, wire)
    assert plan.weight == weight, lines_for_endpoint(id_)
    assert set(plan.groups) == {name for name, members in GROUPS.items() if id_ in members}, lines_for_endpoint(id_)
    assert operation.price(validate(operation, wire, NOW_MS)) == weight


@pytest.mark.parametrize("id_", BY_ID)
def test_the_table_has_every_endpoint(id_: str) -> None:
    assert id_ in WEIGHTS, lines_for_endpoint(id_)


def edges(rule: Any) -> Iterator[dict[str, int]]:
    """The arguments on both sides of every step of a rule."""
    if isinstance(rule, w.Cases):
        for _, inner in rule.cases:
            yield from edges(inner)
    elif isinstance(rule, (w.Bands, w.Counts)):
        name = rule.by if isinstance(rule, w.Bands) else rule.of
        for upper, _ in rule.steps:
            yield {name: upper}
            yield {name: upper + 1}
    elif isinstance(rule, w.Values):
        for value in rule.table:
            if isinstance(value, int):
                yield {rule.by: value}
    elif isinstance(rule, w.PerItem) and rule.cap is not None:
        for count in (rule.cap // rule.each, rule.cap // rule.each + 1):
            yield {rule.of: count}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_the_table_has_every_edge(operation: Operation[Any]) -> None:
    """A step that the spec moves must be moved by hand as well."""
    written = [given_ for given_, _ in WEIGHTS.get(operation.id, [])]
    for edge in edges(operation.weight):
        assert edge in written, lines_for_endpoint(operation.id)


def test_the_limits_of_each_market() -> None:
    for market, limits in LIMITS.items():
        known = CATALOGUE[market].limits  # type: ignore[arg-type]
        assert (known.weight.limit, known.weight.seconds) == limits[""]
        assert {name: (group.limit, group.seconds) for name, group in known.groups.items()} == {
            name: value for name, value in limits.items() if name
        }


@needs_facts
def test_the_vectors_of_the_fact_base() -> None:
    assert vectors()
    wrong = []
    for vector in vectors():
        operation = BY_ID[vector["endpoint"]]
        wire = arguments(operation, vector["params"])
        count = wire.pop("symbols_count", None)
        for name, value in wire.items():
            if operation.by_wire[name].list:
                wire[name] = symbols(count) if name == "symbols" else [value]
        if planned(operation, wire).weight != vector["weight"]:
            wrong.append(vector)
    assert wrong == []


@needs_facts
def test_every_documented_endpoint_has_a_vector() -> None:
    # The vectors leave out nothing, so a price that no vector looks at cannot hide behind their number.
    assert {vector["endpoint"] for vector in vectors()} == set(endpoints())


# ------------------------------------------------------------------------------------- properties

BANDED = [
    (operation, operation.by_wire[operation.weight.by])
    for operation in OPERATIONS
    if isinstance(operation.weight, w.Bands)
]
CLAMPED = [(operation, parameter) for operation, parameter in BANDED if parameter.clamp]
BOUNDED = [
    (operation, parameter) for operation, parameter in BANDED if parameter.max is not None and not parameter.clamp
]
PER_ITEM = [
    (operation, rule)
    for operation in OPERATIONS
    if isinstance(operation.weight, w.Cases)
    for _, rule in operation.weight.cases
    if isinstance(rule, w.PerItem)
]
steps = st.lists(
    st.tuples(st.integers(1, 5000), st.integers(0, 500)), min_size=1, max_size=6, unique_by=lambda step: step[0]
).map(lambda found: tuple(sorted(found)))


def test_there_is_something_to_check() -> None:
    assert CLAMPED
    assert BOUNDED
    assert PER_ITEM


@given(st.sampled_from(BANDED), st.integers(1, 10_000), st.integers(1, 10_000))
def test_more_rows_never_cost_less(pair: tuple[Operation[Any], Parameter], first: int, other: int) -> None:
    operation, size = pair
    assert operation.price({size.wire: min(first, other)}) <= operation.price({size.wire: max(first, other)})


@given(st.sampled_from(CLAMPED), st.integers(0, 10**9))
def test_a_clamped_size_costs_its_bound(pair: tuple[Operation[Any], Parameter], more: int) -> None:
    operation, size = pair
    assert size.max is not None
    given_ = arguments(operation, {size.wire: size.max + more})
    assert operation.price(validate(operation, given_, NOW_MS)) == operation.price({size.wire: size.max})


@given(st.sampled_from(BOUNDED), st.integers(1, 10**9))
def test_a_size_that_is_not_clamped_is_refused(pair: tuple[Operation[Any], Parameter], more: int) -> None:
    operation, size = pair
    assert size.max is not None
    with pytest.raises(errors.ParameterError, match=str(size.max)):
        validate(operation, arguments(operation, {size.wire: size.max + more}), NOW_MS)


@given(st.sampled_from(PER_ITEM), st.integers(1, 100))
def test_items_are_counted_up_to_the_cap(pair: tuple[Operation[Any], w.PerItem], count: int) -> None:
    operation, rule = pair
    most = rule.each * (count + 1) if rule.cap is None else rule.cap
    price = operation.price({rule.of: symbols(count)})
    assert price == min(rule.each * count, most)
    assert operation.price({rule.of: symbols(count + 1)}) in (price, price + rule.each, most)


@pytest.mark.parametrize(
    "operation", [operation for operation in OPERATIONS if operation.defaults], ids=lambda operation: operation.id
)
def test_an_argument_left_out_costs_its_default(operation: Operation[Any]) -> None:
    some = {"symbol": "BTCUSDT"} if "symbol" in operation.by_wire else {}
    assert operation.price(some) == operation.price({**operation.defaults, **some})


@given(steps, st.integers(0, 500), st.integers(1, 6000))
def test_bands_and_counts_take_the_first_step_that_reaches(
    table: tuple[tuple[int, int], ...], above: int, value: int
) -> None:
    found = bisect.bisect_left([upper for upper, _ in table], value)
    expected = table[found][1] if found < len(table) else above
    assert w.Bands("limit", table, above).weight({}, {"limit": value}) == expected
    listed = {"symbols": ["X"] * value}
    assert w.Counts("symbols", table, above).weight(listed, listed) == expected


@given(st.integers(1, 50), st.one_of(st.none(), st.integers(1, 500)), st.integers(1, 300))
def test_items_with_and_without_a_cap(each: int, cap: int | None, count: int) -> None:
    listed = {"symbols": ["X"] * count}
    price = w.PerItem("symbols", each, cap).weight(listed, listed)
    assert price == (each * count if cap is None or each * count < cap else cap)


def test_cases_go_by_what_was_passed_and_not_by_defaults() -> None:
    rule = w.Cases((("symbol", w.Fixed(1)), ("symbols", w.PerItem("symbols", 2)), (None, w.Fixed(40))))
    assert rule.weight({"symbol": "A"}, {"symbol": "A"}) == 1
    assert rule.weight({"symbols": ["A", "B"]}, {"symbols": ["A", "B"]}) == 4
    assert rule.weight({}, {"symbol": "A"}) == 40
    with pytest.raises(LookupError, match="without one of symbol"):
        w.Cases((("symbol", w.Fixed(1)),)).weight({}, {})


def test_a_value_without_a_price_is_an_error() -> None:
    with pytest.raises(LookupError, match="limit=7"):
        w.Values("limit", {5: 2}).weight({}, {"limit": 7})
