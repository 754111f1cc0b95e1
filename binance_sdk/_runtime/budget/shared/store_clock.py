"""How far the exchange's clock is from the store's, as one process knows it; the host's own clock plays no part."""

from __future__ import annotations

import math
from dataclasses import dataclass

from binance_sdk._runtime.budget.server_time import ServerTime

_NEWS_AFTER = 60.0
"""Seconds after which it is told again."""
_NARROWER = 0.9
"""It is told at once if it is known so much better."""


@dataclass
class StoreClock:
    """Learns the store's clock from its replies. Times are monotonic seconds."""

    _time: ServerTime | None = None
    _told: tuple[float, float] = (math.inf, -math.inf)
    """Width of the interval that was told, and when."""

    def observe(self, told: float, sent: float, received: float) -> None:
        if self._time is None:
            self._time = ServerTime(told, received)
        self._time.observe(told, 1e-6, sent, received)

    def news(self, exchange: ServerTime, now: float) -> list[float] | None:
        """Bounds of (exchange's time - store's time); None if the store knows them already."""
        if self._time is None or not exchange.calibrated:
            return None
        low, high = exchange.interval(now)
        store_low, store_high = self._time.interval(now)
        low, high = low - store_high, high - store_low
        width, at = self._told
        if high - low > _NARROWER * width and now < at + _NEWS_AFTER:
            return None
        self._told = high - low, now
        return [low, high]
