"""Minutes of a simulated market, polled with or without streams: exchange and client on one clock that never waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import thread_time
from typing import Self
from unittest import mock

import httpx

from binance_sdk import BinanceClient, Caps
from binance_sdk import _core as core
from binance_sdk.simulator import Instrument, Simulator
from tests.virtuoso.soak_support import Line, SharedClock
from virtuoso_binance.config.field_types import STREAM_KINDS
from virtuoso_binance.polling.fetcher import BinanceDataFetcher, Refresh
from virtuoso_binance.streaming import Streaming
from virtuoso_binance.symbols import Listing

CAPS = Caps(spot_weight_per_minute=6000, requests_per_minute=1200, requests_per_second=10)
"""What the example configuration of the adapter says."""
START = 1_800_000_120_000
_LOST_AFTER = 30
"""Looks in a row, half a millisecond apart, without a new message, after which what is missing will never come."""


def perpetuals(count: int) -> list[Instrument]:
    """So many contracts."""
    return [
        Instrument("futures", f"C{n:03d}USDT", f"C{n:03d}", "USDT", 4, 1, rate=1, contract_type="PERPETUAL")
        for n in range(count)
    ]


class StreamedClock(SharedClock):
    """It also waits for what streams have sent, once a second.

    Attributes:
        simulator: Whose streams.
        received: How many messages have come, on all connections.
    """

    simulator: Simulator
    received: Callable[[], int]
    _lost = 0
    """Messages that were sent and never came."""

    def set(self, now_ms: int) -> None:
        super().set(now_ms)
        self.moved()

    async def _drive(self) -> None:
        quiet = 0
        while self._sleepers:
            moves, busy = self._moves, self._line.under_way > 0
            await asyncio.sleep(0.0005 if busy else 0)
            quiet = 0 if busy or moves != self._moves else quiet + 1
            if quiet > 20 and self._sleepers:
                second = self.now_ms() // 1000
                self.set(max(self._sleepers[0][0], self.now_ms()))
                if self.now_ms() // 1000 > second:
                    await self._hear()
                self.wake_sleepers()
                quiet = 0

    async def _hear(self) -> None:
        await asyncio.to_thread(self.simulator.streams.flush)
        sent = self.simulator.streams.counts("futures").sent
        still = 0
        while sent - self.received() > self._lost:
            before = self.received()
            await asyncio.sleep(0.0005)
            still = still + 1 if before == self.received() else 0
            if still > _LOST_AFTER:
                # Its connection has ended.
                self._lost = sent - self.received()


@dataclass(frozen=True)
class Minute:
    """One minute.

    Attributes:
        refresh: What the refresh in it did.
        refreshing: CPU seconds of this thread in the refresh.
        events: Events that came before it.
    """

    refresh: Refresh
    refreshing: float
    events: int


class Minutes:
    """A fetcher of many symbols.

    Args:
        count: How many symbols.
        streamed: Whether it has streams from the start.
    """

    def __init__(self, count: int, *, streamed: bool) -> None:
        self.line = Line()
        self.clock = StreamedClock(START, self.line)
        self.simulator = Simulator(clock=self.clock, symbols=perpetuals(count), history_days=35)
        self.clock.simulator, self.clock.received = self.simulator, self.received
        self._streamed = streamed
        self.streaming: Streaming | None = None

    async def __aenter__(self) -> Self:
        self.simulator.start()
        spot, futures = self.simulator.base_url("spot"), self.simulator.base_url("futures")
        self.http = httpx.AsyncClient(transport=self.line)
        with mock.patch.object(core, "AsyncClock", return_value=self.clock):
            self.client = BinanceClient(
                spot_base_url=spot,
                futures_base_url=futures,
                futures_stream_url=self.simulator.stream_url("futures"),
                http_client=self.http,
                caps=CAPS,
            )
        listing = Listing(await self.client.futures.exchange_info(), None)
        self.fetcher = BinanceDataFetcher(
            self.client, listing.usdm.values(), self.clock.now_ms, caps=CAPS, sleep=self.clock.sleep
        )
        if self._streamed:
            self.begin_streams()
        return self

    def begin_streams(self) -> None:
        """From now on there are streams."""
        self.streaming = Streaming(
            self.client, lambda market: self.clock.now_ms(), kinds=STREAM_KINDS, clock=self.clock.monotonic
        )
        self.fetcher._feed = self.streaming.feed

    async def __aexit__(self, *details: object) -> None:
        if self.streaming is not None:
            await self.streaming.aclose()
        await self.client.aclose()
        await self.http.aclose()
        self.simulator.stop()

    async def minute(self) -> Minute:
        """Let a minute pass, and refresh two seconds into the next one."""
        before = self.events()
        await self.clock.sleep((60_000 - self.clock.now_ms() % 60_000) / 1000 + 2)
        events, begun = self.events() - before, thread_time()
        done = await self.fetcher.refresh()
        return Minute(done, thread_time() - begun, events)

    def weight(self, minutes: int) -> int:
        """What the exchange counted in the last minutes, the running one included."""
        return sum(window.used for window in self.simulator.windows("futures")[-minutes:])

    def received(self) -> int:
        """Messages of streams so far, those of order books included."""
        manager = self.client._core.stream_manager()
        return 0 if manager is None else sum(counts.received for counts in manager.counted()[1].values())

    def events(self) -> int:
        """Messages of streams so far, without those of order books."""
        if self.streaming is None:
            return 0
        events = self.streaming._streams.market("usdm")._events
        return 0 if events is None else events.stats.received
