"""Our words against CCXT's, both reading the same simulator at the same instant over real sockets.

Everything CCXT's unified structures hold has to be the same here, except where ``REASONS`` says why it is not; a reason
that no longer applies fails too.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

import pytest

from binance_sdk import BinanceClient
from binance_sdk.simulator import ManualClock, Simulator
from virtuoso_binance import convert, tickers
from virtuoso_binance.scalars import Row

NOW = 1_800_000_123_456
SYMBOLS = ("BTCUSDT", "ETHUSDT", "DOGEUSDT")
MarketName: TypeAlias = Literal["spot", "usdm"]
MARKETS: tuple[MarketName, ...] = ("spot", "usdm")
EVERYWHERE = "*"
"""A key that CCXT sets to None is the same as one that is absent here."""

REASONS: Mapping[tuple[str, str, str], str] = {
    # what, market, key of CCXT's structure: why ours is another
    ("ticker", EVERYWHERE, "symbol"): "CCXT writes BTC/USDT or BTC/USDT:USDT; Virtuoso's results carry BTCUSDT",
    ("ticker", EVERYWHERE, "info"): "the raw answer is left out: the SDK's models are the place for it",
    ("ticker", EVERYWHERE, "average"): "CCXT computes (last + open) / 2, which no reader of Virtuoso wants, and the "
    "name suggests another thing; vwap is given",
    ("ticker", "usdm", "bid"): "not part of the 24 h answer of futures: CCXT says None, we add it from bookTicker",
    ("ticker", "usdm", "ask"): "as bid",
    ("ticker", "usdm", "bidVolume"): "as bid",
    ("ticker", "usdm", "askVolume"): "as bid",
    ("ticker", EVERYWHERE, "markPrice"): "not part of the answer: CCXT says None, we add it from premiumIndex",
    ("ticker", EVERYWHERE, "indexPrice"): "as markPrice",
    ("trade", EVERYWHERE, "symbol"): "as of the ticker",
    ("trade", EVERYWHERE, "info"): "as of the ticker",
    ("trade", EVERYWHERE, "fee"): "public trades have none: CCXT fills it in, we leave it out",
    ("trade", EVERYWHERE, "fees"): "as fee",
    (
        "trade",
        EVERYWHERE,
        "takerOrMaker",
    ): "CCXT says None for public trades; the contract wants 'taker', as the side is the taker's",
    ("book", EVERYWHERE, "symbol"): "as of the ticker",
    (
        "book",
        "spot",
        "timestamp",
    ): "spot's answer names no time: CCXT says None, the contract wants the time of receipt",
    ("book", "spot", "datetime"): "as timestamp",
    ("book", "usdm", "timestamp"): "CCXT takes T, the transaction; the contract wants E, the event",
    ("book", "usdm", "datetime"): "as timestamp",
}


class Ccxt:
    """CCXT's own class for Binance, with its addresses turned to the simulator."""

    def __init__(self, simulator: Simulator) -> None:
        ccxt: Any = pytest.importorskip("ccxt", reason="ccxt is missing: install the dev extra")
        self.exchange: Any = ccxt.binance({"enableRateLimit": False, "options": {"fetchCurrencies": False}})
        self.exchange.session.trust_env = False
        paths = {"public": "/api/v3", "fapiPublic": "/fapi/v1", "fapiPublicV2": "/fapi/v2", "fapiData": "/futures/data"}
        self.exchange.urls["api"] = {
            name: simulator.base_url("futures" if name.startswith("fapi") else "spot") + path
            for name, path in paths.items()
        }
        self.exchange.options["fetchMarkets"] = {"types": ["spot", "linear"]}
        self.exchange.load_markets()

    def symbol(self, plain: str, market: MarketName) -> str:
        rows = self.exchange.markets_by_id[plain]
        return str(next(row["symbol"] for row in rows if bool(row["spot"]) == (market == "spot")))

    def close(self) -> None:
        self.exchange.session.close()


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(clock=ManualClock(NOW), symbols=SYMBOLS, history_days=10) as running:
        yield running


@pytest.fixture(scope="module")
def theirs(simulator: Simulator) -> Iterator[Ccxt]:
    ccxt = Ccxt(simulator)
    yield ccxt
    ccxt.close()


@pytest.fixture
async def client(simulator: Simulator) -> Any:
    simulator.reset_limits()
    async with BinanceClient(
        spot_base_url=simulator.base_url("spot"), futures_base_url=simulator.base_url("futures")
    ) as one:
        yield one


SEEN: set[tuple[str, str, str]] = set()


def compare(what: str, market: MarketName, ours: Mapping[str, Any], ccxt: Mapping[str, Any]) -> None:
    for key, value in ccxt.items():
        reasons = [reason for reason in ((what, market, key), (what, EVERYWHERE, key)) if reason in REASONS]
        mine = ours.get(key)
        if same(mine, value):
            continue
        assert reasons, f"{what} {market} {key}: ours {mine!r}, CCXT's {value!r}, and no reason is written down"
        SEEN.update((what, market, key) if reason[1] == market else reason for reason in reasons)


