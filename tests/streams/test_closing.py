"""A connection ends when it is closed, and whoever closes it can be cancelled meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from binance_sdk._runtime.stream.connection.websocket import Connector

from .server import Exchange, eventually


class Receiver:
    def __init__(self) -> None:
        self.reasons: list[str] = []

    def received(self, frame: bytes) -> None: ...

    def pinged(self, payload: bytes) -> None: ...

    def ponged(self) -> None: ...

    def lost(self, reason: str) -> None:
        self.reasons.append(reason)


@pytest.mark.parametrize("steps", range(12))
async def test_a_cancelled_close_ends_cancelled_and_the_connection_with_it(
    exchange: Exchange, connector: Connector, steps: int
) -> None:
    """As the supervisor does when its stream is closed while it closes a connection."""
    receiver = Receiver()
    socket = await connector(f"{exchange.url}/stream", receiver)
    closing = asyncio.create_task(socket.close())
    for _ in range(steps):
        await asyncio.sleep(0)
    was_done = closing.done()
    closing.cancel()
    await asyncio.wait((closing,))
    assert closing.cancelled() is not was_done
    await socket.close()
    await eventually(lambda: not exchange.open and receiver.reasons)
