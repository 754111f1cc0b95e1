"""What answers have otherwise than the spec says is told in ordinary use: once for each shape, to each client."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import threading
import weakref
from collections.abc import Callable
from typing import Any, get_args

import httpx
import pytest

from binance_sdk import BinanceClient, RequestOptions, SyncBinanceClient
from binance_sdk._runtime import additions
from binance_sdk._runtime.answers import shape_drift
from binance_sdk._runtime.answers.shape_drift import ShapeWatch
from binance_sdk.catalogue import CATALOGUE, fixture
from binance_sdk.errors import DecodeError
from binance_sdk.events import Drift, Event, FieldDrift, FieldKind, RowSkipped, ValueDrift, WeightDrift
from binance_sdk.simulator import Simulator
from binance_sdk.spot import UnknownSymbolFilter
from binance_sdk.verify.finding import Kind, Severity

from .support import Recorder

INFO: dict[str, Any] = json.loads(fixture("spot", "exchange_info"))
TRADE: dict[str, Any] = json.loads(fixture("spot", "trades"))[0]
KLINE: list[Any] = json.loads(fixture("spot", "klines"))[0]


def answering(*documents: Any, **settings: Any) -> SyncBinanceClient:
    """A client that gets one after the other, and the last one for ever."""
    left = [json.dumps(document) for document in documents]

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=left.pop(0) if len(left) > 1 else left[0])

    return Recorder(answer).sync(budget=False, **settings)


def info(**symbol: Any) -> dict[str, Any]:
    return {**INFO, "symbols": [*INFO["symbols"], {**INFO["symbols"][0], **symbol}]}


def trades(client: SyncBinanceClient) -> object:
    return client.spot.trades("BTCUSDT")


def klines(client: SyncBinanceClient) -> object:
    return client.spot.klines("BTCUSDT", "1h")


def exchange_info(client: SyncBinanceClient) -> object:
    return client.spot.exchange_info()


FILTERS = [{"filterType": "MOON_PHASE", "phase": "full"}]
LISTED_FILTERS = ("PRICE_FILTER", "PERCENT_PRICE", "PERCENT_PRICE_BY_SIDE", "LOT_SIZE")
CASES: list[tuple[str, Any, Callable[[SyncBinanceClient], object], str, str, str]] = [
    ("field", [TRADE, {**TRADE, "mood": 1.5}], trades, "field_added", "[].mood", "1.5"),
    ("object in a field", [{**TRADE, "mood": {"a": [1]}}], trades, "field_added", "[].mood", '{"a": [1]}'),
    ("long value", [{**TRADE, "mood": "x" * 999}], trades, "field_added", "[].mood", '"' + "x" * 79 + "…"),
    ("field within", info(mood="high"), exchange_info, "field_added", "symbols[].mood", '"high"'),
    ("field at the top", {**INFO, "mood": None}, exchange_info, "field_added", "mood", "null"),
    (
        *("field of a filter", info(filters=[{**INFO["symbols"][0]["filters"][0], "mood": 1}])),
        *(exchange_info, "field_added", "symbols[].filters[].mood", "1"),
    ),
    ("position", [KLINE, [*KLINE, 5]], klines, "positions_added", "[]", json.dumps([*KLINE, 5])[:80] + "…"),
    ("value", info(status="ASLEEP"), exchange_info, "value_added", "symbols[].status", "ASLEEP"),
    (
        "value in a list",
        info(orderTypes=["LIMIT", "WISH"]),
        exchange_info,
        "value_added",
        "symbols[].orderTypes[]",
        "WISH",
    ),
    ("kind", info(filters=FILTERS), exchange_info, "member_added", "symbols[].filters[].filterType", "MOON_PHASE"),
]


@pytest.mark.parametrize(
    ("document", "call", "kind", "path", "seen"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_what_is_added_is_told_once_and_keeps_everything_working(
    document: Any, call: Callable[[SyncBinanceClient], object], kind: str, path: str, seen: str
) -> None:
    told: list[Drift] = []
    events: list[Event] = []
    with answering(document, on_drift=told.append, hooks=[events.append]) as client:
        first = call(client)
        for _ in range(3):
            assert call(client) == first
        assert client.drift() == told
        assert client.with_options(RequestOptions(timeout=1)).drift() == told
        assert client.limits.drift() == []
    (found,) = told
    assert isinstance(found, (FieldDrift, ValueDrift))
    assert (found.kind, found.path, found.seen, found.severity) == (kind, path, seen, "noted")
    assert [event for event in events if isinstance(event, (FieldDrift, ValueDrift))] == told
    assert path in str(found)
    assert seen[:20] in str(found)


def test_what_the_spec_lists_is_said_beside_what_it_does_not() -> None:
    with answering(info(status="ASLEEP", filters=FILTERS)) as client:
        client.spot.exchange_info()
        status, filters = client.drift()
    assert isinstance(status, ValueDrift)
    assert "TRADING" in status.spec
    assert isinstance(filters, ValueDrift)
    assert set(LISTED_FILTERS) <= set(filters.spec)


def test_each_value_is_told_and_each_place() -> None:
    with answering(info(status="A"), info(status="B"), info(status="A", mood=1), info(status="C")) as client:
        for _ in range(4):
            client.spot.exchange_info()
        assert [(drift.seen, drift.path) for drift in client.drift() if not isinstance(drift, WeightDrift)] == [
            *(("A", "symbols[].status"), ("B", "symbols[].status")),
            *(("1", "symbols[].mood"), ("C", "symbols[].status")),
        ]


BROKEN: list[tuple[str, Any, FieldKind, str, str, str]] = [
    ("gone", {key: value for key, value in TRADE.items() if key != "price"}, "field_missing", "[].price", "", ""),
    ("null", {**TRADE, "price": None}, "null", "[].price", "a string", "null"),
    ("empty", {**TRADE, "price": ""}, "empty_string", "[].price", "a decimal string", '""'),
    ("type", {**TRADE, "price": [1]}, "type_changed", "[].price", "a string", "[1]"),
    ("no object", 5, "type_changed", "[]", "an object", "5"),
]


@pytest.mark.parametrize(
    ("row", "kind", "path", "should", "seen"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN]
)
def test_what_breaks_a_call_is_told(row: Any, kind: FieldKind, path: str, should: str, seen: str) -> None:
    told: list[Drift] = []
    with answering([TRADE, row, row], on_drift=told.append) as client:
        for _ in range(3):
            with pytest.raises(DecodeError):
                client.spot.trades("BTCUSDT")
        assert told == client.drift() == [FieldDrift("spot.trades", path, kind, should, seen)]
    assert told[0].severity == "breaking"


def test_positions_are_told_by_their_number() -> None:
    with answering([KLINE, KLINE[:5]], [[*KLINE[:4], 5, *KLINE[5:]]]) as client:
        for _ in range(2):
            with pytest.raises(DecodeError):
                client.spot.klines("BTCUSDT", "1h")
        assert client.drift() == [
            FieldDrift("spot.klines", "[]", "positions_missing", "12 positions", ""),
            FieldDrift("spot.klines", "[][4]", "type_changed", "a string", "5"),
        ]


def test_a_skipped_row_is_told_too() -> None:
    events: list[Event] = []
    with answering([TRADE, {**TRADE, "price": ""}], hooks=[events.append]) as client:
        assert len(client.spot.trades("BTCUSDT", options=RequestOptions(bad_rows="skip"))) == 1
        assert [drift.path for drift in client.drift() if isinstance(drift, FieldDrift)] == ["[].price"]
    assert sum(isinstance(event, RowSkipped) for event in events) == 1


@pytest.mark.parametrize("body", [b"", b"<html>maintenance</html>", b'[{"id": 1', b"\xff\xfe"])
def test_what_is_no_json_is_no_drift(body: bytes) -> None:
    client = Recorder(lambda _: httpx.Response(200, content=body)).sync(budget=False, max_retries=0)
    with client, pytest.raises(DecodeError):
        client.spot.trades("BTCUSDT")
    assert client.drift() == []


def test_a_variant_is_named() -> None:
    row = json.loads(fixture("spot", "ticker_24hr", "mini_list"))[0]
    with answering([{**row, "mood": 1}]) as client:
        client.spot.ticker_24hr(type="MINI")
        (found,) = client.drift()
    assert isinstance(found, FieldDrift)
    variants = {variant.name for variant in CATALOGUE["spot"].operations["ticker_24hr"].variants}
    assert found.variant in variants - {""}
    assert found.variant in str(found)


# ------------------------------------------------------------------------------------- who is told


def test_each_client_is_told_whoever_met_it_before() -> None:
    with (
        answering([{**TRADE, "mood": 1}]) as one,
        answering([{**TRADE, "mood": 1}]) as other,
        answering([TRADE]) as none,
    ):
        for _ in range(3):
            for client in (one, none, other, one):
                client.spot.trades("BTCUSDT")
        assert one.drift() == other.drift() == [FieldDrift("spot.trades", "[].mood", "field_added", "", "1")]
        assert none.drift() == []


def test_values_are_learnt_for_those_alone_who_were_told() -> None:
    document = info(status="ASLEEP", permissionSets=[["NEW_GROUP"]])
    with answering(document) as one, answering(document) as other:
        one.spot.exchange_info()
        one.spot.exchange_info()
        other.spot.exchange_info()
        assert one.drift() == other.drift()
        assert len(one.drift()) == 2


def test_threads_that_read_for_different_clients_all_hear_of_it() -> None:
    clients = [answering([{**TRADE, "mood": 1}]) for _ in range(6)]

    def work(client: SyncBinanceClient) -> None:
        for _ in range(40):
            client.spot.trades("BTCUSDT")

    threads = [threading.Thread(target=work, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for client in clients:
        client.spot.trades("BTCUSDT")
        client.close()
        assert len(client.drift()) == 1


def test_a_reader_keeps_no_client_alive() -> None:
    told: list[Drift] = []

    class Listener:
        def __call__(self, drift: Drift) -> None:
            told.append(drift)

    listener = Listener()
    alive = weakref.ref(listener)
    with answering([{**TRADE, "mood": 1}], on_drift=listener) as client:
        client.spot.trades("BTCUSDT")
    del client, listener
    gc.collect()
    assert len(told) == 1
    assert alive() is None


async def test_a_hook_that_fails_costs_nothing_and_one_that_calls_is_no_circle(
    caplog: pytest.LogCaptureFixture,
) -> None:
    body = json.dumps([{**TRADE, "mood": 1}]).encode()
    price = json.dumps({"symbol": "BTCUSDT", "price": "1.0", "mood": 2}).encode()
    told: list[Drift] = []
    tasks: list[asyncio.Task[Any]] = []

    def on_drift(drift: Drift) -> None:
        told.append(drift)
        tasks.append(asyncio.ensure_future(client.spot.ticker_price("BTCUSDT")))
        raise RuntimeError("broken")

    recorder = Recorder(lambda request: price if "price" in request.url.path else body)
    client: BinanceClient = recorder.asynchronous(on_drift=on_drift)
    async with client:
        assert await client.spot.trades("BTCUSDT")
        await asyncio.gather(*tasks)
        assert len(told) == 1
        # Nobody heard of what the hook's own call met, so it is told when the next one meets it.
        assert await client.spot.ticker_price("BTCUSDT")
        assert [drift.operation for drift in told] == ["spot.trades", "spot.ticker_price"]
        await asyncio.gather(*tasks)
    assert caplog.text.count("on_drift failed on FieldDrift") == 2


def test_the_log_warns_of_what_breaks_alone(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="binance_sdk"), answering([{**TRADE, "mood": 1}], [{}]) as client:
        client.spot.trades("BTCUSDT")
        with pytest.raises(DecodeError):
            client.spot.trades("BTCUSDT")
    levels = [(record.levelname, record.message) for record in caplog.records if "drift" in record.message]
    assert levels[0] == ("INFO", "drift: spot.trades: [].mood: a field that the spec does not know, got 1")
    assert {level for level, _ in levels[1:]} == {"WARNING"}
    assert len(levels) == 1 + len(TRADE)


# ---------------------------------------------------------------------------------------- bounds


def test_a_million_names_fill_no_memory() -> None:
    rows = [{**TRADE, f"mood{number}": 1} for number in range(3 * additions.MOST_AT_A_PLACE)]
    with answering(rows) as client:
        client.spot.trades("BTCUSDT")
        met = client.drift()
        client.spot.trades("BTCUSDT")
        assert client.drift() == met
    reader = CATALOGUE["spot"].operations["trades"].variants[0].reader
    assert max(len(known) for known in reader.additions._known.values()) == additions.MOST_AT_A_PLACE


def test_a_watch_keeps_a_thousand() -> None:
    told: list[Drift] = []
    watch = ShapeWatch(told.append)
    for number in range(1200):
        watch._note(ValueDrift("spot.x", "[].y", "value_added", (), str(number)))
    assert len(watch.rows()) == len(told) == 1000


def test_what_is_broken_for_good_is_looked_at_less_and_less(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[bytes] = []

    def broken_parts(type_: object, content: bytes) -> dict[Any, Any]:
        looked.append(content)
        return {}

    monkeypatch.setattr(shape_drift, "broken_parts", broken_parts)
    with answering([5]) as client:
        for _ in range(20):
            with pytest.raises(DecodeError):
                client.spot.trades("BTCUSDT")
    assert len(looked) == len([1, 2, 4, 8, 16])


def test_nothing_is_noted_where_nothing_is_new() -> None:
    with Simulator() as simulator, simulator.sync_client() as client:
        client.spot.exchange_info()
        client.futures.exchange_info()
        client.spot.klines("BTCUSDT", "1m")
        client.spot.depth("BTCUSDT")
        client.spot.ticker_24hr()
        assert client.drift() == []


# ------------------------------------------------------------------------------------------ words


def test_kinds_and_severities_are_those_of_verify() -> None:
    assert set(get_args(FieldKind)) <= set(get_args(Kind))
    assert {"value_added", "member_added", "weight_changed"} <= set(get_args(Kind))
    from binance_sdk.events import Severity as OfEvents

    assert get_args(OfEvents) == get_args(Severity)


def test_a_weight_that_grew_breaks_and_one_that_fell_does_not() -> None:
    assert WeightDrift("spot.depth", 5, 10, 3).severity == "breaking"
    assert WeightDrift("spot.depth", 5, 1, 3).severity == "noted"


def test_an_unknown_object_is_still_one() -> None:
    with answering(info(filters=FILTERS)) as client:
        (unknown,) = client.spot.exchange_info().symbols[-1].filters
    assert isinstance(unknown, UnknownSymbolFilter)
    assert unknown.model_extra == {"phase": "full"}
