"""The two clients: settings, life time and the market namespaces; everything else is in the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from binance_sdk._core import AsyncCore, BlockingCore
from binance_sdk._limits import LimitsView
from binance_sdk._runtime.budget.caps import Caps
from binance_sdk._runtime.calls.caller import AsyncCaller, SyncCaller
from binance_sdk._runtime.calls.drive import drive
from binance_sdk._runtime.locks import IMPORT_LOCK, cached_property
from binance_sdk._runtime.options import RequestOptions, check_options
from binance_sdk._runtime.secrets import without_arguments_in_tracebacks
from binance_sdk._settings import EnvironmentName, TransportName, read_settings
from binance_sdk.events import Hook, WeightDrift

if TYPE_CHECKING:
    import ssl

    import httpx

    from binance_sdk._markets import AsyncFuturesMarket, AsyncSpotMarket, SyncFuturesMarket, SyncSpotMarket

__all__ = ["BinanceClient", "SyncBinanceClient"]


class BinanceClient:
    """Binance's public market data for asyncio.

    Nothing is sent before the first call. Clients of one process share one request budget per host.

    Args:
        environment: ``mainnet`` (default), ``data_only`` (spot data without a key, also where the main host answers
            451), ``testnet`` or ``demo``; by default ``BINANCE_SDK_ENVIRONMENT``. Where ``BINANCE_SDK_SIMULATOR`` is
            set to the address of a simulator, that takes the place of all hosts for which no URL is given.
        spot_base_url: Another spot host, e.g. a simulator; by default ``BINANCE_SDK_SPOT_BASE_URL``.
        futures_base_url: Another futures host; by default ``BINANCE_SDK_FUTURES_BASE_URL``.
        spot_stream_url: Where spot streams are (``ws://`` or ``wss://``); by default ``BINANCE_SDK_SPOT_STREAM_URL``,
            or the environment's unless ``spot_base_url`` is given.
        futures_stream_url: Where futures streams are; by default ``BINANCE_SDK_FUTURES_STREAM_URL``, likewise.
        api_key: Needed by a few endpoints, sent to no other; by default ``BINANCE_API_KEY``. No secret is ever needed.
        timeout: Seconds for connection and whole answer, each attempt; above 0, at most 1 000 000.
        max_retries: Attempts after the first one, for what may pass: no connection, 5xx, 408, 429; from 0, which
            switches them off, to 1000.
        transport: ``httpx`` (with ``websockets`` for streams), or ``aiohttp`` for both: faster, needs ``[speed]``.
        http_client: An ``httpx.AsyncClient`` of your own (hooks, a pool of your size). It is not closed by us and keeps
            its own proxies, certificates and cookies: the three settings that follow hold for streams alone then.
        proxy: URL of a proxy, ``http://``, ``https://`` or ``socks5://`` (needs ``[socks]``), with ``user:password@``
            where it wants them; for REST and streams, but never for this machine. By default what ``HTTPS_PROXY``,
            ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` say.
        ssl_context: Used for every TLS connection; by default one that trusts the certificates of ``SSL_CERT_FILE`` and
            ``SSL_CERT_DIR``, or else of the package ``certifi``.
        trust_env: False leaves those variables (proxies and certificates) unread.
        cache: Use answers again for as long as the spec says they hold, or for so many seconds, from 0 to 1 000 000;
            one request for all who ask the same at once.
        caps: Limits of your own below Binance's.
        safety_margin: Part of every limit of Binance's that is left unused: 0 or more, and below 1.
        budget: False switches ledger and gate off, for those with a limiter of their own.
        max_concurrency: Requests under way at once, from 1 to 10 000.
        hooks: A list of plain functions that are told what happens; see ``binance_sdk.events``.
        on_drift: A plain function, told once when the server charges another weight than the spec says.

    Raises:
        ConfigError: a setting is wrong; the message names it.
    """

    @without_arguments_in_tracebacks
    def __init__(
        self,
        environment: EnvironmentName | None = None,
        *,
        spot_base_url: str | None = None,
        futures_base_url: str | None = None,
        spot_stream_url: str | None = None,
        futures_stream_url: str | None = None,
        api_key: str | None = None,
        timeout: float = 10.0,
        max_retries: int = 3,
        transport: TransportName = "httpx",
        http_client: httpx.AsyncClient | None = None,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        trust_env: bool = True,
        cache: bool | float = False,
        caps: Caps | None = None,
        safety_margin: float = 0.05,
        budget: bool = True,
        max_concurrency: int = 16,
        hooks: Sequence[Hook] = (),
        on_drift: Callable[[WeightDrift], None] | None = None,
    ) -> None:
        settings = read_settings(
            environment=environment,
            spot_base_url=spot_base_url,
            futures_base_url=futures_base_url,
            spot_stream_url=spot_stream_url,
            futures_stream_url=futures_stream_url,
            transport=transport,
            http_client=http_client,
            proxy=proxy,
            ssl_context=ssl_context,
            trust_env=trust_env,
            api_key=api_key,
            timeout=timeout,
            max_retries=max_retries,
            cache=cache,
            caps=caps,
            safety_margin=safety_margin,
            budget=budget,
            max_concurrency=max_concurrency,
            hooks=hooks,
            on_drift=on_drift,
        )
        self._options = settings.defaults
        self._core = AsyncCore(settings, http_client)

    @cached_property
    def spot(self) -> AsyncSpotMarket:
        """Spot market data."""
        with IMPORT_LOCK:
            from binance_sdk._markets import AsyncSpotMarket

        return AsyncSpotMarket(AsyncCaller(self._core.engine, self._options), self._core.streams)

    @cached_property
    def futures(self) -> AsyncFuturesMarket:
        """USDⓈ-M futures market data."""
        with IMPORT_LOCK:
            from binance_sdk._markets import AsyncFuturesMarket

        return AsyncFuturesMarket(AsyncCaller(self._core.engine, self._options), self._core.streams)

    @property
    def limits(self) -> LimitsView:
        """What is spent of each request limit, as far as this process knows."""
        return LimitsView(self._core)

    def with_options(self, options: RequestOptions) -> Self:
        """A copy with other default options that shares connections and budget, and is closed with this client.

        Raises:
            ConfigError: ``options`` are no ``RequestOptions``.
        """
        chosen = check_options(options).over(self._options)
        copy = object.__new__(type(self))
        copy._core = self._core
        copy._options = chosen
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
        return f"{type(self).__name__}({self._core.where()})"


class SyncBinanceClient:
    """Binance's public market data, blocking: ``BinanceClient`` without ``await``. Thread-safe.

    Args:
        environment: ``mainnet`` (default), ``data_only`` (spot data without a key, also where the main host answers
            451), ``testnet`` or ``demo``; by default ``BINANCE_SDK_ENVIRONMENT``. Where ``BINANCE_SDK_SIMULATOR`` is
            set to the address of a simulator, that takes the place of all hosts for which no URL is given.
        spot_base_url: Another spot host, e.g. a simulator; by default ``BINANCE_SDK_SPOT_BASE_URL``.
        futures_base_url: Another futures host; by default ``BINANCE_SDK_FUTURES_BASE_URL``.
        spot_stream_url: Where spot streams are (``ws://`` or ``wss://``); by default ``BINANCE_SDK_SPOT_STREAM_URL``,
            or the environment's unless ``spot_base_url`` is given.
        futures_stream_url: Where futures streams are; by default ``BINANCE_SDK_FUTURES_STREAM_URL``, likewise.
        api_key: Needed by a few endpoints, sent to no other; by default ``BINANCE_API_KEY``. No secret is ever needed.
        timeout: Seconds for connection and whole answer, each attempt; above 0, at most 1 000 000.
        max_retries: Attempts after the first one, for what may pass: no connection, 5xx, 408, 429; from 0, which
            switches them off, to 1000.
        transport: ``httpx``, or ``aiohttp``, which a blocking client uses for its streams only; needs ``[speed]``.
        http_client: An ``httpx.Client`` of your own (hooks, a pool of your size). It is not closed by us and keeps
            its own proxies, certificates and cookies: the three settings that follow hold for streams alone then.
        proxy: URL of a proxy, ``http://``, ``https://`` or ``socks5://`` (needs ``[socks]``), with ``user:password@``
            where it wants them; for REST and streams, but never for this machine. By default what ``HTTPS_PROXY``,
            ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` say.
        ssl_context: Used for every TLS connection; by default one that trusts the certificates of ``SSL_CERT_FILE`` and
            ``SSL_CERT_DIR``, or else of the package ``certifi``.
        trust_env: False leaves those variables (proxies and certificates) unread.
        cache: Use answers again for as long as the spec says they hold, or for so many seconds, from 0 to 1 000 000;
            one request for all who ask the same at once.
        caps: Limits of your own below Binance's.
        safety_margin: Part of every limit of Binance's that is left unused: 0 or more, and below 1.
        budget: False switches ledger and gate off, for those with a limiter of their own.
        max_concurrency: Requests under way at once, from 1 to 10 000.
        hooks: A list of plain functions that are told what happens; see ``binance_sdk.events``.
        on_drift: A plain function, told once when the server charges another weight than the spec says.

    Raises:
        ConfigError: a setting is wrong; the message names it.
    """

    @without_arguments_in_tracebacks
    def __init__(
        self,
        environment: EnvironmentName | None = None,
        *,
        spot_base_url: str | None = None,
        futures_base_url: str | None = None,
        spot_stream_url: str | None = None,
        futures_stream_url: str | None = None,
        api_key: str | None = None,
        timeout: float = 10.0,
        max_retries: int = 3,
        transport: TransportName = "httpx",
        http_client: httpx.Client | None = None,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        trust_env: bool = True,
        cache: bool | float = False,
        caps: Caps | None = None,
        safety_margin: float = 0.05,
        budget: bool = True,
        max_concurrency: int = 16,
        hooks: Sequence[Hook] = (),
        on_drift: Callable[[WeightDrift], None] | None = None,
    ) -> None:
        settings = read_settings(
            environment=environment,
            spot_base_url=spot_base_url,
            futures_base_url=futures_base_url,
            spot_stream_url=spot_stream_url,
            futures_stream_url=futures_stream_url,
            transport=transport,
            http_client=http_client,
            proxy=proxy,
            ssl_context=ssl_context,
            trust_env=trust_env,
            api_key=api_key,
            timeout=timeout,
            max_retries=max_retries,
            cache=cache,
            caps=caps,
            safety_margin=safety_margin,
            budget=budget,
            max_concurrency=max_concurrency,
            hooks=hooks,
            on_drift=on_drift,
        )
        self._options = settings.defaults
        self._core = BlockingCore(settings, http_client)

    @cached_property
    def spot(self) -> SyncSpotMarket:
        """Spot market data."""
        with IMPORT_LOCK:
            from binance_sdk._markets import SyncSpotMarket

        return SyncSpotMarket(SyncCaller(AsyncCaller(self._core.engine, self._options)), self._core.streams)

    @cached_property
    def futures(self) -> SyncFuturesMarket:
        """USDⓈ-M futures market data."""
        with IMPORT_LOCK:
            from binance_sdk._markets import SyncFuturesMarket

        return SyncFuturesMarket(SyncCaller(AsyncCaller(self._core.engine, self._options)), self._core.streams)

    @property
    def limits(self) -> LimitsView:
        """What is spent of each request limit, as far as this process knows."""
        return LimitsView(self._core)

    def with_options(self, options: RequestOptions) -> Self:
        """A copy with other default options that shares connections and budget, and is closed with this client.

        Raises:
            ConfigError: ``options`` are no ``RequestOptions``.
        """
        chosen = check_options(options).over(self._options)
        copy = object.__new__(type(self))
        copy._core = self._core
        copy._options = chosen
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
        return f"{type(self).__name__}({self._core.where()})"
