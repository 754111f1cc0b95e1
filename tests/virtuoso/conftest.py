"""A simulated exchange whose clock stands still, and exchanges of the adapter that ask it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from binance_sdk import BinanceClient
from binance_sdk.simulator import ManualClock, Simulator
from tests.virtuoso import fake_virtuoso
from virtuoso_binance import make_exchange_class
from virtuoso_binance.config import Settings
from virtuoso_binance.exchange import BinanceMethods

NOW = 1_768_651_327_450
"""2026-01-17 12:02:07.450 UTC, so every frame ends in a running candle."""

Build = Callable[..., Any]


@pytest.fixture(scope="session")
def _shared_simulator() -> Iterator[Simulator]:
    with Simulator(clock=ManualClock(NOW), history_days=90) as running:
        yield running


@pytest.fixture
def simulator(_shared_simulator: Simulator) -> Simulator:
    """Read only: it is shared, so no test may add faults or symbols.

    Its clock stands still, so that its minute never ends; each test begins with nothing spent of it.
    """
    _shared_simulator.reset_limits()
    return _shared_simulator


@pytest.fixture
def own_simulator() -> Iterator[Simulator]:
    """One for this test alone, to count, to break and to delist."""
    with Simulator(clock=ManualClock(NOW), history_days=45) as running:
        yield running


def section_for(simulator: Simulator, **changes: Any) -> dict[str, Any]:
    """A section that asks the simulator as fast as it can."""
    return {
        "enabled": True,
        "rest_endpoint": simulator.base_url("spot"),
        "futures_rest_endpoint": simulator.base_url("futures"),
        "rate_limits": {"requests_per_minute": 100_000, "requests_per_second": 10_000, "weight_per_minute": 6000},
        "data_preferences": {
            "preferred_quote_currencies": [],
            "exclude_symbols": [],
            "min_24h_volume": 0,
        },
        **changes,
    }


def hasty(settings: Settings) -> BinanceClient:
    """A client that gives up at the first failure, so that no test waits for a second try."""
    return BinanceClient(
        spot_base_url=settings.spot_url,
        futures_base_url=settings.futures_url,
        api_key="",
        # Nothing is asked here that does not answer; on a busy machine an answer took longer than 5 s.
        timeout=60.0,
        max_retries=0,
        caps=settings.caps,
    )


@asynccontextmanager
async def exchanges(**options: Any) -> AsyncIterator[Build]:
    """Makes initialized exchanges, and closes them; ``options`` are those of their class."""
    made: list[BinanceMethods] = []

    async def build_one(simulator: Simulator, base: type = fake_virtuoso.BaseExchange, **changes: Any) -> Any:
        exchange = make_exchange_class(base, section_for(simulator, **changes), **options)({})
        made.append(exchange)
        assert await exchange.initialize()
        return exchange

    yield build_one
    for exchange in made:
        await exchange.close()


def streams_of(simulator: Simulator) -> dict[str, str]:
    """The part of a section that says where the streams are."""
    return {"public": simulator.stream_url("spot"), "futures_public": simulator.stream_url("futures")}


@asynccontextmanager
async def exchanges_with_streams() -> AsyncIterator[Build]:
    """Makes exchanges with the clients that users have, whose streams are a simulator's, and closes them."""
    async with exchanges() as build_one:

        async def with_streams(simulator: Simulator, **changes: Any) -> Any:
            return await build_one(simulator, websocket=streams_of(simulator), **changes)

        yield with_streams


@pytest.fixture
async def build() -> AsyncIterator[Build]:
    """Makes exchanges whose clients give up at the first failure, and closes them after the test."""
    async with exchanges(client_factory=hasty) as build_one:
        yield build_one


@pytest.fixture
async def exchange(build: Build, simulator: Simulator) -> Any:
    """One that reads from the shared simulator."""
    return await build(simulator)
