"""Stops sending to a host that keeps failing: closed, open, half-open with one probe. The time is an argument."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from binance_sdk._runtime.locks import new_lock

State = Literal["closed", "open", "half_open"]


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a host counts as down.

    Args:
        window: Seconds of attempts that count.
        minimum: Attempts in the window before the breaker can open.
        failure_rate: Share of them that must have failed. A short run of failures proves nothing: at 30 % failures
            five in a row are ordinary.
        pause: Seconds without requests to the host; doubles each time a probe fails.
        longest_pause: Seconds at which the doubling ends.
    """

    window: float = 30.0
    minimum: int = 20
    failure_rate: float = 0.8
    pause: float = 5.0
    longest_pause: float = 120.0


@dataclass
class Breaker:
    """The state of one host; thread-safe."""

    host: str
    policy: BreakerPolicy = field(default_factory=BreakerPolicy)
    state: State = "closed"
    _outcomes: deque[tuple[float, bool]] = field(default_factory=lambda: deque(maxlen=1000))
    _failures: int = 0
    _retry_at: float = 0.0
    _openings: int = 0
    _lock: threading.Lock = field(default_factory=new_lock)

    def allow(self, now: float) -> Literal["yes", "probe", "no"]:
        """Whether to send; ``probe`` tells one caller to ask first whether the host is back."""
        if self.state == "closed":
            return "yes"
        with self._lock:
            if now >= self._retry_at:
                self.state = "half_open"
                # If this caller never reports back, another may probe after the same pause.
                self._retry_at = now + self._pause()
                return "probe"
            return "no"

    def record(self, ok: bool, now: float) -> bool:
        """Count an attempt; True if that changed the state."""
        with self._lock:
            if self.state == "half_open":
                return self._probed(ok, now)
            if self.state == "open":
                return False
            outcomes, policy = self._outcomes, self.policy
            outcomes.append((now, ok))
            self._failures += not ok
            while outcomes and (outcomes[0][0] < now - policy.window or len(outcomes) == outcomes.maxlen):
                self._failures -= not outcomes.popleft()[1]
            count = len(outcomes)
            if ok or count < policy.minimum or self._failures < policy.failure_rate * count:
                return False
            self._open(now)
            return True

    def _probed(self, ok: bool, now: float) -> bool:
        if ok:
            self.state, self._openings, self._failures = "closed", 0, 0
            self._outcomes.clear()
        else:
            self._open(now)
        return True

    def _open(self, now: float) -> None:
        self.state = "open"
        self._retry_at = now + self._pause()
        self._openings += 1

    def _pause(self) -> float:
        return float(min(self.policy.pause * 2**self._openings, self.policy.longest_pause))

    def retry_at(self) -> float:
        """When the host is tried again."""
        return self._retry_at
