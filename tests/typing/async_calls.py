"""What type checkers see at the call sites of the async client. Checked by mypy and pyright, never run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal, assert_type

import pandas
import polars

from binance_sdk import BinanceClient, Plan, RequestOptions, Response, errors, frames
from binance_sdk.catalogue import Market
from binance_sdk.futures import FundingRate, OpenInterest, PremiumIndex
from binance_sdk.futures import Kline as FuturesKline
from binance_sdk.spot import (
    AggTrade,
    Kline,
    KlineInterval,
    OrderBook,
    PriceLevel,
    Ticker24hr,
    Ticker24hrMini,
    TickerMini,
)


async def clients() -> None:
    async with BinanceClient(environment="mainnet") as client:
        assert_type(client, BinanceClient)
        assert_type(client.with_options(RequestOptions(timeout=3.0)), BinanceClient)
        assert_type(await client.aclose(), None)


async def calls(client: BinanceClient, interval: KlineInterval) -> None:
    assert_type(await client.spot.klines("BTCUSDT", "1h", limit=500), list[Kline])
    assert_type(await client.spot.klines("BTCUSDT", interval, start_time=1, end_time=datetime.now()), list[Kline])
    assert_type(await client.spot.depth("BTCUSDT", limit=5000), OrderBook)
    assert_type(await client.spot.depth(symbol="BTCUSDT", options=RequestOptions(headers={"X-A": "1"})), OrderBook)
    assert_type(await client.futures.klines("BTCUSDT", "1h"), list[FuturesKline])
    assert_type(await client.futures.open_interest("BTCUSDT"), OpenInterest)
    assert_type(await client.futures.premium_index("BTCUSDT"), PremiumIndex)
    assert_type(await client.futures.premium_index(), list[PremiumIndex])


async def overloads(client: BinanceClient, size: Literal["FULL", "MINI"]) -> None:
    spot = client.spot
    assert_type(await spot.ticker_24hr("BTCUSDT"), Ticker24hr)
    assert_type(await spot.ticker_24hr("BTCUSDT", type="FULL"), Ticker24hr)
    assert_type(await spot.ticker_24hr("BTCUSDT", type="MINI"), Ticker24hrMini)
    assert_type(await spot.ticker_24hr(), list[Ticker24hr])
    assert_type(await spot.ticker_24hr(type="MINI"), list[Ticker24hrMini])
    assert_type(await spot.ticker_24hr(symbols=["BTCUSDT", "ETHUSDT"]), list[Ticker24hr])
    assert_type(await spot.ticker_24hr(symbols=("BTCUSDT",), type="MINI"), list[Ticker24hrMini])
    assert_type(await spot.ticker(symbols=["BTCUSDT"], type="MINI", window_size="4h"), list[TickerMini])


async def raw(client: BinanceClient) -> None:
    response = await client.futures.with_raw_response.open_interest("BTCUSDT")
    assert_type(response, Response[OpenInterest])
    assert_type(response.data, OpenInterest)
    assert_type(response.data.open_interest, Decimal)
    assert_type(response.status_code, int)
    assert_type(response.content, bytes)
    assert_type(response.weight, int)
    assert_type(response.used_weight, int | None)
    assert_type(response.url, str)
    assert_type(response.elapsed, float)
    assert_type(response.retries, int)
    assert_type(response.headers["x-mbx-used-weight-1m"], str)
    rows = await client.spot.with_raw_response.klines("BTCUSDT", "1h", limit=5)
    assert_type(rows, Response[list[Kline]])
    assert_type(rows.to_polars(prices="decimal", scale={"close": 8}, time_unit="ms"), polars.DataFrame)
    assert_type(rows.to_pandas(index="open_time", columns=["open_time", "close"]), pandas.DataFrame)
    assert_type(frames.to_polars(rows.data, row_type=Kline), polars.DataFrame)
    rows.to_polars(prices="exact")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    rows.to_numpy(index="open_time")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    # The overloads live on behind the wrapper.
    assert_type(await client.spot.with_raw_response.ticker_24hr("BTCUSDT"), Response[Ticker24hr])
    assert_type(await client.spot.with_raw_response.ticker_24hr(type="MINI"), Response[list[Ticker24hrMini]])


def plans(client: BinanceClient) -> None:
    plan = client.spot.plan.depth("BTCUSDT", limit=5000)
    assert_type(plan, Plan)
    assert_type(plan.weight, int)
    assert_type(plan.groups, Mapping[str, int])
    assert_type(plan.at_least, float)
    assert_type(client.spot.plan.iter_klines("BTCUSDT", "1m", start_time=1, limit=5), Plan)
    assert_type(client.spot.plan.ticker_24hr(symbols=["BTCUSDT"]), Plan)


async def iterators(client: BinanceClient) -> None:
    assert_type(client.spot.iter_klines("BTCUSDT", "1m", start_time=1, page_size=500), AsyncIterator[Kline])
    async for trade in client.spot.iter_agg_trades("BTCUSDT", from_id=7):
        assert_type(trade, AggTrade)
    assert_type([rate async for rate in client.futures.iter_funding_rate("BTCUSDT")], list[FundingRate])


def rows(kline: Kline, book: OrderBook) -> None:
    assert_type(kline.open_time, int)
    assert_type(kline.open_time_dt, datetime)
    assert_type(kline.close, Decimal)
    assert_type(kline.trade_count, int)
    assert_type(kline[0], int)
    assert_type(kline[4], str)
    assert_type(book.bids, list[PriceLevel])
    assert_type(book.bids[0].price, Decimal)
    assert_type(Kline.from_wire([]), Kline)
    assert_type(kline._asdict(), dict[str, int | str | Decimal])


async def markets_by_name(client: BinanceClient, name: Market) -> None:
    assert_type(await client.market("spot").klines("BTCUSDT", "1h"), list[Kline])
    assert_type(await client.market("futures").open_interest("BTCUSDT"), OpenInterest)
    # Of a market whose name is not known yet, what every market has.
    await client.market(name).ping()
    assert_type(client.limits.market(name).pool, str)


def limits(client: BinanceClient) -> None:
    assert_type(client.limits.spot.used, int)
    assert_type(client.limits.spot.limit, int)
    assert_type(client.limits.futures.groups["funding_rate"].used, int)


def told(error: errors.BinanceError) -> None:
    assert_type(error.operation, str | None)
    if isinstance(error, errors.IPBannedError):
        assert_type(error.banned_until, int | None)
    if isinstance(error, errors.APIError):
        assert_type(error.status_code, int)
        assert_type(error.code, int | None)
        assert_type(error.retry_after, float | None)
        assert_type(error.body, bytes)
