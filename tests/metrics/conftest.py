from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from binance_sdk.simulator import Simulator


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture(scope="module")
def _simulator() -> Iterator[Simulator]:
    with Simulator() as running:
        yield running


@pytest.fixture
def simulator(_simulator: Simulator) -> Simulator:
    _simulator.reset_limits()
    _simulator.streams.reset_limits()
    return _simulator
