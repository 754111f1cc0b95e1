"""The budget over real sockets, compared with what the simulator counts."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from binance_sdk import BinanceClient, RequestOptions, SyncBinanceClient, errors
from binance_sdk.simulator import ManualClock, Simulator

NOW = 1_790_000_130_000


@pytest.fixture(scope="module")
def shared() -> Iterator[Simulator]:
    with Simulator(clock=ManualClock(NOW), weight_limits={"spot": 100}, symbols=["BTCUSDT"], history_days=2) as one:
        yield one


def test_a_server_with_a_smaller_limit_never_has_to_refuse(shared: Simulator) -> None:
    """Sync and async clients on the same host spend from one budget."""
    results: list[object] = []

    def call(client: SyncBinanceClient) -> None:
        for _ in range(4):
            try:
                results.append(client.spot.depth("BTCUSDT", options=RequestOptions(wait=False)))
            except errors.BudgetError as error:
                results.append(error)

    async def story() -> None:
        async with BinanceClient(spot_base_url=shared.base_url("spot"), safety_margin=0.0) as client:
            await client.spot.exchange_info()
            assert client.limits.spot.limit == 100
            calls = [client.spot.depth("BTCUSDT", options=RequestOptions(wait=False)) for _ in range(10)]
            results.extend(await asyncio.gather(*calls, return_exceptions=True))

    with SyncBinanceClient(spot_base_url=shared.base_url("spot"), safety_margin=0.0) as client:
        client.spot.time()
        threads = [threading.Thread(target=call, args=(client,)) for _ in range(3)]
        asyncio.run(story())
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    (window,) = shared.windows("spot")
    assert window.over_limit == 0
    assert len(results) == 22
    refused = [result for result in results if isinstance(result, Exception)]
    assert all(isinstance(error, errors.BudgetError) for error in refused)
    # 20 and 1 for the two that were sent before, 5 for each order book; one more would have been too much.
    assert len(results) - len(refused) == 15
