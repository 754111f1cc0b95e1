"""Prometheus metrics of exchanges and sources; needs the extra ``metrics``.

    from virtuoso_binance.metrics import instrument

    instrument(source)  # a MarketDataSource, or an exchange of ours
    prometheus_client.start_http_server(9000)

Whatever is told is read when Prometheus asks, from what was seen as it passed by; nobody is asked for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args
from weakref import WeakKeyDictionary

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from binance_sdk import metrics as client_metrics
from binance_sdk.errors import ConfigError, shown
from binance_sdk.metrics.definitions import Definition
from virtuoso_binance.exchange import BinanceMethods
from virtuoso_binance.health import ExchangeHealth, HealthState, KindHealth
from virtuoso_binance.sources import MarketDataSource
from virtuoso_binance.sources.events import Cause

__all__ = ["WatchedHealth", "instrument"]

_STATES: tuple[HealthState, ...] = get_args(HealthState)


def _metric(name: str, kind: Literal["counter", "gauge"], text: str, *labels: str) -> Definition:
    return Definition(f"virtuoso_binance_{name}", kind, text, labels)


SOURCE_ASKED = _metric("source_asked", "counter", "Questions to a source.", "source")
SOURCE_DELIVERED = _metric("source_delivered", "counter", "Answers of a source that were delivered.", "source")
SOURCE_FAILURES = _metric(
    "source_failures", "counter", "Answers of a source that were not good enough, by cause.", "source", "cause"
)
SOURCE_SWITCHES = _metric("source_switches", "counter", "Times that another source took over, for any symbol.")
SOURCE_STATE = _metric("source_state", "gauge", "1 for the state that a source is in.", "source", "state")
SOURCE_SYMBOLS = _metric("source_symbols", "gauge", "Symbols that a source serves.", "source")
SOURCE_QUARANTINED = _metric(
    "source_quarantined_symbols",
    "gauge",
    "Symbols that a source may not serve: a majority contradicts it.",
    "source",
)
SOURCE_REST = _metric("source_rest_seconds", "gauge", "Time for which a source is not asked; 0 while it is.", "source")
SOURCE_KIND_STATE = _metric(
    "source_kind_state", "gauge", "1 for the state of a kind of data of a source.", "source", "kind", "state"
)
SOURCE_KIND_AGE = _metric(
    "source_kind_age_seconds", "gauge", "Age of the newest data of a kind of a source.", "source", "kind"
)
SOURCE_KIND_FAILED = _metric(
    "source_kind_failed_ratio",
    "gauge",
    "Share of the answers of five minutes that had none of a kind.",
    "source",
    "kind",
)
EXCHANGE_STATE = _metric("exchange_state", "gauge", "1 for the state that Binance is in.", "state")
MARKET_STATE = _metric("market_state", "gauge", "1 for the state of a market, as last probed.", "market", "state")
MARKET_ROUND_TRIP = _metric("market_round_trip_seconds", "gauge", "Time that the last probe took.", "market")
MARKET_CLOCK = _metric(
    "market_clock_offset_seconds", "gauge", "Time of the exchange minus the local clock, as last probed.", "market"
)
MARKET_SYMBOLS = _metric("market_symbols", "gauge", "Symbols that a market lists, traded or not.", "market", "traded")
LISTING_CHANGES = _metric(
    "listing_changes", "counter", "Symbols that were listed, delisted or given another status.", "market", "change"
)
KIND_STATE = _metric("kind_state", "gauge", "1 for the state of a kind of Binance's data.", "kind", "state")
KIND_AGE = _metric("kind_age_seconds", "gauge", "Age of the newest data of a kind of Binance's.", "kind")
KIND_FAILED = _metric("kind_failed_ratio", "gauge", "Share of the questions of five minutes that failed.", "kind")
STREAMS_STATE = _metric(
    "streams_state", "gauge", "1 for the state that the streams of a market are in.", "market", "state"
)
STREAMS_FAILED_DIALS = _metric(
    "streams_failed_dials", "gauge", "Attempts in a row to connect to streams that have failed.", "market"
)
PART_SYMBOLS = _metric(
    "part_symbols",
    "gauge",
    "Symbols of which a part of market data is streamed, or was and is asked for.",
    "market",
    "part",
    "streamed",
)
PART_FALLBACKS = _metric(
    "part_fallbacks", "counter", "Times that a part that was streamed had to be asked for.", "market", "part"
)
PART_RECOVERIES = _metric("part_recoveries", "counter", "Times that such a part was streamed again.", "market", "part")

METRICS = (
    SOURCE_ASKED,
    SOURCE_DELIVERED,
    SOURCE_FAILURES,
    SOURCE_SWITCHES,
    SOURCE_STATE,
    SOURCE_SYMBOLS,
    SOURCE_QUARANTINED,
    SOURCE_REST,
    SOURCE_KIND_STATE,
    SOURCE_KIND_AGE,
    SOURCE_KIND_FAILED,
    EXCHANGE_STATE,
    MARKET_STATE,
    MARKET_ROUND_TRIP,
    MARKET_CLOCK,
    MARKET_SYMBOLS,
    LISTING_CHANGES,
    KIND_STATE,
    KIND_AGE,
    KIND_FAILED,
    STREAMS_STATE,
    STREAMS_FAILED_DIALS,
    PART_SYMBOLS,
    PART_FALLBACKS,
    PART_RECOVERIES,
)
_CHANGES = ("listed", "delisted", "status")
_CAUSES: tuple[Cause, ...] = get_args(Cause)

Labels = tuple[str, ...]


@dataclass
class _Readings:
    """Values by metric and labels."""

    values: dict[Definition, dict[Labels, float]] = field(default_factory=dict[Definition, dict[Labels, float]])

    def put(self, definition: Definition, labels: Labels, value: float) -> None:
        self.values.setdefault(definition, {})[labels] = value

    def state(self, definition: Definition, labels: Labels, state: HealthState) -> None:
        """1 for the state, and 0 for the others."""
        for each in _STATES:
            self.put(definition, (*labels, each), float(each == state))


class _HealthCollector(Collector):
    """Reads what is watched in one registry."""

    def __init__(self) -> None:
        self.source: MarketDataSource | None = None
        self.exchange: BinanceMethods | None = None

    # prometheus_client calls it when the collector is registered.
    def describe(self) -> Iterable[Metric]:
        return [_family(definition, {}) for definition in METRICS]

    def collect(self) -> Iterator[Metric]:
        found = _Readings()
        if self.source is not None:
            _read_source(self.source, found)
        if self.exchange is not None:
            _read_exchange(self.exchange, found)
        for definition in METRICS:
            yield _family(definition, found.values.get(definition, {}))


def _family(definition: Definition, values: Mapping[Labels, float]) -> Metric:
    kind = CounterMetricFamily if definition.kind == "counter" else GaugeMetricFamily
    family: Any = kind(definition.name, definition.help, labels=definition.labels)
    for labels, value in values.items():
        family.add_metric(labels, value)
    return cast("Metric", family)


def _read_source(source: MarketDataSource, found: _Readings) -> None:
    found.put(SOURCE_SWITCHES, (), source.switches)
    for name, stats in source.stats.items():
        found.put(SOURCE_ASKED, (name,), stats.asked)
        found.put(SOURCE_DELIVERED, (name,), stats.delivered)
        for cause in _CAUSES:
            # 0 before the first one: a counter that appears with 1 has no increase.
            found.put(SOURCE_FAILURES, (name, cause), stats.failed.get(cause, 0))
    for name, health in source.health().sources.items():
        found.state(SOURCE_STATE, (name,), health.state)
        found.put(SOURCE_SYMBOLS, (name,), health.facts.serves)
        found.put(SOURCE_QUARANTINED, (name,), len(health.facts.quarantined))
        found.put(SOURCE_REST, (name,), health.facts.rests_for)
        _read_kinds(health.kinds, (name,), (SOURCE_KIND_STATE, SOURCE_KIND_AGE, SOURCE_KIND_FAILED), found)


def _read_exchange(exchange: BinanceMethods, found: _Readings) -> None:
    health: ExchangeHealth = exchange.binance_health()
    counts = exchange.binance_session.changes.counts
    found.state(EXCHANGE_STATE, (), health.state)
    for name, market in health.markets.items():
        found.state(MARKET_STATE, (name,), market.state)
        facts = market.facts
        if facts.round_trip_ms is not None and facts.clock_offset_ms is not None:
            found.put(MARKET_ROUND_TRIP, (name,), facts.round_trip_ms / 1000)
            found.put(MARKET_CLOCK, (name,), facts.clock_offset_ms / 1000)
        if facts.listed is not None and facts.traded is not None:
            found.put(MARKET_SYMBOLS, (name, "yes"), facts.traded)
            found.put(MARKET_SYMBOLS, (name, "no"), facts.listed - facts.traded)
        for change in _CHANGES:
            found.put(LISTING_CHANGES, (name, change), counts.get((name, change), 0))
    _read_kinds(health.kinds, (), (KIND_STATE, KIND_AGE, KIND_FAILED), found)
    for name, streams in health.streams.items():
        found.state(STREAMS_STATE, (name,), streams.state)
        found.put(STREAMS_FAILED_DIALS, (name,), streams.facts.failed_dials)
        for part, fares in streams.facts.parts.items():
            found.put(PART_SYMBOLS, (name, part, "yes"), fares.streamed)
            found.put(PART_SYMBOLS, (name, part, "no"), fares.stalled)
            found.put(PART_FALLBACKS, (name, part), fares.fallbacks)
            found.put(PART_RECOVERIES, (name, part), fares.recoveries)


def _read_kinds(
    kinds: Mapping[Any, KindHealth], labels: Labels, into: tuple[Definition, Definition, Definition], found: _Readings
) -> None:
    state, age, failed = into
    for kind, health in kinds.items():
        found.state(state, (*labels, kind), health.state)
        if health.age_ms is not None:
            found.put(age, (*labels, kind), health.age_ms / 1000)
        if health.asked:
            found.put(failed, (*labels, kind), health.failed / health.asked)


# ------------------------------------------------------------------------------------- watching

_COLLECTORS: WeakKeyDictionary[CollectorRegistry, _HealthCollector] = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class WatchedHealth:
    """What is measured. It stays so until ``uninstrument``."""

    _collector: _HealthCollector
    _source: MarketDataSource | None
    _exchange: BinanceMethods | None

    def uninstrument(self) -> None:
        """Measure it no more; its clients that are measured already stay so until they are closed."""
        if self._source is not None and self._collector.source is self._source:
            self._collector.source = None
        if self._exchange is not None and self._collector.exchange is self._exchange:
            self._exchange.binance_session.watch_clients(None)
            self._collector.exchange = None


def instrument(watched: MarketDataSource | BinanceMethods, registry: CollectorRegistry = REGISTRY) -> WatchedHealth:
    """Measure a ``MarketDataSource`` and the exchange of ours in it, or such an exchange alone.

    The clients of the exchange are measured too, as by ``binance_sdk.metrics.instrument``, those that are made later as
    well. A registry has room for one source and one exchange, as no label tells two apart.

    Args:
        watched: The source, or the exchange.
        registry: Where the metrics appear; by default that of ``prometheus_client``.

    Raises:
        ConfigError: it is something else, or the registry has another one.
    """
    given: object = watched
    source = given if isinstance(given, MarketDataSource) else None
    ours = [each for each in source.exchanges.values() if isinstance(each, BinanceMethods)] if source else [given]
    exchange = next((each for each in ours if isinstance(each, BinanceMethods)), None)
    if source is None and exchange is None:
        raise ConfigError(f"watched={shown(given)} must be a MarketDataSource or an exchange of make_exchange_class")
    collector = _COLLECTORS.get(registry)
    if collector is None:
        collector = _COLLECTORS[registry] = _HealthCollector()
        registry.register(collector)
    for known, new in ((collector.source, source), (collector.exchange, exchange)):
        if known is not None and new is not None and known is not new:
            raise ConfigError("the registry has another one of these; pass registry=CollectorRegistry() of your own")
    collector.source, collector.exchange = source or collector.source, exchange or collector.exchange
    if exchange is not None:
        exchange.binance_session.watch_clients(lambda client: client_metrics.instrument(client, registry))
    return WatchedHealth(collector, source, exchange)
