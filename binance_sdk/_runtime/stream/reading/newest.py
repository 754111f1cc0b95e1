"""The reader of a consumer who wants the newest alone: before it gives out anything, it looks for something newer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Any, cast

from binance_sdk._runtime.stream.choices import Choices
from binance_sdk._runtime.stream.context import Parts
from binance_sdk._runtime.stream.reading.buffer import Buffer
from binance_sdk._runtime.stream.reading.latest import Latest
from binance_sdk._runtime.stream.reading.reader import Reader

_STALE = 0.001
"""Seconds without a turn of the connections after which the newest may no longer be that."""
_MOST_READS = 256
"""Reads of the connections in one turn, so that a flood does not keep the consumer waiting."""


class NewestReader(Reader):
    """For ``overflow="latest"``."""

    newest_only = True

    def __init__(self, parts: Parts, choices: Choices, pause: Callable[[bool], None]) -> None:
        super().__init__(parts, choices, pause)
        self._turned = 0.0
        """When the connections had their turn, in the process's own time: that is what a busy consumer spends."""

    def _make_buffer(self, choices: Choices, pause: Callable[[bool], None]) -> Buffer | Latest:
        return Latest(choices.buffer_bytes, self._messages, self._dropped)

    def take(self, with_notices: bool = False) -> Any:
        if perf_counter() - self._turned > _STALE:
            self._turn = 0
            return None
        latest = cast(Latest, self.buffer)
        while (found := super().take(with_notices)) is None and self._turn > 0:
            came = latest.next(self._ready)
            if came is None:
                return None
            if self._ready and came:
                self.stats.lag_ms = (self._now() - came) * 1000.0
        return found

    async def _others_turn(self) -> None:
        await asyncio.sleep(0)
        # A consumer who has kept the loop busy wants what has come meanwhile, which may be more than one read.
        for _ in range(_MOST_READS):
            before = self.stats.received
            # The loop looks at its sockets behind the next step of this task, so one step would see nothing.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if self.stats.received == before:
                break
        self._turned = perf_counter()


def make_reader(parts: Parts, choices: Choices, pause: Callable[[bool], None]) -> Reader:
    """The reader by the overflow policy."""
    return (NewestReader if choices.overflow == "latest" else Reader)(parts, choices, pause)
