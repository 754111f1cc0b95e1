"""One book with a loader that the test holds."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable
from typing import Any, cast

from binance_sdk._runtime.book.messages import Snapshot
from binance_sdk._runtime.live_book.keeper import BookKeeper
from binance_sdk._runtime.live_book.snapshots import SnapshotLoader
from binance_sdk._runtime.live_book.surroundings import Surroundings
from binance_sdk._runtime.live_book.update_decoder import update_decoder
from binance_sdk._runtime.stream.connection.pacing import Backoff
from binance_sdk.errors import BinanceError
from tests.book.rule_sets import SPOT
from tests.streams.manual_clock import ManualClock


class Loader:
    """Answers what the test puts into it, in its order."""

    def __init__(self) -> None:
        self.answers: asyncio.Queue[Any] = asyncio.Queue()
        self.asked = 0
        self.far = False

    async def load(
        self,
        symbol: str,
        *,
        on_far: Callable[[], None] = lambda: None,
        on_near: Callable[[], None] = lambda: None,
        wanted: Callable[[], bool] = lambda: True,
    ) -> Snapshot | None:
        if self.far:
            on_far()
            await asyncio.sleep(math.inf)
        on_near()
        self.asked += 1
        if not wanted():
            return None
        found = await self.answers.get()
        if isinstance(found, BinanceError):
            raise found
        return cast(Snapshot, found)

    @property
    def progress(self) -> Any:
        from binance_sdk._runtime.budget.share_queue import QueueProgress

        return QueueProgress((), (), 0, 0.0)


class World:
    """A book, and everything around it."""

    def __init__(self, rules: Any = SPOT) -> None:
        self.clock = ManualClock()
        self.loader = Loader()
        self.told: list[Any] = []
        self.failed: list[BookKeeper] = []
        around = Surroundings(
            "spot",
            rules,
            update_decoder(rules),
            cast(SnapshotLoader, self.loader),
            self.clock,
            self.told.append,
            lambda: Backoff(jitter=lambda: 1.0),
        )
        self.keeper = BookKeeper("BTCUSDT", around, self.failed.append)
        self.task = asyncio.create_task(self.keeper.run())

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    async def synced_at(self, last_id: int) -> None:
        self.keeper.connection_ready()
        self.snapshot(last_id)
        await self.settle()
        assert self.keeper.synced

    def snapshot(self, last_id: int, bid: str = "99", ask: str = "101") -> None:
        self.loader.answers.put_nowait(Snapshot(last_id, 100, [(bid, "1")], [(ask, "1")]))

    def update(self, first: int, last: int, previous: int | None = None, **levels: Any) -> str:
        event: dict[str, Any] = {"e": "depthUpdate", "U": first, "u": last, "b": [], "a": [], **levels}
        if previous is not None:
            event["pu"] = previous
        return self.keeper.take(json.dumps(event).encode(), self.clock.monotonic())

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.told if isinstance(event, kind)]
