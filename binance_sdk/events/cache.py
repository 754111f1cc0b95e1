"""What becomes of the calls that may use the answer to an earlier one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CacheSource = Literal["memory", "request", "store"]


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
