"""The market namespaces: everything generated, and what is more than one endpoint."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Concatenate, Generic, ParamSpec, TypeVar

from binance_sdk import futures, spot
from binance_sdk._generated.futures.api import AsyncFutures, SyncFutures
from binance_sdk._generated.spot.api import AsyncSpot, SyncSpot
from binance_sdk._runtime.calls.caller import AsyncCaller, SyncCaller
from binance_sdk._runtime.locks import IMPORT_LOCK, cached_property
from binance_sdk._runtime.options import RequestOptions
from binance_sdk.batch import Batch, SyncBatch
from binance_sdk.symbols import Symbols, futures_symbols, spot_symbols

if TYPE_CHECKING:
    from binance_sdk._generated.futures.streams import AsyncFuturesStreams, SyncFuturesStreams
    from binance_sdk._generated.spot.streams import AsyncSpotStreams, SyncSpotStreams
    from binance_sdk._runtime.stream.manager import BackgroundStreamManager, StreamManager

P = ParamSpec("P")
T = TypeVar("T")
InfoT = TypeVar("InfoT")

_CACHED = RequestOptions(cache=True)


class _Rules(Generic[InfoT]):
    """Turns exchange information into symbol rules, once for each answer."""

    def __init__(self, make: Callable[[InfoT], Symbols]) -> None:
        self._make = make
        self._latest: tuple[InfoT, Symbols] | None = None

    def of(self, info: InfoT) -> Symbols:
        latest = self._latest
        if latest is None or latest[0] is not info:
            latest = self._latest = (info, self._make(info))
        return latest[1]


class _Each:
    """Mixed into the async namespaces."""

    _caller: AsyncCaller

    def each(
        self,
        method: Callable[Concatenate[str, P], Awaitable[T]],
        symbols: Iterable[str],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Batch[T]:
        """One call for many symbols, bounded by the client's ``max_concurrency`` and the budget.

        ``async for symbol, klines in client.spot.each(client.spot.klines, symbols, "1h", limit=500)``

        Args:
            method: A method that takes a symbol first.
            symbols: Symbols, each asked for once. A bare string is one symbol.
            *args: Further arguments of the method.
            **kwargs: Further arguments of the method.

        Returns:
            Pairs of symbol and result as they come; failed symbols are in its ``errors``. Leaving the loop early
            cancels what is under way.

        Raises:
            ParameterError: ``symbols`` holds no symbols. What in it is none is kept in ``errors``.
        """
        return Batch(lambda symbol: method(symbol, *args, **kwargs), symbols, self._caller.max_concurrency)


class _SyncEach:
    """Mixed into the blocking namespaces."""

    _caller: SyncCaller

    def each(
        self, method: Callable[Concatenate[str, P], T], symbols: Iterable[str], *args: P.args, **kwargs: P.kwargs
    ) -> SyncBatch[T]:
        """One call for many symbols, bounded by the client's ``max_concurrency`` and the budget.

        ``for symbol, klines in client.spot.each(client.spot.klines, symbols, "1h", limit=500)``

        Args:
            method: A method that takes a symbol first.
            symbols: Symbols, each asked for once. A bare string is one symbol.
            *args: Further arguments of the method.
            **kwargs: Further arguments of the method.

        Returns:
            Pairs of symbol and result as they come; failed symbols are in its ``errors``. Leaving the loop early does
            not wait for what is under way.

        Raises:
            ParameterError: ``symbols`` holds no symbols. What in it is none is kept in ``errors``.
        """
        return SyncBatch(lambda symbol: method(symbol, *args, **kwargs), symbols, self._caller.max_concurrency)


class AsyncSpotMarket(_Each, AsyncSpot):
    """Spot market data with ``await``."""

    def __init__(self, caller: AsyncCaller, opener: Callable[[], StreamManager]) -> None:
        super().__init__(caller)
        self._opener = opener
        self._rules = _Rules[spot.ExchangeInfo](spot_symbols)

    @cached_property
    def streams(self) -> AsyncSpotStreams:
        """Spot streams."""
        with IMPORT_LOCK:
            from binance_sdk._generated.spot.streams import AsyncSpotStreams

        return AsyncSpotStreams(self._opener())

    async def symbols(self) -> Symbols:
        """Tick size, step, least notional and status of every symbol, with rounding helpers.

        Costs one ``exchange_info`` (weight 20) an hour; concurrent callers share it.
        """
        return self._rules.of(await self.exchange_info(options=_CACHED))


class AsyncFuturesMarket(_Each, AsyncFutures):
    """USDⓈ-M futures market data with ``await``."""

    def __init__(self, caller: AsyncCaller, opener: Callable[[], StreamManager]) -> None:
        super().__init__(caller)
        self._opener = opener
        self._rules = _Rules[futures.ExchangeInfo](futures_symbols)

    @cached_property
    def streams(self) -> AsyncFuturesStreams:
        """USDⓈ-M futures streams."""
        with IMPORT_LOCK:
            from binance_sdk._generated.futures.streams import AsyncFuturesStreams

        return AsyncFuturesStreams(self._opener())

    async def symbols(self) -> Symbols:
        """Tick size, step, least notional and status of every symbol, with rounding helpers.

        Costs one ``exchange_info`` (weight 1) an hour; concurrent callers share it.
        """
        return self._rules.of(await self.exchange_info(options=_CACHED))


class SyncSpotMarket(_SyncEach, SyncSpot):
    """Spot market data, blocking."""

    def __init__(self, caller: SyncCaller, opener: Callable[[], BackgroundStreamManager]) -> None:
        super().__init__(caller)
        self._opener = opener
        self._rules = _Rules[spot.ExchangeInfo](spot_symbols)

    @cached_property
    def streams(self) -> SyncSpotStreams:
        """Spot streams."""
        with IMPORT_LOCK:
            from binance_sdk._generated.spot.streams import SyncSpotStreams

        return SyncSpotStreams(self._opener())

    def symbols(self) -> Symbols:
        """Tick size, step, least notional and status of every symbol, with rounding helpers.

        Costs one ``exchange_info`` (weight 20) an hour; concurrent callers share it.
        """
        return self._rules.of(self.exchange_info(options=_CACHED))


class SyncFuturesMarket(_SyncEach, SyncFutures):
    """USDⓈ-M futures market data, blocking."""

    def __init__(self, caller: SyncCaller, opener: Callable[[], BackgroundStreamManager]) -> None:
        super().__init__(caller)
        self._opener = opener
        self._rules = _Rules[futures.ExchangeInfo](futures_symbols)

    @cached_property
    def streams(self) -> SyncFuturesStreams:
        """USDⓈ-M futures streams."""
        with IMPORT_LOCK:
            from binance_sdk._generated.futures.streams import SyncFuturesStreams

        return SyncFuturesStreams(self._opener())

    def symbols(self) -> Symbols:
        """Tick size, step, least notional and status of every symbol, with rounding helpers.

        Costs one ``exchange_info`` (weight 1) an hour; concurrent callers share it.
        """
        return self._rules.of(self.exchange_info(options=_CACHED))
