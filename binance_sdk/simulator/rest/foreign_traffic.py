"""Other clients at the same address: they spend from the same windows, but send no request to the simulator."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(slots=True)
class ForeignTraffic:
    """Requests of one weight at even intervals. No task sends them: they are charged when a counter is next read.

    Attributes:
        weight: Weight of each request.
        gap: Milliseconds between two of them, exact: a rounded one could stand still between two readings.
        start: When the first one comes.
        sent: How many have come.
    """

    weight: int
    gap: Fraction
    start: int
    sent: int = 0

    @classmethod
    def at_rate(cls, weight_per_second: float, weight: int, now: int) -> ForeignTraffic:
        """``weight_per_second`` in requests of ``weight``, from ``now`` on."""
        if weight < 1 or weight_per_second <= 0:
            raise ValueError(f"{weight_per_second} a second in requests of {weight}: both must be positive")
        return cls(weight, 1000 * weight / Fraction(weight_per_second).limit_denominator(1_000_000), now)

    @property
    def next(self) -> int:
        """When the next request comes, milliseconds since the epoch."""
        return self.start - (-self.sent * self.gap.numerator // self.gap.denominator)

    def take(self, until: int) -> int:
        """How many requests come up to and including ``until``, the ones that came before left out."""
        due = (until - self.start) * self.gap.denominator // self.gap.numerator + 1
        count = max(due - self.sent, 0)
        self.sent += count
        return count
