"""What time it is at the server, from its own answers.

Windows turn by the server's clock. The local wall clock may be wrong and may jump, so server time is counted on the
monotonic clock plus an offset, and every answer that tells a time narrows the interval in which that offset lies.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_DRIFT = 50e-6
"""Two ordinary clocks part by no more than this many seconds in a second; the interval widens by it."""
_UNKNOWN = 1.0
"""Half width of the interval while only the local wall clock has been read."""
_NARROWEST = 0.002


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

    def __post_init__(self) -> None:
        offset = self.wall - self.monotonic
        self._low, self._high, self._at = offset - _UNKNOWN, offset + _UNKNOWN, self.monotonic

    def now(self, monotonic: float) -> float:
        """Estimated server time in seconds since the epoch."""
        return monotonic + (self._low + self._high) / 2

    def uncertainty(self, monotonic: float) -> float:
        """The estimate is at most this many seconds off."""
        return (self._high - self._low) / 2 + _DRIFT * max(0.0, monotonic - self._at)

    @property
    def skew(self) -> float:
        """Server time minus the local wall clock at the start, in seconds."""
        return (self._low + self._high) / 2 - (self.wall - self.monotonic)

    def observe(self, told: float, resolution: float, sent: float, received: float) -> None:
        """Learn from an answer.

        Args:
            told: The time it gave, in seconds.
            resolution: It was cut to this many seconds (1 for a ``Date`` header, 0.001 for ``serverTime``).
            sent: Monotonic time before the request.
            received: Monotonic time after the answer.
        """
        if received < sent:
            return
        low, high = told - received, told + resolution - sent
        widened = _DRIFT * max(0.0, received - self._at)
        known_low, known_high = self._low - widened, self._high + widened
        if not self.calibrated or low > known_high or high < known_low:
            # The first answer outweighs the local clock; one that contradicts all earlier ones means a clock was set.
            known_low, known_high = low, high
        self._low, self._high = max(low, known_low), min(high, known_high)
        if self._high - self._low < _NARROWEST:
            middle = (self._low + self._high) / 2
            self._low, self._high = middle - _NARROWEST / 2, middle + _NARROWEST / 2
        self._at, self.calibrated = received, True
