"""What time it is at the server, learned from its answers.

Windows follow the server's clock. The local wall clock may be wrong and may jump, so server time is counted on the
monotonic clock plus an offset, and every answer that tells a time narrows the interval in which that offset lies.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_DRIFT = 50e-6
"""Two ordinary clocks drift apart by at most so many seconds in a second; the interval widens by that."""
_UNKNOWN = 1.0
"""Half width of the interval while only the local wall clock has been read."""
_NARROWEST = 0.002
_FINE = 0.1
"""A time with a finer resolution than this comes from the exchange itself, and not from a proxy's ``Date``."""


@dataclass
class ServerTime:
    """Interval of (server time - monotonic time), in seconds."""

    wall: float
    """Local wall time at ``monotonic``."""
    monotonic: float
    _low: float = field(init=False)
    _high: float = field(init=False)
    _at: float = field(init=False)
    calibrated: bool = field(default=False, init=False)
    _doubt: tuple[float, float] | None = field(default=None, init=False)
    """Interval of a coarse answer that contradicts all earlier ones."""

    def __post_init__(self) -> None:
        offset = self.wall - self.monotonic
        self._low, self._high, self._at = offset - _UNKNOWN, offset + _UNKNOWN, self.monotonic

    def now(self, monotonic: float) -> float:
        """Estimated server time in seconds since the epoch."""
        return monotonic + (self._low + self._high) / 2

    def uncertainty(self, monotonic: float) -> float:
        """The estimate is at most this many seconds off."""
        return (self._high - self._low) / 2 + _DRIFT * max(0.0, monotonic - self._at)

    def interval(self, monotonic: float) -> tuple[float, float]:
        """Bounds of (server time - monotonic time)."""
        widened = _DRIFT * max(0.0, monotonic - self._at)
        return self._low - widened, self._high + widened

    def skew(self, wall: float, monotonic: float) -> float:
        """Server time minus the local wall clock, in seconds; 0 before any answer.

        The local clock may have been set since the start, so it is read anew each time.
        """
        return self.now(monotonic) - wall if self.calibrated else 0.0

    def observe(self, told: float, resolution: float, sent: float, received: float) -> None:
        """Learn from an answer.

        Args:
            told: The time in it, in seconds since the epoch.
            resolution: It was cut to this many seconds (1 for a ``Date`` header, 0.001 for ``serverTime``).
            sent: Monotonic time before the request.
            received: Monotonic time after the answer.
        """
        if received < sent:
            return
        low, high = told - received, told + resolution - sent
        widened = _DRIFT * max(0.0, received - self._at)
        known_low, known_high = self._low - widened, self._high + widened
        if not self.calibrated:
            # The first answer outweighs the local clock.
            known_low, known_high = low, high
        elif low > known_high or high < known_low:
            # A clock was set, or the machine slept. Or it is the stale ``Date`` of a proxy, so a coarse time is
            # believed only when a second one agrees with it.
            if resolution > _FINE and not (self._doubt and low <= self._doubt[1] and high >= self._doubt[0]):
                self._doubt = low, high
                return
            known_low, known_high = low, high
        self._doubt = None
        self._low, self._high = max(low, known_low), min(high, known_high)
        if self._high - self._low < _NARROWEST:
            middle = (self._low + self._high) / 2
            self._low, self._high = middle - _NARROWEST / 2, middle + _NARROWEST / 2
        self._at, self.calibrated = received, True
