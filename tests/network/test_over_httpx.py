"""What has to hold for calls over a client of httpx that is ours, however few of its layers they go through."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest
import respx

from binance_sdk import BinanceClient
from binance_sdk._runtime.transport import over_httpx
from tests.runtime.server import RawServer, http

from .lab import Lab

PING = http("200 OK", b"{}", last=False)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"


async def cancelled_at_any_moment(url: str, **settings: Any) -> dict[str, int]:
    """How calls end that are cancelled after more and more rounds of the event loop; after each, one is made."""
    outcomes = {"cancelled": 0, "done": 0}
    async with BinanceClient(spot_base_url=url, max_retries=0, budget=False, **settings) as client:
        for rounds in range(40):
            task = asyncio.ensure_future(client.spot.time())
            for _ in range(rounds):
                await asyncio.sleep(0)
            task.cancel()
            try:
                await task
                outcomes["done"] += 1
            except asyncio.CancelledError:
                outcomes["cancelled"] += 1
            assert (await client.spot.time()).server_time == 1790000000000
            if rounds % 4 == 0:
                # The next one opens a connection.
                transport = client._core.transport
                assert transport is not None
                await transport.aclose()
    return outcomes


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_call_is_cancelled_at_any_moment(loop: str, scheme: str, lab: Lab, certificates: Path) -> None:
    run = asyncio.run if loop == "asyncio" else pytest.importorskip("uvloop").run
    if scheme == "https":
        context = ssl.create_default_context(cafile=certificates)
        outcomes = run(cancelled_at_any_moment(f"https://localhost:{lab.rest.port}", ssl_context=context))
    else:
        with RawServer(http("200 OK", b'{"serverTime":1790000000000}', last=False), keep_alive=True) as server:
            outcomes = run(cancelled_at_any_moment(server.url.replace("127.0.0.1", "localhost")))
    assert outcomes["cancelled"]
    # What was left open would be told now.
    gc.collect()


@pytest.mark.parametrize("answer", [PING, CHUNKED], ids=["length", "chunked"])
def test_a_connection_is_used_again(answer: bytes) -> None:
    connections: list[socket.socket] = []

    def act(connection: socket.socket) -> None:
        connections.append(connection)
        connection.sendall(answer)

    with RawServer(act, keep_alive=True) as server:
        asyncio.run(_ping(server.url, 3))
    assert len(connections) == 3
    assert len(set(map(id, connections))) == 1


async def _ping(url: str, times: int) -> None:
    async with BinanceClient(spot_base_url=url, max_retries=0) as client:
        for _ in range(times):
            await client.spot.ping()


def test_a_large_answer_arrives_whole() -> None:
    body = b"[" + b",".join(b"%d" % number for number in range(400_000)) + b"]"

    async def run(url: str) -> bytes:
        transport = over_httpx.AsyncHttpxTransport()
        try:
            return (await transport.send(over_httpx.PreparedRequest(url, {}, 30.0))).content
        finally:
            await transport.aclose()

    with RawServer(http("200 OK", body)) as server:
        assert asyncio.run(run(server.url)) == body


async def test_headers_in_other_alphabets_are_read_as_httpx_reads_them() -> None:
    for value in ("é".encode(), "é".encode("latin-1")):
        answer = b"HTTP/1.1 200 OK\r\nX-Odd: " + value + b"\r\nX-Odd: b\r\nContent-Length: 2\r\n\r\n{}"
        with RawServer(answer) as server:
            async with BinanceClient(spot_base_url=server.url, max_retries=0) as client:
                raw = await client.spot.with_raw_response.ping()
        assert raw.headers["x-odd"] == "é, b"


async def test_a_url_that_is_asked_again_is_parsed_once() -> None:
    over_httpx._url.cache_clear()
    with respx.mock(using="httpx") as router:
        route = router.get(url__startswith="https://api.binance.com/").respond(json=[])
        async with BinanceClient(budget=False) as client:
            for symbols in (["BTCUSDT"], ["BTCUSDT"], [f"A{number}USDT" for number in range(100)]):
                await client.spot.ticker_price(symbols=symbols)
    # A long one is not kept.
    assert over_httpx._url.cache_info()[:2] == (1, 1)
    assert route.call_count == 3


@pytest.mark.parametrize("using", ["httpcore", "httpx"])
async def test_respx_answers_in_its_place(using: str) -> None:
    with respx.mock(using=using) as router:
        route = router.get("https://api.binance.com/api/v3/time").respond(json={"serverTime": 7})
        async with BinanceClient(budget=False) as client:
            assert (await client.spot.time()).server_time == 7
            assert (await client.spot.time()).server_time == 7
        assert route.call_count == 2
