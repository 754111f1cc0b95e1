"""Edges of the figures: values exactly at a threshold, figures that come in part, and defaults."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from binance_sdk import BinanceClient, futures
from binance_sdk.errors import DecodeError, ParameterError
from tests.virtuoso import models
from tests.virtuoso.models import OPEN, AggTradePages, candles
from virtuoso_binance import convert, liquidity, parse, positioning, sentiment, tickers
from virtuoso_binance.large_trades import LargeTradeMonitor, Thresholds, percentile

from .test_short_pages import listed_on

D = Decimal

# ---------------------------------------------------------------------------------------- liquidity


@pytest.mark.parametrize(
    ("bids", "asks", "complete"),
    [
        # Within 200 basis points of 100 lies what costs 98 to 102.
        (["99", "97"], ["101", "103"], True),
        (["99", "97"], ["101", "101.5"], False),
        (["99", "98.5"], ["101", "103"], False),
        (["99", "98.5"], ["101", "101.5"], False),
        # A book that ends exactly at the edge has all of the edge's price, and goes on outside.
        (["99", "98"], ["101", "102"], True),
        (["99", "98.01"], ["101", "102"], False),
        (["99", "98"], ["101", "101.99"], False),
    ],
)
def test_depth_is_complete_only_where_both_sides_reach_the_edges_of_the_band(
    bids: list[str], asks: list[str], complete: bool
) -> None:
    book = models.futures_book([(price, "1") for price in bids], [(price, "1") for price in asks])
    found = liquidity.depth_within(book, 200)
    assert found is not None
    assert found.complete is complete


def test_a_row_has_the_usual_bands_and_order() -> None:
    book = models.futures_book([("99.99", "9")], [("100.01", "9")])
    row = liquidity.liquidity_row(book, models.futures_ticker())
    assert [depth["bps"] for depth in row["depth"]] == [10.0, 50.0, 100.0]
    assert {side: fill["order_quote"] for side, fill in row["slippage"].items()} == {"buy": 10_000.0, "sell": 10_000.0}
    assert row["imbalance"] == 0.0
    assert set(row["turnover_24h"]) == {"base", "quote", "trades", "vwap", "trade_size"}
    # An order is larger than the nine units there are.
    assert row["slippage"]["buy"]["filled_quote"] == pytest.approx(900.09)
    assert row["slippage"]["buy"]["complete"] is False


# ------------------------------------------------------------------------------------ large trades


def test_percentiles_go_from_above_zero_to_a_hundred() -> None:
    values = [D(3), D(1), D(2)]
    assert percentile(values, 100) == 3
    # So small a share is rounded to nothing, and still means the smallest value.
    assert percentile(values, 5e-324) == 1
    for percent in (0, -1, 100.1):
        with pytest.raises(ParameterError, match="percent="):
            percentile(values, percent)
    with pytest.raises(ParameterError, match="values is empty"):
        percentile([], 50)


def test_the_largest_window() -> None:
    assert Thresholds(window=1_000_000, least=1_000_000).window == 1_000_000
    with pytest.raises(ParameterError, match="window=1000001"):
        Thresholds(window=1_000_001)


async def test_a_page_is_short_by_the_twenty_pages_before_it() -> None:
    """After twenty pages of ten rows, ten rows are known to be all that a page holds."""
    pages = AggTradePages(newest=1000, most=100)
    http = httpx.AsyncClient(transport=httpx.MockTransport(pages))
    async with http, BinanceClient(http_client=http, budget=False) as client:
        monitor = LargeTradeMonitor(client, listed_on("usdm"), max_pages=80)
        await monitor.poll()
        pages.most, pages.newest, pages.sent = 10, 1250, 0
        for poll in range(1, 20):
            await monitor.poll()
            assert pages.sent == poll
        await monitor.poll()
    # Six pages were left: five full ones and the empty one behind them.
    assert pages.sent == 19 + 7
    assert monitor.watch.last_id == pages.newest


# ---------------------------------------------------------------------------------------- sentiment


@pytest.mark.parametrize(
    ("bought", "sold", "signal"),
    [(12.0, 10.0, "NEUTRAL"), (12.1, 10.0, "BULLISH"), (8.0, 10.0, "NEUTRAL"), (7.9, 10.0, "BEARISH")],
)
def test_a_signal_begins_beyond_its_threshold(bought: float, sold: float, signal: str) -> None:
    rows = [{"amount": bought, "side": "buy", "timestamp": OPEN}, {"amount": sold, "side": "sell", "timestamp": OPEN}]
    assert sentiment.taker_ratio(rows, OPEN)["signal"] == signal


def test_averages_and_counts_of_takers() -> None:
    rows = [
        {"amount": amount, "side": side, "timestamp": OPEN - age}
        for amount, side, age in [(6.0, "buy", 0), (1.0, "sell", 300_000), (2.0, "sell", 1), (3.0, "sell", 0)]
    ]
    found = sentiment.taker_ratio(rows, OPEN)
    # The trade of exactly 300 seconds ago counts.
    assert (found["trade_count"], found["buy_trade_count"], found["sell_trade_count"]) == (4, 1, 3)
    assert (found["avg_buy_size"], found["avg_sell_size"]) == (6.0, 2.0)
    assert (found["buy_volume"], found["sell_volume"], found["ratio"], found["score"]) == (6.0, 6.0, 1.0, 50.0)
    later = sentiment.taker_ratio(rows, OPEN + 1)
    assert (later["trade_count"], later["avg_sell_size"], later["lookback_seconds"]) == (3, 2.5, 300)
    nothing = sentiment.taker_ratio([], OPEN, 60)
    assert (nothing["ratio"], nothing["score"], nothing["avg_buy_size"], nothing["avg_sell_size"]) == (
        1.0,
        50.0,
        0.0,
        0.0,
    )
    assert nothing["error"] == "no trades in the last 60 s"
    assert sentiment.taker_ratio([{"amount": 1.0, "side": "buy", "timestamp": OPEN}], OPEN)["score"] == 100.0


def test_small_open_interest_counts() -> None:
    assert [row["value"] for row in sentiment.oi_history(models.steps(["0.5", "0", "0.25"]))] == [0.25, 0.5]
    found = sentiment.open_interest_series(models.steps(["0.5", "0.25"]), 10)
    assert found is not None
    assert (found["current"], found["previous"], found["change"]) == (0.25, 0.5, -0.25)


def test_statistics_of_past_funding() -> None:
    def event(time: int, rate: str) -> futures.FundingRate:
        return models.one(futures.FundingRate, "futures", "funding_rate", fundingTime=time, fundingRate=rate)

    found = sentiment.funding_history([event(OPEN, "0.0001"), event(OPEN + 1, "0.0004")], "BTCUSDT", OPEN + 2)
    assert [(row["timestamp"], row["fundingRate"]) for row in found["history"]] == [(OPEN + 1, 0.0004), (OPEN, 0.0001)]
    assert found["statistics"] == {"mean": 0.00025, "min": 0.0001, "max": 0.0004, "count": 2}
    assert "statistics" not in sentiment.funding_history([], "BTCUSDT", OPEN)


def test_a_trend_needs_more_than_two_spans() -> None:
    closes = [100.0]
    for number in range(40):
        closes.append(round(closes[-1] * (1 + 0.01 * 1.05**number * (1 if number % 2 else -1)), 6))
    # 24 closes give one window of returns, so 33 give ten and 34 eleven.
    trends = [sentiment.volatility(candles(closes[:count]), OPEN * 2) for count in (33, 34)]
    assert [None if found is None else found["trend"] for found in trends] == ["unknown", "increasing"]
    # What does not move has no trend.
    still = sentiment.volatility(candles([100.0] * 40), OPEN * 2)
    assert still is not None
    assert (still["value"], still["trend"]) == (0.0, "unknown")


def test_a_close_of_nothing_has_no_volatility() -> None:
    assert sentiment.volatility(candles([100.0] * 23 + [0.0]), OPEN * 2) is None


@pytest.mark.parametrize(("last", "premium", "discount"), [(0.002, True, False), (-0.002, False, True)])
def test_extremes_of_the_premium(last: float, premium: bool, discount: bool) -> None:
    found = sentiment.premium_signal([0.0001, 0.0002] * 10 + [last])
    assert found is not None
    assert (found["is_extreme_premium"], found["is_extreme_discount"]) == (premium, discount)
    assert sentiment.premium_signal([0.0001, 0.0002] * 10) is not None


def test_liquidations_count_from_their_time_on() -> None:
    row = {"side": "buy", "price": 5.0, "size": 2.0, "timestamp": OPEN}
    assert len(sentiment.liquidation_rows([row], "XUSDT", OPEN)) == 1
    for changes in ({"size": 0}, {"price": None}, {"side": None}, {"timestamp": "now"}):
        assert sentiment.liquidation_rows([{**row, **changes}], "XUSDT", OPEN) == []


# -------------------------------------------------------------------------------------- positioning


def test_the_usual_windows() -> None:
    minute = 60_000
    assert dict(positioning.WINDOWS) == {
        "5m": 5 * minute, "15m": 15 * minute, "1h": 60 * minute, "4h": 240 * minute, "24h": 1440 * minute,
    }  # fmt: skip


@pytest.mark.parametrize(("mark", "index"), [("0", "100"), ("100", "0")])
def test_no_premium_without_both_prices(mark: str, index: str) -> None:
    assert positioning.mark_premium(models.premium(markPrice=mark, indexPrice=index)) is None


# ------------------------------------------------------------------------------- tickers, trades, books


def test_a_full_ticker_has_what_is_known() -> None:
    bare = tickers.full_ticker_row(models.futures_ticker())
    assert bare is not None
    assert not {"bid", "mark", "openInterest", "fundingRate"} & set(bare)
    full = tickers.full_ticker_row(
        models.futures_ticker(), models.quotes(), models.premium(), models.interest(openInterest="2")
    )
    assert full is not None
    assert (full["bid"], full["mark"], full["openInterest"]) == (97012.4, 97010.82417391, 2.0)
    assert full["openInterestValue"] == pytest.approx(2 * 97010.82417391)
    assert tickers.full_ticker_row(models.futures_ticker(lastPrice="0"), models.quotes()) is None


def test_a_cost_of_less_than_one_is_kept() -> None:
    row = {"price": "0.01", "qty": "51", "quoteQty": "0.5"}
    assert convert.trade_rows(models.futures_trades(row), "XUSDT")[0]["cost"] == 0.5


# ------------------------------------------------------------------------------------------ raw answers


def raw_kline(time: int, close: str = "2") -> list[Any]:
    return [time, "1", "2", "0.5", close, "10", time + 59_999, "12.5", 4, "5", "6", "0"]


def test_raw_candles_are_put_in_order() -> None:
    rows = parse.parse_ohlcv([raw_kline(3, "1.5"), raw_kline(1), raw_kline(2)])
    assert [row[0] for row in rows] == [1, 2, 3]
    assert rows[-1] == [3, 1.0, 2.0, 0.5, 1.5, 10.0]
    assert parse.parse_ohlcv([raw_kline(1)[:6]]) == [[1, 1.0, 2.0, 0.5, 2.0, 10.0]]
    with pytest.raises(DecodeError, match="at least 6 values"):
        parse.parse_ohlcv([raw_kline(1)[:5]])


def test_a_raw_ticker_has_only_what_came() -> None:
    row = parse.parse_ticker({"symbol": "X", "lastPrice": "5", "priceChangePercent": "-1.5", "bidPrice": "4"}, OPEN)
    assert {name: value for name, value in row.items() if name not in ("info", "datetime")} == {
        "symbol": "X", "timestamp": OPEN, "last": 5.0, "close": 5.0, "lastPrice": 5.0, "percentage": -1.5,
        "priceChangePercent": -1.5, "price24hPcnt": -0.015, "bid": 4.0,
    }  # fmt: skip
    # A price of nothing is no price, a change of nothing is one.
    empty = parse.parse_ticker({"symbol": "X", "lastPrice": "5", "openPrice": "0", "priceChange": "0"}, OPEN)
    assert "open" not in empty
    assert empty["change"] == 0.0


def test_a_raw_book_has_a_number_only_where_one_came() -> None:
    sides: dict[str, Any] = {"bids": [["4", "1"]], "asks": [["5", "2"]]}
    assert "nonce" not in parse.parse_orderbook(sides, OPEN)
    assert parse.parse_orderbook({**sides, "lastUpdateId": 0}, OPEN)["nonce"] == 0
    assert parse.parse_orderbook({**sides, "symbol": 5}, OPEN)["symbol"] == ""
    with pytest.raises(DecodeError, match="at least 2 values"):
        parse.parse_orderbook({**sides, "bids": [["4"]]}, OPEN)


def test_raw_trades_without_their_worth_have_it_calculated() -> None:
    trade = {"id": 7, "time": OPEN, "isBuyerMaker": True, "price": "2", "qty": "3"}
    (row,) = parse.parse_trades([trade])
    assert (row["cost"], row["side"], "symbol" in row) == (6.0, "sell", False)
    (row,) = parse.parse_trades([{**trade, "quoteQty": "5.9", "symbol": "XUSDT"}])
    assert (row["cost"], row["symbol"]) == (5.9, "XUSDT")
    assert json.dumps(row)
