"""Limits of Binance on connections, kept by construction: messages a second, connections in five minutes, pauses."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from binance_sdk._runtime.locks import new_lock

CONNECTIONS = 300
CONNECTION_WINDOW = 300.0
_SECOND = 1.05
"""A little more than a second, since messages do not travel evenly."""


class Pacer:
    """Messages one connection may send: pings, pongs and requests count alike.

    Requests leave one place of every second to pongs, and pongs take half of the places at most, so neither a flood of
    pings nor one of requests shuts the other out.
    """

    def __init__(self, per_second: int) -> None:
        self._most = max(2, per_second)
        self._requests: deque[float] = deque(maxlen=self._most - 1)
        self._pongs: deque[float] = deque(maxlen=self._most // 2)

    def note(self, now: float) -> None:
        """A ping or a request went out."""
        self._requests.append(now)

    def note_pong(self, now: float) -> None:
        self._pongs.append(now)

    def delay(self, now: float) -> float:
        """Seconds until the next ping or request may go out; 0.0 is now."""
        return self._delay(self._requests, now)

    def pong_delay(self, now: float) -> float:
        """Seconds until the next pong may go out; 0.0 is now."""
        return self._delay(self._pongs, now)

    def _delay(self, own: deque[float], now: float) -> float:
        free_at = own[0] + _SECOND if len(own) == own.maxlen else now
        sent = len(self._requests) + len(self._pongs)
        if sent >= self._most:
            free_at = max(free_at, sorted((*self._requests, *self._pongs))[sent - self._most] + _SECOND)
        return max(0.0, free_at - now)


class ConnectionBudget:
    """Connection attempts by host, of the whole process; thread-safe."""

    def __init__(self, most: int = CONNECTIONS, window: float = CONNECTION_WINDOW) -> None:
        self._most = most
        self._window = window
        self._made: dict[str, deque[float]] = {}
        self._lock = new_lock()

    def claim(self, host: str, now: float) -> float:
        """0.0 and the attempt is counted, or the seconds to wait before asking again."""
        with self._lock:
            made = self._made.setdefault(host, deque())
            while made and made[0] <= now - self._window:
                made.popleft()
            if len(made) >= self._most:
                return max(0.001, made[0] + self._window - now)
            made.append(now)
            return 0.0


PROCESS_BUDGET = ConnectionBudget()
"""Binance counts by address, so the clients of one process share it."""


@dataclass
class Backoff:
    """Pauses between attempts: doubling up to a longest one, half of each random."""

    first: float = 0.25
    longest: float = 30.0
    jitter: Callable[[], float] = field(default=random.random)
    failures: int = 0

    def pause(self) -> float:
        pause = min(self.first * 2.0 ** min(self.failures, 16), self.longest)
        self.failures += 1
        return pause * (0.5 + self.jitter() / 2)

    def reset(self) -> None:
        self.failures = 0
