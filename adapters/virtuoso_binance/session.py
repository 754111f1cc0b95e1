"""One exchange's way to Binance: a client for each event loop, and the list of symbols."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from binance_sdk import BinanceClient, RequestOptions
from binance_sdk.books import LiveBook
from binance_sdk.errors import BinanceError, ConfigError
from virtuoso_binance.config import Settings
from virtuoso_binance.config.settings import WebSocketSection
from virtuoso_binance.errors import InvalidSymbolError
from virtuoso_binance.live_books import LiveOrderBooks
from virtuoso_binance.symbols import Listed, Listing, MarketName, plain_symbol

__all__ = ["ClientFactory", "Session", "SessionFactory", "make_client"]

logger = logging.getLogger("virtuoso_binance")

ClientFactory = Callable[[Settings], BinanceClient]

_TIMEOUT = 8.0
"""Virtuoso's manager gives a ticker 10 s in all."""
_LISTING_HOLDS = 3600.0
_LISTING_AT_MOST_EVERY = 60.0
"""An unknown symbol may have been listed since; the list is not asked for again sooner than this."""
_STREAMS = tuple(
    str(WebSocketSection.model_fields[name].default).removesuffix("/ws")
    for name in ("public", "futures_public", "testnet_public", "futures_testnet_public")
)
"""Where the streams are if nothing else is said: there they go by the name of their environment."""


def make_client(settings: Settings) -> BinanceClient:
    """A client for the configured addresses and caps.

    The credentials stay behind: ``api_key=""`` also keeps the client from taking one out of the environment.
    """
    testnet = settings.section.testnet
    return BinanceClient(
        "testnet" if testnet else "mainnet",
        spot_base_url=_unless_default(settings.spot_url, "https://testnet.binance.vision", "https://api.binance.com"),
        futures_base_url=_unless_default(
            settings.futures_url, "https://testnet.binancefuture.com", "https://fapi.binance.com"
        ),
        spot_stream_url=_unless_default(settings.spot_stream_url, *_STREAMS),
        futures_stream_url=_unless_default(settings.futures_stream_url, *_STREAMS),
        api_key="",
        timeout=_TIMEOUT,
        cache=settings.section.cache,
        caps=settings.caps,
    )


def _unless_default(url: str, *defaults: str) -> str | None:
    # Binance's own hosts go by the name of their environment: so all clients of the process share one budget,
    # and the SDK may use the other hosts of the environment.
    return None if url in defaults else url


