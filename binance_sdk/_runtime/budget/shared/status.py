"""Whether the store of a shared budget is there, for users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

StoreState = Literal["unused", "connected", "lost"]


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """The store of ``limits_url``, as far as this process knows.

    Args:
        state: ``unused`` before the first call; ``lost`` while calls spend this process's own part of each limit.
        since: Local epoch seconds at which it became so.
        reason: Why it is lost, in words; empty otherwise.
        processes: How many share the budget, by its last answer; 0 before the first one.
    """

    state: StoreState
    since: float
    reason: str
    processes: int
