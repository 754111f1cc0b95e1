"""One state for "stop" of a whole IP pool: over a limit (429), banned (418), refused by the firewall (403)."""

from __future__ import annotations

from dataclasses import dataclass

from binance_sdk._runtime.budget.resource import Charge

_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 300.0
_LONGEST_EXTRA = 30.0
_SHORTEST_PAUSE = 1.0
"""Also where the server says 0: it counts in whole seconds."""
_BAN_WITHOUT_END = 120.0
"""Bans begin at two minutes; where the answer names no end that lies ahead, that much is assumed."""
_LONGEST_LIMIT = 600.0
"""No limit is known whose window is longer; who says more after 429 is asked again after that time."""


@dataclass
class Gate:
    """Closed while nothing of the pool may be sent. Times are seconds of the same clock as ``FixedWindow``'s."""

    name: str
    closed_until: float = 0.0
    banned_until: float = 0.0
    reason: str = ""
    _limited: int = 0
    _refusals: int = 0
    _refused_at: float = 0.0
    _bans: int = 0

    def ready_at(self, amount: int, now: float, share: float) -> float:
        return max(now, self.closed_until)

    def take(self, amount: int, now: float) -> Charge:
        return Charge(amount)

    def refund(self, charge: Charge, now: float) -> None:
        pass

    def settle(self, charge: Charge, reported: int | None, now: float, *, answered: bool = True) -> None:
        pass

    def forked(self) -> None:
        pass

    def banned(self, now: float) -> bool:
        return now < self.banned_until

    def closed(self, now: float) -> bool:
        return now < self.closed_until

    def limited(self, now: float, until: float, sent: float) -> None:
        """429: closed until the server said, or until the window ends; ``sent`` is when the refused request left."""
        if not self._sent_before(sent):
            # Requests that left together are refused together; that counts as one. Each further one waits longer.
            self._limited += 1
        extra = _growing(self._limited, _LONGEST_EXTRA)
        end = min(max(until, now + _SHORTEST_PAUSE), now + _LONGEST_LIMIT)
        self._close(end + extra, "over a request limit (429)")

    def ban(self, now: float, until: float | None, sent: float) -> None:
        """418: closed, and calls fail at once instead of waiting; ``sent`` is when the refused request left."""
        if not self._sent_before(sent):
            # Who is still banned when the ban should have ended waits longer each time.
            self._bans += 1
        if until is None or until <= now:
            until = now + _BAN_WITHOUT_END
        end = max(until, now + _SHORTEST_PAUSE) + _growing(self._bans, _BAN_WITHOUT_END)
        self.banned_until = max(self.banned_until, end)
        self._close(end, "the IP address is banned (418)")

    def refuse(self, now: float, sent: float, told: float | None = None) -> float:
        """403 seldom states an end: a pause that doubles with each one in a row, or as long as told within bounds.

        Returns its seconds.
        """
        if now - self._refused_at > 2 * _LONGEST_PAUSE:
            self._refusals = 0
        pause = min(max(_FIRST_PAUSE * 2.0**self._refusals, told or 0.0), _LONGEST_PAUSE)
        if self._sent_before(sent):
            # Several requests in flight meet the same wall; that is one refusal, and its pause runs already.
            return max(0.0, self.closed_until - now)
        self._refusals += 1
        self._refused_at = now
        self._close(now + pause, "the firewall refused (403)")
        return pause

    def passed(self, sent: float) -> None:
        """An answer came through; it says something if the request left after the gate had opened again."""
        if not self._sent_before(sent):
            self._refusals = self._limited = self._bans = 0

    def _sent_before(self, sent: float) -> bool:
        """Whether a request left before the gate closed, so that its answer says nothing new."""
        return sent < self.closed_until

    def _close(self, until: float, reason: str) -> None:
        if until > self.closed_until:
            self.closed_until, self.reason = until, reason


def _growing(count: int, most: float) -> float:
    """Seconds more for each further refusal in a row: 0, 1, 3, 7, ..."""
    return min(2.0 ** (min(max(1, count), 16) - 1) - 1, most)
