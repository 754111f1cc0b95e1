"""Mistakes that type checkers must find: an ignore that is not needed is itself an error. Never run."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from binance_sdk import BinanceClient, Caps, RequestOptions, SyncBinanceClient
from binance_sdk.spot import Kline, Ticker24hr


def settings() -> None:
    BinanceClient("main")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    BinanceClient("testnet", "http://127.0.0.1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    RequestOptions(retries=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def markets(client: SyncBinanceClient) -> None:
    client.market("margin")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    client.limits.market("margin")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Caps(spot_weight=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def arguments(client: SyncBinanceClient) -> None:
    client.spot.klines("BTCUSDT", "1H")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.spot.klines("BTCUSDT")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.spot.klines("BTCUSDT", "1h", 500)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.futures.klines("BTCUSDT", "1s")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.spot.depth("BTCUSDT", limit="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.spot.agg_trades("BTCUSDT", start_time=1.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.spot.dept("BTCUSDT")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    client.spot.plan.depth("BTCUSDT", size=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.spot.iter_historical_block_trades("BTCUSDT")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def overloads(client: SyncBinanceClient) -> None:
    client.spot.ticker_24hr("A", symbols=["B"])  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    client.spot.ticker_24hr("A", type="TINY")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]
    client.spot.ticker()  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    one: Ticker24hr = client.spot.ticker_24hr()  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    print(one)  # noqa: T201


async def forgotten_await(client: BinanceClient) -> None:
    client.spot.depth("BTCUSDT").bids  # type: ignore[attr-defined]  # noqa: B018  # pyright: ignore
    for _kline in client.spot.iter_klines("A", "1h"):  # type: ignore[attr-defined]  # pyright: ignore
        pass


def frozen(kline: Kline) -> None:
    kline.close = kline.open  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    kline.count_of_trades  # type: ignore[attr-defined]  # noqa: B018  # pyright: ignore
