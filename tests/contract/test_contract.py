"""Every operation, variant and example answer, called through real clients: what is sent, paid and returned."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, timedelta
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin
from urllib.parse import parse_qsl, urlsplit

import pytest
from pydantic import BaseModel, TypeAdapter

from binance_sdk import RequestOptions, errors
from binance_sdk._runtime.answers.row import Row
from binance_sdk._runtime.operation import OneOf
from binance_sdk._runtime.response import Headers, Plan, Response
from binance_sdk.catalogue import CATALOGUE, Operation, Parameter, fixture

from .calls import API_KEY, CASES, KINDS, NOW_MS, OPERATIONS, Case, Kind, call, canonical, written
from .walk import places

USED = {"X-MBX-USED-WEIGHT-1M": "1234"}

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
every_operation = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.id)
both_clients = pytest.mark.parametrize("kind", KINDS)


def on_the_wire(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)


def decoded_query(url: str) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=bool(urlsplit(url).query))


def is_of(value: Any, type_: Any) -> bool:
    """Whether a value has exactly the shape a variant promises."""
    origin = get_origin(type_)
    if origin is list:
        return type(value) is list and bool(value) and all(is_of(item, get_args(type_)[0]) for item in value)
    if origin is Annotated:
        return is_of(value, get_args(type_)[0])
    if origin in (Union, UnionType):
        return any(is_of(value, member) for member in get_args(type_))
    return type(value) is type_


# --------------------------------------------------------------------------------- what is sent


@both_clients
@every_case
async def test_the_request(kind: Kind, case: Case) -> None:
    called = await call(kind, case.operation, case.arguments, case.body)
    request = called.request
    assert request.method == "GET"
    assert request.url.path == case.operation.path
    expected = sorted((name, on_the_wire(value)) for name, value in case.wire.items())
    assert sorted(decoded_query(str(request.url))) == expected
    assert request.content == b""
    assert request.headers["accept"] == "application/json"
    assert "x-mbx-time-unit" not in request.headers
    assert request.headers.get("x-mbx-apikey") == (None if case.operation.security == "none" else API_KEY)


@both_clients
@every_operation
async def test_without_a_key(kind: Kind, operation: Operation[Any]) -> None:
    case = next(case for case in CASES if case.operation is operation)
    if operation.security == "api_key":
        with pytest.raises(errors.ConfigError, match="needs an API key") as caught:
            await call(kind, operation, case.arguments, case.body, api_key=None)
        assert caught.value.operation == operation.id
    else:
        called = await call(kind, operation, case.arguments, case.body, api_key=None)
        assert "x-mbx-apikey" not in called.request.headers


def legal_value(parameter: Parameter) -> Any:
    """A value of a parameter that is not its default."""
    if parameter.type == "int":
        legal = list(parameter.choices) if parameter.choices else [parameter.min, parameter.max]
        value: Any = next((choice for choice in legal if choice not in (None, parameter.default)), legal[0])
    elif parameter.type == "enum":
        value = next(choice for choice in parameter.choices or () if choice != parameter.default)
    else:
        value = {
            "symbol": "ETHUSDT" if parameter.symbol_form is None else parameter.symbol_form.example,
            "string": "BTCUSDT" if parameter.pattern is None else "7d",
            "id": 9_007_199_254_740_993,
            "time": NOW_MS - 60_000,
            "bool": False,
            "utc_offset": "-3:30",
        }[parameter.type]
    return [value] if parameter.list else value


def excluded_by(operation: Operation[Any], wire: str) -> set[str]:
    """Parameters that may not be passed beside this one."""
    groups = [set(rule.names) for rule in operation.rules if isinstance(rule, OneOf) and wire in rule.names]
    return set().union(*groups) - {wire}


@pytest.mark.parametrize(
    ("operation", "parameter"),
    [
        pytest.param(operation, parameter, id=f"{operation.id}-{parameter.name}")
        for operation in OPERATIONS
        for parameter in operation.parameters
    ],
)
async def test_every_parameter_reaches_the_wire(operation: Operation[Any], parameter: Parameter) -> None:
    value = legal_value(parameter)
    away = excluded_by(operation, parameter.wire)
    given = {name: value for name, value in operation.variants[0].example.items() if name not in away}
    given[parameter.wire] = value
    variant = operation.variant_for(given)
    body = fixture(operation.market, operation.name, variant.fixtures[0])
    named = {operation.by_wire[name].name: value for name, value in given.items()}
    called = await call("sync", operation, named, body)
    assert dict(decoded_query(str(called.request.url))) == {name: on_the_wire(value) for name, value in given.items()}


# --------------------------------------------------------------------------------- what it costs


@both_clients
@every_case
async def test_the_price(kind: Kind, case: Case) -> None:
    price = case.operation.price(case.wire)
    called = await call(kind, case.operation, case.arguments, case.body)
    assert called.limits.used == price
    charged = {name: usage.used for name, usage in called.limits.groups.items()}
    limits = CATALOGUE[case.operation.market].limits.groups
    concerned = {name for name, limit in limits.items() if limit.every_request or name in case.operation.groups}
    assert charged == {name: int(name in concerned) for name in limits}


@both_clients
@every_case
async def test_the_plan_costs_the_same_and_sends_nothing(kind: Kind, case: Case) -> None:
    called = await call(kind, case.operation, case.arguments, case.body, view="plan")
    assert called.requests == []
    assert called.limits.used == 0
    assert all(usage.used == 0 for usage in called.limits.groups.values())
    assert called.result == Plan(
        operation=case.operation.id,
        requests=1,
        weight=case.operation.price(case.wire),
        groups=dict.fromkeys(case.operation.groups, 1),
        at_least=0.0,
    )


@both_clients
@every_case
async def test_the_server_is_believed_where_its_count_can_be_trusted(kind: Kind, case: Case) -> None:
    called = await call(kind, case.operation, case.arguments, case.body, headers=USED)
    trusted = case.operation.used_weight_header == "trusted"
    assert called.limits.used == (1234 if trusted else case.operation.price(case.wire))


# ------------------------------------------------------------------------------ what is returned


@both_clients
@every_case
async def test_the_result(kind: Kind, case: Case) -> None:
    data = (await call(kind, case.operation, case.arguments, case.body)).result
    assert is_of(data, case.variant.type)
    assert canonical(written(case.variant, data)) == canonical(case.body)
    # The same by the spelling a user has at hand.
    wire = json.loads(case.body)
    for model, part in zip(data, wire, strict=True) if isinstance(data, list) else [(data, wire)]:
        if isinstance(model, BaseModel):
            text = model.model_dump_json(by_alias=True, exclude_unset=True)
            assert canonical(text) == canonical(json.dumps(part))


@both_clients
@every_case
async def test_the_raw_response(kind: Kind, case: Case) -> None:
    headers = {**USED, "X-Some-Header": "some value"}
    called = await call(kind, case.operation, case.arguments, case.body, view="with_raw_response", headers=headers)
    response = called.result
    assert type(response) is Response
    assert is_of(response.data, case.variant.type)
    assert response.status_code == 200
    assert isinstance(response.headers, Headers)
    assert response.headers["x-some-header"] == response.headers["X-SOME-HEADER"] == "some value"
    assert response.content == case.body
    assert response.weight == case.operation.price(case.wire)
    assert response.used_weight == 1234
    assert urlsplit(response.url)[:3] == urlsplit(str(called.request.url))[:3]
    assert decoded_query(response.url) == decoded_query(str(called.request.url))
    assert response.elapsed > 0
    assert response.retries == 0
    again = pickle.loads(pickle.dumps(response))
    assert again == response
    assert again.headers["X-SOME-HEADER"] == "some value"


@every_case
async def test_without_a_count_of_the_server(case: Case) -> None:
    called = await call("sync", case.operation, case.arguments, case.body, view="with_raw_response")
    assert called.result.used_weight is None


@every_case
async def test_results_can_be_pickled_and_copied(case: Case) -> None:
    data = (await call("sync", case.operation, case.arguments, case.body)).result
    for again in (pickle.loads(pickle.dumps(data)), copy.copy(data), copy.deepcopy(data)):
        assert again == data
        assert is_of(again, case.variant.type)
        assert canonical(written(case.variant, again)) == canonical(case.body)
    for place in places(data, json.loads(case.body)):
        if isinstance(place.value, BaseModel):
            assert place.value.model_copy() == place.value


@every_case
async def test_results_can_be_read_from_their_own_json(case: Case) -> None:
    data = (await call("sync", case.operation, case.arguments, case.body)).result
    assert case.variant.adapter.validate_json(written(case.variant, data)) == data


@every_case
async def test_models_are_frozen(case: Case) -> None:
    data = (await call("sync", case.operation, case.arguments, case.body)).result
    for place in places(data, json.loads(case.body)):
        if isinstance(place.value, BaseModel) and type(place.value).model_fields:
            name = next(iter(type(place.value).model_fields))
            with pytest.raises(ValueError, match="frozen"):
                setattr(place.value, name, getattr(place.value, name))


@every_case
async def test_every_time_has_a_view(case: Case) -> None:
    """Epoch milliseconds are told by their size, not by the spec, so that a time the spec forgot is found."""
    data = (await call("sync", case.operation, case.arguments, case.body)).result
    for place in places(data, json.loads(case.body)):
        value = place.value
        names = value.field_names() if isinstance(value, Row) else tuple(type(value).model_fields)
        times = {
            name
            for name in names
            if isinstance(number := getattr(value, name), int)
            and 1_500_000_000_000 < number < 4_200_000_000_000
            and not name.endswith("id")
        }
        views = {name.removesuffix("_dt") for name in dir(type(value)) if name.endswith("_dt")}
        assert times <= views, f"{type(value).__name__}: no view of {times - views}"
        assert views <= set(names)
        for name in views:
            moment = getattr(value, f"{name}_dt")
            if not getattr(value, name):
                assert moment is None  # 1970 stands for "none" on the wire
                continue
            assert moment.tzinfo is UTC
            milliseconds = moment.timestamp() * 1000
            assert round(milliseconds) == getattr(value, name)
            assert moment.utcoffset() == timedelta(0)


@pytest.mark.parametrize("mode", ["validation", "serialization"])
@every_case
def test_every_answer_has_a_json_schema(case: Case, mode: Any) -> None:
    schema = TypeAdapter(case.variant.type).json_schema(mode=mode)
    assert schema
    json.dumps(schema)


# ------------------------------------------------------------------------------- options and hosts


@both_clients
@every_operation
async def test_options_go_last_and_reach_the_request(kind: Kind, operation: Operation[Any]) -> None:
    case = next(case for case in CASES if case.operation is operation)
    options = RequestOptions(timeout=3.5, headers={"X-Trace": "abc"})
    called = await call(kind, operation, {**case.arguments, "options": options}, case.body)
    assert called.request.headers["x-trace"] == "abc"
    assert called.request.extensions["timeout"]["read"] == 3.5
