"""Streams through the whole engine, against the bare libraries; what faults lose; and many streams in one process."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Awaitable, Callable, Mapping
from statistics import median
from time import process_time
from typing import Any, Literal, cast

from benchmarks import _small_call, _stream_faults, _stream_hour
from benchmarks._figures import Figure, Target
from benchmarks._processes import served
from benchmarks._stream_server import frame

_MESSAGES = 60_000
_ROUNDS = 5
_NAME = "btcusdt@aggTrade"
_TRADE = (
    '{"e":"aggTrade","E":1700000000000,"s":"BTCUSDT","a":%d,"p":"27103.10000000","q":"0.00100000","f":100,"l":105,'
    '"T":1700000000000,"m":true,"M":true}'
)
Transport = Literal["httpx", "aiohttp"]


def run(options: object) -> list[Figure]:
    return [*_throughput(), *_small_call.figures(), *asyncio.run(_stream_faults.figures()), *_stream_hour.figures()]


# ------------------------------------------------------------------------------- throughput


def _serve(ports: Any) -> None:
    from websockets.asyncio.server import ServerConnection, serve

    frames = [frame(f'{{"stream":"{_NAME}","data":{_TRADE % number}}}') for number in range(1, _MESSAGES + 1)]
    packets = [b"".join(frames[at : at + 200]) for at in range(0, len(frames), 200)]

    async def send(socket: ServerConnection) -> None:
        with contextlib.suppress(Exception):
            await asyncio.sleep(0.05)
            for packet in packets:
                socket.transport.write(packet)
                while socket.transport.get_write_buffer_size() > 1 << 20:  # noqa: ASYNC110 - there is no event for it
                    await asyncio.sleep(0.001)
            await socket.wait_closed()

    async def main() -> None:
        async with serve(send, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
            ports.put(next(iter(server.sockets)).getsockname()[1])
            await asyncio.Event().wait()

    asyncio.run(main())


def _adapter() -> Callable[[bytes | str], Any]:
    from pydantic import BaseModel, TypeAdapter

    from binance_sdk.spot import AggTradeEvent

    class Combined(BaseModel):
        stream: str
        data: AggTradeEvent

    return TypeAdapter(Combined).validate_json


async def _bare_websockets(url: str) -> float:
    from websockets.asyncio.client import connect

    decode = _adapter()
    async with connect(f"{url}/stream?streams={_NAME}", compression=None) as socket:
        begun = process_time()
        for _ in range(_MESSAGES):
            decode(await socket.recv(decode=False))
        return process_time() - begun


async def _bare_aiohttp(url: str) -> float:
    from aiohttp import ClientSession

    decode = _adapter()
    async with ClientSession() as session, session.ws_connect(f"{url}/stream?streams={_NAME}", compress=0) as socket:
        begun = process_time()
        for _ in range(_MESSAGES):
            decode((await socket.receive()).data)
        return process_time() - begun


def _engine(transport: Transport) -> Callable[[str], Awaitable[float]]:
    async def measure(url: str) -> float:
        from binance_sdk import BinanceClient

        async with (
            BinanceClient(spot_stream_url=url, transport=transport) as client,
            client.spot.streams.agg_trade("BTCUSDT") as events,
        ):
            left = _MESSAGES
            begun = process_time()
            async for _ in events:
                left -= 1
                if not left:
                    break
            return process_time() - begun

    return measure


def _throughput() -> list[Figure]:
    measured: Mapping[str, Callable[[str], Awaitable[float]]] = {
        "websockets": _bare_websockets,
        "ours": _engine("httpx"),
        "aiohttp": _bare_aiohttp,
        "ours, aiohttp": _engine("aiohttp"),
    }
    samples: dict[str, list[float]] = {name: [] for name in measured}
    with served(_serve) as port:
        url = f"ws://127.0.0.1:{port}"
        for number in range(_ROUNDS + 1):
            for name, measure in measured.items():
                # A full collection belongs to nobody: it walks what all of them have loaded, and meets one at random.
                gc.collect()
                seconds = asyncio.run(cast("Any", measure(url)))
                # The first round builds what is built at the first message.
                if number:
                    samples[name].append(seconds)
    note = "messages for each second of the client's CPU; floor: recv(), then pydantic with the same exact decimals"
    return [
        _rate("aggTrade typed, whole engine", samples["ours"], samples["websockets"], 1.0, note),
        _rate("the same with aiohttp", samples["ours, aiohttp"], samples["aiohttp"], 0.8, note),
    ]


def _rate(name: str, ours: list[float], floor: list[float], bound: float, note: str) -> Figure:
    ratio = median(theirs / mine for mine, theirs in zip(ours, floor, strict=True))
    rates = [_MESSAGES / median(seconds) for seconds in (ours, floor)]
    return Figure("streams", name, rates[0], "/s", rates[1], ratio, Target("≥", bound, "ratio"), note)
