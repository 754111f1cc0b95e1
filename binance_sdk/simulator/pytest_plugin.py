"""A simulated exchange for tests: pytest finds the fixture by itself once the package is installed.

    async def test_prices(binance_simulator: Simulator) -> None:
        async with binance_simulator.client() as client:
            assert await client.spot.klines("BTCUSDT", "1h", limit=3)

``sync_client()`` is the blocking one; both have the REST and the streams of every market. A program under test that
makes a client of its own finds the simulator by one variable:

    monkeypatch.setenv("BINANCE_SDK_SIMULATOR", binance_simulator.url)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from binance_sdk.simulator import Simulator


@pytest.fixture
def binance_simulator() -> Iterator[Simulator]:
    """A running ``binance_sdk.simulator.Simulator`` with its defaults, stopped after the test."""
    # Every pytest run loads this module, so what the fixture needs is imported only where it is used.
    from binance_sdk.simulator import Simulator

    with Simulator() as simulator:
        yield simulator
