"""One exchange's way to Binance: a client for each event loop, and the list of symbols."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar, cast

from binance_sdk import BinanceClient, RequestOptions
from binance_sdk.errors import BinanceError, ConfigError
from virtuoso_binance.config import Settings
from virtuoso_binance.config.settings import WebSocketSection
from virtuoso_binance.errors import InvalidSymbolError
from virtuoso_binance.health.judging import ExchangeHealth, judge_exchange
from virtuoso_binance.health.listing_changes import ListingChanges, changes_between
from virtuoso_binance.health.observations import Observations
from virtuoso_binance.health.probing import MarketProbe, probe_market, with_limits
from virtuoso_binance.health.streams import StreamsFacts, judge_streams, merged_facts
from virtuoso_binance.symbols import Listed, Listing, MarketName, plain_symbol

__all__ = ["LISTING_AT_MOST_EVERY", "LISTING_HOLDS", "ClientFactory", "Session", "SessionFactory", "make_client"]

logger: logging.Logger = logging.getLogger("virtuoso_binance")

ClientFactory = Callable[[Settings], BinanceClient]
T = TypeVar("T", bound="Closable")

_TIMEOUT = 8.0
"""Virtuoso's manager gives a ticker 10 s in all."""
LISTING_HOLDS = 3600.0
LISTING_AT_MOST_EVERY = 60.0
"""An unknown symbol may have been listed since; the list is not asked for again sooner than this."""
_DOUBTED_AT_MOST_EVERY = 300.0
"""Where all trades are old that may be maintenance, or a thin market."""
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


