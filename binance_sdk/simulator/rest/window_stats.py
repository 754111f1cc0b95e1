"""What the exchange accepted and refused, window by window, by its own table of weights."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

_KEPT = 10_000
"""Windows remembered; a week of minutes."""


@dataclass(slots=True)
class WindowStats:
    """One window of request weight.

    Attributes:
        start: When it began, milliseconds since the epoch.
        seconds: Its length.
        limit: Weight that is allowed in it.
        requests: Own requests that were accepted.
        used: Their weight.
        foreign: Weight accepted from others at the same address.
        foreign_refused: Requests of others that were over the limit.
        over_limit: Own requests answered with 429 because a limit was exceeded.
        banned: Own requests answered with 418.
        while_closed: Own requests that came while a 429 or a ban was in force, after the grace period for those that
            had been sent before.
        peak: The highest state of the counter, which refused requests raise too.
    """

    start: int
    seconds: int
    limit: int
    requests: int = 0
    used: int = 0
    foreign: int = 0
    foreign_refused: int = 0
    over_limit: int = 0
    banned: int = 0
    while_closed: int = 0
    peak: int = 0

    @property
    def share(self) -> float:
        """Part of the limit that was used, by oneself and others together."""
        return (self.used + self.foreign) / self.limit


@dataclass(frozen=True, slots=True)
class RequestCounts:
    """What a simulator was asked since it exists.

    Attributes:
        total: All requests, those with an unknown path too.
        by_operation: By operation id, e.g. ``spot.klines``; refused and rejected requests count.
        by_status: By HTTP status of the answer; 0 where a fault left the request without any.
        injected: Faults that were injected, by kind.
    """

    total: int
    by_operation: Mapping[str, int]
    by_status: Mapping[int, int]
    injected: Mapping[str, int] = field(default_factory=dict[str, int])


class WindowHistory:
    """The windows of one market. The limiter changes it under its lock and gives away copies."""

    def __init__(self, grace_ms: int) -> None:
        """``grace_ms``: how long after a refusal a request counts as sent before the client knew of it."""
        self._grace_ms = grace_ms
        self._windows: deque[WindowStats] = deque(maxlen=_KEPT)
        self._closed_from = 0
        self._closed_until = 0

    def window(self, start: int, seconds: int, limit: int) -> WindowStats:
        """The running window, made if it is a new one."""
        last = self._windows[-1] if self._windows else None
        if last is None or last.start != start or last.seconds != seconds:
            last = WindowStats(start, seconds, limit)
            self._windows.append(last)
        last.limit = limit
        return last

    def close(self, now: int, until: int) -> None:
        """A refusal leaves the exchange at ``now`` and asks for quiet up to ``until``."""
        if now >= self._closed_until:
            self._closed_from = now
        self._closed_until = max(self._closed_until, until)

    def closed(self, now: int) -> bool:
        """Whether the client should not have sent a request that comes now."""
        return self._closed_from + self._grace_ms < now < self._closed_until

    def copies(self) -> list[WindowStats]:
        return [replace(window) for window in self._windows]

    def clear(self) -> None:
        """Forget all windows; a ban or a 429 stays in force."""
        self._windows.clear()
