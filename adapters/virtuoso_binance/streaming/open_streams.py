"""Streams of a market, opened as they are asked for: one connection a route, and one task that gives each event to
those who want it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextvars import ContextVar
from typing import Any, TypeAlias

from typing_extensions import Unpack

from binance_sdk import BinanceClient
from binance_sdk.catalogue import Market
from binance_sdk.errors import BinanceError, ConfigError
from binance_sdk.streams import Events, Notice, Stream, StreamEvent, StreamHealth, StreamOptions
from virtuoso_binance.config.settings import WebSocketSection
from virtuoso_binance.health.streams import StreamsFacts
from virtuoso_binance.symbols import MarketName

__all__ = ["Handler", "MarketStreams", "OpenStreams", "Wanted", "market_in_words"]

logger: logging.Logger = logging.getLogger("virtuoso_binance")

Handler: TypeAlias = Callable[[Any], Awaitable[object] | None]
"""Called with each event of a stream, in their order; what it returns is awaited before the next one is read."""
Wanted: TypeAlias = tuple[Stream[Any], Handler]
"""A stream of one name, and who gets its events."""
_AGAIN_SECONDS = 60.0
"""Streams that the SDK has given up are opened again no sooner than this."""

_READING: ContextVar[MarketStreams | None] = ContextVar("reading", default=None)
"""Whose handler has begun what runs now."""


def market_in_words(market: MarketName) -> Market:
    """The SDK's name of a market, which health and metrics use."""
    return "futures" if market == "usdm" else market