class Closable(Protocol):
    """Something that has to be closed."""

    async def aclose(self) -> None:
        """Close it."""


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
        self._on_client: Callable[[BinanceClient], object] | None = None
        self._attached: dict[asyncio.AbstractEventLoop, dict[type, Closable]] = {}
        self._listing: Listing | None = None
        self._listed_at = self._tried_at = 0.0
        self._closed = False
        self.observations: Observations = Observations()
        """What was seen of each kind of data."""
        self.changes: ListingChanges = ListingChanges()
        """Symbols that came and went."""
        self.probed: tuple[MarketProbe, ...] = ()
        """What the markets in use said when they were last asked how they are, the main one first."""

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
            if self._on_client is not None:
                self._on_client(found)
        return found

    def watch_clients(self, on_client: Callable[[BinanceClient], object] | None) -> None:
        """Call it with each client that there is, and with each one that is made from now on; None ends that."""
        self._on_client = on_client
        if on_client is not None:
            for client in list(self._clients.values()):
                on_client(client)

    async def attached(self, kind: type[T], make: Callable[[BinanceClient], T]) -> T:
        """Something that goes with the client of the running loop and is closed before it, made when there is none.

        Args:
            kind: Its class.
            make: Makes it.

        Raises:
            ConfigError: closed, or switched off by the configuration.
        """
        client = await self.client()
        attached = self._attached.setdefault(asyncio.get_running_loop(), {})
        found = attached.get(kind)
        if found is None:
            found = attached[kind] = make(client)
        return cast("T", found)

    def all_attached(self, kind: type[T]) -> list[T]:
        """Those of a kind that there are, of all loops. For any thread."""
        return [cast("T", found) for each in list(self._attached.values()) if (found := each.get(kind)) is not None]

    async def close(self) -> None:
        """Close the clients and forget the symbols. Twice does no harm."""
        self._closed = True
        running = asyncio.get_running_loop()
        # A client of another loop that still runs is in use there, and its connections can only be closed there.
        await self._drop([loop for loop in self._clients if loop is running or loop.is_closed()])
        self._listing = None
        self.observations.forget()
        self.probed = ()

    async def _drop(self, loops: list[asyncio.AbstractEventLoop]) -> None:
        for loop in loops:
            client, attached = self._clients.pop(loop), self._attached.pop(loop, {})
            # The sockets of a closed loop are gone already, and saying goodbye over them fails.
            with suppress(RuntimeError):
                try:
                    for each in attached.values():
                        await each.aclose()
                finally:
                    await client.aclose()

    # -------------------------------------------------------------------------------------- symbols

    async def listing(self, *, fresh: bool = False) -> Listing:
        """The symbols of all markets in use, at most an hour old.

        Args:
            fresh: Ask again, unless that was done within the last minute.
        """
        now = self._now()
        holds = LISTING_AT_MOST_EVERY if fresh else LISTING_HOLDS
        listing = self._listing
        if listing is not None and (
            0 <= now - self._listed_at < holds or 0 <= now - self._tried_at < LISTING_AT_MOST_EVERY
        ):
            return listing
        self._tried_at = now
        try:
            loaded = await self._load()
            if listing is not None and (gone := loaded.missing_markets(listing)):
                # As while an exchange is under maintenance: its symbols would be taken for those of another market.
                raise BinanceError(f"Binance lists nothing of {', '.join(gone)} any more")
        except BinanceError as error:
            if listing is None or isinstance(error, ConfigError):
                raise
            # Symbols hardly change; an old list serves better than none while Binance cannot be asked.
            logger.warning("the list of symbols could not be renewed: %s", error)
            return listing
        # Another caller may have loaded it meanwhile, and then noted what changed.
        before, self._listing, self._listed_at = self._listing, loaded, self._now()
        if before is not None:
            self._note_changes(before, loaded)
        return loaded

    def _note_changes(self, before: Listing, after: Listing) -> None:
        changes = changes_between(before, after, self.local_ms())
        self.changes.note(changes)
        for each in changes:
            logger.info("%s on %s: %s %s", each.symbol, each.market, each.change, f"{each.before} {each.after}".strip())

    async def _load(self) -> Listing:
        client = await self.client()
        # The shortest cache there is: callers at the same time share a request, and later ones get a new answer.
        # A symbol that cannot be read is left out alone.
        options = RequestOptions(cache=1e-6, bad_rows="skip")
        usdm, spot = await asyncio.gather(
            client.futures.exchange_info(options=options) if self.settings.futures else _nothing(),
            client.spot.exchange_info(options=options) if self.settings.spot else _nothing(),
            return_exceptions=True,
        )
        # Not before both have ended: the other one would go on for nobody.
        if isinstance(usdm, BaseException):
            raise usdm
        if isinstance(spot, BaseException):
            raise spot
        return Listing(usdm, spot)

    def doubt(self) -> None:
        """Binance does not know a symbol of the list: ask for the list again, within a minute."""
        self._listed_at = min(self._listed_at, self._now() - LISTING_HOLDS + LISTING_AT_MOST_EVERY)

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

    # ------------------------------------------------------------------------------------- health

    async def probe(self) -> None:
        """Ask each market in use how it is; what comes of that is in ``probed``. Weight 1 for each.

        Where nothing is traded the list of symbols is renewed too, at most once a minute; and where trades or prices
        stand still, once in five minutes: that may be maintenance.

        Raises:
            ConfigError: closed, or switched off by the configuration.
        """
        client = await self.client()
        if self._listing is not None and self._is_doubtful():
            with suppress(BinanceError):
                await self.listing(fresh=True)
        markets = self.markets
        self.probed = tuple(
            await asyncio.gather(
                *(probe_market(client, name, self._now, symbols=self._symbols_of(name)) for name in markets)
            )
        )

    def _is_doubtful(self) -> bool:
        if any(facts.in_maintenance for facts in self.probed):
            return True
        if self._now() - self._listed_at < _DOUBTED_AT_MOST_EVERY:
            return False
        seen = self.observations.facts(self.now_ms())
        return any(2 * seen[kind].faulty > seen[kind].asked for kind in ("price", "trades") if kind in seen)

    @property
    def markets(self) -> tuple[Literal["futures", "spot"], ...]:
        """The markets in use, the main one first."""
        names: tuple[Literal["futures", "spot"], ...] = ("futures", "spot")
        return tuple(name for name in names if (self.settings.futures if name == "futures" else self.settings.spot))

    def _symbols_of(self, market: Literal["futures", "spot"]) -> tuple[int, int] | None:
        """How many symbols a market lists, and how many of them are traded."""
        if self._listing is None:
            return None
        rows = (self._listing.usdm if market == "futures" else self._listing.spot).values()
        return len(rows), sum(listed.active for listed in rows)

    def health(self, streams: Iterable[StreamsFacts] = ()) -> ExchangeHealth:
        """How Binance is, by what was seen and by the newest probe; nothing is asked.

        Args:
            streams: What is known of them, of all loops.
        """
        attempts = self.settings.section.websocket.reconnect_attempts
        facts: list[MarketProbe] = []
        for name in self.markets:
            known = next((each for each in self.probed if each.market == name), MarketProbe(name))
            for client in list(self._clients.values()):
                known = with_limits(known, client)
            facts.append(known)
        now = self.now_ms()
        judged = [judge_streams(each, attempts) for each in merged_facts(streams)]
        return judge_exchange(facts, self.observations.facts(now), now, tuple(self.changes.newest), judged)

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
