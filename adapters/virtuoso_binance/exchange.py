"""``BinanceExchange``: life cycle, health and parsing over whatever base class Virtuoso brings."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, cast

from binance_sdk import BinanceClient
from binance_sdk.errors import BinanceError
from virtuoso_binance import parse
from virtuoso_binance.config import Settings, load_settings, log_warnings, section_of
from virtuoso_binance.convert import Candle
from virtuoso_binance.errors import ErrorBridge, OutOfScopeError, translated_sync
from virtuoso_binance.health.judging import ExchangeHealth, status_of
from virtuoso_binance.listings import market_entry
from virtuoso_binance.scalars import Row
from virtuoso_binance.session import ClientFactory, Session, SessionFactory, make_client
from virtuoso_binance.stream_methods import StreamMethods
from virtuoso_binance.streaming.changes import OnStreamChange
from virtuoso_binance.symbols import Listing, spellings_of
from virtuoso_binance.timeframes import TIMEFRAMES

if TYPE_CHECKING:
    from virtuoso_binance.base_exchange import BaseExchange as _Base
else:
    # The real base comes at run time, behind this class in the order of look-up.
    _Base = object

__all__ = ["BinanceMethods", "make_exchange_class"]

logger: logging.Logger = logging.getLogger("virtuoso_binance")


class BinanceMethods(StreamMethods, _Base):
    """Everything the adapter adds to the base class."""

    _binance_section: ClassVar[Mapping[str, Any]] = {}
    _binance_make_session: ClassVar[SessionFactory]

    def __init__(self, config: Mapping[str, Any] | None = None, error_handler: Any = None) -> None:
        super().__init__(dict(config or {}), error_handler)
        section = {**self._binance_section, **section_of(config)}
        settings = load_settings(section)
        log_warnings(settings)
        self._binance = type(self)._binance_make_session.of(settings)
        self._taken: Listing | None = None
        self._liquidations = {}
        self.exchange_id: str | None = "binance"
        self.initialized: bool = False
        # No key is ever used, whatever the section holds.
        self.api_key = ""
        self.api_urls: dict[str, str] = {}
        self.ws_endpoints: dict[str, str] = {}
        self.markets: dict[str, Row] = {}
        self.symbols: set[str] = set()
        self.timeframes: dict[str, str] = dict(TIMEFRAMES)

    @property
    def binance_settings(self) -> Settings:
        """The configuration as it was understood."""
        return self._binance.settings

    @property
    def binance_session(self) -> Session:
        """What is behind the exchange: its clients, its symbols, and what was seen of them."""
        return self._binance

    async def binance_client(self) -> BinanceClient:
        """The SDK's client, for what Virtuoso has no word for. It is closed with the exchange."""
        return await self._binance.client()

    # ----------------------------------------------------------------------------------- life cycle

    async def initialize(self) -> bool:
        """Learn the symbols. False, with the reason in the log, where that fails or the adapter is switched off."""
        if self._binance.settings.disabled:
            logger.info("Binance data are switched off (enabled / ENABLE_BINANCE_DATA is false)")
            return False
        self._binance.open()
        try:
            await self._binance.listing(fresh=True)
        except BinanceError as error:
            logger.error("Binance could not be initialized: %s", error)
            await self.close()
            return False
        self._take_listing()
        self.timeframes = dict(TIMEFRAMES)
        self.initialized = True
        self._note_health(healthy=True)
        return True

    async def init(self) -> bool:
        """As ``initialize``: ``recover_connection`` calls it after ``close``."""
        return await self.initialize()

    async def close(self) -> None:
        """Close the connections and forget the symbols; ``initialize`` opens them again. Twice does no harm."""
        self.initialized = False
        self._note_health(healthy=False)
        await self._binance.close()
        self._taken = None
        self.markets = {}
        self.symbols = set()

    def _take_listing(self) -> None:
        listing = self._binance.loaded
        if listing is None or listing is self._taken:
            return
        everything = listing.preferred().values()
        self.markets = {listed.symbol: market_entry(listed) for listed in everything if self._binance.wanted(listed)}
        # Excluded symbols may still be asked for by name.
        self.symbols = spellings_of([*listing.usdm.values(), *listing.spot.values()])
        self._taken = listing

    # --------------------------------------------------------------------------------------- health

    async def health_check(self) -> bool:
        """Whether Binance answers now; never raises, and never where the exchange is closed or switched off."""
        healthy = bool((await self.fetch_status())["online"])
        self._note_health(healthy=healthy)
        return healthy

    async def is_healthy(self) -> bool:
        """As ``health_check``; it costs so little that there is no need to keep an old answer."""
        return await self.health_check()

    async def check_health(self) -> bool:
        """As ``health_check``."""
        return await self.health_check()

    def _note_health(self, *, healthy: bool) -> None:
        self._is_healthy, self._last_health_check = healthy, time.time()

    def binance_health(self) -> ExchangeHealth:
        """How Binance is by what was seen lately, kind by kind; nothing is asked."""
        return self._binance.health(self._stream_facts())

    async def fetch_status(self) -> Row:
        """``online`` and the server's time, and in ``health`` how each market and each kind of data is; never raises.

        It costs weight 1 on each market in use. ``online`` is False, with an ``error``, where the main market does not
        answer or trades nothing, and where no price could be had for five minutes.
        """
        before = self._binance.now_ms()
        status: Row = {"online": False, "has_trading": False, "status": "offline", "timestamp": before}
        try:
            await self._binance.probe()
            return {**status, **status_of(self.binance_health())}
        except Exception as error:  # noqa: BLE001 - Virtuoso takes any error for a broken exchange, not an offline one
            return {**status, "error": f"{type(error).__name__}: {error}"}

    # -------------------------------------------------------------------------------------- parsing

    @translated_sync
    def parse_ticker(self, response: Any) -> Row:
        """``/ticker/24hr`` of one symbol."""
        return parse.parse_ticker(response, self._binance.now_ms())

    @translated_sync
    def parse_orderbook(self, response: Any) -> Row:
        """``/depth``, with ``symbol`` added by the caller."""
        return parse.parse_orderbook(response, self._binance.now_ms())

    @translated_sync
    def parse_trades(self, response: Any) -> list[Row]:
        """``/trades``."""
        return parse.parse_trades(response)

    @translated_sync
    def parse_ohlcv(self, response: Any) -> list[Candle]:
        """``/klines``."""
        return parse.parse_ohlcv(response)

    @translated_sync
    def parse_balance(self, response: Any) -> NoReturn:
        """Raises: there are no accounts here."""
        raise _out_of_scope("balances")

    @translated_sync
    def parse_order(self, response: Any) -> NoReturn:
        """Raises: there are no accounts here."""
        raise _out_of_scope("orders")

    @translated_sync
    def sign(self, method: str, path: str, params: Any = None, headers: Any = None, body: Any = None) -> NoReturn:
        """Raises: nothing is signed here."""
        raise _out_of_scope("signed requests")

    # ------------------------------------------------------------------------------------- checking

    @translated_sync
    def validate_symbol(self, symbol: Any) -> bool:
        """True for a listed symbol in any spelling.

        Raises:
            ValueError: it is not listed, or the symbols are not loaded yet.
        """
        (self._binance.loaded or Listing(None, None)).resolve(symbol)
        return True

    def validate_market_data(self, market_data: Any) -> bool:
        """False where it is not a dict or has no symbol; everything else that is missing is in its ``metadata``."""
        return isinstance(market_data, dict) and bool(cast("Row", market_data).get("symbol"))


