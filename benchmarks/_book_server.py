"""An exchange with one order book: a snapshot over REST, and after it so many updates as fast as they are taken."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from random import Random
from typing import Any

from benchmarks._stream_server import frame

UPDATES = 40_000
FIRST_ID = 1_000_000
"""The id of the snapshot."""
IDS = 40
"""How many ids an update has."""
LAST_ID = FIRST_ID + UPDATES * IDS
NAME = "btcusdt@depth@100ms"
LEVELS = (12, 11)
"""Bids and asks of an update."""
_DEPTH = 1000
_MIDDLE = 6_500_000
_REACH = 1500
_NEAR = 14
"""Ticks on which the ten best levels lie."""
_GONE = 0.3
"""Share of the changes that take a level away."""
_PACKET = 100
_MOST_UNSENT = 1 << 20


def _text(number: float) -> str:
    return f"{number:.8f}"


def snapshot() -> dict[str, Any]:
    """What REST answers."""
    bids, asks = (
        [[_text((_MIDDLE + sign * at) / 100), "1.00000000"] for at in range(1, _DEPTH + 1)] for sign in (-1, 1)
    )
    return {"lastUpdateId": FIRST_ID, "bids": bids, "asks": asks}


def events(count: int, near: float = 0.0) -> Iterator[dict[str, Any]]:
    """The first updates after the snapshot.

    Args:
        count: How many.
        near: Share of their changes that are among the best levels; the others are anywhere in the book.
    """
    rng = Random(5)
    for number in range(count):
        bids, asks = (
            [
                [
                    _text((_MIDDLE + sign * rng.randint(1, _NEAR if rng.random() < near else _REACH)) / 100),
                    _text(0 if rng.random() < _GONE else abs(rng.gauss(0.3, 0.8)) + 0.00001),
                ]
                for _ in range(count)
            ]
            for sign, count in zip((-1, 1), LEVELS, strict=True)
        )
        first = FIRST_ID + 1 + number * IDS
        yield {"e": "depthUpdate", "E": 1, "s": "BTCUSDT", "U": first, "u": first + IDS - 1, "b": bids, "a": asks}


def serve_book(ports: Any) -> None:
    """Run in a process of its own."""
    from websockets.asyncio.server import ServerConnection, serve
    from websockets.datastructures import Headers
    from websockets.http11 import Request, Response

    frames = [frame(json.dumps({"stream": NAME, "data": event}, separators=(",", ":"))) for event in events(UPDATES)]
    answer = json.dumps(snapshot()).encode()
    packets = [b"".join(frames[at : at + _PACKET]) for at in range(0, len(frames), _PACKET)]
    asked: set[asyncio.Event] = set()

    def request(socket: ServerConnection, request: Request) -> Response | None:
        if not request.path.startswith("/api/"):
            return None
        for event in asked:
            event.set()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(answer)), "Connection": "close"}
        return Response(200, "OK", Headers(headers), answer)

    async def updates(socket: ServerConnection, begin: asyncio.Event) -> None:
        await begin.wait()
        # The answer arrives, and whoever measures looks at the clock.
        await asyncio.sleep(0.1)
        for packet in packets:
            socket.transport.write(packet)
            while socket.transport.get_write_buffer_size() > _MOST_UNSENT:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.001)

    async def talk(socket: ServerConnection) -> None:
        begin = asyncio.Event()
        asked.add(begin)
        sending = asyncio.create_task(updates(socket, begin))
        with contextlib.suppress(Exception):
            async for message in socket:
                await socket.send(json.dumps({"result": None, "id": json.loads(message)["id"]}))
        asked.discard(begin)
        sending.cancel()

    async def main() -> None:
        async with serve(talk, "127.0.0.1", 0, compression=None, ping_interval=None, process_request=request) as server:
            ports.put(next(iter(server.sockets)).getsockname()[1])
            await asyncio.Event().wait()

    asyncio.run(main())
