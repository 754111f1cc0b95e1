"""A window of request weight that the server counts in too, and tells its count.

Times are seconds of one monotonic clock, which a window turns into server time by its offset. Nothing here locks, waits
or reads a clock, so all of it can be tested by handing in numbers.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from binance_sdk._runtime.budget.resource import Charge, remember

GUARD_BEFORE = 0.35
"""What is charged this shortly before a window ends may be counted in the next one, so it is charged to both."""
GUARD_AFTER = 0.12
"""A full window may still be running at the server this long after we think it ended."""
_FOREIGN_MEMORY = 0.5
"""Weight of the newest window in the running average of other traffic."""
_FOREIGN_CUT = 1.1
"""What others spent in a full window is taken for this much less than they wanted."""
_LATEST = 5.0
"""A request that got no answer has arrived by so many seconds after it was given up, or never will."""


@dataclass
class FixedWindow:
    """One limit over fixed windows aligned to the epoch, so a minute is a UTC minute.

    ``used`` is an upper bound of what the server has counted: its own latest count, and all of ours that this count
    may not hold yet (in flight, or answered without a count).
    """

    name: str
    limit: int
    seconds: int
    offset: float = 0.0
    """Server time minus the clock of ``now``."""
    uncertainty: float = 0.0
    """How far off the estimated server time may be."""
    index: int = -1
    reported: int = 0
    in_flight: int = 0
    unreported: int = 0
    covered: int = 0
    """Part of ``unreported`` that ``reported`` holds already."""
    lost: int = 0
    """Sent and never answered: it may arrive a little later, so not every count can be said to hold it."""
    late: int = 0
    """Over so shortly before the end that the server may have counted it in the next window."""
    previous_used: int = 0
    own: int = 0
    foreign: float = 0.0
    foreign_rate: float = 0.0
    _resets: int = field(default=0, repr=False)
    """How often the server's count was seen to go back."""
    seen_at: float = field(default=0.0, repr=False)
    """When the server last told a count."""
    _losses: deque[tuple[float, int]] = field(default_factory=deque[tuple[float, int]], repr=False)
    """The parts of ``lost``, by the moment they were given up."""
    _inherited: int = field(default=0, repr=False)
    """Part of ``lost`` that the parent of a fork had in flight: given up in a moment that we are told next."""

    def __post_init__(self) -> None:
        remember(self)

    # ------------------------------------------------------------------ reading

    @property
    def used(self) -> int:
        return self.reported + self.in_flight + self.unreported - self.covered + self.lost

    @property
    def starts(self) -> float:
        return self.index * self.seconds - self.offset

    @property
    def ends(self) -> float:
        return (self.index + 1) * self.seconds - self.offset

    @property
    def opens(self) -> float:
        """From here on the server has surely turned to this window too."""
        return self.starts + GUARD_AFTER + self.uncertainty

    @property
    def next_opening(self) -> float:
        return self.ends + GUARD_AFTER + self.uncertainty

    def ready_at(self, amount: int, now: float, share: float) -> float:
        self.roll(now)
        limit = math.floor(self.limit * share + 1e-9)
        if amount > limit:
            return math.inf
        opens = self.opens
        if now < opens and self.previous_used + amount > limit:
            # Were the old window still running at the server, this request would break it.
            return opens if self.used + amount <= limit else self.next_opening
        room = limit - self.used - amount
        if room < 0:
            return self.next_opening
        expected = self.foreign_rate * (self.ends - now)
        if room >= expected or not self.used:
            # The largest call is let into an empty window: it would fit no better in any other.
            return now
        return max(now, self.ends - room / self.foreign_rate)

    # ------------------------------------------------------------------ writing

    @property
    def latest(self) -> float:
        """Seconds after which what got no answer has arrived, or never will."""
        return min(_LATEST, self.seconds / 4)

    def lose(self, amount: int, now: float) -> None:
        """So much was sent and got no answer."""
        self.lost += amount
        self._losses.append((now, amount))

    def _absorb(self, sent: float) -> None:
        """The server has counted a request that left then: what was lost long before is in its count, or nowhere."""
        while self._losses and self._losses[0][0] + self.latest <= sent:
            self.lost -= self._losses.popleft()[1]

    def _forget_losses(self) -> None:
        self.lost = self._inherited = 0
        self._losses.clear()

    def roll(self, now: float) -> None:
        if self._inherited:
            self._losses.append((now, self._inherited))
            self._inherited = 0
        index = int((now + self.offset) // self.seconds)
        # Another thread may have read the clock a moment earlier: time does not go back for it.
        if index <= self.index:
            return
        follows = index == self.index + 1
        self._learn_foreign()
        self.previous_used = self.used if follows else self.in_flight
        recent = [loss for loss in self._losses if follows and loss[0] + self.latest > self.ends]
        self.unreported = self.late + self.lost - sum(amount for _, amount in recent) if follows else 0
        self.index, self.reported, self.covered, self.own, self.foreign = index, 0, 0, 0, 0.0
        self.late = 0
        self._forget_losses()
        for at, amount in recent:
            # The server may have counted it in either.
            self.lose(amount, at)

    def set_clock(self, offset: float, uncertainty: float, now: float) -> None:
        """Take over a better estimate of server time."""
        if self.index >= 0 and abs(offset - self.offset) > self.uncertainty + uncertainty + GUARD_AFTER:
            # The clock was plainly wrong, so no window has turned: the running one gets another name. Had it kept its
            # own, it might go on for hours, or what was spent would be forgotten.
            self.roll(now)
            self.index = int((now + offset) // self.seconds)
        self.offset, self.uncertainty = offset, uncertainty

    def resize(self, limit: int, seconds: int, now: float) -> None:
        """Another limit or length from now on; whoever waits for this window goes on waiting for it."""
        self.limit = limit
        if seconds == self.seconds:
            return
        self.roll(now)
        # What of it falls into the running window of the new length is not known: all of it at most.
        self.unreported = self.used - self.in_flight
        self.seconds, self.index = seconds, int((now + self.offset) // seconds)
        self.reported = self.covered = self.late = self.own = 0
        self._forget_losses()
        self.previous_used, self.foreign, self.foreign_rate = self.used, 0.0, 0.0
        self._resets += 1

    def take(self, amount: int, now: float) -> Charge:
        self.roll(now)
        early = now < self.opens
        if early:
            # As long as the old window may still run at the server, it may be counted there.
            self.previous_used += amount
        self.in_flight += amount
        return Charge(amount, -1 if early else self.index, self.unreported, self.reported, self._resets, at=now)

    def refund(self, charge: Charge, now: float) -> None:
        self.roll(now)
        self.in_flight -= charge.amount

    def forked(self) -> None:
        self.lost += self.in_flight
        self._inherited += self.in_flight
        self.in_flight = 0

    def settle(self, charge: Charge, reported: int | None, now: float, *, answered: bool = True) -> None:
        self.roll(now)
        self.in_flight -= charge.amount
        self.own += charge.amount
        if not answered:
            self.lose(charge.amount, now)
            return
        if now >= self.ends - GUARD_BEFORE - self.uncertainty:
            self.late += charge.amount
        if charge.index != self.index or reported is None:
            # Which window it fell into, or whether a count holds it already, is not known: count it again.
            self.unreported += charge.amount
            return
        if reported >= self.reported:
            self.reported = reported
            self.covered = max(self.covered, charge.unreported)
            if charge.resets == self._resets:
                self._absorb(charge.at)
        elif reported < charge.reported and charge.resets == self._resets:
            # The server's count went back while we were asking: its window turned earlier or later than ours. Only the
            # first to see it says so; the answers that follow it out of order are ordinary ones.
            self._resets += 1
            self.reported, self.covered = reported, min(self.unreported, charge.unreported)
        self._see_foreign(reported, now)

    # ---------------------------------------------------------- traffic of others

    def _see_foreign(self, reported: int, now: float) -> None:
        # The count holds all of ours that were answered and perhaps those in flight; what is more is not ours.
        seen = reported - self.own - self.in_flight
        self.foreign = max(self.foreign, seen, 0.0)
        self.seen_at = now

    def _learn_foreign(self) -> None:
        if self.index < 0:
            return
        if self.seen_at < self.starts:
            # Nothing was heard for a whole window. Old news must not keep us from asking for ever.
            self.foreign_rate *= _FOREIGN_MEMORY
            return
        elapsed = max(self.seen_at - self.starts, self.seconds / 10)
        rate = self.foreign / elapsed
        if self.reported + self.foreign_rate * elapsed / 10 >= self.limit:
            # The window was full, so they may have been refused and want more than we saw.
            rate *= _FOREIGN_CUT
        # The first sight of them is believed at once: leaving too little room gets others refused, and us.
        memory = _FOREIGN_MEMORY if self.foreign_rate else 1.0
        self.foreign_rate += memory * (rate - self.foreign_rate)
        if self.foreign_rate * self.seconds < self.limit / 1000:
            self.foreign_rate = 0.0
