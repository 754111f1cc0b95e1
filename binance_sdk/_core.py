"""What both clients share: one engine, one transport, and whether they are open."""

from __future__ import annotations

import threading
import warnings
from typing import TYPE_CHECKING

from binance_sdk._runtime.attempt import Attempts
from binance_sdk._runtime.budget import Budget
from binance_sdk._runtime.cache import AnswerCache, AsyncFlights, ThreadFlights
from binance_sdk._runtime.clock import AsyncClock, BlockingClock, Clock
from binance_sdk._runtime.engine import Engine
from binance_sdk._runtime.telling import Teller, log_from_environment
from binance_sdk._settings import Settings
from binance_sdk._version import __version__
from binance_sdk.errors import ConfigError

if TYPE_CHECKING:
    from binance_sdk._runtime.http import Transport

USER_AGENT = f"binance-market-sdk/{__version__}"


class Core:
    """The inside of a client and of its ``with_options`` copies."""

    def __init__(
        self, settings: Settings, clock: Clock, flights: AsyncFlights | ThreadFlights, http_client: object
    ) -> None:
        from binance_sdk._generated.catalogue import CATALOGUE

        log_from_environment()
        self.settings = settings
        self.clock = clock
        self.http_client = http_client
        self.transport: Transport | None = None
        self.closed = False
        self._cache: AnswerCache | None = None
        self._lock = threading.Lock()
        teller = Teller(settings.hooks)
        budget = None
        if settings.budget:
            budget = Budget(clock, settings.caps, settings.safety_margin, settings.max_concurrency, teller.tell)
        attempts = Attempts(
            catalogue=CATALOGUE,
            environment=settings.environment,
            markets=settings.markets(clock),
            transport=self.open,
            clock=clock,
            budget=budget,
            teller=teller,
            api_key=settings.api_key,
            user_agent=USER_AGENT,
            max_concurrency=settings.max_concurrency,
            on_drift=settings.on_drift,
        )
        self.engine = Engine(attempts, self.cache, flights)

    def cache(self) -> AnswerCache:
        """Made when the first call wants one."""
        if self._cache is None:
            self._cache = AnswerCache(self.clock.monotonic)
        return self._cache

    def open(self, operation: str) -> Transport:
        """The transport, made at the first call: httpx is imported no sooner.

        Raises:
            ConfigError: the client is closed.
        """
        if self.closed:
            raise ConfigError(f"{operation}: the client is closed; make a new one", operation=operation)
        with self._lock:
            if self.transport is None:
                self.transport = self.make()
            return self.transport

    def make(self) -> Transport:
        raise NotImplementedError

    async def close(self) -> None:
        self.closed = True
        transport, self.transport = self.transport, None
        if transport is not None:
            await transport.aclose()

    def __del__(self) -> None:
        if getattr(self, "transport", None) is not None and self.http_client is None:
            text = "a Binance client was not closed; use `with`/`async with`, or call close()/aclose()"
            warnings.warn(text, ResourceWarning, stacklevel=2, source=self)

    def where(self) -> str:
        """For ``repr``: never the key."""
        given = {
            f"{market}_base_url": place.base_urls[0]
            for market, place in self.settings.places.items()
            if not place.environment
        }
        shown = {} if len(given) > 1 else {"environment": self.settings.environment}
        return ", ".join(f"{name}={value!r}" for name, value in {**shown, **given}.items())


class AsyncCore(Core):
    def __init__(self, settings: Settings, http_client: object) -> None:
        super().__init__(settings, AsyncClock(), AsyncFlights(), http_client)

    def make(self) -> Transport:
        from binance_sdk._runtime.http import AsyncHttpxTransport, check_client

        return AsyncHttpxTransport(check_client(self.http_client, asynchronous=True))


class BlockingCore(Core):
    def __init__(self, settings: Settings, http_client: object) -> None:
        super().__init__(settings, BlockingClock(), ThreadFlights(), http_client)

    def make(self) -> Transport:
        from binance_sdk._runtime.http import BlockingHttpxTransport, check_client

        return BlockingHttpxTransport(check_client(self.http_client, asynchronous=False))
