"""What is counted as it happens: one object for a registry, and one for each client that counts into it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from prometheus_client import CollectorRegistry, Counter, Histogram

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
from binance_sdk.metrics import definitions as metrics
from binance_sdk.metrics.definitions import COUNTED, Definition


class EventMetrics:
    """The counters and histograms of one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._made = {definition.name: _made(definition, registry) for definition in COUNTED}

    def counter(self, definition: Definition) -> Counter:
        """The counter of that definition."""
        return cast(Counter, self._made[definition.name])

    def histogram(self, definition: Definition) -> Histogram:
        """The histogram of that definition."""
        return cast(Histogram, self._made[definition.name])


def _made(definition: Definition, registry: CollectorRegistry) -> Counter | Histogram:
    if definition.kind == "counter":
        return Counter(definition.name, definition.help, definition.labels, registry=registry)
    return Histogram(definition.name, definition.help, definition.labels, buckets=definition.buckets, registry=registry)


class EventCounter:
    """Counts what one client tells. Each kind of event goes straight to its own function.

    Args:
        into: The metrics of the registry.
        environments: Environment by market.
    """

    def __init__(self, into: EventMetrics, environments: Mapping[str, str]) -> None:
        self._metrics = into
        self._environments = environments
        self._ended: dict[str, tuple[Callable[[float], None], Callable[[float], None]]] = {}
        """By operation, what is called for each request."""
        self._kinds: dict[type[Any], Callable[[Any], None]] = {
            Retrying: self._retrying,
            Waited: self._waited,
            CacheHit: self._cache_hit,
            CacheMiss: self._cache_miss,
            WorthlessAnswer: self._worthless_answer,
            RowSkipped: self._row_skipped,
            GateClosed: self._gate_closed,
            BreakerChanged: self._breaker_changed,
            StoreChanged: self._store_changed,
            BookLost: self._book_lost,
            BookResynced: self._book_resynced,
            BookSnapshotLoaded: self._snapshot_loaded,
            BookSnapshotFailed: self._snapshot_failed,
            BookVerified: self._book_verified,
            BookFailed: self._book_failed,
        }

    def begin(self, pools: Iterable[str], hosts: Iterable[str], settings: Iterable[str]) -> None:
        """Let what seldom happens be 0 before it does: a counter that appears with 1 has no increase."""
        for market in self._environments:
            self._count(metrics.BOOK_FAILURES, self._market(market), 0)
        for pool in pools:
            self._count(metrics.GATE_CLOSINGS, (pool,), 0)
        for host in hosts:
            self._count(metrics.BREAKER_OPENINGS, (host,), 0)
        for setting in settings:
            self._count(metrics.STORE_LOSSES, (setting,), 0)

    def notice(self, event: Event) -> None:
        """Count an event."""
        count = self._kinds.get(type(event))
        if count is not None:
            count(event)

    # --------------------------------------------------------------------------------------- labels

    def _market(self, market: str) -> tuple[str, str]:
        return self._environments.get(market, ""), market

    def _call(self, operation: str) -> tuple[str, str, str]:
        market, _, name = operation.partition(".")
        return (*self._market(market), name)

    def _count(self, definition: Definition, labels: tuple[str, ...], amount: float = 1) -> None:
        self._metrics.counter(definition).labels(*labels).inc(amount)

    # ---------------------------------------------------------------------------------------- calls

    def ended(self, operation: str, outcome: str, elapsed: float, weight: int) -> None:
        """Count an attempt."""
        found = self._ended.get(operation)
        if found is None:
            labels = self._call(operation)
            found = self._ended[operation] = (
                self._metrics.histogram(metrics.REQUEST_DURATION).labels(*labels).observe,
                self._metrics.counter(metrics.REQUEST_WEIGHT).labels(*labels).inc,
            )
        observe, add_weight = found
        observe(elapsed)
        add_weight(weight)
        if outcome != "ok":
            self._count(metrics.REQUEST_ERRORS, (*self._call(operation), outcome))

    def _retrying(self, event: Retrying) -> None:
        self._count(metrics.RETRIES, self._call(event.operation))

    def _waited(self, event: Waited) -> None:
        self._metrics.histogram(metrics.WAIT).labels(*self._call(event.operation)).observe(event.seconds)

    def _cache_hit(self, event: CacheHit) -> None:
        self._count(metrics.CACHE_HITS, (*self._call(event.operation), event.source))

    def _cache_miss(self, event: CacheMiss) -> None:
        self._count(metrics.CACHE_MISSES, self._call(event.operation))

    def _worthless_answer(self, event: WorthlessAnswer) -> None:
        self._count(metrics.CACHE_WORTHLESS, self._call(event.operation))

    def _row_skipped(self, event: RowSkipped) -> None:
        self._count(metrics.ROWS_SKIPPED, self._call(event.operation))

    # --------------------------------------------------------------------------------------- limits

    def _gate_closed(self, event: GateClosed) -> None:
        self._count(metrics.GATE_CLOSINGS, (event.pool,))

    def _breaker_changed(self, event: BreakerChanged) -> None:
        if event.state == "open":
            self._count(metrics.BREAKER_OPENINGS, (event.host,))

    def _store_changed(self, event: StoreChanged) -> None:
        if event.state == "lost":
            self._count(metrics.STORE_LOSSES, (event.setting,))

    # ---------------------------------------------------------------------------------------- books

    def _book_lost(self, event: BookLost) -> None:
        self._count(metrics.BOOK_LOSSES, (*self._market(event.market), event.reason))

    def _book_resynced(self, event: BookResynced) -> None:
        self._count(metrics.BOOK_OUTAGES, self._market(event.market), event.seconds)

    def _snapshot_loaded(self, event: BookSnapshotLoaded) -> None:
        self._count(metrics.BOOK_SNAPSHOTS, (*self._market(event.market), "loaded"))

    def _snapshot_failed(self, event: BookSnapshotFailed) -> None:
        self._count(metrics.BOOK_SNAPSHOTS, (*self._market(event.market), "failed"))

    def _book_verified(self, event: BookVerified) -> None:
        self._count(metrics.BOOK_CHECKS, (*self._market(event.market), "different" if event.differences else "equal"))

    def _book_failed(self, event: BookFailed) -> None:
        self._count(metrics.BOOK_FAILURES, self._market(event.market))
