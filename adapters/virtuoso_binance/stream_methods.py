"""The methods over WebSockets that Virtuoso calls."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any, cast

from binance_sdk.errors import BinanceError, ConfigError, ParameterError, shown
from virtuoso_binance import sentiment
from virtuoso_binance.arguments import read_span, read_symbols
from virtuoso_binance.errors import translated, translated_sync
from virtuoso_binance.fetch_methods import FetchMethods
from virtuoso_binance.health import StreamsFacts
from virtuoso_binance.health.streams import PartCounts
from virtuoso_binance.scalars import Row
from virtuoso_binance.streaming.channels import read_channels
from virtuoso_binance.streaming.liquidations import LiquidationsBySymbol
from virtuoso_binance.streaming.streaming import Streaming
from virtuoso_binance.symbols import Listed, MarketName, SymbolLike, plain_symbol

__all__ = ["StreamMethods"]

logger: logging.Logger = logging.getLogger("virtuoso_binance")

_HOUR = 3_600_000


class StreamMethods(FetchMethods):
    """Mixed into the exchange class. Mistakes in arguments are raised; False is what the connection did not allow."""

    _liquidations: LiquidationsBySymbol

    # ------------------------------------------------------------------------------------ callbacks

    @translated
    async def connect_ws(self) -> bool:
        """Open a connection to the streams of the main market; False, with the reason in the log, where there is none.

        It says next to nothing until something is subscribed. ``subscribe_ws`` opens one by itself where this was not
        called.
        """
        try:
            listing = await self._binance.listing()
            market = self._binance.main_market
            listed = next(iter(listing.usdm if market == "usdm" else listing.spot))
            await (await self._streaming()).subscribers.connect(market, listed)
        except BinanceError as error:
            logger.warning("no connection to the streams: %s", error)
            return False
        return True

    @translated
    async def subscribe_ws(
        self, channels: Any, symbols: Any = None, callback: Callable[[Row], Any] | None = None
    ) -> bool:
        """Call a function with what happens from now on.

        Each call has one argument, ``{type, symbol, timestamp, data}``, whose data is what ``fetch_market_data`` has
        for the same thing. A coroutine function is awaited. Calls are made one after the other, so one that takes long
        keeps the others waiting, and where it falls too far behind the oldest messages are dropped. A connection that
        is lost is made again by itself. What a call raises is logged.

        Args:
            channels: One or several of ``trade``, ``orderbook``, ``ticker``, ``ohlcv`` (``ohlcv.5m``), ``liquidation``.
            symbols: One or several, in any spelling.
            callback: The function.

        Returns:
            True where the exchange has acknowledged all of it; False, with nothing subscribed and the reason in the
            log, where it has not, or this exchange is closed.

        Raises:
            ParameterError: a channel does not exist, or the callback cannot be called.
            InvalidSymbolError: a symbol is not listed, or has no such channel.
        """
        wanted = read_channels(channels)
        if not callable(callback):
            text = (
                f"callback={shown(callback)} must be a function that takes one message; pass it as the third argument"
            )
            raise ParameterError(text, parameter="callback", value=callback)
        try:
            listed = await self._all_listed(symbols)
            await (await self._streaming()).subscribers.subscribe(wanted, listed, callback)
        except ParameterError:
            raise
        except BinanceError as error:
            logger.warning("nothing was subscribed: %s", error)
            return False
        return True

    @translated
    async def unsubscribe_ws(
        self, channels: Any, symbols: Any = None, callback: Callable[[Row], Any] | None = None
    ) -> bool:
        """Call it no more.

        Args:
            channels: As they were subscribed.
            symbols: The symbols.
            callback: The function; None for every one.

        Returns:
            Whether there was such a subscription.

        Raises:
            ParameterError: a channel does not exist.
            InvalidSymbolError: a symbol is not listed.
        """
        wanted = read_channels(channels)
        try:
            listed = await self._all_listed(symbols)
            return await (await self._streaming()).subscribers.unsubscribe(wanted, listed, callback)
        except ConfigError as error:
            logger.warning("nothing was unsubscribed: %s", error)
            return False

    async def _all_listed(self, symbols: object) -> list[Listed]:
        named = list(read_symbols(symbols)) if symbols is not None else []
        if not named:
            text = f"symbols={shown(symbols)} must be a list of at least one symbol, as ['BTCUSDT']"
            raise ParameterError(text, parameter="symbols", value=symbols)
        return list(await asyncio.gather(*(self._listed(cast("SymbolLike", symbol)) for symbol in named)))

    @translated
    async def stream_counts(self) -> Mapping[tuple[MarketName, str], PartCounts]:
        """How ``streaming`` of the configuration fares, by market and part: on how many symbols, and how often not.

        Raises:
            ConfigError: closed, or switched off by the configuration.
        """
        return (await self._streaming()).feed.changes.counts

    def _stream_facts(self) -> list[StreamsFacts]:
        return [facts for streaming in self._binance.all_attached(Streaming) for facts in streaming.facts()]

    # ------------------------------------------------------------------------------------ liquidations

    @translated
    async def subscribe_liquidations(self, symbols: Any) -> bool:
        """Keep the liquidations of these symbols from now on, for ``get_recent_liquidations`` and ``market_data``.

        Binance tells of one liquidation a second and contract at most, and has no source of earlier ones; the newest
        1000 of each symbol are kept.

        Args:
            symbols: One or several perpetuals, in any spelling.

        Returns:
            True where the exchange has acknowledged all of it; False, with the reason in the log, where it has not.

        Raises:
            InvalidSymbolError: a symbol is not listed, or is on spot alone.
        """
        try:
            await (await self._streaming()).liquidations.follow(await self._all_listed(symbols))
        except ParameterError:
            raise
        except BinanceError as error:
            logger.warning("no liquidations were subscribed: %s", error)
            return False
        return True

    @translated_sync
    def get_recent_liquidations(self, symbol: SymbolLike, hours: float = 1) -> list[Row]:
        """Liquidations that a stream has left on this instance; none where nothing was streamed."""
        plain, span = plain_symbol(symbol), read_span(hours, "hours")
        since = self._binance.now_ms() - round(span * _HOUR)
        return sentiment.liquidation_rows(self._streamed_liquidations(plain), plain, since)

    def _streamed_liquidations(self, plain: str) -> object:
        # Others may add to it, replace it, and choose the spelling of its keys.
        streamed = cast("object", self._liquidations)
        if not isinstance(streamed, Mapping):
            return None
        tables = cast("Mapping[object, object]", streamed).items()
        lists = [cast("list[object]", rows) for key, rows in tables if _is(key, plain) and isinstance(rows, list)]
        return [row for rows in lists for row in rows]


def _is(key: object, plain: str) -> bool:
    try:
        return plain_symbol(key) == plain
    except BinanceError:
        return False
