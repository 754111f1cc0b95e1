"""A pool: the limits that one IP address has at some hosts, with their windows, gate and server time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from binance_sdk._runtime.budget.announced_limits import AnnouncedLimit, AnnouncedLimits
from binance_sdk._runtime.budget.fixed_window import FixedWindow
from binance_sdk._runtime.budget.gate import Gate
from binance_sdk._runtime.budget.ledger import Grant, Ledger
from binance_sdk._runtime.budget.retry_quota import RetryQuota
from binance_sdk._runtime.budget.server_time import ServerTime
from binance_sdk._runtime.budget.sliding_window import SlidingWindow
from binance_sdk._runtime.budget.weight_drift import DriftWatch
from binance_sdk._runtime.locks import new_lock
from binance_sdk._runtime.market import Market, PoolLimits
from binance_sdk._runtime.response import Headers
from binance_sdk.errors import IPBannedError

_COUNT = re.compile("[0-9]{1,12}")
_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DATES = 16
"""Answers of the same second carry the same ``Date``, which is parsed once; a few hosts may differ by a second."""
_EARLIEST, _LATEST = 946_684_800.0, 4_102_444_800.0
"""2000 and 2100: a server time outside is not believed."""

if TYPE_CHECKING:
    from binance_sdk._runtime.budget.store_link import StoreLink

LEDGER = Ledger()
"""One queue a process, so that priorities and fairness hold over clients, loops and threads."""


@lru_cache(_DATES)
def _seconds_of(date: str) -> float | None:
    """Epoch seconds of a ``Date`` header; None if it cannot be parsed."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


@lru_cache
def _count_headers(pattern: str, seconds: int) -> tuple[str, ...]:
    """Names of the headers in which the server may tell the count of a window of that length: 1m or 60s."""
    return tuple(
        pattern.replace("{interval}", f"{seconds // length}{unit}")
        for unit, length in _UNIT_SECONDS.items()
        if seconds % length == 0
    )


def _count(headers: Headers, pattern: str, seconds: int) -> int | None:
    """The server's count for a window of that length; None if it did not tell one that can be read."""
    for name in _count_headers(pattern, seconds):
        text = headers.get(name)
        if text is not None:
            return int(text) if _COUNT.fullmatch(text) else None
    return None


def _usable_limits(
    announced: Mapping[int, int | None], windows: Mapping[int, FixedWindow | SlidingWindow]
) -> dict[int, int]:
    """Limits by length in seconds; a window whose announced limit cannot be true keeps the limit it has."""
    limits: dict[int, int] = {}
    for seconds, limit in announced.items():
        if limit is not None:
            limits[seconds] = limit
        elif seconds in windows:
            limits[seconds] = windows[seconds].limit
    return limits


def _least_of(announced: Iterable[Mapping[str, Mapping[int, int | None]]]) -> dict[str, dict[int, int | None]]:
    """What several markets announce for one pool, the least limit of each window; None only where nobody knows one."""
    least: dict[str, dict[int, int | None]] = {}
    for kinds in announced:
        for name, limits in kinds.items():
            windows = least.setdefault(name, {})
            for seconds, limit in limits.items():
                known = [other for other in (windows.get(seconds), limit) if other is not None]
                windows[seconds] = min(known, default=None)
    return least


@dataclass(frozen=True, slots=True)
class Cost:
    """What one request takes: weight of its pool, and one request of each group."""

    weight: int
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Usage:
    """One limit, and what is used of it.

    Args:
        used: Spent in the running window: the server's count and what of ours it may not hold yet.
        limit: Allowed in a window.
        seconds: Length of the window.
        resets_in: Seconds to its end; for a sliding window, until all that was spent is free again.
    """

    used: int
    limit: int
    seconds: int
    resets_in: float

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True)
class WindowSnapshot:
    """The weight window just before a request that was the only one in flight."""

    index: int
    reported: int
    amount: int
    sends: int


