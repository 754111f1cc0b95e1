"""How the limits on connections are kept: messages a second, connections to a host, pauses between attempts."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from binance_sdk._runtime.locks import new_lock
from binance_sdk._runtime.market import StreamFacts

DIAL_WINDOW = 10.0
"""Seconds in which ``StreamContext.max_dials`` are counted."""
_SECOND = 1.05
"""A little more than a second, since messages do not travel evenly."""


class MessageLimiter:
    """When one connection may send its next message; pings, pongs and requests count alike.

    Requests leave one place of every second to pongs, and pongs take at most half of the places, so that neither a
    flood of pings nor one of requests shuts the other out.
    """

    def __init__(self, per_second: int) -> None:
        self._per_second = max(2, per_second)
        self._requests: deque[float] = deque(maxlen=self._per_second - 1)
        self._pongs: deque[float] = deque(maxlen=self._per_second // 2)

    def note_request(self, now: float) -> None:
        """A ping or a request went out."""
        self._requests.append(now)

    def note_pong(self, now: float) -> None:
        """A pong went out."""
        self._pongs.append(now)

    def request_delay(self, now: float) -> float:
        """Seconds until the next ping or request may go out; 0.0 is now."""
        return self._delay(self._requests, now)

    def pong_delay(self, now: float) -> float:
        """Seconds until the next pong may go out; 0.0 is now."""
        return self._delay(self._pongs, now)

    def _delay(self, own: deque[float], now: float) -> float:
        free_at = own[0] + _SECOND if len(own) == own.maxlen else now
        sent = len(self._requests) + len(self._pongs)
        if sent >= self._per_second:
            free_at = max(free_at, sorted((*self._requests, *self._pongs))[sent - self._per_second] + _SECOND)
        return max(0.0, free_at - now)


class ConnectionLimiter:
    """Connection attempts of the whole process, by host; thread-safe."""

    def __init__(self) -> None:
        self._attempts: dict[str, deque[float]] = {}
        self._lock = new_lock()

    def claim(self, host: str, limits: StreamFacts, now: float) -> float:
        """0.0 if an attempt may be made now, which is then counted; otherwise seconds to wait before asking again."""
        window = limits.connections_seconds
        with self._lock:
            attempts = self._attempts.setdefault(host, deque())
            while attempts and attempts[0] <= now - window:
                attempts.popleft()
            if len(attempts) >= limits.connections:
                return max(0.001, attempts[0] + window - now)
            attempts.append(now)
            return 0.0


PROCESS_CONNECTIONS = ConnectionLimiter()
"""Binance counts by address, so all clients of one process share it."""


@dataclass
class Backoff:
    """Pauses between attempts, in seconds: doubling up to a longest one, half of each random."""

    first: float = 0.25
    longest: float = 30.0
    jitter: Callable[[], float] = field(default=random.random)
    failures: int = 0

    def pause(self) -> float:
        """Seconds before the next attempt; the one after it is longer."""
        pause = min(self.first * 2.0 ** min(self.failures, 16), self.longest)
        self.failures += 1
        return pause * (0.5 + self.jitter() / 2)

    def reset(self) -> None:
        """Begin with the first pause again."""
        self.failures = 0
