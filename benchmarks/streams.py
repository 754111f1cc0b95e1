"""Streams through the whole engine, against the bare libraries; what faults lose; and many streams in one process."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import multiprocessing
import random
import struct
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from statistics import median, quantiles
from time import perf_counter, process_time
from typing import Any, Literal, cast

from benchmarks._figures import Figure, Target

_MESSAGES = 60_000
_ROUNDS = 5
_FAULTS = 1000
_BREAKING = 200
_STREAMS = 1000
_NAME = "btcusdt@aggTrade"
_TRADE = (
    '{"e":"aggTrade","E":1700000000000,"s":"BTCUSDT","a":%d,"p":"27103.10000000","q":"0.00100000","f":100,"l":105,'
    '"T":1700000000000,"m":true,"M":true}'
)
Transport = Literal["httpx", "aiohttp"]


def run(options: object) -> list[Figure]:
    return [*_throughput(), *_small_call(), *asyncio.run(_faults()), *asyncio.run(_many())]


# ------------------------------------------------------------------------------- throughput


def _frame(text: str) -> bytes:
    body = text.encode()
    length = bytes([len(body)]) if len(body) < 126 else b"\x7e" + struct.pack("!H", len(body))
    return b"\x81" + length + body


def _serve(ports: Any) -> None:
    """A process of its own, so that only the client's CPU time is measured."""
    from websockets.asyncio.server import ServerConnection, serve

    frames = [_frame(f'{{"stream":"{_NAME}","data":{_TRADE % number}}}') for number in range(1, _MESSAGES + 1)]
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


@contextlib.contextmanager
def _server() -> Iterator[str]:
    context = multiprocessing.get_context("spawn")
    ports = context.Queue()
    process = context.Process(target=_serve, args=(ports,), daemon=True)
    process.start()
    try:
        yield f"ws://127.0.0.1:{ports.get(timeout=30)}"
    finally:
        process.terminate()
        process.join()


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
    with _server() as url:
        for number in range(_ROUNDS + 1):
            for name, measure in measured.items():
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


# --------------------------------------------------------------------------------- REST call


def _small_call() -> list[Figure]:
    from binance_sdk.simulator import Simulator

    with Simulator() as simulator:
        samples = asyncio.run(_calls(simulator.spot_url))
    ratio = median(ours / floor for ours, floor in zip(*samples, strict=True))
    ours, floor = (median(each) * 1e6 for each in samples)
    note = "CPU of the client; floor: bare aiohttp, body read, not decoded"
    target = Target("≤", 2.0, "ratio")
    return [Figure("streams", 'small REST call, transport="aiohttp"', ours, "µs", floor, ratio, target, note)]


async def _calls(url: str, count: int = 300) -> tuple[list[float], list[float]]:
    from time import thread_time

    from aiohttp import ClientSession

    from binance_sdk import BinanceClient

    ours: list[float] = []
    floor: list[float] = []
    async with BinanceClient(spot_base_url=url, transport="aiohttp", budget=True) as client, ClientSession() as session:
        for number in range(_ROUNDS + 1):
            begun = thread_time()
            for _ in range(count):
                await client.spot.ticker_price("BTCUSDT")
            between = thread_time()
            for _ in range(count):
                async with session.get(f"{url}/api/v3/ticker/price?symbol=BTCUSDT") as response:
                    await response.read()
            if number:
                ours.append((between - begun) / count)
                floor.append((thread_time() - between) / count)
    return ours, floor


# ------------------------------------------------------------------------------------ faults


async def _faults() -> list[Figure]:
    filled = await _injured(fill=True)
    named = await _injured(fill=False)
    name = f"{_FAULTS} faults, {_BREAKING} of them breaking"
    none = Target("=", 0)
    return [
        Figure("streams", f"{name}: lost with fill", filled["lost"], "", target=none),
        Figure("streams", f"{name}: repeated with fill", filled["repeated"], "", target=none),
        Figure("streams", f"{name}: missing but not named, without fill", named["lost"], "", target=none),
        Figure("streams", f"{name}: named but not missing, without fill", named["repeated"], "", target=none),
    ]


async def _injured(*, fill: bool) -> dict[str, int]:
    """Ids from 1 on; every few of them a fault: a message dropped, doubled, swapped or garbled, or a broken line."""
    from benchmarks._stream_server import Rows, parts, serving
    from binance_sdk._generated.spot.streams import AsyncSpotStreams
    from binance_sdk._runtime.stream.opener import Opener
    from binance_sdk._runtime.stream.pacing import Backoff, ConnectionBudget
    from binance_sdk.streams import Gap

    plan = [
        *["break"] * _BREAKING,
        *random.Random(7).choices(("drop", "double", "swap", "garble"), k=_FAULTS - _BREAKING),
    ]
    random.Random(8).shuffle(plan)
    last = len(plan) * 5 + 10
    seen: list[int] = []
    async with serving(plan, last) as url:
        made = replace(
            parts(url, Rows()), backoff=lambda: Backoff(first=0.001, longest=0.01), budget=ConnectionBudget(10_000)
        )
        opener = Opener(lambda: made)
        async with AsyncSpotStreams(opener).agg_trade("BTCUSDT", fill_gaps=fill, quiet_time=None) as events:
            async for event in events:
                if isinstance(event, Gap):
                    seen += range(event.last_id + 1, event.first_id)
                else:
                    number = cast("Any", event).agg_id
                    seen.append(number)
                    if number >= last:
                        break
        await opener.aclose()
    wanted = range(seen[0], last + 1)
    return {"lost": len(set(wanted) - set(seen)), "repeated": len(seen) - len(set(seen)) + (seen != sorted(seen))}


# -------------------------------------------------------------------------------------- many


async def _many() -> list[Figure]:
    """A message of each of a thousand streams, many times over; how late the loop is, and what memory grows."""
    from benchmarks._stream_server import Rows, crowd, parts
    from binance_sdk._generated.spot.streams import AsyncSpotStreams
    from binance_sdk._runtime.stream.opener import Opener

    lags: list[float] = []
    symbols = [f"S{number}USDT" for number in range(_STREAMS)]
    rounds = 60
    sizes: list[int] = []
    async with crowd([f"{symbol.lower()}@aggTrade" for symbol in symbols], rounds, _TRADE) as url:
        opener = Opener(lambda: parts(url, Rows()))
        async with AsyncSpotStreams(opener).agg_trade(*symbols, quiet_time=None) as events:
            watch = asyncio.create_task(_lag(lags))
            left = rounds * _STREAMS
            async for _ in events:
                left -= 1
                if left == rounds * _STREAMS // 2 or left == 0:
                    gc.collect()
                    sizes.append(sys.getallocatedblocks())
                if not left:
                    break
            watch.cancel()
        await opener.aclose()
    late = quantiles(lags, n=100)[98] * 1000
    growth = sizes[1] / sizes[0] - 1
    note = f"{rounds} messages of each stream, {_STREAMS * 10} a second; the exchange runs in the same loop"
    return [
        Figure("streams", f"{_STREAMS} streams: loop lag, p99", late, "ms", target=Target("<", 20), note=note),
        Figure(
            "streams",
            f"{_STREAMS} streams: memory grown in the second half",
            growth,
            "%",
            target=Target("<", 0.01),
            note=note,
        ),
    ]


async def _lag(lags: list[float]) -> None:
    while True:
        begun = perf_counter()
        await asyncio.sleep(0.005)
        lags.append(max(0.0, perf_counter() - begun - 0.005))


if __name__ == "__main__":
    print(json.dumps([figure.as_json() for figure in run(None)], indent=1))
