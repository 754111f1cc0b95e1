"""``instrument``: connects a client with a registry of ``prometheus_client``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from weakref import WeakKeyDictionary

try:
    from prometheus_client import REGISTRY, CollectorRegistry
except ModuleNotFoundError as _error:
    if _error.name != "prometheus_client":
        raise
    raise ModuleNotFoundError(
        "binance_sdk.metrics needs prometheus_client: pip install 'binance-market-sdk[metrics]'", name=_error.name
    ) from None

from binance_sdk._runtime.locks import new_lock
from binance_sdk._runtime.setting_checks import check_flag, check_instance
from binance_sdk.errors import ConfigError, shown
from binance_sdk.metrics.event_counts import EventCounter, EventMetrics
from binance_sdk.metrics.state_collector import Source, StateCollector

if TYPE_CHECKING:
    from binance_sdk._core import Core
    from binance_sdk.client import BinanceClient, SyncBinanceClient

CUSTOM = "custom"
"""The environment of a market whose URL was given."""


class _RegistryMetrics:
    """All metrics of one registry; clients come and go."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.events = EventMetrics(registry)
        self.states = StateCollector()
        registry.register(self.states)


_METRICS: WeakKeyDictionary[CollectorRegistry, _RegistryMetrics] = WeakKeyDictionary()
_LOCK = new_lock()


@dataclass(frozen=True, slots=True)
class Instrumentation:
    """A client that is measured. It stays so until it is closed, or until ``uninstrument``."""

    _source: Source
    _states: StateCollector

    def uninstrument(self) -> None:
        """Measure the client no more. What was counted stays in the registry; states of the client are told no more."""
        self._source.core.engine.attempts.notifier.unwatch(self._source.counter)
        self._states.remove(self._source)


def instrument(
    client: BinanceClient | SyncBinanceClient, registry: CollectorRegistry = REGISTRY, *, symbols: bool = False
) -> Instrumentation:
    """Measure a client, its copies (``with_options``) and its streams and books, also those that are open already.

    Any number of clients can be measured in one registry: what has the same labels is added up. A client that is
    measured there already stays as it is.

    Args:
        client: Which one.
        registry: Where the metrics appear; by default that of ``prometheus_client``.
        symbols: Also tell each live order book by its symbol: as many series more as there are books, twice.

    Raises:
        ConfigError: the client is closed, or one of the arguments is something else.
    """
    from binance_sdk.client import BinanceClient, SyncBinanceClient

    if not isinstance(cast(object, client), BinanceClient | SyncBinanceClient):
        raise ConfigError(f"client={shown(client)} must be a BinanceClient or SyncBinanceClient")
    check_instance("registry", registry, CollectorRegistry)
    check_flag("symbols", symbols)
    core: Core = client._core
    if core.closed:
        raise ConfigError("the client is closed; instrument one that is open")
    with _LOCK:
        made = _METRICS.get(registry)
        if made is None:
            made = _METRICS[registry] = _RegistryMetrics(registry)
        source = made.states.find(core)
        if source is None:
            environments = {market: urls.environment or CUSTOM for market, urls in core.settings.urls.items()}
            counter = EventCounter(made.events, environments)
            markets = core.engine.attempts.markets.values()
            counter.begin(
                {hosts.pool.name for hosts in markets},
                {host.breaker.host for hosts in markets for host in hosts.hosts},
                [
                    setting
                    for setting, store in (("limits_url", core.store), ("cache_url", core.cache_store))
                    if store is not None
                ],
            )
            source = Source(core, counter, environments, symbols)
            core.engine.attempts.notifier.watch(counter)
            made.states.add(source)
        return Instrumentation(source, made.states)
