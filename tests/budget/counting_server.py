"""What Binance's counter does, without a network."""

from __future__ import annotations

from dataclasses import dataclass, field

LIMIT = 100
MINUTE = 60
START = 1000.0 * MINUTE


@dataclass
class CountingServer:
    """Counts by its own clock what arrives, and tells each request the count after it."""

    ahead: float
    counts: dict[int, int] = field(default_factory=dict)

    def take(self, amount: int, now: float) -> int:
        index = self.index(now)
        self.counts[index] = self.counts.get(index, 0) + amount
        return self.counts[index]

    def index(self, now: float) -> int:
        return int((now + self.ahead) // MINUTE)

    def count(self, now: float) -> int:
        return self.counts.get(self.index(now), 0)
