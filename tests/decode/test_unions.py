"""What the server chooses between: known members strict, unknown ones kept, all of it made for ``match``."""

from __future__ import annotations

import json
import pickle
from typing import Any, get_args

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from binance_sdk import errors, futures, spot
from binance_sdk._runtime.answers.decode import decode
from binance_sdk._runtime.answers.shape_drift import ShapeWatch
from binance_sdk._runtime.response import Headers
from binance_sdk._runtime.transport.protocol import RawResponse
from binance_sdk.catalogue import CATALOGUE, fixture

UNIONS = [
    pytest.param(spot.SymbolFilter, "filterType", spot.UnknownSymbolFilter, 15, id="spot.SymbolFilter"),
    pytest.param(spot.ExchangeFilter, "filterType", spot.UnknownExchangeFilter, 4, id="spot.ExchangeFilter"),
    pytest.param(spot.ExecutionRule, "ruleType", spot.UnknownExecutionRule, 1, id="spot.ExecutionRule"),
    pytest.param(
        spot.ReferencePriceCalculation,
        "calculationType",
        spot.UnknownReferencePriceCalculation,
        2,
        id="spot.ReferencePriceCalculation",
    ),
    pytest.param(futures.SymbolFilter, "filterType", futures.UnknownSymbolFilter, 8, id="futures.SymbolFilter"),
]


def members(union: Any) -> dict[str, type[BaseModel]]:
    """Models by tag."""
    found = {}
    for member in get_args(get_args(union)[0]):
        model, tag = get_args(member)
        found[tag.tag] = model
    return found


def read(operation: str, document: Any) -> Any:
    market, _, name = operation.partition(".")
    found = CATALOGUE[market].operations[name]  # type: ignore[arg-type]
    return decode(found, found.variants[0], RawResponse(200, Headers(), json.dumps(document).encode()), ShapeWatch())


@pytest.mark.parametrize(("union", "tag", "unknown", "known"), UNIONS)
def test_an_unknown_tag_is_kept_whole(union: Any, tag: str, unknown: type[BaseModel], known: int) -> None:
    assert len(members(union)) == known + 1
    document = {tag: "SOMETHING_NEW", "symbol": "BTCUSDT", "limit": "1.50", "nested": {"a": [1, None, 2.5]}}
    adapter = TypeAdapter(union)
    found = adapter.validate_python(document)
    assert type(found) is unknown
    extras = dict(found.model_extra)
    for name in ("symbol", "limit", "nested"):
        assert getattr(found, name) == document[name]
    assert extras["nested"] == {"a": [1, None, 2.5]}
    assert json.loads(adapter.dump_json(found, by_alias=True, exclude_unset=True)) == document
    assert pickle.loads(pickle.dumps(found)) == found
    assert adapter.validate_json(json.dumps(document)) == found


@pytest.mark.parametrize(("union", "tag", "unknown", "known"), UNIONS)
def test_a_known_tag_is_strict(union: Any, tag: str, unknown: type[BaseModel], known: int) -> None:
    tags = {"filter_type", "rule_type", "calculation_type"}
    for name, model in members(union).items():
        needed = {field for field, info in model.model_fields.items() if info.is_required()} - tags
        if model is not unknown and needed:
            with pytest.raises(ValidationError, match="Field required"):
                TypeAdapter(union).validate_python({tag: name})


