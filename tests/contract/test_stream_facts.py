"""Streams against what is known of them: the documented payloads, other people's examples, and recorded traffic."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

import pytest
import yaml
from pydantic import BaseModel
from shared_facts import FACTS, found, load, market_of, message_of, messages, name_of, needs_facts, streams

from binance_sdk._runtime.stream.operation import StreamOperation
from binance_sdk.catalogue import STREAMS, stream_fixture

from .calls import canonical

OURS_ALONE = {"futures.all_asset_indexes"}
"""The documents give one stream two forms of its name; here each form has its own answer and so its own method."""
FORMS = {"futures.asset_index": ("futures.asset_index", "futures.all_asset_indexes")}

SAMPLES = {"samples": "sample_count", "symbol_or_ignore": "symbol"}
"""Names of the documents that say less than ours."""
OURS = yaml.safe_load((Path(__file__).parents[2] / "spec/names.yaml").read_text(encoding="utf-8"))["names"]
"""Facts whose name our dictionary chooses; the generator holds every schema to it."""

every_stream = pytest.mark.parametrize("operation", STREAMS, ids=lambda operation: operation.id)


def known(operation: StreamOperation[Any]) -> dict[str, Any]:
    name = next((name for name, forms in FORMS.items() if operation.id in forms), operation.id)
    if name not in streams():
        pytest.skip(f"streams.yaml of the fact base has no {name}: it is newer")
    return streams()[name]


# ------------------------------------------------------------------------------------- the documents


@needs_facts
def test_every_documented_stream_is_there() -> None:
    # The fact base is older than a stream that was added since.
    assert set(streams()) <= {operation.id for operation in STREAMS} - OURS_ALONE


@needs_facts
@every_stream
def test_the_documented_route_and_kind(operation: StreamOperation[Any]) -> None:
    facts = known(operation)
    assert operation.route == facts.get("route", "")
    kind = facts.get("event_type", "")
    assert (operation.event_type or "") == ("" if kind.startswith(("<", "*")) else kind)


@needs_facts
@every_stream
def test_the_documented_names(operation: StreamOperation[Any]) -> None:
    facts = known(operation)
    wanted = [facts["pattern"]] if isinstance(facts["pattern"], str) else facts["pattern"]
    if facts["id"] in FORMS:
        wanted = [text for text in wanted if text.startswith("!") == (operation.id in OURS_ALONE)]
    # A pattern of the documents has its suffixes spelt out, ours has them among the choices of `speed`.
    speeds = next((list(p.texts.values()) for p in operation.parameters if p.name == "speed"), [""])
    ours = {operation.pattern.replace("{speed}", speed) for speed in speeds}
    assert {re.sub(r"\{\w+\}", "{}", text) for text in ours} == {re.sub(r"<\w+>", "{}", text) for text in wanted}


@needs_facts
@every_stream
def test_the_documented_choices(operation: StreamOperation[Any]) -> None:
    for name, values in known(operation).get("params", {}).items():
        if isinstance(values, list) and name != "suffix":
            python = re.sub(r"([A-Z])", r"_\1", name).lower()
            (ours,) = (p for p in operation.parameters if p.name == python)
            assert list(ours.texts.values()) == [str(value) for value in values]
        if name == "suffix":
            (ours,) = (p for p in operation.parameters if p.name == "speed")
            assert set(ours.texts.values()) == set(values)


def parts(annotation: Any) -> Iterator[type[BaseModel]]:
    """Models that a field holds."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (list, UnionType):
        for inner in get_args(annotation):
            yield from parts(inner)


def compare(model: Any, fields: list[dict[str, Any]], nested: dict[str, Any], live_only: set[str]) -> None:
    ours = {info.alias or name: (name, info) for name, info in model.model_fields.items()}
    assert set(ours) == {field["key"] for field in fields}
    for field in fields:
        name, info = ours[field["key"]]
        # What is to be ignored has a name that says so, and no other is compared.
        ignored = name.startswith("ignore") and "ignore" in field["name"]
        assert ignored or name in (field["name"], SAMPLES.get(field["name"]), *OURS), (field, name)
        optional = field.get("optional", False)
        assert info.is_required() == (not optional and name not in live_only), field
        inner = nested.get(field["key"]) or nested.get(f"{field['key']}[]")
        if inner:
            (part,) = parts(info.annotation)
            compare(part, inner, {}, {path.removeprefix(f"{name}.") for path in live_only})


