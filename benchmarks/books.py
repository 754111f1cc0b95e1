"""Order books: updates through the whole engine against a plain dict behind a bare library, reading, and faults."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Awaitable, Callable, Mapping
from statistics import median
from time import process_time
from typing import Any, Literal, cast
from urllib.request import urlopen

from benchmarks import _book_faults
from benchmarks._book_server import FIRST_ID, LAST_ID, NAME, UPDATES, events, serve_book, snapshot
from benchmarks._figures import Figure, Target
from benchmarks._processes import served

_ROUNDS = 5
_READS = 2000
_FED = 5000
_LEVELS = 10
_LOADS = {"that changes levels anywhere": 0.0, "of which a quarter is near the top": 0.25}
"""Share of the changes that are near the best prices: 0.25 changes as many of the ten best as what was recorded did."""
_FED_NOTE = "by the public methods, the updates fed without a socket; floor: one update with it"
Transport = Literal["httpx", "aiohttp"]
Measured = Mapping[str, float]


def run(options: object) -> list[Figure]:
    samples = _measure()
    note = (
        "updates for each second of the client's CPU; floor: recv() of websockets, the same decoding, two plain dicts"
    )
    floor = samples["bare"]["update"]
    figures = [
        _rate("23 levels an update, a book kept in sync", samples["ours"]["update"], floor, 0.85, note),
        _rate("the same with aiohttp", samples["ours, aiohttp"]["update"], floor, 1.0, note),
    ]
    reads, updates = samples["ours"]["read"], samples["ours"]["update"]
    ratio = median(read / update for read, update in zip(reads, updates, strict=True))
    figures.append(
        Figure(
            *("books", "ten levels a side, read again and again", median(reads) * 1e6, "µs"),
            *(median(updates) * 1e6, ratio, Target("≤", 0.2, "ratio"), "floor: one update"),
        )
    )
    for name, near in _LOADS.items():
        extra = [with_reading - without for with_reading, without in _fed(near)]
        ratio = median(extra) / median(updates)
        figures.append(
            Figure(
                *("books", f"the same, read after every update {name}", median(extra) * 1e6, "µs"),
                *(median(updates) * 1e6, ratio, Target("≤", 0.2, "ratio"), _FED_NOTE),
            )
        )
    return [*figures, *_book_faults.figures()]


def _rate(name: str, ours: list[float], floor: list[float], bound: float, note: str) -> Figure:
    ratio = median(theirs / mine for mine, theirs in zip(ours, floor, strict=True))
    return Figure("books", name, 1 / median(ours), "/s", 1 / median(floor), ratio, Target("≥", bound, "ratio"), note)


def _measure() -> Mapping[str, Mapping[str, list[float]]]:
    measured: Mapping[str, Callable[[int], Awaitable[Measured]]] = {
        "bare": _bare,
        "ours": _kept("httpx"),
        "ours, aiohttp": _kept("aiohttp"),
    }
    samples: dict[str, dict[str, list[float]]] = {name: {} for name in measured}
    with served(serve_book) as port:
        for number in range(_ROUNDS + 1):
            for name, measure in measured.items():
                # A full collection belongs to nobody: it walks what all of them have loaded, and meets one at random.
                gc.collect()
                found = asyncio.run(cast("Any", measure(port)))
                # The first round builds what is built at the first message.
                if number:
                    for kind, seconds in found.items():
                        samples[name].setdefault(kind, []).append(seconds)
    return samples


def _decoder() -> Callable[[bytes | str], Any]:
    """Reads what the engine reads, with the same checks, wrapper and all in one go."""
    from pydantic_core import CoreConfig, SchemaValidator
    from pydantic_core.core_schema import int_schema, list_schema, str_schema, tuple_schema
    from pydantic_core.core_schema import typed_dict_field as field
    from pydantic_core.core_schema import typed_dict_schema as object_schema

    from binance_sdk._runtime.answers.scalars import decimal_text_schema

    number = field(int_schema(strict=True))
    levels = field(list_schema(tuple_schema([str_schema(strict=True), decimal_text_schema()]), fail_fast=True))
    event = object_schema({"U": number, "u": number, "b": levels, "a": levels}, extra_behavior="ignore")
    wrapped = object_schema({"stream": field(str_schema()), "data": field(event)})
    return SchemaValidator(wrapped, CoreConfig(cache_strings="none")).validate_json


async def _bare(port: int) -> Measured:
    from websockets.asyncio.client import connect

    decode = _decoder()
    begin = snapshot()
    bids, asks = (dict(begin[side]) for side in ("bids", "asks"))
    async with connect(f"ws://127.0.0.1:{port}/stream?streams={NAME}", compression=None) as socket:
        await asyncio.to_thread(lambda: urlopen(f"http://127.0.0.1:{port}/api/v3/depth").read())
        begun = process_time()
        for _ in range(UPDATES):
            event = decode(await socket.recv(decode=False))["data"]
            for side, changes in ((bids, event["b"]), (asks, event["a"])):
                for price, qty in changes:
                    if float(qty):
                        side[price] = qty
                    else:
                        side.pop(price, None)
        return {"update": (process_time() - begun) / UPDATES}


def _client(port: int, transport: Transport) -> Any:
    from binance_sdk import BinanceClient

    return BinanceClient(
        spot_base_url=f"http://127.0.0.1:{port}", spot_stream_url=f"ws://127.0.0.1:{port}", transport=transport
    )


def _kept(transport: Transport) -> Callable[[int], Awaitable[Measured]]:
    async def measure(port: int) -> Measured:
        async with _client(port, transport) as client, client.spot.order_book("BTCUSDT") as book:
            await book.wait_synced()
            begun = process_time()
            while book.update_id != LAST_ID:  # noqa: ASYNC110 - what wakes costs CPU
                await asyncio.sleep(0.01)
            update = (process_time() - begun) / UPDATES
            begun = process_time()
            for _ in range(_READS):
                book.bids(_LEVELS)
                book.asks(_LEVELS)
            return {"update": update, "read": (process_time() - begun) / _READS}

    return measure


def _fed(near: float) -> list[tuple[float, float]]:
    """Seconds of an update that is decoded and applied, with two readings after each and without, by round."""
    from binance_sdk._generated.spot.book import BOOK
    from binance_sdk._runtime.book.messages import Snapshot
    from binance_sdk._runtime.clock import AsyncClock
    from binance_sdk._runtime.live_book.keeper import BookKeeper
    from binance_sdk._runtime.live_book.reading import CheckedReading
    from binance_sdk._runtime.live_book.surroundings import Surroundings
    from binance_sdk._runtime.live_book.update_decoder import update_decoder
    from binance_sdk._runtime.stream.connection.pacing import Backoff

    begin, nothing = snapshot(), cast("Any", None)
    payloads = [json.dumps(event, separators=(",", ":")).encode() for event in events(_FED, near)]
    levels = {side: [(price, qty) for price, qty in begin[side]] for side in ("bids", "asks")}
    decode, clock = update_decoder(BOOK.rules), AsyncClock()

    def seconds(*, read: bool) -> float:
        around = Surroundings("spot", BOOK.rules, decode, nothing, clock, lambda event: None, Backoff)
        keeper = BookKeeper("BTCUSDT", around, lambda failed: None)
        keeper.core.begin()
        keeper.core.take_snapshot(Snapshot(FIRST_ID, len(levels["bids"]), levels["bids"], levels["asks"]))
        book = CheckedReading(lambda: keeper, clock.monotonic)
        begun = process_time()
        for payload in payloads:
            keeper.take(payload, 0.0)
            if read:
                book.bids(_LEVELS)
                book.asks(_LEVELS)
        return (process_time() - begun) / _FED

    return [(seconds(read=True), seconds(read=False)) for _ in range(2 * _ROUNDS)]
