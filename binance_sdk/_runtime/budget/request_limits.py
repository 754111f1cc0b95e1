"""How fast requests may follow each other, and how many may be under way at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

from binance_sdk._runtime.budget.resource import Charge, remember


@dataclass
class RequestRate:
    """So many requests a second, evenly spread."""

    name: str
    per_second: float
    _next: float = 0.0

    def ready_at(self, amount: int, now: float, share: float) -> float:
        return max(now, self._next)

    def take(self, amount: int, now: float) -> Charge:
        self._next = max(now, self._next) + amount / self.per_second
        return Charge(amount, until=self._next)

    def refund(self, charge: Charge, now: float) -> None:
        # Once somebody else has gone after it, its interval is past.
        if self._next == charge.until:
            self._next -= charge.amount / self.per_second

    def settle(self, charge: Charge, reported: int | None, now: float, *, answered: bool = True) -> None:
        pass

    def forked(self) -> None:
        pass


@dataclass
class ConcurrencyLimit:
    """So many requests at once."""

    name: str
    size: int
    taken: int = 0

    def __post_init__(self) -> None:
        remember(self)

    def ready_at(self, amount: int, now: float, share: float) -> float:
        return now if self.taken + amount <= self.size else math.inf

    def take(self, amount: int, now: float) -> Charge:
        self.taken += amount
        return Charge(amount)

    def refund(self, charge: Charge, now: float) -> None:
        self.taken -= charge.amount

    def settle(self, charge: Charge, reported: int | None, now: float, *, answered: bool = True) -> None:
        self.taken -= charge.amount

    def forked(self) -> None:
        self.taken = 0
