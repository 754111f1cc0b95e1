"""Fixtures of the runtime tests: a clock that stands still, and a recorder in place of the network."""

from __future__ import annotations

from pathlib import Path

import pytest

from .support import Recorder, StillClock


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> StillClock:
    still = StillClock()
    monkeypatch.setattr("binance_sdk._core.AsyncClock", lambda: still)
    monkeypatch.setattr("binance_sdk._core.BlockingClock", lambda: still)
    return still


@pytest.fixture(autouse=True)
def _no_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here speaks TLS, and reading the certificates of the world took half of the time of these tests."""
    monkeypatch.setenv("SSL_CERT_DIR", str(Path(__file__).parent))


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()
