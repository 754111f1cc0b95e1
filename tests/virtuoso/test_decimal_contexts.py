"""What a user has done to ``decimal.getcontext()`` changes no figure."""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from typing import Any

import pytest

from binance_sdk import BinanceClient, futures
from binance_sdk.simulator import Simulator
from tests.decimal_contexts import HOSTILE
from tests.virtuoso import models
from tests.virtuoso.conftest import NOW
from virtuoso_binance import liquidity, positioning, sentiment, tickers
from virtuoso_binance.frames import json_view
from virtuoso_binance.large_trades import LargeTradeWatch, Thresholds, large_trade_row
from virtuoso_binance.market_data import assemble, fetch_parts
from virtuoso_binance.symbols import Listing

D = Decimal
every_context = pytest.mark.parametrize("context", HOSTILE.values(), ids=HOSTILE)

BOOK = models.futures_book(
    [("97123.45", "0.12345678"), ("97123.44", "1234.00000001"), ("96999.00", "3")],
    [("97123.46", "0.98765432"), ("97130.01", "55.5"), ("98000.99", "1000000.00000001")],
)
AGGREGATES = [
    futures.AggTrade.model_validate_json(
        f'{{"a":{number},"p":"97123.4{number}","q":"1.2345678{number}","nq":"1","f":{number},"l":{number},'
        f'"T":1768651327450,"m":{"true" if number % 2 else "false"}}}'
    )
    for number in range(10)
]


def figures() -> dict[str, object]:
    """One figure of each kind that the adapter computes from Decimals."""
    ticker = models.futures_ticker(priceChangePercent="-1.23456789", lastPrice="97123.45678901")
    row: dict[str, Any] = dict(tickers.ticker_row(ticker) or {})
    tickers.add_premium(row, models.premium())
    tickers.add_open_interest(row, models.interest(openInterest="123456789.123"), D("97123.45678901"))
    steps = models.steps(["123456789.12345678", "123456790.98765432", "123456000.00000001"])
    fills = [
        liquidity.slippage(BOOK, side, **size)  # type: ignore[arg-type]
        for side in ("buy", "sell")
        for size in ({"quote": 10_000}, {"quote": D("7654321.123")}, {"base": D("1000.12345678")})
    ]
    day = liquidity.Turnover(D("123456789.12345678"), D("9876543210987.654321"), 1234567)
    best = liquidity.spread(BOOK)
    depths = [liquidity.depth_within(BOOK, bps) for bps in (1, D("12.345"), 100)]
    watch = LargeTradeWatch(Thresholds(quote=D("119000.5"), percentile=70.0, least=5))
    large = watch.feed(AGGREGATES)
    return {
        "ticker": row,
        "interest": sentiment.open_interest_series(steps, 3),
        "changes": positioning.open_interest_changes(steps, {"5m": 300_000, "10m": 600_000}),
        "ratio": sentiment.long_short(models.ratio(longAccount="0.512345678901")),
        "premium": positioning.mark_premium(models.premium()),
        "fills": fills,
        "costs": [(fill.vwap, fill.slippage_bps, fill.cost_bps) for fill in fills if fill is not None],
        "turnover": (day.vwap, day.trade_size),
        "spread": best and (best.mid, best.absolute, best.bps),
        "depths": depths,
        "imbalances": [depth.imbalance for depth in depths if depth is not None],
        "imbalance": liquidity.imbalance(BOOK),
        "liquidity": liquidity.liquidity_row(BOOK, ticker),
        "large": [(trade, trade.quote, large_trade_row(trade, "BTCUSDT")) for trade in large],
        "cutoff": watch.cutoff,
    }


@every_context
def test_figures_are_the_same_under_every_context(context: Context) -> None:
    expected = figures()
    assert all(expected.values())
    with localcontext(context):
        found = figures()
    # As text, so that the digits are the same too.
    assert {name: str(value) for name, value in found.items()} == {name: str(value) for name, value in expected.items()}


@every_context
async def test_market_data_are_the_same_under_every_context(simulator: Simulator, context: Context) -> None:
    async def fetch() -> object:
        async with BinanceClient(
            spot_base_url=simulator.base_url("spot"), futures_base_url=simulator.base_url("futures")
        ) as client:
            listed = Listing(await client.futures.exchange_info(), None).resolve("BTCUSDT")
            return json_view(assemble(await fetch_parts(client, listed), NOW))

    expected = await fetch()
    # A task begins with a copy of its maker's context, so every call inside runs under it.
    with localcontext(context):
        found = await fetch()
    assert found == expected
