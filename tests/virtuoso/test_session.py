"""The list of symbols in time: how long it holds, and what a clock that is set back does to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from binance_sdk.errors import BinanceError
from binance_sdk.simulator import Fault, Simulator
from binance_sdk.simulator.market.symbols import Market
from tests.virtuoso.conftest import hasty, section_for
from virtuoso_binance.config import load_settings
from virtuoso_binance.session import Session

NOW = 1_800_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOW


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def session(own_simulator: Simulator, clock: Clock) -> AsyncIterator[Session]:
    made = Session(load_settings(section_for(own_simulator)), hasty, lambda: clock.now)
    yield made
    await made.close()


def asked(simulator: Simulator) -> int:
    return simulator.requests.by_operation.get("futures.exchange_info", 0)


async def test_a_list_holds_for_an_hour(own_simulator: Simulator, session: Session, clock: Clock) -> None:
    for seconds, times in ((0, 1), (3599, 1), (3600, 2), (3601, 2)):
        clock.now = NOW + seconds
        await session.listing()
        assert asked(own_simulator) == times


async def test_a_fresh_list_is_at_most_a_minute_old(own_simulator: Simulator, session: Session, clock: Clock) -> None:
    for seconds, times in ((0, 1), (59, 1), (60, 2)):
        clock.now = NOW + seconds
        await session.listing(fresh=True)
        assert asked(own_simulator) == times


@pytest.mark.parametrize("fresh", [False, True])
async def test_a_clock_that_is_set_back_does_not_keep_an_old_list(
    own_simulator: Simulator, session: Session, clock: Clock, fresh: bool
) -> None:
    """After the clock is set back the list seems to come from the future, and must not hold until then."""
    await session.listing()
    clock.now = NOW - 86_400
    await session.listing(fresh=fresh)
    assert asked(own_simulator) == 2
    # From then on it is an hour by the clock as it is.
    clock.now += 30
    await session.listing(fresh=fresh)
    assert asked(own_simulator) == 2


async def test_a_symbol_that_binance_does_not_know_renews_the_list_within_a_minute(
    own_simulator: Simulator, session: Session, clock: Clock
) -> None:
    await session.listing()
    session.doubt()
    for seconds, times in ((59, 1), (60, 2)):
        clock.now = NOW + seconds
        await session.listing()
        assert asked(own_simulator) == times


async def test_a_list_that_cannot_be_renewed_is_tried_once_a_minute(
    own_simulator: Simulator, session: Session, clock: Clock
) -> None:
    known = await session.listing()
    own_simulator.faults.add(Fault.server_error(), where="*.exchange_info")
    for seconds, times in ((3600, 2), (3601, 2), (3659, 2), (3660, 3)):
        clock.now = NOW + seconds
        for fresh in (False, True):
            assert await session.listing(fresh=fresh) is known
        assert asked(own_simulator) == times


async def test_nothing_goes_on_where_one_of_two_lists_fails(own_simulator: Simulator, session: Session) -> None:
    own_simulator.faults.add(Fault.server_error(), where="spot.exchange_info")
    own_simulator.faults.add(Fault.latency(0.3), where="futures.exchange_info")
    before = asyncio.all_tasks()
    with pytest.raises(BinanceError):
        await session.listing()
    assert asked(own_simulator) == 1
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize("market", ["futures", "spot"])
async def test_a_market_that_lists_nothing_any_more_is_not_believed(
    own_simulator: Simulator, session: Session, clock: Clock, market: Market, caplog: pytest.LogCaptureFixture
) -> None:
    """Else a perpetual would be taken for the symbol of spot of that name."""
    known = await session.listing()
    for symbol in list(known.usdm if market == "futures" else known.spot):
        own_simulator.delist_symbol(market, symbol)
    for listed in own_simulator._exchange.markets[market].listings.at(own_simulator.now_ms()).listings.copy():
        own_simulator.delist_symbol(market, listed)
    clock.now = NOW + 3600
    assert await session.listing() is known
    assert f"Binance lists nothing of {'usdm' if market == 'futures' else 'spot'} any more" in caplog.text
