"""Two simulated exchanges behind our own class: failover over real sockets, and two ways to one venue compared."""

from __future__ import annotations

from typing import Any

import pytest

from binance_sdk.simulator import Fault, Simulator
from tests.virtuoso.conftest import NOW, Build
from virtuoso_binance import MarketDataSource, NoSourceError
from virtuoso_binance.sources import SourceFailed, SourceSwitched


def source_over(first: Any, second: Any, events: list[Any], **block: Any) -> MarketDataSource:
    settings = {"primary": "first", "secondary": ["second"], "failback_after": 0, "failback_checks": 1, **block}
    exchanges = {"first": first, "second": second}
    return MarketDataSource(exchanges, settings, hooks=[events.append], now=lambda: NOW / 1000)


async def test_failover_within_the_poll_and_back(build: Build, simulator: Simulator, own_simulator: Simulator) -> None:
    events: list[Any] = []
    source = source_over(await build(own_simulator), await build(simulator), events)
    async with source:
        assert (await source.fetch_market_data("BTCUSDT"))["metadata"]["source"] == "first"
        own_simulator.faults.add(Fault.server_error(), where="futures.ticker_24hr")
        data = await source.fetch_market_data("BTCUSDT")
        assert (data["metadata"]["source"], data["metadata"]["quality"]["score"]) == ("second", 100.0)
        failed, switched = events
        assert isinstance(failed, SourceFailed)
        assert "ticker_24hr" in failed.reason
        assert isinstance(switched, SourceSwitched)
        own_simulator.faults.clear()
        # The first one is asked beside the second one, found good, and serves the next time.
        served = [(await source.fetch_market_data("BTCUSDT"))["metadata"]["source"] for _ in range(3)]
        assert served[-1] == "first"


async def test_a_part_that_is_missing_is_had_from_the_other_exchange(
    build: Build, simulator: Simulator, own_simulator: Simulator
) -> None:
    own_simulator.faults.add(Fault.garbled(), where="futures.depth")
    source = source_over(await build(own_simulator), await build(simulator), [])
    async with source:
        data = await source.fetch_market_data("BTCUSDT")
    assert (data["metadata"]["source"], data["metadata"]["orderbook_success"]) == ("second", True)


async def test_one_venue_by_two_ways_agrees_in_everything(build: Build, simulator: Simulator) -> None:
    events: list[Any] = []
    source = source_over(await build(simulator), await build(simulator), events, cross_validation=True, patience=60)
    async with source:
        report = (await source.fetch_market_data("BTCUSDT"))["metadata"]["cross_validation"]
    assert (report["verdict"], report["checks"], report["disagreements"], events) == ("agreed", 5, [], [])


async def test_both_down_is_one_error_with_both_reasons(build: Build, own_simulator: Simulator) -> None:
    source = source_over(await build(own_simulator), await build(own_simulator), [])
    own_simulator.faults.add(Fault.server_error(), where="futures.ticker_24hr")
    async with source:
        with pytest.raises(NoSourceError) as caught:
            await source.fetch_market_data("BTCUSDT")
    assert ["ticker_24hr" in reason for reason in caught.value.reasons.values()] == [True, True]
