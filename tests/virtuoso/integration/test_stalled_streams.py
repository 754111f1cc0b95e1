"""A primary exchange with streams, on one clock with everything else: stalled, down, and back."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from binance_sdk.simulator.streams import StreamFault
from tests.virtuoso.integration.eight_hours import invalid
from tests.virtuoso.integration.venues import Venues
from tests.virtuoso.sources.ccxt_on_loopback import LimiterClock
from virtuoso_binance.config.field_types import STREAM_KINDS
from virtuoso_binance.scalars import Row
from virtuoso_binance.sources import SourceFailed, SourceSwitched

pytest.importorskip("ccxt", reason="ccxt is missing: install the extra ccxt")

STREAMED = {"ticker", "quotes", "premium", "orderbook", "trades", "base", "ltf", "mtf", "htf"}
POLL = 30


@pytest.fixture
def venues(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Venues:
    caplog.set_level(logging.CRITICAL)
    LimiterClock().install(monkeypatch)
    return Venues(STREAM_KINDS)


def test_stalled_streams_are_no_failure_and_an_exchange_that_is_down_is_one(venues: Venues) -> None:
    async def story(venues: Venues) -> None:
        source = venues.source("binance", "bybit", failback_after=60, failback_checks=2)

        async def poll() -> Any:
            await asyncio.sleep(POLL)
            data: Row = await source.fetch_market_data("BTCUSDT", 100)
            assert invalid(data) == []
            assert data["ticker"]["last"] == pytest.approx(venues.truth.price("BTCUSDT"), rel=2.5e-3)
            assert -1_000 < venues.clock.now_ms() - data["timestamp"] < 5_000
            return data["metadata"]

        async def until_streamed() -> None:
            for _ in range(30):
                found = await poll()
                if set(found.get("streamed", ())) == STREAMED:
                    assert found["stalled"] == {}
                    return
            raise AssertionError(found)

        async with source:
            await until_streamed()
            # The connection is there, and answers pings, and nothing comes.
            venues.binance.streams.faults.mute("*")
            stalled: set[str] = set()
            for _ in range(6):
                found = await poll()
                assert found["source"] == "binance"
                stalled |= set(found["stalled"])
            assert stalled == STREAMED - {"quotes"}
            assert found["streamed"] == []
            # The lines are cut too, and made no more.
            refused = venues.binance.streams.faults.add(StreamFault.refuse(503))
            venues.binance.streams.abort()
            found = await poll()
            assert (found["source"], found["streamed"]) == ("binance", [])
            assert venues.told(SourceFailed) == venues.told(SourceSwitched) == []

            venues.binance.maintenance()
            assert (await poll())["source"] == "bybit"
            assert [(event.before, event.after) for event in venues.told(SourceSwitched)] == [("binance", "bybit")]

            refused.remove()
            venues.binance.streams.faults.unmute()
            venues.binance.end_maintenance()
            for _ in range(60):
                if (await poll())["source"] == "binance":
                    break
            await until_streamed()
            assert [event.after for event in venues.told(SourceSwitched)] == ["bybit", "binance"]

    venues.run(story)
