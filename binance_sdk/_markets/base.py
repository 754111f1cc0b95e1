"""What every market has besides its endpoints; the classes of the markets are generated beside this module."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Concatenate, ParamSpec, TypeVar

from binance_sdk._generated.markets import Market
from binance_sdk._runtime.calls.caller import AsyncCaller, SyncCaller
from binance_sdk._runtime.options import RequestOptions
from binance_sdk.batch import Batch, SyncBatch
from binance_sdk.symbols import ExchangeInfoLike, Symbols, read_symbols

P = ParamSpec("P")
T = TypeVar("T")

CACHED = RequestOptions(cache=True)
"""For exchange information, which is reused for as long as the spec says."""


class SymbolsOfLatest:
    """Turns exchange information into symbol rules, once for each answer."""

    def __init__(self, market: Market) -> None:
        self._market: Market = market
        self._latest: tuple[ExchangeInfoLike, Symbols] | None = None

    def of(self, info: ExchangeInfoLike) -> Symbols:
        latest = self._latest
        if latest is None or latest[0] is not info:
            latest = self._latest = (info, read_symbols(info, self._market))
        return latest[1]


class AsyncMarket:
    """Base of the async namespaces."""

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
            Pairs of symbol and result as they arrive; the errors of failed symbols are in its ``errors``.
            Leaving the loop early cancels the calls under way.

        Raises:
            ParameterError: ``symbols`` is not an iterable. An item that is not a symbol is kept in ``errors``.
        """
        return Batch(lambda symbol: method(symbol, *args, **kwargs), symbols, self._caller.max_concurrency)


class SyncMarket:
    """Base of the blocking namespaces."""

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
            Pairs of symbol and result as they arrive; the errors of failed symbols are in its ``errors``.
            Leaving the loop early does not wait for the calls under way.

        Raises:
            ParameterError: ``symbols`` is not an iterable. An item that is not a symbol is kept in ``errors``.
        """
        return SyncBatch(lambda symbol: method(symbol, *args, **kwargs), symbols, self._caller.max_concurrency)
