"""Limits on the requests of one client: how fast they follow each other, and how many are under way at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

from binance_sdk._runtime.budget.resource import Charge, CountedInFlight, Unmetered


@dataclass
class RequestRate(Unmetered):
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
        # If another request has taken the interval after it, this interval cannot be given to anybody.
        if self._next == charge.until:
            self._next -= charge.amount / self.per_second


class ConcurrencyLimit(CountedInFlight):
    """So many requests at once."""

    def ready_at(self, amount: int, now: float, share: float) -> float:
        return now if self.in_flight + amount <= self.limit else math.inf
