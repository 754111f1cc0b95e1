"""A small REST call: over aiohttp against aiohttp alone, over httpx against httpx with a plain pydantic model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email.utils import formatdate
from statistics import median
from time import process_time
from typing import Any, Literal

from benchmarks._figures import Figure, Target
from benchmarks._processes import served

_ROUNDS = 11
_CALLS = 300
_BODY = b'{"symbol":"BTCUSDT","price":"65000.01000000"}'
_HEAD = (
    "HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: {length}\r\n"
    "Connection: keep-alive\r\nDate: {date}\r\nServer: nginx\r\nx-mbx-uuid: 01234567-89ab-cdef-0123-456789abcdef\r\n"
    "x-mbx-used-weight: {used}\r\nx-mbx-used-weight-1m: {used}\r\n"
    "Strict-Transport-Security: max-age=31536000; includeSubdomains\r\nX-Frame-Options: SAMEORIGIN\r\n"
    "X-Xss-Protection: 1; mode=block\r\nX-Content-Type-Options: nosniff\r\n"
    "Cache-Control: no-cache, no-store, must-revalidate\r\nPragma: no-cache\r\nExpires: 0\r\n\r\n"
)
_PRICE = "/api/v3/ticker/price"


class _Canned(asyncio.Protocol):
    """Answers like Binance's in size and headers; the count of the server stays far below any limit."""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        head = _HEAD.format(length=len(_BODY), date=formatdate(usegmt=True), used=2)
        self._transport.write(head.encode() + _BODY)


def serve(ports: Any) -> None:
    """Answer until killed; see ``served``."""

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(_Canned, "127.0.0.1", 0)
        ports.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


def figures() -> list[Figure]:
    with served(serve) as port:
        over_aiohttp = asyncio.run(_measure(f"http://127.0.0.1:{port}", "aiohttp", _aiohttp))
        over_httpx = asyncio.run(_measure(f"http://127.0.0.1:{port}", "httpx", _httpx))
    budget = "CPU of the client, budget on; floor: "
    return [
        _figure("aiohttp", over_aiohttp, 2.0, f"{budget}bare aiohttp, body read, not decoded"),
        _figure("httpx", over_httpx, 1.3, f"{budget}bare httpx, body read into a plain pydantic model"),
    ]


def _figure(transport: str, measured: tuple[list[float], list[float]], most: float, note: str) -> Figure:
    engine, bare = measured
    ratio = median(ours / floor for ours, floor in zip(engine, bare, strict=True))
    ours, floor, target = median(engine) * 1e6, median(bare) * 1e6, Target("≤", most, "ratio")
    return Figure("streams", f'small REST call, transport="{transport}"', ours, "µs", floor, ratio, target, note)


@asynccontextmanager
async def _aiohttp(url: str) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    from aiohttp import ClientSession

    async with ClientSession() as session:

        async def call() -> object:
            async with session.get(url) as response:
                return await response.read()

        yield call


@asynccontextmanager
async def _httpx(url: str) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    import httpx

    from benchmarks._plain import plain_adapter
    from binance_sdk.spot import TickerPrice

    decode = plain_adapter(TickerPrice).validate_json
    async with httpx.AsyncClient() as session:

        async def call() -> object:
            return decode((await session.get(url)).content)

        yield call


async def _measure(url: str, transport: Literal["httpx", "aiohttp"], bare: Any) -> tuple[list[float], list[float]]:
    from binance_sdk import BinanceClient

    ours: list[float] = []
    floor: list[float] = []
    async with bare(f"{url}{_PRICE}?symbol=BTCUSDT") as call:
        await call()
        for number in range(_ROUNDS + 1):
            # A client of its own each time, whose window is empty: waiting for the budget is no cost of a call.
            async with BinanceClient(spot_base_url=url, transport=transport) as client:
                await client.spot.ticker_price("BTCUSDT")
                begun = process_time()
                for _ in range(_CALLS):
                    await client.spot.ticker_price("BTCUSDT")
                between = process_time()
                for _ in range(_CALLS):
                    await call()
                ended = process_time()
            if number:
                ours.append((between - begun) / _CALLS)
                floor.append((ended - between) / _CALLS)
    return ours, floor
