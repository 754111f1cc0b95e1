"""What is counted of calls and limits, on clients that call a simulator."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest, multiprocess

from binance_sdk import BinanceClient, RequestOptions, SyncBinanceClient
from binance_sdk.errors import BadRequestError, ConfigError, ServerError
from binance_sdk.events import RequestSent
from binance_sdk.metrics import instrument
from binance_sdk.metrics.definitions import METRICS, STORE_CONNECTED
from binance_sdk.metrics.state_collector import Readings
from binance_sdk.simulator import Simulator
from tests.shared.servers import running, valkey

from .promtool import PROMTOOL, needs_promtool
from .samples import definition_of, named, samples, value

PING = {"environment": "custom", "market": "spot", "operation": "ping"}
DEPTH = {**PING, "operation": "depth"}


def test_calls_are_counted_with_duration_weight_and_errors(simulator: Simulator, registry: CollectorRegistry) -> None:
    with simulator.sync_client() as client:
        instrument(client, registry)
        client.spot.ping()
        client.spot.depth("BTCUSDT", limit=5000)
        with pytest.raises(BadRequestError):
            client.spot.depth("NOSUCH")
    assert value(registry, "request_duration_seconds_count", **PING) == 1
    assert value(registry, "request_duration_seconds_count", **DEPTH) == 2
    assert (value(registry, "request_duration_seconds_sum", **DEPTH) or 0) > 0
    assert value(registry, "request_weight_total", **DEPTH) == 250 + 5
    assert named(registry, "request_errors_total") == [({**DEPTH, "error": "BadRequestError"}, 1.0)]


async def test_retries_waits_and_cached_answers(simulator: Simulator, registry: CollectorRegistry) -> None:
    simulator.add_fault("server_error:where=spot.ping,count=1")
    async with simulator.client(cache=True) as client:
        instrument(client, registry)
        await client.spot.ping()
        for _ in range(3):
            await client.spot.exchange_info(symbol="BTCUSDT")
    info = {**PING, "operation": "exchange_info"}
    assert value(registry, "retries_total", **PING) == 1
    assert value(registry, "request_errors_total", **PING, error=ServerError.__name__) == 1
    assert value(registry, "request_duration_seconds_count", **PING) == 2
    assert value(registry, "cache_hits_total", **info, source="memory") == 2
    assert value(registry, "cache_misses_total", **info) == 1
    assert value(registry, "request_duration_seconds_count", **info) == 1


def test_what_never_left_weighs_nothing(registry: CollectorRegistry) -> None:
    from binance_sdk.errors import APIConnectionError
    from tests.shared.servers import free_port

    with SyncBinanceClient(spot_base_url=f"http://127.0.0.1:{free_port()}", max_retries=0) as client:
        instrument(client, registry)
        with pytest.raises(APIConnectionError):
            client.spot.ping()
    assert value(registry, "request_weight_total", **PING) == 0
    assert value(registry, "request_errors_total", **PING, error="APIConnectionError") == 1


def test_calls_made_by_hooks_are_counted_too(simulator: Simulator, registry: CollectorRegistry) -> None:
    def hook(event: object) -> None:
        if isinstance(event, RequestSent) and event.operation == "spot.depth":
            client.spot.ping()

    with simulator.sync_client(hooks=[hook]) as client:
        instrument(client, registry)
        client.spot.depth("BTCUSDT")
    assert value(registry, "request_duration_seconds_count", **PING) == 1


def test_limits_are_those_of_the_client(simulator: Simulator, registry: CollectorRegistry) -> None:
    with simulator.sync_client() as client:
        instrument(client, registry)
        client.spot.depth("BTCUSDT", limit=5000)
        client.futures.funding_rate("BTCUSDT")
        spot, futures = client.limits.spot, client.limits.futures
        weight = {"pool": spot.pool, "kind": "weight", "window": "60s"}
        assert value(registry, "limit_used", **weight) == spot.used == 250
        assert value(registry, "limit_allowed", **weight) == spot.limit == 6000
        assert value(registry, "limit_remaining", **weight) == spot.remaining == 5750
        group = {"pool": futures.pool, "kind": "funding_rate", "window": "300s"}
        assert value(registry, "limit_used", **group) == futures.groups["funding_rate"].used == 1
        assert value(registry, "calls_waiting") == 0
        assert value(registry, "gate_closed_seconds", pool=spot.pool) == 0


def _client(host: str, **settings: Any) -> SyncBinanceClient:
    return SyncBinanceClient(spot_base_url=f"http://{host}.invalid", **settings)


def test_gate_ban_breaker_and_drift_are_told(registry: CollectorRegistry) -> None:
    with _client("told") as client:
        instrument(client, registry)
        attempts = client._core.engine.attempts
        hosts, now = attempts.markets["spot"], attempts.clock.monotonic()
        pool, breaker = hosts.pool, hosts.hosts[0].breaker
        assert value(registry, "banned_seconds", pool=pool.name) == 0
        assert value(registry, "breaker_state", host=breaker.host, state="closed") == 1
        assert value(registry, "gate_closings_total", pool=pool.name) == 0
        pool.gate.ban(now, now + 100, now)
        breaker.state = "open"
        for _ in range(3):
            pool.drift.observe("spot.depth", 5, 25)
            pool.drift.observe("spot.depth", 250, 200)
        assert 90 < (value(registry, "banned_seconds", pool=pool.name) or 0) <= 100
        assert 90 < (value(registry, "gate_closed_seconds", pool=pool.name) or 0) <= 100
        states = {
            labels["state"]: found for labels, found in named(registry, "breaker_state") if "told" in labels["host"]
        }
        assert states == {"closed": 0, "open": 1, "half_open": 0}
        # Of several weights of an operation, the one that differs most.
        assert named(registry, "weight_drift") == [(DEPTH, -50.0)]
        drifts = {labels["severity"]: (labels["kind"], count) for labels, count in named(registry, "drifts")}
        assert drifts == {"breaking": ("weight_changed", 1), "noted": ("weight_changed", 1)}


def test_of_several_clients_the_worst_is_told(registry: CollectorRegistry) -> None:
    with _client("shared") as first, _client("shared") as second:
        instrument(first, registry)
        instrument(second, registry)
        assert named(registry, "store_losses_total") == []
        host = first._core.engine.attempts.markets["spot"].hosts[0].breaker
        host.state = "open"
        assert value(registry, "breaker_state", host=host.host, state="open") == 1
        host.state = "closed"
        assert value(registry, "breaker_state", host=host.host, state="open") == 0


@pytest.mark.parametrize("states", [(0.0, 1.0), (1.0, 0.0), (1.0, 1.0)])
def test_one_lost_store_of_several_is_told(states: tuple[float, float]) -> None:
    found = Readings()
    for state in states:
        found.smallest(STORE_CONNECTED, ("limits_url",), state)
    assert found.of(STORE_CONNECTED) == {("limits_url",): min(states)}


def test_fields_that_the_spec_does_not_know_are_told(registry: CollectorRegistry) -> None:
    import httpx

    answer = httpx.MockTransport(lambda _: httpx.Response(200, json={"serverTime": 1_764_028_800_000, "more": 1}))
    with httpx.Client(transport=answer) as http, _client("fields", http_client=http) as client:
        instrument(client, registry)
        client.spot.time()
        found = [(labels["operation"], labels["kind"], count) for labels, count in named(registry, "drifts")]
        assert found == [("time", "field_added", 1)]


def test_the_store_is_told(simulator: Simulator, registry: CollectorRegistry) -> None:
    with (
        running(valkey()) as server,
        simulator.sync_client(limits_url=server.url, limits_key="paris", cache=True) as client,
    ):
        instrument(client, registry)
        assert named(registry, "store_connected") == []
        assert value(registry, "store_losses_total", setting="limits_url") == 0
        client.spot.ping(options=RequestOptions(cache=False))
        assert value(registry, "store_connected", setting="limits_url") == 1
        assert value(registry, "store_processes", limits_key="paris") == 1
        # Cached answers are in the same store, which was not asked yet.
        assert named(registry, "store_connected") == [({"setting": "limits_url"}, 1.0)]
        client.spot.exchange_info(symbol="BTCUSDT")
        assert value(registry, "store_connected", setting="cache_url") == 1
        store = client._core.store
        assert store is not None
        store._become("lost", "it was unplugged")
        assert value(registry, "store_connected", setting="limits_url") == 0
        store._become("connected", "")


# ------------------------------------------------------------------------------------ many clients


async def test_clients_of_one_registry_are_added_up(simulator: Simulator, registry: CollectorRegistry) -> None:
    async with simulator.client() as first, simulator.client() as second:
        instrument(first, registry)
        instrument(second.with_options(RequestOptions(timeout=5)), registry)
        instrument(first, registry, symbols=True)
        await first.spot.ping()
        await second.spot.ping()
        assert value(registry, "request_duration_seconds_count", **PING) == 2
        # Both spend from one pool, which is told once.
        pools = [labels["pool"] for labels, _ in named(registry, "limit_used") if labels["kind"] == "weight"]
        assert len(pools) == len(set(pools))


def test_uninstrumented_clients_are_left_alone(simulator: Simulator, registry: CollectorRegistry) -> None:
    with simulator.sync_client() as client:
        measured = instrument(client, registry)
        client.spot.ping()
        measured.uninstrument()
        measured.uninstrument()
        client.spot.ping()
        assert value(registry, "request_duration_seconds_count", **PING) == 1
        assert named(registry, "limit_used") == []
        instrument(client, registry)
        client.spot.ping()
        assert value(registry, "request_duration_seconds_count", **PING) == 2


def test_closed_clients_are_not_kept(simulator: Simulator, registry: CollectorRegistry) -> None:
    import gc
    import weakref

    with simulator.sync_client() as client:
        instrument(client, registry)
    core = weakref.ref(client._core)
    del client
    assert generate_latest(registry)
    gc.collect()
    assert core() is None


def test_what_cannot_be_measured_is_refused(registry: CollectorRegistry) -> None:
    client = _client("closed")
    client.close()
    with pytest.raises(ConfigError, match="the client is closed"):
        instrument(client, registry)
    wrong: Any = "client"
    with pytest.raises(ConfigError, match="client='client' must be a BinanceClient"):
        instrument(wrong, registry)
    with _client("open") as client, pytest.raises(ConfigError, match="registry='client' must be"):
        instrument(client, wrong)


# ------------------------------------------------------------------------------------------- names


async def test_what_is_exposed_is_what_is_defined(simulator: Simulator, registry: CollectorRegistry) -> None:
    async with simulator.client() as client:
        instrument(client, registry)
        await client.spot.ping()
        families = {family.name: family for family in registry.collect()}
        assert list(families) == [definition.name for definition in METRICS]
        for definition in METRICS:
            family = families[definition.name]
            assert (family.type, family.documentation) == (definition.kind, definition.help)
        for sample in samples(registry):
            found = definition_of(sample.name)
            assert found is not None, sample.name
            assert set(sample.labels) - {"le"} == set(found.labels)


@needs_promtool
def test_names_keep_to_the_conventions(simulator: Simulator, registry: CollectorRegistry) -> None:
    with simulator.sync_client() as client:
        instrument(client, registry)
        client.spot.ping()
        text = generate_latest(registry)
    # Of prometheus_client's own, promtool would say that they should not be called gauges.
    lines = [line for line in text.splitlines(keepends=True) if b"_created" not in line]
    checked = subprocess.run([PROMTOOL, "check", "metrics"], input=b"".join(lines), capture_output=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")


def test_only_symbols_that_were_asked_for_are_labels() -> None:
    assert {definition.name for definition in METRICS if "symbol" in definition.labels} == {
        "binance_sdk_symbol_book_synced",
        "binance_sdk_symbol_book_age_seconds",
    }


def test_without_the_extra_the_remedy_is_named() -> None:
    code = "import sys; sys.modules['prometheus_client'] = None\nimport binance_sdk.metrics"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "binance_sdk.metrics needs prometheus_client: pip install 'binance-market-sdk[metrics]'" in ran.stderr


def test_workers_of_one_server_are_added_up(tmp_path: Path) -> None:
    """As the page says: what happens is added up over processes, and what is read when asked is left out."""
    worker = (
        "from binance_sdk import SyncBinanceClient\nfrom binance_sdk.metrics import instrument\n"
        "client = SyncBinanceClient(spot_base_url='http://workers.invalid')\n"
        "instrument(client)._source.counter.ended('spot.ping', 'ok', 0.1, 1)\n"
    )
    for _ in range(2):
        variables = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
        subprocess.run([sys.executable, "-c", worker], env=variables, check=True)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, str(tmp_path))
    assert value(registry, "request_weight_total", **PING) == 2
    assert value(registry, "request_duration_seconds_count", **PING) == 2
    assert named(registry, "limit_used") == []


def test_clients_do_not_load_it() -> None:
    code = "import sys, binance_sdk; binance_sdk.BinanceClient(); print('prometheus_client' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def test_an_async_client_that_is_never_called_tells_its_limits(registry: CollectorRegistry) -> None:
    instrument(BinanceClient(spot_base_url="http://idle.invalid"), registry)
    assert value(registry, "limit_used", pool="idle.invalid/spot", kind="weight", window="60s") == 0
