"""What the tables written by hand lack is served by the spec, and marked; in this repository they lack nothing."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from binance_sdk._runtime.stream.operation import StreamOperation
from binance_sdk._runtime.stream.stream_event import mark_stream
from binance_sdk.catalogue import CATALOGUE, STREAMS, stream
from binance_sdk.simulator import ManualClock, Simulator
from binance_sdk.simulator.rest.weights import WEIGHTS
from binance_sdk.simulator.streams import feed_table, names
from tests.event_fields import at, models
from tests.simulated_http import SimulatedHttp

from .conftest import NOW, simulator

every_stream = pytest.mark.parametrize("one", STREAMS, ids=lambda operation: operation.id)


@pytest.fixture
def nothing_written(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No stream has a line of its own in the simulator."""
    monkeypatch.setattr(names, "_KINDS", {market: [] for market in names._KINDS})
    monkeypatch.setattr(feed_table, "_MAKERS", {market: {} for market in feed_table._MAKERS})
    for cached in (names.read_name, names._kinds_of_spec):
        cached.cache_clear()
    yield
    for cached in (names.read_name, names._kinds_of_spec):
        cached.cache_clear()


# --------------------------------------------------------------------------------------- endpoints


@pytest.mark.parametrize(
    ("query", "weight"),
    [
        ({"symbol": "BTCUSDT"}, 5),
        ({"symbol": "BTCUSDT", "limit": "1000"}, 50),
        ({"symbol": "BTCUSDT", "limit": "many"}, 1),
        ({"symbol": "BTCUSDT", "colour": "blue"}, 1),
    ],
)
def test_an_endpoint_without_a_line_is_charged_what_the_spec_says(
    query: dict[str, str], weight: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(WEIGHTS["spot"], "/api/v3/depth")  # type: ignore[arg-type]
    with simulator() as running, SimulatedHttp(running) as client:
        assert running.from_spec.weights == ("spot.depth",)
        client.get("/api/v3/depth", params=query)
        assert running.used_weight("spot") == weight


def test_lists_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(WEIGHTS["spot"], "/api/v3/ticker")  # type: ignore[arg-type]
    with simulator() as running, SimulatedHttp(running) as client:
        client.get("/api/v3/ticker", params={"symbols": '["BTCUSDT","ETHUSDT","BNBUSDT"]'})
        assert running.used_weight("spot") == 12


def test_every_price_of_the_spec_can_be_charged(monkeypatch: pytest.MonkeyPatch) -> None:
    for market in WEIGHTS:
        monkeypatch.setitem(WEIGHTS, market, {})  # type: ignore[arg-type]
    with simulator() as running, SimulatedHttp(running, headers={"X-MBX-APIKEY": "a-key"}) as client:
        assert running.from_spec.weights == tuple(sorted(operation.id for operation in CATALOGUE.operations))
        for operation in CATALOGUE.operations:
            before = running.used_weight(operation.market)
            example = operation.variants[0].example
            query = {name: json.dumps(value) if isinstance(value, list) else value for name, value in example.items()}
            client.get(running.base_url(operation.market) + operation.path, params=query)  # type: ignore[arg-type]
            assert running.used_weight(operation.market) - before == operation.price(example), operation.id


# ----------------------------------------------------------------------------------------- streams


def subject(one: StreamOperation[Any], parameter: str) -> str:
    """A symbol or a pair that the stream can be about."""
    if one.name == "asset_index":
        return "adausd"
    if one.market == "coin_futures":
        return "btcusd" if parameter == "pair" else "btcusd_perp"
    return "btcusdt"


def name_of(one: StreamOperation[Any]) -> str:
    """A name of the stream, with the first of each choice."""
    parts = {
        p.name: subject(one, p.name) if p.kind == "symbol" else next(iter(p.texts.values())) for p in one.parameters
    }
    return one.pattern.format(**parts)


def told(one: StreamOperation[Any], clock: ManualClock, running: Simulator, seconds: int) -> list[list[Any]]:
    """Events of each message of a stream over some seconds."""
    server = running.streams._servers[one.market]
    name = names.read_name(one.market, name_of(one))
    assert name is not None
    assert (name.kind, name.route) == (one.name, one.route)
    server.hub._view.carries_others = False
    feed = feed_table.feed_of(server.hub._view, name)
    found: list[list[Any]] = []
    now = clock.now_ms()
    for _ in range(seconds):
        now = feed.next(now, now)
        for payload in feed.at(now):
            decoded = one.adapter.validate_json(payload)
            found.append(decoded if isinstance(decoded, list) else [decoded])
            for event in found[-1]:
                mark_stream(event, name_of(one))
    return found


@every_stream
@pytest.mark.usefixtures("nothing_written")
def test_a_stream_without_a_line_sends_its_example_made_to_fit(one: StreamOperation[Any]) -> None:
    clock = ManualClock(NOW)
    messages = told(one, clock, simulator(clock=clock), seconds=3)
    assert len(messages) == 3
    for second, events in enumerate(messages, 1):
        due = NOW // 1000 * 1000 + 1000 * second
        for model in (found for event in events for found in models(event)):
            assert not model.model_extra
            times = [name for name in type(model).model_fields if hasattr(type(model), f"{name}_dt")]
            assert all(getattr(model, name) < due + 10**11 for name in times if getattr(model, name))
        symbol = next((p for p in one.parameters if p.kind == "symbol"), None)
        if symbol is not None and hasattr(events[0], symbol.name):
            assert getattr(events[0], symbol.name) == subject(one, symbol.name).upper()
    if one.sequence is not None and one.sequence.kind != "time":
        firsts = [at(events[0], one.sequence.first) for events in messages]
        lasts = [at(events[0], one.sequence.last) for events in messages]
        assert firsts[1:] == [last + 1 for last in lasts[:-1]]
        if one.sequence.previous:
            assert [at(events[0], one.sequence.previous) for events in messages][1:] == lasts[:-1]


@pytest.mark.usefixtures("nothing_written")
def test_bars_of_an_example_follow_each_other_and_are_closed() -> None:
    one = stream("futures.kline")
    clock = ManualClock(NOW)
    events = [event for (event,) in told(one, clock, simulator(clock=clock), seconds=130)]
    opened = sorted({at(event, "kline.open_time") for event in events})
    assert [later - first for first, later in itertools.pairwise(opened)] == [60_000] * (len(opened) - 1)
    closed = [at(event, "kline.open_time") for event in events if at(event, "kline.is_closed")]
    assert closed == opened[: len(closed)]
    assert len(closed) == 2


@pytest.mark.usefixtures("nothing_written")
async def test_a_client_hears_a_stream_without_a_line_and_misses_nothing() -> None:
    clock = ManualClock(NOW)
    with simulator(clock=clock) as running:
        assert running.from_spec.stream_names == tuple(sorted(operation.id for operation in STREAMS))
        async with running.client() as client, client.spot.streams.agg_trade("ETHUSDT") as events:
            found = []
            while len(found) < 3:
                clock.advance(1)
                running.streams.flush()
                found.append(await anext(events))
        assert [event.symbol for event in found] == ["ETHUSDT"] * 3


@pytest.mark.usefixtures("nothing_written")
def test_a_name_that_the_spec_does_not_know_is_unknown() -> None:
    assert names.read_name("spot", "btcusdt@noSuchStream") is None
    assert names.read_name("spot", "BTCUSDT@aggTrade") is None
    assert names.read_name("spot", "btcusdt@kline_2m") is None
