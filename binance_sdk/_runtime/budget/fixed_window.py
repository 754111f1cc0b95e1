"""A fixed window of request weight. The server counts in it too, and its answers tell the count.

Times are seconds of one monotonic clock, which a window converts to server time by its offset. Nothing here locks,
waits or reads a clock, so all of it can be tested by handing in numbers.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from binance_sdk._runtime.budget.resource import Charge
from binance_sdk._runtime.fork import notify_after_fork

GUARD_BEFORE = 0.35
"""A request that ends so shortly before the window does may be counted in the next one, so it is charged to both."""
GUARD_AFTER = 0.12
"""The window before may still run at the server for so long after we think that it ended."""
_FOREIGN_MEMORY = 0.5
"""Weight of the newest window in the running average of other traffic."""
_FOREIGN_CUT = 1.1
"""Others are taken to have wanted so much more than they spent in a full window."""
_MAX_ARRIVAL = 5.0
"""A request without an answer arrives at most so many seconds after it was given up, or never."""


# Compared by identity: two windows with the same numbers are still two windows.
@dataclass(eq=False)
class FixedWindow:
    """One limit over fixed windows aligned to the epoch, so a minute is a UTC minute.

    ``used`` is an upper bound of what the server has counted: its latest count, and whatever of ours that count may not
    include yet (in flight, answered without a count, or not answered).
    """

    name: str
    limit: int
    seconds: int
    offset: float = 0.0
    """Server time minus the clock of ``now``."""
    uncertainty: float = 0.0
    """How far off the estimated server time may be."""
    index: int = -1
    """Number of the window since the epoch."""
    reported: int = 0
    """The server's latest count."""
    in_flight: int = 0
    unreported: int = 0
    """Answered without a count that can be trusted, or perhaps charged to another window."""
    covered: int = 0
    """Part of ``unreported`` that ``reported`` includes."""
    lost: int = 0
    """Sent and not answered. It may still arrive, so a later count need not include it."""
    late: int = 0
    """Answered so shortly before the end that the server may have counted it in the next window."""
    previous_used: int = 0
    """Used in the window before, which may still run at the server."""
    own: int = 0
    """Ours in this window, as far as it is over."""
    foreign: float = 0.0
    """Spent in this window by others on the same IP address, as far as the counts show."""
    foreign_rate: float = 0.0
    """Weight a second that others spend, averaged over windows."""
    _resets: int = field(default=0, repr=False)
    """How often the server was seen to begin a new count, or the window was resized."""
    seen_at: float = field(default=0.0, repr=False)
    """When the server last told a count."""
    _losses: deque[tuple[float, int]] = field(default_factory=deque[tuple[float, int]], repr=False)
    """The parts of ``lost``, each with the moment at which it was given up."""
    _inherited: int = field(default=0, repr=False)
    """Part of ``lost`` that the parent of a fork had in flight. It counts as given up at the first ``now`` after the
    fork."""

    def __post_init__(self) -> None:
        notify_after_fork(self)

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
        """From here on the server has certainly begun this window too."""
        return self.starts + GUARD_AFTER + self.uncertainty

    @property
    def next_opening(self) -> float:
        """From here on the server has certainly begun the next window."""
        return self.ends + GUARD_AFTER + self.uncertainty

    def ready_at(self, amount: int, now: float, share: float) -> float:
        self.roll(now)
        limit = math.floor(self.limit * share + 1e-9)
        if amount > limit:
            return math.inf
        opens = self.opens
        if now < opens and self.previous_used + amount > limit:
            # If the window before still runs at the server, this request would exceed its limit.
            return opens if self.used + amount <= limit else self.next_opening
        room = limit - self.used - amount
        if room < 0:
            return self.next_opening
        expected = self.foreign_rate * (self.ends - now)
        if room >= expected or not self.used:
            # A call that leaves no room for others is let into an empty window, since no other window has more room.
            return now
        return max(now, self.ends - room / self.foreign_rate)

    # ------------------------------------------------------------------ writing

    @property
    def max_arrival(self) -> float:
        """Seconds after which a request without an answer has arrived, or never will."""
        return min(_MAX_ARRIVAL, self.seconds / 4)

    def lose(self, amount: int, now: float) -> None:
        """A request of this weight was sent and got no answer."""
        self.lost += amount
        self._losses.append((now, amount))

    def _forget_losses_before(self, sent: float) -> None:
        """The server's count includes a request that left at ``sent``.

        Requests that were given up long before that have arrived, and are in the count too, or will never arrive.
        """
        while self._losses and self._losses[0][0] + self.max_arrival <= sent:
            self.lost -= self._losses.popleft()[1]

    def _forget_losses(self) -> None:
        self.lost = self._inherited = 0
        self._losses.clear()

    def roll(self, now: float) -> None:
        """Begin the window of this time, if it is a later one."""
        if self._inherited:
            self._losses.append((now, self._inherited))
            self._inherited = 0
        index = int((now + self.offset) // self.seconds)
        # Another thread may have read the clock a moment earlier; no window begins again for that.
        if index <= self.index:
            return
        follows = index == self.index + 1
        self._learn_foreign()
        self.previous_used = self.used if follows else self.in_flight
        recent = [loss for loss in self._losses if follows and loss[0] + self.max_arrival > self.ends]
        self.unreported = self.late + self.lost - sum(amount for _, amount in recent) if follows else 0
        self.index, self.reported, self.covered, self.own, self.foreign = index, 0, 0, 0, 0.0
        self.late = 0
        self._forget_losses()
        for at, amount in recent:
            # The server may count it in either window.
            self.lose(amount, at)

    def set_clock(self, offset: float, uncertainty: float, now: float) -> None:
        """Take over a better estimate of server time."""
        if self.index >= 0 and abs(offset - self.offset) > self.uncertainty + uncertainty + GUARD_AFTER:
            # The clock was wrong, so it is not a new window that begins, but the running one that gets another number.
            # With the old number it might last for hours, or end now and forget what was spent.
            self.roll(now)
            self.index = int((now + offset) // self.seconds)
        self.offset, self.uncertainty = offset, uncertainty

    def resize(self, limit: int, seconds: int, now: float) -> None:
        """Another limit or length from now on; tickets that wait for this window go on waiting for it."""
        self.limit = limit
        if seconds == self.seconds:
            return
        self.roll(now)
        # How much of what was used falls into the running window of the new length is not known; at most all of it.
        self.unreported = self.used - self.in_flight
        self.seconds, self.index = seconds, int((now + self.offset) // seconds)
        self.reported = self.covered = self.late = self.own = 0
        self._forget_losses()
        self.previous_used, self.foreign, self.foreign_rate = self.used, 0.0, 0.0
        self._resets += 1

    def take(self, amount: int, now: float) -> Charge:
        self.roll(now)
        early = now < self.opens
        index = -1 if early else self.index
        charge = Charge(amount, index, self.unreported, self.reported, self._resets, at=now)
        if early:
            # The window before may still run at the server, and the request be counted there.
            self.previous_used += amount
        self.in_flight += amount
        return charge

    def refund(self, charge: Charge, now: float) -> None:
        # Before the window rolls, if that is due: a request that was never sent is counted in no window.
        self.in_flight -= charge.amount
        charge.over = True

    def after_fork(self) -> None:
        """What is in flight is the parent's to finish; for the child it was sent and gets no answer."""
        self.lost += self.in_flight
        self._inherited += self.in_flight
        self.in_flight = 0

    def settle(self, charge: Charge, reported: int | None, now: float, *, answered: bool = True) -> None:
        self.roll(now)
        self.in_flight -= charge.amount
        self.own += charge.amount
        charge.over = True
        if not answered:
            self.lose(charge.amount, now)
            return
        if now >= self.ends - GUARD_BEFORE - self.uncertainty:
            self.late += charge.amount
        if charge.index != self.index or reported is None:
            # It is not known which window it fell into, or whether a count includes it, so it is added to the count.
            self.unreported += charge.amount
            return
        if reported >= self.reported:
            self.reported = reported
            self.covered = max(self.covered, charge.unreported)
            if charge.resets == self._resets:
                self._forget_losses_before(charge.at)
        elif reported < charge.reported and charge.resets == self._resets:
            # The server began a new count while the request was under way: its window ended earlier or later than ours.
            # Only the first such answer is a sign of that: others, with charges from before it, may just be out of
            # order.
            self._resets += 1
            self.reported, self.covered = reported, min(self.unreported, charge.unreported)
        self._see_foreign(reported, now)

    # ---------------------------------------------------------- traffic of others

    def _see_foreign(self, reported: int, now: float) -> None:
        # The count includes all of ours that were answered, and perhaps those in flight. The rest is not ours.
        seen = reported - self.own - self.in_flight
        self.foreign = max(self.foreign, seen, 0.0)
        self.seen_at = now

    def _learn_foreign(self) -> None:
        if self.index < 0:
            return
        if self.seen_at < self.starts:
            # No count came for a whole window. An old rate must not keep us from asking for ever.
            self.foreign_rate *= _FOREIGN_MEMORY
            return
        elapsed = max(self.seen_at - self.starts, self.seconds / 10)
        rate = self.foreign / elapsed
        if self.reported + self.foreign_rate * elapsed / 10 >= self.limit:
            # The window was full, so others may have been refused, and want more than the counts show.
            rate *= _FOREIGN_CUT
        # The first rate counts in full and is not averaged: with too little room for others, they and we are refused.
        memory = _FOREIGN_MEMORY if self.foreign_rate else 1.0
        self.foreign_rate += memory * (rate - self.foreign_rate)
        if self.foreign_rate * self.seconds < self.limit / 1000:
            self.foreign_rate = 0.0
