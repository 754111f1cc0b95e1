"""What is read when Prometheus asks: limits, gate, circuit breakers, streams, books, the store."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from binance_sdk._runtime.locks import new_lock
from binance_sdk._version import __version__
from binance_sdk.events import WeightDrift
from binance_sdk.metrics import definitions as metrics
from binance_sdk.metrics.definitions import READ, Definition

if TYPE_CHECKING:
    from binance_sdk._core import Core
    from binance_sdk._runtime.budget.pool import Pool, Usage
    from binance_sdk._runtime.live_book.book_reader import BookReader
    from binance_sdk._runtime.stream.reading.reader import Reader
    from binance_sdk.metrics.event_counts import EventCounter

_BREAKER_STATES = ("closed", "open", "half_open")
_HEALTHS = ("flowing", "silent", "disconnected")
_COUNTS = {
    metrics.STREAM_MESSAGES: "received",
    metrics.STREAM_DROPS: "dropped",
    metrics.STREAM_MALFORMED: "malformed",
    metrics.STREAM_DUPLICATES: "duplicates",
    metrics.STREAM_FILLED: "filled",
    metrics.STREAM_GAPS: "gaps",
    metrics.STREAM_SILENCES: "silences",
    metrics.STREAM_RECONNECTS: "reconnects",
    metrics.STREAM_ROLLOVERS: "rollovers",
}
"""Counts of streams, by their names in ``StreamStats``."""
Labels = tuple[str, ...]


@dataclass(eq=False)
class Source:
    """A client that is read.

    Args:
        core: Of the client and its copies.
        counter: Counts what it tells.
        environments: Environment by market.
        symbols: Tell books one by one as well.
    """

    core: Core
    counter: EventCounter
    environments: dict[str, str]
    symbols: bool


class Readings:
    """Values by metric and labels. Of several clients with the same labels, one value is made."""

    def __init__(self) -> None:
        self._values: dict[Definition, dict[Labels, float]] = {definition: {} for definition in READ}

    def put(self, definition: Definition, labels: Labels, value: float) -> None:
        """The only value there is."""
        self._values[definition][labels] = value

    def add(self, definition: Definition, labels: Labels, value: float) -> None:
        """One of several that are added up."""
        values = self._values[definition]
        values[labels] = values.get(labels, 0.0) + value

    def largest(self, definition: Definition, labels: Labels, value: float) -> None:
        """One of several of which the largest counts."""
        values = self._values[definition]
        values[labels] = max(values.get(labels, 0.0), value)

    def smallest(self, definition: Definition, labels: Labels, value: float) -> None:
        """One of several of which the smallest counts."""
        values = self._values[definition]
        values[labels] = min(values.get(labels, value), value)

    def of(self, definition: Definition) -> dict[Labels, float]:
        return self._values[definition]


class StateCollector(Collector):
    """Reads the clients of one registry."""

    def __init__(self) -> None:
        self._sources: list[Source] = []
        self._counted: dict[tuple[Definition, Labels], float] = {}
        """By clients that are read no more."""
        self._told: dict[tuple[Definition, Labels], float] = {}
        """The highest counts that were told: a stream that begins anew takes back what it had counted as dropped."""
        self._lock = new_lock()

    def add(self, source: Source) -> None:
        """Read this client as well."""
        with self._lock:
            self._sources.append(source)

    def find(self, core: Core) -> Source | None:
        """The client that is read already."""
        with self._lock:
            return next((source for source in self._sources if source.core is core), None)

    def remove(self, source: Source) -> None:
        """Read it no more; what it counted stays."""
        with self._lock:
            if source in self._sources:
                self._keep_counts(source)

    def _let_no_count_fall(self, found: Readings) -> None:
        """To Prometheus a counter that falls is a process that was started anew."""
        with self._lock:
            for definition in _COUNTS:
                for labels, value in found.of(definition).items():
                    found.put(definition, labels, max(value, self._told.get((definition, labels), 0.0)))
                    self._told[definition, labels] = found.of(definition)[labels]

    def _keep_counts(self, source: Source) -> None:
        self._sources.remove(source)
        found = Readings()
        _read_counts(source, found)
        for definition in _COUNTS:
            for labels, value in found.of(definition).items():
                key = definition, labels
                self._counted[key] = self._counted.get(key, 0.0) + value

    # prometheus_client calls it when the collector is registered: reading clients for the mere names would be a waste.
    def describe(self) -> Iterable[Metric]:
        return [_family(definition, {}) for definition in READ]

    def collect(self) -> Iterator[Metric]:
        found = Readings()
        with self._lock:
            for source in list(self._sources):
                if source.core.closed:
                    # All of its streams are closed as well: it counts no more, and need not be kept.
                    self._keep_counts(source)
            sources = list(self._sources)
            for (definition, labels), value in self._counted.items():
                found.add(definition, labels, value)
        found.put(metrics.INFO, (__version__,), 1)
        _read_pools(sources, found)
        for source in sources:
            _read_hosts(source, found)
            _read_drift(source, found)
            _read_counts(source, found)
            _read_streams(source, found)
            _read_stores(source, found)
        self._let_no_count_fall(found)
        for definition in READ:
            yield _family(definition, found.of(definition))


def _family(definition: Definition, values: dict[Labels, float]) -> Metric:
    kind = CounterMetricFamily if definition.kind == "counter" else GaugeMetricFamily
    family: Any = kind(definition.name, definition.help, labels=definition.labels)
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family  # type: ignore[no-any-return]


# ------------------------------------------------------------------------------------------------ limits


def _read_pools(sources: list[Source], found: Readings) -> None:
    """Clients share pools and queues, so each is told once."""
    now = sources[0].core.clock.monotonic() if sources else 0.0
    wall = sources[0].core.clock.time() if sources else 0.0
    pools: dict[str, Pool] = {}
    for source in sources:
        for hosts in source.core.engine.attempts.markets.values():
            pools.setdefault(hosts.pool.name, hosts.pool)
    for name, pool in pools.items():
        _read_usage(name, "weight", (pool.usage(window, now) for window in pool.weights), found)
        for group, window in pool.groups.items():
            windows = (window, *pool.other_groups.get(group, ()))
            _read_usage(name, group, (pool.usage(each, now) for each in windows), found)
        found.put(metrics.GATE_CLOSED, (name,), max(0.0, pool.gate.closed_until - now))
        found.put(metrics.BANNED, (name,), max(0.0, pool.gate.banned_until - now))
        found.put(metrics.CLOCK_SKEW, (name,), pool.time.skew(wall, now))
    ledgers = {id(pool.ledger): pool.ledger for pool in pools.values()}
    found.put(metrics.CALLS_WAITING, (), sum(ledger.waiting for ledger in ledgers.values()))


def _read_usage(pool: str, kind: str, usages: Iterable[Usage], found: Readings) -> None:
    for usage in usages:
        labels = pool, kind, f"{usage.seconds}s"
        found.put(metrics.LIMIT_USED, labels, usage.used)
        found.put(metrics.LIMIT_ALLOWED, labels, usage.limit)
        found.put(metrics.LIMIT_REMAINING, labels, usage.remaining)


def _read_drift(source: Source, found: Readings) -> None:
    counts: Counter[Labels] = Counter()
    for row in source.core.drift():
        market, _, name = row.operation.partition(".")
        labels: Labels = (source.environments.get(market, ""), market, name)
        if isinstance(row, WeightDrift):
            # The weight may depend on parameters: the largest difference tells enough.
            known = found.of(metrics.WEIGHT_DRIFT).get(labels, 0.0)
            found.put(metrics.WEIGHT_DRIFT, labels, max(known, row.seen - row.spec, key=abs))
            counts[(*labels, "weight_changed", row.severity)] += 1
        else:
            counts[(*labels, row.kind, row.severity)] += 1
    for labels, count in counts.items():
        # Clients of one exchange meet the same differences.
        found.largest(metrics.DRIFTS, labels, count)


def _read_hosts(source: Source, found: Readings) -> None:
    for hosts in source.core.engine.attempts.markets.values():
        for host in hosts.hosts:
            for state in _BREAKER_STATES:
                # Each client has breakers of its own: it is told if any of them is in the state.
                labels = host.breaker.host, state
                found.largest(metrics.BREAKER_STATE, labels, float(host.breaker.state == state))


def _read_stores(source: Source, found: Readings) -> None:
    core = source.core
    if core.store is not None:
        status = core.store.status
        _read_store("limits_url", status.state, found)
        if status.state != "unused":
            found.put(metrics.STORE_PROCESSES, (core.store.settings.limits_key,), status.processes)
    if core.cache_store is not None:
        _read_store("cache_url", core.cache_store.status.state, found)


def _read_store(setting: str, state: str, found: Readings) -> None:
    if state != "unused":
        found.smallest(metrics.STORE_CONNECTED, (setting,), float(state == "connected"))


# ----------------------------------------------------------------------------------------------- streams


def _of_markets(source: Source, markets: frozenset[str]) -> Labels:
    """Labels of what belongs to a market, or to several at once."""
    environments = sorted({source.environments.get(market, "") for market in markets})
    return "+".join(environments), next(iter(markets)) if len(markets) == 1 else "several"


def _read_counts(source: Source, found: Readings) -> None:
    manager = source.core.stream_manager()
    if manager is None:
        return
    for markets, counts in manager.counted()[1].items():
        for definition, name in _COUNTS.items():
            found.add(definition, _of_markets(source, markets), getattr(counts, name))


def _read_streams(source: Source, found: Readings) -> None:
    manager = source.core.stream_manager()
    if manager is None:
        return
    for consumer in manager.counted()[0]:
        for market, health in consumer.health():
            labels = source.environments.get(market, ""), market
            for each in _HEALTHS:
                found.add(metrics.STREAMS, (*labels, each), each == health)
        found.largest(metrics.STREAM_LAG, _of_markets(source, consumer.markets), consumer.reader.stats.lag_ms / 1000)
        _read_books(source, consumer.reader, found)


def _is_of_books(reader: Reader) -> TypeGuard[BookReader]:
    # Loaded with the first live book, and of no use before.
    module = sys.modules.get("binance_sdk._runtime.live_book.book_reader")
    return module is not None and isinstance(reader, module.BookReader)


def _read_books(source: Source, reader: Reader, found: Readings) -> None:
    if not _is_of_books(reader):
        return
    now = source.core.clock.monotonic()
    for keeper in reader.keepers:
        labels = source.environments.get(keeper.market, ""), keeper.market
        found.add(metrics.BOOKS, (*labels, "synced"), keeper.synced)
        found.add(metrics.BOOKS, (*labels, "not_synced"), not keeper.synced)
        found.largest(metrics.BOOK_LAG, labels, keeper.lag_ms / 1000)
        age = max(0.0, now - keeper.changed_at)
        known = age < float("inf")
        if known:
            found.largest(metrics.BOOK_AGE, labels, age)
        if source.symbols:
            found.put(metrics.SYMBOL_BOOK_SYNCED, (*labels, keeper.symbol), keeper.synced)
            if known:
                found.put(metrics.SYMBOL_BOOK_AGE, (*labels, keeper.symbol), age)
