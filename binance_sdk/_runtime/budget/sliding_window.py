"""A limit over any time of a length, for windows that nobody has documented."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from binance_sdk._runtime.budget.resource import Charge, remember

_GRAINS = 100
"""A rolling window remembers what was spent in parts of this many to the window."""


@dataclass
class SlidingWindow:
    """At most so much in any ``seconds``: for limits whose windows nobody has documented, and for caps of your own.

    It keeps to fixed windows of that length too, wherever they begin and whatever clock turns them. A request counts
    from the moment it is allowed until ``seconds`` after its end, since it arrived somewhere between the two.
    """

    name: str
    limit: int
    seconds: int
    in_flight: int = 0
    _spent: deque[tuple[float, float, int]] = field(default_factory=deque[tuple[float, float, int]], repr=False)
    """First and last end of some requests, and their sum."""
    _sum: int = field(default=0, repr=False)
    _orphaned: int = field(default=0, repr=False)
    """In flight in the parent of a fork."""

    def __post_init__(self) -> None:
        remember(self)

    @property
    def used(self) -> int:
        return self.in_flight + self._sum + self._orphaned

    @property
    def ends(self) -> float:
        """When all that was spent is free again."""
        return self._spent[-1][1] + self.seconds if self._spent else -math.inf

    def roll(self, now: float) -> None:
        if self._orphaned:
            self._spend(self._orphaned, now)
            self._orphaned = 0
        while self._spent and self._spent[0][1] + self.seconds <= now:
            self._sum -= self._spent.popleft()[2]

    def beside(self, name: str, limit: int, seconds: int, now: float) -> SlidingWindow:
        """Another window over the same requests, as far as this one remembers them."""
        self.roll(now)
        other = SlidingWindow(name, limit, seconds)
        if self.used:
            other._spend(self.used, now)
        return other

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
        # Too large, or only the end of running requests can tell.
        return math.inf

    def take(self, amount: int, now: float) -> Charge:
        self.in_flight += amount
        return Charge(amount)

    def refund(self, charge: Charge, now: float) -> None:
        self.in_flight -= charge.amount

    def settle(self, charge: Charge, reported: int | None, now: float, *, answered: bool = True) -> None:
        self.in_flight -= charge.amount
        self._spend(charge.amount, now)

    def _spend(self, amount: int, now: float) -> None:
        self._sum += amount
        if self._spent:
            first, last, before = self._spent[-1]
            now = max(now, last)
            if now - first < self.seconds / _GRAINS:
                self._spent[-1] = (first, now, before + amount)
                return
        self._spent.append((now, now, amount))

    def forked(self) -> None:
        self._orphaned, self.in_flight = self._orphaned + self.in_flight, 0
