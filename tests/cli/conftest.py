"""The command line, and a simulator whose clock stands still."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from binance_sdk.simulator import ManualClock, Simulator

from .support import Cli

NOW = 1_800_000_123_456
"""2027-01-15 08:02:03.456 UTC."""


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> Cli:
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return Cli()


@pytest.fixture(scope="session")
def _simulator() -> Iterator[Simulator]:
    with Simulator(seed=1, clock=ManualClock(NOW), history_days=120) as running:
        yield running


@pytest.fixture
def simulator(_simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    """The environment's spot and futures market, with nothing spent."""
    _simulator.reset_limits()
    monkeypatch.setenv("BINANCE_SDK_SPOT_BASE_URL", _simulator.base_url("spot"))
    monkeypatch.setenv("BINANCE_SDK_FUTURES_BASE_URL", _simulator.base_url("futures"))
    return _simulator
