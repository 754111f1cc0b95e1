"""Binance may send fewer rows than were asked for; the adapter goes on until it has what was wanted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest

from binance_sdk import BinanceClient
from binance_sdk.errors import DecodeError
from tests.virtuoso.models import AggTradePages
from virtuoso_binance import calls
from virtuoso_binance.large_trades import LargeTradeMonitor
from virtuoso_binance.symbols import Listed

MINUTE, FIVE, HOUR = 60_000, 300_000, 3_600_000
NOW = 1_795_000_000_000 // HOUR * HOUR
THERE = 40
"""Rows that exist."""


def bar(start: int) -> list[Any]:
    return [start, "1", "1", "1", "1", "1", start + MINUTE - 1, "1", 1, "1", "1", "0"]


class Short:
    """An exchange whose pages hold ``most`` rows, whatever is asked for."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.sent = 0
        self.repeats = False

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.sent += 1
        asked, path = request.url.params, request.url.path
        step = FIVE if path.startswith("/futures/data") else 8 * HOUR if path.endswith("fundingRate") else MINUTE
        starts = [NOW - step * n for n in range(THERE - 1, -1, -1)]
        first, last = int(asked.get("startTime", 0)), int(asked.get("endTime", 2**60))
        if not self.repeats:
            starts = [start for start in starts if first <= start <= last]
        size = min(self.most, int(asked["limit"]))
        starts = starts[:size] if "startTime" in asked else starts[-size:]
        return httpx.Response(200, json=[self.row(path, start) for start in starts], headers={"Date": DATE})

    @staticmethod
    def row(path: str, time: int) -> Any:
        if path.startswith("/futures/data"):
            return {"symbol": "A", "sumOpenInterest": "1", "sumOpenInterestValue": "1", "timestamp": time}
        if path.endswith("fundingRate"):
            return {"symbol": "A", "fundingRate": "0.1", "fundingTime": time, "markPrice": "1"}
        return bar(time)


DATE = "Wed, 18 Nov 2026 11:00:01 GMT"
"""Of ``NOW``."""


def listed_on(market: Any) -> Listed:
    # What its rules say is no part of this.
    return Listed(market, "BTCUSDT", "", cast(Any, None))


@pytest.fixture
async def exchange() -> Short:
    return Short(7)


@pytest.fixture
async def client(exchange: Short) -> AsyncIterator[BinanceClient]:
    http = httpx.AsyncClient(transport=httpx.MockTransport(exchange))
    async with http, BinanceClient(http_client=http, budget=False) as made:
        yield made


@pytest.mark.parametrize("market", ["spot", "usdm"])
@pytest.mark.parametrize("end", [None, NOW - 5 * MINUTE + 1])
async def test_candles(client: BinanceClient, exchange: Short, market: Any, end: int | None) -> None:
    listed = listed_on(market)
    rows = await calls.newest_klines(client, listed, "1m", 30, end)
    newest = NOW if end is None else NOW - 5 * MINUTE
    assert [row.open_time for row in rows] == [newest - MINUTE * n for n in range(29, -1, -1)]
    assert exchange.sent == 5
    # All there are, where there are fewer.
    assert len(await calls.newest_klines(client, listed, "1m", 99)) == THERE


async def test_candles_that_are_repeated_are_an_error(client: BinanceClient, exchange: Short) -> None:
    exchange.repeats = True
    with pytest.raises(DecodeError, match="asked for"):
        await calls.newest_klines(client, listed_on("spot"), "1m", 30)
    assert exchange.sent == 2


async def test_open_interest_funding_and_candles_of_prices(client: BinanceClient) -> None:
    interest = await calls.open_interest(client, "BTCUSDT", "5m", 20)
    assert [row.time for row in interest] == [NOW - FIVE * n for n in range(19, -1, -1)]
    for end, newest in ((None, NOW), (NOW - HOUR, NOW - 8 * HOUR)):
        funding = await calls.funding_events(client, "BTCUSDT", start=None, end=end, limit=20)
        assert [row.funding_time for row in funding] == [newest - 8 * HOUR * n for n in range(19, -1, -1)]
    prices = await calls.price_klines(client.futures.iter_mark_price_klines, "BTCUSDT", "1m", 20)
    assert [row.open_time for row in prices] == [NOW - MINUTE * n for n in range(19, -1, -1)]


async def test_large_trades_keep_up_with_pages_that_became_shorter() -> None:
    pages = AggTradePages(newest=1000, most=100, time=NOW)
    http = httpx.AsyncClient(transport=httpx.MockTransport(pages))
    async with http, BinanceClient(http_client=http, budget=False) as client:
        monitor = LargeTradeMonitor(client, listed_on("usdm"), max_pages=80)
        await monitor.poll()
        pages.most = 10
        for _ in range(25):
            pages.newest += 35
            await monitor.poll()
        # At first a page of ten looks short; when that is all there ever is, it is what a page holds.
        assert monitor.watch.last_id == pages.newest
        assert not monitor.watch.gaps
