"""A process without a file descriptor left cannot read a module either: what is loaded late is told as our error."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("resource")

PROGRAM = """
import asyncio, contextlib, resource, socket
from binance_sdk import BinanceClient, SyncBinanceClient

resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))


@contextlib.contextmanager
def nothing_left():
    held = []
    try:
        while True:
            held.append(socket.socket())
    except OSError:
        pass
    try:
        yield
    finally:
        for descriptor in held:
            descriptor.close()


async def told(what, call):
    try:
        result = call()
        if hasattr(result, "__await__"):
            await result
    except BaseException as error:
        print(what, type(error).__name__, "descriptors" in str(error))
    else:
        print(what, "worked")


async def listen(client):
    async with client.spot.streams.book_ticker("BTCUSDT"):
        pass


async def main(transport):
    where = {"spot_base_url": "http://127.0.0.1:1", "spot_stream_url": "ws://127.0.0.1:1", "transport": transport}
    client, patient = BinanceClient(**where, max_retries=0), BinanceClient(**where, max_retries=2)
    blocking = SyncBinanceClient(**where, max_retries=2)
    with nothing_left():
        await told("attribute", lambda: client.spot)
    client.spot, patient.spot, blocking.spot
    with nothing_left():
        await told("call", lambda: client.spot.time())
        await told("blocking call", lambda: blocking.spot.time())
        await told("stream", lambda: listen(client))
        await told("cached", lambda: client.spot.symbols())
    await told("afterwards", lambda: client.spot.time())
    await told("afterwards blocking", lambda: SyncBinanceClient(**where, max_retries=0).spot.time())
    with nothing_left():
        await told("retry", lambda: patient.spot.time())
        await told("blocking retry", lambda: blocking.spot.time())
    blocking.close()
    await client.aclose()
    await patient.aclose()


import sys
asyncio.run(main(sys.argv[1]))
"""

TOLD = """\
attribute ConfigError True
call ConfigError True
blocking call ConfigError True
stream ConfigError True
cached ConfigError True
afterwards APIConnectionError False
afterwards blocking APIConnectionError False
retry APIConnectionError True
blocking retry APIConnectionError True
"""


@pytest.mark.parametrize("transport", ["httpx", "aiohttp"])
def test_what_is_loaded_late_is_told_and_works_afterwards(transport: str) -> None:
    command = [sys.executable, "-c", PROGRAM, transport]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert found.stdout == TOLD, found.stderr
