"""The two clients: settings, life time and the market namespaces; everything else is in the engine."""

from __future__ import annotations

import warnings
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self

from binance_sdk._limits import LimitsView
from binance_sdk._runtime.caller import AsyncCaller, SyncCaller
from binance_sdk._runtime.clock import AsyncClock, BlockingClock, Clock
from binance_sdk._runtime.drive import drive
from binance_sdk._runtime.engine import Engine
from binance_sdk._runtime.options import RequestOptions
from binance_sdk._settings import EnvironmentName, Settings
from binance_sdk._version import __version__
from binance_sdk.errors import ConfigError

if TYPE_CHECKING:
    import httpx

    from binance_sdk._generated.futures.api import AsyncFutures, SyncFutures
    from binance_sdk._generated.spot.api import AsyncSpot, SyncSpot
    from binance_sdk._runtime.http import Transport

__all__ = ["BinanceClient", "SyncBinanceClient"]

_USER_AGENT = f"binance-market-sdk/{__version__}"


class _Core:
    """What a client and its ``with_options`` copies share: settings, transport, and whether it is open."""

    def __init__(self, settings: Settings, clock: Clock, http_client: object) -> None:
        from binance_sdk._generated.catalogue import CATALOGUE

        self.http_client = http_client
        self.transport: Transport | None = None
        self.closed = False
        self.clock = clock
        self.engine = Engine(
            catalogue=CATALOGUE,
            environment=settings.environment,
            hosts=settings.hosts,
            transport=self.open,
            clock=clock,
            api_key=settings.api_key,
            user_agent=_USER_AGENT,
        )

    def open(self) -> Transport:
        """The transport, made at the first call: httpx is imported no sooner."""
        if self.closed:
            raise ConfigError("the client is closed; make a new one")
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


class _AsyncCore(_Core):
    def make(self) -> Transport:
        from binance_sdk._runtime.http import AsyncHttpxTransport, check_client

        return AsyncHttpxTransport(check_client(self.http_client, asynchronous=True))


class _SyncCore(_Core):
    def make(self) -> Transport:
        from binance_sdk._runtime.http import BlockingHttpxTransport, check_client

        return BlockingHttpxTransport(check_client(self.http_client, asynchronous=False))


def _defaults(timeout: float) -> RequestOptions:
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 < timeout < float("inf"):
        raise ConfigError(f"timeout={timeout!r} must be a positive number of seconds")
    return RequestOptions(timeout=float(timeout))


class BinanceClient:
    """Binance's public market data for asyncio.

    Nothing is sent before the first call. Clients of one process share one request budget per host.

    Args:
        environment: ``mainnet`` (default), ``data_only`` (spot data without a key, also where the main host answers
            451), ``testnet`` or ``demo``; by default ``BINANCE_SDK_ENVIRONMENT``.
        spot_base_url: Another spot host, e.g. a simulator; by default ``BINANCE_SDK_SPOT_BASE_URL``.
        futures_base_url: Another futures host; by default ``BINANCE_SDK_FUTURES_BASE_URL``.
        api_key: Needed by a few endpoints, sent to no other; by default ``BINANCE_API_KEY``. No secret is ever needed.
        timeout: Seconds to wait for connection and answer.
        http_client: An ``httpx.AsyncClient`` of your own (proxy, certificates, hooks). It is not closed by us.

    Raises:
        ConfigError: a setting is wrong; the message names it.
    """

    def __init__(
        self,
        environment: EnvironmentName | None = None,
        *,
        spot_base_url: str | None = None,
        futures_base_url: str | None = None,
        api_key: str | None = None,
        timeout: float = 10.0,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        settings = Settings.read(environment, spot_base_url, futures_base_url, api_key)
        self._options = _defaults(timeout)
        self._core: _Core = _AsyncCore(settings, AsyncClock(), http_client)

    @cached_property
    def spot(self) -> AsyncSpot:
        """Spot market data."""
        from binance_sdk._generated.spot.api import AsyncSpot

        return AsyncSpot(AsyncCaller(self._core.engine, self._options))

    @cached_property
    def futures(self) -> AsyncFutures:
        """USDⓈ-M futures market data."""
        from binance_sdk._generated.futures.api import AsyncFutures

        return AsyncFutures(AsyncCaller(self._core.engine, self._options))

    @property
    def limits(self) -> LimitsView:
        """What is spent of each request limit, as far as this process knows."""
        return LimitsView(self._core.engine)

    def with_options(self, options: RequestOptions) -> Self:
        """A copy with other default options that shares connections and budget, and is closed with this client."""
        copy = object.__new__(type(self))
        copy._core = self._core
        copy._options = options.over(self._options)
        return copy

    async def aclose(self) -> None:
        """Close the connections. Calls made afterwards raise ``ConfigError``."""
        await self._core.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_where(self._core.engine)})"


class SyncBinanceClient:
    """Binance's public market data, blocking. The same as ``BinanceClient`` without ``await``; thread-safe.

    Args:
        environment: ``mainnet`` (default), ``data_only``, ``testnet`` or ``demo``; by default
            ``BINANCE_SDK_ENVIRONMENT``.
        spot_base_url: Another spot host, e.g. a simulator; by default ``BINANCE_SDK_SPOT_BASE_URL``.
        futures_base_url: Another futures host; by default ``BINANCE_SDK_FUTURES_BASE_URL``.
        api_key: Needed by a few endpoints, sent to no other; by default ``BINANCE_API_KEY``. No secret is ever needed.
        timeout: Seconds to wait for connection and answer.
        http_client: An ``httpx.Client`` of your own (proxy, certificates, hooks). It is not closed by us.

    Raises:
        ConfigError: a setting is wrong; the message names it.
    """

    def __init__(
        self,
        environment: EnvironmentName | None = None,
        *,
        spot_base_url: str | None = None,
        futures_base_url: str | None = None,
        api_key: str | None = None,
        timeout: float = 10.0,
        http_client: httpx.Client | None = None,
    ) -> None:
        settings = Settings.read(environment, spot_base_url, futures_base_url, api_key)
        self._options = _defaults(timeout)
        self._core: _Core = _SyncCore(settings, BlockingClock(), http_client)

    @cached_property
    def spot(self) -> SyncSpot:
        """Spot market data."""
        from binance_sdk._generated.spot.api import SyncSpot

        return SyncSpot(SyncCaller(AsyncCaller(self._core.engine, self._options)))

    @cached_property
    def futures(self) -> SyncFutures:
        """USDⓈ-M futures market data."""
        from binance_sdk._generated.futures.api import SyncFutures

        return SyncFutures(SyncCaller(AsyncCaller(self._core.engine, self._options)))

    @property
    def limits(self) -> LimitsView:
        """What is spent of each request limit, as far as this process knows."""
        return LimitsView(self._core.engine)

    def with_options(self, options: RequestOptions) -> Self:
        """A copy with other default options that shares connections and budget, and is closed with this client."""
        copy = object.__new__(type(self))
        copy._core = self._core
        copy._options = options.over(self._options)
        return copy

    def close(self) -> None:
        """Close the connections. Calls made afterwards raise ``ConfigError``."""
        drive(self._core.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({_where(self._core.engine)})"


def _where(engine: Engine) -> str:
    if engine.environment:
        return f"environment={engine.environment!r}"
    return ", ".join(f"{market}_base_url={host.base_url!r}" for market, host in engine.hosts.items())
