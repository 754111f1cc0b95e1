"""Symbols, timeframes and raw answers: what is read from what people and Binance write."""

from __future__ import annotations

import json
from typing import Any

import pytest

from binance_sdk.catalogue import fixture
from binance_sdk.errors import DecodeError, ParameterError
from tests.virtuoso.models import OPEN
from virtuoso_binance import InvalidSymbolError, parse
from virtuoso_binance.symbols import Spelling, read_symbol
from virtuoso_binance.timeframes import TIMEFRAMES, kline_interval, statistics_period

# ---------------------------------------------------------------------------------------- symbols


@pytest.mark.parametrize(
    ("text", "plain", "perpetual"),
    [
        ("BTCUSDT", "BTCUSDT", False),
        (" btc/usdt ", "BTCUSDT", False),
        ("BTC/USDT:USDT", "BTCUSDT", True),
        ("btcusdt:usdt", "BTCUSDT", True),
        ({"symbol": "ETH/BTC", "volume": 1}, "ETHBTC", False),
        ("币安人生USDT", "币安人生USDT", False),
    ],
)
def test_spellings(text: object, plain: str, perpetual: bool) -> None:
    assert read_symbol(text) == Spelling(plain, perpetual)


@pytest.mark.parametrize(
    "text",
    ["", "BTC/USD:BTC", "BTC/USDT:USDT-261225", "BTC//USDT", "BTC USDT", None, 5, {"name": "BTCUSDT"}, {"symbol": 1}],
)
def test_what_is_no_symbol(text: object) -> None:
    with pytest.raises(InvalidSymbolError, match="invalid symbol"):
        read_symbol(text)


# ------------------------------------------------------------------------------------- timeframes


@pytest.mark.parametrize(
    ("names", "interval"),
    [
        (["1", 1, "1m", "base", "1min"], "1m"),
        (["3"], "3m"),
        (["5", "5m", "ltf", "5min"], "5m"),
        (["15"], "15m"),
        (["30", "30m", "mtf", "30min"], "30m"),
        (["60", "1h", "1H", "60min"], "1h"),
        (["120"], "2h"),
        (["240", 240, "4h", "htf"], "4h"),
        (["360"], "6h"),
        (["720"], "12h"),
        (["D", "1d", "1D"], "1d"),
        (["W", "1w"], "1w"),
        (["M", "1M"], "1M"),
    ],
)
def test_timeframes(names: list[str | int], interval: str) -> None:
    assert {kline_interval(name) for name in names} == {interval}
    assert all(str(name) in TIMEFRAMES for name in names)


def test_unknown_timeframes() -> None:
    for name in ("", "7m", "1y", 0):
        with pytest.raises(ParameterError, match="timeframe"):
            kline_interval(name)
    with pytest.raises(ParameterError, match="no statistics by 1m"):
        statistics_period("1m")


@pytest.mark.parametrize("period", ["5min", "15min", "30min", "1h", "4h", "1d"])
def test_open_interest_periods(period: str) -> None:
    assert statistics_period(period) == period.replace("min", "m")


# --------------------------------------------------------------------------------------- raw answers


def raw(market: Any, operation: str, suffix: str = "") -> Any:
    return json.loads(fixture(market, operation, suffix))


def test_raw_tickers() -> None:
    for market, suffix in (("futures", "single"), ("spot", "full_single"), ("spot", "mini_single")):
        answer = raw(market, "ticker_24hr", suffix)
        row = parse.parse_ticker(answer, OPEN)
        assert row["last"] == float(answer["lastPrice"])
        assert row["timestamp"] == answer["closeTime"]
        assert ("bid" in row) == ("bidPrice" in answer)
        assert None not in row.values()
        assert row["info"] == answer


def test_raw_books() -> None:
    answer = raw("futures", "depth") | {"symbol": "BTCUSDT"}
    row = parse.parse_orderbook(answer, OPEN)
    assert (row["symbol"], row["timestamp"], row["nonce"]) == ("BTCUSDT", answer["E"], answer["lastUpdateId"])
    assert row["bids"][0] == [97012.4, 6.218]
    assert parse.parse_orderbook(raw("spot", "depth"), OPEN)["timestamp"] == OPEN


@pytest.mark.parametrize("market", ["spot", "futures"])
def test_raw_trades_and_candles(market: Any) -> None:
    trades = parse.parse_trades(list(reversed(raw(market, "trades"))))
    assert [row["timestamp"] for row in trades] == sorted(row["timestamp"] for row in trades)
    assert trades[0]["side"] == ("sell" if market == "futures" else "buy")
    rows = raw(market, "klines")
    assert parse.parse_ohlcv(rows) == [[row[0], *map(float, row[1:6])] for row in rows]


@pytest.mark.parametrize(
    ("function", "answer"),
    [
        (parse.parse_trades, {"code": -1121, "msg": "Invalid symbol."}),
        (parse.parse_trades, [{"id": 1}]),
        (parse.parse_trades, [{"id": 1, "time": 1, "isBuyerMaker": True, "price": "x", "qty": "1"}]),
        (parse.parse_ohlcv, [[1, "2"]]),
        (parse.parse_ohlcv, [["1", "2", "2", "2", "2", "2"]]),
        (parse.parse_ohlcv, [[1, "NaN", "2", "2", "2", "2"]]),
        (parse.parse_ohlcv, None),
    ],
)
def test_malformed_lists(function: Any, answer: object) -> None:
    with pytest.raises(DecodeError, match="malformed"):
        function(answer)


@pytest.mark.parametrize(
    ("function", "answer"),
    [
        (parse.parse_ticker, []),
        (parse.parse_ticker, {"lastPrice": "5"}),
        (parse.parse_ticker, {"symbol": "X", "lastPrice": "0"}),
        (parse.parse_ticker, {"symbol": "X", "lastPrice": None}),
        (parse.parse_orderbook, {"bids": [], "asks": {}}),
        (parse.parse_orderbook, {"bids": [["5", "1"]], "asks": [["4", "1"]]}),
        (parse.parse_orderbook, {"bids": [["5"]], "asks": []}),
    ],
)
def test_malformed_objects(function: Any, answer: object) -> None:
    with pytest.raises(DecodeError):
        function(answer, OPEN)
