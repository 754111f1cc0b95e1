"""Single lines of the figures that no other test would miss: each of these fails without one."""

from __future__ import annotations

import inspect
import json
import math
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import TypeAdapter

from binance_sdk import BinanceClient, futures
from binance_sdk.errors import ConfigError, ParameterError
from binance_sdk.simulator import Fault, Simulator
from tests.virtuoso import models
from tests.virtuoso.conftest import Build
from tests.virtuoso.models import OPEN, candles
from virtuoso_binance import convert, frames, liquidity, positioning, sentiment
from virtuoso_binance.large_trades import LargeTradeMonitor, Thresholds, percentile
from virtuoso_binance.market_data import _order_book
from virtuoso_binance.parts import ORDER_BOOK, Parts
from virtuoso_binance.symbols import Listed, Listing


def test_a_trade_without_a_symbol_of_its_own_names_none() -> None:
    assert "symbol" not in convert.trade_row("1", None, 2.0, 3.0, 6.0, OPEN, False)
    assert convert.trade_row("1", "XUSDT", 2.0, 3.0, 0.0, OPEN, False)["cost"] == 6.0


def test_what_counts_as_large_where_nobody_says_so() -> None:
    usual = Thresholds()
    assert (usual.quote, usual.percentile, usual.window, usual.least) == (Decimal(100_000), 99.0, 5000, 100)


def test_a_poll_weighs_60_on_futures_at_most_where_nobody_says_how_much_it_may() -> None:
    assert inspect.signature(LargeTradeMonitor).parameters["max_pages"].default == 3


@pytest.mark.parametrize("percent", [0, -1, 101, 100.5, True, "50", None, math.nan])
def test_what_is_no_percentile(percent: Any) -> None:
    with pytest.raises(ParameterError, match="percent"):
        percentile([Decimal(1), Decimal(2)], percent)
    if percent is not None:
        with pytest.raises(ParameterError, match="percentile"):
            Thresholds(percentile=percent)


def test_the_bounds_of_a_percentile() -> None:
    values = [Decimal(number) for number in range(1, 101)]
    assert [percentile(values, percent) for percent in (0.1, 1, 1.5, 50, 99.5, 100)] == [1, 1, 2, 50, 100, 100]
    with pytest.raises(ParameterError, match="percentile"):
        Thresholds(percentile=100)
    assert Thresholds(percentile=99.9).percentile == 99.9


@pytest.mark.parametrize("missing", [{"markPrice": "0.0"}, {"indexPrice": "0.0"}])
def test_a_premium_needs_both_prices(missing: dict[str, str]) -> None:
    assert positioning.mark_premium(models.premium(**missing)) is None
    assert positioning.mark_premium(models.premium()) is not None


@pytest.mark.parametrize("damage", [{"size": 0}, {"price": None}, {"side": ""}, {"timestamp": "now"}])
def test_a_liquidation_with_a_wrong_field_is_none(damage: dict[str, Any]) -> None:
    good = {"side": "buy", "price": 5, "size": 2, "timestamp": OPEN}
    assert len(sentiment.liquidation_rows([good, {**good, **damage}], "XUSDT", OPEN)) == 1


def test_an_average_of_no_trades_is_nothing() -> None:
    for side, other in (("buy", "sell"), ("sell", "buy")):
        found = sentiment.taker_ratio([{"amount": 2.0, "side": side, "timestamp": OPEN}], OPEN)
        assert (found[f"avg_{side}_size"], found[f"avg_{other}_size"]) == (2.0, 0.0)


def test_a_candle_that_still_runs_is_no_part_of_the_volatility() -> None:
    closes = [100.0 + number % 3 for number in range(24)]
    now = OPEN + 24 * 300_000
    assert sentiment.volatility(candles([*closes, 250.0]), now) == sentiment.volatility(candles(closes), now)


def test_a_premium_that_says_nothing_unusual_has_no_signal() -> None:
    assert "signal" not in frames.premium_frame(candles([0.0001] * 5), "XUSDT", "5m", OPEN)


