"""One REST call, or one stream, by each library that can make it."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

from binance_sdk import BinanceClient, SyncBinanceClient
from binance_sdk.errors import BinanceError

REST = ["httpx", "httpx blocking", "aiohttp"]
STREAMS = ["websockets", "aiohttp streams"]
EVERY = [*REST, *STREAMS]
TARGETS = {**dict.fromkeys(REST, "api.binance.com:443"), **dict.fromkeys(STREAMS, "stream.binance.com:9443")}


def use(library: str, **settings: Any) -> BinanceError | None:
    """The error of ours that the call ends with, or None. Any other error is raised."""
    settings = {"max_retries": 0, **settings}
    try:
        if library == "httpx blocking":
            with SyncBinanceClient(**settings) as client:
                assert client.spot.time().server_time == 1790000000000
        else:
            transport = "aiohttp" if "aiohttp" in library else "httpx"
            asyncio.run(_use(library in STREAMS, transport, settings))
    except BinanceError as error:
        return error
    return None


async def _use(stream: bool, transport: Any, settings: dict[str, Any]) -> None:
    async with BinanceClient(transport=transport, **settings) as client:
        if not stream:
            assert (await client.spot.time()).server_time == 1790000000000
            return
        async with client.spot.streams.trade("BTCUSDT") as events:
            async for event in events:
                assert getattr(event, "price", None) == Decimal("2.50")
                return
