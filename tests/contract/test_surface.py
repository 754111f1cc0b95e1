"""The methods people see: complete, the same in both clients, and documented from the spec."""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterator, Iterator
from importlib import import_module
from typing import Any, get_args, get_overloads, get_type_hints

import pytest
from shared_facts import REPOSITORY

from binance_sdk._generated.markets import MARKETS
from binance_sdk._runtime import weight as w
from binance_sdk.catalogue import CATALOGUE, STREAMS, Operation, fixture
from codegen.load import load
from codegen.names import pascal

from .calls import CASES, OPERATIONS


def api_of(market: str, kind: str) -> Any:
    return getattr(import_module(f"binance_sdk._generated.{market}.api"), f"{kind}{pascal(market)}")


ASYNC = {market: api_of(market, "Async") for market in MARKETS}
SYNC = {market: api_of(market, "Sync") for market in MARKETS}
every_api = pytest.mark.parametrize("api", [*ASYNC.values(), *SYNC.values()], ids=lambda api: api.__name__)
every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)


def market_of(api: type) -> Any:
    return CATALOGUE[next(market for market in MARKETS if api in (ASYNC[market], SYNC[market]))]


def methods_of(api: type) -> set[str]:
    return {name for name, value in vars(api).items() if inspect.isfunction(value) and not name.startswith("_")}


def both(operation: Operation[Any], prefix: str = "") -> tuple[Any, Any]:
    name = prefix + operation.name
    return getattr(ASYNC[operation.market], name), getattr(SYNC[operation.market], name)


def weights_of(rule: Any) -> set[int]:
    """Every weight a rule can give."""
    if isinstance(rule, w.Fixed):
        return {rule.value}
    if isinstance(rule, (w.Bands, w.Counts)):
        return {weight for _, weight in rule.steps} | {rule.above}
    if isinstance(rule, w.Values):
        return set(rule.table.values())
    if isinstance(rule, w.PerItem):
        return {rule.each} | ({rule.cap} if rule.cap is not None else set())
    assert isinstance(rule, w.Cases)
    return set().union(*(weights_of(inner) for _, inner in rule.cases))


# ----------------------------------------------------------------------------------- completeness


def test_every_endpoint_and_stream_of_the_spec_is_in_the_catalogue() -> None:
    spec = load(REPOSITORY / "spec")
    assert {operation.id for operation in OPERATIONS} == {f"{market}.{name}" for market, name in spec.operations}
    assert {stream.id for stream in STREAMS} == {f"{market}.{name}" for market, name in spec.streams}


@every_api
def test_there_is_a_method_for_each_endpoint_and_no_other(api: type) -> None:
    operations = list(market_of(api))
    wanted = {operation.name for operation in operations} | {
        f"iter_{operation.name}" for operation in operations if operation.paging is not None
    }
    assert methods_of(api) == wanted


@every_api
def test_the_views_have_the_same_methods(api: type) -> None:
    instance = api(_NoCaller())
    methods = methods_of(api)
    assert set(vars(instance.with_raw_response)) == {name for name in methods if not name.startswith("iter_")}
    assert set(vars(instance.plan)) == methods


class _NoCaller:
    def raw(self) -> _NoCaller:
        return self

    planning = raw


@pytest.mark.parametrize("market", MARKETS)
def test_there_is_a_fixture_for_each_answer_and_no_other(market: Any) -> None:
    wanted = {case.id.removeprefix(f"{market}.") for case in CASES if case.operation.market == market}
    assert {path.stem for path in (REPOSITORY / "spec" / "fixtures" / market).glob("*.json")} == wanted
    for case in CASES:
        if case.operation.market == market:
            assert case.body
    with pytest.raises(LookupError, match="there are"):
        fixture(market, "klines", "no_such_answer")


def test_every_operation_is_a_case() -> None:
    assert {case.operation.id for case in CASES} == {operation.id for operation in OPERATIONS}


@every_operation
def test_variants_are_decided_by_their_own_example(operation: Operation[Any]) -> None:
    for variant in operation.variants:
        assert operation.variant_for(variant.example) is variant


# ------------------------------------------------------------------------------------- signatures


@every_operation
def test_parameters_are_those_of_the_spec(operation: Operation[Any]) -> None:
    for method in both(operation):
        _, *parameters = inspect.signature(method).parameters.values()
        assert [parameter.name for parameter in parameters[:-1]] == _first_positional(operation)
        assert parameters[-1].name == "options"
        assert parameters[-1].default is None
        for parameter in parameters[:-1]:
            required = operation.by_name[parameter.name].required
            assert parameter.default is (inspect.Parameter.empty if required else None), parameter.name
            positional = parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
            assert positional == (required or parameter.name == "symbol"), parameter.name


