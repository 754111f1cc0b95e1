"""What messages have otherwise than the spec says is told as of answers, at each consumer's own client."""

from __future__ import annotations

import json
from typing import Any

import pytest

from binance_sdk import BinanceClient
from binance_sdk._generated.futures import stream_operations as futures_operations
from binance_sdk._generated.spot import stream_operations as spot_operations
from binance_sdk._runtime.answers.shape_drift import ShapeWatch
from binance_sdk._runtime.stream.names import name_streams
from binance_sdk._runtime.stream.operation import StreamOperation
from binance_sdk._runtime.stream.options import Overflow, resolve_options
from binance_sdk._runtime.stream.reading.latest import LatestReader
from binance_sdk._runtime.stream.reading.reader import Reader
from binance_sdk._runtime.stream.reading.subscription import Subscription
from binance_sdk.catalogue import stream_fixture
from binance_sdk.events import FieldDrift, ValueDrift
from binance_sdk.simulator import Simulator, StreamFault

from .manual_clock import ManualClock
from .rows import FakeRest, agg_trade


class Consumer:
    """One consumer, of one stream."""

    def __init__(self, operation: StreamOperation[Any], overflow: Overflow = "block", **options: Any) -> None:
        arguments = {"symbol": "BTCUSDT"} if "{symbol}" in operation.pattern else {}
        (stream,) = name_streams(operation, arguments)
        self.shapes = ShapeWatch()
        self.shapes.begin(operation.reader)
        self.packets = 0
        self.subscription = Subscription(stream, fill_gaps=False, quiet_time=None, from_spec=False, now=0.0, **options)
        kind = LatestReader if overflow == "latest" else Reader
        chosen = resolve_options([{"overflow": overflow}])
        self.reader = kind(
            chosen, lambda _: None, clock=ManualClock(), rest=FakeRest(), notify=lambda _: None, shapes=self.shapes
        )

    def feed(self, payload: Any) -> None:
        self.packets += 1
        self.reader.feed(self.subscription, json.dumps(payload).encode(), float(self.packets))

    def read(self, *payloads: Any) -> list[Any]:
        for payload in payloads:
            self.feed(payload)
        events: list[Any] = []
        while (event := self.reader.take()) is not None:
            events.append(event)
        return events


async def test_what_is_added_is_told_once_and_given_out() -> None:
    consumer = Consumer(spot_operations.AGG_TRADE)
    events = consumer.read(*({**agg_trade(number), "mood": number} for number in range(9)))
    assert [event.model_extra["mood"] for event in events] == [*range(9)]
    assert consumer.shapes.rows() == [FieldDrift("spot.agg_trade", "mood", "field_added", "", "0")]


async def test_consumers_of_two_clients_are_both_told() -> None:
    one, other = Consumer(spot_operations.AGG_TRADE), Consumer(spot_operations.AGG_TRADE)
    for number in range(4):
        for consumer in (one, other):
            consumer.read({**agg_trade(number), "mood": 1})
    assert one.shapes.rows() == other.shapes.rows() == [FieldDrift("spot.agg_trade", "mood", "field_added", "", "1")]


async def test_a_value_that_no_enum_lists() -> None:
    message = json.loads(stream_fixture("futures", "force_order"))
    consumer = Consumer(futures_operations.FORCE_ORDER)
    (event,) = consumer.read({**message, "o": {**message["o"], "S": "WISH"}})
    (found,) = consumer.shapes.rows()
    assert isinstance(found, ValueDrift)
    assert (found.path, found.seen, found.spec) == ("o.S", "WISH", ("BUY", "SELL"))
    assert event.order.side == "WISH"


@pytest.mark.parametrize("overflow", ["block", "latest"])
async def test_rows_of_a_list(overflow: Overflow) -> None:
    rows = json.loads(stream_fixture("spot", "all_mini_tickers"))
    consumer = Consumer(spot_operations.ALL_MINI_TICKERS, overflow)
    consumer.feed([*rows, {**rows[0], "s": "NEWUSDT", "mood": 1}])
    assert len(await consumer.reader.next()) == len(rows) + 1
    assert consumer.shapes.rows() == [FieldDrift("spot.all_mini_tickers", "[].mood", "field_added", "", "1")]


async def test_what_cannot_be_read_is_told_as_breaking() -> None:
    consumer = Consumer(spot_operations.AGG_TRADE)
    for _ in range(3):
        assert consumer.read({**agg_trade(1), "p": ""}, {key: v for key, v in agg_trade(1).items() if key != "q"}) == []
    assert [(drift.path, drift.kind, drift.severity) for drift in consumer.shapes.rows()] == [
        ("p", "empty_string", "breaking"),
        ("q", "field_missing", "breaking"),
    ]


async def test_a_skipped_row_is_told_too() -> None:
    rows = json.loads(stream_fixture("spot", "all_mini_tickers"))
    consumer = Consumer(spot_operations.ALL_MINI_TICKERS, skip_rows=True)
    assert consumer.read([*rows, {**rows[0], "c": None}])
    assert [(drift.path, drift.kind) for drift in consumer.shapes.rows()] == [("[].c", "null")]


async def test_a_client_lists_what_its_streams_met() -> None:
    with Simulator() as simulator:
        simulator.streams.faults.add(StreamFault.bad_event(), count=1)
        client: BinanceClient = simulator.client()
        async with client, client.spot.streams.agg_trade("BTCUSDT") as events:
            await anext(aiter(events))
            (found,) = client.drift()
    assert isinstance(found, FieldDrift)
    assert (found.operation, found.severity) == ("spot.agg_trade", "breaking")
