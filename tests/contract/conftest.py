"""Clients whose clock nearly stands still, so no window of a limit ends between a call and the look at its cost."""

from __future__ import annotations

import itertools

import pytest

from binance_sdk._runtime.clock import AsyncClock, BlockingClock

from .calls import NOW_MS


@pytest.fixture(autouse=True)
def _still_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes only where an attempt measures it, a little each time; waiting is an error."""
    looks = itertools.count(1)

    async def sleep(self: AsyncClock, seconds: float) -> None:
        raise AssertionError(f"a call into an unspent budget waits {seconds} s")

    # On the classes: it does not matter who makes the clock of a client.
    monkeypatch.setattr(AsyncClock, "time", lambda self: NOW_MS / 1000)
    monkeypatch.setattr(AsyncClock, "monotonic", lambda self: next(looks) / 64)
    monkeypatch.setattr(AsyncClock, "sleep", sleep)
    monkeypatch.setattr(BlockingClock, "sleep", sleep)
