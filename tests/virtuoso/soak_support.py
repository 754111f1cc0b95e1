"""A connection that fails on demand, and one clock for exchange and client that moves when both wait."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Self
from unittest import mock

import httpx

from binance_sdk import BinanceClient, Caps
from binance_sdk import _core as core
from binance_sdk.simulator import Instrument, ManualClock, Simulator
from tests.simulated_http import NO_CERTIFICATES
from virtuoso_binance.polling.fetcher import BinanceDataFetcher, Refresh
from virtuoso_binance.symbols import Listing, MarketName

Failing = Callable[[httpx.Request], httpx.Response | httpx.TransportError | None]


class Line(httpx.AsyncBaseTransport):
    """Real connections, with a failure in place of the answer where ``failing`` wants one.

    Attributes:
        failing: Given each request; returns the failure, or None to let it through.
        under_way: Requests that are not answered yet.
        sent: Requests that came through.
        failed: Requests that did not.
    """

    def __init__(self, failing: Failing | None = None) -> None:
        self.failing = failing
        self.under_way = self.sent = self.failed = 0
        self._inner = httpx.AsyncHTTPTransport(verify=NO_CERTIFICATES, limits=httpx.Limits(max_connections=16))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        failure = None if self.failing is None else self.failing(request)
        if failure is not None:
            self.failed += 1
            if isinstance(failure, httpx.Response):
                return failure
            raise failure
        self.under_way += 1
        try:
            answer = await self._inner.handle_async_request(request)
            # Read here, so that the clock stands still while the body arrives.
            await answer.aread()
        finally:
            self.under_way -= 1
        self.sent += 1
        return answer

    async def aclose(self) -> None:
        await self._inner.aclose()


def now_and_then(share: float, seed: int = 1) -> Failing:
    """A drawn share of the requests meets a server error, a broken connection or a body cut short."""
    draw = random.Random(seed)

    def failing(request: httpx.Request) -> httpx.Response | httpx.TransportError | None:
        if draw.random() >= share:
            return None
        kind = draw.randrange(3)
        if kind == 0:
            return httpx.Response(503, content=b"", request=request)
        if kind == 1:
            return httpx.ConnectError("the line is down", request=request)
        return httpx.Response(200, content=b'[{"symbol":"BTC', request=request)

    return failing


class SharedClock(ManualClock):
    """The exchange's clock and the client's at once: it jumps to the next sleeper when nothing else is to be done."""

    def __init__(self, start_ms: int, line: Line) -> None:
        super().__init__(start_ms)
        self._line = line
        self._sleepers: list[tuple[int, int, asyncio.Event]] = []
        self._numbers = itertools.count()
        self._moves = 0
        self._driver: asyncio.Task[None] | None = None

    def time(self) -> float:
        return self.now_ms() / 1000

    def monotonic(self) -> float:
        return self.now_ms() / 1000

    async def sleep(self, seconds: float) -> None:
        await self.until(self.now_ms() + max(0, -int(-seconds * 1000 // 1)), asyncio.Event())

    def moved(self) -> None:
        """Something is still to be done at this moment, so the clock does not move."""
        self._moves += 1

    def waker(self) -> SharedWaker:
        return SharedWaker(self)

    def may_block(self) -> bool:
        return False

    async def until(self, target: int, event: asyncio.Event) -> None:
        """Wait for the event, or for the time ``target``."""
        entry = (target, next(self._numbers), event)
        heapq.heappush(self._sleepers, entry)
        if self._driver is None or self._driver.done():
            self._driver = asyncio.create_task(self._drive())
        try:
            await event.wait()
        finally:
            self._moves += 1
            if entry in self._sleepers:
                self._sleepers.remove(entry)
                heapq.heapify(self._sleepers)

    async def _drive(self) -> None:
        quiet = 0
        while self._sleepers:
            moves, busy = self._moves, self._line.under_way > 0
            await asyncio.sleep(0.0005 if busy else 0)
            # Nobody has anything to do: several rounds of the loop went by without a request or a waking sleeper.
            quiet = 0 if busy or moves != self._moves else quiet + 1
            if quiet > 20 and self._sleepers:
                self.set(max(self._sleepers[0][0], self.now_ms()))
                self.wake_sleepers()
                quiet = 0

    def wake_sleepers(self) -> None:
        """Those whose time has come."""
        while self._sleepers and self._sleepers[0][0] <= self.now_ms():
            heapq.heappop(self._sleepers)[2].set()


class SharedWaker:
    def __init__(self, clock: SharedClock) -> None:
        self._clock = clock
        self._event = asyncio.Event()

    def wake(self) -> None:
        self._clock.moved()
        self._event.set()

    async def wait(self, seconds: float) -> None:
        if seconds == float("inf"):
            # It waits for another task and not for a time, so the clock does not move.
            await self._event.wait()
        else:
            # Rounded up, or it would wake just before what it waits for.
            await self._clock.until(self._clock.now_ms() + max(1, -int(-seconds * 1000 // 1)), self._event)
        self._event.clear()


class Polling:
    """A simulator, a client and a fetcher that live on one clock.

    Args:
        symbols: What the exchange lists on futures; names out of the simulator's own, or instruments.
        market: Which market is polled.
        caps: The user's limits.
        options: Further arguments of the fetcher.
    """

    def __init__(
        self,
        symbols: Sequence[str | Instrument],
        *,
        market: MarketName = "usdm",
        caps: Caps | None = None,
        history_days: int = 40,
        start_ms: int = 1_800_000_123_456,
        **options: Any,
    ) -> None:
        self.line = Line()
        self.clock = SharedClock(start_ms, self.line)
        # Their errors hold tracebacks, and those hold whatever was under way: a long run must not keep them.
        self.refreshes: deque[Refresh] = deque(maxlen=2)
        self.simulator = Simulator(clock=self.clock, symbols=symbols, history_days=history_days)
        self._market: MarketName = market
        self._caps = caps
        self._options = options

    async def __aenter__(self) -> Self:
        self.simulator.start()
        spot, futures = self.simulator.base_url("spot"), self.simulator.base_url("futures")
        self.http = httpx.AsyncClient(transport=self.line)
        # The client has no argument for a clock, as nobody but a test wants another one.
        with mock.patch.object(core, "AsyncClock", return_value=self.clock):
            self.client = BinanceClient(
                spot_base_url=spot, futures_base_url=futures, http_client=self.http, caps=self._caps
            )
        # What truth is compared with comes from a client of its own, over a line that never fails.
        self.truth = BinanceClient(spot_base_url=spot, futures_base_url=futures, budget=False)
        if self._market == "usdm":
            listing = Listing(await self.truth.futures.exchange_info(), None)
        else:
            listing = Listing(None, await self.truth.spot.exchange_info())
        self.listed = [instrument for instrument in listing.preferred().values() if instrument.active]
        self.fetcher = BinanceDataFetcher(
            self.client, self.listed, self.clock.now_ms, caps=self._caps, sleep=self.clock.sleep, **self._options
        )
        self.simulator.reset_limits()
        return self

    async def __aexit__(self, *details: object) -> None:
        await self.client.aclose()
        await self.http.aclose()
        await self.truth.aclose()
        self.simulator.stop()

    async def run(self, minutes: int, on_refresh: Callable[[Refresh], object] | None = None) -> list[Refresh]:
        """Let so many refreshes happen, the last one being the newest thing on the clock."""
        done: list[Refresh] = []
        while len(done) < minutes:
            if self.refreshes:
                await self.clock.sleep((60_000 - self.clock.now_ms() % 60_000) / 1000 + 2)
            told = await self.fetcher.refresh()
            done.append(told)
            self.refreshes.append(told)
            if on_refresh is not None:
                on_refresh(told)
        return done
