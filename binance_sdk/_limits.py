"""``client.limits``: the ledger as a user reads it."""

from __future__ import annotations

from collections.abc import Mapping

from binance_sdk._runtime.engine import Engine
from binance_sdk._runtime.limits import Pool, Usage
from binance_sdk._runtime.operation import Market
from binance_sdk.errors import ConfigError


class MarketLimitsView:
    """Limits of one market, read at the moment an attribute is asked for."""

    def __init__(self, engine: Engine, pool: Pool) -> None:
        self._engine = engine
        self._pool = pool

    @property
    def weight(self) -> Usage:
        """Request weight."""
        return self._pool.state("", self._engine.clock.time())

    @property
    def used(self) -> int:
        """Request weight spent in the running window."""
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
        now = self._engine.clock.time()
        return {name: self._pool.state(name, now) for name in self._pool.limits.groups}

    def __repr__(self) -> str:
        return f"MarketLimitsView(used={self.used}, limit={self.limit}, resets_in={self.resets_in:.1f})"


class LimitsView:
    """What is spent of the limits of both markets, as far as this process knows."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def _market(self, market: Market) -> MarketLimitsView:
        host = self._engine.hosts.get(market)
        if host is None:
            raise ConfigError(f"environment {self._engine.environment!r} has no {market} market")
        return MarketLimitsView(self._engine, host.pool)

    @property
    def spot(self) -> MarketLimitsView:
        return self._market("spot")

    @property
    def futures(self) -> MarketLimitsView:
        return self._market("futures")
