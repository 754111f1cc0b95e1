"""Order books that streams keep true, for ``fetch_order_book``: each begins when its symbol is first asked for.

Nobody waits for one. Until it is synced, and whenever it is not, the book is asked for over REST as ever.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine

from binance_sdk import BinanceClient
from binance_sdk.books import LiveBook, LiveBooks
from binance_sdk.errors import BinanceError
from virtuoso_binance.symbols import Listed, MarketName

__all__ = ["LiveOrderBooks"]

logger: logging.Logger = logging.getLogger("virtuoso_binance")

_AGAIN_SECONDS = 60.0
"""A book that could not be begun, or has ended, is begun again no sooner than this."""


class LiveOrderBooks:
    """The live books of one client, all of a market on one connection. For the event loop of the client.

    Args:
        client: Closes them with itself.
        clock: Monotonic seconds.
    """

    def __init__(self, client: BinanceClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._books: dict[MarketName, LiveBooks] = {}
        self._begun: dict[tuple[MarketName, str], float] = {}
        self._opening = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def book(self, listed: Listed) -> LiveBook | None:
        """The book of a symbol if it is synced; otherwise it is begun, unless that was done just now."""
        books = self._books.get(listed.market)
        found = None if books is None else books.get(listed.symbol)
        if found is not None and found.synced:
            return found
        ended = books is not None and listed.symbol in books.errors
        now = self._clock()
        key: tuple[MarketName, str] = (listed.market, listed.symbol)
        begun = self._begun.get(key)
        if begun is None or ((found is None or ended) and now >= begun + _AGAIN_SECONDS):
            self._begun[key] = now
            self._in_background(self._begin(listed))
        return None

    async def _begin(self, listed: Listed) -> None:
        try:
            # One after the other, so that there is one connection.
            async with self._opening:
                books = self._books.get(listed.market)
                if books is not None:
                    await books.add(listed.symbol)
                    return
                if listed.market == "spot":
                    opening = self._client.spot.order_books([listed.symbol], speed="1000ms")
                else:
                    opening = self._client.futures.order_books([listed.symbol], speed="500ms")
                self._books[listed.market] = await opening.open()
        except BinanceError as error:
            text = "no live order book of %s, REST answers for it: %s"
            logger.warning(text, listed.symbol, error)

    def _in_background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Follow the exchange no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for books in self._books.values():
            await books.aclose()
