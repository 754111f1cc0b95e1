"""What a client and its ``with_options`` copies share: engine, transport, streams, and whether they are open."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from binance_sdk._generated.markets import MARKETS
from binance_sdk._runtime.budget.client_budget import ClientBudget
from binance_sdk._runtime.calls.attempt import Attempts
from binance_sdk._runtime.calls.cache import AnswerCache, CacheCounts
from binance_sdk._runtime.calls.engine import Engine
from binance_sdk._runtime.calls.notify import Notifier, log_from_environment, warn_of_fork
from binance_sdk._runtime.calls.single_flight import AsyncSingleFlight, ThreadSingleFlight
from binance_sdk._runtime.clock import AsyncClock, BlockingClock, Clock
from binance_sdk._runtime.ending import to_the_end
from binance_sdk._runtime.fork import ProcessGuard, abandon, notify_after_fork
from binance_sdk._runtime.locks import IMPORT_LOCK, new_lock
from binance_sdk._settings import Settings
from binance_sdk._version import __version__
from binance_sdk.errors import ConfigError
from binance_sdk.events import Drift

if TYPE_CHECKING:
    from binance_sdk._runtime.budget.shared.store import Store
    from binance_sdk._runtime.budget.shared.store_settings import StoreSettings
    from binance_sdk._runtime.calls.shared_cache.cache_store import CacheStore
    from binance_sdk._runtime.calls.shared_cache.shared_cache import SharedCache
    from binance_sdk._runtime.store.address import StoreAddress
    from binance_sdk._runtime.stream.connection.websocket import Connector
    from binance_sdk._runtime.stream.context import StreamContext
    from binance_sdk._runtime.stream.manager import BackgroundStreamManager, StreamManager
    from binance_sdk._runtime.transport.protocol import Transport

USER_AGENT = f"binance-market-sdk/{__version__}"


def _open_store(settings: StoreSettings) -> Store:
    from binance_sdk._runtime.budget.shared.store import use_store

    return use_store(settings)


def _open_cache_store(address: StoreAddress, *, implied: bool) -> CacheStore:
    from binance_sdk._runtime.calls.shared_cache.cache_store import use_cache_store

    return use_cache_store(address, implied=implied)


def _shared_cache(store: CacheStore, attempts: Attempts) -> SharedCache:
    from binance_sdk._runtime.calls.shared_cache.shared_cache import SharedCache

    return SharedCache(store, attempts)


class Core:
    """What both kinds of client have in common."""

    blocking = False

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        single_flight: AsyncSingleFlight | ThreadSingleFlight,
        http_client: object,
    ) -> None:
        from binance_sdk._generated.catalogue import CATALOGUE

        log_from_environment()
        self.settings = settings
        self.clock = clock
        self.http_client = http_client
        self.transport: Transport | None = None
        self.closed: bool = False
        self._cache: AnswerCache | None = None
        self._lock = new_lock()
        self._process = ProcessGuard()
        notifier = Notifier(settings.hooks, settings.on_drift)
        budget = None
        if settings.budget:
            budget = ClientBudget(
                clock, settings.caps, settings.safety_margin, settings.max_concurrency, notifier.notify
            )
        self.store = None if settings.store is None else _open_store(settings.store)
        attempts = Attempts(
            catalogue=CATALOGUE,
            environment=settings.environment,
            markets=settings.markets(clock, self.store),
            transport=self.open,
            clock=clock,
            budget=budget,
            notifier=notifier,
            api_key=settings.api_key,
            user_agent=USER_AGENT,
            max_concurrency=settings.max_concurrency,
        )
        self.single_flight = single_flight
        self.cache_store: CacheStore | None = None
        if settings.cache_store is not None:
            implied = settings.store is not None and settings.cache_store is settings.store.address
            self.cache_store = _open_cache_store(settings.cache_store, implied=implied)
        shared_cache = None if self.cache_store is None else _shared_cache(self.cache_store, attempts)
        self.engine: Engine = Engine(attempts, self.cache, single_flight, shared_cache)
        notify_after_fork(self)

    def cache(self, operation: str | None = None) -> AnswerCache:
        """The cache of answers, made when the first call needs it.

        Raises:
            ConfigError: the client belongs to another process.
        """
        self.check_process(operation)
        if self._cache is None:
            with IMPORT_LOCK:
                self._cache = AnswerCache(self.clock.monotonic)
        return self._cache

    @property
    def cache_counts(self) -> CacheCounts:
        """What became of the calls that may use the answer to an earlier one."""
        return CacheCounts() if self._cache is None else self._cache.counts

    def check_process(self, operation: str | None) -> None:
        """Check that the client may be used in this process.

        Raises:
            ConfigError: it belongs to another process.
        """

    def after_fork(self) -> None:
        """Called in the child of a fork: connections and requests under way belong to the parent."""
        transport, self.transport = self.transport, None
        if transport is not None:
            transport.after_fork()
            abandon(transport)
        self._cache = None
        self.single_flight.after_fork()

    def open(self, operation: str) -> Transport:
        """The transport, made at the first call; httpx is not imported before.

        Raises:
            ConfigError: the client is closed, or belongs to another process.
        """
        if self.closed:
            raise ConfigError(f"{operation}: the client is closed; make a new one", operation=operation)
        transport = self.transport
        if transport is not None:
            return transport
        self.check_process(operation)
        if self.settings.budget and self.store is None:
            warn_of_fork()
        with IMPORT_LOCK, self._lock:
            if self.transport is None:
                self.transport = self.make()
            return self.transport

    def make(self) -> Transport:
        raise NotImplementedError

    def stream_context(self) -> StreamContext:
        """What streams are made of; their libraries are imported no sooner than the first one is opened."""
        from binance_sdk._runtime.stream.context import StreamContext
        from binance_sdk._runtime.stream.reading.fill import EngineRest

        settings = self.settings
        return StreamContext(
            urls={market: urls.stream_urls for market, urls in settings.urls.items()},
            limits={market: facts.streams for market, facts in MARKETS.items()},
            connector=self._connector(),
            clock=self.stream_clock(),
            rest=EngineRest(self.engine, settings.defaults, blocking=self.blocking),
            notify=self.engine.attempts.notifier.notify,
            environment=settings.environment,
            open_attempts=(settings.defaults.max_retries or 0) + 1,
            gates=self.engine.attempts.gatekeepers(),
            shapes=self.engine.attempts.shapes,
        )

    def _connector(self) -> Connector:
        if self.settings.transport == "aiohttp":
            from binance_sdk._runtime.stream.connection.over_aiohttp import AiohttpConnector

            return AiohttpConnector(USER_AGENT, self.settings.network)
        from binance_sdk._runtime.stream.connection.over_websockets import WebsocketsConnector

        return WebsocketsConnector(USER_AGENT, self.settings.network)

    def stream_clock(self) -> Clock:
        """Streams run in an event loop, whatever the client."""
        return AsyncClock() if self.blocking else self.clock

    def stream_manager(self) -> StreamManager | None:
        """What keeps the client's streams, for who only looks; None before the first one."""
        raise NotImplementedError

    async def close(self) -> None:
        self.closed = True
        transport, self.transport = self.transport, None
        if transport is not None:
            await transport.aclose()
        store, self.store = self.store, None
        if store is not None:
            await store.release(self.clock)
        cache_store, self.cache_store = self.cache_store, None
        if cache_store is not None:
            await cache_store.release(self.clock)

    def __del__(self) -> None:
        # After a constructor that failed there is nothing to close, and attributes are missing.
        connected = getattr(self, "transport", None) is not None and self.http_client is None
        streams = getattr(self, "_streams", None)
        if connected or (streams is not None and streams.busy):
            text = "a Binance client was not closed; use `with`/`async with`, or call close()/aclose()"
            warnings.warn(text, ResourceWarning, stacklevel=2, source=self)
        for name in ("store", "cache_store"):
            store: Store | CacheStore | None = getattr(self, name, None)
            if store is not None:
                store.leave()

    def drift(self) -> list[Drift]:
        """Everything in which the exchange was not what the spec says."""
        pools = {hosts.pool.name: hosts.pool for hosts in self.engine.attempts.markets.values()}
        weights = [row for pool in pools.values() for row in pool.drift.rows()]
        return [*weights, *self.engine.attempts.shapes.rows()]

    def where(self) -> str:
        """Environment and base URLs for ``repr``; never the API key."""
        given = {
            f"{market}_base_url": urls.base_urls[0]
            for market, urls in self.settings.urls.items()
            if not urls.environment
        }
        shown = {} if len(given) > 1 else {"environment": self.settings.environment}
        return ", ".join(f"{name}={value!r}" for name, value in {**shown, **given}.items())


