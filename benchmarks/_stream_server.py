"""An exchange that injures what it sends, and the engine beside it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from binance_sdk import spot
from binance_sdk._generated.markets import MARKETS
from binance_sdk._runtime.clock import AsyncClock
from binance_sdk._runtime.stream.connection.over_websockets import WebsocketsConnector
from binance_sdk._runtime.stream.context import StreamContext

_NAME = "btcusdt@aggTrade"
_TRADE = (
    '{"e":"aggTrade","E":1,"s":"BTCUSDT","a":%d,"p":"27103.10000000","q":"0.00100000","f":1,"l":1,"T":1,"m":true,'
    '"M":true}'
)


class Rows:
    """Every aggregate trade there is."""

    def max_rows(self, operation: str, size: str) -> int:
        return 1000

    async def rows(self, operation: str, arguments: Mapping[str, object]) -> list[Any]:
        first, count = int(str(arguments["fromId"])), int(str(arguments["limit"]))
        fields = {"p": "27103.10000000", "q": "0.00100000", "f": 1, "l": 1, "T": 1, "m": True, "M": True}
        return [spot.AggTrade.model_validate({"a": number, **fields}) for number in range(first, first + count)]


def frame(text: str) -> bytes:
    """A whole text message of WebSocket, as a server sends it."""
    body = text.encode()
    head = bytes([0x81, len(body)]) if len(body) < 126 else b"\x81\x7e" + len(body).to_bytes(2, "big")
    return head + body


def context(url: str, rest: Rows) -> StreamContext:
    """An engine on a loopback exchange."""
    clock = AsyncClock()
    connector = WebsocketsConnector("benchmarks")
    limits = {"spot": MARKETS["spot"].streams}
    return StreamContext({"spot": (url,)}, limits, connector, clock, rest, notify=lambda _: None)


@contextlib.asynccontextmanager
async def _listening(handler: Any) -> AsyncIterator[str]:
    async with serve(handler, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


def _wrapped(name: str, body: str) -> str:
    return f'{{"stream":"{name}","data":{body}}}'


@contextlib.asynccontextmanager
async def serving(plan: Sequence[str], last: int) -> AsyncIterator[str]:
    """Ids from 1 to ``last``, at every fifth one of them a fault of the plan; the last ones arrive whole."""
    faults, number = list(plan), 1

    async def handler(socket: ServerConnection) -> None:
        nonlocal number
        with contextlib.suppress(ConnectionClosed):
            while number <= last:
                fault = faults.pop() if faults and number % 5 == 0 else ""
                text = _wrapped(_NAME, _TRADE % number)
                number += 1
                if fault == "break":
                    # What is made while nobody listens is what a break loses.
                    number += 1
                    await asyncio.sleep(0)
                    socket.transport.abort()
                    return
                if fault == "swap":
                    await socket.send(_wrapped(_NAME, _TRADE % number))
                    number += 1
                if fault != "drop":
                    await socket.send(text if fault != "garble" else text[: len(text) // 2])
                if fault == "double":
                    await socket.send(text)
            await socket.wait_closed()

    async with _listening(handler) as url:
        yield url
