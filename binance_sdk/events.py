"""What a client tells its hooks: one frozen value for each thing that happens, made for ``match``.

A hook is any callable that takes one event: ``BinanceClient(hooks=[print])``. It runs where the thing happens, so it
must be quick and must not block; what it raises is logged and otherwise ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = [
    "BreakerChanged",
    "CacheHit",
    "Event",
    "GateClosed",
    "Hook",
    "RequestSent",
    "ResponseReceived",
    "Retrying",
    "Waited",
    "WeightDrift",
]


@dataclass(frozen=True, slots=True)
class RequestSent:
    """A request goes out.

    Args:
        operation: E.g. ``spot.klines``.
        url: Where to.
        weight: Request weight it was charged.
        attempt: 1 for the first one.
    """

    operation: str
    url: str
    weight: int
    attempt: int


@dataclass(frozen=True, slots=True)
class ResponseReceived:
    """An attempt is over.

    Args:
        operation: E.g. ``spot.klines``.
        status_code: HTTP status; None where no answer came.
        outcome: ``ok`` or the name of the error class.
        used_weight: The server's own count; None where it sent none.
        elapsed: Seconds from sending to the whole answer.
        attempt: 1 for the first one.
    """

    operation: str
    status_code: int | None
    outcome: str
    used_weight: int | None
    elapsed: float
    attempt: int


@dataclass(frozen=True, slots=True)
class Waited:
    """A request waited for the budget before it was sent.

    Args:
        operation: E.g. ``spot.klines``.
        seconds: How long.
        resource: Name of the limit that was short.
    """

    operation: str
    seconds: float
    resource: str


@dataclass(frozen=True, slots=True)
class Retrying:
    """An attempt failed and another one follows.

    Args:
        operation: E.g. ``spot.klines``.
        error: What went wrong.
        pause: Seconds before the next attempt.
        attempt: Number of the attempt that failed.
    """

    operation: str
    error: Exception
    pause: float
    attempt: int


@dataclass(frozen=True, slots=True)
class GateClosed:
    """Nothing of a pool is sent for a while.

    Args:
        pool: Name of the pool, e.g. ``mainnet/spot``.
        reason: Why, in words.
        seconds: For how long.
    """

    pool: str
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class BreakerChanged:
    """The circuit breaker of a host changed its state.

    Args:
        host: E.g. ``api.binance.com``.
        state: What it is now.
    """

    host: str
    state: Literal["closed", "open", "half_open"]


@dataclass(frozen=True, slots=True)
class CacheHit:
    """An answer came from the cache, or from the request of somebody else.

    Args:
        operation: E.g. ``spot.klines``.
        shared: It was still under way when asked for.
    """

    operation: str
    shared: bool


@dataclass(frozen=True, slots=True)
class WeightDrift:
    """The server charges another weight than the spec says.

    Args:
        operation: E.g. ``spot.klines``.
        expected: Weight by the spec.
        observed: Weight the server took.
        count: How often it was seen.
    """

    operation: str
    expected: int
    observed: int
    count: int

    def __str__(self) -> str:
        return f"{self.operation}: the spec says {self.expected}, the server took {self.observed}"


Event: TypeAlias = (
    RequestSent | ResponseReceived | Waited | Retrying | GateClosed | BreakerChanged | CacheHit | WeightDrift
)
"""Anything a hook can get."""

Hook: TypeAlias = Callable[[Event], None]
