"""What becomes of the calls that may use the answer to an earlier one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CacheSource = Literal["memory", "request", "store"]
"""Where an answer was: kept by this client, that of a request under way, or in the store that processes share."""


@dataclass(frozen=True, slots=True)
class CacheHit:
    """An answer was there already, or somebody else is getting it; it costs no weight.

    Args:
        operation: E.g. ``spot.klines``.
        source: ``memory`` of this process, a running ``request`` of this client, or the ``store`` of ``cache_url``.
    """

    operation: str
    source: CacheSource


@dataclass(frozen=True, slots=True)
class CacheMiss:
    """A call that may use the answer to an earlier one found none, and asks the exchange.

    Args:
        operation: E.g. ``spot.klines``.
    """

    operation: str


@dataclass(frozen=True, slots=True)
class WorthlessAnswer:
    """The store of ``cache_url`` holds something that this version of the package does not write; it counts as a miss.

    Args:
        operation: E.g. ``spot.klines``.
        key: Its name in the store.
        problem: What is wrong with it.
    """

    operation: str
    key: str
    problem: str

    def __str__(self) -> str:
        return f"{self.operation}: what {self.key} holds {self.problem}"
