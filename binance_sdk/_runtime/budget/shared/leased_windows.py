"""The windows of a pool whose budget is in a store, as one process sees them.

The store counts for all. The process asks it for what its waiting calls need, and a window here holds just that,
between the store's answer and the calls that take it. Beside that it counts what the process spends, as a window in
memory does: that is all there is to go by while the store is away.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from binance_sdk._runtime.budget.fixed_window import FixedWindow
from binance_sdk._runtime.budget.ledger import Reservation, Ticket
from binance_sdk._runtime.budget.resource import Charge, Leased
from binance_sdk._runtime.budget.sliding_window import SlidingWindow
from binance_sdk.errors import BudgetError

WEIGHT = "weight"
"""Kind of the windows that are fixed; a group is named by itself."""
TRUSTED = 0.97
"""Part of a limit that all processes together spend while the store is away, since they know little of each other."""
_PATIENCE = 10.0
"""Seconds for which a call that is larger than what may be spent without the store waits for it to come back."""
_SOON = 0.25
"""Seconds after which the store is asked again if it cannot tell when there will be room."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the store knew of a window when it gave out an amount; it comes back with what became of the request."""

    index: int
    unreported: int
    reported: int
    resets: int
    at: str
    sole: bool
    """Nothing else was in flight in any process."""


@dataclass(slots=True)
class LeasedCharge(Charge):
    """A charge with the store's snapshot; None where it was made without the store."""

    snapshot: Snapshot | None = None


@dataclass(frozen=True, slots=True)
class Alone:
    """How much of a window a process may spend while the store is away.

    Args:
        part: Of each limit, in windows that begin while it is away.
        until: When the last window has ended in which others may have spent through the store.
        extra: What may be spent until then.
        since: When the store was lost.
    """

    part: float
    until: float
    extra: int
    since: float = 0.0


Ended = Callable[[str, LeasedCharge, "int | None", bool], None]
"""Called with the name of the window, the charge, the server's count, and whether an answer came."""


def _unheard(name: str, charge: LeasedCharge, reported: int | None, answered: bool) -> None:
    """Nobody is told."""


if TYPE_CHECKING:

    class _Window:
        """The window behind it, of either kind, which counts what this process spends."""

        @property
        def used(self) -> int:
            raise NotImplementedError

        def take(self, amount: int, now: float) -> Charge:
            raise NotImplementedError

        def refund(self, charge: Charge, now: float) -> None:
            raise NotImplementedError

        def settle(self, charge: Charge, reported: int | None, now: float, *, answered: bool = True) -> None:
            raise NotImplementedError

        def after_fork(self) -> None:
            raise NotImplementedError

else:
    _Window = object


