"""Rate limits of one market as Binance enforces them: fixed windows, then 429, then 418 with growing bans."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from binance_sdk.simulator.errors import RejectionError
from binance_sdk.simulator.weights import GROUP_LIMITS, RAW_REQUESTS, group_of

_FIRST_BAN = 120
_LONGEST_BAN = 3 * 86_400
_UNITS = ((86_400, "DAY", "d"), (3_600, "HOUR", "h"), (60, "MINUTE", "m"), (1, "SECOND", "s"))


@dataclass(frozen=True, slots=True)
class Interval:
    """A window length the way Binance writes it."""

    seconds: int

    @property
    def _unit(self) -> tuple[int, str, str]:
        return next(unit for unit in _UNITS if self.seconds % unit[0] == 0)

    @property
    def number(self) -> int:
        return self.seconds // self._unit[0]

    @property
    def name(self) -> str:
        """``MINUTE`` and its like, as in exchangeInfo."""
        return self._unit[1]

    @property
    def label(self) -> str:
        """``1m`` and its like, as in the used-weight header."""
        return f"{self.number}{self._unit[2]}"


@dataclass(slots=True)
class Window:
    """A counter that starts again at every whole multiple of its length since the epoch."""

    limit: int
    seconds: int
    _number: int = -1
    _used: int = 0

    def used(self, now: int) -> int:
        """What was spent in the window that ``now`` (milliseconds) falls into."""
        number = now // (self.seconds * 1000)
        if number != self._number:
            self._number, self._used = number, 0
        return self._used

    def add(self, amount: int, now: int) -> int:
        self._used = self.used(now) + amount
        return self._used

    def end(self, now: int) -> int:
        """When the window that ``now`` falls into ends, milliseconds."""
        length = self.seconds * 1000
        return (now // length + 1) * length

    def clear(self) -> None:
        self._used = 0


class RefusalError(RejectionError):
    """A 429 or a 418; ``retry_after`` is in seconds."""

    def __init__(self, status: int, message: str, retry_after: int) -> None:
        super().__init__(-1003, message, status)
        self.retry_after = retry_after


@dataclass
class Limiter:
    """The counters of one market for the one address that can reach a simulator on loopback.

    Attributes:
        market: Spot or futures; each host of Binance keeps its own counters.
        weight: The window of request weight.
        patience: Requests answered with 429 before the address is banned.
    """

    market: str
    weight: Window
    patience: int = 5
    groups: Mapping[str, Window] = field(init=False)
    _refused: int = 0
    _refused_until: int = 0
    _banned_until: int = 0
    _bans: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        if self.market == "spot":
            self.groups = {"raw_requests": Window(*RAW_REQUESTS)}
        else:
            self.groups = {name: Window(*limit) for name, limit in GROUP_LIMITS.items()}

    def spend(self, path: str, weight: int, now: int) -> int:
        """Count one request and say how much weight is used now.

        Raises:
            RefusalError: A limit is exceeded, or the address is banned. The request was counted all the same.
        """
        with self._lock:
            if now < self._banned_until:
                raise self._banned(now)
            used = self.weight.add(weight, now)
            broken = self.weight if used > self.weight.limit else None
            group = "raw_requests" if self.market == "spot" else group_of(path)
            if group is not None and self.groups[group].add(1, now) > self.groups[group].limit:
                broken = self.groups[group]
            if broken is None:
                return used
            raise self._refuse(broken, now)

    def used(self, now: int) -> int:
        with self._lock:
            return self.weight.used(now)

    def reset(self) -> None:
        """Forget everything that was counted, and every ban."""
        with self._lock:
            for window in (self.weight, *self.groups.values()):
                window.clear()
            self._refused = self._refused_until = self._banned_until = self._bans = 0

    def _refuse(self, window: Window, now: int) -> RefusalError:
        if now >= self._refused_until:
            self._refused = 0
        self._refused_until = window.end(now)
        self._refused += 1
        if self._refused > self.patience:
            self._banned_until = now + min(_FIRST_BAN * 2**self._bans, _LONGEST_BAN) * 1000
            self._bans += 1
            self._refused = 0
            return self._banned(now)
        return RefusalError(429, self._exceeded(window), _seconds(self._refused_until - now))

    def _exceeded(self, window: Window) -> str:
        interval = Interval(window.seconds)
        what = "request weight" if window is self.weight else "requests"
        subject = (
            "Too much request weight used" if self.market == "spot" and window is self.weight else "Too many requests"
        )
        advice = "WebSocket Streams" if self.market == "spot" else "the websocket"
        return (
            f"{subject}; current limit is {window.limit} {what} per {interval.number} {interval.name}. "
            f"Please use {advice} for live updates to avoid polling the API."
        )

    def _banned(self, now: int) -> RefusalError:
        if self.market == "spot":
            reason, advice = "Way too much request weight used", "WebSocket Streams"
        else:
            reason, advice = "Way too many requests", "the websocket"
        return RefusalError(
            418,
            f"{reason}; IP banned until {self._banned_until}. Please use {advice} for live updates to avoid bans.",
            _seconds(self._banned_until - now),
        )


def _seconds(milliseconds: int) -> int:
    """Rounded up: whoever waits that long has waited long enough."""
    return -(-milliseconds // 1000)
