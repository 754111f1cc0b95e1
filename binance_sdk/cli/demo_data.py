"""The data of the demonstration, fetched concurrently by one client."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from binance_sdk import BinanceClient
from binance_sdk import spot as market
from binance_sdk.cli.cost_report import CostReport
from binance_sdk.cli.event_loop import first_failure
from binance_sdk.errors import APIError, BinanceError, ConfigError
from binance_sdk.futures import FundingRate, OpenInterest, PremiumIndex

INTERVALS: tuple[market.KlineInterval, ...] = ("5m", "1h", "4h", "1d")
DEPTH = 10
TRADES = 2 * DEPTH + 1
FUNDING = 7
_UNKNOWN_SYMBOL = -1121


@dataclass(frozen=True)
class Rules:
    """The rules for orders of a symbol; None where it has no such rule."""

    symbol: str
    base: str
    quote: str
    status: str
    tick: Decimal | None = None
    step: Decimal | None = None
    min_qty: Decimal | None = None
    min_notional: Decimal | None = None

    @classmethod
    def of(cls, info: market.SymbolInfo) -> Rules:
        """Read the filters of a symbol."""
        tick = step = min_qty = min_notional = None
        for rule in info.filters:
            match rule:
                case market.PriceFilter():
                    tick = rule.tick_size
                case market.LotSizeFilter():
                    step, min_qty = rule.step_size, rule.min_qty
                case market.NotionalFilter() | market.MinNotionalFilter():
                    min_notional = rule.min_notional
                case _:
                    pass
        return cls(info.symbol, info.base_asset, info.quote_asset, info.status, tick, step, min_qty, min_notional)


@dataclass(frozen=True)
class Contract:
    """Data of the perpetual contract with the same name; empty if there is none."""

    funding: Sequence[FundingRate] = ()
    open_interest: OpenInterest | None = None
    premium: PremiumIndex | None = None


@dataclass(frozen=True)
class DemoData:
    """The market of one symbol at one moment.

    Attributes:
        absent: Why there is no data from futures; empty if there is.
        failure: An error on futures that is not simply a missing contract.
    """

    server_time: datetime
    rules: Rules
    candles: Mapping[market.KlineInterval, Sequence[market.Kline]]
    book: market.OrderBook
    trades: Sequence[market.Trade]
    ticker: market.Ticker24hr
    contract: Contract = field(default_factory=Contract)
    absent: str = ""
    failure: BinanceError | None = None


async def fetch(
    client: BinanceClient, symbol: str, candles: Mapping[market.KlineInterval, int], report: CostReport
) -> DemoData:
    """Ask for the time, then for everything else concurrently.

    Args:
        client: An open client.
        symbol: Symbol, on spot and on futures.
        candles: How many candles of each interval.
        report: Where the calls are entered.

    Raises:
        BinanceError: a spot call failed; failures on futures are in the result.
    """
    plan, send = client.spot.plan, client.spot.with_raw_response
    call = report.call

    def bars(interval: market.KlineInterval) -> Coroutine[object, object, list[market.Kline]]:
        limit = candles[interval]
        return call(plan.klines(symbol, interval, limit=limit), lambda: send.klines(symbol, interval, limit=limit))

    # Alone and first: if nothing answers, its error says why, and not that others have failed before.
    time = await call(plan.time(), send.time)
    try:
        async with asyncio.TaskGroup() as group:
            start = group.create_task
            info = start(call(plan.exchange_info(symbol), lambda: send.exchange_info(symbol)))
            charts: dict[market.KlineInterval, asyncio.Task[list[market.Kline]]] = {
                interval: start(bars(interval)) for interval in INTERVALS
            }
            book = start(call(plan.depth(symbol, limit=DEPTH), lambda: send.depth(symbol, limit=DEPTH)))
            trades = start(call(plan.trades(symbol, limit=TRADES), lambda: send.trades(symbol, limit=TRADES)))
            ticker = start(call(plan.ticker_24hr(symbol), lambda: send.ticker_24hr(symbol)))
            contract = start(_fetch_contract(client, symbol, report))
    except ExceptionGroup as failures:
        raise first_failure(failures) from failures
    found, absent, failure = contract.result()
    return DemoData(
        server_time=time.server_time_dt,
        rules=Rules.of(info.result().symbols[0]),
        candles={interval: task.result() for interval, task in charts.items()},
        book=book.result(),
        trades=trades.result(),
        ticker=ticker.result(),
        contract=found,
        absent=absent,
        failure=failure,
    )


async def _fetch_contract(
    client: BinanceClient, symbol: str, report: CostReport
) -> tuple[Contract, str, BinanceError | None]:
    plan, send = client.futures.plan, client.futures.with_raw_response
    call, history = report.call, send.funding_rate
    try:
        async with asyncio.TaskGroup() as group:
            start = group.create_task
            funding = start(call(plan.funding_rate(symbol, limit=FUNDING), lambda: history(symbol, limit=FUNDING)))
            interest = start(call(plan.open_interest(symbol), lambda: send.open_interest(symbol)))
            premium = start(call(plan.premium_index(symbol), lambda: send.premium_index(symbol)))
    except ExceptionGroup as failures:
        error = first_failure(failures)
        if isinstance(error, ConfigError):
            # An environment without futures.
            return Contract(), str(error), None
        if isinstance(error, APIError) and error.code == _UNKNOWN_SYMBOL:
            return Contract(), f"there is no futures contract {symbol}", None
        if isinstance(error, BinanceError):
            return Contract(), str(error), error
        raise error from failures
    return Contract(funding.result(), interest.result(), premium.result()), "", None
