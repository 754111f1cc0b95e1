"""Fixtures of the runtime tests: a clock that stands still, and a recorder in place of the network."""

from __future__ import annotations

import pytest

from .support import Recorder, StillClock


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> StillClock:
    still = StillClock()
    monkeypatch.setattr("binance_sdk._core.AsyncClock", lambda: still)
    monkeypatch.setattr("binance_sdk._core.BlockingClock", lambda: still)
    return still


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()
