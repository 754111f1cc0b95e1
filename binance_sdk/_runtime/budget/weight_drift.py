"""Compares what the server took with what the spec says, where one request alone explains the difference."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field

from binance_sdk._runtime.locks import new_lock
from binance_sdk.events import WeightDrift

_ENOUGH = 3
"""Observations that must agree before a difference is called lasting."""
_ENOUGH_AMONG_OTHERS = 8
"""The same, if somebody else seems to spend from the same IP address: by chance their share may be the same three times
in a row."""
_REMEMBERED = 24
"""Observations of all operations that are searched for signs of others."""


@dataclass
class _Record:
    expected: int
    seen: deque[int] = field(default_factory=lambda: deque(maxlen=_ENOUGH_AMONG_OTHERS))
    differing: int = 0
    reported: int | None = None


@dataclass
class DriftWatch:
    """Observations by operation and reserved weight; thread-safe."""

    _records: dict[tuple[str, int], _Record] = field(default_factory=dict[tuple[str, int], _Record])
    _latest: deque[tuple[tuple[str, int], int]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))
    _lock: threading.Lock = field(default_factory=new_lock)

    def observe(self, operation: str, expected: int, observed: int) -> WeightDrift | None:
        """Note the weight that the server took for one request; returns a drift once, when it has become certain."""
        if observed < 0:
            return None
        key = operation, expected
        with self._lock:
            record = self._records.setdefault(key, _Record(expected))
            record.seen.append(observed)
            record.differing += observed != expected
            self._latest.append((key, observed))
            if observed == expected or record.reported == observed:
                return None
            # Others can only add to the count, so a lower weight needs fewer observations.
            enough = _ENOUGH_AMONG_OTHERS if observed > expected and self._others(key) else _ENOUGH
            latest = list(record.seen)[-enough:]
            if len(latest) < enough or len(set(latest)) > 1:
                return None
            record.reported = observed
            return WeightDrift(operation, expected, observed, enough)

    def _others(self, asked: tuple[str, int]) -> bool:
        """Whether others seem to spend too: weights go to and fro, or another operation's is too high as well."""
        before: dict[tuple[str, int], set[int]] = {}
        last: dict[tuple[str, int], int] = {}
        for key, observed in self._latest:
            if key != asked and observed > key[1]:
                return True
            known = before.setdefault(key, set())
            changed = last.get(key) != observed
            if changed and (observed in known or len(known) > 1):
                return True
            known.add(observed)
            last[key] = observed
        return False

    def rows(self) -> list[WeightDrift]:
        """Every lasting difference found so far."""
        with self._lock:
            return [
                WeightDrift(name, expected, record.reported, record.differing)
                for (name, expected), record in sorted(self._records.items())
                if record.reported is not None
            ]