class AsyncCore(Core):
    def __init__(self, settings: Settings, http_client: object) -> None:
        if http_client is not None:
            from binance_sdk._runtime.transport.over_httpx import check_client

            check_client(http_client, asynchronous=True)
        super().__init__(settings, AsyncClock(), AsyncSingleFlight(), http_client)
        self._streams: StreamManager | None = None

    def streams(self) -> StreamManager:
        """The manager of the client's streams."""
        self.check_process(None)
        if self._streams is None:
            with IMPORT_LOCK:
                from binance_sdk._runtime.stream.manager import StreamManager

            self._streams = StreamManager(self.stream_context)
        return self._streams

    def stream_manager(self) -> StreamManager | None:
        return self._streams

    def check_process(self, operation: str | None) -> None:
        self._process.check("an async client", "make a new one in the child", operation)

    def after_fork(self) -> None:
        super().after_fork()
        abandon(self._streams)
        self._streams = None

    async def close(self) -> None:
        try:
            if self._streams is not None:
                await self._streams.aclose()
        finally:
            await to_the_end(super().close())

    def make(self) -> Transport:
        from binance_sdk._runtime.transport.over_httpx import AsyncHttpxTransport, check_client

        if self.settings.transport == "aiohttp":
            from binance_sdk._runtime.transport.over_aiohttp import AiohttpTransport

            return AiohttpTransport(self.settings.network)
        return AsyncHttpxTransport(check_client(self.http_client, asynchronous=True), self.settings.network)


