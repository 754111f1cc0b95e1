"""``market_data`` against section 3 of the contract: shape, minimums, cost, and what happens when parts fail."""

from __future__ import annotations

import asyncio
import json
import logging
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from binance_sdk.simulator import Fault, Simulator
from tests.virtuoso import fake_virtuoso
from tests.virtuoso.conftest import NOW, Build
from tests.virtuoso.schema_facts import examples, needs_schema, problems
from virtuoso_binance.frames import json_view
from virtuoso_binance.parts import TICKER, Parts

FLAGS = {
    "ticker_success", "orderbook_success", "trades_success", "lsr_success", "risk_limits_success", "ohlcv_success",
    "oi_history_success", "volatility_success", "funding_success",
}  # fmt: skip


@pytest.fixture(scope="session")
def kept() -> dict[str, Any]:
    """Data of one call, for all tests that only look at it."""
    return {}


@pytest.fixture
async def data(exchange: Any, kept: dict[str, Any]) -> Any:
    if not kept:
        kept.update(await exchange.fetch_market_data("BTC/USDT", None))
    return kept


# ---------------------------------------------------------------------------------------- schema


@needs_schema
@pytest.mark.parametrize("path", examples(), ids=lambda path: path.name)
def test_the_schema_accepts_its_own_example(path: Path) -> None:
    assert problems(json.loads(path.read_text("utf-8"))) == []


@needs_schema
async def test_a_perpetual_is_valid(data: Any) -> None:
    assert problems(json_view(data)) == []


@needs_schema
@pytest.mark.parametrize("symbol", ["ETHBTC", "BTCUSDC", "XAUUSDT"])
async def test_other_symbols_are_valid(exchange: Any, symbol: str) -> None:
    assert problems(json_view(await exchange.fetch_market_data(symbol))) == []


@needs_schema
async def test_the_schema_notices_damage(data: Any) -> None:
    view = json_view(data)
    view["trades"] = view["trades"][:99]
    assert problems(view) != []


async def test_it_is_plain_data(data: Any) -> None:
    """No Decimal, no numpy scalar, no None, no NaN anywhere; JSON takes it as it is."""

    def walk(value: Any, path: str) -> None:
        if isinstance(value, dict):
            for key, item in value.items():
                assert type(key) is str, path
                walk(item, f"{path}.{key}")
        elif isinstance(value, list):
            for item in value:
                walk(item, path)
        else:
            assert type(value) in (str, int, float, bool), f"{path}: {value!r}"
            assert not isinstance(value, float) or math.isfinite(value), path

    view = json_view(data)
    walk(view, "$")
    json.dumps(view, allow_nan=False)


# -------------------------------------------------------------------------------- section by section


async def test_top_level(data: Any) -> None:
    assert (data["symbol"], data["exchange"]) == ("BTCUSDT", "binance")
    assert abs(data["timestamp"] - NOW) < 60_000
    assert data["kline"] is data["ohlcv"]
    assert data["long_short_ratio"] == data["sentiment"]["long_short_ratio"]
    assert data["oi_history"] == data["open_interest_history"] == data["open_interest"]["history"]
    assert not {"result", "retCode", "headers", "error", "risk_limit"} & set(data)


async def test_ticker(data: Any) -> None:
    ticker = data["ticker"]
    assert 0 <= NOW - ticker["timestamp"] < 60_000
    assert ticker["high"] >= ticker["last"] >= ticker["low"] > 0
    assert 0 < ticker["bid"] < ticker["ask"]
    assert ticker["bidVolume"] > 0
    for names in (
        ("last", "close", "lastPrice"), ("baseVolume", "volume", "volume24h"),
        ("quoteVolume", "turnover", "turnover24h"),
        ("percentage", "priceChangePercent"), ("fundingRate", "funding_rate"), ("mark", "markPrice"),
        ("nextFundingTime", "next_funding_time"), ("openInterest", "open_interest"), ("index", "indexPrice"),
        ("openInterestValue", "open_interest_value"),
    ):  # fmt: skip
        assert len({ticker[name] for name in names}) == 1, names
    assert ticker["change"] == pytest.approx(ticker["last"] - ticker["open"])
    assert ticker["percentage"] == pytest.approx(100 * ticker["change"] / ticker["open"], abs=0.001)
    assert ticker["price24hPcnt"] == pytest.approx(ticker["percentage"] / 100)
    assert ticker["openInterestValue"] == pytest.approx(ticker["openInterest"] * ticker["mark"])
    assert ticker["nextFundingTime"] > NOW


