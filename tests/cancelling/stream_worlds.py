"""Streams and what is done with them, each to be cancelled at any step."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any, cast

from binance_sdk._runtime.clock import AsyncClock
from binance_sdk._runtime.stream.connection import over_aiohttp, over_websockets
from binance_sdk.errors import StreamError
from tests.streams.conftest import CONNECTORS, Engine
from tests.streams.rows import agg_trade
from tests.streams.server import Exchange, Line, eventually

from .steps import LeftOver, World

TRADES = "btcusdt@aggTrade"
MANY = tuple(f"S{number}USDT" for number in range(300))
"""More than a URL holds, so that they are asked for."""
_TIMES = 50


class FastClock(AsyncClock):
    """One on which a second is a fiftieth of one."""

    @staticmethod
    def monotonic() -> float:  # type: ignore[override]
        return time.monotonic() * _TIMES

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / _TIMES)

    def waker(self) -> Any:
        inner = super().waker()

        class Fast:
            wake = inner.wake

            async def wait(self, seconds: float) -> None:
                await inner.wait(seconds / _TIMES)

        return Fast()


async def first(events: Any) -> Any:
    """The next event; an end is an error of ours."""
    async for event in events:
        return event
    raise StreamError("ended")


class Streams(World):
    """An exchange, and the streams of one client."""

    def __init__(self, connector: str) -> None:
        self.name = connector
        self.clock = FastClock()
        self.events: Any = None

    async def open(self) -> None:
        self.exchange = await Exchange().__aenter__()
        self.exchange.on_line = self.on_line
        self.engine = Engine(self.exchange, CONNECTORS[self.name]("tests"), cast("Any", self.clock))
        self.number = 0
        self.trading: Any = None

    def on_line(self, line: Line) -> None:
        """A connection was opened."""

    async def trade(self) -> None:
        self.number += 1
        await self.exchange.send(TRADES, agg_trade(self.number))

    async def begin(self, **options: Any) -> Any:
        self.events = await self.engine.spot.agg_trade("BTCUSDT", **options).open()
        return self.events

    async def close(self) -> None:
        await self.engine.manager.aclose()
        await eventually(lambda: not self.exchange.open)

    async def end(self) -> None:
        await self.exchange.__aexit__()

    def check(self) -> None:
        if self.engine.manager.busy:
            raise LeftOver("a consumer is left")


class Opening(Streams):
    async def work(self) -> None:
        async with self.engine.spot.agg_trade("BTCUSDT") as events:
            await self.trade()
            await first(events)

    async def interfere(self) -> None:
        await self.engine.manager.aclose()


class Slow(Opening):
    """The peer opens and never answers requests: more names than a URL holds."""

    slow = True

    async def work(self) -> None:
        self.exchange.acks = "none"
        with contextlib.suppress(StreamError):
            async with self.engine.spot.agg_trade(*MANY):
                pass


class Refused(Opening):
    async def work(self) -> None:
        self.exchange.acks = "flat error"
        with contextlib.suppress(StreamError):
            async with self.engine.spot.agg_trade(*MANY):
                pass


class HandshakeRefused(Opening):
    async def work(self) -> None:
        self.exchange.refuse = 2
        async with self.engine.spot.agg_trade("BTCUSDT"):
            pass


class Combined(Opening):
    """Two connections are opened side by side."""

    async def work(self) -> None:
        both = self.engine.spot.agg_trade("BTCUSDT") | self.engine.futures.mark_price("BTCUSDT")
        async with both as events:
            await self.trade()
            await first(events)


class Subscribing(Streams):
    async def open(self) -> None:
        await super().open()
        await self.begin()

    async def work(self) -> None:
        await self.events.subscribe(self.engine.spot.agg_trade("ETHUSDT"))
        await self.events.subscribe(self.engine.futures.mark_price("BTCUSDT"))
        await self.events.unsubscribe(self.engine.spot.agg_trade("ETHUSDT"))
        await self.events.unsubscribe(self.engine.futures.mark_price("BTCUSDT"))

    async def interfere(self) -> None:
        await self.events.aclose()

    async def close(self) -> None:
        # What is not wanted is not sent, and what is left goes on.
        if not self.events._consumer.closed:
            wanted = set(self.events.streams)

            def names() -> set[str]:
                return {name for line in self.exchange.open for name in line.names}

            try:
                await eventually(lambda: names() == wanted)
            except AssertionError:
                raise LeftOver(f"the exchange sends {names()}, and wanted is {wanted}") from None
            await self.events.subscribe(self.engine.spot.agg_trade("BNBUSDT"))
            await eventually(lambda: "bnbusdt@aggTrade" in names())
            await self.trade()
            await asyncio.wait_for(first(self.events), 10)
        await super().close()


class SubscribingInVain(Subscribing):
    async def work(self) -> None:
        self.exchange.acks = "flat error"
        with contextlib.suppress(StreamError):
            await self.events.subscribe(self.engine.spot.agg_trade("ETHUSDT"))
        with contextlib.suppress(StreamError):
            await self.events.subscribe(self.engine.futures.mark_price(*MANY))
        self.exchange.acks = "ok"

    async def close(self) -> None:
        self.exchange.acks = "ok"
        await super().close()


class Reading(Streams):
    async def open(self) -> None:
        await super().open()
        await self.begin()
        self.trading = asyncio.get_running_loop().create_task(self.trades(), name="server of trades")

    async def trades(self) -> None:
        while True:
            await asyncio.sleep(0.001)
            await self.trade()

    async def work(self) -> None:
        async for event in self.events:
            if event.agg_id >= 20:
                break

    async def interfere(self) -> None:
        await self.events.aclose()

    async def close(self) -> None:
        self.trading.cancel()
        await asyncio.wait((self.trading,))
        await super().close()


class Reconnecting(Reading):
    async def work(self) -> None:
        await first(self.events)
        self.exchange.lines[0].abort()
        while len(self.exchange.lines) < 2:
            await first(self.events)
        await first(self.events)
        await self.events.aclose()


class RollingOver(Reading):
    async def begin(self, **options: Any) -> Any:
        return await super().begin(rollover_after=11.0, **options)

    async def work(self) -> None:
        while self.events.stats.rollovers < 1:
            await first(self.events)
        await self.events.aclose()


class ClosingReader(Reading):
    async def work(self) -> None:
        await self.events.aclose()


class ClosingManager(Reading):
    async def work(self) -> None:
        await self.engine.manager.aclose()


class Frozen(Reading):
    """The peer reads and says nothing any more, and does not answer the end either."""

    slow = True

    async def open(self) -> None:
        self.patience = [(module, module.CLOSE_SECONDS) for module in (over_websockets, over_aiohttp)]
        for module, _ in self.patience:
            vars(module)["CLOSE_SECONDS"] = 0.1
        await super().open()

    async def end(self) -> None:
        for module, seconds in self.patience:
            vars(module)["CLOSE_SECONDS"] = seconds
        await super().end()

    async def work(self) -> None:
        self.trading.cancel()
        for line in self.exchange.lines:
            line.socket.transport.pause_reading()
        await self.events.aclose()

    async def close(self) -> None:
        for line in self.exchange.lines:
            line.socket.transport.resume_reading()
        await super().close()


class Crossing(Streams):
    """The last stream of a connection goes while another one comes."""

    async def open(self) -> None:
        await super().open()
        await self.begin()

    async def work(self) -> None:
        await self.events.unsubscribe(self.engine.spot.agg_trade("BTCUSDT"))

    async def interfere(self) -> None:
        await self.events.subscribe(self.engine.spot.agg_trade("ETHUSDT"))
        await eventually(lambda: any("ethusdt@aggTrade" in line.names for line in self.exchange.open))


CASES: tuple[type[Streams], ...] = (
    Opening, Slow, Refused, HandshakeRefused, Combined, Subscribing, SubscribingInVain, Reading, Reconnecting,
    RollingOver, ClosingReader, ClosingManager, Frozen, Crossing,
)  # fmt: skip
