"""Answers kept for as long as the spec says they hold, and one request for all who ask the same at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from binance_sdk._runtime.candles import candle_end
from binance_sdk._runtime.locks import new_lock
from binance_sdk._runtime.operation import Operation
from binance_sdk._runtime.response import Response
from binance_sdk._runtime.weight import Arguments

MAX_BYTES = 32 * 1024 * 1024
"""Bytes of answers (as they came) that a cache keeps at most."""
_OBJECT_FACTOR = 8
"""Decoded objects take about this many times the bytes of their JSON."""


def lifetime(operation: Operation[Any], given: Arguments, server_ms: int) -> float:
    """Seconds an answer holds: the spec's, but never beyond the close of the running candle."""
    seconds = float(operation.cache.seconds)
    interval = given.get(operation.cache.until_close_of or "")
    if isinstance(interval, str):
        seconds = min(seconds, (candle_end(interval, server_ms) - server_ms) / 1000)
    return seconds


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

    def get(self, key: str) -> Response[Any] | None:
        with self._lock:
            entry = self._entries.get(key)
        return entry.response if entry is not None else None

    def put(self, key: str, response: Response[Any], seconds: float) -> None:
        if seconds <= 0:
            return
        entry = _Entry(response, self._timer() + seconds)
        with self._lock:
            try:
                self._entries[key] = entry
            except ValueError:
                # Larger than the whole cache: not kept, which is no error.
                return
