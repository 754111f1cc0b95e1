"""Every stream: its example message, its names, its rules and its methods, against each other and a table by hand."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, cast

import pytest
from pydantic import BaseModel, TypeAdapter

from binance_sdk import catalogue
from binance_sdk._generated.markets import MARKETS
from binance_sdk._runtime.stream.names import NamedStream
from binance_sdk._runtime.stream.operation import Fill, StreamOperation
from binance_sdk._runtime.stream.reading.fill import make_event
from binance_sdk._runtime.stream.stream_event import StreamEvent
from binance_sdk.catalogue import CATALOGUE, STREAMS, fixture, stream, stream_fixture
from binance_sdk.errors import ParameterError
from codegen.names import pascal
from tests.event_fields import at, models
from tests.hand_lines import lines_for_stream

from .calls import canonical
from .stream_table import FILLED_FROM, NEVER_TOO_SILENT, SECONDS_OF_SILENCE, TABLE, WITH_IDS, symbol_of

NOTHING = cast(Any, None)
"""In the place of what opens connections: no stream here is entered."""


def namespace(market: str, kind: str) -> Any:
    module = import_module(f"binance_sdk._generated.{market}.streams")
    return getattr(module, f"{kind.capitalize()}{pascal(market)}Streams")(NOTHING)


NAMESPACES = {(market, kind): namespace(market, kind) for market in MARKETS for kind in ("async", "sync")}

every_stream = pytest.mark.parametrize("operation", STREAMS, ids=lambda operation: operation.id)


def events(decoded: object) -> list[StreamEvent]:
    return decoded if isinstance(decoded, list) else [cast(StreamEvent, decoded)]


# ---------------------------------------------------------------------------------- the catalogue


@every_stream
def test_the_table_has_every_stream(operation: StreamOperation[Any]) -> None:
    assert operation.id in TABLE, lines_for_stream(operation.id)
    assert operation.id == f"{operation.market}.{operation.name}"


def test_the_tables_are_about_streams_of_the_spec() -> None:
    known = {operation.id for operation in STREAMS}
    for table in (TABLE, SECONDS_OF_SILENCE, NEVER_TOO_SILENT, WITH_IDS, FILLED_FROM):
        assert [lines_for_stream(id_) for id_ in table if id_ not in known] == []


def test_a_stream_is_found_by_its_id() -> None:
    assert stream("futures.mark_price").pattern == "{symbol}@markPrice{speed}"
    with pytest.raises(LookupError, match=r"no stream 'spot\.mark_price'; there are spot\.agg_trade, "):
        stream("spot.mark_price")
    with pytest.raises(LookupError, match="no stream fixture 'mark_price' for spot; there are agg_trade, "):
        stream_fixture("spot", "mark_price")
    with pytest.raises(AttributeError, match="NO_STREAMS"):
        getattr(catalogue, "NO_STREAMS")  # noqa: B009  # a type checker knows that it is not there


# ------------------------------------------------------------------------------------ the example


@every_stream
def test_the_example_is_read_whole_and_written_back_as_it_came(operation: StreamOperation[Any]) -> None:
    wire = stream_fixture(operation.market, operation.name)
    decoded = operation.adapter.validate_json(wire)
    assert canonical(operation.adapter.dump_json(decoded, by_alias=True, exclude_unset=True)) == canonical(wire)
    assert [type(event) for event in events(decoded)] == [operation.item] * len(events(decoded))
    assert [sorted(model.model_extra or ()) for model in models(decoded) if model.model_extra] == []
    if not isinstance(decoded, list):
        assert canonical(decoded.model_dump_json(by_alias=True, exclude_unset=True)) == canonical(wire)


@every_stream
def test_the_example_names_its_kind(operation: StreamOperation[Any]) -> None:
    kinds = {event.get("e") for event in _list(json.loads(stream_fixture(operation.market, operation.name)))}
    if operation.event_type is not None:
        assert kinds == {operation.event_type}
    elif any(info.alias == "e" for info in cast("type[BaseModel]", operation.item).model_fields.values()):
        # Where it varies.
        assert all(kinds)
    else:
        assert kinds == {None}


@every_stream
def test_a_live_event_has_what_only_live_events_have(operation: StreamOperation[Any]) -> None:
    assert bool(operation.live_only) == (operation.fill is not None)
    for event in events(operation.adapter.validate_json(stream_fixture(operation.market, operation.name))):
        for path in operation.live_only:
            assert at(event, path) is not None, path


def test_an_event_knows_its_stream_and_says_that_it_is_live() -> None:
    operation = stream("spot.agg_trade")
    (event,) = events(operation.adapter.validate_json(stream_fixture("spot", "agg_trade")))
    assert (event.stream, event.filled) == ("", False)
    assert not {"stream", "filled"} & set(event.model_dump())


@every_stream
def test_keys_that_differ_in_case_only_do_not_collide(operation: StreamOperation[Any]) -> None:
    (event, *_) = events(operation.adapter.validate_json(stream_fixture(operation.market, operation.name)))
    for model in models(event):
        aliases = [info.alias or name for name, info in type(model).model_fields.items()]
        assert len(set(aliases)) == len(aliases)
        assert all(len(name) > 1 for name in type(model).model_fields), "a letter is no name"


# -------------------------------------------------------------------------------------- the names


def calls(operation: StreamOperation[Any]) -> list[dict[str, str | int]]:
    """Each combination of the choices."""
    choices = [parameter for parameter in operation.parameters if parameter.kind == "choice"]
    values = itertools.product(*(parameter.texts for parameter in choices))
    return [dict(zip([parameter.name for parameter in choices], found, strict=True)) for found in values]


def symbols(operation: StreamOperation[Any]) -> tuple[str, ...]:
    """The symbol or pair whose names the table has; none of a stream about all of them."""
    return tuple(
        symbol_of(operation.market, parameter.name) for parameter in operation.parameters if parameter.kind == "symbol"
    )


def names_of(made: Any) -> list[str]:
    return [named.name for named, _ in made.items]


@every_stream
@pytest.mark.parametrize("kind", ["async", "sync"])
def test_the_names_that_the_methods_make(operation: StreamOperation[Any], kind: str) -> None:
    method = getattr(NAMESPACES[operation.market, kind], operation.name)
    made = [names_of(method(*symbols(operation), **choices)) for choices in calls(operation)]
    line = TABLE.get(operation.id)
    assert line is not None, lines_for_stream(operation.id)
    assert sorted(name for (name,) in made) == sorted(line.names), lines_for_stream(operation.id)
    assert operation.route == line.route, lines_for_stream(operation.id)


@every_stream
def test_a_call_without_choices(operation: StreamOperation[Any]) -> None:
    method = getattr(NAMESPACES[operation.market, "async"], operation.name)
    needed = [p for p in operation.parameters if p.kind == "choice" and p.default is None]
    first = {parameter.name: next(iter(parameter.texts)) for parameter in needed}
    assert operation.id in TABLE, lines_for_stream(operation.id)
    assert names_of(method(*symbols(operation), **first)) == [TABLE[operation.id].names[0]], lines_for_stream(
        operation.id
    )
    for parameter in needed:
        with pytest.raises(TypeError, match=parameter.name):
            method(*symbols(operation), **{name: v for name, v in first.items() if name != parameter.name})


@every_stream
def test_a_call_that_cannot_be_meant(operation: StreamOperation[Any]) -> None:
    method = getattr(NAMESPACES[operation.market, "async"], operation.name)
    good: dict[str, Any] = calls(operation)[0]
    for symbol in symbols(operation):
        assert len(method(symbol, symbol.replace("BTC", "ETH").lower(), **good).items) == 2
        for wrong in ((), ("",), ("btc usdt",), (f"{symbol}@trade",)):
            with pytest.raises(ParameterError):
                method(*wrong, **good)
    for name in good:
        with pytest.raises(ParameterError, match=name):
            method(*symbols(operation), **(good | {name: "7x"}))
    with pytest.raises(ParameterError, match="colour"):
        method(*symbols(operation), **good, colour="blue")


@every_stream
@pytest.mark.parametrize("kind", ["async", "sync"])
def test_what_an_editor_shows(operation: StreamOperation[Any], kind: str) -> None:
    text = " ".join((getattr(type(NAMESPACES[operation.market, kind]), operation.name).__doc__ or "").split())
    assert f"`{operation.pattern}`" in text
    assert (f"on `/{operation.route}`" in text) == bool(operation.route)
    assert "Source: " in text
    assert re.search(r"; as of 20\d\d-\d\d-\d\d", text)
    assert ("`fill_gaps=True`" in text) == (operation.fill is not None)
    assert all(f"{p.name}{'s' if p.kind == 'symbol' else ''}: " in text for p in operation.parameters)
    if operation.quiet.kind == "periodic":
        assert f"{operation.quiet.seconds:g} s" in text


# -------------------------------------------------------------------------------------- the rules


@every_stream
def test_how_long_a_stream_may_be_silent(operation: StreamOperation[Any]) -> None:
    periodic = {"": operation.quiet.seconds, **operation.quiet.by_value} if operation.quiet.kind == "periodic" else None
    assert SECONDS_OF_SILENCE.get(operation.id) == periodic, lines_for_stream(operation.id)
    if operation.quiet.by_parameter:
        (choice,) = (p for p in operation.parameters if p.name == operation.quiet.by_parameter)
        assert set(operation.quiet.by_value) == set(choice.texts)
    assert (operation.id in NEVER_TOO_SILENT) == (operation.quiet.kind == "never"), lines_for_stream(operation.id)
    assert operation.quiet.seconds > 0 or operation.quiet.kind != "activity"


@every_stream
def test_which_streams_have_ids(operation: StreamOperation[Any]) -> None:
    assert WITH_IDS.get(operation.id) == (operation.sequence.kind if operation.sequence else None), lines_for_stream(
        operation.id
    )
    assert FILLED_FROM.get(operation.id) == (operation.fill.operation if operation.fill else None), lines_for_stream(
        operation.id
    )


@every_stream
def test_the_ids_are_where_the_rules_say(operation: StreamOperation[Any]) -> None:
    if operation.sequence is None:
        return
    (event,) = events(operation.adapter.validate_json(stream_fixture(operation.market, operation.name)))
    first, last = at(event, operation.sequence.first), at(event, operation.sequence.last)
    assert isinstance(first, int)
    assert isinstance(last, int)
    assert first <= last
    if operation.sequence.previous:
        assert cast(int, at(event, operation.sequence.previous)) < last
    if operation.sequence.closed:
        assert at(event, operation.sequence.closed) is False


LIVE_KEYS = {"coin_futures.index_price_kline": {"k.n"}, "coin_futures.mark_price_kline": {"k.n", "ps"}}
"""What REST does not know beside the time of the event and the ids of trades."""


def filled(operation: StreamOperation[Any], fill: Fill, row: object, arguments: Mapping[str, str]) -> StreamEvent:
    """What the rules make of a REST row, the short way."""
    tree: dict[str, Any] = {}
    given = {path: arguments[name] for path, name in fill.given.items()}
    taken = {path: found for path, name in fill.fields.items() if (found := at(row, name)) is not None}
    for path, value in {**fill.constants, **given, **taken}.items():
        *above, last = path.split(".")
        below = tree
        for name in above:
            below = below.setdefault(name, {})
        below[last] = value
    return cast(StreamEvent, TypeAdapter(operation.item).validate_python(tree))


@pytest.mark.parametrize(
    "operation", [operation for operation in STREAMS if operation.fill], ids=lambda operation: operation.id
)
def test_a_rest_row_becomes_an_event(operation: StreamOperation[Any]) -> None:
    fill = operation.fill
    assert fill is not None
    market, name = fill.operation.split(".")
    endpoint = CATALOGUE[market].operations[name]
    asked = {*fill.arguments, *fill.always, fill.cursor, fill.size}
    assert asked <= set(endpoint.by_wire)
    assert {p.wire for p in endpoint.parameters if p.required} <= asked
    rows = endpoint.variants[0].adapter.validate_json(fixture(market, name))
    arguments = {p.name: str(next(iter(p.texts), symbol_of(operation.market, p.name))) for p in operation.parameters}
    for row in rows:
        event = filled(operation, fill, row, arguments)
        (live,) = events(operation.adapter.validate_json(stream_fixture(operation.market, operation.name)))
        assert isinstance(at(row, fill.id), int)
        assert operation.sequence is not None
        assert at(event, operation.sequence.first) == at(row, fill.id)
        unset = {path for path in operation.live_only if at(event, path) is None}
        assert unset == set(operation.live_only)
        sent, ours = json.loads(_dumped(live)), json.loads(_dumped(event))
        missing = set(_keys(sent)) - set(_keys(ours)) - {"nq"}
        assert missing <= {"E", "st", "k.f", "k.L"} | LIVE_KEYS.get(operation.id, set())
        # The engine's own way to the same event.
        made = make_event(NamedStream(operation, operation.pattern, arguments), row)
        assert made.filled
        assert json.loads(_dumped(made)) == ours


def test_a_filled_aggregate_by_hand() -> None:
    operation = stream("spot.agg_trade")
    assert operation.fill is not None
    wire = b'[{"a":7,"p":"1.50","q":"2.0","f":70,"l":71,"T":5,"m":true,"M":false}]'
    (row,) = CATALOGUE["spot"].operations["agg_trades"].variants[0].adapter.validate_json(wire)
    event = filled(operation, operation.fill, row, {"symbol": "BNBUSDT"})
    expected = {"e": "aggTrade", "s": "BNBUSDT", "a": 7, "p": "1.50", "q": "2.0", "f": 70, "l": 71, "T": 5}
    assert json.loads(_dumped(event)) == {**expected, "m": True, "M": False}


def test_what_rest_left_out_is_left_out_of_the_filled_event() -> None:
    operation = stream("futures.agg_trade")
    wire = b'[{"a":7,"p":"1.50","q":"2.0","f":70,"l":71,"T":5,"m":true}]'
    (row,) = CATALOGUE["futures"].operations["agg_trades"].variants[0].adapter.validate_json(wire)
    event = make_event(NamedStream(operation, "bnbusdt@aggTrade", {"symbol": "BNBUSDT"}), row)
    expected = {"e": "aggTrade", "s": "BNBUSDT", "a": 7, "p": "1.50", "q": "2.0", "f": 70, "l": 71, "T": 5}
    assert json.loads(_dumped(event)) == {**expected, "m": True}


def test_a_filled_bar_by_hand() -> None:
    operation = stream("spot.kline_utc8")
    assert operation.fill is not None
    assert operation.fill.always == {"timeZone": "8"}
    wire = b'[[60000,"1.0","4.0","0.5","2.0","10",119999,"15",3,"6","9","0"]]'
    (row,) = CATALOGUE["spot"].operations["klines"].variants[0].adapter.validate_json(wire)
    event = filled(operation, operation.fill, row, {"symbol": "BNBUSDT", "interval": "1m"})
    bar = {"t": 60000, "T": 119999, "s": "BNBUSDT", "i": "1m", "o": "1.0", "c": "2.0", "h": "4.0", "l": "0.5"}
    bar |= {"v": "10", "n": 3, "x": True, "q": "15", "V": "6", "Q": "9", "B": "0"}
    assert json.loads(_dumped(event)) == {"e": "kline", "s": "BNBUSDT", "k": bar}


def _dumped(event: BaseModel) -> str:
    return event.model_dump_json(by_alias=True, exclude_unset=True)


def _keys(value: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, inner in value.items():
        yield prefix + key
        if isinstance(inner, dict):
            yield from _keys(inner, f"{prefix}{key}.")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


# ------------------------------------------------------------------------------ what may yet come


def test_a_key_of_tomorrow_is_kept() -> None:
    wire = json.loads(stream_fixture("futures", "mark_price")) | {"zz": "1.50"}
    event = stream("futures.mark_price").adapter.validate_json(json.dumps(wire))
    (only,) = events(event)
    assert only.model_extra == {"zz": "1.50"}
    assert json.loads(_dumped(only)) == wire


def test_a_value_of_tomorrow_is_a_text() -> None:
    wire = json.loads(stream_fixture("futures", "force_order"))
    wire["o"] |= {"S": "HOLD", "o": "ICEBERG"}
    (event,) = events(stream("futures.force_order").adapter.validate_json(json.dumps(wire)))
    assert (at(event, "order.side"), at(event, "order.order_type")) == ("HOLD", "ICEBERG")


def test_no_funding_is_none() -> None:
    wire = json.loads(stream_fixture("futures", "mark_price")) | {"r": "", "T": 0}
    (event,) = events(stream("futures.mark_price").adapter.validate_json(json.dumps(wire)))
    assert (at(event, "funding_rate"), at(event, "next_funding_time_dt")) == (None, None)
    assert json.loads(_dumped(event)) == wire


def test_patterns_hold_nothing_but_their_parameters() -> None:
    for operation in STREAMS:
        assert re.findall(r"\{(\w+)\}", operation.pattern) == [parameter.name for parameter in operation.parameters]
