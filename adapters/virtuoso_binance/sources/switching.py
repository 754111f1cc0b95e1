"""Which source is asked, and which one serves: pure decisions by time and verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Failures", "Route", "SteadyRun"]

REST_AFTER = 3
"""Failures of a source in a row, at any symbols, after which it rests."""
SHORTEST_REST, LONGEST_REST = 5.0, 60.0


@dataclass
class SteadyRun:
    """Good verdicts without a bad one between them: hysteresis.

    Args:
        checks: Verdicts that are wanted at least.
        seconds: Time that has to lie between the first and the last of them.
    """

    checks: int
    seconds: float
    count: int = 0
    began: float = 0.0
    newest: float = 0.0

    def note(self, good: bool, now: float) -> None:
        """One more verdict."""
        if not good:
            self.count = 0
            return
        if self.count == 0:
            self.began = now
        self.count += 1
        self.newest = now

    @property
    def long_enough(self) -> bool:
        return self.count >= self.checks and self.newest - self.began >= self.seconds


@dataclass
class Failures:
    """What a source did lately, over all symbols."""

    in_row: int = 0
    rests_until: float = 0.0
    reason: str = ""
    _rest: float = 0.0

    def note(self, reason: str | None, now: float) -> float | None:
        """One more answer; ``reason`` is None for one that came.

        Returns:
            Seconds of the rest that begins with it; None where none begins.
        """
        if reason is None:
            self.in_row, self._rest, self.rests_until = 0, 0.0, 0.0
            return None
        self.in_row += 1
        self.reason = reason
        if self.in_row < REST_AFTER or now < self.rests_until:
            return None
        self._rest = min(max(2 * self._rest, SHORTEST_REST), LONGEST_REST)
        self.rests_until = now + self._rest
        return self._rest

    def rests(self, now: float) -> bool:
        return now < self.rests_until


class Route:
    """Who serves one symbol.

    Args:
        order: The sources, the preferred one first.
        checks: Good verdicts in a row that a source needs before it is gone back to.
        seconds: Time that has to lie between the first and the last of them.
    """

    def __init__(self, order: Sequence[str], checks: int, seconds: float) -> None:
        self.order: tuple[str, ...] = tuple(order)
        self.active: str = self.order[0]
        self.market: str | None = None
        """That of the data delivered last."""
        self._runs = {name: SteadyRun(checks, seconds) for name in order}
        self._quarantine: dict[str, SteadyRun] = {}
        self._checks, self._seconds = checks, seconds
        self._interval = seconds / max(1, checks - 1)
        self._asked: dict[str, float] = {}

    def in_turn(self) -> list[str]:
        """The sources in the order in which they are to serve: a better one that was good for long enough, the active
        one, and the others."""
        ready = [name for name in self.preferred if self._runs[name].long_enough][:1]
        return list(dict.fromkeys((*ready, self.active, *self.order)))

    @property
    def preferred(self) -> tuple[str, ...]:
        """The sources that would serve before the active one."""
        return self.order[: self.order.index(self.active)]

    def due(self, now: float) -> list[str]:
        """The preferred sources whose verdict is wanted, so that they can be gone back to."""
        return [name for name in self.preferred if now - self._asked.get(name, float("-inf")) >= self._interval]

    def note_asked(self, name: str, now: float) -> None:
        self._asked[name] = now

    def note(self, name: str, good: bool, now: float) -> None:
        """A verdict about a source."""
        self._asked[name] = now
        self._runs[name].note(good, now)

    # ------------------------------------------------------------------------------------ quarantine

    @property
    def quarantined(self) -> frozenset[str]:
        """The sources that may not serve."""
        return frozenset(self._quarantine)

    def accuse(self, name: str, now: float) -> bool:
        """A majority contradicts a source.

        Returns:
            Whether its quarantine begins with that.
        """
        begins = name not in self._quarantine
        self._quarantine.setdefault(name, SteadyRun(self._checks, self._seconds)).note(False, now)
        self._runs[name].note(False, now)
        return begins

    def acquit(self, name: str, now: float) -> bool:
        """A source agrees with the others.

        Returns:
            Whether its quarantine ends with that.
        """
        run = self._quarantine.get(name)
        if run is None:
            return False
        run.note(True, now)
        if run.long_enough:
            del self._quarantine[name]
        return run.long_enough
