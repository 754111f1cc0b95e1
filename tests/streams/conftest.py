"""Fixtures: an exchange on loopback, a clock, and an engine over either library."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from binance_sdk._generated.catalogue import CATALOGUE
from binance_sdk._generated.coin_futures.streams import AsyncCoinFuturesStreams
from binance_sdk._generated.environments import LIMITS
from binance_sdk._generated.futures.streams import AsyncFuturesStreams
from binance_sdk._generated.markets import MARKETS
from binance_sdk._generated.spot.streams import AsyncSpotStreams
from binance_sdk._runtime.budget.ledger import Ledger
from binance_sdk._runtime.budget.pool import Pool
from binance_sdk._runtime.budget.server_time import ServerTime
from binance_sdk._runtime.calls.gatekeeper import Gatekeeper
from binance_sdk._runtime.stream.connection.over_aiohttp import AiohttpConnector
from binance_sdk._runtime.stream.connection.over_websockets import WebsocketsConnector
from binance_sdk._runtime.stream.connection.pacing import Backoff, ConnectionLimiter
from binance_sdk._runtime.stream.connection.websocket import Connector
from binance_sdk._runtime.stream.context import StreamContext
from binance_sdk._runtime.stream.manager import StreamManager

from .manual_clock import ManualClock
from .rows import FakeRest
from .server import Exchange

CONNECTORS = {"websockets": WebsocketsConnector, "aiohttp": AiohttpConnector}


@pytest.fixture
async def exchange() -> AsyncIterator[Exchange]:
    async with Exchange() as exchange:
        yield exchange


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=sorted(CONNECTORS))
def connector(request: pytest.FixtureRequest) -> Connector:
    return CONNECTORS[request.param]("tests")


class Engine:
    """Everything a test holds of the engine."""

    def __init__(self, exchange: Exchange, connector: Connector, clock: ManualClock) -> None:
        self.exchange = exchange
        self.clock = clock
        self.told: list[Any] = []
        self.rest = FakeRest()
        self.pool = Pool("tests", LIMITS["spot"], ServerTime(clock.time(), clock.monotonic()), Ledger())
        gatekeeper = Gatekeeper(self.pool, CATALOGUE, "mainnet", self.told.append)
        self.context = StreamContext(
            urls=dict.fromkeys(MARKETS, (exchange.url,)),
            limits={market: facts.streams for market, facts in MARKETS.items()},
            connector=connector,
            clock=clock,
            rest=self.rest,
            notify=self.told.append,
            limiter=ConnectionLimiter(),
            backoff=lambda: Backoff(jitter=lambda: 1.0),
            gates=dict.fromkeys(MARKETS, gatekeeper),
        )
        self.manager = StreamManager(lambda: self.context)
        self.spot = AsyncSpotStreams(self.manager)
        self.futures = AsyncFuturesStreams(self.manager)
        self.coin_futures = AsyncCoinFuturesStreams(self.manager)


@pytest.fixture
async def engine(exchange: Exchange, connector: Connector, clock: ManualClock) -> AsyncIterator[Engine]:
    engine = Engine(exchange, connector, clock)
    try:
        yield engine
    finally:
        await engine.manager.aclose()
