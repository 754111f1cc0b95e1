from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from binance_sdk.simulator import Simulator
from tests.shared.servers import Server, running, valkey

_DAY = 86_400


@pytest.fixture(scope="session")
def started() -> Iterator[Server]:
    with running(valkey()) as server:
        yield server


@pytest.fixture
def store(started: Server) -> Server:
    if started.process is None:
        started.start()
    with redis.Redis(port=started.port) as client:
        client.flushall()
    return started


@pytest.fixture
def exchange() -> Iterator[Simulator]:
    with Simulator(weight_window_seconds=_DAY) as simulator:
        yield simulator


def requests(exchange: Simulator) -> int:
    """How many the exchange was sent."""
    return sum(window.requests for window in exchange.windows("spot"))
