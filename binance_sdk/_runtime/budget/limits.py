"""The limits of one IP address at one market: windows, gate and server time, with the process's one ledger."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import lru_cache

from binance_sdk._runtime.budget.drift import DriftWatch
from binance_sdk._runtime.budget.gate import Gate
from binance_sdk._runtime.budget.ledger import Grant, Ledger
from binance_sdk._runtime.budget.quota import RetryQuota
from binance_sdk._runtime.budget.servertime import ServerTime
from binance_sdk._runtime.budget.windows import Rolling, Window
from binance_sdk._runtime.locks import new_lock
from binance_sdk._runtime.operation import MarketLimits
from binance_sdk._runtime.options import Headers

_COUNT = re.compile("[0-9]{1,12}")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DATES = 16
"""Answers of the same second carry the same ``Date``; it is read once for each host that sends one."""
INTERVAL_SECONDS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86_400}

LEDGER = Ledger()
"""One queue a process, so that priorities and fairness hold over clients, loops and threads."""


@lru_cache(_DATES)
def _seconds_of(date: str) -> float | None:
    """Epoch seconds of a ``Date`` header, None where it is none."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


@lru_cache
def _count_headers(seconds: int) -> tuple[str, ...]:
    """Names under which the server may tell the count of a window of that length: 1m or 60s."""
    return tuple(
        f"x-mbx-used-weight-{seconds // length}{unit}"
        for unit, length in _UNIT_SECONDS.items()
        if seconds % length == 0
    )


@dataclass(frozen=True, slots=True)
class Cost:
    """What one request takes: weight of its pool and one request of each group."""

    weight: int
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Usage:
    """One limit, as it stands.

    Args:
        used: Spent in the running window: the server's count and what of ours it may not hold yet.
        limit: Allowed in a window.
        seconds: Length of the window.
        resets_in: Seconds to its end; where the window rolls, until all that was spent is free again.
    """

    used: int
    limit: int
    seconds: int
    resets_in: float

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The weight window just before a request that ran alone."""

    index: int
    reported: int
    amount: int
    sends: int


@dataclass
class Pool:
    """Made once a process for each group of hosts and market; see ``shared_pool``."""

    name: str
    limits: MarketLimits
    time: ServerTime
    ledger: Ledger = field(default_factory=lambda: LEDGER)
    weight: Window = field(init=False)
    groups: dict[str, Rolling] = field(init=False)
    """Where their windows begin, or whether they roll, is documented nowhere."""
    gate: Gate = field(init=False)
    drift: DriftWatch = field(default_factory=DriftWatch)
    quota: RetryQuota = field(default_factory=RetryQuota)
    _sends: int = 0

    def __post_init__(self) -> None:
        self.weight = Window(f"{self.name} weight", self.limits.weight.limit, self.limits.weight.seconds)
        self.groups = {
            name: Rolling(f"{self.name} {name}", limit.limit, limit.seconds)
            for name, limit in self.limits.groups.items()
        }
        self.gate = Gate(f"{self.name} gate")
        self._set_clock(self.time.monotonic)

    @property
    def windows(self) -> Iterable[Window | Rolling]:
        return (self.weight, *self.groups.values())

    def charges(self, cost: Cost) -> list[tuple[Window | Rolling, int]]:
        """The windows a request is charged to, with the amounts."""
        found: list[tuple[Window | Rolling, int]] = [(self.weight, cost.weight)] if cost.weight else []
        for name, limit in self.limits.groups.items():
            if limit.every_request or name in cost.groups:
                found.append((self.groups[name], 1))
        return found

    # --------------------------------------------------------------- what answers teach

    def observe_date(self, headers: Headers, sent: float, received: float) -> None:
        """Learn the server's clock from the ``Date`` header."""
        text = headers.get("date")
        told = _seconds_of(text) if text else None
        if told is not None:
            self.observe_time(told, 1.0, sent, received)

    def observe_time(self, told: float, resolution: float, sent: float, received: float) -> None:
        with self.ledger.lock:
            self.time.observe(told, resolution, sent, received)
            self._set_clock(received)

    def _set_clock(self, monotonic: float) -> None:
        offset, uncertainty = self.time.now(monotonic) - monotonic, self.time.uncertainty(monotonic)
        self.weight.set_clock(offset, uncertainty, monotonic)

    def reported(self, headers: Headers) -> int | None:
        """The server's count for the window this pool counts in."""
        for name in _count_headers(self.weight.seconds):
            text = headers.get(name)
            if text is not None:
                return int(text) if _COUNT.fullmatch(text) else None
        return None

    def learn_limits(self, rows: Iterable[tuple[str | None, str | None, int | None, int | None]], now: float) -> None:
        """Take over limits as exchangeInfo tells them: (type, interval, number, limit)."""
        with self.ledger.lock:
            for kind, interval, number, limit in rows:
                if kind is None or interval not in INTERVAL_SECONDS or (number or 0) < 1 or (limit or 0) < 1:
                    continue
                assert number is not None
                assert limit is not None
                seconds = INTERVAL_SECONDS[interval] * number
                window: Window | Rolling | None = self.weight
                if kind != "REQUEST_WEIGHT":
                    window = self.groups.get(kind.lower())
                if window is None:
                    continue
                window.resize(limit, seconds, now)
            self.ledger.dispatch(now)

    # ---------------------------------------------------------------------- one request

    def begin(self, grant: Grant) -> Snapshot | None:
        """What the weight window looked like when a request went out, where it was the only one."""
        with self.ledger.lock:
            self._sends += 1
            for resource, charge in grant.charges:
                if resource is self.weight:
                    weight = self.weight
                    known = charge.unreported == weight.covered and not weight.lost
                    alone = known and weight.in_flight == charge.amount
                    return Snapshot(charge.index, charge.reported, charge.amount, self._sends) if alone else None
            return None

    def finish(
        self, grant: Grant, before: Snapshot | None, reported: int | None, now: float, *, answered: bool = True
    ) -> int | None:
        """Settle a request; the weight the server took for it, where nothing else can explain the difference."""
        with self.ledger.lock:
            self.ledger.settle(grant, {} if reported is None else {self.weight.name: reported}, now, answered=answered)
            if before is None or reported is None or not before.reported:
                return None
            undisturbed = self._sends == before.sends and self.weight.index == before.index
            return reported - before.reported if undisturbed else None

    # ------------------------------------------------------------------------- reading

    def usage(self, window: Window | Rolling, now: float) -> Usage:
        with self.ledger.lock:
            window.roll(now)
            return Usage(window.used, window.limit, window.seconds, max(0.0, window.ends - now))


_POOLS: dict[str, Pool] = {}
_POOLS_LOCK = new_lock()


def shared_pool(name: str, limits: MarketLimits, wall: float, monotonic: float) -> Pool:
    """The pool of this process by that name: every client of the same hosts spends from the same one."""
    with _POOLS_LOCK:
        pool = _POOLS.get(name)
        if pool is None:
            pool = _POOLS[name] = Pool(name, limits, ServerTime(wall, monotonic))
        return pool


def clear_pools() -> None:
    """Forget every pool. For tests: a ledger that forgets while requests run would spend too much."""
    with _POOLS_LOCK:
        _POOLS.clear()
