"""Which calls are made in this minute, and which have to wait: a pure choice within a share of every limit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from binance_sdk import Caps, Plan

__all__ = ["REQUESTS", "Allowance", "Cost", "Job", "Quota", "choose", "cost_of", "planned_quotas"]

T = TypeVar("T")

Cost = Mapping[str, int]
"""What a job takes of each quota, by name."""

REQUESTS = "requests"
_MINUTE = 60


def cost_of(plan: Plan) -> Cost:
    """The cost of a planned call, by the names of ``planned_quotas``."""
    market = plan.operation.partition(".")[0]
    groups = {f"{market}.{name}": count for name, count in plan.groups.items()}
    return {REQUESTS: plan.requests, f"{market}.weight": plan.weight, **groups}


@dataclass(frozen=True, slots=True)
class Quota:
    """What may be spent in a window of time.

    Args:
        limit: Weight or requests.
        seconds: Length of the window, which begins at whole multiples of it, as the exchange's windows do.
    """

    limit: float
    seconds: int = _MINUTE


def planned_quotas(limits: Mapping[str, Quota], caps: Caps, share: float) -> dict[str, Quota]:
    """What may be planned with: a share of the exchange's limits, or of the user's caps where those are lower.

    Args:
        limits: The exchange's, by name: ``futures.weight``, ``futures.futures_data``, ...
        caps: The user's.
        share: Part of each that may be planned with, from 0 to 1; the rest is for others and for retries.
    """
    lowest = dict(limits)
    per_second = caps.requests_per_second
    own_caps: tuple[tuple[str, float | None], ...] = (
        ("spot.weight", caps.spot_weight_per_minute),
        ("futures.weight", caps.futures_weight_per_minute),
        (REQUESTS, caps.requests_per_minute),
        (REQUESTS, None if per_second is None else per_second * _MINUTE),
    )
    for name, cap in own_caps:
        known = lowest.get(name)
        if cap is not None and (known is None or cap < known.limit):
            lowest[name] = Quota(cap)
    return {name: Quota(quota.limit * share, quota.seconds) for name, quota in lowest.items()}


@dataclass(frozen=True, slots=True)
class Job(Generic[T]):
    """Something to fetch.

    Args:
        task: Whatever the caller needs to do it.
        cost: What it takes.
        rank: A lower rank goes first.
        lateness: Within a rank, the latest goes first.
    """

    task: T
    cost: Cost
    rank: int
    lateness: float


@dataclass
class Allowance:
    """What is left of each quota in its running window."""

    quotas: Mapping[str, Quota]
    _spent: dict[str, tuple[int, float]] = field(default_factory=dict[str, tuple[int, float]])
    """Number of the window and what was spent in it, by name."""

    def left(self, name: str, now: int) -> float:
        """Units left at ``now`` (epoch milliseconds); infinite where there is no such quota."""
        quota = self.quotas.get(name)
        return float("inf") if quota is None else quota.limit - self._used(name, quota, now)

    def fits(self, cost: Cost, now: int) -> bool:
        """Whether all of a cost is left."""
        return all(amount <= self.left(name, now) for name, amount in cost.items() if amount)

    def spend(self, cost: Cost, now: int) -> None:
        """Take a cost out of the running windows."""
        for name, amount in cost.items():
            quota = self.quotas.get(name)
            if quota is not None and amount:
                self._spent[name] = (now // (quota.seconds * 1000), self._used(name, quota, now) + amount)

    def _used(self, name: str, quota: Quota, now: int) -> float:
        window, used = self._spent.get(name, (-1, 0.0))
        return used if window == now // (quota.seconds * 1000) else 0.0


def choose(jobs: Iterable[Job[T]], allowance: Allowance, now: int) -> tuple[list[Job[T]], list[Job[T]]]:
    """Spend the allowance on jobs, by rank and lateness, as far as it goes.

    A job that waits grows later, so within its rank every job has its turn.

    Returns:
        The jobs to do, and those that have to wait.
    """
    chosen: list[Job[T]] = []
    waiting: list[Job[T]] = []
    for job in sorted(jobs, key=lambda job: (job.rank, -job.lateness)):
        if allowance.fits(job.cost, now):
            allowance.spend(job.cost, now)
            chosen.append(job)
        else:
            waiting.append(job)
    return chosen, waiting
