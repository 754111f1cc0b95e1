"""What a request can run out of: says when an amount would fit, takes it, and learns from the answer.

Times are seconds of one monotonic clock. Nothing here locks, waits or reads a clock, so all of it can be tested by
handing in numbers.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Protocol


class Resource(Protocol):
    """Something a request needs an amount of."""

    name: str

    def ready_at(self, amount: int, now: float, share: float) -> float:
        """Earliest time at which ``amount`` could fit: ``now`` or before where it fits, infinity where it never does.

        ``share`` is the part of the limit that may be used (1 minus the safety margin).
        """
        ...

    def take(self, amount: int, now: float) -> Charge: ...

    def refund(self, charge: Charge, now: float) -> None:
        """Undo a charge whose request was never sent."""
        ...

    def settle(self, charge: Charge, reported: int | None, now: float, *, answered: bool = True) -> None:
        """The request was sent and is over.

        ``reported`` is the server's count where it told a trustworthy one. Without an answer (cut off, out of time) the
        request may still be on its way.
        """
        ...

    def forked(self) -> None:
        """We are the child of a fork: what was in flight is the parent's to finish, and spent as far as we know."""
        ...


_MADE: weakref.WeakValueDictionary[int, Resource] = weakref.WeakValueDictionary()
"""Everything that can be in flight."""


def remember(resource: Resource) -> None:
    """Tell it of a fork, for as long as it lives."""
    _MADE[id(resource)] = resource


def forked() -> None:
    """We are the child of a fork: nothing is in flight here."""
    for resource in list(_MADE.values()):
        resource.forked()


@dataclass(frozen=True, slots=True)
class Charge:
    """An amount taken from one resource, and what was known at that moment."""

    amount: int
    index: int = 0
    """Window it surely falls into unless that turns meanwhile; -1 where even that is not sure."""
    unreported: int = 0
    reported: int = 0
    resets: int = 0
    until: float = 0.0
    """For a pace: end of the interval taken."""
    at: float = 0.0
    """When it was taken; the request is sent no sooner."""
