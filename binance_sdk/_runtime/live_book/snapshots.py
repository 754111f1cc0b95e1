"""Snapshots of books over REST, each in its turn, so that many books take no more than a share of the weight."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from binance_sdk._runtime.book.messages import Snapshot
from binance_sdk._runtime.budget.share_queue import QueueProgress, ShareQueue
from binance_sdk._runtime.calls.drive import drive
from binance_sdk._runtime.calls.engine import Engine
from binance_sdk._runtime.clock import StopSignal
from binance_sdk._runtime.operation import Operation
from binance_sdk._runtime.options import RequestOptions
from binance_sdk._runtime.response import Response

NEAR_SECONDS = 5.0
"""A turn that is no further off counts as near: from then on updates are kept for the snapshot."""


class SnapshotLoader:
    """Loads the snapshots of some books of one market.

    Args:
        engine: Makes the calls, inside the budget of the client.
        defaults: Options of the client.
        operation: Answers a snapshot.
        queue: Where the turns come from.
        limit: Levels a side.
        share: Part of the usable weight that the queue may take, this request included.
        blocking: The engine waits by blocking, and so runs in threads of its own.
    """

    def __init__(
        self,
        engine: Engine,
        defaults: RequestOptions,
        operation: Operation[Any],
        queue: ShareQueue,
        *,
        limit: int,
        share: float,
        blocking: bool,
    ) -> None:
        self._engine = engine
        # An answer from the cache is no news, and a book without one of its levels would be wrong.
        self._options = RequestOptions(priority="high", cache=False, wait=True, bad_rows="raise").over(defaults)
        self._operation = operation
        self._queue = queue
        self._blocking = blocking
        self._share = share
        self.limit = limit

    @property
    def progress(self) -> QueueProgress:
        """The queue, in which the books of other calls of the same client may wait too."""
        return self._queue.progress

    async def load(
        self,
        symbol: str,
        *,
        on_far: Callable[[], None] = lambda: None,
        on_near: Callable[[], None] = lambda: None,
        wanted: Callable[[], bool] = lambda: True,
    ) -> Snapshot | None:
        """A snapshot, when its turn has come.

        Args:
            symbol: Of which book.
            on_far: Called if the turn is far off.
            on_near: Called when it is near, always before the request is sent.
            wanted: Asked when the turn has come; False gives it up.

        Returns:
            None if it was not wanted any more.

        Raises:
            BinanceError: the request failed.
        """
        arguments = {"symbol": symbol, "limit": self.limit}
        weight = self._engine.prepare(self._operation, arguments).cost.weight
        place = self._queue.enter(symbol, weight, self._share)
        extra = 0
        try:
            if self._queue.seconds_until(place) > NEAR_SECONDS:
                on_far()
                await self._queue.wait_near(place, NEAR_SECONDS)
            on_near()
            await self._queue.wait_turn(place)
            if not wanted():
                return None
            response = await self._call(arguments)
            extra = response.retries * weight
        finally:
            self._queue.leave(place, extra)
        found = response.data
        bids, asks = ([(row[0], row[1]) for row in side] for side in (found.bids, found.asks))
        return Snapshot(found.last_update_id, self.limit, bids, asks)

    async def _call(self, arguments: Mapping[str, object]) -> Response[Any]:
        if not self._blocking:
            return await self._engine.call(self._operation, arguments, self._options)
        # The engine of a blocking client waits by blocking, which the loop of the streams must not.
        stop = StopSignal()
        try:
            return await asyncio.to_thread(stop.run, self._drive, arguments)
        except asyncio.CancelledError:
            # Or the thread would go on waiting for the budget, and the client could not be closed before.
            stop.set()
            raise

    def _drive(self, arguments: Mapping[str, object]) -> Response[Any]:
        return drive(self._engine.call(self._operation, arguments, self._options))
