"""The streams of a simulator as its user sees them: addresses, faults, recordings; callable from any thread."""

from __future__ import annotations

import asyncio
import concurrent.futures
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypeVar

from binance_sdk._runtime.operation import Operation
from binance_sdk.simulator.clock import SimulatorClock
from binance_sdk.simulator.errors import SimulatorError
from binance_sdk.simulator.faults.streams import StreamFaults
from binance_sdk.simulator.market.symbols import Market
from binance_sdk.simulator.rest.served_market import ServedMarket
from binance_sdk.simulator.streams.connection import StreamConnection
from binance_sdk.simulator.streams.hub import Hub
from binance_sdk.simulator.streams.limits import StreamLimits
from binance_sdk.simulator.streams.market_view import MarketView
from binance_sdk.simulator.streams.names import read_name
from binance_sdk.simulator.streams.protocols import protocol_of
from binance_sdk.simulator.streams.replay import Flood, Playback, Replay, read_recording
from binance_sdk.simulator.streams.server import StreamServer

_T = TypeVar("_T")
_GOING_AWAY = 1001
_POLL_SECONDS = 0.002
"""Seconds between two readings of a clock that may be moved by hand."""
_MAX_SLEEP = 0.02
_CALL_TIMEOUT = 60.0
_FLOOD_FIELDS: Mapping[str, str] = {"spot": '"M":true,', "futures": '"nq":"0.500","st":1,', "coin_futures": '"st":2,'}
"""What the trades of a flood have beside the fields of every market."""


@dataclass(frozen=True, slots=True)
class StreamCounts:
    """What one market's streams have seen since the start.

    Attributes:
        open: Connections now.
        accepted: Connections that came about.
        refused: Connections that were answered with an HTTP error.
        received: Messages of clients, pings and pongs included.
        over_limit: Connections that were closed as they sent too many.
        sent: Events, each counted once for each connection.
    """

    open: int
    accepted: int
    refused: int
    received: int
    over_limit: int
    sent: int


