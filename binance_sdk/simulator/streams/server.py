"""The WebSocket server of one market: who may connect, and under which address."""

from __future__ import annotations

import asyncio
import logging
import math
import socket
import time
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, cast
from urllib.parse import unquote

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from binance_sdk.simulator.faults.streams import StreamFaults
from binance_sdk.simulator.market.symbols import Market
from binance_sdk.simulator.streams.connection import Address, StreamConnection, as_connection
from binance_sdk.simulator.streams.hub import Hub
from binance_sdk.simulator.streams.limits import StreamLimits
from binance_sdk.simulator.streams.protocols import StreamProtocol, protocol_of

_UNITS = {"MILLISECOND": False, "MICROSECOND": True}
_SILENT = logging.getLogger("binance_sdk.simulator.streams")


class NotFoundError(ValueError):
    """There is nothing at this path."""


def read_address(protocol: StreamProtocol, target: str) -> Address:
    """What a path and query ask for.

    Raises:
        NotFoundError: There is nothing at this path.
        ValueError: A value of the query is wrong.
    """
    path, _, query = target.partition("?")
    parts = [part for part in path.split("/") if part]
    route = parts.pop(0) if parts and parts[0] in protocol.routes else ""
    if not parts or parts[0] not in ("ws", "stream"):
        raise NotFoundError(path)
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    given = {name: value for name, _, value in pairs}
    combined = parts[0] == "stream"
    texts = unquote(given.get("streams", "")).split("/") if combined else [unquote(part) for part in parts[1:]]
    if combined and len(parts) > 1:
        raise NotFoundError(path)
    unit = given.get("timeUnit", "MILLISECOND").upper()
    if unit not in _UNITS:
        raise ValueError(f"timeUnit={unit}")
    names = tuple(text for text in texts if text)
    return Address(route, combined, names, _UNITS[unit] and protocol.time_units)


class StreamServer:
    """One market behind one port. Lives in the thread of the simulator's event loop."""

    def __init__(self, market: Market, hub: Hub, faults: StreamFaults, limits: StreamLimits, now: Callable[[], int]):
        self.market = market
        self.protocol: StreamProtocol = protocol_of(market)
        self.hub = hub
        self.limits = limits
        self.now = now
        self.connections: set[StreamConnection] = set()
        self.sockets: set[StreamConnection] = set()
        self.accepted: int = 0
        self.refused: int = 0
        self.received = 0
        self.over_limit = 0
        self._faults = faults
        self._attempts: defaultdict[str, deque[float]] = defaultdict(deque)
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def start(self, listening: socket.socket) -> None:
        """Listen at a bound socket."""
        self._loop = asyncio.get_running_loop()
        self._server = await serve(
            self._serve,
            sock=listening,
            create_connection=self._connection,
            process_request=self._check_handshake,
            compression=None,
            ping_interval=None,
            close_timeout=1.0,
            logger=_SILENT,
        )

    async def stop(self) -> None:
        """Cut all connections."""
        if self._server is None:
            return
        server, self._server = self._server, None
        # Also those that are still shaking hands.
        for connection in list(self.sockets):
            connection.transport.abort()
        server.close()
        await server.wait_closed()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def catch_up(self) -> None:
        """Send what is due before anything else happens."""
        self.hub.run(self.now())

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that takes a while."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def soon(self, action: Callable[[], object]) -> None:
        """Do something in the thread of the event loop; from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(action)

    def reset_limits(self) -> None:
        """Forget all attempts to connect."""
        self._attempts.clear()

    @property
    def _connection(self) -> type[ServerConnection]:
        # The library asks for a class, and calls it.
        return cast("type[ServerConnection]", partial(StreamConnection, stream_server=self))

    async def _serve(self, connection: ServerConnection) -> None:
        client = as_connection(connection)
        self.connections.add(client)
        self.accepted += 1
        try:
            client.begin()
            await client.wait_closed()
        finally:
            self.connections.discard(client)
            client.finish()

    def _check_handshake(self, connection: ServerConnection, request: Request) -> Response | None:
        client = as_connection(connection)
        if not self._may_connect(str(client.remote_address[0])):
            return self._refuse(client, 429, "Too many connection attempts")
        fault = self._faults.draw((self.market,), connecting=True) if self._faults.armed else None
        if fault is not None:
            response = self._refuse(client, fault.code, "Try again later")
            if fault.retry_after is not None:
                response.headers.pop("Retry-After", None)
                response.headers["Retry-After"] = str(math.ceil(fault.retry_after))
            if fault.location:
                response.headers["Location"] = fault.location
            return response
        try:
            client.address = read_address(self.protocol, request.path)
            self.catch_up()
            client.since = self.hub.moment
        except NotFoundError:
            return self._refuse(client, 404, "Not found")
        except ValueError as error:
            return self._refuse(client, 400, f"Bad request: {error}")
        return None

    def _refuse(self, connection: StreamConnection, status: int, reason: str) -> Response:
        self.refused += 1
        response = connection.respond(status, f"{reason}\n")
        if status in (429, 503):
            response.headers["Retry-After"] = "1"
        return response

    def _may_connect(self, address: str) -> bool:
        now, attempts = time.monotonic(), self._attempts[address]
        while attempts and attempts[0] <= now - self.limits.connection_window:
            attempts.popleft()
        attempts.append(now)
        return len(attempts) <= self.limits.connections