def _out_of_scope(what: str) -> OutOfScopeError:
    return OutOfScopeError(f"{what} are out of scope: this adapter reads public market data only")


def make_exchange_class(
    base_exchange_class: type,
    config: Mapping[str, Any] | None = None,
    *,
    client_factory: ClientFactory = make_client,
    now: Callable[[], float] = time.time,
    on_stream_change: OnStreamChange | None = None,
) -> type[BinanceMethods]:
    """The class Virtuoso's factory builds its ``binance`` exchange from.

    Args:
        base_exchange_class: Virtuoso's ``BaseExchange``, or ``virtuoso_binance.base_exchange.BaseExchange`` without it.
        config: The section ``exchanges.binance``; what the constructor is given later goes before it, key by key.
        client_factory: Makes the SDK's client; for tests and for those with a proxy of their own.
        now: The local wall clock, in seconds.
        on_stream_change: Told where ``streaming`` is on: when a part of market data comes over REST although it was
            streamed, and when it is streamed again. Called where it is found out, so it must be quick.

    Raises:
        ConfigError: a value in the section cannot be used; the message names key, value and remedy.
    """
    section = section_of(config)
    load_settings(section)
    made = type(
        "BinanceExchange",
        (BinanceMethods, base_exchange_class),
        {
            "__module__": __name__,
            "__doc__": "Binance's public market data as an exchange of Virtuoso.",
            "binance_errors": ErrorBridge(base_exchange_class),
            "_binance_section": section,
            "_binance_make_session": SessionFactory(client_factory, now),
            "_binance_on_stream_change": None if on_stream_change is None else staticmethod(on_stream_change),
        },
    )
    return cast("type[BinanceMethods]", made)