async def test_order_book(data: Any) -> None:
    book = data["orderbook"]
    assert book["symbol"] == "BTCUSDT"
    assert isinstance(book["nonce"], int)
    for side, sign in (("bids", 1), ("asks", -1)):
        assert len(book[side]) == 100
        assert all(type(level) is list and len(level) == 2 for level in book[side])
        assert all((a[0] - b[0]) * sign > 0 for a, b in pairwise(book[side]))
    assert book["bids"][0][0] < book["asks"][0][0]
    assert abs(book["timestamp"] - NOW) < 60_000


async def test_trades(data: Any) -> None:
    trades = data["trades"]
    assert 100 <= len(trades) <= 1000
    times = [row["timestamp"] for row in trades]
    assert times == sorted(times)
    assert 0 <= NOW - times[-1] < 60_000
    assert NOW - times[0] <= 3_600_000
    for row in trades:
        assert row["amount"] == row["size"] == row["qty"]
        assert row["time"] == row["timestamp"]
        assert row["cost"] == pytest.approx(row["price"] * row["size"], abs=0.01)
        assert row["takerOrMaker"] == "taker"
    assert {row["side"] for row in trades} == {"buy", "sell"}


@pytest.mark.parametrize(
    ("name", "minutes", "count", "least"),
    [("base", 1, 1000, 100), ("ltf", 5, 300, 50), ("mtf", 30, 200, 50), ("htf", 240, 200, 50)],
)
async def test_frames(data: Any, name: str, minutes: int, count: int, least: int) -> None:
    assert list(data["ohlcv"]) == ["base", "ltf", "mtf", "htf"]
    frame = data["ohlcv"][name]
    assert len(frame) == count >= least
    assert list(frame.columns) == ["open", "high", "low", "close", "volume"]
    assert set(map(str, frame.dtypes)) == {"float64"}
    assert not frame.isna().to_numpy().any()
    assert isinstance(frame.index, pd.DatetimeIndex)
    assert (frame.index.name, frame.index.tz) == ("timestamp", None)
    assert frame.index.is_monotonic_increasing
    assert frame.index.is_unique
    assert set(frame.index[1:] - frame.index[:-1]) == {pd.Timedelta(minutes=minutes)}
    assert (frame[["open", "high", "low", "close"]] > 0).to_numpy().all()
    assert (frame.high >= frame[["open", "close", "low"]].max(axis=1)).all()
    assert (frame.low <= frame[["open", "close", "high"]].min(axis=1)).all()
    # The last row is the running candle, so all four end together.
    assert NOW - frame.index[-1].value // 1_000_000 < minutes * 60_000
    newest = data["ohlcv"]["base"].index[-1]
    assert newest - frame.index[-1] <= pd.Timedelta(seconds=14_400 if name == "htf" else 1800)
    if name == "ltf":
        assert newest - frame.index[-1] <= pd.Timedelta(seconds=300)


async def test_sentiment(data: Any) -> None:
    sentiment = data["sentiment"]
    assert sentiment["liquidations"] == data["liquidations"] == []
    assert sentiment["funding_rate"] == {
        "rate": data["ticker"]["fundingRate"], "next_funding_time": data["ticker"]["nextFundingTime"],
    }  # fmt: skip
    ratio = sentiment["long_short_ratio"]
    assert ratio["long"] + ratio["short"] == pytest.approx(100, abs=1e-9)
    assert 1 < ratio["long"] < 99
    volume = sentiment["volume_sentiment"]
    assert volume["buy_volume"] == pytest.approx(sum(t["size"] for t in data["trades"] if t["side"] == "buy"))
    assert volume["sell_volume"] == pytest.approx(sum(t["size"] for t in data["trades"] if t["side"] == "sell"))
    assert 0 < sentiment["volatility"]["value"] < 10
    assert (sentiment["volatility"]["window"], sentiment["volatility"]["timeframe"]) == (24, "5min")
    assert not {"risk", "market_mood"} & set(sentiment)


