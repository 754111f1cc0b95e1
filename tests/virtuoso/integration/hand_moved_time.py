"""An event loop whose time is a clock moved by hand: whoever waits for a time waits for nothing real.

Everything in a test asks this one clock: timeouts, pauses and intervals of asyncio, the SDK's budget and retries, and
the simulated exchanges. Requests over real sockets take no time on it.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import httpx

from binance_sdk import _core as core
from binance_sdk._runtime.clock import AsyncClock
from binance_sdk.simulator import ManualClock, SimulatorClock
from binance_sdk.simulator.streams import Streams

_A_MOMENT = 0.002
"""Real seconds in which whatever is written to a socket of this machine arrives."""
_TURNS = 8
"""Turns of the loop of a simulator's streams in which it has answered whatever it was sent."""
_LOST = 30.0
"""Real seconds after which a request that is under way will never be answered."""


class UnderWay:
    """Requests that are not answered yet.

    Attributes:
        elsewhere: Another thread answers them at once, so time stands still meanwhile.
        here: This loop answers them, at some time of the clock.
    """

    def __init__(self) -> None:
        self.elsewhere = self.here = 0

    @contextmanager
    def one(self, *, here: bool = False) -> Iterator[None]:
        """Another one."""
        self.here += here
        self.elsewhere += not here
        try:
            yield
        finally:
            self.here -= here
            self.elsewhere -= not here


class _Selector(selectors.DefaultSelector):
    """Moves the clock to the next thing that is planned where nothing else happens."""

    def __init__(self, clock: ManualClock, under_way: UnderWay, streams: Streams | None) -> None:
        super().__init__()
        self._clock = clock
        self._under_way = under_way
        self._streams = streams

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if events or timeout == 0:
            return events
        if timeout is None or self._under_way.elsewhere:
            return super().select(_LOST)
        events = super().select(_A_MOMENT) if self._under_way.here else self._streamed()
        if not events:
            # Rounded up, or what is planned would be a little later still.
            self._clock.set(self._clock.now_ms() + max(1, -int(-timeout * 1000 // 1)))
            events = self._streamed()
        return events

    def _streamed(self) -> list[tuple[selectors.SelectorKey, int]]:
        """What streams have sent up to this moment, or answered."""
        events: list[tuple[selectors.SelectorKey, int]] = []
        if self._streams is not None:
            for _ in range(_TURNS):
                self._streams.flush()
                if events := super().select(0):
                    break
        return events


class HandMovedLoop(asyncio.SelectorEventLoop):
    """Its ``time()`` is that of the clock, in seconds since the loop was made.

    Args:
        clock: What it moves.
        under_way: Requests that are not answered yet.
        streams: Of a simulator that runs on the clock: they have said everything before it moves.
    """

    def __init__(self, clock: ManualClock, under_way: UnderWay, streams: Streams | None = None) -> None:
        super().__init__(_Selector(clock, under_way, streams))
        self._clock = clock
        # Seconds since 1970 leave no room for the nanosecond by which asyncio tells what is due.
        self._began = clock.now_ms()

    def time(self) -> float:
        return (self._clock.now_ms() - self._began) / 1000


class SdkClock(AsyncClock):
    """The same clock for the SDK's clients, and what this machine takes for the time of day."""

    def __init__(self, clock: ManualClock, machine: SimulatorClock) -> None:
        self._machine = machine
        self.monotonic = lambda: clock.now_ms() / 1000

    def time(self) -> float:
        return self._machine.now_ms() / 1000

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Clients made meanwhile have it; they have no argument for it, as nobody but a test wants another one."""
        with mock.patch.object(core, "AsyncClock", return_value=self):
            yield


class CountedLine(httpx.AsyncHTTPTransport):
    """Real connections whose requests are counted while they are under way."""

    def __init__(self, under_way: UnderWay) -> None:
        super().__init__(limits=httpx.Limits(max_connections=16))
        self._under_way = under_way

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        with self._under_way.one():
            answer = await super().handle_async_request(request)
            # Read here, so that time stands still while the body arrives.
            await answer.aread()
        return answer