def same(mine: Any, value: Any) -> bool:
    if isinstance(mine, float) and isinstance(value, int | float):
        # CCXT computes cost in strings and may round the last digit; everything else is equal to the bit.
        return math.isclose(mine, value, rel_tol=1e-12)
    return bool(mine == value)


def namespace(client: BinanceClient, market: MarketName) -> Any:
    return client.spot if market == "spot" else client.futures


async def our_ticker(client: BinanceClient, symbol: str, market: MarketName) -> Row:
    row = tickers.ticker_row(await namespace(client, market).ticker_24hr(symbol))
    assert row is not None
    if market == "usdm":
        tickers.add_book(row, await client.futures.ticker_book_ticker(symbol))
        tickers.add_premium(row, await client.futures.premium_index(symbol))
    return row


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("symbol", SYMBOLS)
async def test_tickers(client: BinanceClient, theirs: Ccxt, symbol: str, market: MarketName) -> None:
    ours = await our_ticker(client, symbol, market)
    ccxt = await asyncio.to_thread(theirs.exchange.fetch_ticker, theirs.symbol(symbol, market))
    compare("ticker", market, ours, ccxt)
    assert ours["symbol"] == symbol
    # What CCXT leaves open on futures, it gets from another call; there the two agree again.
    if market == "usdm":
        quotes = await asyncio.to_thread(theirs.exchange.fetch_bids_asks, [theirs.symbol(symbol, market)])
        (theirs_now,) = quotes.values()
        for key in ("bid", "ask", "bidVolume", "askVolume"):
            assert ours[key] == theirs_now[key]
        rate = await asyncio.to_thread(theirs.exchange.fetch_funding_rate, theirs.symbol(symbol, market))
        assert (ours["fundingRate"], ours["markPrice"]) == (rate["fundingRate"], rate["markPrice"])
        assert (ours["indexPrice"], ours["nextFundingTime"]) == (rate["indexPrice"], rate["fundingTimestamp"])


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("symbol", SYMBOLS)
async def test_trades(client: BinanceClient, theirs: Ccxt, symbol: str, market: MarketName) -> None:
    answer = await namespace(client, market).trades(symbol, limit=200)
    ours = convert.trade_rows(answer, symbol)
    unified = theirs.symbol(symbol, market)
    # CCXT asks for aggregates unless it is told which call to make.
    method = "publicGetTrades" if market == "spot" else "fapiPublicGetTrades"
    ccxt = await asyncio.to_thread(theirs.exchange.fetch_trades, unified, None, 200, {"fetchTradesMethod": method})
    assert len(ours) == len(ccxt) == 200
    for mine, other in zip(ours, ccxt, strict=True):
        compare("trade", market, mine, other)
        assert mine["cost"] == pytest.approx(mine["price"] * mine["amount"], rel=1e-9, abs=0.01)


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("timeframe", ["1m", "5m", "30m", "4h"])
async def test_candles_are_equal_to_the_bit(
    client: BinanceClient, theirs: Ccxt, timeframe: Any, market: MarketName
) -> None:
    answer = await namespace(client, market).klines("BTCUSDT", timeframe, limit=50)
    unified = theirs.symbol("BTCUSDT", market)
    ccxt = await asyncio.to_thread(theirs.exchange.fetch_ohlcv, unified, timeframe, None, 50)
    assert convert.ohlcv_rows(answer) == ccxt


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("symbol", SYMBOLS)
async def test_books(client: BinanceClient, theirs: Ccxt, symbol: str, market: MarketName) -> None:
    answer = await namespace(client, market).depth(symbol, limit=100)
    ours = convert.order_book(answer, symbol, received=NOW)
    ccxt = await asyncio.to_thread(theirs.exchange.fetch_order_book, theirs.symbol(symbol, market), 100)
    compare("book", market, ours, ccxt)
    assert ours["bids"] == [list(level) for level in ccxt["bids"]]
    assert ours["asks"] == [list(level) for level in ccxt["asks"]]


async def test_no_reason_is_left_over(client: BinanceClient, theirs: Ccxt) -> None:
    """A difference that is gone takes its reason with it. Compares all once more: tests are spread over processes."""
    for market in MARKETS:
        for symbol in SYMBOLS:
            await test_tickers(client, theirs, symbol, market)
            await test_trades(client, theirs, symbol, market)
            await test_books(client, theirs, symbol, market)
    wanted = {reason for reason in REASONS if reason[:2] != ("book", "usdm")}
    assert wanted <= SEEN, f"no longer needed: {sorted(wanted - SEEN)}"