class _LeasedWindow(Leased, _Window):
    """What both kinds of window have in common; times are monotonic seconds."""

    name: str
    limit: int
    seconds: int
    kind: str = WEIGHT
    """What is counted: weight, or the name of a group."""
    ended: Ended = staticmethod(_unheard)
    lease: int = 0
    """Given out by the store and not taken yet."""
    snapshot: Snapshot | None = None
    """Of the lease."""
    told_used: int = 0
    """By all, when the store last told."""
    told_at: float = -math.inf
    ready: float = -math.inf
    """When the store may have room for ``refused`` or more."""
    refused: int = 0
    alone: Alone | None = None
    """While the store is away."""
    spent_alone: int = 0
    """Since then."""

    @property
    def key(self) -> str:
        """Its name in the store."""
        return f"{self.kind}/{self.seconds}"

    @property
    def used(self) -> int:
        return max(self.told_used, super().used)

    def usable_alone(self, alone: Alone, share: float) -> int:
        """What this process may use of it while the store is away."""
        return math.floor(self.limit * share * TRUSTED * alone.part + 1e-9)

    def asked_at(self, amount: int, now: float) -> float:
        if self.alone is not None:
            return math.inf
        return self.ready if amount >= self.refused else now

    def refuse(self, amount: int, seconds: float | None, now: float) -> None:
        """The store has no room for the amount, and may have some in so many seconds."""
        self.refused, self.ready = amount, now + (_SOON if seconds is None else seconds)

    def leave_alone(self, alone: Alone | None) -> None:
        """Go on without the store, or with it again."""
        self.alone, self.spent_alone = alone, 0
        self.refused, self.ready, self.lease = 0, -math.inf, 0

    def _leased_at(self, amount: int, now: float) -> float:
        if amount <= self.lease:
            return now
        # It has to be asked for first; for all that is known, it can be had at once.
        return self.ready if self.ready > now else math.nextafter(now, math.inf)

    def take(self, amount: int, now: float) -> Charge:
        charge = super().take(amount, now)
        snapshot = None
        if self.alone is None:
            self.lease -= charge.amount
            snapshot = self.snapshot
        else:
            self.spent_alone += charge.amount
        # The count is only of use where this request alone can have changed it.
        reported = charge.reported if snapshot is None else snapshot.reported if snapshot.sole else 0
        return LeasedCharge(
            charge.amount, charge.index, charge.unreported, reported, charge.resets, at=charge.at, snapshot=snapshot
        )

    def refund(self, charge: Charge, now: float) -> None:
        super().refund(charge, now)
        if isinstance(charge, LeasedCharge) and charge.snapshot is None:
            self.spent_alone = max(0, self.spent_alone - charge.amount)

    def settle(self, charge: Charge, reported: int | None, now: float, *, answered: bool = True) -> None:
        super().settle(charge, reported, now, answered=answered)
        if isinstance(charge, LeasedCharge):
            self.ended(self.key, charge, reported, answered)

    def after_fork(self) -> None:
        super().after_fork()
        self.lease = 0

    def _extra_at(self, amount: int, now: float) -> float:
        """When the amount fits into what may be spent until others are known to be without the store too."""
        alone = self.alone
        if alone is None or now >= alone.until or self.spent_alone + amount <= alone.extra:
            return now
        return alone.until


def check_alone(reservation: Reservation, now: float) -> None:
    """Check that a call does not wait for a store that is away for long, because it is larger than all it may use.

    Raises:
        BudgetError: it does.
    """
    for need in reservation.needs:
        window = need.resource
        if isinstance(window, _LeasedWindow) and window.alone is not None and now >= window.alone.since + _PATIENCE:
            usable = window.usable_alone(window.alone, need.share)
            if need.amount > usable:
                raise BudgetError(
                    f"{reservation.operation}: takes {need.amount} of {window.name}, of which this process may use "
                    f"{usable} in a window while the store of limits_url is away; it waited for the store",
                    operation=reservation.operation,
                )


class LeasedFixedWindow(_LeasedWindow, FixedWindow):
    """A fixed window of request weight."""

    carried: int = 0
    """Ours of the window before that the server may have counted in this one."""

    def roll(self, now: float) -> None:
        before = self.index
        super().roll(now)
        if self.index != before:
            self.carried, self.told_used = self.unreported + self.lost, 0
            # What others spend is the store's to count.
            self.foreign_rate = 0.0

    def ready_at(self, amount: int, now: float, share: float) -> float:
        if self.alone is None:
            return self._leased_at(amount, now)
        ready = super().ready_at(amount, now, share)
        usable = self.usable_alone(self.alone, share)
        if amount > usable:
            return math.inf
        if self.carried + self.own + self.in_flight + amount > usable:
            return max(ready, self.next_opening)
        # Others may have filled the window before.
        return max(ready, self._extra_at(amount, now), self.opens)


class LeasedSlidingWindow(_LeasedWindow, SlidingWindow):
    """A sliding window of a group."""

    def roll(self, now: float) -> None:
        super().roll(now)
        if self.told_at + self.seconds <= now:
            self.told_used = 0

    def ready_at(self, amount: int, now: float, share: float) -> float:
        if self.alone is None:
            return self._leased_at(amount, now)
        ready = super().ready_at(amount, now, share * TRUSTED * self.alone.part)
        return max(ready, self._extra_at(amount, now))


LeasedWindow = LeasedFixedWindow | LeasedSlidingWindow


def leased_needs(ticket: Ticket) -> list[tuple[LeasedWindow, int, float]]:
    """What a ticket needs of the store's windows: window, amount, and the part of the limit that may be used."""
    return [
        (need.resource, need.amount, need.share)
        for need in ticket.reservation.needs
        if isinstance(need.resource, LeasedWindow)
    ]
