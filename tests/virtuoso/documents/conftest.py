"""A desk with everything that a reader of the plan's pages has: a simulator, a Bybit, and Virtuoso's checkout."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest

from binance_sdk.simulator import Simulator
from tests.virtuoso.documents.running import Desk
from tests.virtuoso.sources.bybit_server import StillMarket, bybit_server

_FACTORY = "from tests.virtuoso.fake_virtuoso import BaseExchange, ExchangeFactory\n"


class OfThisMoment(StillMarket):
    """One price, at whatever time it is: the programs that ask have no other clock."""

    def __init__(self) -> None:
        super().__init__(0, 100.0)

    def now_ms(self) -> int:
        self._now_ms = round(time.time() * 1000)
        return self._now_ms

    def candles(self, symbol: str, interval: str, count: int) -> list[tuple[int, Sequence[float]]]:
        self.now_ms()
        return super().candles(symbol, interval, count)


@pytest.fixture(scope="module")
def simulated() -> Iterator[Simulator]:
    """Of this moment, as the programs that ask it have no other clock."""
    with Simulator(symbols=["BTCUSDT", "ETHUSDT"], history_days=45) as simulator:
        yield simulator


@pytest.fixture
async def desk(simulated: Simulator, tmp_path: Path) -> AsyncIterator[Desk]:
    async with bybit_server(OfThisMoment()) as bybit:
        desk = Desk(tmp_path, BINANCE_SDK_SIMULATOR=simulated.url, BYBIT_REST_ENDPOINT=bybit.url)
        for package in ("src", "src/core", "src/core/exchanges"):
            desk.write(f"{package}/__init__.py", "")
        desk.write("src/core/exchanges/factory.py", _FACTORY)
        yield desk
