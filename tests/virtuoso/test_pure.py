"""The pure functions, each alone: typed models in, Virtuoso's dicts out."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import pairwise
from statistics import stdev
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from binance_sdk.errors import DecodeError, ParameterError
from tests.virtuoso import models
from tests.virtuoso.models import OPEN, candles
from virtuoso_binance import convert, frames, sentiment, tickers
from virtuoso_binance.scalars import iso, milliseconds, positive
from virtuoso_binance.tickers import TickerTable

# ---------------------------------------------------------------------------------------- scalars


def test_iso() -> None:
    assert iso(1_768_651_327_250) == "2026-01-17T12:02:07.250Z"


@given(st.integers(1_000_000_000_000, 4_000_000_000_000))
def test_iso_says_the_same_as_pandas(ms: int) -> None:
    assert pd.Timestamp(iso(ms)) == pd.Timestamp(ms, unit="ms", tz="UTC")


@pytest.mark.parametrize(("value", "number"), [("1.5", 1.5), ("0", None), (None, None), (Decimal(-1), None)])
def test_zero_and_less_is_nothing(value: Any, number: float | None) -> None:
    assert positive(value) == number


def test_milliseconds() -> None:
    moment = pd.Timestamp("2026-01-17T12:02:07.250Z").to_pydatetime()
    for given_ in (1_768_651_327_250, 1_768_651_327.25, moment, moment.replace(tzinfo=None)):
        assert milliseconds(given_) == 1_768_651_327_250
    assert milliseconds(None) is None
    with pytest.raises(ParameterError):
        milliseconds(math.nan)


# ---------------------------------------------------------------------------------------- tickers


def test_a_futures_ticker() -> None:
    row = tickers.ticker_row(models.futures_ticker())
    assert row is not None
    assert row == {
        "symbol": "BTCUSDT", "timestamp": 1_763_985_601_377, "datetime": "2025-11-24T12:00:01.377Z",
        "last": 97012.5, "close": 97012.5, "lastPrice": 97012.5, "open": 95980.2, "high": 97340.0, "low": 95610.5,
        "change": 1032.3, "percentage": 1.076, "priceChangePercent": 1.076, "price24hPcnt": 0.01076,
        "baseVolume": 142880.617, "volume": 142880.617, "volume24h": 142880.617, "quoteVolume": 13793720483.69,
        "turnover": 13793720483.69, "turnover24h": 13793720483.69, "vwap": 96540.18,
    }  # fmt: skip


def test_a_spot_ticker_has_quotes_and_the_close_before() -> None:
    row = tickers.ticker_row(models.spot_ticker(bidPrice="1.5", bidQty="2", askPrice="1.6", askQty="3"))
    assert row is not None
    assert (row["bid"], row["bidVolume"], row["ask"], row["askVolume"]) == (1.5, 2.0, 1.6, 3.0)
    assert row["previousClose"] > 0


@pytest.mark.parametrize("field", ["lastPrice", "highPrice", "lowPrice", "openPrice"])
def test_no_price_is_no_ticker(field: str) -> None:
    assert tickers.ticker_row(models.futures_ticker(**{field: "0.00"})) is None


def test_an_empty_side_stays_absent() -> None:
    row = tickers.ticker_row(models.spot_ticker(bidPrice="0.00000000", bidQty="0.00000000"))
    assert row is not None
    assert "bid" not in row
    assert "bidVolume" not in row
    assert "ask" in row


def test_quotes_bring_their_time_where_it_is_newer() -> None:
    row = tickers.ticker_row(models.futures_ticker())
    assert row is not None
    tickers.add_book(row, models.quotes(time=1_763_985_600_000))
    assert row["timestamp"] == 1_763_985_601_377
    tickers.add_book(row, models.quotes(time=1_763_985_604_205))
    assert (row["timestamp"], row["datetime"]) == (1_763_985_604_205, "2025-11-24T12:00:04.205Z")
    assert (row["bid"], row["askVolume"]) == (97012.4, 3.941)


def test_premium() -> None:
    row: dict[str, Any] = {}
    tickers.add_premium(row, models.premium())
    assert row == {
        "mark": 97010.82417391, "markPrice": 97010.82417391, "index": 97053.17608696, "indexPrice": 97053.17608696,
        "fundingRate": 7.315e-05, "funding_rate": 7.315e-05,
        "nextFundingTime": 1764000000000, "next_funding_time": 1764000000000,
    }  # fmt: skip
    unknown: dict[str, Any] = {}
    tickers.add_premium(unknown, models.premium(lastFundingRate="", interestRate=""))
    # What Binance leaves empty is missing, and no zero.
    assert unknown == {name: row[name] for name in ("mark", "markPrice", "index", "indexPrice")}
    settled: dict[str, Any] = {}
    tickers.add_premium(settled, models.premium(nextFundingTime=0, indexPrice="0.0"))
    assert settled == {"mark": 97010.82417391, "markPrice": 97010.82417391}


def test_open_interest_in_the_ticker() -> None:
    row: dict[str, Any] = {}
    tickers.add_open_interest(row, models.interest(openInterest="2.5"), Decimal(10))
    assert row == {"openInterest": 2.5, "open_interest": 2.5, "openInterestValue": 25.0, "open_interest_value": 25.0}
    row = {}
    tickers.add_open_interest(row, models.interest(openInterest="2.5"), None)
    assert row == {"openInterest": 2.5, "open_interest": 2.5}
    row = {}
    tickers.add_open_interest(row, models.interest(openInterest="0"), Decimal(10))
    assert row == {}


def test_ticker_table() -> None:
    table = TickerTable([{"symbol": "BTCUSDT", "last": 1.0}, {"symbol": "ETHUSDT", "last": 2.0}])
    assert table[0] is table["BTC/USDT:USDT"]
    assert table[-1:] == [table["ETHUSDT"]]
    assert table.get("XUSDT") is None
    assert table.get("XUSDT", 3) == 3
    assert "ETHUSDT" in table
    assert table[0] in table
    assert "XUSDT" not in table
    with pytest.raises(KeyError):
        table["XUSDT"]


# ------------------------------------------------------------------------------ book, trades, candles


def test_order_book() -> None:
    book = models.futures_book([("9.5", "1"), ("9.4", "2")], [("9.6", "3"), ("9.7", "4")])
    assert convert.order_book(book, "XUSDT", received=5, limit=1) == {
        "symbol": "XUSDT", "bids": [[9.5, 1.0]], "asks": [[9.6, 3.0]], "timestamp": OPEN, "datetime": iso(OPEN),
        "nonce": 7,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("bids", "asks"),
    [
        ([("9.6", "1")], [("9.6", "1")]),
        ([("9.4", "1"), ("9.5", "1")], [("9.6", "1")]),
        ([("9.4", "1"), ("9.4", "1")], [("9.6", "1")]),
        ([("9.4", "1")], [("9.7", "1"), ("9.6", "1")]),
        ([("9.4", "0")], [("9.6", "1")]),
    ],
)
def test_a_book_that_cannot_be_is_no_book(bids: Any, asks: Any) -> None:
    with pytest.raises(DecodeError, match="XUSDT"):
        convert.order_book(models.futures_book(bids, asks), "XUSDT", received=5)


def test_trades() -> None:
    rows = convert.trade_rows(
        models.spot_trades(
            {"id": 1, "price": "2", "qty": "3", "quoteQty": "6", "time": OPEN, "isBuyerMaker": True},
            {"id": 2, "price": "2", "qty": "3", "quoteQty": "6", "time": OPEN + 1, "isBuyerMaker": False},
        ),
        "XUSDT",
    )
    assert rows[0] == {
        "id": "1", "symbol": "XUSDT", "price": 2.0, "amount": 3.0, "size": 3.0, "qty": 3.0, "cost": 6.0,
        "side": "sell", "timestamp": OPEN, "time": OPEN, "datetime": iso(OPEN), "takerOrMaker": "taker",
    }  # fmt: skip
    assert rows[1]["side"] == "buy"


def test_a_cost_that_was_cut_to_nothing_is_calculated() -> None:
    (row,) = convert.trade_rows(models.futures_trades({"price": "0.01", "qty": "0.1", "quoteQty": "0.00"}), "XUSDT")
    assert row["cost"] == pytest.approx(0.001)


def test_old_trades_are_left_out() -> None:
    trades = models.spot_trades({"time": OPEN}, {"time": OPEN + 1})
    assert [row["time"] for row in convert.trade_rows(trades, "XUSDT", since=OPEN + 1)] == [OPEN + 1]


def test_ohlcv_rows_and_frame_say_the_same() -> None:
    klines = candles([1.5, 2.5])
    rows = convert.ohlcv_rows(klines)
    assert rows == [[OPEN, 1.5, 1.5, 1.5, 1.5, 1.0], [OPEN + 300_000, 2.5, 2.5, 2.5, 2.5, 1.0]]
    frame = frames.ohlcv_frame(klines)
    assert [[at.value // 1_000_000, *row] for at, row in zip(frame.index, frame.to_numpy(), strict=True)] == rows
    empty = frames.ohlcv_frame([])
    assert (list(empty.columns), empty.index.name, len(empty)) == (list(frames.COLUMNS), "timestamp", 0)
    assert str(empty.index.dtype) == "datetime64[ns]"


# ---------------------------------------------------------------------------------------- sentiment


def test_funding() -> None:
    assert sentiment.funding_sentiment(models.premium()) == {"rate": 7.315e-05, "next_funding_time": 1764000000000}
    assert sentiment.funding(models.premium(), models.interest()) == {
        "rate": 7.315e-05, "timestamp": 1763985605000, "openInterest": 88214.307,
    }  # fmt: skip
    assert "openInterest" not in (sentiment.funding(models.premium(), None) or {})
    for function in (sentiment.funding_sentiment, sentiment.funding_now):
        assert function(models.premium(nextFundingTime=0)) is None
        assert function(models.premium(lastFundingRate="")) is None
    assert sentiment.funding(models.premium(lastFundingRate=""), models.interest()) is None


def test_long_short_is_in_percent() -> None:
    assert sentiment.long_short(models.ratio(longAccount="0.55", shortAccount="0.45", timestamp=OPEN)) == {
        "symbol": "BTCUSDT", "long": 55.0, "short": 45.0, "timestamp": OPEN,
    }  # fmt: skip


@given(st.integers(0, 10_000))
def test_long_and_short_are_a_hundred(share: int) -> None:
    row = sentiment.long_short(models.ratio(longAccount=f"{share / 10_000:.4f}"))
    assert row["long"] + row["short"] == pytest.approx(100, abs=1e-9)
    assert 0 <= row["long"] <= 100


def test_open_interest_series() -> None:
    assert sentiment.open_interest_series(models.steps(["5"]), 10) is None
    assert sentiment.open_interest_series(models.steps(["0", "5"]), 10) is None
    series = sentiment.open_interest_series(models.steps(["5", "6", "5.5"]), 2)
    assert series is not None
    assert (series["current"], series["previous"], series["change"]) == (5.5, 6.0, -0.5)
    assert [row["value"] for row in series["history"]] == [5.5, 6.0]
    assert "change_24h" not in series
    day = sentiment.open_interest_series(models.steps([str(i + 1) for i in range(289)]), 200)
    assert day is not None
    assert day["change_24h"] == 288.0


def test_the_change_over_a_day_needs_the_row_of_a_day_before() -> None:
    rows = models.steps([str(i + 1) for i in range(289)])
    del rows[0]
    series = sentiment.open_interest_series(rows, 200)
    assert series is not None
    assert "change_24h" not in series


@pytest.mark.parametrize(
    ("sides", "ratio", "score", "signal"),
    [
        ("bbs", 2.0, 75.0, "BULLISH"),
        ("bs", 1.0, 50.0, "NEUTRAL"),
        ("bss", 0.5, 37.5, "BEARISH"),
        ("b", 10.0, 100.0, "BULLISH"),
        ("s", 0.0, 25.0, "BEARISH"),
    ],
)
def test_taker_ratio(sides: str, ratio: float, score: float, signal: str) -> None:
    rows = [{"amount": 2.0, "side": "buy" if side == "b" else "sell", "timestamp": OPEN} for side in sides]
    old = {"amount": 99.0, "side": "buy", "timestamp": OPEN - 300_001}
    found = sentiment.taker_ratio([old, *rows], OPEN, 300)
    assert (found["ratio"], found["score"], found["signal"]) == (ratio, score, signal)
    assert found["trade_count"] == len(sides)
    assert found["avg_buy_size"] == (2.0 if "b" in sides else 0.0)
    assert "error" not in found


def test_taker_ratio_without_trades_says_so() -> None:
    assert sentiment.taker_ratio([], OPEN)["error"] == "no trades in the last 300 s"


@given(st.lists(st.floats(-0.2, 0.2), min_size=23, max_size=80))
def test_rolling_deviations_are_those_of_each_window(values: list[float]) -> None:
    found = sentiment.rolling_stdev(values, 23)
    wanted = [stdev(values[at : at + 23]) for at in range(len(values) - 22)]
    assert found == pytest.approx(wanted, rel=1e-9, abs=1e-15)


def test_volatility() -> None:
    closes = [100 * (1.01 if i % 2 else 1.0) for i in range(24)]
    now = OPEN + 24 * 300_000
    found = sentiment.volatility(candles(closes), now)
    assert found is not None
    returns = [math.log(b / a) for a, b in pairwise(closes)]
    assert found["value"] == pytest.approx(stdev(returns) * math.sqrt(365 * 24 * 12))
    assert found["trend"] == "unknown"
    # One candle is still running: there are only 23.
    assert sentiment.volatility(candles(closes), now - 1) is None


@pytest.mark.parametrize(("growth", "trend"), [(1.05, "increasing"), (0.95, "decreasing"), (1.0, "stable")])
def test_trend_of_the_volatility(growth: float, trend: str) -> None:
    closes, step = [100.0], 0.01
    for i in range(80):
        closes.append(closes[-1] * (1 + step * (1 if i % 2 else -1)))
        step *= growth
    found = sentiment.volatility(candles([round(close, 6) for close in closes]), OPEN * 2)
    assert found is not None
    assert found["trend"] == trend


def test_premium_signal() -> None:
    closes = [0.0001, 0.0002] * 10 + [0.002]
    found = sentiment.premium_signal(closes)
    assert found is not None
    assert found["is_extreme_premium"] is True
    assert found["is_extreme_discount"] is False
    assert found["current_premium_pct"] == pytest.approx(0.2)
    assert sentiment.premium_signal([0.0001] * 30) is None
    assert sentiment.premium_signal(closes[:19]) is None


def test_liquidations_are_checked() -> None:
    good = {"side": "SELL", "price": "5", "size": 2, "timestamp": OPEN}
    kept = [good, {**good, "side": "long"}, {**good, "price": 0}, {**good, "timestamp": OPEN - 1}, None]
    assert sentiment.liquidation_rows(kept, "XUSDT", OPEN) == [
        {"symbol": "XUSDT", "side": "sell", "price": 5.0, "size": 2.0, "amount": 2.0, "timestamp": OPEN}
    ]
    assert sentiment.liquidation_rows(None, "XUSDT", OPEN) == []
