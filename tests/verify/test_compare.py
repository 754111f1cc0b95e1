"""The comparison of shapes agrees with the models that read the same JSON, though neither knows the other."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from binance_sdk.catalogue import CATALOGUE, MARKETS, STREAMS, fixture, stream_fixture
from binance_sdk.verify.compare import Difference, compare
from binance_sdk.verify.market_spec import MarketSpec, installed_spec
from binance_sdk.verify.report import Subject
from tests.shared_facts import FACTS, found, load, name_of

Place = tuple[str | int, ...]
_KEPT = 2
"""Items of a list that are changed: the others are like them."""


def places(value: Any, path: Place = ()) -> Iterator[Place]:
    """Every key and item within a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value[:_KEPT]) if isinstance(value, list) else ()
    for step, one in inner:
        yield (*path, step)
        yield from places(one, (*path, step))


def other_type(value: Any) -> Any:
    """A value of a type that nobody takes for the same."""
    if isinstance(value, (list, bool)):
        return {"a": 1}
    if isinstance(value, (int, float)):
        return str(value)
    return [value] if isinstance(value, dict) else 1.5


def damaged(value: Any) -> Iterator[tuple[Place, str, Any]]:
    """The value with one place missing, null, empty or of another type, in turn."""
    for path, how in zip(places(value), cycle(("drop", "null", "empty", "type", "drop"))):
        whole = copy.deepcopy(value)
        at = whole
        for step in path[:-1]:
            at = at[step]
        if how == "drop":
            del at[path[-1]]
        else:
            at[path[-1]] = {"null": None, "empty": ""}.get(how, other_type(at[path[-1]]))
        yield path, how, whole


def examples(market: str) -> Iterator[tuple[str, str, TypeAdapter[Any], Any, bool]]:
    """Name, type, reader and example of all that a market says, and whether everything in it must be set."""
    spec = installed_spec(market)
    for operation in CATALOGUE[market]:
        for known, variant in zip(spec.operations[operation.name].returns, operation.variants, strict=True):
            for suffix in variant.fixtures:
                body = fixture(market, operation.name, suffix)
                yield operation.id, known.type, variant.adapter, json.loads(body), True
    for stream in STREAMS:
        if stream.market == market:
            body = json.loads(stream_fixture(market, stream.name))
            # A live event always has what one that was fetched over REST may lack, so the model cannot ask for it.
            yield stream.id, spec.streams[stream.name].event, stream.adapter, body, not stream.live_only


def breaks(spec: MarketSpec, type_: str, value: Any) -> bool:
    """Whether a program would break of it."""
    subject = Subject(about="operation", market=spec.market, name="x")
    findings = [subject.finding(one, "answer") for one in compare(spec, type_, [value])]
    # Whether the spec is sure of a field is nothing that its model knows.
    return any(one.severity == "breaking" or one.uncertain for one in findings)


def reads(adapter: TypeAdapter[Any], value: Any) -> bool:
    try:
        adapter.validate_json(json.dumps(value))
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("market", MARKETS)
def test_what_the_models_refuse_is_found_and_what_they_read_breaks_nothing(market: str) -> None:
    spec, tried = installed_spec(market), 0
    for name, type_, adapter, example, complete in examples(market):
        assert compare(spec, type_, [example]) == []
        for path, how, value in damaged(example):
            tried += 1
            if not reads(adapter, value):
                assert breaks(spec, type_, value), (name, path, how)
            elif complete:
                assert not breaks(spec, type_, value), (name, path, how)
    assert tried > 400


def one(spec: MarketSpec, type_: str, *values: Any) -> Difference:
    found = compare(spec, type_, values)
    assert len(found) == 1, found
    return found[0]


def test_many_rows_give_one_difference_with_its_extent() -> None:
    spec = installed_spec("spot")
    rows = [{"symbol": "BTCUSDT", "price": "1"}, {"symbol": "ETHUSDT"}, {"symbol": "ADAUSDT"}]
    met = one(spec, "list<TickerPrice>", rows)
    assert (met.kind, met.path, met.owner, met.seen) == (
        "field_missing",
        "[].price",
        "TickerPrice",
        {"objects": 3, "without": 2},
    )


def test_a_field_is_only_called_renamed_where_there_is_no_doubt() -> None:
    spec = installed_spec("spot")
    assert one(spec, "TickerPrice", {"symbol": "A", "cost": "1"}).kind == "field_renamed"
    # Of another type, not in every row, or one of two.
    for values in (
        [{"symbol": "A", "cost": 1}],
        [{"symbol": "A", "cost": "1"}, {"symbol": "B", "price": "1"}],
        [{"symbol": "A", "cost": "1", "worth": "1"}],
    ):
        assert {"field_missing", "field_added"} == {met.kind for met in compare(spec, "TickerPrice", values)}


def test_each_new_value_of_an_enum_is_told() -> None:
    spec = installed_spec("spot")
    met = compare(spec, "list<SymbolStatus>", [["TRADING", "PAUSED", "LATER", "PAUSED"]])
    assert [(difference.kind, difference.seen) for difference in met] == [
        ("value_added", "PAUSED"),
        ("value_added", "LATER"),
    ]


def test_long_values_are_cut() -> None:
    met = one(installed_spec("spot"), "TickerPrice", {"symbol": "A", "price": "1", "note": ["x" * 1000] * 100})
    assert isinstance(met.seen, list)
    assert len(met.seen) == 20
    assert isinstance(met.seen[0], str)
    assert len(met.seen[0]) < 500


@pytest.mark.skipif(not FACTS.is_dir(), reason="no fact base: it is looked for in ../shared/binance")
@pytest.mark.parametrize("path", found("observed-2026-10/*/*.json"), ids=name_of)
def test_what_was_seen_on_the_wire_is_left_in_peace(path: Path) -> None:
    spec, name = installed_spec("futures"), path.name.partition(".")[0]
    value = load(path)
    if path.parent.name == "streams":
        assert (
            compare(spec, spec.streams[name].event, [value.get("data", value) if isinstance(value, dict) else value])
            == []
        )
        return
    returns = spec.operations[name].returns
    variant = next((one for one in returns if f".{one.variant}." in path.name), returns[0])
    assert compare(spec, variant.type, [value]) == []