class Session:
    """Clients and symbols; can be closed and used again, and from several event loops.

    Args:
        settings: The configuration.
        client_factory: Makes a client when one is first needed.
        now: The local wall clock, in seconds.
    """

    def __init__(
        self, settings: Settings, client_factory: ClientFactory = make_client, now: Callable[[], float] = time.time
    ) -> None:
        self.settings = settings
        self._make = client_factory
        self._now = now
        # httpx connections belong to the loop they were opened in, so each loop gets a client of its own.
        self._clients: dict[asyncio.AbstractEventLoop, BinanceClient] = {}
        self._live_books: dict[asyncio.AbstractEventLoop, LiveOrderBooks] = {}
        self._listing: Listing | None = None
        self._listed_at = 0.0
        self._closed = False

    def open(self) -> None:
        """Allow calls again after ``close``."""
        self._closed = False

    async def client(self) -> BinanceClient:
        """The client of the running loop, made when there is none.

        Raises:
            ConfigError: closed, or switched off by the configuration.
        """
        if self.settings.disabled:
            raise ConfigError("Binance data are switched off: enabled, or ENABLE_BINANCE_DATA, is false")
        if self._closed:
            raise ConfigError("this exchange is closed; await initialize() opens it again")
        running = asyncio.get_running_loop()
        found = self._clients.get(running)
        if found is None:
            await self._drop([loop for loop in self._clients if loop.is_closed()])
            found = self._clients[running] = self._make(self.settings)
        return found

    async def live_book(self, listed: Listed) -> LiveBook | None:
        """The live order book of a symbol, if the configuration wants such books and this one is synced.

        Raises:
            ConfigError: closed, or switched off by the configuration.
        """
        if not self.settings.section.live_order_books:
            return None
        client, running = await self.client(), asyncio.get_running_loop()
        found = self._live_books.get(running)
        if found is None:
            found = self._live_books[running] = LiveOrderBooks(client)
        return found.book(listed)

    async def close(self) -> None:
        """Close the clients and forget the symbols. Twice does no harm."""
        self._closed = True
        running = asyncio.get_running_loop()
        # A client of another loop that still runs is in use there, and its connections can only be closed there.
        await self._drop([loop for loop in self._clients if loop is running or loop.is_closed()])
        self._listing = None

    async def _drop(self, loops: list[asyncio.AbstractEventLoop]) -> None:
        for loop in loops:
            client, books = self._clients.pop(loop), self._live_books.pop(loop, None)
            # The sockets of a closed loop are gone already, and saying goodbye over them fails.
            with suppress(RuntimeError):
                if books is not None:
                    await books.aclose()
                await client.aclose()

    # -------------------------------------------------------------------------------------- symbols

    async def listing(self, *, fresh: bool = False) -> Listing:
        """The symbols of all markets in use, at most an hour old.

        Args:
            fresh: Ask again, unless that was done within the last minute.
        """
        age = self._now() - self._listed_at
        holds = _LISTING_AT_MOST_EVERY if fresh else _LISTING_HOLDS
        listing = self._listing
        if listing is not None and 0 <= age < holds:
            return listing
        try:
            self._listing = await self._load()
        except BinanceError as error:
            if listing is None or isinstance(error, ConfigError):
                raise
            # Symbols hardly change; an old list serves better than none while Binance cannot be asked.
            logger.warning("the list of symbols could not be renewed: %s", error)
            self._listed_at = self._now() - _LISTING_HOLDS + _LISTING_AT_MOST_EVERY
            return listing
        self._listed_at = self._now()
        return self._listing

    async def _load(self) -> Listing:
        client = await self.client()
        # The shortest cache there is: callers at the same time share a request, and later ones get a new answer.
        # A symbol that cannot be read is left out alone.
        options = RequestOptions(cache=1e-6, bad_rows="skip")
        usdm, spot = await asyncio.gather(
            client.futures.exchange_info(options=options) if self.settings.futures else _nothing(),
            client.spot.exchange_info(options=options) if self.settings.spot else _nothing(),
        )
        return Listing(usdm, spot)

    def doubt(self) -> None:
        """Binance does not know a symbol of the list: ask for the list again, within a minute."""
        self._listed_at = min(self._listed_at, self._now() - _LISTING_HOLDS + _LISTING_AT_MOST_EVERY)

    @property
    def loaded(self) -> Listing | None:
        """The symbols as far as they are known, without asking."""
        return self._listing

    async def resolve(self, symbol: object) -> Listed:
        """The instrument a caller means.

        Raises:
            InvalidSymbolError: it cannot be read, or is not listed.
        """
        try:
            return (await self.listing()).resolve(symbol)
        except InvalidSymbolError:
            plain_symbol(symbol)
        return (await self.listing(fresh=True)).resolve(symbol)

    def wanted(self, listed: Listed) -> bool:
        """Whether lists show a symbol: it trades, its quote asset is preferred and it is not excluded."""
        preferences = self.settings.section.data_preferences
        quotes = {quote.upper() for quote in preferences.preferred_quote_currencies}
        return (
            listed.active
            and (not quotes or listed.rules.quote_asset in quotes)
            and listed.symbol not in {plain_symbol(name) for name in preferences.exclude_symbols}
        )

    # -------------------------------------------------------------------------------------- time

    def now_ms(self, market: MarketName | None = None) -> int:
        """The time at the exchange, in milliseconds: the local clock, corrected by the times in answers."""
        skew = 0.0
        for client in self._clients.values():
            with suppress(ConfigError):
                limits = client.limits.spot if (market or self.main_market) == "spot" else client.limits.futures
                skew = limits.clock_skew
        return round((self._now() + skew) * 1000)

    def local_ms(self) -> int:
        """The local wall clock, in milliseconds."""
        return round(self._now() * 1000)

    @property
    def main_market(self) -> MarketName:
        return "usdm" if self.settings.futures else "spot"


@dataclass(frozen=True, slots=True)
class SessionFactory:
    """Makes the session of one instance.

    Args:
        client_factory: Makes the SDK's clients.
        now: The local wall clock, in seconds.
    """

    client_factory: ClientFactory
    now: Callable[[], float]

    def of(self, settings: Settings) -> Session:
        """A session that has asked nothing yet."""
        return Session(settings, self.client_factory, self.now)


async def _nothing() -> None:
    return None