async def test_open_interest(data: Any) -> None:
    series = data["sentiment"]["open_interest"]
    history = series["history"]
    assert len(history) == 200
    assert [a["timestamp"] - b["timestamp"] for a, b in pairwise(history)] == [300_000] * 199
    assert (series["current"], series["previous"]) == (history[0]["value"], history[1]["value"])
    assert series["value"] == series["current"]
    assert series["change"] == pytest.approx(series["current"] - series["previous"])
    assert isinstance(series["change_24h"], float)
    assert {"current", "previous", "timestamp", "history"} <= set(data["open_interest"])


async def test_the_optional_blocks_are_there(data: Any) -> None:
    assert data["funding"]["openInterest"] == data["ticker"]["openInterest"]
    frame = data["premium_index"]["data"]
    assert list(frame.columns) == ["timestamp", "open", "high", "low", "close"]
    assert frame["timestamp"].is_monotonic_decreasing
    assert "z_score" in data["premium_index"]["signal"]
    assert 0 <= data["taker_volume_ratio"]["score"] <= 100


async def test_metadata(data: Any) -> None:
    flags = data["metadata"]
    assert set(flags) == FLAGS | {"market", "errors"}
    assert {name for name in FLAGS if flags[name] is not True} == {"risk_limits_success"}
    assert flags["market"] == "usdm"
    assert list(flags["errors"]) == ["risk_limits"]


# ------------------------------------------------------------------------------------------ cost


async def test_the_first_snapshot_of_a_perpetual_costs_13_requests_of_weight_27(
    build: Build, own_simulator: Simulator
) -> None:
    exchange = await build(own_simulator)
    assert own_simulator.requests.total == 2
    assert (own_simulator.used_weight("futures"), own_simulator.used_weight("spot")) == (1, 20)
    await exchange.fetch_market_data("BTCUSDT", None)
    assert own_simulator.requests.total == 2 + 13
    assert own_simulator.used_weight("futures") == 1 + 27
    assert own_simulator.used_weight("spot") == 20
    assert own_simulator.requests.by_operation["futures.klines"] == 4
    # And so does every other: nothing is asked again but the data.
    await exchange.fetch_market_data("ETHUSDT", None)
    assert (own_simulator.requests.total, own_simulator.used_weight("futures")) == (2 + 26, 1 + 54)


async def test_a_spot_symbol_costs_7_requests_of_weight_40(build: Build, own_simulator: Simulator) -> None:
    exchange = await build(own_simulator)
    await exchange.fetch_market_data("ETHBTC")
    assert own_simulator.requests.total == 2 + 7
    assert own_simulator.used_weight("spot") == 20 + 40
    assert own_simulator.used_weight("futures") == 1


@pytest.mark.parametrize(("limit", "levels", "trades"), [(1, 25, 100), (10, 25, 100), (60, 60, 100), (500, 500, 500)])
async def test_limit_is_a_wish_above_the_minimums(exchange: Any, limit: int, levels: int, trades: int) -> None:
    data = await exchange.fetch_market_data("BTCUSDT", limit)
    assert len(data["orderbook"]["bids"]) == levels
    assert 100 <= len(data["trades"]) <= trades


async def test_an_impossible_limit_is_refused_before_anything_is_sent(exchange: Any) -> None:
    for limit in (0, -5, True, "ten"):
        with pytest.raises(fake_virtuoso.ExchangeError, match="limit="):
            await exchange.fetch_market_data("BTCUSDT", limit)


# ----------------------------------------------------------------------------------- spot and odd ones


async def test_a_symbol_without_a_perpetual_has_its_spot_parts(exchange: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "virtuoso_binance"):
        data = await exchange.fetch_market_data("ETH/BTC")
    assert data["metadata"]["market"] == "spot"
    assert {name for name in FLAGS if not data["metadata"][name]} == {
        "lsr_success", "oi_history_success", "funding_success", "risk_limits_success",
    }  # fmt: skip
    assert set(data["sentiment"]) == {"liquidations", "volume_sentiment", "volatility"}
    assert not {"open_interest", "funding", "premium_index", "long_short_ratio"} & set(data)
    assert not {"fundingRate", "openInterest", "mark"} & set(data["ticker"])
    # What cannot be is no warning.
    assert caplog.text == ""


