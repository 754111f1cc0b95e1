"""The class under the base of the contract: surface, life cycle, health, errors."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from binance_sdk import errors
from binance_sdk.simulator import Fault, Simulator
from tests.virtuoso import fake_virtuoso
from tests.virtuoso.conftest import Build, hasty, section_for
from virtuoso_binance import BaseExchange, InvalidSymbolError, make_exchange_class
from virtuoso_binance.base_exchange import ABSTRACT
from virtuoso_binance.errors import ErrorBridge

REQUIRED = [
    "fetch_market_data",
    "fetch_status",
    "fetch_ticker",
    "fetch_tickers",
    "fetch_order_book",
    "fetch_trades",
    "fetch_ohlcv",
    "fetch_long_short_ratio",
    "fetch_risk_limits",
    "fetch_funding_rate",
    "fetch_open_interest",
    "fetch_open_interest_history",
    "fetch_premium_index_kline",
    "calculate_taker_buy_sell_ratio",
    "get_markets",
]
OPTIONAL = [
    "load_markets",
    "fetch_markets",
    "fetch_market_tickers",
    "fetch_historical_klines",
    "fetch_mark_price_kline",
    "fetch_funding_rate_history",
    "get_recent_liquidations",
    "subscribe_liquidations",
    "get_orderbook",
    "get_ticker",
    "fetch_time",
]
FORBIDDEN = [
    "fetch_rpi_orderbook",
    "set_market_type",
    "_make_request",
    "fapiPublicGetForceOrder",
    "fetch_balance",
    "fetch_positions",
    "fetch_orders",
    "create_order",
    "cancel_order",
    "ccxt",
    "ccxt_exchange",
    "integrated_client",
    "futures_client",
]


# -------------------------------------------------------------------------------------- surface


def test_the_thirteen_of_the_contract_are_the_thirteen_of_ours() -> None:
    assert fake_virtuoso.BaseExchange.__abstractmethods__ == ABSTRACT
    assert len(ABSTRACT) == 13


@pytest.mark.parametrize("base", [fake_virtuoso.BaseExchange, BaseExchange])
def test_no_abstract_method_is_left(base: type) -> None:
    cls = make_exchange_class(base, {})
    assert cls.__name__ == "BinanceExchange"
    assert issubclass(cls, base)
    assert not inspect.isabstract(cls)


async def test_it_has_what_the_table_asks_for_and_nothing_that_it_forbids(exchange: Any) -> None:
    assert [name for name in REQUIRED + OPTIONAL if not callable(getattr(exchange, name, None))] == []
    assert [name for name in FORBIDDEN if hasattr(exchange, name)] == []


def test_overrides_do_not_change_what_is_sync_and_what_is_async() -> None:
    cls = make_exchange_class(fake_virtuoso.BaseExchange, {})
    for name in ("sign", "parse_trades", "parse_orderbook", "parse_ticker", "parse_ohlcv", "get_recent_liquidations"):
        assert not inspect.iscoroutinefunction(getattr(cls, name)), name


def test_it_is_importable_without_virtuoso_pandas_and_ccxt() -> None:
    code = (
        "import sys\n"
        "sys.path.insert(0, 'adapters')\n"
        "for name in ('pandas', 'ccxt', 'aiohttp'): sys.modules[name] = None\n"
        "import virtuoso_binance as v\n"
        "print(v.make_exchange_class(v.BaseExchange, {})().exchange_id)"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout == "binance\n"


# ----------------------------------------------------------------------------------- life cycle


async def test_attributes_before_and_after_initialize(build: Build, simulator: Simulator) -> None:
    fresh: Any = make_exchange_class(fake_virtuoso.BaseExchange, section_for(simulator))({})
    assert (fresh.exchange_id, fresh.initialized, fresh.markets, fresh.symbols) == ("binance", False, {}, set())
    assert (fresh.api_key, fresh.api_urls, fresh.ws_endpoints) == ("", {}, {})
    exchange = await build(simulator)
    assert exchange.initialized is True
    assert exchange.markets["BTCUSDT"]["type"] == "swap"
    assert exchange.markets["ETHBTC"]["type"] == "spot"
    assert {"BTCUSDT", "BTC/USDT", "BTC/USDT:USDT", "BTCUSDT:USDT", "ETH/BTC"} <= exchange.symbols
    for name in ["1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "1d", "1", "3", "5", "15", "30", "60", "120", "240"]:
        exchange.validate_timeframe(name)


async def test_the_constructor_takes_what_the_factory_passes(simulator: Simulator) -> None:
    cls = make_exchange_class(fake_virtuoso.BaseExchange, {"market_types": ["spot"]})
    exchange: Any = cls({"exchanges": {"binance": section_for(simulator)}}, error_handler="kept")
    assert exchange.error_handler == "kept"
    assert exchange.binance_settings.futures_url == simulator.base_url("futures")
    assert exchange.binance_settings.futures is False  # from the class, where the constructor says nothing


async def test_close_twice_and_initialize_again(exchange: Any) -> None:
    await exchange.close()
    await exchange.close()
    assert (exchange.initialized, exchange.markets, exchange.symbols) == (False, {}, set())
    with pytest.raises(fake_virtuoso.ExchangeError, match="closed"):
        await exchange.fetch_ticker("BTCUSDT")
    assert await exchange.initialize()
    assert (await exchange.fetch_ticker("BTCUSDT"))["symbol"] == "BTCUSDT"


async def test_recover_connection_of_the_base_brings_it_back(exchange: Any) -> None:
    await exchange.close()
    assert await exchange.recover_connection()
    assert exchange.waits == [5]
    assert exchange.initialized
    assert "BTCUSDT" in exchange.markets


async def test_initialize_is_false_when_nobody_answers(own_simulator: Simulator) -> None:
    own_simulator.faults.add(Fault.server_error())
    cls = make_exchange_class(fake_virtuoso.BaseExchange, section_for(own_simulator), client_factory=hasty)
    exchange: Any = cls({})
    # No client is left open: a ResourceWarning would fail this test.
    assert await exchange.initialize() is False
    assert exchange.initialized is False


def test_it_works_in_one_event_loop_after_another(simulator: Simulator) -> None:
    exchange: Any = make_exchange_class(BaseExchange, section_for(simulator), client_factory=hasty)()

    async def once() -> str:
        assert await exchange.initialize()
        symbol: str = (await exchange.fetch_ticker("BTCUSDT"))["symbol"]
        await exchange.close()
        return symbol

    assert [asyncio.run(once()), asyncio.run(once())] == ["BTCUSDT"] * 2


async def test_concurrent_first_calls_share_one_listing(own_simulator: Simulator) -> None:
    cls = make_exchange_class(BaseExchange, section_for(own_simulator), client_factory=hasty)
    exchange: Any = cls()
    await asyncio.gather(*(exchange.fetch_time() for _ in range(3)), *(exchange.load_markets() for _ in range(5)))
    asked = own_simulator.requests.by_operation
    assert (asked["futures.exchange_info"], asked["spot.exchange_info"]) == (1, 1)
    await exchange.close()


# --------------------------------------------------------------------------------------- health


async def test_status_and_health_while_it_answers(exchange: Any, simulator: Simulator) -> None:
    status = await exchange.fetch_status()
    assert status["online"] is True
    assert status["has_trading"] is False
    assert status["server_time"] == simulator.clock.now_ms()
    assert isinstance(status["time_diff_ms"], int)
    assert set(status) == {
        "online", "has_trading", "status", "timestamp", "server_time", "time_diff_ms", "rate_limit",
        "health",
    }  # fmt: skip
    assert await exchange.health_check() is True
    assert await exchange.is_healthy() is True
    assert await exchange.check_health() is True


@pytest.mark.parametrize("fault", [Fault.maintenance(), Fault.page(200), Fault.reset(), Fault.restricted()])
async def test_status_and_health_while_it_does_not(build: Build, own_simulator: Simulator, fault: Fault) -> None:
    exchange = await build(own_simulator)
    rule = own_simulator.faults.add(fault)
    status = await exchange.fetch_status()
    assert status["online"] is False
    assert status["error"]
    assert "server_time" not in status
    assert await exchange.health_check() is False
    assert await exchange.is_healthy() is False
    rule.remove()
    # The circuit of the SDK may still be open for a while; the status says so instead of raising.
    assert "online" in await exchange.fetch_status()


async def test_a_closed_exchange_is_not_healthy_and_asks_nobody(build: Build, own_simulator: Simulator) -> None:
    exchange = await build(own_simulator)
    await exchange.close()
    before = own_simulator.requests.total
    assert (await exchange.fetch_status())["online"] is False
    assert await exchange.health_check() is False
    assert own_simulator.requests.total == before


# --------------------------------------------------------------------------------------- errors


async def test_unknown_symbols_are_invalid_symbols_to_both_sides(exchange: Any) -> None:
    for call in (exchange.fetch_ticker, exchange.fetch_market_data, exchange.fetch_open_interest):
        with pytest.raises(fake_virtuoso.ExchangeError, match="invalid symbol") as caught:
            await call("NOPEUSDT")
        assert isinstance(caught.value, InvalidSymbolError)
        assert isinstance(caught.value, errors.ParameterError)


@pytest.mark.parametrize(
    ("fault", "theirs", "ours"),
    [
        (Fault.rate_limited(7), fake_virtuoso.RateLimitError, errors.RateLimitError),
        (Fault.banned(120), fake_virtuoso.RateLimitError, errors.IPBannedError),
        (Fault.reset(), fake_virtuoso.NetworkError, errors.APIConnectionError),
        (Fault.server_error(503), fake_virtuoso.ExchangeError, errors.ServerError),
        (Fault.garbled(), fake_virtuoso.ExchangeError, errors.DecodeError),
        (Fault.restricted(), fake_virtuoso.ExchangeError, errors.RestrictedLocationError),
    ],
)
async def test_errors_are_of_both_families(
    build: Build, own_simulator: Simulator, fault: Fault, theirs: type[Exception], ours: type[Exception]
) -> None:
    exchange = await build(own_simulator)
    own_simulator.faults.add(fault, where="futures.klines")
    with pytest.raises(theirs) as caught:
        await exchange.fetch_ohlcv("BTCUSDT", "1m", limit=5)
    assert isinstance(caught.value, ours)
    assert isinstance(caught.value.__cause__, ours)
    if fault.kind == "rate_limited":
        assert caught.value.retry_after == 7  # type: ignore[attr-defined]


def test_a_silent_server_is_a_timeout_of_theirs() -> None:
    bridge = ErrorBridge(fake_virtuoso.BaseExchange)
    both = bridge.translate(errors.APITimeoutError("late", operation="spot.time"))
    assert isinstance(both, fake_virtuoso.TimeoutError)
    assert isinstance(both, errors.APITimeoutError)
    assert (str(both), both.operation) == ("late", "spot.time")
    assert not isinstance(both, TimeoutError)  # the built-in one is another


def test_translated_errors_can_be_pickled_as_ours() -> None:
    bridge = ErrorBridge(fake_virtuoso.BaseExchange)
    both = bridge.translate(errors.BudgetError("full", retry_at=4_000_000_000_000))
    assert isinstance(both, fake_virtuoso.RateLimitError)
    assert both.retry_after > 0
    copy = pickle.loads(pickle.dumps(both))
    assert type(copy) is errors.BudgetError
    assert copy.retry_at == 4_000_000_000_000


async def test_a_base_module_without_errors_gets_ours_alone(build: Build, simulator: Simulator) -> None:
    exchange = await build(simulator, base=BaseExchange)
    with pytest.raises(InvalidSymbolError) as caught:
        await exchange.fetch_ticker("NOPEUSDT")
    assert type(caught.value) is InvalidSymbolError


def test_what_needs_an_account_raises(exchange: Any) -> None:
    for call in (
        lambda: exchange.sign("GET", "/x"),
        lambda: exchange.parse_order({}),
        lambda: exchange.parse_balance({}),
    ):
        with pytest.raises(fake_virtuoso.ExchangeError, match="out of scope"):
            call()


# ------------------------------------------------------------------------------------ inherited


async def test_standardize_response_works_for_books_and_tickers(exchange: Any) -> None:
    raw_book = {"symbol": "BTCUSDT", "lastUpdateId": 7, "bids": [["9.5", "1"]], "asks": [["9.6", "2"]]}
    book = exchange.standardize_response(raw_book, "orderbook")
    assert (book.bids, book.asks) == ([[9.5, 1.0]], [[9.6, 2.0]])
    raw = {"symbol": "BTCUSDT", "lastPrice": "9.5", "highPrice": "9.9", "lowPrice": "9.1", "volume": "3"}
    ticker = exchange.standardize_response(raw, "ticker")
    assert (ticker.high, ticker.low, ticker.rest["last"], ticker.rest["baseVolume"]) == (9.9, 9.1, 9.5, 3.0)


async def test_fetch_timeframe_data_of_the_base_works(exchange: Any) -> None:
    for interval, count in exchange.min_required_candles.items():
        rows = await exchange.fetch_timeframe_data("BTC/USDT", interval)
        assert len(rows) == count
        assert rows[-1][0] - rows[-2][0] == int(interval) * 60_000


async def test_validate_symbol_knows_every_spelling(exchange: Any) -> None:
    for symbol in ("BTCUSDT", "btc/usdt", "BTC/USDT:USDT", "BTCUSDT:USDT", {"symbol": "BTCUSDT"}, "WTCUSDT"):
        assert exchange.validate_symbol(symbol) is True
    with pytest.raises(ValueError, match="invalid symbol"):
        exchange.validate_symbol("NOPEUSDT")


def test_validate_market_data_never_raises(exchange: Any) -> None:
    assert exchange.validate_market_data({"symbol": "BTCUSDT"}) is True
    for odd in (None, [], "BTCUSDT", {}, {"symbol": ""}):
        assert exchange.validate_market_data(odd) is False


# -------------------------------------------------------------------------------------- manager


async def test_it_survives_the_manager(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> None:
    from virtuoso_binance import register, unregister

    section = section_for(simulator)
    assert register(fake_virtuoso.ExchangeFactory, section)
    try:
        manager = fake_virtuoso.ExchangeManager({"exchanges": {"binance": section}})
        assert await manager.initialize()
        assert await manager.healthy("binance")
        assert await manager.ping("binance") == "healthy"
        data = (await manager.get_market_data("BTCUSDT", "binance"))["binance"]
        assert data["symbol"] == "BTCUSDT"
        wrong = (await manager.get_market_data("NOPEUSDT", "binance"))["binance"]
        assert "invalid symbol" in wrong["error"]
        await manager.close()
        await manager.close()
    finally:
        unregister(fake_virtuoso.ExchangeFactory)
