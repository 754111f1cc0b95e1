"""The simulator's hand-written prices and the spec's must be equal: each was written down without the other."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from binance_sdk.catalogue import CATALOGUE, Operation, Parameter
from binance_sdk.simulator import Simulator
from binance_sdk.simulator.market.symbols import Market
from binance_sdk.simulator.rest.pools import POOL_OF, POOLS
from binance_sdk.simulator.rest.weights import STALE_HEADER, WEIGHTS, WITHOUT_HEADER
from tests.hand_lines import lines_for_endpoint, lines_for_stream

from .conftest import Api

OPERATIONS = list(CATALOGUE.operations)
# Every bound that stands in any weight table of the documents, with its neighbours.
NUMBERS = sorted({n + d for n in (1, 5, 10, 20, 50, 100, 500, 1000, 1500, 5000) for d in (-1, 0, 1)} | {9999})
LENGTHS = (1, 2, 3, 9, 10, 11, 19, 20, 21, 22, 40, 49, 50, 51, 99, 100, 101, 150, 400)


def raw(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Arguments as they stand in a query."""
    return {
        name: json.dumps(value, separators=(",", ":"))
        if isinstance(value, list)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
        for name, value in arguments.items()
    }


def takes(parameter: Parameter, number: int) -> bool:
    if parameter.choices is not None:
        return number in parameter.choices
    if parameter.min is not None and number < parameter.min:
        return False
    return parameter.max is None or number <= parameter.max or parameter.clamp


def values_of(parameter: Parameter) -> list[Any]:
    """Values of a parameter at which a price could change."""
    if parameter.list:
        most = parameter.max_items or max(LENGTHS)
        known = parameter.choices if parameter.choices is not None else None
        lengths = [length for length in LENGTHS if length <= most]
        return [list(known or ())[:2]] if known else [[f"S{n}" for n in range(length)] for length in lengths]
    if parameter.type == "int":
        return [number for number in NUMBERS if takes(parameter, number)]
    if parameter.choices is not None:
        return [parameter.choices[0], parameter.choices[-1]]
    return [{"id": 7, "time": 1, "bool": False}.get(parameter.type, "BTCUSDT")]


def allowed(operation: Operation[Any], names: set[str]) -> bool:
    """Whether these parameters may be sent together; the length of a span does not matter here."""
    for parameter in operation.parameters:
        if parameter.required and parameter.wire not in names:
            return False
    for rule in operation.rules:
        group = getattr(rule, "names", None)
        required = getattr(rule, "required", None)
        if group is not None and required is not None:
            present = names.intersection(group)
            if len(present) > 1 or (required and not present):
                return False
    return True


def calls(operation: Operation[Any]) -> Iterator[dict[str, Any]]:
    """Every set of parameters that may be sent, with one of them at each of its edges in turn."""
    parameters = {parameter.wire: parameter for parameter in operation.parameters}
    for size in range(len(parameters) + 1):
        for names in itertools.combinations(parameters, size):
            if not allowed(operation, set(names)):
                continue
            plain = {name: values_of(parameters[name])[0] for name in names}
            yield plain
            for name in names:
                for value in values_of(parameters[name])[1:]:
                    yield {**plain, name: value}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_both_tables_charge_the_same(operation: Operation[Any]) -> None:
    assert operation.path in WEIGHTS[operation.market], lines_for_endpoint(operation.id)
    price = WEIGHTS[operation.market][operation.path]
    tried = list(calls(operation))
    assert tried
    wrong = [
        (call, price(raw(call)), operation.price(call)) for call in tried if price(raw(call)) != operation.price(call)
    ]
    assert not wrong, f"{len(wrong)} of {len(tried)} calls, first: {wrong[0]}\n{lines_for_endpoint(operation.id)}"


def test_no_path_is_charged_that_the_spec_does_not_have() -> None:
    for market, prices in WEIGHTS.items():
        assert set(prices) <= {operation.path for operation in CATALOGUE[market]}, market


def test_nothing_is_known_from_the_spec_alone() -> None:
    """What the simulator has from the spec cannot contradict the client, so in this repository all of it is by hand."""
    alone = Simulator().from_spec
    assert [lines_for_endpoint(id_) for id_ in alone.weights] == []
    assert [lines_for_stream(id_) for id_ in alone.stream_names] == []


@pytest.mark.parametrize("market", POOL_OF)
def test_both_know_the_same_limits(market: Market) -> None:
    limits, pool = CATALOGUE[market].limits, POOLS[POOL_OF[market]]
    assert (limits.weight.limit, limits.weight.seconds) == (pool.weight_limit, 60)
    assert {name: (group.limit, group.seconds) for name, group in limits.groups.items()} == pool.groups


def test_both_put_the_same_operations_into_groups() -> None:
    operations = [*CATALOGUE["futures"], *CATALOGUE["coin_futures"]]
    groups = {operation.id: POOLS["futures"].group_of(operation.path) for operation in operations}
    assert {operation.id: operation.groups for operation in operations} == {
        id_: (group,) if group else () for id_, group in groups.items()
    }
    assert {POOLS["spot"].group_of(operation.path) for operation in CATALOGUE["spot"]} == {"raw_requests"}


def test_both_say_the_same_about_the_header() -> None:
    absent = {operation.path for operation in OPERATIONS if operation.used_weight_header == "absent"}
    assert absent == WITHOUT_HEADER
    trusted = {operation.path for operation in OPERATIONS if operation.used_weight_header == "trusted"}
    assert not trusted & STALE_HEADER


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
def test_the_server_charges_what_the_plan_says(api: Api, operation: Operation[Any]) -> None:
    for variant in operation.variants:
        before = api.simulator.used_weight(operation.market)
        response = api.ask(operation, raw(variant.example))
        assert response.status_code == 200, response.text
        used = api.simulator.used_weight(operation.market)
        assert used - before == operation.price(variant.example)
        if operation.used_weight_header == "trusted":
            assert int(response.headers["x-mbx-used-weight-1m"]) == used
        elif operation.used_weight_header == "absent":
            assert "x-mbx-used-weight-1m" not in response.headers