async def test_a_thin_market_is_delivered_as_it_is(exchange: Any) -> None:
    data = await exchange.fetch_market_data("币安人生USDT")
    assert 0 < len(data["trades"]) < 100
    assert data["metadata"]["trades_success"] is True


# ---------------------------------------------------------------------------------------- failures

LOST = {
    "futures.depth": "orderbook_success",
    "futures.trades": "trades_success",
    "futures.klines": "ohlcv_success",
    "futures.open_interest_hist": "oi_history_success",
    "futures.global_long_short_account_ratio": "lsr_success",
    "futures.premium_index": "funding_success",
}


@pytest.mark.parametrize("operation", LOST)
async def test_one_failed_part_is_absent_and_flagged(
    build: Build, own_simulator: Simulator, operation: str, caplog: pytest.LogCaptureFixture
) -> None:
    exchange = await build(own_simulator)
    own_simulator.faults.add(Fault.server_error(), where=operation)
    with caplog.at_level(logging.WARNING, "virtuoso_binance"):
        data = await exchange.fetch_market_data("BTCUSDT")
    flag = LOST[operation]
    also = {"volatility_success"} if operation == "futures.klines" else set()
    assert {name for name in FLAGS if not data["metadata"][name]} == {flag, "risk_limits_success"} | also
    assert any(operation in text for text in data["metadata"]["errors"].values())
    assert sum("is incomplete" in record.getMessage() for record in caplog.records) == 1
    if operation == "futures.klines":
        for frame in data["ohlcv"].values():
            assert (len(frame), list(frame.columns)) == (0, ["open", "high", "low", "close", "volume"])
            assert frame.index.name == "timestamp"
            assert set(map(str, frame.dtypes)) == {"float64"}
    if operation == "futures.depth":
        assert (data["orderbook"]["bids"], data["orderbook"]["asks"]) == ([], [])
    if operation == "futures.trades":
        assert data["trades"] == []
        assert not {"volume_sentiment"} & set(data["sentiment"])
        assert "taker_volume_ratio" not in data
    if operation == "futures.premium_index":
        assert not {"fundingRate", "funding_rate", "mark"} & set(data["ticker"])
        assert "funding" not in data


@needs_schema
@pytest.mark.parametrize("operation", LOST)
async def test_what_is_left_is_still_valid(build: Build, own_simulator: Simulator, operation: str) -> None:
    exchange = await build(own_simulator)
    own_simulator.faults.add(Fault.garbled(), where=operation)
    assert problems(json_view(await exchange.fetch_market_data("BTCUSDT"))) == []


async def test_without_the_quotes_the_book_tells_them(build: Build, own_simulator: Simulator) -> None:
    exchange = await build(own_simulator)
    own_simulator.faults.add(Fault.server_error(), where="futures.ticker_book_ticker")
    data = await exchange.fetch_market_data("BTCUSDT")
    assert [data["ticker"]["bid"], data["ticker"]["bidVolume"]] == data["orderbook"]["bids"][0]
    assert [data["ticker"]["ask"], data["ticker"]["askVolume"]] == data["orderbook"]["asks"][0]


async def test_without_a_ticker_it_raises(build: Build, own_simulator: Simulator) -> None:
    exchange = await build(own_simulator)
    own_simulator.faults.add(Fault.server_error(), where="futures.ticker_24hr")
    with pytest.raises(fake_virtuoso.ExchangeError, match="ticker_24hr"):
        await exchange.fetch_market_data("BTCUSDT")


async def test_two_symbols_at_once_do_not_mix(exchange: Any) -> None:
    bitcoin, other = await asyncio.gather(exchange.fetch_market_data("BTCUSDT"), exchange.fetch_market_data("ETHUSDT"))
    assert (bitcoin["symbol"], other["symbol"]) == ("BTCUSDT", "ETHUSDT")
    assert {row["symbol"] for row in other["trades"]} == {"ETHUSDT"}
    assert bitcoin["ticker"]["last"] > 10 * other["ticker"]["last"]


def test_parts_that_are_missing_are_none() -> None:
    assert Parts(None).get(TICKER) is None  # type: ignore[arg-type]