class BlockingCore(Core):
    blocking = True

    def __init__(self, settings: Settings, http_client: object) -> None:
        if http_client is not None:
            from binance_sdk._runtime.transport.over_httpx import check_client

            check_client(http_client, asynchronous=False)
        super().__init__(settings, BlockingClock(), ThreadSingleFlight(), http_client)
        self._streams: BackgroundStreamManager | None = None

    def streams(self) -> BackgroundStreamManager:
        """The manager of the client's streams, which run in a thread of their own."""
        with IMPORT_LOCK, self._lock:
            if self._streams is None:
                from binance_sdk._runtime.stream.manager import BackgroundStreamManager

                self._streams = BackgroundStreamManager(self.stream_context)
            return self._streams

    def stream_manager(self) -> StreamManager | None:
        return None if self._streams is None else self._streams.inner

    def check_process(self, operation: str | None) -> None:
        if self.http_client is not None:
            self._process.check("a client with an http_client of yours", "make both in the child", operation)

    async def close(self) -> None:
        if self._streams is not None:
            self._streams.close()
        await super().close()

    def make(self) -> Transport:
        from binance_sdk._runtime.transport.over_httpx import BlockingHttpxTransport, check_client

        return BlockingHttpxTransport(check_client(self.http_client, asynchronous=False), self.settings.network)