@needs_facts
@every_stream
def test_the_documented_keys_and_their_names(operation: StreamOperation[Any]) -> None:
    payload = known(operation)["payload"]
    is_list = payload["shape"] == "list_of_objects" and operation.id != "futures.asset_index"
    assert (get_origin(operation.type) is list) == is_list
    fields = list(payload["fields"])
    if operation.id == "futures.force_order":
        # Shares its event with the stream of all contracts, for which two more keys are documented.
        fields += [f for f in streams()["futures.all_force_orders"]["payload"]["fields"] if f["key"] in ("ps", "st")]
    compare(operation.item, fields, payload.get("nested", {}), set(operation.live_only))


# ------------------------------------------------------------------------------ other people's data


def shape(value: Any) -> Any:
    """Keys and JSON types; of a list those of its first item."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


@needs_facts
@every_stream
def test_the_example_has_the_shape_of_the_documented_one(operation: StreamOperation[Any]) -> None:
    if operation.id in OURS_ALONE:
        theirs = load(message_of(operation.market, "asset_index"))
    elif operation.id == "futures.asset_index":
        theirs = load(message_of("futures", "asset_index"))[0]
    else:
        theirs = load(message_of(operation.market, operation.name))
    assert shape(json.loads(stream_fixture(operation.market, operation.name))) == shape(theirs)


def read(operation: StreamOperation[Any], payload: Any) -> set[str]:
    """Decode losslessly; returns the keys that the spec does not know."""
    wire = json.dumps(payload)
    decoded = operation.adapter.validate_json(wire)
    assert canonical(operation.adapter.dump_json(decoded, by_alias=True, exclude_unset=True)) == canonical(wire)
    listed = decoded if isinstance(decoded, list) else [decoded]
    return {key for event in listed for key in _unknown(event)}


def _unknown(event: Any) -> Iterator[str]:
    yield from event.model_extra or ()
    for name in type(event).model_fields:
        inner = getattr(event, name)
        for value in inner if isinstance(inner, list) else [inner]:
            if isinstance(value, BaseModel):
                yield from _unknown(value)


@needs_facts
@pytest.mark.parametrize("path", messages(), ids=name_of)
def test_every_documented_example_is_read(path: Path) -> None:
    market, name = market_of(path), path.stem
    name = "all_asset_indexes" if (market, name) == ("futures", "asset_index") else name
    (operation,) = (operation for operation in STREAMS if operation.id == f"{market}.{name}")
    assert read(operation, load(path)) == set()


def _matcher(operation: StreamOperation[Any]) -> re.Pattern[str]:
    text = re.escape(operation.pattern)
    for parameter in operation.parameters:
        choices = sorted(map(re.escape, parameter.texts.values()), key=len, reverse=True)
        text = text.replace(re.escape(f"{{{parameter.name}}}"), f"(?:{'|'.join(choices)})" if choices else "[^@!A-Z]+")
    return re.compile(text)


MATCHERS = [(operation, _matcher(operation)) for operation in STREAMS]


@cache
def named(market: str, name: str) -> StreamOperation[Any]:
    """The stream that a name on the wire belongs to; exactly one."""
    (operation,) = (
        operation for operation, matcher in MATCHERS if operation.market == market and matcher.fullmatch(name)
    )
    return operation


@needs_facts
@pytest.mark.parametrize("path", found("observed-2026-10/streams/*.json"), ids=name_of)
def test_every_observed_message_is_read(path: Path) -> None:
    message = load(path)
    operation = named("futures", message["stream"])
    assert operation.name == path.stem
    assert read(operation, message["data"]) == set()


RECORDED = {
    "spot": {"diff_depth": 177, "book_ticker": 84, "agg_trade": 2, "kline": 2},
    "futures": {"diff_depth": 764, "book_ticker": 613, "agg_trade": 91, "kline": 67},
}


@needs_facts
@pytest.mark.parametrize("path", found("recorded/*/ws.jsonl"), ids=name_of)
def test_every_recorded_message_is_read(path: Path) -> None:
    """Of 2021, before `st`, `ps` and `nq` were sent: the spec has them as optional, so no line fails."""
    seen: Counter[str] = Counter()
    market = path.parent.name
    for line in path.read_bytes().splitlines():
        message = json.loads(line)["message"]
        operation = named(market, message["stream"])
        assert read(operation, message["data"]) == set()
        seen[operation.name] += 1
    assert seen == RECORDED[market]


@needs_facts
def test_recorded_futures_events_lack_what_came_later() -> None:
    """What the docstring above says; were it not so, the optional keys would be required."""
    keys: dict[str, set[str]] = {}
    for line in (FACTS / "recorded" / "futures" / "ws.jsonl").read_bytes().splitlines():
        message = json.loads(line)["message"]
        keys.setdefault(named("futures", message["stream"]).name, set()).update(message["data"])
    assert not {"st", "ps", "nq", "ap"} & set().union(*keys.values())
