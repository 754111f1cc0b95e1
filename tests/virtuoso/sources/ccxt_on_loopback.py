"""CCXT against servers on this machine: settings without proxies and pauses, and a clock for its rate limiter."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

OFFLINE: dict[str, Any] = {"aiohttp_trust_env": False, "timeout_on_exit": 0}
"""Settings of CCXT's classes: ``close`` waits for nothing, as nothing here is encrypted."""


class LimiterClock:
    """What CCXT's rate limiter takes for the time: its pauses pass at once, and are counted.

    Attributes:
        waited: Seconds of pauses, of every exchange together.
    """

    def __init__(self) -> None:
        self.waited = 0.0

    def time(self) -> float:
        return self.waited

    async def sleep(self, seconds: float) -> None:
        # Not millisecond by millisecond, as the limiter looks whether a turn has come.
        self.waited += max(seconds, 0.01) if seconds else 0.0
        await asyncio.sleep(0)

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Give this clock to the limiters of all classes of CCXT's."""
        throttler = pytest.importorskip("ccxt.async_support.base.throttler", reason="install the extra ccxt")
        names = {"Future": asyncio.Future, "ensure_future": asyncio.ensure_future, "sleep": self.sleep}
        monkeypatch.setattr(throttler, "asyncio", SimpleNamespace(**names))
        monkeypatch.setattr(throttler, "time", self.time)
