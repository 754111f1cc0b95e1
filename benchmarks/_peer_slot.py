"""Ours as the peers' benchmark wants it: REST calls with a look at what they gave, streams, and an order book."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Literal

# What a consumer has loaded before his first message; the peers load theirs with the import of their module.
import binance_sdk.books
import binance_sdk.streams
from binance_sdk import BinanceClient
from binance_sdk._runtime.stream import manager
from binance_sdk._runtime.stream.connection import over_aiohttp, over_websockets
from binance_sdk._runtime.transport import over_httpx

__all__ = ["Ours", "binance_sdk", "manager", "over_aiohttp", "over_httpx", "over_websockets"]

_BOOK_ID = 80_000_000_000
_IDS_AN_UPDATE = 40
"""Of the peers' server: the id of its snapshot, and how many ids each update has."""
_KINDS: Mapping[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "aggTrade": (lambda spot: spot.agg_trade("BTCUSDT"), lambda event: event.price),
    "bookTicker": (lambda spot: spot.book_ticker("BTCUSDT"), lambda event: event.bid_price),
    "depth": (lambda spot: spot.diff_depth("BTCUSDT", speed="100ms"), lambda event: event.bids[0].price),
}
"""How each is opened, and the price in an event of it."""


class Ours:
    """The methods of a client module; the class that the benchmark finds adds its name and its base."""

    transport: Literal["httpx", "aiohttp"] = "httpx"
    budget = True
    http: str
    ws: str

    async def open(self) -> None:
        self.client = BinanceClient(
            spot_base_url=self.http,
            futures_base_url=self.http,
            spot_stream_url=self.ws,
            transport=self.transport,
            budget=self.budget,
        )

    async def close(self) -> None:
        await self.client.aclose()

    async def klines(self) -> Any:
        return await self.client.spot.klines("BTCUSDT", "1m", limit=1000)

    async def depth(self) -> Any:
        return await self.client.spot.depth("BTCUSDT", limit=1000)

    async def depth100(self) -> Any:
        return await self.client.spot.depth("BTCUSDT", limit=100)

    async def trades(self) -> Any:
        return await self.client.spot.trades("BTCUSDT", limit=1000)

    async def tickers(self) -> Any:
        return await self.client.spot.ticker_24hr()

    async def exchange_info(self) -> Any:
        return await self.client.spot.exchange_info()

    async def fapi_klines(self) -> Any:
        return await self.client.futures.klines("BTCUSDT", "1m", limit=1000)

    async def premium_index(self) -> Any:
        return await self.client.futures.premium_index()

    def probe(self, operation: str, answer: Any) -> tuple[int, float]:
        """How many rows an answer has, and one of its prices."""
        match operation:
            case "klines" | "fapi_klines":
                return len(answer), float(answer[-1].close)
            case "depth" | "depth100":
                return len(answer.bids) + len(answer.asks), float(answer.bids[0].price)
            case "trades":
                return len(answer), float(answer[-1].price)
            case "tickers":
                return len(answer), float(answer[0].last_price)
            case "exchange_info":
                return len(answer.symbols), float(answer.symbols[0].filters[0].tick_size)
            case "premium_index":
                return len(answer), float(answer[0].mark_price)
            case _:
                raise KeyError(operation)

    async def ws_consume(self, kind: str, n: int) -> tuple[int, float]:
        """``n`` messages of ``aggTrade``, ``bookTicker`` or ``depth``."""
        opened, price = _KINDS[kind]
        seen = 0
        async with opened(self.client.spot.streams) as events:
            async for event in events:
                seen += 1
                if seen == n:
                    return seen, float(price(event))
        raise AssertionError("the stream ended")

    async def ws_book(self, n: int) -> tuple[int, float]:
        """Keep an order book over ``n`` updates; the best bid after them.

        Those that come before the snapshot are applied to it in one go, so they are counted by their ids.
        """
        async with self.client.spot.order_book("BTCUSDT") as book:
            await book.wait_synced()
            while (seen := ((book.update_id or 0) - _BOOK_ID) // _IDS_AN_UPDATE) < n:  # noqa: ASYNC110 - what wakes costs CPU
                await asyncio.sleep(0.01)
            best = book.best_bid
            assert best is not None
            return seen, float(best.price)
