"""Live books of a simulator, each piece of work to be cancelled at any step."""

from __future__ import annotations

from typing import Any, cast

from binance_sdk import BinanceClient
from binance_sdk.simulator import Simulator

from .steps import World


class Books(World):
    """One client of a simulator that runs in a thread of its own."""

    def __init__(self, simulator: Simulator, transport: str) -> None:
        self.simulator = simulator
        self.transport = transport

    async def open(self) -> None:
        self.client: BinanceClient = self.simulator.client(transport=cast("Any", self.transport))

    async def interfere(self) -> None:
        await self.client.aclose()

    async def close(self) -> None:
        await self.client.aclose()

    async def end(self) -> None:
        """The simulator goes on."""


class Book(Books):
    async def work(self) -> None:
        async with self.client.spot.order_book("BTCUSDT", limit=100) as book:
            async for _ in book.updates():
                break
            await book.verify()


class Group(Books):
    async def work(self) -> None:
        async with self.client.spot.order_books(["BTCUSDT", "ETHUSDT"], limit=100, share=1.0) as books:
            await books.wait_synced(20)
            await books.add("BNBUSDT")
            await books["BTCUSDT"].aclose()
            await books.wait_synced(20)


class Verified(Books):
    """A book that is compared again and again beside the work."""

    async def work(self) -> None:
        async with self.client.futures.order_book("BTCUSDT", limit=100, verify_every=60) as book:
            await book.wait_synced(20)


CASES: tuple[type[Books], ...] = (Book, Group, Verified)
