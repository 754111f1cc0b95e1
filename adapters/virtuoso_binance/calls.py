"""Calls of the SDK that several parts of the adapter make in the same way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Any, Literal, TypeAlias, TypeVar

from binance_sdk import BinanceClient, RequestOptions, futures
from binance_sdk.errors import BinanceError, ConfigError
from binance_sdk.futures import Kline, KlineInterval, PriceKline, StatisticsPeriod
from virtuoso_binance.symbols import Listed, MarketName
from virtuoso_binance.timeframes import interval_ms

__all__ = [
    "BOOK_LIMITS",
    "SKIP_BAD_ROWS",
    "book_limit",
    "funding_events",
    "gather",
    "klines",
    "newest_klines",
    "open_interest",
    "price_klines",
]

K = TypeVar("K")
V = TypeVar("V")

BookLimit: TypeAlias = Literal[5, 10, 20, 50, 100, 500, 1000]
BOOK_LIMITS: tuple[BookLimit, ...] = (5, 10, 20, 50, 100, 500, 1000)
"""What futures allow. Spot takes any number, but charges by the same steps or coarser ones."""
SKIP_BAD_ROWS = RequestOptions(bad_rows="skip")
"""For answers about all symbols: one that cannot be read must not cost the others theirs. It is logged."""
_KLINES_PAGE = 1000
"""Futures give up to 1500 candles, at double the weight of 1000."""
_PRICE_KLINES_PAGE = 1500


def book_limit(levels: int) -> BookLimit:
    """The smallest depth that holds so many levels, or the largest there is."""
    for limit in BOOK_LIMITS:
        if limit >= levels:
            return limit
    return BOOK_LIMITS[-1]


async def gather(
    coroutines: Mapping[K, Coroutine[Any, Any, V]],
) -> tuple[dict[K, V], dict[K, BinanceError]]:
    """Make all calls at once; the budget decides how many really run together.

    Returns:
        The answers, and why the other calls failed, both in the order given.

    Raises:
        ConfigError: as any error that is none of Binance's, it is a mistake in this program and no failed call.
    """
    results = await asyncio.gather(*coroutines.values(), return_exceptions=True)
    answers: dict[K, V] = {}
    errors: dict[K, BinanceError] = {}
    for name, result in zip(coroutines, results, strict=True):
        if not isinstance(result, BaseException):
            answers[name] = result
        elif isinstance(result, BinanceError) and not isinstance(result, ConfigError):
            errors[name] = result
        else:
            raise result
    return answers, errors


def _pages(client: BinanceClient, market: MarketName) -> Callable[..., AsyncIterator[Kline]]:
    return client.spot.iter_klines if market == "spot" else client.futures.iter_klines


async def newest_klines(
    client: BinanceClient, listed: Listed, interval: KlineInterval, count: int, end: int | None = None
) -> list[Kline]:
    """The newest candles, oldest first, in as many pages as it takes; all there are where there are fewer.

    Raises:
        DecodeError: Binance repeats candles, or sends them in another order.
    """
    if count < 1:
        return []
    pages = _pages(client, listed.market)
    size = min(count, _KLINES_PAGE)
    return [row async for row in pages(listed.symbol, interval, end_time=end, limit=count, page_size=size)]


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
        page_size = min(limit, _KLINES_PAGE)
    elif end is not None:
        page_size = max(1, min((end - start) // interval_ms(interval) + 1, _KLINES_PAGE))
    pages = _pages(client, listed.market)
    asked = {"start_time": start, "end_time": end, "limit": limit, "page_size": page_size}
    return [row async for row in pages(listed.symbol, interval, **asked)]


async def price_klines(
    pages: Callable[..., AsyncIterator[PriceKline]], symbol: str, interval: KlineInterval, count: int
) -> list[PriceKline]:
    """The newest candles of a price that is not traded, oldest first."""
    if count < 1:
        return []
    return [row async for row in pages(symbol, interval, limit=count, page_size=min(count, _PRICE_KLINES_PAGE))]


async def open_interest(
    client: BinanceClient, symbol: str, period: StatisticsPeriod, count: int
) -> list[futures.OpenInterestHist]:
    """The newest periods, oldest first; Binance keeps a month of them."""
    if count < 1:
        return []
    return [row async for row in client.futures.iter_open_interest_hist(symbol, period, limit=count)]


async def funding_events(
    client: BinanceClient, symbol: str, *, start: int | None, end: int | None, limit: int
) -> list[futures.FundingRate]:
    """Past funding, oldest first: from ``start`` on, or the newest before ``end``."""
    rows = client.futures.iter_funding_rate(symbol, start_time=start, end_time=end, limit=limit)
    return [row async for row in rows]
