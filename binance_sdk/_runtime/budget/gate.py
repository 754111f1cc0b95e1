"""The gate of an IP pool: closed over a limit (429), while banned (418), and after a refusal of the firewall (403)."""

from __future__ import annotations

from dataclasses import dataclass

from binance_sdk._runtime.budget.resource import Unmetered

_FIRST_PAUSE, _MAX_PAUSE = 5.0, 300.0
"""Seconds after the first 403, and after many in a row."""
_MAX_EXTRA = 30.0
_MIN_PAUSE = 1.0
"""Even if the server says 0, since it counts in whole seconds."""
_DEFAULT_BAN = 120.0
"""Bans begin at two minutes, so that is assumed if the answer names no end in the future."""
_MAX_LIMITED = 600.0
"""No limit is known whose window is longer, so a 429 that asks for more is tried again after that time."""


@dataclass
class Gate(Unmetered):
    """Closed while nothing of the pool may be sent. Times are seconds of the same clock as the windows'."""

    name: str
    closed_until: float = 0.0
    banned_until: float = 0.0
    reason: str = ""
    _limited: int = 0
    """429 in a row."""
    _refusals: int = 0
    """403 in a row."""
    _refused_at: float = 0.0
    _bans: int = 0
    """418 in a row."""

    def ready_at(self, amount: int, now: float, share: float) -> float:
        return max(now, self.closed_until)

    def banned(self, now: float) -> bool:
        return now < self.banned_until

    def closed(self, now: float) -> bool:
        return now < self.closed_until

    def limited(self, now: float, until: float, sent: float) -> None:
        """Close after 429.

        Args:
            now: When it came.
            until: The end that the server named, or else that of the window.
            sent: When the refused request left.
        """
        if not self._sent_before_closing(sent):
            # Requests that left together are refused together, and count as one. Each further one closes for longer.
            self._limited += 1
        extra = _doubling(self._limited, _MAX_EXTRA)
        end = min(max(until, now + _MIN_PAUSE), now + _MAX_LIMITED)
        self._close(end + extra, "over a request limit (429)")

    def ban(self, now: float, until: float | None, sent: float) -> None:
        """Close after 418: calls fail at once instead of waiting.

        Args:
            now: When it came.
            until: The end that the server named, if it named one.
            sent: When the refused request left.
        """
        if not self._sent_before_closing(sent):
            # Each further ban, met after the end of the one before, closes for longer.
            self._bans += 1
        if until is None or until <= now:
            until = now + _DEFAULT_BAN
        end = max(until, now + _MIN_PAUSE) + _doubling(self._bans, _DEFAULT_BAN)
        self.banned_until = max(self.banned_until, end)
        self._close(end, "the IP address is banned (418)")

    def refuse(self, now: float, sent: float, requested: float | None = None) -> None:
        """Close after 403, which seldom names an end: for a pause that doubles with each one in a row.

        Args:
            now: When it came.
            sent: When the refused request left.
            requested: Seconds of pause that the server asked for; kept to, within bounds.
        """
        if now - self._refused_at > 2 * _MAX_PAUSE:
            self._refusals = 0
        pause = min(max(_FIRST_PAUSE * 2.0**self._refusals, requested or 0.0), _MAX_PAUSE)
        if self._sent_before_closing(sent):
            # It left together with one that was refused before: that is one refusal, whose pause already runs.
            return
        self._refusals += 1
        self._refused_at = now
        self._close(now + pause, "the firewall refused (403)")

    def passed(self, sent: float) -> None:
        """A request was not refused. If it left after the gate had opened, the next refusal is a first one again."""
        if not self._sent_before_closing(sent):
            self._refusals = self._limited = self._bans = 0

    @property
    def in_a_row(self) -> tuple[int, int, int]:
        """Refusals since a request last passed: 429, 403 and 418."""
        return self._limited, self._refusals, self._bans

    def count(self, in_a_row: tuple[int, int, int], now: float) -> None:
        """Count as many refusals in a row as all who share the IP address have met."""
        if in_a_row[1] > self._refusals:
            self._refused_at = now
        self._limited, self._refusals, self._bans = in_a_row

    def _sent_before_closing(self, sent: float) -> bool:
        """Whether a request left before the gate closed, so that its answer says nothing new."""
        return sent < self.closed_until

    def _close(self, until: float, reason: str) -> None:
        if until > self.closed_until:
            self.closed_until, self.reason = until, reason


def _doubling(count: int, most: float) -> float:
    """Extra seconds for the refusals in a row: 0, 1, 3, 7, ... up to a maximum."""
    return min(2.0 ** (min(max(1, count), 16) - 1) - 1, most)
