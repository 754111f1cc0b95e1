"""The ledger: what this process has spent of each limit, written before a request is sent.

One pool stands for the limits of one IP address at one group of hosts. It is thread-safe and knows no event loop;
callers hand in the time, so it can be tested without waiting.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from binance_sdk._runtime.operation import Limit, MarketLimits


@dataclass
class Window:
    """One limit over fixed windows aligned to the epoch, so a minute is a UTC minute."""

    limit: int
    seconds: int
    index: int = -1
    reserved: int = 0
    """Charged by this process in the running window."""
    in_flight: int = 0
    """The part of it whose answers are still to come."""
    reported: int = 0
    """The server's own count, as far as it has told."""

    def roll(self, now: float) -> None:
        index = int(now // self.seconds)
        # A clock that jumps back must not forget what was spent.
        if index > self.index:
            self.index, self.reserved, self.in_flight, self.reported = index, 0, 0, 0

    @property
    def used(self) -> int:
        # The server may or may not have counted what is in flight; taking it as uncounted never spends too much.
        return max(self.reserved if not self.reported else 0, self.reported + self.in_flight)

    def ends(self) -> float:
        return float((self.index + 1) * self.seconds)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one request takes: weight of its pool and one request of each group."""

    weight: int
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reservation:
    """A charge that awaits its answer."""

    cost: Cost
    windows: Mapping[str, int]
    """Index of the window each charge went to."""


_WEIGHT = ""


@dataclass
class Pool:
    """The limits of one IP address at one market of one environment."""

    name: str
    limits: MarketLimits
    _windows: dict[str, Window] = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        self._windows = {_WEIGHT: _window(self.limits.weight)}
        self._windows.update({name: _window(limit) for name, limit in self.limits.groups.items()})

    def reserve(self, cost: Cost, now: float) -> Reservation | float:
        """Charge a request that is about to be sent, or say at what time it would fit.

        Args:
            cost: What the request takes.
            now: Server time in seconds since the epoch.
        """
        with self._lock:
            charges = self._charges(cost)
            wait_until = 0.0
            for name, amount in charges.items():
                window = self._windows[name]
                window.roll(now)
                if window.used + amount > window.limit and window.used > 0:
                    wait_until = max(wait_until, window.ends())
            if wait_until:
                return wait_until
            for name, amount in charges.items():
                self._windows[name].reserved += amount
                self._windows[name].in_flight += amount
            return Reservation(cost, {name: self._windows[name].index for name in charges})

    def settle(self, reservation: Reservation, reported: int | None, now: float) -> None:
        """The answer has come, or never will; ``reported`` is the server's count where it can be trusted."""
        with self._lock:
            for name, amount in self._charges(reservation.cost).items():
                window = self._windows[name]
                window.roll(now)
                if window.index != reservation.windows[name]:
                    continue
                window.in_flight -= amount
                if name == _WEIGHT and reported is not None:
                    window.reported = max(window.reported, reported)
                elif window.reported:
                    window.reported += amount

    def _charges(self, cost: Cost) -> dict[str, int]:
        charges = {_WEIGHT: cost.weight} if cost.weight else {}
        for name, limit in self.limits.groups.items():
            if limit.every_request or name in cost.groups:
                charges[name] = 1
        return charges

    def state(self, name: str, now: float) -> Usage:
        with self._lock:
            window = self._windows[name]
            window.roll(now)
            return Usage(window.used, window.limit, window.seconds, window.ends() - now)


def _window(limit: Limit) -> Window:
    return Window(limit.limit, limit.seconds)


@dataclass(frozen=True, slots=True)
class Usage:
    """One limit, as it stands.

    Args:
        used: Spent in the running window.
        limit: Allowed in a window.
        seconds: Length of the window.
        resets_in: Seconds to its end.
    """

    used: int
    limit: int
    seconds: int
    resets_in: float

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)


_POOLS: dict[str, Pool] = {}
_POOLS_LOCK = threading.Lock()


def shared_pool(name: str, limits: MarketLimits) -> Pool:
    """The pool of this process by that name: every client of the same hosts spends from the same one."""
    with _POOLS_LOCK:
        pool = _POOLS.get(name)
        if pool is None:
            pool = _POOLS[name] = Pool(name, limits)
        return pool
