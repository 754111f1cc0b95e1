"""What Binance may change without breaking a program, and what it may not change unnoticed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from binance_sdk import RequestOptions, errors
from binance_sdk._runtime.answers.row import Row

from .calls import CASES, KINDS, Case, Kind, call, canonical, written
from .walk import Place, at, changed, places, without

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)

ONCE = RequestOptions(max_retries=0)

OPTIONAL = {
    # All that an answer may leave out, by hand from the fact base; every other field is always sent.
    "shared.RateLimit": {"rateLimitType", "interval", "intervalNum", "limit"},
    "spot.ExchangeInfo": {"sors"},
    "spot.PriceRangeRule": {"bidLimitMultUp", "bidLimitMultDown", "askLimitMultUp", "askLimitMultDown"},
    "spot.SymbolInfo": {"quotePrecision"},
    "futures.AggTrade": {"nq"},
    "futures.Constituent": {"price", "weight"},
    "futures.ExchangeInfo": {"futuresType"},
    "futures.FundingInfo": {"updateTime"},
    "futures.FundingRate": {"rateType"},
    "futures.OpenInterestHist": {"CMCCirculatingSupply"},
    "futures.SymbolInfo": {"settlePlan", "maxMoveOrderLimit", "permissionSets"},
    "futures.Trade": {"isRPITrade"},
    "coin_futures.Constituent": {"price", "weight"},
    "coin_futures.ExchangeInfo": {"exchangeFilters"},
    "coin_futures.FundingInfo": {"updateTime"},
    "coin_futures.SymbolInfo": {
        "maxMoveOrderLimit",
        "orderTypes",
        "permissionSets",
        "underlyingSubType",
    },
}


def encoded(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


async def answered(case: Case, document: Any, kind: Kind = "sync") -> Any:
    return (await call(kind, case.operation, case.arguments, encoded(document))).result


async def refused(case: Case, document: Any, kind: Kind = "sync") -> errors.DecodeError:
    with pytest.raises(errors.DecodeError) as caught:
        await answered(case, document, kind)
    return caught.value


async def original(case: Case) -> tuple[Any, Any]:
    """The answer and its JSON."""
    wire = json.loads(case.body)
    return await answered(case, wire), wire


def class_name(model: type) -> str:
    return f"{model.__module__.split('.')[2]}.{model.__name__}"


def first_of_each_class(data: Any, wire: Any) -> Iterator[Place]:
    """One place for each class: the others are read by the same code."""
    seen: set[type] = set()
    for place in places(data, wire):
        if type(place.value) not in seen:
            seen.add(type(place.value))
            yield place


# ---------------------------------------------------------------------------- what breaks, by name


@every_case
async def test_a_missing_field_is_named(case: Case) -> None:
    data, wire = await original(case)
    for place in first_of_each_class(data, wire):
        for alias in place.wire if isinstance(place.value, BaseModel) else ():
            document = without(wire, (*place.path, alias))
            if alias in OPTIONAL.get(class_name(type(place.value)), set()):
                again = await answered(case, document)
                assert canonical(written(case.variant, again)) == canonical(encoded(document))
                continue
            error = await refused(case, document)
            assert f"{place.field(alias)}: is missing" in error.problems
            assert str(error).startswith(f"{case.operation.id}: ")
            assert f"{place.field(alias)}: is missing" in str(error)
            assert error.operation == case.operation.id
            assert error.body == encoded(document)


@every_case
async def test_a_field_of_another_type_is_named(case: Case) -> None:
    data, wire = await original(case)
    for place in first_of_each_class(data, wire):
        for alias, value in place.wire.items() if isinstance(place.value, BaseModel) else ():
            wrong: Any = {"is": "an object"} if isinstance(value, list) else []
            error = await refused(case, changed(wire, (*place.path, alias), wrong))
            (problem,) = error.problems
            assert problem.startswith(f"{place.field(alias)}: ")
            assert not [word for word in ("lambda", "function", "literal[", "union[") if word in problem]


@every_case
async def test_a_bad_position_of_a_row_is_named(case: Case) -> None:
    data, wire = await original(case)
    for place in first_of_each_class(data, wire):
        for position, (name, kind) in enumerate(place.value._positions if isinstance(place.value, Row) else ()):
            if kind == "any":
                continue
            error = await refused(case, changed(wire, (*place.path, position), []))
            (problem,) = error.problems
            assert problem.startswith(f"{place.field(name)}: should be ")


@every_case
async def test_a_row_that_is_too_short_names_what_is_missing(case: Case) -> None:
    data, wire = await original(case)
    for place in first_of_each_class(data, wire):
        if isinstance(place.value, Row):
            error = await refused(case, changed(wire, place.path, place.wire[:1]))
            for name in place.value.field_names()[1:]:
                assert f"{place.field(name)}: is missing" in error.problems


@pytest.mark.parametrize("kind", KINDS)
@every_case
async def test_an_answer_of_another_kind(kind: Kind, case: Case) -> None:
    wire = json.loads(case.body)
    for body in (b"", b"[[", b"null", b'"text"', b"[]" if isinstance(wire, dict) else b'{"a": 1}'):
        with pytest.raises(errors.DecodeError) as caught:
            await call(kind, case.operation, {**case.arguments, "options": ONCE}, body)
        assert caught.value.body == body
        assert caught.value.operation == case.operation.id
        assert len(caught.value.problems) == 1


# ----------------------------------------------------------------------------- what breaks nothing


@every_case
async def test_an_added_field_is_kept(case: Case) -> None:
    data, document = await original(case)
    added = {"nested": [1, "two", {"three": 3.25, "four": None}]}
    for place in list(places(data, document)):
        if isinstance(place.value, BaseModel):
            at(document, place.path)["addedByBinance"] = added
    again = await answered(case, document)
    for place in places(again, document):
        if isinstance(place.value, BaseModel):
            assert (place.value.model_extra or {})["addedByBinance"] == added
    assert canonical(written(case.variant, again)) == canonical(encoded(document))


@every_case
async def test_an_added_position_is_kept(case: Case) -> None:
    data, wire = await original(case)
    rows = [place for place in places(data, wire) if isinstance(place.value, Row)]
    document = wire
    for place in rows:
        document = changed(document, place.path, [*place.wire, "added", {"by": "Binance"}])
    again = await answered(case, document)
    for place in places(again, document):
        if isinstance(place.value, Row):
            assert place.value[len(type(place.value)._positions) :] == ("added", {"by": "Binance"})
            assert list(place.value) == place.wire
            assert len(place.value.values()) == len(place.value.field_names())
    assert canonical(written(case.variant, again)) == canonical(encoded(document))


def literal_inside(annotation: Any) -> bool:
    return get_origin(annotation) is Literal or any(literal_inside(part) for part in get_args(annotation))


@every_case
async def test_an_unknown_enum_value_passes(case: Case) -> None:
    data, wire = await original(case)
    document = wire
    enums = [
        (place, name, field.alias or name)
        for place in first_of_each_class(data, wire)
        if isinstance(place.value, BaseModel)
        for name, field in type(place.value).model_fields.items()
        if (field.alias or name) in place.wire and literal_inside(field.annotation)
    ]
    for place, _, alias in enums:
        given = place.wire[alias]
        new: Any = "NEW_VALUE"
        while isinstance(given, list):
            new, given = [new], given[0] if given else None
        document = changed(document, (*place.path, alias), new)
    again = await answered(case, document)
    for place, name, alias in enums:
        parent = next(candidate for candidate in places(again, document) if candidate.path == place.path)
        assert getattr(parent.value, name) == at(document, (*place.path, alias))
    assert canonical(written(case.variant, again)) == canonical(encoded(document))


@every_case
async def test_the_order_of_keys_does_not_matter(case: Case) -> None:
    def turned(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: turned(part[key]) for key in reversed(part)}
        return [turned(item) for item in part] if isinstance(part, list) else part

    data, wire = await original(case)
    assert await answered(case, turned(wire)) == data
