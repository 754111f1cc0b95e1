"""What Prometheus is told of sources and exchanges: each metric with a value that somebody made happen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from binance_sdk.errors import ConfigError
from binance_sdk.simulator import Fault, ManualClock, Simulator
from tests.virtuoso.conftest import NOW, hasty, section_for
from tests.virtuoso.sources.fake_sources import Clock, FakeExchange, source_of
from virtuoso_binance import BaseExchange, MarketDataSource, make_exchange_class
from virtuoso_binance.metrics import METRICS, instrument

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "virtuoso-monitoring.md").read_text("utf-8")


def values(registry: CollectorRegistry) -> dict[str, float]:
    """Each sample of the adapter, by its text."""
    lines = generate_latest(registry).decode().splitlines()
    found = (line.rpartition(" ") for line in lines if line.startswith("virtuoso_binance_"))
    return {name.removeprefix("virtuoso_binance_"): float(value) for name, _, value in found}


def test_the_page_lists_every_metric() -> None:
    rows = re.findall(r"^\| `(virtuoso_binance_[a-z_]+)` \| (\w+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
    assert rows == [
        (each.full_name, each.kind, ", ".join(f"`{label}`" for label in each.labels) or "–", each.help)
        for each in METRICS
    ]


async def test_sources() -> None:
    clock, registry = Clock(), CollectorRegistry()
    exchanges = {name: FakeExchange(clock, name) for name in ("bybit", "binance", "okx")}
    source = source_of(clock, exchanges, cross_validation=True)
    assert instrument(source, registry) == instrument(source, registry)
    assert values(registry)['source_failures_total{cause="error",source="bybit"}'] == 0
    await source.fetch_market_data("BTCUSDT")
    exchanges["okx"].price = 103.0
    exchanges["bybit"].fails(OSError("no route"))
    for symbol in ("BTCUSDT", "ETHUSDT", "SUIUSDT"):
        clock.move(2)
        await source.fetch_market_data(symbol)
    clock.move(1)
    found = values(registry)
    expected = {
        'source_asked_total{source="bybit"}': 4,
        'source_delivered_total{source="binance"}': 3,
        'source_failures_total{cause="error",source="bybit"}': 3,
        "source_switches_total": 3,
        'source_state{source="bybit",state="down"}': 1,
        'source_state{source="bybit",state="healthy"}': 0,
        'source_state{source="binance",state="degraded"}': 1,
        'source_symbols{source="binance"}': 3,
        'source_rest_seconds{source="bybit"}': 4,
        'source_kind_state{kind="price",source="okx",state="degraded"}': 1,
        'source_kind_age_seconds{kind="price",source="binance"}': 1,
        'source_kind_failed_ratio{kind="book",source="binance"}': 0,
        'source_quarantined_symbols{source="okx"}': 0,
    }
    assert {name: found.get(name) for name in expected} == expected
    watched = instrument(source, registry)
    watched.uninstrument()
    assert values(registry) == {}


async def test_an_exchange_its_clients_and_both_together() -> None:
    registry = CollectorRegistry()
    clock = ManualClock(NOW)
    with Simulator(clock=clock, history_days=35, symbols=["BTCUSDT", "ETHUSDT"]) as simulator:
        cls = make_exchange_class(
            BaseExchange, section_for(simulator), client_factory=hasty, now=lambda: clock.now_ms() / 1000
        )
        exchange: Any = cls({})
        exchange.binance_session.now_ms = lambda *market: clock.now_ms()  # pyright: ignore[reportUnknownLambdaType]
        source = MarketDataSource({"binance": exchange}, {"primary": "binance", "aggregation_mode": "primary_only"})
        watched = instrument(source, registry)
        assert watched == instrument(source, registry)
        assert await exchange.initialize()
        simulator.set_status("futures", "ETHUSDT", "SETTLING")
        clock.advance(3601)
        simulator.faults.add(Fault.server_error(), where="futures.depth")
        await exchange.load_markets()
        await exchange.fetch_market_data("BTCUSDT")
        await exchange.fetch_status()
        found = values(registry)
        expected = {
            'exchange_state{state="degraded"}': 1,
            'exchange_state{state="down"}': 0,
            'market_state{market="futures",state="healthy"}': 1,
            'market_round_trip_seconds{market="spot"}': 0,
            'market_clock_offset_seconds{market="spot"}': 0,
            'market_symbols{market="futures",traded="yes"}': 1,
            'market_symbols{market="futures",traded="no"}': 1,
            'listing_changes_total{change="status",market="futures"}': 1,
            'listing_changes_total{change="delisted",market="spot"}': 0,
            'kind_state{kind="book",state="degraded"}': 1,
            'kind_failed_ratio{kind="book"}': 1,
            'kind_failed_ratio{kind="price"}': 0,
            'source_asked_total{source="binance"}': 0,
        }
        assert {name: found.get(name) for name in expected} == expected
        assert 0 <= found['kind_age_seconds{kind="price"}'] <= 120
        # The client was made after that, and is measured too.
        assert 'binance_sdk_request_errors_total{environment="custom"' in generate_latest(registry).decode()
        with pytest.raises(ConfigError, match="another one of these"):
            instrument(cls({}), registry)
        watched.uninstrument()
        await source.close()
    assert values(registry) == {}


def test_only_what_is_ours_can_be_measured() -> None:
    with pytest.raises(ConfigError, match="watched=5 must be a MarketDataSource"):
        instrument(cast("Any", 5))
