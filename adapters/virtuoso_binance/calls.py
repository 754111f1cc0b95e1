"""The SDK's calls by instrument: one function where spot and futures have a method each."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Literal, TypeAlias, cast

from binance_sdk import BinanceClient, futures, spot
from binance_sdk.futures import Kline, KlineInterval, StatisticsPeriod
from virtuoso_binance.symbols import Listed, MarketName
from virtuoso_binance.timeframes import interval_ms

__all__ = [
    "BOOK_LIMITS",
    "book",
    "book_limit",
    "funding_events",
    "klines",
    "newest_klines",
    "open_interest",
    "ticker",
    "trades",
]

BookLimit: TypeAlias = Literal[5, 10, 20, 50, 100, 500, 1000]
BOOK_LIMITS: tuple[BookLimit, ...] = (5, 10, 20, 50, 100, 500, 1000)
"""What futures allow. Spot takes any number, but charges by the same steps or coarser ones."""
TRADES_MOST = 1000
_PAGE = {"spot": 1000, "usdm": 1000}
"""Futures give up to 1500 candles, at double the weight of 1000."""
_STATISTICS_MOST, _STATISTICS_KEPT = 500, 30 * 86_400_000
_FUNDING_MOST, _FUNDING_EVERY = 1000, 8 * 3_600_000


def book_limit(wanted: int | None) -> BookLimit:
    """The smallest depth that holds so many levels."""
    for size in BOOK_LIMITS:
        if size >= (wanted or 100):
            return size
    return BOOK_LIMITS[-1]


async def ticker(client: BinanceClient, listed: Listed) -> spot.Ticker24hr | futures.Ticker24hr:
    if listed.market == "spot":
        return await client.spot.ticker_24hr(listed.symbol)
    return await client.futures.ticker_24hr(listed.symbol)


async def book(client: BinanceClient, listed: Listed, limit: BookLimit) -> spot.OrderBook | futures.OrderBook:
    if listed.market == "spot":
        return await client.spot.depth(listed.symbol, limit=limit)
    return await client.futures.depth(listed.symbol, limit=limit)


async def trades(client: BinanceClient, listed: Listed, limit: int) -> list[spot.Trade] | list[futures.Trade]:
    if listed.market == "spot":
        return await client.spot.trades(listed.symbol, limit=limit)
    return await client.futures.trades(listed.symbol, limit=limit)


def _page(client: BinanceClient, market: MarketName) -> Callable[..., Coroutine[Any, Any, list[Kline]]]:
    return client.spot.klines if market == "spot" else client.futures.klines


async def newest_klines(
    client: BinanceClient, listed: Listed, interval: KlineInterval, count: int, end: int | None = None
) -> list[Kline]:
    """The newest candles, oldest first, in as many pages as it takes."""
    ask, most = _page(client, listed.market), _PAGE[listed.market]
    rows: list[Kline] = []
    while len(rows) < count:
        size = min(count - len(rows), most)
        page = await ask(listed.symbol, interval, end_time=end, limit=size)
        rows = page + rows
        if len(page) < size:
            break
        end = page[0][0] - 1
    return rows


async def klines(
    client: BinanceClient,
    listed: Listed,
    interval: KlineInterval,
    *,
    start: int | None = None,
    end: int | None = None,
    limit: int | None = None,
) -> list[Kline]:
    """Candles from ``start`` on, or the newest ones where there is no start; oldest first."""
    if start is None:
        return await newest_klines(client, listed, interval, limit or 500, end)
    if limit is None and end is None:
        limit = 500
    page_size = None
    if limit is not None:
        page_size = min(limit, _PAGE[listed.market])
    elif end is not None:
        page_size = max(1, min((end - start) // interval_ms(interval) + 1, _PAGE[listed.market]))
    namespace = client.spot if listed.market == "spot" else client.futures
    rows = cast("Any", namespace).iter_klines(
        listed.symbol, interval, start_time=start, end_time=end, limit=limit, page_size=page_size
    )
    return [row async for row in rows]


async def open_interest(
    client: BinanceClient, symbol: str, period: StatisticsPeriod, count: int, now: int
) -> list[futures.OpenInterestHist]:
    """The newest periods, oldest first; Binance keeps a month of them."""
    if count <= _STATISTICS_MOST:
        return await client.futures.open_interest_hist(symbol, period, limit=count)
    start = now - min(count * interval_ms(period), _STATISTICS_KEPT)
    rows = client.futures.iter_open_interest_hist(symbol, period, start_time=start, end_time=now)
    return [row async for row in rows][-count:]


async def funding_events(
    client: BinanceClient, symbol: str, *, start: int | None, end: int | None, limit: int, now: int
) -> list[futures.FundingRate]:
    """Past funding, oldest first: from ``start`` on, or the newest before ``end``."""
    if start is None and end is None and limit <= _FUNDING_MOST:
        return await client.futures.funding_rate(symbol, limit=limit)
    if start is not None:
        rows = client.futures.iter_funding_rate(symbol, start_time=start, end_time=end, limit=limit)
        return [row async for row in rows]
    # Where an end alone would begin is not documented. The longest time between two events is 8 h.
    last = end if end is not None else now
    start = max(0, last - (limit + 1) * _FUNDING_EVERY)
    rows = client.futures.iter_funding_rate(symbol, start_time=start, end_time=last)
    return [row async for row in rows][-limit:]
