"""The gate of a pool that is one for all processes of a store: closed for all, and refusals in a row counted by all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from binance_sdk._runtime.budget.gate import Gate
from binance_sdk._runtime.budget.shared.messages import Reply


@dataclass
class SharedGate(Gate):
    """Tells the store when this process has closed it, and when one of its requests has passed again."""

    closing: Callable[[], None] = lambda: None
    """Called when this process has closed it."""
    _told_until: float = 0.0
    """For how long it is closed, as the store knows, and as the last message says."""
    _telling_until: float = 0.0
    _passed_again: bool = False
    """A request of this process was the first that passed, and the store has not heard so."""
    _telling_passed: bool = False

    def passed(self, sent: float) -> None:
        refused = any(self.in_a_row)
        super().passed(sent)
        self._passed_again = self._passed_again or (refused and not any(self.in_a_row))

    def _close(self, until: float, reason: str) -> None:
        super()._close(until, reason)
        self.closing()

    @property
    def urgent(self) -> bool:
        """Others are to be told at once that it is closed."""
        return self.closed_until > self._told_until

    def pass_by(self, now: float) -> None:
        """What is over by now need not be told."""
        if self.closed_until <= now:
            self._told_until = max(self._told_until, self.closed_until)

    def news(self, now: float) -> dict[str, Any]:
        """What a message says of it."""
        news: dict[str, Any] = {}
        self._telling_passed = self._passed_again
        if self._passed_again:
            news["passed"] = True
        if self.urgent:
            self._telling_until = self.closed_until
            banned = max(0.0, self.banned_until - now)
            news["gate"] = [self.closed_until - now, banned, self.reason, *self.in_a_row]
        return news

    def hear(self, reply: Reply, now: float) -> bool:
        """Take over what the store says of it; True if a ban is news."""
        self._told_until = max(self._told_until, self._telling_until)
        if self._telling_passed:
            self._passed_again = self._telling_passed = False
        if not self.urgent and not self._passed_again:
            self.count(reply.in_a_row, now)
        if reply.closed and now + reply.closed > self.closed_until:
            self.closed_until, self.reason = now + reply.closed, reply.reason
            self._told_until = max(self._told_until, self.closed_until)
        if not reply.banned or self.banned(now):
            return False
        self.banned_until = now + reply.banned
        return True
