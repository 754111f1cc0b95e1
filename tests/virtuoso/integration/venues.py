"""Three venues on one clock: a small Bybit that CCXT asks, a simulated Binance that our class asks, and a second one
that CCXT asks. All follow one market, so what is true at a moment is known."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, ExitStack
from typing import Any, Self
from urllib.parse import urlencode

import httpx

from binance_sdk import BinanceClient
from binance_sdk.simulator import ManualClock, OffsetClock, Simulator
from binance_sdk.simulator.rest.answers import last_prices
from binance_sdk.simulator.rest.exchange import Request
from tests.virtuoso.conftest import section_for
from tests.virtuoso.integration.hand_moved_time import CountedLine, HandMovedLoop, SdkClock, UnderWay
from tests.virtuoso.sources.bybit_server import BybitServer, bybit_server
from tests.virtuoso.sources.ccxt_on_loopback import OFFLINE
from virtuoso_binance import MarketDataSource, make_exchange_class
from virtuoso_binance.base_exchange import BaseExchange
from virtuoso_binance.config import Settings
from virtuoso_binance.scalars import Row
from virtuoso_binance.sources import CcxtSource, SourceEvent
from virtuoso_binance.sources.asking import Exchange

START = 1_768_680_127_450
"""2026-01-17 20:02:07.450 UTC: eight hours from here hold a midnight and two fundings."""
SYMBOLS = ("BTCUSDT", "ETHUSDT")
_HISTORY_DAYS = 40
_INTERVALS = {"1": "1m", "5": "5m", "30": "30m", "240": "4h"}


class Truth:
    """The market that all venues follow."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        # It is never started: nobody asks it over a socket.
        self._exchange = Simulator(clock=clock, symbols=SYMBOLS, history_days=_HISTORY_DAYS)._exchange

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def price(self, symbol: str) -> float:
        """The last price of the perpetual."""
        market = self._exchange.markets["futures"]
        market.open(self.now_ms())
        return float(last_prices(market.symbol_data(symbol), self.now_ms())[0])

    def candles(self, symbol: str, interval: str, count: int) -> list[tuple[int, Sequence[float]]]:
        """Candles of the perpetual, the newest first."""
        query = urlencode({"symbol": symbol, "interval": _INTERVALS[interval], "limit": count})
        reply = self._exchange.answer(Request("futures", 0, "GET", "/fapi/v1/klines", query))
        return [(row[0], [float(price) for price in row[1:5]]) for row in reversed(json.loads(reply.body))]


class Venue:
    """An exchange that can be told to lie.

    Attributes:
        name: What its answers call it.
        lie: Makes another answer of each.
    """

    def __init__(self, name: str, exchange: Exchange) -> None:
        self.name = name
        self.lie: Callable[[Row], Row] | None = None
        self._exchange: Any = exchange

    async def initialize(self) -> bool:
        return bool(await self._exchange.initialize())

    async def close(self) -> None:
        await self._exchange.close()

    async def fetch_market_data(self, symbol: Any, limit: int | None = None) -> Row:
        data: Row = {**await self._exchange.fetch_market_data(symbol, limit), "exchange": self.name}
        return data if self.lie is None else self.lie(data)


class CountedCcxt(CcxtSource):
    """Its requests are known to the clock.

    Attributes:
        under_way: Where they are counted.
        here: Whether this loop answers them.
    """

    under_way: UnderWay
    here = False

    def _new(self) -> Any:
        exchange = super()._new()
        fetch = exchange.fetch

        async def counted(*args: Any, **kwargs: Any) -> Any:
            with self.under_way.one(here=self.here):
                return await fetch(*args, **kwargs)

        exchange.fetch = counted
        return exchange


class SlowLine(CountedLine):
    """Answers come late by ``delay`` seconds."""

    delay = 0.0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(self.delay)
        return await super().handle_async_request(request)


class Venues:
    """The venues, and what a ``MarketDataSource`` over them tells.

    Attributes:
        clock: The true time.
        machine: The clock of this machine, which may be off.
        binance_clock: That of the first simulated Binance.
        bybit: The server of the small Bybit.
        binance: What our class asks.
        second: What CCXT's class for Binance asks.
        line: Between our class and its Binance.
        events: What hooks heard.

    Args:
        streaming: What our class streams, as in its configuration.
    """

    def __init__(self, streaming: Sequence[str] = ()) -> None:
        self._streaming = list(streaming)
        self.clock = ManualClock(START)
        self.machine = OffsetClock(0, self.clock)
        self.binance_clock = OffsetClock(0, self.clock)
        self.truth = Truth(self.clock)
        self.binance = Simulator(clock=self.binance_clock, symbols=SYMBOLS, history_days=_HISTORY_DAYS)
        self.second = Simulator(clock=self.clock, symbols=SYMBOLS, history_days=_HISTORY_DAYS)
        self.under_way = UnderWay()
        self.events: list[SourceEvent] = []
        self._stack = AsyncExitStack()

    def run(self, story: Callable[[Venues], Any]) -> Any:
        """Run a coroutine function on the clock, with everything open."""

        async def opened() -> Any:
            async with self:
                return await story(self)

        # Running before the loop asks for its streams, and until the loop has ended.
        with ExitStack() as stack:
            for simulator in (self.binance, self.second):
                stack.enter_context(simulator)
            streams = self.binance.streams if self._streaming else None
            runner = asyncio.Runner(loop_factory=lambda: HandMovedLoop(self.clock, self.under_way, streams))
            return stack.enter_context(runner).run(opened())

    def now(self) -> float:
        """What this machine takes for the time, in seconds."""
        return self.machine.now_ms() / 1000

    async def __aenter__(self) -> Self:
        enter = self._stack.enter_async_context
        self.bybit: BybitServer = await enter(bybit_server(self.truth))
        self.bybit.symbols, self.bybit.volume = set(SYMBOLS), 500
        self.line = SlowLine(self.under_way)
        self._http = await enter(httpx.AsyncClient(transport=self.line))
        bybit = CountedCcxt("bybit", spot_url=self.bybit.url, options=OFFLINE, now=self.now)
        bybit.here = True
        second = CountedCcxt(
            "binance",
            spot_url=self.second.base_url("spot"),
            futures_url=self.second.base_url("futures"),
            options=OFFLINE,
            now=self.now,
        )
        bybit.under_way = second.under_way = self.under_way
        urls = {"public": self.binance.stream_url("spot"), "futures_public": self.binance.stream_url("futures")}
        section = section_for(self.binance, websocket=urls, streaming=self._streaming)
        ours = make_exchange_class(BaseExchange, section, client_factory=self._client, now=self.now)
        self.venues = {
            "bybit": Venue("bybit", bybit),
            "binance": Venue("binance", ours({})),
            # A venue of its own to those who compare.
            "second": Venue("second", second),
        }
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    def _client(self, settings: Settings) -> BinanceClient:
        with SdkClock(self.clock, self.machine).installed():
            return BinanceClient(
                spot_base_url=settings.spot_url,
                futures_base_url=settings.futures_url,
                spot_stream_url=settings.spot_stream_url,
                futures_stream_url=settings.futures_stream_url,
                http_client=self._http,
                api_key="",
                caps=settings.caps,
            )

    def source(self, *names: str, **block: Any) -> MarketDataSource:
        """A source over the venues of these names, the primary one first."""
        found = {name: self.venues[name] for name in names or self.venues}
        primary, *secondary = found
        settings = {"primary": primary, "secondary": secondary, **block}
        return MarketDataSource(found, settings, hooks=[self.events.append], now=self.now)

    def told(self, kind: type) -> list[Any]:
        """The events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]
