"""What a request can run out of: says when an amount would fit, takes it, and learns from the answer.

Times are seconds of one monotonic clock. Nothing here locks, waits or reads a clock, so all of it can be tested by
handing in numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from binance_sdk._runtime.fork import notify_after_fork


@dataclass(slots=True)
class Charge:
    """An amount taken from one resource, and what was known at that moment.

    A resource that counts what is in flight makes it before it counts, and sets ``over`` where it counts back, with no
    call between the two: Ctrl-C raises ``KeyboardInterrupt`` at calls and in loops only. So nothing is in flight for a
    charge that nobody holds, and whoever was interrupted may settle or refund once more.
    """

    amount: int
    index: int = 0
    """Of a fixed window: the one that the request falls into, unless it ends meanwhile; -1 if that is not certain."""
    unreported: int = 0
    reported: int = 0
    resets: int = 0
    until: float = 0.0
    """Of a request rate: end of the interval taken."""
    at: float = 0.0
    """When it was taken; the request is sent no sooner."""
    over: bool = field(default=False, compare=False)
    """Settled or refunded."""


class Resource(Protocol):
    """Something that a request needs an amount of."""

    name: str

    @property
    def limit(self) -> int | None:
        """The largest amount that ever fits; None where any amount does."""
        ...

    def ready_at(self, amount: int, now: float, share: float) -> float:
        """Earliest time at which ``amount`` could fit: ``now`` or before if it fits, infinity if no time is known.

        ``share`` is the part of the limit that may be used (1 minus the safety margin).
        """
        ...

    def take(self, amount: int, now: float) -> Charge: ...

    def refund(self, charge: Charge, now: float) -> None:
        """Undo a charge whose request was never sent."""
        ...

    def settle(self, charge: Charge, reported: int | None, now: float, *, answered: bool = True) -> None:
        """The request was sent and is over.

        ``reported`` is the server's count if the answer had one that can be trusted. Without an answer (cut off, out of
        time) the request may still be on its way.
        """
        ...


class Unmetered:
    """Base of resources that do not count what is taken from them."""

    limit: int | None = None

    def take(self, amount: int, now: float) -> Charge:
        return Charge(amount)

    def refund(self, charge: Charge, now: float) -> None:
        pass

    def settle(self, charge: Charge, reported: int | None, now: float, *, answered: bool = True) -> None:
        pass


class Leased:
    """Base of resources that a store gives out, in amounts for which somebody waits."""

    def asked_at(self, amount: int, now: float) -> float:
        """When to ask the store for an amount: ``now`` or before if it can have it for all that is known here."""
        raise NotImplementedError


# Compared by identity: two windows with the same numbers are still two windows.
@dataclass(eq=False)
class CountedInFlight:
    """Base of limits that count requests under way themselves and ignore the server's count."""

    name: str
    limit: int
    in_flight: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        notify_after_fork(self)

    def take(self, amount: int, now: float) -> Charge:
        charge = Charge(amount)
        self.in_flight += amount
        return charge

    def refund(self, charge: Charge, now: float) -> None:
        self.in_flight -= charge.amount
        charge.over = True

    def settle(self, charge: Charge, reported: int | None, now: float, *, answered: bool = True) -> None:
        self.in_flight -= charge.amount
        charge.over = True

    def after_fork(self) -> None:
        """What is under way is the parent's to finish."""
        self.in_flight = 0
