"""What type checkers see at the call sites of the blocking client. Checked by mypy and pyright, never run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_type

from binance_sdk import Plan, RequestOptions, Response, SyncBinanceClient
from binance_sdk.futures import FundingRate, OpenInterest, PremiumIndex
from binance_sdk.spot import Kline, OrderBook, Ticker24hr, Ticker24hrMini


def clients() -> None:
    with SyncBinanceClient("data_only", timeout=3.0) as client:
        assert_type(client, SyncBinanceClient)
        assert_type(client.with_options(RequestOptions(max_retries=0)), SyncBinanceClient)
        assert_type(client.close(), None)


def calls(client: SyncBinanceClient) -> None:
    assert_type(client.spot.klines("BTCUSDT", "1h", limit=500), list[Kline])
    assert_type(client.spot.depth("BTCUSDT"), OrderBook)
    assert_type(client.futures.open_interest("BTCUSDT"), OpenInterest)
    assert_type(client.futures.premium_index("BTCUSDT"), PremiumIndex)
    assert_type(client.futures.premium_index(), list[PremiumIndex])


def overloads(client: SyncBinanceClient) -> None:
    assert_type(client.spot.ticker_24hr("BTCUSDT"), Ticker24hr)
    assert_type(client.spot.ticker_24hr(), list[Ticker24hr])
    assert_type(client.spot.ticker_24hr("BTCUSDT", type="MINI"), Ticker24hrMini)
    assert_type(client.spot.ticker_24hr(symbols=["BTCUSDT"]), list[Ticker24hr])
    assert_type(client.spot.ticker_24hr(symbols=["BTCUSDT"], type="MINI"), list[Ticker24hrMini])


def raw(client: SyncBinanceClient) -> None:
    assert_type(client.futures.with_raw_response.open_interest("BTCUSDT"), Response[OpenInterest])
    assert_type(client.spot.with_raw_response.ticker_24hr("BTCUSDT").data, Ticker24hr)
    assert_type(client.spot.with_raw_response.ticker_24hr(type="MINI").data, list[Ticker24hrMini])


def plans(client: SyncBinanceClient) -> None:
    assert_type(client.spot.plan.depth("BTCUSDT", limit=5000), Plan)
    assert_type(client.futures.plan.iter_klines("BTCUSDT", "1m", limit=5), Plan)


def iterators(client: SyncBinanceClient) -> None:
    assert_type(client.spot.iter_klines("BTCUSDT", "1m", start_time=1), Iterator[Kline])
    assert_type(next(client.futures.iter_funding_rate("BTCUSDT")), FundingRate)
    assert_type(list(client.spot.iter_klines("BTCUSDT", "1m")), list[Kline])
