"""The time of the simulated exchange, in milliseconds since the Unix epoch."""

from __future__ import annotations

import time


class SimulatorClock:
    """The system clock. Subclass it and override ``now_ms`` to give the exchange another time."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch."""
        return time.time_ns() // 1_000_000


class OffsetClock(SimulatorClock):
    """A clock that is fast or slow against another one: an exchange and a client that disagree about the time.

    Attributes:
        offset_seconds: By how much it is ahead; may be changed at any time.
    """

    def __init__(self, offset_seconds: float, base: SimulatorClock | None = None) -> None:
        """Run ahead of ``base``, the system clock by default; behind it for a negative number."""
        self.offset_seconds = offset_seconds
        self._base = base or SimulatorClock()

    def now_ms(self) -> int:
        return self._base.now_ms() + round(self.offset_seconds * 1000)


class ManualClock(SimulatorClock):
    """A clock that stands still until it is moved.

    Two answers given at one instant of this clock agree exactly, and a rate limit window ends when a
    test says so.
    """

    def __init__(self, start_ms: int) -> None:
        """Start at ``start_ms``, milliseconds since the Unix epoch."""
        self._now_ms = start_ms

    def now_ms(self) -> int:
        return self._now_ms

    def advance(self, seconds: float) -> None:
        """Move forward by so many seconds; fractions count to the millisecond."""
        if seconds < 0:
            raise ValueError(f"time only moves forward: advance({seconds}); use set() to go back")
        self._now_ms += round(seconds * 1000)

    def set(self, now_ms: int) -> None:
        """Jump to ``now_ms``, milliseconds since the Unix epoch."""
        self._now_ms = now_ms
