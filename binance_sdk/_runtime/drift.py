"""Compares what the server took with what the spec says, where one request alone explains the difference."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from binance_sdk.events import WeightDrift

_ENOUGH = 3
"""Observations that must agree before a difference is called lasting: other traffic is never so steady."""


@dataclass
class _Record:
    expected: int
    seen: deque[int] = field(default_factory=lambda: deque(maxlen=8))
    differing: int = 0
    reported: int | None = None


@dataclass
class DriftWatch:
    """Observations by operation and reserved weight; thread-safe."""

    _records: dict[tuple[str, int], _Record] = field(default_factory=dict[tuple[str, int], _Record])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def observe(self, operation: str, expected: int, observed: int) -> WeightDrift | None:
        """Note one attributable observation; the drift, once, when it has become certain."""
        if observed < 0:
            return None
        with self._lock:
            record = self._records.setdefault((operation, expected), _Record(expected))
            record.seen.append(observed)
            record.differing += observed != expected
            latest = list(record.seen)[-_ENOUGH:]
            steady = len(latest) == _ENOUGH and len(set(latest)) == 1
            if not steady or observed == expected or record.reported == observed:
                return None
            record.reported = observed
            return WeightDrift(operation, expected, observed, _ENOUGH)

    def rows(self) -> list[WeightDrift]:
        """Every lasting difference found so far."""
        with self._lock:
            return [
                WeightDrift(name, expected, record.reported, record.differing)
                for (name, expected), record in sorted(self._records.items())
                if record.reported is not None
            ]
