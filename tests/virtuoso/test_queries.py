"""Each data method of the contract's table: called as Virtuoso calls it, and judged by what Virtuoso reads."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from binance_sdk.simulator import Fault, Simulator
from tests.virtuoso import fake_virtuoso
from tests.virtuoso.conftest import NOW, Build

SPELLINGS = ("BTCUSDT", "btcusdt", "BTC/USDT", "btc/usdt:usdt", "BTC/USDT:USDT", "BTCUSDT:USDT", {"symbol": "BTCUSDT"})


# ---------------------------------------------------------------------------------------- symbols


@pytest.mark.parametrize("symbol", SPELLINGS)
async def test_every_spelling_means_the_perpetual(exchange: Any, symbol: Any) -> None:
    ticker = await exchange.fetch_ticker(symbol)
    assert ticker["symbol"] == "BTCUSDT"
    assert "fundingRate" in ticker


async def test_only_spot_when_market_types_say_so(build: Build, simulator: Simulator) -> None:
    spot = await build(simulator, market_types=["spot"])
    assert "fundingRate" not in await spot.fetch_ticker("BTCUSDT")
    with pytest.raises(fake_virtuoso.ExchangeError, match="invalid symbol"):
        await spot.fetch_ticker("BTC/USDT:USDT")
    assert {row["type"] for row in spot.markets.values()} == {"spot"}


async def test_only_futures_when_market_types_say_so(build: Build, own_simulator: Simulator) -> None:
    futures = await build(own_simulator, market_types=["futures"])
    with pytest.raises(fake_virtuoso.ExchangeError, match="invalid symbol"):
        await futures.fetch_ticker("ETHBTC")
    await futures.fetch_tickers()
    assert own_simulator.used_weight("spot") == 0


# ---------------------------------------------------------------------------------------- prices


async def test_order_book_depths(exchange: Any) -> None:
    for limit in (10, 20, 25, 50, 100):
        book = await exchange.fetch_order_book("BTCUSDT", limit)
        assert (len(book["bids"]), len(book["asks"])) == (limit, limit)
    assert len((await exchange.get_orderbook("ETHBTC", limit=50))["asks"]) == 50
    assert len((await exchange.fetch_order_book("BTCUSDT"))["asks"]) == 100


async def test_the_second_argument_of_fetch_trades_is_a_limit_or_a_time(exchange: Any) -> None:
    assert len(await exchange.fetch_trades("BTCUSDT", 100)) == 100
    assert len(await exchange.fetch_trades("BTCUSDT", limit=150)) == 150
    assert len(await exchange.fetch_trades("BTCUSDT", limit=1000)) == 1000
    since = NOW - 600_000
    rows = await exchange.fetch_trades("BTCUSDT", since, 1000)
    assert 0 < len(rows) < 1000
    assert all(row["timestamp"] >= since for row in rows)
    assert [row["timestamp"] for row in rows] == sorted(row["timestamp"] for row in rows)


async def test_ohlcv_rows(exchange: Any) -> None:
    rows = await exchange.fetch_ohlcv("BTCUSDT", "1m", limit=3)
    assert type(rows) is list
    assert [len(row) for row in rows] == [6, 6, 6]
    assert all(type(row[0]) is int and all(type(value) is float for value in row[1:]) for row in rows)
    assert rows[-1][0] <= NOW < rows[-1][0] + 60_000
    four_hours = await exchange.fetch_ohlcv(symbol="BTC/USDT", timeframe="240", limit=5)
    assert [b[0] - a[0] for a, b in pairwise(four_hours)] == [14_400_000] * 4


async def test_ohlcv_in_pages_and_since(exchange: Any) -> None:
    many = await exchange.fetch_ohlcv("BTCUSDT", "1m", None, 2300)
    assert len(many) == 2300
    assert {b[0] - a[0] for a, b in pairwise(many)} == {60_000}
    since = NOW - 3_600_000
    rows = await exchange.fetch_ohlcv("BTCUSDT", timeframe="5m", since=since, limit=4)
    assert [row[0] for row in rows] == [since // 300_000 * 300_000 + 300_000 * (i + 1) for i in range(4)]


async def test_historical_klines_as_both_callers_call_it(exchange: Any) -> None:
    start, end = NOW - 3_600_000, NOW - 1_800_000
    rows = await exchange.fetch_historical_klines("BTCUSDT", "1m", start, end, 1000)
    same = await exchange.fetch_historical_klines(symbol="BTCUSDT", interval="1m", start_time=start, end_time=end)
    assert rows == same
    assert len(rows) == 30
    assert start <= rows[0][0] <= rows[-1][0] <= end


# --------------------------------------------------------------------------------------- contracts


async def test_what_a_perpetual_has(exchange: Any) -> None:
    rate = await exchange.fetch_funding_rate("BTCUSDT")
    assert set(rate) == {"symbol", "fundingRate", "nextFundingTime", "timestamp"}
    assert abs(rate["fundingRate"]) < 0.01
    interest = await exchange.fetch_open_interest("BTCUSDT")
    assert interest["openInterest"] == interest["openInterestAmount"] == interest["open_interest"] > 0
    ratio = await exchange.fetch_long_short_ratio("BTCUSDT")
    assert set(ratio) == {"symbol", "long", "short", "timestamp"}
    assert ratio["long"] + ratio["short"] == pytest.approx(100, abs=1e-9)
    risk = await exchange.fetch_risk_limits("BTCUSDT")
    assert (risk["symbol"], risk["riskLimits"], risk["levels"]) == ("BTCUSDT", [], [])
    assert not {"maxLeverage", "initialMargin"} & set(risk)


@pytest.mark.parametrize(
    ("interval", "limit", "step"), [("5min", 10, 300_000), ("1h", 24, 3_600_000), ("5min", 700, 300_000)]
)
async def test_open_interest_history_is_real_and_newest_first(
    exchange: Any, interval: str, limit: int, step: int
) -> None:
    answer = await exchange.fetch_open_interest_history("BTCUSDT", interval, limit)
    history = answer["history"]
    assert len(history) == limit
    assert {a["timestamp"] - b["timestamp"] for a, b in pairwise(history)} == {step}
    assert len({row["value"] for row in history}) > 1
    assert NOW - history[0]["timestamp"] < 2 * step
    assert answer["interval"] == interval


async def test_open_interest_by_a_period_that_binance_does_not_have(exchange: Any) -> None:
    with pytest.raises(fake_virtuoso.ExchangeError, match="no statistics by 1m"):
        await exchange.fetch_open_interest_history("BTCUSDT", "1m")


async def test_premium_index_kline(exchange: Any) -> None:
    answer = await exchange.fetch_premium_index_kline("BTCUSDT", interval="5")
    frame = answer["data"]
    assert len(frame) == len(answer["history"]) == 200
    assert frame["timestamp"].is_monotonic_decreasing
    signal = answer["signal"]
    assert signal["current_premium_pct"] == pytest.approx(100 * frame["close"].iloc[0])
    z = (frame["close"].iloc[0] - frame["close"].mean()) / frame["close"].std()
    assert signal["z_score"] == pytest.approx(z)
    assert "signal" not in await exchange.fetch_premium_index_kline("BTCUSDT", limit=19)


async def test_mark_price_kline(exchange: Any) -> None:
    answer = await exchange.fetch_mark_price_kline("BTCUSDT", interval="1", limit=3)
    assert answer["count"] == len(answer["data"]) == 3
    assert answer["data"]["timestamp"].is_monotonic_increasing
    assert answer["current_mark_price"] == answer["history"][-1]["close"]


async def test_funding_rate_history(exchange: Any) -> None:
    answer = await exchange.fetch_funding_rate_history("BTCUSDT", limit=20)
    history = answer["history"]
    assert len(history) == 20
    assert all(a["timestamp"] > b["timestamp"] for a, b in pairwise(history))
    assert answer["statistics"]["count"] == 20
    newest = history[0]["timestamp"]
    before = await exchange.fetch_funding_rate_history("BTCUSDT", end_time=newest - 1, limit=5)
    assert before["history"] == history[1:6]
    from_then = await exchange.fetch_funding_rate_history("BTCUSDT", start_time=history[4]["timestamp"])
    assert from_then["history"] == history[:5]


async def test_taker_ratio(exchange: Any) -> None:
    answer = await exchange.calculate_taker_buy_sell_ratio("BTCUSDT", limit=1000, lookback_seconds=300)
    rows = [row for row in await exchange.fetch_trades("BTCUSDT", limit=1000) if row["timestamp"] >= NOW - 300_000]
    # The clock of the exchange is known to a second or so: a trade at the edge may be in or out.
    assert abs(answer["trade_count"] - len(rows)) <= 2
    assert answer["ratio"] == pytest.approx(answer["buy_volume"] / answer["sell_volume"])
    assert answer["buy_trade_count"] + answer["sell_trade_count"] == answer["trade_count"]


async def test_without_a_perpetual_there_is_none_of_it(exchange: Any) -> None:
    for name in (
        "fetch_funding_rate", "fetch_open_interest", "fetch_long_short_ratio", "fetch_premium_index_kline",
        "fetch_mark_price_kline",
    ):  # fmt: skip
        assert await getattr(exchange, name)("ETHBTC") is None, name
    assert await exchange.fetch_open_interest_history("ETHBTC") == {"history": []}
    assert (await exchange.fetch_funding_rate_history("ETHBTC"))["history"] == []
    assert (await exchange.calculate_taker_buy_sell_ratio("ETHBTC"))["trade_count"] >= 0


async def test_failures_are_no_zeros(build: Build, own_simulator: Simulator) -> None:
    exchange = await build(own_simulator)
    own_simulator.faults.add(Fault.server_error(), where=("futures.open_interest", "futures.premium_index"))
    for call in (exchange.fetch_open_interest, exchange.fetch_funding_rate):
        with pytest.raises(fake_virtuoso.ExchangeError):
            await call("BTCUSDT")
    ticker = await exchange.fetch_ticker("BTCUSDT")
    assert not {"openInterest", "fundingRate", "mark"} & set(ticker)
    assert ticker["bid"] > 0


# -------------------------------------------------------------------------------------- liquidations


async def test_liquidations_are_what_a_stream_has_left(exchange: Any) -> None:
    assert exchange.get_recent_liquidations("BTCUSDT", hours=1) == []
    row = {"symbol": "BTCUSDT", "side": "Sell", "price": 9.0, "size": 2.0, "timestamp": NOW - 60_000}
    exchange._liquidations = {"BTC/USDT": [row, {**row, "timestamp": NOW - 7_200_000}, {"size": 0}, "odd"]}
    assert exchange.get_recent_liquidations("BTC/USDT:USDT") == [{**row, "side": "sell", "amount": 2.0}]
    assert len(exchange.get_recent_liquidations("BTCUSDT", hours=3)) == 2
    assert exchange.get_recent_liquidations("ETHUSDT") == []
    data = await exchange.fetch_market_data("BTCUSDT")
    assert len(data["sentiment"]["liquidations"]) == 1


# -------------------------------------------------------------------------------------------- lists


async def test_tickers_serve_as_list_and_as_mapping(exchange: Any) -> None:
    tickers = await exchange.fetch_tickers()
    assert isinstance(tickers, list)
    assert "BTCUSDT" in tickers
    assert tickers["BTC/USDT"]["symbol"] == tickers.get("BTCUSDT").get("symbol") == "BTCUSDT"
    assert list(tickers.keys()) == [row.get("symbol") for row in tickers]
    assert dict(tickers.items()) == {row["symbol"]: row for row in tickers.values()}
    for row in tickers:
        for name in ("last", "high", "low", "change", "baseVolume", "quoteVolume"):
            assert type(row[name]) is float, name
        assert None not in row.values()
        assert "openInterest" not in row
    assert tickers["BTCUSDT"]["fundingRate"] == tickers["BTCUSDT"]["funding_rate"]


async def test_tickers_of_some_symbols(exchange: Any, own_simulator: Simulator, build: Build) -> None:
    some = await exchange.fetch_tickers(["BTC/USDT", "ETHBTC", "NOPEUSDT", {"symbol": "ETHUSDT"}])
    assert sorted(some.keys()) == ["BTCUSDT", "ETHBTC", "ETHUSDT"]
    names = list((await exchange.load_markets()).keys())[:12]
    assert sorted((await exchange.fetch_tickers(names)).keys()) == sorted(names)
    counted = await build(own_simulator)
    before = own_simulator.requests.total
    await counted.fetch_tickers(names)
    assert own_simulator.requests.total - before == 3


async def test_tickers_by_category(exchange: Any) -> None:
    assert {"fundingRate" in row for row in await exchange.fetch_tickers(category="linear")} == {True}
    spot = await exchange.fetch_tickers(category="spot")
    assert "ETHBTC" in spot
    assert not any("fundingRate" in row for row in spot)
    with pytest.raises(fake_virtuoso.ExchangeError, match="not supported"):
        await exchange.fetch_tickers(category="inverse")


async def test_market_rows(exchange: Any) -> None:
    rows = await exchange.get_markets()
    assert {row["symbol"] for row in rows} == set((await exchange.fetch_tickers()).keys())
    for row in rows:
        assert row["turnover24h"] == row["turnover"]
        assert row["volume24h"] == row["volume"]
        assert set(row["price"]) == {"last", "high", "low", "change_24h"}
        assert abs(row["price"]["change_24h"]) < 1
        assert row["active"] is True
    assert [row["symbol"] for row in await exchange.fetch_market_tickers()] == [row["symbol"] for row in rows]


async def test_fetch_markets_have_limits(exchange: Any) -> None:
    rows = {row["symbol"]: row for row in await exchange.fetch_markets()}
    for row in rows.values():
        assert {kind: set(row["limits"][kind]) for kind in ("amount", "price", "cost")} == {
            kind: {"min", "max"} for kind in ("amount", "price", "cost")
        }
    assert rows["BTCUSDT"]["precision"] == {"price": 0.1, "amount": 0.001}


async def test_preferences_are_applied_to_lists_but_not_to_names(build: Build, simulator: Simulator) -> None:
    preferences = {
        "preferred_quote_currencies": ["usdt"],
        "exclude_symbols": ["ETH/USDT"],
        "min_24h_volume": 1_000_000,
    }
    exchange = await build(simulator, data_preferences=preferences)
    tickers = await exchange.fetch_tickers()
    assert "BTCUSDT" in tickers
    assert not {"ETHUSDT", "ETHBTC", "BTCUSDC"} & set(tickers.keys())
    assert min(row["quoteVolume"] for row in tickers) >= 1_000_000
    assert "ETHUSDT" not in exchange.markets
    assert "ETHUSDT" not in {row["symbol"] for row in await exchange.get_markets()}
    assert (await exchange.fetch_ticker("ETHUSDT"))["symbol"] == "ETHUSDT"
    assert list((await exchange.fetch_tickers(["ETHUSDT"])).keys()) == ["ETHUSDT"]
    most = await build(simulator, data_preferences={**preferences, "min_24h_volume": 10**12})
    assert list(await most.fetch_tickers()) == []


async def test_symbols_that_do_not_trade_are_not_listed(exchange: Any) -> None:
    assert not {"SRMUSDT", "WTCUSDT"} & set(exchange.markets)
    assert "SRMUSDT" not in await exchange.fetch_tickers()


async def test_bulk_tickers_without_quotes_still_come(build: Build, own_simulator: Simulator) -> None:
    exchange = await build(own_simulator)
    own_simulator.faults.add(Fault.server_error(), where="futures.ticker_book_ticker")
    row = (await exchange.fetch_tickers())["BTCUSDT"]
    assert "bid" not in row
    assert row["fundingRate"]


async def test_time(exchange: Any) -> None:
    assert await exchange.fetch_time() == NOW
