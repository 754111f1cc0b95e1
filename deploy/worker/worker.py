"""A process that watches some symbols, shares its request budget with others, and can be watched by Prometheus.

Environment variables: ``SYMBOLS`` (comma-separated), ``METRICS_PORT``, and those of the client, such as
``BINANCE_SDK_LIMITS_URL`` and ``BINANCE_SDK_SIMULATOR``.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal

import prometheus_client

from binance_sdk import BinanceClient
from binance_sdk.metrics import instrument

LOGGER = logging.getLogger("worker")


async def watch(client: BinanceClient, symbols: list[str], stop: asyncio.Event) -> None:
    """Keep live order books, and ask for candles once in a while."""
    async with client.spot.order_books(symbols) as books:
        await books.wait_synced()
        LOGGER.info("the books of %s are synced", ", ".join(symbols))
        while not stop.is_set():
            async for symbol, klines in client.spot.each(client.spot.klines, symbols, "1m", limit=100):
                book = books[symbol]
                LOGGER.info("%s closed at %s, spread %s", symbol, klines[-1].close, book.last_known.spread)
            try:
                await asyncio.wait_for(stop.wait(), 10)
            except TimeoutError:
                continue


async def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    symbols = [symbol.strip() for symbol in os.environ.get("SYMBOLS", "BTCUSDT").split(",") if symbol.strip()]
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with BinanceClient(cache=True) as client:
        instrument(client, symbols=True)
        server, thread = prometheus_client.start_http_server(int(os.environ.get("METRICS_PORT", "9000")))
        try:
            await watch(client, symbols, stop)
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


if __name__ == "__main__":
    asyncio.run(main())