@dataclass
class Pool:
    """Made once a process for all hosts that count together, of one market or several; see ``shared_pool``."""

    name: str
    limits: PoolLimits
    time: ServerTime
    ledger: Ledger = field(default_factory=lambda: LEDGER)
    weight: FixedWindow = field(init=False)
    """The window that users look at first: the spec's, or the shortest that the exchange names instead."""
    other_weights: tuple[FixedWindow, ...] = ()
    """Windows of other lengths that the exchange has announced beside it."""
    groups: dict[str, SlidingWindow] = field(init=False)
    """Sliding windows, since it is documented nowhere when the windows of a group begin."""
    other_groups: dict[str, tuple[SlidingWindow, ...]] = field(default_factory=dict[str, tuple[SlidingWindow, ...]])
    """Windows of other lengths that the exchange has announced for a group, by its name."""
    version: int = 0
    """Another number whenever there are other windows."""
    gate: Gate = field(init=False)
    drift: DriftWatch = field(default_factory=DriftWatch)
    quota: RetryQuota = field(default_factory=RetryQuota)
    _told: dict[Market, dict[str, dict[int, int | None]]] = field(
        default_factory=dict[Market, dict[str, dict[int, int | None]]]
    )
    """Limits that were announced, by market."""
    link: StoreLink | None = None
    """Where the budget is in a store that many processes share."""
    _sends: int = 0

    def __post_init__(self) -> None:
        self.weight = self._fixed(f"{self.name} weight", self.limits.weight.limit, self.limits.weight.seconds)
        self.groups = {
            name: self._sliding(name, f"{self.name} {name}", limit.limit, limit.seconds)
            for name, limit in self.limits.groups.items()
        }
        self.gate = Gate(f"{self.name} gate") if self.link is None else self.link.gate(f"{self.name} gate")
        self._announced = AnnouncedLimits(self.name, self.limits.weight, self.limits.groups)
        self._set_clock(self.time.monotonic)

    def _fixed(self, name: str, limit: int, seconds: int) -> FixedWindow:
        make = FixedWindow if self.link is None else self.link.fixed_window
        return make(name, limit, seconds)

    def _sliding(self, group: str, name: str, limit: int, seconds: int) -> SlidingWindow:
        if self.link is None:
            return SlidingWindow(name, limit, seconds)
        return self.link.sliding_window(name, limit, seconds, group)

    def ban_error(self, operation: str, now: float) -> IPBannedError:
        """The error of a call that is not sent because the IP address is banned."""
        seconds = self.gate.banned_until - now
        until = round(self.time.now(self.gate.banned_until) * 1000)
        return IPBannedError(
            f"{operation}: not sent, this IP address is banned for another {seconds:.0f} s",
            operation=operation,
            code=-1003,
            retry_after=seconds,
            retry_at=until,
            banned_until=until,
        )

    @property
    def windows(self) -> Iterable[FixedWindow | SlidingWindow]:
        others = (window for group in self.other_groups.values() for window in group)
        return (self.weight, *self.other_weights, *self.groups.values(), *others)

    @property
    def weights(self) -> tuple[FixedWindow, ...]:
        """Every window of request weight."""
        return (self.weight, *self.other_weights)

    def charges(self, cost: Cost) -> list[tuple[FixedWindow | SlidingWindow, int]]:
        """The windows a request is charged to, with the amounts."""
        found: list[tuple[FixedWindow | SlidingWindow, int]] = []
        if cost.weight:
            found += [(window, cost.weight) for window in self.weights]
        for name, limit in self.limits.groups.items():
            if limit.every_request or name in cost.groups:
                found += [(window, 1) for window in (self.groups[name], *self.other_groups.get(name, ()))]
        return found

    # --------------------------------------------------------------- what answers teach

    def observe_date(self, headers: Headers, sent: float, received: float) -> None:
        """Learn the server's clock from the ``Date`` header."""
        text = headers.get("date")
        told = _seconds_of(text) if text else None
        if told is not None:
            self.observe_time(told, 1.0, sent, received)

    def observe_time(self, told: float, resolution: float, sent: float, received: float) -> None:
        if not _EARLIEST < told < _LATEST:
            return
        with self.ledger.lock:
            self.time.observe(told, resolution, sent, received)
            self._set_clock(received)

    def _set_clock(self, monotonic: float) -> None:
        offset, uncertainty = self.time.now(monotonic) - monotonic, self.time.uncertainty(monotonic)
        for window in self.weights:
            window.set_clock(offset, uncertainty, monotonic)

    def reported(self, headers: Headers) -> int | None:
        """The server's count for the window this pool counts in."""
        return _count(headers, self.limits.used_weight_header, self.weight.seconds)

    def reported_others(self, headers: Headers) -> dict[str, int]:
        """The server's counts for the other windows of weight, by name."""
        header = self.limits.used_weight_header
        counts = {window.name: _count(headers, header, window.seconds) for window in self.other_weights}
        return {name: count for name, count in counts.items() if count is not None}

    def learn_limits(self, rows: Iterable[AnnouncedLimit], now: float, *, market: Market = "", least: int = 1) -> None:
        """Take over the limits that exchangeInfo announces, each interval as a window of its own.

        Args:
            rows: Type, interval, number of intervals, limit.
            now: Monotonic time.
            market: Whose exchangeInfo it is. Where markets of the pool announce different limits, the least holds.
            least: Weight of the request that was answered.
        """
        announced = self._announced.read(rows, least)
        with self.ledger.lock:
            self._told[market] = announced
            self.take_limits(_least_of(self._told.values()), now)

    def take_limits(self, limits: Mapping[str, Mapping[int, int | None]], now: float) -> None:
        """Take over limits by kind (``weight`` or the name of a group) and length in seconds.

        None in place of a limit means that there is such a window, and that it keeps the limit it has.
        """
        with self.ledger.lock:
            for name, windows in limits.items():
                if name == "weight":
                    self._set_weights(windows, now)
                elif name in self.groups:
                    self._set_group(name, windows, now)
            if self.link is not None:
                self.link.forget_windows()
            self.ledger.dispatch(now)

    def _set_weights(self, announced: Mapping[int, int | None], now: float) -> None:
        windows = {window.seconds: window for window in self.weights}
        before = self.weights
        limits = _usable_limits(announced, windows)
        if not limits:
            return
        spec = self.limits.weight.seconds
        first = spec if spec in limits else min(limits)
        if first not in windows and self.weight.seconds not in limits:
            # Resized and not replaced, so that tickets which wait for it go on waiting.
            self.weight.resize(limits[first], first, now)
            windows[first] = self.weight
        for seconds, limit in limits.items():
            if seconds not in windows:
                windows[seconds] = self._new_weight(seconds, limit, now)
            windows[seconds].resize(limit, seconds, now)
        self.weight = windows[first]
        self.other_weights = tuple(windows[seconds] for seconds in sorted(limits) if seconds != first)
        self.weight.name = f"{self.name} weight"
        for window in self.other_weights:
            window.name = f"{self.name} weight of {window.seconds} s"
        self.version += self.weights != before

    def _new_weight(self, seconds: int, limit: int, now: float) -> FixedWindow:
        """A window in which the exchange has counted all along, and we begin to count."""
        known = self.weight
        known.roll(now)
        window = self._fixed("", limit, seconds)
        window.offset, window.uncertainty = known.offset, known.uncertainty
        window.roll(now)
        window.unreported = known.used - known.in_flight
        # Requests in flight were not charged to it, so they will not be settled in it.
        window.lose(known.in_flight, now)
        return window

    def _set_group(self, name: str, announced: Mapping[int, int | None], now: float) -> None:
        windows = {window.seconds: window for window in (self.groups[name], *self.other_groups.get(name, ()))}
        limits = _usable_limits(announced, windows)
        if not limits:
            return
        spec = self.limits.groups[name].seconds
        first = spec if spec in limits else min(limits)
        if first not in windows and self.groups[name].seconds not in limits:
            self.groups[name].resize(limits[first], first, now)
            windows[first] = self.groups[name]
        for seconds, limit in limits.items():
            if seconds not in windows:
                windows[seconds] = self._sliding(name, f"{self.name} {name} of {seconds} s", limit, seconds)
                windows[seconds].inherit(self.groups[name], now)
            windows[seconds].resize(limit, seconds, now)
        others = tuple(windows[seconds] for seconds in sorted(limits) if seconds != first)
        self.version += windows[first] is not self.groups[name] or others != self.other_groups.get(name, ())
        self.groups[name], self.other_groups[name] = windows[first], others

    # ---------------------------------------------------------------------- one request

    def begin(self, grant: Grant) -> WindowSnapshot | None:
        """The weight window as a request goes out; None if the request is not the only one in flight."""
        with self.ledger.lock:
            self._sends += 1
            for resource, charge in grant.charges:
                if resource is self.weight:
                    weight = self.weight
                    known = charge.unreported == weight.covered and not weight.lost
                    alone = known and weight.in_flight == charge.amount
                    return WindowSnapshot(charge.index, charge.reported, charge.amount, self._sends) if alone else None
            return None

    def finish(
        self,
        grant: Grant,
        before: WindowSnapshot | None,
        reported: int | None,
        now: float,
        *,
        answered: bool = True,
        others: Mapping[str, int] | None = None,
    ) -> int | None:
        """Settle a request.

        Args:
            grant: Its permission.
            before: What ``begin`` returned.
            reported: The server's count for ``weight``.
            now: Monotonic time.
            answered: False if no answer came.
            others: The server's counts for the other windows of weight, by name.

        Returns:
            The weight that the server took for it; None if other requests may have changed the count too.
        """
        with self.ledger.lock:
            counts = {**(others or {}), self.weight.name: reported} if reported is not None else others or {}
            self.ledger.settle(grant, counts, now, answered=answered)
            if before is None or reported is None or not before.reported:
                return None
            undisturbed = self._sends == before.sends and self.weight.index == before.index
            return reported - before.reported if undisturbed else None

    # ------------------------------------------------------------------------- reading

    def usage(self, window: FixedWindow | SlidingWindow, now: float) -> Usage:
        with self.ledger.lock:
            window.roll(now)
            return Usage(window.used, window.limit, window.seconds, max(0.0, window.ends - now))


_POOLS: dict[str, Pool] = {}
_POOLS_LOCK = new_lock()


def shared_pool(name: str, limits: PoolLimits, wall: float, monotonic: float) -> Pool:
    """The pool of this process by that name: every client of the same hosts spends from the same one."""
    with _POOLS_LOCK:
        pool = _POOLS.get(name)
        if pool is None:
            pool = _POOLS[name] = Pool(name, limits, ServerTime(wall, monotonic))
        return pool
