"""REST over ``transport="aiohttp"``: the same answers, and the same errors for the same broken lines."""

from __future__ import annotations

import asyncio
import gzip
import socket
from typing import Any

import pytest

from binance_sdk import BinanceClient, errors
from binance_sdk._runtime.options import RequestOptions
from tests.listening import closed_port
from tests.runtime.broken_lines import BROKEN
from tests.runtime.server import Act, RawServer, http

ROW = b'[1,"1","1","1","1","1",2,"1",1,"1","1","0"]'


async def _call(url: str, **settings: Any) -> Any:
    async with BinanceClient(spot_base_url=url, transport="aiohttp", **{"max_retries": 0, **settings}) as client:
        try:
            return await client.spot.klines("BTCUSDT", "1h")
        except errors.BinanceError as error:
            return error


def ask(answer: bytes | Act | None, **settings: Any) -> Any:
    with RawServer(answer) as server:
        return asyncio.run(_call(server.url, **settings))


def slow(connection: socket.socket) -> None:
    connection.sendall(http("200 OK", b"[", {"Content-Length": "10"}))
    connection.recv(1)


def test_an_answer() -> None:
    (row,) = ask(http("200 OK", b"[" + ROW + b"]"))
    assert row.open_time == 1


def test_a_compressed_answer() -> None:
    (row,) = ask(http("200 OK", gzip.compress(b"[" + ROW + b"]"), {"Content-Encoding": "gzip"}))
    assert row.open_time == 1


async def test_headers_go_out_and_come_back_and_connections_are_kept() -> None:
    with RawServer(http("200 OK", b"{}", {"X-Mbx-Used-Weight-1m": "7"}, last=False), keep_alive=True) as server:
        async with BinanceClient(spot_base_url=server.url, transport="aiohttp", api_key="key") as client:
            raw = await client.spot.with_raw_response.ping(options=RequestOptions(headers={"X-Mine": "a"}))
            await client.spot.ping()
        assert raw.used_weight == 7
        assert raw.content == b"{}"
    first, second = server.requests
    lines = first.decode().split("\r\n")
    assert lines[0] == "GET /api/v3/ping HTTP/1.1"
    sent = {line.split(": ")[0].lower(): line.split(": ")[1] for line in lines[1:] if line}
    assert sent["x-mine"] == "a"
    assert sent["user-agent"].startswith("binance-market-sdk/")
    assert b"X-MBX-APIKEY" not in first + second


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_a_broken_line(answer: bytes | Act) -> None:
    error = ask(answer)
    assert type(error) is errors.APIConnectionError
    assert "127.0.0.1:" in str(error)
    assert error.__cause__ is not None


@pytest.mark.parametrize("answer", [None, slow], ids=["no answer", "half an answer"])
def test_no_answer_in_time(answer: Act | None) -> None:
    error = ask(answer, timeout=0.3)
    assert type(error) is errors.APITimeoutError
    assert "raise timeout=" in str(error)


def test_nobody_listens() -> None:
    with closed_port() as port:
        error = asyncio.run(_call(f"http://127.0.0.1:{port}"))
    assert type(error) is errors.APIConnectionError


@pytest.mark.parametrize(
    "body", [b"not gzip at all", gzip.compress(b"[]")[:10] + b"\xff" * 20], ids=["no head", "no body"]
)
def test_a_body_that_is_not_what_its_encoding_says(body: bytes) -> None:
    error = ask(http("200 OK", body, {"Content-Encoding": "gzip"}))
    assert type(error) is errors.DecodeError
    assert "Content-Encoding" in str(error)


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "undeclared"])
@pytest.mark.parametrize("compressed", [True, False], ids=["gzip", "plain"])
def test_a_body_that_is_too_large(declared: bool, compressed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("binance_sdk._runtime.transport.protocol.MAX_RESPONSE_BYTES", 500)
    body = b"[" + b" " * 1000 + b"]"
    headers = {"Content-Encoding": "gzip"} if compressed else {}
    error = ask(http("200 OK", gzip.compress(body) if compressed else body, headers, length=declared))
    assert type(error) is errors.DecodeError
    assert "larger than 500 bytes" in str(error)


def test_a_redirect_is_not_followed() -> None:
    with RawServer(http("200 OK", b"[]")) as elsewhere:
        answer = http("302 Found", b"", {"Location": f"{elsewhere.url}/"})
        error = ask(answer)
        assert isinstance(error, errors.APIError)
        assert error.status_code == 302
        assert elsewhere.requests == []


@pytest.mark.parametrize(("status", "kind"), [("429 x", errors.RateLimitError), ("418 x", errors.IPBannedError)])
def test_statuses(status: str, kind: type[errors.APIError]) -> None:
    error = ask(http(status, b'{"code":-1003,"msg":"Too many"}', {"Retry-After": "3"}), budget=False)
    assert type(error) is kind
    assert error.retry_after == 3


def test_a_forgotten_loop_leaves_no_socket() -> None:
    async def use(client: BinanceClient) -> None:
        await client.spot.ping()

    with RawServer(http("200 OK", b"{}", last=False), keep_alive=True) as server:
        client = BinanceClient(spot_base_url=server.url, transport="aiohttp")
        for _ in range(2):
            asyncio.run(use(client))
        asyncio.run(client.aclose())
    assert len(server.requests) == 2
