"""Rate limits of one pool as Binance enforces them: fixed windows, then 429, then 418 with growing bans."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from binance_sdk.simulator.errors import RejectionError
from binance_sdk.simulator.rest.foreign_traffic import ForeignTraffic
from binance_sdk.simulator.rest.pools import Pool
from binance_sdk.simulator.rest.window_stats import WindowHistory, WindowStats

_FIRST_BAN = 120
_LONGEST_BAN = 3 * 86_400
_FOREIGN_WINDOWS = 1_000
"""Windows for which foreign traffic is caught up with after a leap of the clock; what came before is left out."""
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

    def start(self, now: int) -> int:
        """When the window that ``now`` falls into began, milliseconds."""
        length = self.seconds * 1000
        return now // length * length

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
        return self.start(now) + self.seconds * 1000

    def change(self, now: int, limit: int | None, seconds: int | None = None) -> None:
        """Another limit, or another length: a window of another length begins with what the old one had used."""
        used = self.used(now)
        self.limit = limit or self.limit
        self.seconds = seconds or self.seconds
        self._number, self._used = now // (self.seconds * 1000), used

    def clear(self) -> None:
        self._used = 0


class RefusalError(RejectionError):
    """A 429 or a 418; ``retry_after`` is in seconds."""

    def __init__(self, status: int, message: str, retry_after: int) -> None:
        super().__init__(-1003, message, status)
        self.retry_after = retry_after


@dataclass
class Limiter:
    """The counters of one pool for the one address that can reach a simulator on loopback.

    Attributes:
        pool: What its markets may spend together, and the words in which they refuse more.
        weight: The window of request weight.
        ban_after: Requests answered with 429 before the address is banned.
        history: What was accepted and refused.
    """

    pool: Pool
    weight: Window
    ban_after: int = 5
    history: WindowHistory = field(default_factory=lambda: WindowHistory(0))
    groups: Mapping[str, Window] = field(init=False)
    _foreign: ForeignTraffic | None = None
    _refused: int = 0
    _refused_until: int = 0
    _banned_until: int = 0
    _bans: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.groups = {name: Window(*limit) for name, limit in self.pool.groups.items()}

    def spend(self, path: str, weight: int, now: int, answered: int | None = None) -> int:
        """Count one request and say how much weight is used now.

        Args:
            path: Decides which groups count it too.
            weight: What it costs.
            now: When it came, milliseconds.
            answered: When the answer reaches the client, if that is later.

        Raises:
            RefusalError: A limit is exceeded, or the address is banned. The request was counted all the same.
        """
        known = now if answered is None else answered
        with self._lock:
            stats = self._arrival(now)
            if now < self._banned_until:
                stats.banned += 1
                raise self._banned(now)
            used = self.weight.add(weight, now)
            stats.peak = max(stats.peak, used)
            broken = self.weight if used > self.weight.limit else None
            group = self.pool.group_of(path)
            if group is not None and self.groups[group].add(1, now) > self.groups[group].limit:
                broken = self.groups[group]
            if broken is None:
                stats.requests += 1
                stats.used += weight
                return used
            refusal = self._refuse(broken, now)
            if refusal.status == 429:
                stats.over_limit += 1
            else:
                stats.banned += 1
            self.history.close(known, max(self._refused_until, self._banned_until))
            raise refusal

    def notice(self, now: int) -> None:
        """Count a request that a proxy in front of the exchange answers: it costs no weight."""
        with self._lock:
            self._arrival(now)

    def ask_for_quiet(self, now: int, until: int) -> None:
        """A 429 on demand reaches the client at ``now``; it should send nothing before ``until``."""
        with self._lock:
            self.history.close(now, until)

    def ban(self, now: int, seconds: float, answered: int | None = None) -> None:
        """Ban the address on demand, for this long from now on; ``answered`` is when the answer reaches the client."""
        with self._lock:
            self._banned_until = now + round(seconds * 1000)
            self.history.close(now if answered is None else answered, self._banned_until)

    def used(self, now: int) -> int:
        with self._lock:
            self._catch_up(now)
            return self.weight.used(now)

    def reset(self) -> None:
        """Forget everything that was counted, and every ban."""
        with self._lock:
            for window in (self.weight, *self.groups.values()):
                window.clear()
            self._refused = self._refused_until = self._banned_until = self._bans = 0

    def change(self, now: int, limit: int | None, seconds: int | None, groups: Mapping[str, int]) -> None:
        """Other limits from now on; those left out stay."""
        with self._lock:
            self._catch_up(now)
            self.weight.change(now, limit, seconds)
            for name, most in groups.items():
                self.groups[name].change(now, most)

    def let_in(self, now: int, foreign: ForeignTraffic | None) -> None:
        """Other traffic from now on, or none."""
        with self._lock:
            self._catch_up(now)
            self._foreign = foreign

    def windows(self, now: int) -> list[WindowStats]:
        """Copies of the record, up to this moment."""
        with self._lock:
            self._catch_up(now)
            return self.history.copies()

    def clear_history(self) -> None:
        with self._lock:
            self.history.clear()

    # ------------------------------------------------------------------------------ under the lock

    def _stats(self, now: int) -> WindowStats:
        return self.history.window(self.weight.start(now), self.weight.seconds, self.weight.limit)

    def _arrival(self, now: int) -> WindowStats:
        self._catch_up(now)
        stats = self._stats(now)
        stats.while_closed += self.history.closed(now)
        return stats

    def _catch_up(self, now: int) -> None:
        """Charge what others have spent since the last reading; over the limit they are refused, as the client is."""
        foreign, length = self._foreign, self.weight.seconds * 1000
        if foreign is None or foreign.next > now:
            return
        foreign.take(min(now, self.weight.start(now) - _FOREIGN_WINDOWS * length - 1))
        while foreign.next <= now:
            at = foreign.next
            count = foreign.take(min(now, self.weight.end(at) - 1))
            room = max(self.weight.limit - self.weight.used(at), 0) // foreign.weight
            accepted = min(count, room)
            stats = self._stats(at)
            stats.foreign += accepted * foreign.weight
            stats.foreign_refused += count - accepted
            stats.peak = max(stats.peak, self.weight.add(accepted * foreign.weight, at))

    def _refuse(self, window: Window, now: int) -> RefusalError:
        if now >= self._refused_until:
            self._refused = 0
        self._refused_until = window.end(now)
        self._refused += 1
        if self._refused > self.ban_after:
            self._banned_until = now + min(_FIRST_BAN * 2**self._bans, _LONGEST_BAN) * 1000
            self._bans += 1
            self._refused = 0
            return self._banned(now)
        return RefusalError(429, self._exceeded(window), _seconds(self._refused_until - now))

    def _exceeded(self, window: Window) -> str:
        interval = Interval(window.seconds)
        what = "request weight" if window is self.weight else "requests"
        subject = self.pool.too_much_weight if window is self.weight else "Too many requests"
        return (
            f"{subject}; current limit is {window.limit} {what} per {interval.number} {interval.name}. "
            f"Please use {self.pool.advice} for live updates to avoid polling the API."
        )

    def _banned(self, now: int) -> RefusalError:
        return RefusalError(
            418,
            f"{self.pool.way_too_much}; IP banned until {self._banned_until}. "
            f"Please use {self.pool.advice} for live updates to avoid bans.",
            _seconds(self._banned_until - now),
        )


def _seconds(milliseconds: int) -> int:
    """Rounded up, so that waiting that long is enough."""
    return -(-milliseconds // 1000)
