"""Room for what is held in memory: as much at once as fits, and what is larger than all of it alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from binance_sdk._runtime.ending import to_the_end


class Room:
    """So many bytes, for tasks of one event loop."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken = 0
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def take(self, size: int) -> AsyncGenerator[None, None]:
        """Wait until so much is free, and have it for a while."""
        needed = min(size, self._size)
        async with self._changed:
            await self._changed.wait_for(lambda: self._taken + needed <= self._size)
            self._taken += needed
        try:
            yield
        finally:
            await to_the_end(self._give_back(needed))

    async def _give_back(self, size: int) -> None:
        async with self._changed:
            self._taken -= size
            self._changed.notify_all()