def test_each_price_of_a_bar_stands_under_its_own_name() -> None:
    row = [OPEN, "1", "4", "0.5", "2", "7", OPEN + 299_999, "8", 3, "4", "5", "0"]
    klines = TypeAdapter(list[futures.Kline]).validate_json(json.dumps([row]))
    named = {"timestamp": OPEN, "open": 1.0, "high": 4.0, "low": 0.5, "close": 2.0}
    assert frames.premium_frame(klines, "XUSDT", "5m", OPEN)["history"] == [named]
    assert convert.ohlcv_rows(klines) == [[OPEN, 1.0, 4.0, 0.5, 2.0, 7.0]]


@pytest.mark.parametrize(
    ("bought", "sold", "signal"),
    [(6.0, 5.0, "NEUTRAL"), (4.0, 5.0, "NEUTRAL"), (6.1, 5.0, "BULLISH"), (3.9, 5.0, "BEARISH")],
)
def test_a_ratio_at_the_edge_is_no_signal(bought: float, sold: float, signal: str) -> None:
    rows = [{"amount": amount, "side": side, "timestamp": OPEN} for amount, side in ((bought, "buy"), (sold, "sell"))]
    assert sentiment.taker_ratio(rows, OPEN)["signal"] == signal


def test_the_longest_window_of_trades() -> None:
    assert Thresholds(window=100_000).window == 100_000
    with pytest.raises(ParameterError, match="window"):
        Thresholds(window=10**9)


@pytest.mark.parametrize(("bids", "asks"), [([("99", "1")], []), ([], [("101", "1")]), ([], [])])
def test_one_side_alone_is_no_market_whichever_it_is(bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> None:
    half = models.futures_book(bids, asks)
    assert liquidity.spread(half) is None
    assert liquidity.imbalance(half) is None
    assert liquidity.depth_within(half, 10) is None
    assert liquidity.slippage(half, "buy", base=1) is None
    assert liquidity.slippage(half, "sell", quote=1) is None


def test_as_many_levels_of_the_shorter_side_count_whichever_it_is() -> None:
    bids, asks = [("99", "1")], [("101", "1"), ("102", "1000")]
    assert liquidity.imbalance(models.futures_book(bids, asks)) == 0
    assert liquidity.imbalance(models.futures_book([*bids, ("98", "1000")], asks[:1])) == 0


def test_a_fill_without_an_exact_amount_goes_by_the_rounded_one() -> None:
    fill = liquidity.Fill("buy", Decimal(2), Decimal(204), Decimal(100), Decimal(104), Decimal(96), complete=True)
    assert (fill.vwap, fill.slippage_bps, fill.cost_bps) == (102, 200, 625)


async def test_a_volatility_that_is_missing_is_told(build: Build, own_simulator: Simulator) -> None:
    exchange = await build(own_simulator)
    own_simulator.faults.add(Fault.server_error(), where="futures.klines")
    data = await exchange.fetch_market_data("BTCUSDT")
    assert data["metadata"]["volatility_success"] is False
    assert "24 closed" in data["metadata"]["errors"]["volatility"]


@pytest.mark.parametrize(("bids", "asks"), [([("99", "1")], []), ([], [("101", "1")])])
def test_a_book_of_one_side_is_told_and_empty(bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> None:
    parts = Parts(cast(Listed, SimpleNamespace(symbol="XUSDT")), {ORDER_BOOK: models.futures_book(bids, asks)})
    errors: dict[str, str] = {}
    book = _order_book(parts, OPEN, errors, None)
    assert book is None
    assert errors == {ORDER_BOOK.name: "one side of the order book is empty"}


async def test_positioning_of_a_closed_client_is_a_mistake_and_no_missing_part(own_simulator: Simulator) -> None:
    client = BinanceClient(futures_base_url=own_simulator.base_url("futures"))
    listed = Listing(await client.futures.exchange_info(), None).resolve("BTCUSDT")
    await client.aclose()
    with pytest.raises(ConfigError, match="closed"):
        await positioning.fetch_positioning(client, listed)


def test_the_newest_premium_is_the_last_one() -> None:
    found = sentiment.premium_signal([0.0001, 0.0002] * 10 + [-0.002, 0.0001])
    assert found is not None
    assert found["current_premium_pct"] == pytest.approx(0.01)
    assert not found["is_extreme_premium"]
    assert not found["is_extreme_discount"]
    assert abs(found["z_score"]) < 1