class MarketStreams:
    """The open streams of one market. For the event loop of the client.

    Args:
        client: Makes the connections.
        market: Whose streams.
        on_notice: Told what is missing from them, between the events before it and those behind it.
        websocket: How connections are kept.
        sleep: How to wait before they are opened again.
    """

    def __init__(
        self,
        client: BinanceClient,
        market: MarketName,
        on_notice: Callable[[Notice], None],
        websocket: WebSocketSection | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._client = client
        self._market: MarketName = market
        self._on_notice = on_notice
        self._websocket = websocket or WebSocketSection()
        self._sleep = sleep
        self._handlers: dict[str, tuple[Handler, ...]] = {}
        self._streams: dict[str, Stream[Any]] = {}
        self._events: Events[Any] | None = None
        self._reading: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()
        self._ends = 0
        self._failed_dials = 0
        """Of those that were not open, and could not be opened."""

    def facts(self) -> StreamsFacts:
        """What is known of them, for health. For any thread."""
        events = self._events
        return StreamsFacts(
            market_in_words(self._market),
            wanted=len(self._handlers),
            ended=events is None and bool(self._handlers) and not self._websocket.keep_alive,
            failed_dials=self._failed_dials if events is None else events.failed_dials,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """The streams that somebody wants."""
        return tuple(self._handlers)

    @property
    def losses(self) -> int:
        """How often the connection was lost so far."""
        return self._ends + (0 if self._events is None else self._events.stats.reconnects)

    def health(self, name: str) -> StreamHealth:
        """How a stream is at this moment; ``disconnected`` where it is not open."""
        events = self._events
        return "disconnected" if events is None or name not in events.streams else events.health(name)

    async def add(self, wanted: Sequence[Wanted]) -> None:
        """Give the events of these streams to these handlers too; returns when the exchange has acknowledged all.

        Raises:
            BinanceError: it has not; then none of them was added.
        """
        async with self._changing:
            added = [(name, stream, handler) for stream, handler in wanted for name in stream.names]
            known = set(self._handlers)
            before = dict(self._handlers)
            # At once, since the first event may come before the acknowledgement is told.
            for name, stream, handler in added:
                self._handlers[name] = (*self._handlers.get(name, ()), handler)
                self._streams[name] = stream
            try:
                await self._subscribe([stream for name, stream, _ in added if name not in known])
            except BaseException:
                self._handlers = before
                for name in set(self._streams) - set(before):
                    del self._streams[name]
                raise

    async def _subscribe(self, new: Sequence[Stream[Any]]) -> None:
        if self._events is None:
            # With those that were open before the connections were given up.
            self._events = await self._open()
            if self._reading is not None:
                # It waits to open them itself.
                self._reading.cancel()
            self._reading = asyncio.create_task(self._run(), name=f"streams of {self._market}")
        elif new:
            await self._events.subscribe(self._combined(new))

    async def _open(self) -> Events[Any]:
        combined = self._combined(
            list(self._streams.values()),
            overflow="drop_oldest",
            on_notice=self._on_notice,
            connection_quiet_time=self._websocket.ping_interval,
            reconnect=self._websocket.keep_alive,
        )
        try:
            events = await combined.open()
        except BinanceError:
            self._failed_dials += 1
            raise
        self._failed_dials = 0
        return events

    def _combined(self, streams: Sequence[Stream[Any]], **options: Unpack[StreamOptions]) -> Stream[Any]:
        market = self._client.spot if self._market == "spot" else self._client.futures
        return market.streams.combine(*streams, **options)

    async def remove(self, wanted: Iterable[Wanted]) -> None:
        """Give the events of these streams to these handlers no more."""
        async with self._changing:
            idle: list[Stream[Any]] = []
            for stream, handler in wanted:
                for name in stream.names:
                    left = tuple(known for known in self._handlers.get(name, ()) if known != handler)
                    if left:
                        self._handlers[name] = left
                    elif self._handlers.pop(name, None) is not None:
                        idle.append(self._streams.pop(name))
            if not self._handlers:
                await self._close_events()
            elif idle and self._events is not None:
                await self._events.unsubscribe(self._combined(idle))

    async def _run(self) -> None:
        """Read as long as anything is wanted; what the SDK has given up, as after a ban, is opened again later."""
        _READING.set(self)
        while True:
            if self._events is not None:
                await self._read(self._events)
            if self._reading is not asyncio.current_task():
                # A handler has closed them.
                return
            if not self._websocket.keep_alive:
                # Whoever adds a stream opens all of them again.
                return
            await self._sleep(_AGAIN_SECONDS)
            async with self._changing:
                if self._events is None:
                    try:
                        self._events = await self._open()
                    except ConfigError:
                        # The client was closed.
                        return
                    except BinanceError as error:
                        logger.warning("the %s streams could not be opened again: %s", self._market, error)

    async def _read(self, events: Events[StreamEvent]) -> None:
        try:
            async for event in events:
                for handler in self._handlers.get(event.stream, ()):
                    done = handler(event)
                    if done is not None:
                        await done
                if self._events is not events:
                    return
        except BinanceError as error:
            again = "opened again later" if self._websocket.keep_alive else "not opened again, as keep_alive is false"
            logger.warning("the %s streams have ended and are %s: %s", self._market, again, error)
        if self._events is events:
            self._events = None
            self._ends += events.stats.reconnects + 1
            # Whoever subscribes meanwhile ends this task, and not the closing, which goes on to its end.
            await events.aclose()

    async def _close_events(self) -> None:
        events, self._events = self._events, None
        reading, self._reading = self._reading, None
        # What a handler has begun cannot wait for that handler; the reading ends when it returns.
        ending = [] if reading is None or _READING.get() is self else [reading]
        # Before anything is waited for: whoever closes may be cancelled.
        for task in ending:
            task.cancel()
        try:
            if events is not None:
                self._ends += events.stats.reconnects + 1
                await events.aclose()
        finally:
            await asyncio.gather(*ending, return_exceptions=True)

    async def aclose(self) -> None:
        """Close the connections."""
        async with self._changing:
            self._handlers.clear()
            self._streams.clear()
            await self._close_events()


class OpenStreams:
    """The open streams of all markets of one client.

    Args:
        client: Makes the connections.
        on_notice: Told what is missing from the streams of a market.
        websocket: How connections are kept.
    """

    def __init__(
        self,
        client: BinanceClient,
        on_notice: Callable[[MarketName, Notice], None],
        websocket: WebSocketSection | None = None,
    ) -> None:
        self._client = client
        self._websocket = websocket
        self._on_notice = on_notice
        self._markets: dict[MarketName, MarketStreams] = {}

    def market(self, name: MarketName) -> MarketStreams:
        """Those of one market."""
        found = self._markets.get(name)
        if found is None:

            def tell(notice: Notice) -> None:
                self._on_notice(name, notice)

            found = self._markets[name] = MarketStreams(self._client, name, tell, self._websocket)
        return found

    def facts(self) -> list[StreamsFacts]:
        """What is known of the streams of each market. For any thread."""
        return [market.facts() for market in list(self._markets.values())]

    @property
    def markets(self) -> tuple[MarketName, ...]:
        """Markets that were asked for."""
        return tuple(self._markets)

    async def aclose(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(market.aclose() for market in self._markets.values()))
