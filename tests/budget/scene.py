"""Calls against one pool on virtual time, without any HTTP, and a server that counts them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from binance_sdk import Caps
from binance_sdk._runtime.budget.client_budget import ClientBudget
from binance_sdk._runtime.budget.ledger import Ledger
from binance_sdk._runtime.budget.pool import Cost, Pool
from binance_sdk._runtime.budget.server_time import ServerTime
from binance_sdk._runtime.market import Limit, PoolLimits
from binance_sdk._runtime.options import Priority

from .virtual import START, VirtualClock, now

LIMIT = 100


HEADER = "x-mbx-used-weight-{interval}"


def make_pool(limit: int = LIMIT, groups: dict[str, int] | None = None) -> Pool:
    limits = PoolLimits(
        "spot", Limit(limit, 60), {name: Limit(size, 300) for name, size in (groups or {}).items()}, HEADER
    )
    pool = Pool("a pool", limits, ServerTime(START, START), Ledger())
    pool.observe_time(START, 0.001, START, START)
    return pool


@dataclass
class Scene:
    """Calls against one pool; the server counts what arrives."""

    pool: Pool = field(default_factory=make_pool)
    caps: Caps = field(default_factory=Caps)
    at_once: int = 1000
    events: list[Any] = field(default_factory=list)
    counts: dict[int, int] = field(default_factory=dict)
    granted: list[tuple[float, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = VirtualClock()
        self.budget = ClientBudget(self.clock, self.caps, 0.0, self.at_once, self.events.append)

    async def call(
        self,
        name: str,
        weight: int,
        *,
        latency: float = 0.0,
        priority: Priority = "normal",
        wait: bool = True,
        deadline: float = float("inf"),
        groups: tuple[str, ...] = (),
        told: bool = True,
    ) -> None:
        """One request, from permission to answer."""
        grant = await self.budget.acquire(
            name, self.pool, Cost(weight, groups), priority=priority, wait=wait, deadline=deadline
        )
        self.granted.append((now(), name))
        count = None
        try:
            await asyncio.sleep(latency / 2)
            index = int(now() // 60)
            count = self.counts[index] = self.counts.get(index, 0) + weight
            await asyncio.sleep(latency / 2)
        except BaseException:
            self.pool.finish(grant, None, None, now(), answered=False)
            raise
        self.pool.finish(grant, None, count if told else None, now())

    @property
    def order(self) -> list[str]:
        return [name for _, name in self.granted]

    def when(self, name: str) -> float:
        return next(at for at, granted in self.granted if granted == name)

    def is_clean(self) -> bool:
        in_flight = [window.in_flight for window in self.pool.windows]
        taken: int = getattr(self.budget._concurrency.resource, "in_flight")  # noqa: B009 - a protocol hides it
        return not any(in_flight) and not taken and not self.pool.ledger.waiting and not self.pool.ledger._queues
