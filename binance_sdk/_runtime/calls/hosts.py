"""The hosts of one market, each with its own circuit breaker, and which of them to ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from binance_sdk._runtime.budget.pool import Pool
from binance_sdk._runtime.calls.circuit_breaker import Breaker
from binance_sdk._runtime.operation import Operation
from binance_sdk.errors import CircuitOpenError


@dataclass(frozen=True, slots=True)
class Host:
    """One base URL."""

    base_url: str
    breaker: Breaker

    @classmethod
    def at(cls, base_url: str) -> Host:
        return cls(base_url, Breaker(urlsplit(base_url).netloc))


@dataclass(frozen=True, slots=True)
class MarketHosts:
    """The hosts of one market, best first, and the pool that pays for calls to them."""

    hosts: tuple[Host, ...]
    pool: Pool
    environment: str = ""
    """Name of the environment, or empty where a base URL was given."""

    def pick(
        self, operation: Operation[Any], failed: Sequence[Host], now: float
    ) -> tuple[Host, Literal["yes", "probe"]]:
        """The first host that may be asked; those that failed in this call come last.

        Raises:
            CircuitOpenError: every host failed too often recently.
        """
        order = [*(host for host in self.hosts if host not in failed), *failed] if failed else self.hosts
        for host in order:
            allowed = host.breaker.allow(now)
            if allowed != "no":
                return host, allowed
        raise self.all_open(operation, now)

    def all_open(self, operation: Operation[Any], now: float) -> CircuitOpenError:
        wait = max(0.0, min(host.breaker.retry_at() for host in self.hosts) - now)
        names = ", ".join(host.breaker.host for host in self.hosts)
        return CircuitOpenError(
            f"{operation.id}: not sent, {names} failed too often recently; tried again in {wait:.0f} s",
            operation=operation.id,
            retry_at=round(self.pool.time.now(now + wait) * 1000),
            retry_after=wait,
        )
