"""One client for each event loop: connections belong to the loop they were opened in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeVar

from binance_sdk._runtime.ending import in_loop, to_the_end
from binance_sdk._runtime.locks import new_lock

ClientT = TypeVar("ClientT")


class PerLoop(Generic[ClientT]):
    """Makes a client for each event loop that asks for one, and closes it in that loop."""

    def __init__(self, make: Callable[[], ClientT], close: Callable[[ClientT], Awaitable[object]]) -> None:
        self._make = make
        self._close = close
        self._own: dict[asyncio.AbstractEventLoop, tuple[ClientT, AsyncGenerator[None, None]]] = {}
        self._lock = new_lock()

    async def get(self) -> ClientT:
        """The client of the running loop."""
        loop = asyncio.get_running_loop()
        found = self._own.get(loop)
        if found is not None:
            return found[0]
        client = self._make()
        guard = self._until_the_loop_ends(client)
        with self._lock:
            for ended in [other for other in self._own if other.is_closed()]:
                del self._own[ended]
            self._own[loop] = (client, guard)
        await anext(guard)
        return client

    async def aclose(self) -> None:
        with self._lock:
            own, self._own = self._own, {}
        await to_the_end(*(in_loop(loop, _aclose(guard)) for loop, (_, guard) in own.items()))

    async def _until_the_loop_ends(self, client: ClientT) -> AsyncGenerator[None, None]:
        """Closes the client when its loop ends: ``asyncio.run`` closes every async generator that is still open."""
        try:
            yield
        finally:
            await self._close(client)


def _aclose(guard: AsyncGenerator[None, None]) -> Callable[[], Coroutine[Any, Any, None]]:
    async def close() -> None:
        await guard.aclose()

    return close
