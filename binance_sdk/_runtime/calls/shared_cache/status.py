"""Whether the store of a shared cache is there, for users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CacheStoreState = Literal["unused", "connected", "lost"]


@dataclass(frozen=True, slots=True)
class CacheStoreStatus:
    """The store of ``cache_url``, as far as this process knows.

    Args:
        state: ``unused`` before the first call; ``lost`` while each process asks the exchange for itself.
        since: Local epoch seconds at which it became so.
        reason: Why it is lost, in words; empty otherwise.
    """

    state: CacheStoreState
    since: float
    reason: str
