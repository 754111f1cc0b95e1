"""What is counted of streams and live books: events one by one, and streams and books of a simulator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from binance_sdk.errors import BadRequestError
from binance_sdk.events import (
    BookFailed,
    BookLost,
    BookResynced,
    BookSnapshotFailed,
    BookSnapshotLoaded,
    BookVerified,
    BreakerChanged,
    CacheHit,
    CacheMiss,
    Event,
    GateClosed,
    Retrying,
    RowSkipped,
    StoreChanged,
    Waited,
    WorthlessAnswer,
)
from binance_sdk.metrics import instrument
from binance_sdk.metrics.definitions import COUNTED
from binance_sdk.metrics.event_counts import EventCounter, EventMetrics
from binance_sdk.simulator import Simulator

from .samples import named, value

_CALL = {"environment": "mainnet", "market": "spot", "operation": "klines"}
_MARKET = {"environment": "mainnet", "market": "spot"}
_EVENTS: list[tuple[Event, str, dict[str, str], float]] = [
    (Retrying("spot.klines", ValueError(), 0.1, 1), "retries_total", _CALL, 1),
    (Waited("spot.klines", 7.5, "weight"), "wait_seconds_sum", _CALL, 7.5),
    (CacheHit("spot.klines", "store"), "cache_hits_total", {**_CALL, "source": "store"}, 1),
    (CacheMiss("spot.klines"), "cache_misses_total", _CALL, 1),
    (WorthlessAnswer("spot.klines", "key", "is none"), "cache_worthless_answers_total", _CALL, 1),
    (RowSkipped("spot.klines", 3, "x"), "rows_skipped_total", _CALL, 1),
    (GateClosed("mainnet/spot", "429", 3.0), "gate_closings_total", {"pool": "mainnet/spot"}, 1),
    (BreakerChanged("api.binance.com", "open"), "breaker_openings_total", {"host": "api.binance.com"}, 1),
    (StoreChanged("lost", "x"), "store_losses_total", {"setting": "limits_url"}, 1),
    (BookLost("spot", "BTCUSDT", "gap", 1, 3), "book_losses_total", {**_MARKET, "reason": "gap"}, 1),
    (BookResynced("spot", "BTCUSDT", "gap", 1, 3, 9, 2.5), "book_outage_seconds_total", _MARKET, 2.5),
    (BookSnapshotLoaded("spot", "BTCUSDT", 1, 0, 0.0), "book_snapshots_total", {**_MARKET, "outcome": "loaded"}, 1),
    (
        BookSnapshotFailed("spot", "BTCUSDT", ValueError(), 1.0),
        "book_snapshots_total",
        {**_MARKET, "outcome": "failed"},
        1,
    ),
    (BookVerified("spot", "BTCUSDT", 1, 0), "book_checks_total", {**_MARKET, "outcome": "equal"}, 1),
    (BookVerified("spot", "BTCUSDT", 1, 4), "book_checks_total", {**_MARKET, "outcome": "different"}, 1),
    (BookFailed("spot", "BTCUSDT", ValueError()), "book_failures_total", _MARKET, 1),
]


@pytest.mark.parametrize(("event", "name", "labels", "amount"), _EVENTS)
def test_each_event_is_counted(
    registry: CollectorRegistry, event: Event, name: str, labels: dict[str, str], amount: float
) -> None:
    counter = EventCounter(EventMetrics(registry), {"spot": "mainnet"})
    counter.notice(event)
    counter.notice(event)
    assert value(registry, name, **labels) == 2 * amount


def test_what_is_over_is_no_fault(registry: CollectorRegistry) -> None:
    counter = EventCounter(EventMetrics(registry), {"spot": "mainnet"})
    counter.begin(["mainnet/spot"], ["api.binance.com"], ["limits_url"])
    for event in (BreakerChanged("api.binance.com", "closed"), StoreChanged("connected", "")):
        counter.notice(event)
    assert value(registry, "breaker_openings_total", host="api.binance.com") == 0
    assert value(registry, "store_losses_total", setting="limits_url") == 0
    assert value(registry, "gate_closings_total", pool="mainnet/spot") == 0


def test_every_counter_has_an_event_here_or_is_of_calls() -> None:
    of_events = {name.removesuffix("_total").removesuffix("_sum") for _, name, _, _ in _EVENTS}
    of_calls = {"request_duration_seconds", "request_errors", "request_weight"}
    assert of_events | of_calls == {definition.name.removeprefix("binance_sdk_") for definition in COUNTED}


# --------------------------------------------------------------------------------------- streams

_SPOT = {"environment": "custom", "market": "spot"}


async def test_streams_are_told_while_open_and_counted_for_good(
    simulator: Simulator, registry: CollectorRegistry
) -> None:
    async with simulator.client() as client:
        instrument(client, registry)
        streams = client.spot.streams
        for _ in range(2):
            async with streams.agg_trade("BTCUSDT") | streams.book_ticker("BTCUSDT") as events:
                async for _event in events:
                    break
                assert value(registry, "streams", **_SPOT, health="flowing") == 2
                assert value(registry, "streams", **_SPOT, health="disconnected") == 0
                received = events.stats.received
                assert received > 0
            assert named(registry, "streams") == []
        counted = value(registry, "stream_messages_total", **_SPOT)
        assert counted is not None
        assert counted >= 2
    assert value(registry, "stream_messages_total", **_SPOT) == counted
    assert (value(registry, "stream_reconnects_total", **_SPOT), value(registry, "stream_gaps_total", **_SPOT)) == (
        0,
        0,
    )


async def test_streams_of_several_markets_are_counted_as_such(
    simulator: Simulator, registry: CollectorRegistry
) -> None:
    async with simulator.client() as client:
        instrument(client, registry)
        both = client.spot.streams.agg_trade("BTCUSDT") | client.futures.streams.agg_trade("BTCUSDT")
        async with both as events:
            async for _event in events:
                break
            assert (value(registry, "stream_messages_total", environment="custom", market="several") or 0) > 0
            assert value(registry, "streams", **_SPOT, health="flowing") == 1


async def _health(
    simulator: Simulator, registry: CollectorRegistry, spoil: Callable[[Any], object]
) -> dict[str, float]:
    async with simulator.client() as client:
        instrument(client, registry)
        async with client.spot.streams.agg_trade("BTCUSDT") as events:
            async for _event in events:
                break
            manager = client._core.stream_manager()
            assert manager is not None
            ((subscription, supervisor),) = manager.counted()[0][0]._carried.values()
            spoil((subscription, supervisor))
            return {labels["health"]: found for labels, found in named(registry, "streams")}


def _silence(carried: tuple[Any, Any]) -> None:
    carried[0].last_message -= 10_000


async def test_a_silent_stream_is_told(simulator: Simulator, registry: CollectorRegistry) -> None:
    found = await _health(simulator, registry, _silence)
    assert found == {"flowing": 0, "silent": 1, "disconnected": 0}


async def test_a_stream_without_a_connection_is_told(
    simulator: Simulator, registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disconnect(carried: tuple[Any, Any]) -> None:
        monkeypatch.setattr(type(carried[1]), "connected", False)

    found = await _health(simulator, registry, disconnect)
    assert found == {"flowing": 0, "silent": 0, "disconnected": 1}


def test_streams_of_a_blocking_client(simulator: Simulator, registry: CollectorRegistry) -> None:
    with simulator.sync_client() as client:
        instrument(client, registry)
        with client.spot.streams.agg_trade("BTCUSDT") as events:
            next(iter(events))
            assert value(registry, "streams", **_SPOT, health="flowing") == 1
        assert (value(registry, "stream_messages_total", **_SPOT) or 0) > 0


async def test_counts_of_a_client_that_is_measured_no_more_stay(
    simulator: Simulator, registry: CollectorRegistry
) -> None:
    async with simulator.client() as client:
        measured = instrument(client, registry)
        async with client.spot.streams.agg_trade("BTCUSDT") as events:
            async for _event in events:
                break
        before = value(registry, "stream_messages_total", **_SPOT)
        measured.uninstrument()
        assert value(registry, "stream_messages_total", **_SPOT) == before


async def test_lag_is_told_and_no_count_falls(simulator: Simulator, registry: CollectorRegistry) -> None:
    async with simulator.client() as client:
        instrument(client, registry)
        async with client.spot.streams.agg_trade("BTCUSDT"):
            stats = _consumers(client)[0].reader.stats
            stats.lag_ms = 1500.0
            assert value(registry, "stream_lag_seconds", **_SPOT) == 1.5
            stats.dropped = 7
            assert value(registry, "stream_messages_dropped_total", **_SPOT) == 7
            stats.dropped = 5
            assert value(registry, "stream_messages_dropped_total", **_SPOT) == 7
            stats.dropped = 9
            assert value(registry, "stream_messages_dropped_total", **_SPOT) == 9


# ----------------------------------------------------------------------------------------- books


async def test_books_are_told(simulator: Simulator, registry: CollectorRegistry) -> None:
    async with simulator.client() as client:
        instrument(client, registry)
        async with client.spot.order_books(["BTCUSDT", "ETHUSDT"]) as books:
            await books.wait_synced()
            assert value(registry, "books", **_SPOT, state="synced") == 2
            assert 0 <= (value(registry, "book_age_seconds", **_SPOT) or 0) < 60
            (reader,) = (consumer.reader for consumer in _consumers(client))
            reader.keepers[1].lag_ms, reader.keepers[0].lag_ms = 2500.0, 500.0
            assert value(registry, "book_lag_seconds", **_SPOT) == 2.5
            reader.keepers[0].silent()
            found = {labels["state"]: count for labels, count in named(registry, "books")}
            assert found == {"synced": 1, "not_synced": 1}
            assert value(registry, "book_losses_total", **_SPOT, reason="stale") == 1
            assert named(registry, "symbol_book_synced") == []
        assert value(registry, "book_snapshots_total", **_SPOT, outcome="loaded") == 2
        assert named(registry, "books") == []


async def test_books_by_symbol_where_asked_for(simulator: Simulator, registry: CollectorRegistry) -> None:
    async with simulator.client() as client:
        instrument(client, registry, symbols=True)
        async with client.spot.order_book("BTCUSDT"):
            assert named(registry, "symbol_book_synced") == [({**_SPOT, "symbol": "BTCUSDT"}, 1.0)]
            ((labels, age),) = named(registry, "symbol_book_age_seconds")
            assert labels["symbol"] == "BTCUSDT"
            assert 0 <= age < 60


def _consumers(client: Any) -> list[Any]:
    manager = client._core.stream_manager()
    assert manager is not None
    consumers: list[Any] = manager.counted()[0]
    return consumers


async def test_a_book_that_ends_is_a_failure(simulator: Simulator, registry: CollectorRegistry) -> None:
    async with simulator.client() as client:
        instrument(client, registry)
        with pytest.raises(BadRequestError):
            await client.spot.order_book("NO_SUCH").open()
        assert value(registry, "book_failures_total", **_SPOT) == 1
        assert named(registry, "books") == []
