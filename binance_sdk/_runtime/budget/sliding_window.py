"""A limit over any period of a length: a sliding window."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from binance_sdk._runtime.budget.resource import Charge, CountedInFlight

_PARTS = 100
"""What was spent is remembered in so many parts of a window, not request by request."""


@dataclass(eq=False)
class SlidingWindow(CountedInFlight):
    """At most so much in any ``seconds``: for limits whose windows nobody has documented, and for caps of your own.

    Whoever keeps to it keeps to fixed windows of that length too, wherever they begin and whatever clock they follow. A
    request counts from the moment at which it is allowed until ``seconds`` after its end, since the server counted it
    somewhere between the two.
    """

    limit: int
    seconds: int
    _spent: deque[tuple[float, float, int]] = field(
        default_factory=deque[tuple[float, float, int]], init=False, repr=False
    )
    """First and last end of some requests, and their sum."""
    _sum: int = field(default=0, init=False, repr=False)
    """Of ``_spent``."""
    _inherited: int = field(default=0, init=False, repr=False)
    """What the parent of a fork had in flight; it counts as spent at the first ``now`` after the fork."""

    @property
    def used(self) -> int:
        return self.in_flight + self._sum + self._inherited

    @property
    def ends(self) -> float:
        """When all that was spent is free again."""
        return self._spent[-1][1] + self.seconds if self._spent else -math.inf

    def roll(self, now: float) -> None:
        """Forget what was spent too long ago."""
        if self._inherited:
            self._spend(self._inherited, now)
            self._inherited = 0
        while self._spent and self._spent[0][1] + self.seconds <= now:
            self._sum -= self._spent.popleft()[2]

    def inherit(self, other: SlidingWindow, now: float) -> None:
        """Begin with what another window over the same requests remembers."""
        other.roll(now)
        if other.used:
            self._spend(other.used, now)

    def resize(self, limit: int, seconds: int, now: float) -> None:
        """Another limit or length from now on."""
        self.roll(now)
        self.limit, self.seconds = limit, seconds

    def ready_at(self, amount: int, now: float, share: float) -> float:
        self.roll(now)
        missing = self.used + amount - math.floor(self.limit * share + 1e-9)
        if missing <= 0:
            return now
        for _, last, spent in self._spent:
            missing -= spent
            if missing <= 0:
                return last + self.seconds
        # Larger than the limit, or there is room only after the end of a running request, which nobody knows.
        return math.inf

    def settle(self, charge: Charge, reported: int | None, now: float, *, answered: bool = True) -> None:
        super().settle(charge, reported, now, answered=answered)
        self._spend(charge.amount, now)

    def _spend(self, amount: int, now: float) -> None:
        self._sum += amount
        if self._spent:
            first, last, before = self._spent[-1]
            now = max(now, last)
            if now - first < self.seconds / _PARTS:
                self._spent[-1] = (first, now, before + amount)
                return
        self._spent.append((now, now, amount))

    def after_fork(self) -> None:
        self._inherited += self.in_flight
        super().after_fork()
