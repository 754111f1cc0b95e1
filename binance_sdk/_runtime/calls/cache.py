"""A cache of answers, each kept for as long as the spec says it stays valid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from binance_sdk._runtime.candles import candle_end
from binance_sdk._runtime.locks import new_lock
from binance_sdk._runtime.operation import Operation
from binance_sdk._runtime.response import Response
from binance_sdk._runtime.weight import Arguments

MAX_BYTES = 32 * 1024 * 1024
"""Most bytes of answers in a cache, multiplied by ``_OBJECT_FACTOR``."""
_OBJECT_FACTOR = 8
"""Decoded objects take about so many times the memory of their JSON."""


def lifetime(operation: Operation[Any], given: Arguments, server_ms: int) -> float:
    """Seconds for which an answer stays valid: as the spec says, but not beyond the close of the running candle."""
    seconds = float(operation.cache.seconds)
    interval = given.get(operation.cache.until_close_of or "")
    if isinstance(interval, str):
        seconds = min(seconds, (candle_end(interval, server_ms) - server_ms) / 1000)
    return seconds


@dataclass
class CacheCounts:
    """What became of the calls that may use the answer to an earlier one."""

    memory: int = 0
    """Answered from the memory of this process."""
    request: int = 0
    """Answered by a request that this client was making already."""
    store: int = 0
    """Answered by what another process, or another client of this one, got."""
    misses: int = 0
    """Asked the exchange."""
    waited: int = 0
    """Waited for a request of another process."""
    without_store: int = 0
    """Did not ask the store, or not in time, as it is away."""
    worthless: int = 0
    """Found something in the store that this version does not write."""


CountName = Literal["memory", "request", "store", "misses", "waited", "without_store", "worthless"]


@dataclass(frozen=True, slots=True)
class Fresh:
    """An answer that was received just now.

    Args:
        response: What was received.
        valid: Seconds for which it stays valid by the spec.
        kept: Seconds for which it is used again.
    """

    response: Response[Any]
    valid: float
    kept: float


@dataclass(frozen=True, slots=True)
class _Entry:
    response: Response[Any]
    expires: float


class AnswerCache:
    """Bounded by bytes and by time; thread-safe."""

    def __init__(self, timer: Callable[[], float]) -> None:
        from cachetools import TLRUCache

        self._timer = timer
        self._entries: TLRUCache[str, _Entry] = TLRUCache(
            maxsize=MAX_BYTES,
            ttu=lambda key, entry, now: entry.expires,
            timer=timer,
            getsizeof=lambda entry: _OBJECT_FACTOR * len(entry.response.content) + 1000,
        )
        self._lock = new_lock()
        self.counts: CacheCounts = CacheCounts()

    def get(self, key: str) -> Response[Any] | None:
        with self._lock:
            entry = self._entries.get(key)
        return entry.response if entry is not None else None

    def count(self, name: CountName) -> None:
        """One more of these."""
        with self._lock:
            setattr(self.counts, name, getattr(self.counts, name) + 1)

    def put(self, key: str, response: Response[Any], seconds: float) -> None:
        if seconds <= 0:
            return
        entry = _Entry(response, self._timer() + seconds)
        with self._lock:
            try:
                self._entries[key] = entry
            except ValueError:
                # cachetools raises this for an answer that is larger than the whole cache.
                return
