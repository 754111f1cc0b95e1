"""A simulated exchange for tests: pytest finds the fixture by itself once the package is installed."""

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
