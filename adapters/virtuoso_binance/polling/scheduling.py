"""What is fetched in this minute and what has to wait: a pure choice within a part of every budget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from binance_sdk import Caps, Plan

__all__ = ["REQUESTS", "Cost", "Job", "Purse", "Resource", "choose", "cost_of", "resources"]

T = TypeVar("T")

Cost = Mapping[str, int]
"""What a job takes of each resource, by name."""

REQUESTS = "requests"
_MINUTE = 60


def cost_of(plan: Plan) -> Cost:
    """The cost of a planned call, by the names of ``resources``."""
    market = plan.operation.partition(".")[0]
    groups = {f"{market}.{name}": count for name, count in plan.groups.items()}
    return {REQUESTS: plan.requests, f"{market}.weight": plan.weight, **groups}


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that is rationed.

    Args:
        limit: What may be spent in a window; weight or requests.
        seconds: Length of the window, which begins at whole multiples of it, as the exchange's windows do.
    """

    limit: float
    seconds: int = _MINUTE


def resources(limits: Mapping[str, Resource], caps: Caps, share: float) -> dict[str, Resource]:
    """What may be planned with: a share of the exchange's limits, or of the user's caps where those are lower.

    Args:
        limits: The exchange's, by name: ``futures.weight``, ``futures.futures_data``, ...
        caps: The user's.
        share: Part that may be planned away, from 0 to 1; the rest is for others and for repeated attempts.
    """
    lowest = dict(limits)
    per_second = caps.requests_per_second
    own: tuple[tuple[str, float | None], ...] = (
        ("spot.weight", caps.spot_weight_per_minute),
        ("futures.weight", caps.futures_weight_per_minute),
        (REQUESTS, caps.requests_per_minute),
        (REQUESTS, None if per_second is None else per_second * _MINUTE),
    )
    for name, cap in own:
        known = lowest.get(name)
        if cap is not None and (known is None or cap < known.limit):
            lowest[name] = Resource(cap)
    return {name: Resource(one.limit * share, one.seconds) for name, one in lowest.items()}


@dataclass(frozen=True, slots=True)
class Job(Generic[T]):
    """Something to fetch.

    Args:
        what: Anything the caller knows it by.
        cost: What it takes.
        rank: A lower rank goes first.
        lateness: Among one rank, the latest goes first.
    """

    what: T
    cost: Cost
    rank: int
    lateness: float


@dataclass
class Purse:
    """What is left of each resource in its running window."""

    resources: Mapping[str, Resource]
    _spent: dict[str, tuple[int, float]] = field(default_factory=dict[str, tuple[int, float]])

    def left(self, name: str, now: int) -> float:
        """Units left at ``now`` (epoch milliseconds); infinite where the resource has no limit."""
        one = self.resources.get(name)
        return float("inf") if one is None else one.limit - self._used(name, one, now)

    def fits(self, cost: Cost, now: int) -> bool:
        return all(amount <= self.left(name, now) for name, amount in cost.items() if amount)

    def spend(self, cost: Cost, now: int) -> None:
        for name, amount in cost.items():
            one = self.resources.get(name)
            if one is not None and amount:
                self._spent[name] = (now // (one.seconds * 1000), self._used(name, one, now) + amount)

    def _used(self, name: str, one: Resource, now: int) -> float:
        window, used = self._spent.get(name, (-1, 0.0))
        return used if window == now // (one.seconds * 1000) else 0.0


def choose(jobs: Iterable[Job[T]], purse: Purse, now: int) -> tuple[list[Job[T]], list[Job[T]]]:
    """Take jobs out of the purse, by rank and lateness, as long as they fit.

    A job that waits grows later, so within its rank every job has its turn.

    Returns:
        The jobs to do, and those that have to wait.
    """
    chosen: list[Job[T]] = []
    waiting: list[Job[T]] = []
    for job in sorted(jobs, key=lambda one: (one.rank, -one.lateness)):
        if purse.fits(job.cost, now):
            purse.spend(job.cost, now)
            chosen.append(job)
        else:
            waiting.append(job)
    return chosen, waiting
