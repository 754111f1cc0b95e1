"""What is used of the limits, market by market; ``client.limits`` is generated from this."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from binance_sdk._market_names import check_market
from binance_sdk._runtime.budget.pool import Usage
from binance_sdk.errors import ConfigError
from binance_sdk.events import WeightDrift

if TYPE_CHECKING:
    from binance_sdk._core import Core
    from binance_sdk._generated.markets import Market
    from binance_sdk._runtime.budget.shared.status import StoreStatus
    from binance_sdk._runtime.calls.hosts import MarketHosts
    from binance_sdk._runtime.clock import Clock


class MarketLimitsView:
    """Limits of one market, which are those of its pool; each attribute is read at the moment of its use."""

    def __init__(self, hosts: MarketHosts, clock: Clock) -> None:
        self._hosts = hosts
        self._pool = hosts.pool
        self._clock = clock

    @property
    def pool(self) -> str:
        """Name of the pool. Markets with the same one spend from the same limits, and are refused together."""
        return self._pool.name

    @property
    def weight(self) -> Usage:
        """Request weight."""
        return self._pool.usage(self._pool.weight, self._clock.monotonic())

    @property
    def weights(self) -> tuple[Usage, ...]:
        """Request weight in every interval for which the exchange has a limit, ``weight`` first."""
        now = self._clock.monotonic()
        return tuple(self._pool.usage(window, now) for window in self._pool.weights)

    @property
    def used(self) -> int:
        """Request weight used in the running window."""
        return self.weight.used

    @property
    def limit(self) -> int:
        """Request weight allowed in a window."""
        return self.weight.limit

    @property
    def remaining(self) -> int:
        """Request weight left in the running window."""
        return self.weight.remaining

    @property
    def resets_in(self) -> float:
        """Seconds to the end of the running window."""
        return self.weight.resets_in

    @property
    def groups(self) -> Mapping[str, Usage]:
        """Request counts of the named groups, e.g. ``groups["funding_rate"].used``."""
        now = self._clock.monotonic()
        return {name: self._pool.usage(window, now) for name, window in self._pool.groups.items()}

    @property
    def closed_for(self) -> float:
        """Seconds for which nothing is sent, after 429, 418 or 403; 0 while the gate is open."""
        return max(0.0, self._pool.gate.closed_until - self._clock.monotonic())

    @property
    def closed_because(self) -> str:
        """Why nothing is sent; empty while the gate is open."""
        return self._pool.gate.reason if self.closed_for else ""

    @property
    def waiting(self) -> int:
        """Calls of this process that wait for a budget, of all markets."""
        return self._pool.ledger.waiting

    @property
    def breakers(self) -> Mapping[str, Literal["closed", "open", "half_open"]]:
        """State of the circuit breaker of each host: ``open`` while nothing is sent there, as it failed too often."""
        return {host.breaker.host: host.breaker.state for host in self._hosts.hosts}

    @property
    def clock_skew(self) -> float:
        """Server time minus the local clock, in seconds, estimated from answers."""
        return self._pool.time.skew(self._clock.time(), self._clock.monotonic())

    def __repr__(self) -> str:
        weight = self.weight
        shown = [f"used={weight.used}", f"limit={weight.limit}", f"resets_in={weight.resets_in:.1f}"]
        groups = {name: f"{usage.used} of {usage.limit} in {usage.seconds} s" for name, usage in self.groups.items()}
        if groups:
            shown.append(f"groups={groups}")
        if self.closed_for:
            shown.append(f"closed_for={self.closed_for:.1f}, closed_because={self.closed_because!r}")
        if self.waiting:
            shown.append(f"waiting={self.waiting}")
        return f"MarketLimitsView({', '.join(shown)})"


class LimitsByMarket:
    """What is used of the limits of each market, as far as this process knows."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def market(self, name: Market) -> MarketLimitsView:
        """The limits of a market by its name.

        Raises:
            ParameterError: there is no such market.
            ConfigError: the client's environment does not have it.
        """
        hosts = self._core.engine.attempts.markets.get(check_market(name))
        if hosts is None:
            there = ", ".join(self._core.engine.attempts.markets)
            raise ConfigError(f"environment {self._core.settings.environment!r} has no {name} market; it has {there}")
        return MarketLimitsView(hosts, self._core.clock)

    def __repr__(self) -> str:
        markets = self._core.engine.attempts.markets.items()
        shown = [f"{name}={MarketLimitsView(hosts, self._core.clock)!r}" for name, hosts in markets]
        return f"{type(self).__name__}({', '.join(shown)})"

    @property
    def store(self) -> StoreStatus | None:
        """The store of ``limits_url``; None without one."""
        return None if self._core.store is None else self._core.store.status

    def drift(self) -> list[WeightDrift]:
        """Operations that the server charges otherwise than the spec says, with both weights."""
        pools = {hosts.pool.name: hosts.pool for hosts in self._core.engine.attempts.markets.values()}
        return [row for pool in pools.values() for row in pool.drift.rows()]