def _first_positional(operation: Operation[Any]) -> list[str]:
    """Names as a caller meets them: the symbol, what else is required, the rest, each in the order of the spec."""
    return [
        parameter.name
        for parameter in sorted(
            operation.parameters, key=lambda parameter: (parameter.name != "symbol", not parameter.required)
        )
    ]


@every_operation
def test_both_clients_have_the_same_signatures(operation: Operation[Any]) -> None:
    asynchronous, blocking = both(operation)
    # What warns is wrapped, and is known to be one only since Python 3.12.
    assert inspect.iscoroutinefunction(inspect.unwrap(asynchronous))
    assert not inspect.iscoroutinefunction(blocking)
    assert inspect.signature(asynchronous) == inspect.signature(blocking)
    assert [inspect.signature(overload) for overload in get_overloads(asynchronous)] == [
        inspect.signature(overload) for overload in get_overloads(blocking)
    ]
    assert inspect.getdoc(asynchronous) == inspect.getdoc(blocking)


@every_operation
def test_each_variant_is_promised_by_a_signature(operation: Operation[Any]) -> None:
    for method in both(operation):
        signatures = get_overloads(method) or [method]
        promised = [get_type_hints(signature, include_extras=True)["return"] for signature in signatures]
        assert {str(type_) for type_ in promised} == {str(variant.type) for variant in operation.variants}
        for variant in operation.variants:
            # Some overload that promises this very type takes exactly the arguments of the example.
            named = {operation.by_wire[name].name: value for name, value in variant.example.items()}
            fitting = [signature for signature in signatures if _takes(signature, named)]
            assert str(variant.type) in {
                str(get_type_hints(signature, include_extras=True)["return"]) for signature in fitting
            }


def _takes(signature: Any, named: dict[str, Any]) -> bool:
    try:
        inspect.signature(signature).bind(None, **named)
    except TypeError:
        return False
    return True


@every_operation
def test_iterators_page_the_operation(operation: Operation[Any]) -> None:
    if operation.paging is None:
        assert not any(hasattr(api[operation.market], f"iter_{operation.name}") for api in (ASYNC, SYNC))
        return
    asynchronous, blocking = both(operation, "iter_")
    assert list(inspect.signature(asynchronous).parameters) == list(inspect.signature(blocking).parameters)
    single = get_type_hints(both(operation)[0])["return"]
    for method, iterator in ((asynchronous, AsyncIterator), (blocking, Iterator)):
        (row,) = get_args(single)
        assert get_type_hints(method)["return"] == iterator[row]
        names = list(inspect.signature(method).parameters)
        assert names[-3:] == ["limit", "page_size", "options"]
        assert set(names[1:-3]) | {"limit"} | {operation.by_wire[operation.paging.cursor].name} >= set(
            operation.by_name
        ) - {operation.by_wire[operation.paging.size].name}


@every_operation
def test_the_key_of_a_page_is_an_attribute_of_its_rows(operation: Operation[Any]) -> None:
    if operation.paging is None:
        return
    (row,) = get_args(operation.variants[0].type)
    fields = getattr(row, "model_fields", None) or row.field_names()
    assert operation.paging.key in fields
    assert operation.paging.time is None or operation.paging.time in fields
    for wire in (operation.paging.cursor, operation.paging.size, operation.paging.start, operation.paging.end):
        assert wire is None or wire in operation.by_wire


# ------------------------------------------------------------------------------------ documentation


@every_operation
def test_docstrings_state_path_and_every_weight(operation: Operation[Any]) -> None:
    for method in both(operation):
        text = inspect.getdoc(method) or ""
        assert f"GET {operation.path}`" in text
        weight = re.search(r"Weight: (.*?)(?=\n\n|\n- |\Z)", text, re.DOTALL)
        assert weight is not None
        numbers = {int(number) for number in re.findall(r"\d+", weight[1])}
        assert weights_of(operation.weight) <= numbers
        for parameter in operation.parameters:
            assert re.search(rf"^    {parameter.name}: \S", text, re.MULTILINE), parameter.name
        assert "Source: " in text
    if operation.paging is not None:
        for method in both(operation, "iter_"):
            assert re.search(r"Weight of a page: \S", inspect.getdoc(method) or "")


@every_operation
def test_deprecated_endpoints_say_so(operation: Operation[Any]) -> None:
    for method in both(operation):
        assert getattr(method, "__deprecated__", None) == operation.deprecated


@pytest.mark.parametrize("market", MARKETS)
def test_public_names_are_there_and_documented(market: str) -> None:
    module = import_module(f"binance_sdk.{market}")
    for name in module.__all__:
        value = getattr(module, name)
        if isinstance(value, type):
            assert inspect.getdoc(value), name
            for field, view in inspect.getmembers(value, lambda member: isinstance(member, property)):
                if not field.startswith(("model_", "__")):
                    assert inspect.getdoc(view), f"{name}.{field}"
