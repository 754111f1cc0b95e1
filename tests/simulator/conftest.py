"""Simulators whose clock stands still, and a client that reads them over a socket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from binance_sdk.catalogue import MARKETS, Operation
from binance_sdk.simulator import ManualClock, Simulator
from binance_sdk.simulator_url import simulator_urls
from tests.simulated_http import SimulatedHttp

NOW = 1_800_000_123_456
"""2027-01-15 08:02:03.456 UTC, a Friday."""
PLENTY = 10**9


class Api:
    """One connection to a simulator; answers are checked for status 200 and parsed."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.client = SimulatedHttp(simulator, headers={"X-MBX-APIKEY": "a-key"})

    def ask(self, operation: Operation[Any], params: Mapping[str, Any] | str | None = None) -> httpx.Response:
        """The answer of an operation, at the port of its market."""
        return self.response(simulator_urls(self.simulator.url).rest[operation.market] + operation.path, params)

    def response(self, path: str, params: Mapping[str, Any] | str | None = None) -> httpx.Response:
        query = params if isinstance(params, str) else httpx.QueryParams(dict(params or {}))
        return self.client.get(f"{path}?{query}" if params else path)

    def get(self, path: str, **params: Any) -> Any:
        response = self.response(path, params)
        assert response.status_code == 200, response.text
        return response.json()


def simulator(*, weight_limits: Mapping[str, int] | None = None, **options: Any) -> Simulator:
    """A simulator at ``NOW``; the limits that are not given are out of reach."""
    limits: Any = {**dict.fromkeys(MARKETS, PLENTY), **(weight_limits or {})}
    return Simulator(**{"clock": ManualClock(NOW), "weight_limits": limits, **options})


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """A simulator at ``NOW`` that a whole module shares: it is only read, and its limits are out of reach."""
    with simulator() as running:
        api = Api(running)
        with api.client:
            yield api


@pytest.fixture
def running() -> Iterator[Simulator]:
    """A simulator at ``NOW`` with Binance's own limits, for one test."""
    with Simulator(clock=ManualClock(NOW)) as one:
        yield one