@pytest.mark.parametrize(("union", "tag", "unknown", "known"), UNIONS)
@pytest.mark.parametrize("wrong", [None, 5, [], {}, True])
def test_a_tag_that_is_no_text_is_refused(union: Any, tag: str, unknown: type, known: int, wrong: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(union).validate_python({tag: wrong})


@pytest.mark.parametrize(("union", "tag", "unknown", "known"), UNIONS)
@pytest.mark.parametrize("wrong", [{}, [], None, "LOT_SIZE", 1])
def test_what_has_no_tag_is_refused(union: Any, tag: str, unknown: type, known: int, wrong: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(union).validate_python(wrong)


@pytest.mark.parametrize(("union", "tag", "unknown", "known"), UNIONS)
def test_members_made_by_user_code_are_accepted(union: Any, tag: str, unknown: type, known: int) -> None:
    made = TypeAdapter(union).validate_python({tag: "SOMETHING_NEW"})
    assert TypeAdapter(union).validate_python(made) == made
    assert type(TypeAdapter(union).validate_python(made)) is unknown


@pytest.mark.parametrize(("union", "tag", "unknown", "known"), UNIONS)
@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_json_schema_names_every_member(union: Any, tag: str, unknown: type, known: int, mode: Any) -> None:
    schema = TypeAdapter(union).json_schema(mode=mode)
    assert {model.__name__ for model in members(union).values()} <= set(schema["$defs"])


@pytest.mark.parametrize("market", ["spot", "futures"])
def test_a_malformed_filter_is_named_by_row_and_field(market: Any) -> None:
    document = json.loads(fixture(market, "exchange_info"))
    filters = document["symbols"][1]["filters"]
    index = next(index for index, entry in enumerate(filters) if entry["filterType"] == "LOT_SIZE")
    del filters[index]["stepSize"]
    with pytest.raises(errors.DecodeError) as caught:
        read(f"{market}.exchange_info", document)
    assert caught.value.problems == (f"symbols[1].filters[{index}].stepSize: is missing",)
    filters[index]["stepSize"] = "1e-5"
    with pytest.raises(errors.DecodeError) as caught:
        read(f"{market}.exchange_info", document)
    (problem,) = caught.value.problems
    assert problem == f"symbols[1].filters[{index}].stepSize: should be a decimal string, got '1e-5'"


def test_a_malformed_calculation_is_named_by_field() -> None:
    document = json.loads(fixture("spot", "reference_price_calculation", "arithmetic_mean"))
    del document["bucketCount"]
    with pytest.raises(errors.DecodeError) as caught:
        read("spot.reference_price_calculation", document)
    assert caught.value.problems == ("bucketCount: is missing",)


def test_a_calculation_without_a_type_is_named_by_field() -> None:
    document = json.loads(fixture("spot", "reference_price_calculation", "external"))
    del document["calculationType"]
    with pytest.raises(errors.DecodeError) as caught:
        read("spot.reference_price_calculation", document)
    assert caught.value.problems == ("calculationType: is missing",)


def described(rule: spot.SymbolFilter) -> str:
    match rule:
        case spot.PriceFilter(tick_size=tick_size):
            return f"tick {tick_size}"
        case spot.LotSizeFilter():
            return f"step {rule.step_size}"
        case spot.UnknownSymbolFilter(filter_type=name):
            return f"unknown {name} {rule.model_extra}"
        case _:
            return "another"


def test_match() -> None:
    document = json.loads(fixture("spot", "exchange_info"))
    document["symbols"][0]["filters"] = [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "9.00", "tickSize": "0.010"},
        {"filterType": "LOT_SIZE", "minQty": "1", "maxQty": "2", "stepSize": "0.10"},
        {"filterType": "T_PLUS_SELL", "endTime": 5},
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 3},
    ]
    info = read("spot.exchange_info", document)
    assert [described(rule) for rule in info.symbols[0].filters] == [
        "tick 0.010",
        "step 0.10",
        "unknown T_PLUS_SELL {'endTime': 5}",
        "another",
    ]


def test_match_on_what_decides_a_reference_price() -> None:
    found = []
    for suffix in ("arithmetic_mean", "external"):
        document = json.loads(fixture("spot", "reference_price_calculation", suffix))
        match read("spot.reference_price_calculation", document):
            case spot.ArithmeticMeanCalculation(bucket_count=count):
                found.append(("mean", count))
            case spot.ExternalCalculation(external_calculation_id=id_):
                found.append(("external", id_))
    assert [kind for kind, _ in found] == ["mean", "external"]
    assert all(isinstance(value, int) for _, value in found)


def test_the_same_name_on_the_other_market_is_another_model() -> None:
    assert spot.MaxNumOrdersFilter is not futures.MaxNumOrdersFilter
    assert spot.MaxNumOrdersFilter.model_fields["max_num_orders"].alias == "maxNumOrders"
    assert futures.MaxNumOrdersFilter.model_fields["max_num_orders"].alias == "limit"
