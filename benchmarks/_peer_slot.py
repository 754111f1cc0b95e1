"""Our streams as the peers' benchmark wants them: consume so many messages, tell how many they were and a price."""

from __future__ import annotations

from typing import Literal

# What a consumer has loaded before his first message; the peers load theirs with the import of their module.
import binance_sdk.streams
from binance_sdk import BinanceClient
from binance_sdk._runtime.stream import opener, over_aiohttp, over_websockets
from binance_sdk.spot import AggTradeEvent, BookTickerEvent, DiffDepthEvent

__all__ = ["Ours", "binance_sdk", "opener", "over_aiohttp", "over_websockets"]


class Ours:
    """The methods of a client module; the class that the benchmark finds adds its name and its base."""

    transport: Literal["httpx", "aiohttp"] = "httpx"
    http: str
    ws: str

    async def open(self) -> None:
        self.client = BinanceClient(spot_base_url=self.http, spot_stream_url=self.ws, transport=self.transport)

    async def close(self) -> None:
        await self.client.aclose()

    async def ws_consume(self, kind: str, n: int) -> tuple[int, float]:
        """``n`` messages of ``aggTrade``, ``bookTicker`` or ``depth``."""
        spot, seen = self.client.spot.streams, 0
        if kind == "aggTrade":
            async with spot.agg_trade("BTCUSDT") as trades:
                async for trade in trades:
                    seen += 1
                    if seen == n and isinstance(trade, AggTradeEvent):
                        return seen, float(trade.price)
        elif kind == "bookTicker":
            async with spot.book_ticker("BTCUSDT") as quotes:
                async for quote in quotes:
                    seen += 1
                    if seen == n and isinstance(quote, BookTickerEvent):
                        return seen, float(quote.bid_price)
        async with spot.diff_depth("BTCUSDT", speed="100ms") as updates:
            async for update in updates:
                seen += 1
                if seen == n and isinstance(update, DiffDepthEvent):
                    return seen, float(update.bids[0].price)
        raise AssertionError("the stream ended")
