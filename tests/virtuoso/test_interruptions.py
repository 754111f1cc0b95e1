"""Outages, maintenance, limits and delistings, over real sockets, as Virtuoso would meet them."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from binance_sdk import RequestOptions
from binance_sdk.errors import BudgetError
from binance_sdk.simulator import Fault, ManualClock, Simulator
from tests.virtuoso import fake_virtuoso
from tests.virtuoso.conftest import NOW, Build, hasty, section_for
from virtuoso_binance import make_exchange_class
from virtuoso_binance.session import make_client

HOUR = 3_600_000


class Watch:
    """A local clock that a test sets."""

    def __init__(self, ms: int) -> None:
        self.ms = ms

    def __call__(self) -> float:
        return self.ms / 1000


def turn(simulator: Simulator, watch: Watch, ms: int) -> None:
    assert isinstance(simulator.clock, ManualClock)
    simulator.clock.advance(ms / 1000)
    watch.ms += ms


@pytest.fixture
async def timed(own_simulator: Simulator) -> Any:
    """An exchange, the simulator it asks, and the clock of both."""
    watch = Watch(NOW)
    cls = make_exchange_class(fake_virtuoso.BaseExchange, section_for(own_simulator), client_factory=hasty, now=watch)
    exchange: Any = cls({})
    assert await exchange.initialize()
    yield exchange, own_simulator, watch
    await exchange.close()


# --------------------------------------------------------------------------------- interruption


@pytest.mark.parametrize(
    "fault", [Fault.reset(), Fault.truncated(), Fault.garbled(), Fault.bad_gzip(), Fault.page(200)]
)
async def test_one_bad_answer_is_asked_for_again(own_simulator: Simulator, fault: Fault) -> None:
    """With the client the adapter makes itself, retries included."""
    section = section_for(own_simulator)
    exchange: Any = make_exchange_class(fake_virtuoso.BaseExchange, section, client_factory=make_client)({})
    assert await exchange.initialize()
    own_simulator.faults.next(1, fault, where="futures.depth")
    data = await exchange.fetch_market_data("BTCUSDT")
    assert own_simulator.requests.by_operation["futures.depth"] == 2
    assert data["metadata"]["orderbook_success"] is True
    await exchange.close()


async def test_an_outage_raises_and_passes(timed: Any) -> None:
    exchange, simulator, _ = timed
    rule = simulator.faults.add(Fault.reset())
    with pytest.raises(fake_virtuoso.NetworkError):
        await exchange.fetch_market_data("BTCUSDT")
    rule.remove()
    assert (await exchange.fetch_market_data("BTCUSDT"))["metadata"]["ohlcv_success"] is True


async def test_statistics_may_be_down_alone(timed: Any) -> None:
    exchange, simulator, _ = timed
    simulator.faults.add(Fault.server_error(502), where="/futures/data/*")
    data = await exchange.fetch_market_data("BTCUSDT")
    assert (data["metadata"]["lsr_success"], data["metadata"]["oi_history_success"]) == (False, False)
    assert data["open_interest_history"] == []
    assert "open_interest" not in data
    # The value of this moment is known all the same; it is not called a history.
    assert data["sentiment"]["open_interest"]["history"] == []
    assert data["sentiment"]["open_interest"]["current"] == data["ticker"]["openInterest"]


# ------------------------------------------------------------------------------------ maintenance


async def test_maintenance(timed: Any) -> None:
    exchange, simulator, _ = timed
    simulator.maintenance("futures")
    assert (await exchange.fetch_status())["online"] is False
    with pytest.raises(fake_virtuoso.ExchangeError):
        await exchange.fetch_market_data("BTCUSDT")
    # The other market still works.
    assert (await exchange.fetch_market_data("ETHBTC"))["metadata"]["market"] == "spot"
    simulator.end_maintenance()
    assert (await exchange.fetch_market_data("BTCUSDT"))["symbol"] == "BTCUSDT"
    assert (await exchange.fetch_status())["online"] is True


async def test_the_symbols_outlive_an_outage(timed: Any, caplog: pytest.LogCaptureFixture) -> None:
    exchange, simulator, watch = timed
    turn(simulator, watch, 2 * HOUR)
    simulator.faults.add(Fault.server_error(), where="*.exchange_info")
    with caplog.at_level(logging.WARNING, "virtuoso_binance"):
        assert (await exchange.fetch_ticker("BTCUSDT"))["symbol"] == "BTCUSDT"
        assert (await exchange.fetch_ticker("BTCUSDT"))["symbol"] == "BTCUSDT"
    # Asked for once, not again within the minute.
    assert caplog.text.count("could not be renewed") == 1


# --------------------------------------------------------------------------------------- limits


async def test_configured_caps_are_enforced(build: Build, own_simulator: Simulator) -> None:
    limits = {"requests_per_minute": 100_000, "requests_per_second": 10_000, "weight_per_minute": 30}
    exchange = await build(own_simulator, rate_limits=limits)
    # Spot has spent 20 of 30 on the list of symbols: a book of weight 25 does not fit any more, at no time.
    client = await exchange.binance_client()
    with pytest.raises(BudgetError, match="your cap spot_weight_per_minute"):
        await client.spot.trades("ETHBTC", limit=10, options=RequestOptions(wait=False))
    with pytest.raises(fake_virtuoso.RateLimitError, match="never fits"):
        await exchange.fetch_tickers(category="spot")
    assert own_simulator.used_weight("spot") == 20


async def test_the_cap_of_requests_is_enforced_too(build: Build, own_simulator: Simulator) -> None:
    limits = {"requests_per_minute": 3, "requests_per_second": 10_000, "weight_per_minute": 6000}
    exchange = await build(own_simulator, rate_limits=limits)
    client = await exchange.binance_client()
    await exchange.fetch_time()
    with pytest.raises(BudgetError, match="your cap requests_per_minute"):
        await client.futures.time(options=RequestOptions(wait=False))
    assert own_simulator.requests.total == 3


async def test_a_429_closes_the_gate_instead_of_hammering(timed: Any) -> None:
    exchange, simulator, _ = timed
    simulator.faults.next(1, Fault.banned(300), where="futures.ticker_24hr")
    before = simulator.requests.total
    with pytest.raises(fake_virtuoso.RateLimitError):
        await exchange.fetch_ticker("BTCUSDT")
    after = simulator.requests.total
    assert after - before <= 4
    for _ in range(5):
        with pytest.raises(fake_virtuoso.RateLimitError) as caught:
            await exchange.fetch_ticker("BTCUSDT")
        assert 0 < caught.value.retry_after <= 301
    assert simulator.requests.total == after
    assert (await exchange.fetch_status())["online"] is False


# ------------------------------------------------------------------------------------- delisting


async def test_a_delisted_symbol_is_invalid_to_virtuoso(timed: Any) -> None:
    exchange, simulator, watch = timed
    assert await exchange.fetch_ticker("SUIUSDT")
    simulator.delist_symbol("futures", "SUIUSDT")
    simulator.delist_symbol("spot", "SUIUSDT")
    with pytest.raises(fake_virtuoso.ExchangeError, match=r"(?i)invalid symbol"):
        await exchange.fetch_market_data("SUIUSDT")
    turn(simulator, watch, 2 * HOUR)
    await exchange.fetch_ticker("BTCUSDT")
    assert "SUIUSDT" not in exchange.markets
    assert "SUIUSDT" not in await exchange.fetch_tickers()


async def test_spot_takes_over_from_a_delisted_perpetual(timed: Any) -> None:
    exchange, simulator, watch = timed
    simulator.delist_symbol("futures", "SUIUSDT")
    turn(simulator, watch, 2 * HOUR)
    data = await exchange.fetch_market_data("SUIUSDT")
    assert data["metadata"]["market"] == "spot"


async def test_after_the_first_refusal_the_list_is_renewed_within_a_minute(timed: Any) -> None:
    exchange, simulator, watch = timed
    simulator.delist_symbol("futures", "SUIUSDT")
    turn(simulator, watch, 5 * 60_000)
    with pytest.raises(fake_virtuoso.ExchangeError, match=r"(?i)invalid symbol"):
        await exchange.fetch_ticker("SUIUSDT")
    turn(simulator, watch, 61_000)
    assert "fundingRate" not in await exchange.fetch_ticker("SUIUSDT")


async def test_a_newly_listed_symbol_is_found_within_a_minute(timed: Any) -> None:
    exchange, simulator, watch = timed
    simulator.delist_symbol("futures", "SUIUSDT")
    turn(simulator, watch, 2 * HOUR)
    with pytest.raises(fake_virtuoso.ExchangeError, match="invalid symbol"):
        await exchange.fetch_ticker("SUI/USDT:USDT")
    simulator.list_symbol("futures", "SUIUSDT")
    turn(simulator, watch, 10 * 60_000)
    assert (await exchange.fetch_ticker("SUI/USDT:USDT"))["symbol"] == "SUIUSDT"


async def test_unknown_symbols_do_not_fetch_the_list_each_time(timed: Any) -> None:
    exchange, simulator, _ = timed
    for _ in range(5):
        with pytest.raises(fake_virtuoso.ExchangeError, match="invalid symbol"):
            await exchange.fetch_ticker("NOPEUSDT")
    assert simulator.requests.by_operation["spot.exchange_info"] == 1