class Streams:
    """Market streams over real WebSockets, driven by the simulator's clock.

    Attributes:
        faults: What goes wrong.
        limits: The rules of each market.
    """

    def __init__(
        self,
        markets: Mapping[Market, ServedMarket],
        catalogue: Iterable[Operation[object]],
        clock: SimulatorClock,
        seed: int,
    ) -> None:
        self.faults: StreamFaults = StreamFaults(seed)
        self.limits: Mapping[Market, StreamLimits] = {market: replace(protocol_of(market).limits) for market in markets}
        self._clock = clock
        by_market: dict[Market, dict[str, Operation[object]]] = {name: {} for name in markets}
        for operation in catalogue:
            by_market[operation.market][operation.name] = operation
        self._views = {name: MarketView(market, by_market[name]) for name, market in markets.items()}
        for name, view in self._views.items():
            common = protocol_of(name).common_with
            view.others = [self._views[other] for other in common if other in self._views]
        self._servers: Mapping[Market, StreamServer] = {
            name: StreamServer(name, Hub(view, self.faults), self.faults, self.limits[name], clock.now_ms)
            for name, view in self._views.items()
        }
        self._loop: asyncio.AbstractEventLoop | None = None
        self._driver: asyncio.Task[None] | None = None
        self._failure: Exception | None = None

    # ------------------------------------------------------------ in the thread of the event loop

    async def open(self, listeners: Mapping[Market, socket.socket]) -> None:
        """Listen at bound sockets, and begin to send what is due."""
        self._loop = asyncio.get_running_loop()
        for market, listener in listeners.items():
            await self._servers[market].start(listener)
        self._driver = asyncio.create_task(self._drive())

    async def close(self) -> None:
        """Cut all connections."""
        self._loop = None
        if self._driver is not None:
            self._driver.cancel()
            await asyncio.gather(self._driver, return_exceptions=True)
        for server in self._servers.values():
            await server.stop()

    async def _drive(self) -> None:
        manual = type(self._clock) is not SimulatorClock
        while True:
            try:
                self._run()
            except Exception as error:  # noqa: BLE001 - raised in the next call; the clients are reset at once
                self._failure = error
                for connection in self._chosen(None):
                    connection.abort()
                return
            await asyncio.sleep(_POLL_SECONDS if manual else self._sleep_seconds())

    def _sleep_seconds(self) -> float:
        dues = [server.hub.next_due for server in self._servers.values()]
        next_due = min((due for due in dues if due is not None), default=None)
        if next_due is None:
            return _MAX_SLEEP
        return min(max((next_due - self._clock.now_ms()) / 1000, 0.0005), _MAX_SLEEP)

    def _run(self) -> None:
        now = self._clock.now_ms()
        for server in self._servers.values():
            server.hub.run(now)

    def _chosen(self, market: Market | None, stream: str = "*") -> list[StreamConnection]:
        return [
            connection
            for name, server in self._servers.items()
            if market in (None, name)
            for connection in list(server.connections)
            if stream == "*" or any(fnmatchcase(name, stream) for name in connection.names)
        ]

    # ------------------------------------------------------------------------------ from any thread

    def _call(self, action: Callable[[], _T]) -> _T:
        """Run an action in the thread of the event loop and wait for it."""
        loop = self._loop
        if loop is None or loop.is_closed():
            raise SimulatorError("the simulator does not run")
        result: concurrent.futures.Future[_T] = concurrent.futures.Future()

        def work() -> None:
            try:
                if self._failure is not None:
                    raise SimulatorError(f"the streams have failed: {self._failure!r}") from self._failure
                result.set_result(action())
            except Exception as error:  # noqa: BLE001 - raised in the thread that called
                result.set_exception(error)

        loop.call_soon_threadsafe(work)
        return result.result(_CALL_TIMEOUT)

    def _each(self, market: Market | None, stream: str, action: Callable[[StreamConnection], object]) -> int:
        def act() -> int:
            chosen = self._chosen(market, stream)
            for connection in chosen:
                action(connection)
            return len(chosen)

        return self._call(act)

    def counts(self, market: Market) -> StreamCounts:
        """What happened so far on one market."""
        server = self._servers[market]
        return StreamCounts(
            len(server.connections),
            server.accepted,
            server.refused,
            server.received,
            server.over_limit,
            server.hub.sent,
        )

    def flush(self) -> None:
        """Send what is due at this moment of the clock. It would be sent soon anyway; this waits for it."""
        self._call(self._run)

    def subscriptions(self, market: Market) -> list[list[str]]:
        """Names each open connection has subscribed to."""
        return self._call(lambda: [list(connection.names) for connection in self._chosen(market)])

    def abort(self, market: Market | None = None, stream: str = "*") -> int:
        """Reset connections: all, or those of one market, or those with a subscription that matches ``stream``.

        Returns:
            How many.
        """
        return self._each(market, stream, StreamConnection.abort)

    def freeze(self, market: Market | None = None, stream: str = "*") -> int:
        """Let connections stay open and say nothing any more, no pongs either."""
        return self._each(market, stream, StreamConnection.freeze)

    def thaw(self, market: Market | None = None, stream: str = "*") -> int:
        """Let frozen connections go on; what was due meanwhile is lost."""
        return self._each(market, stream, StreamConnection.thaw)

    def hang_up(
        self, market: Market | None = None, stream: str = "*", *, code: int = _GOING_AWAY, reason: str = ""
    ) -> int:
        """Close connections with a close frame."""
        return self._each(market, stream, lambda connection: connection.close_soon(code, reason))

    def shut_down(self, market: Market | None = None, stream: str = "*", *, seconds: float = 10.0) -> int:
        """Send ``serverShutdown``, and close so many seconds of the simulator's clock later. New ones may come."""
        return self._each(market, stream, lambda connection: connection.announce_shutdown(seconds))

    def ping(self, market: Market | None = None) -> int:
        """Ping the clients now."""
        return self._each(market, "*", StreamConnection.ping_now)

    def forget(self, stream: str, market: Market | None = None) -> int:
        """Lose the subscription to a stream on all open connections, without a word; a new one works.

        Returns:
            How many connections had it.
        """
        return self._each(market, stream, lambda connection: connection.forget(stream))

    def carry_other_markets(self, carry: bool = True) -> None:
        """Let streams of all contracts carry the rows of both futures markets, as Binance's do, or of one alone."""

        def act() -> None:
            for view in self._views.values():
                view.carries_others = carry

        self._call(act)

    def reset_limits(self) -> None:
        """Forget all attempts to connect."""
        for server in self._servers.values():
            self._call(server.reset_limits)

    def replay(self, recording: str | Path | Iterable[str], *, market: Market, speed: float | None = 1.0) -> Playback:
        """Send recorded events, in their order, to the subscribers of their streams.

        Until it is over, these streams carry nothing else.

        Args:
            recording: A JSONL file or its lines; each has ``received_at`` (seconds) and ``message`` (an event in the
                combined wrapper).
            market: Whose streams they are.
            speed: How many times faster than recorded, by the simulator's clock; None is as fast as it goes.
        """
        if speed is not None and speed <= 0:
            raise ValueError(f"speed={speed} must be above 0, or None")
        replay = Replay(self._servers[market], read_recording(recording), speed)
        self._call(replay.start)
        return replay.playback

    def flood(self, stream: str, count: int, *, market: Market, first_id: int | None = None) -> Playback:
        """Send so many aggTrade events to the subscribers of a stream as fast as their sockets take them.

        They are rendered before this returns. Their ids rise by one, from ``first_id`` or the next of the market on.
        """
        name = read_name(market, stream)
        if name is None or name.kind != "agg_trade":
            raise SimulatorError(f"flood({stream!r}): write an aggTrade stream, e.g. 'btcusdt@aggTrade'")
        server, now = self._servers[market], self._clock.now_ms()
        start = first_id if first_id is not None else self._call(lambda: server.hub.next_trade_id(name.symbol, now))
        more = _FLOOD_FIELDS.get(market, "")
        payloads = [
            (
                f'{{"e":"aggTrade","E":{now},"s":"{name.symbol}","a":{number},"p":"92000.{number % 100:02d}000000",'
                f'"q":"0.50000000","f":{number},"l":{number},"T":{now},{more}"m":{"true" if number & 1 else "false"}}}'
            ).encode()
            for number in range(start, start + count)
        ]
        flood = Flood(server, stream, payloads)
        self._call(flood.start)
        return flood.playback
