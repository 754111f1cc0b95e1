"""What it costs that every client watches for drift: answers read with a watch, and by a validator without one."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable

from benchmarks import _bodies, _object_bodies
from benchmarks._figures import Figure, Target
from benchmarks._timing import Rounds, awaited, interleaved, rounds

_CALLS = 300
_ROUNDS = 21
_SMALL = b'{"symbol":"BTCUSDT","price":"65000.01000000"}'
_NO_MORE = Target("≤", 1.03, "ratio")
_SOME = Target("≤", 1.06, "ratio")
"""Where each object holds dozens of values of enums, each of which is looked up."""


def run(options: object) -> list[Figure]:
    return [_small_call(), *_answers()]


def _small_call() -> Figure:
    watched, bare = _both("ticker_price", None, _SMALL)
    added = rounds({"watched": watched, "bare": bare}, _ROUNDS).difference("watched", "bare")
    call = _call().seconds("call")
    note = f"of CPU; a whole call over a transport that only answers in 'floor', median of {_ROUNDS} rounds"
    ratio = added / call
    return Figure(
        "drift", "added to a small call", added * 1e6, "µs CPU", call * 1e6, ratio, Target("<", 0.03, "ratio"), note
    )


def _answers() -> list[Figure]:
    new = json.loads(_object_bodies.exchange_info(400))
    for symbol in new["symbols"]:
        symbol["mood"] = "high"
    # The last one has a field and permissions that the spec does not list, and is read again and again.
    cases: list[tuple[str, str, type | None, bytes, Target | None]] = [
        ("1000 klines", "klines", list, _bodies.klines(), _NO_MORE),
        ("3500 tickers of 24 hours", "ticker_24hr", list, _bodies.tickers(), _NO_MORE),
        ("exchangeInfo of 400 symbols", "exchange_info", None, _listed_permissions(), _SOME),
        ("the same with what no spec lists", "exchange_info", None, json.dumps(new).encode(), None),
    ]
    figures: list[Figure] = []
    for name, operation, kind, body, target in cases:
        watched, bare = _both(operation, kind, body)
        # As the client does while it decodes.
        gc.disable()
        try:
            timed = rounds({"watched": watched, "bare": bare}, _ROUNDS)
        finally:
            gc.enable()
        note = "the same validator without a watch in 'floor'"
        ratio, ours = timed.ratio("watched", "bare"), timed.seconds("watched")
        figures.append(
            Figure("drift", f"{name}, watched", ours * 1e3, "ms CPU", timed.seconds("bare") * 1e3, ratio, target, note)
        )
    return figures


def _listed_permissions() -> bytes:
    body = json.loads(_object_bodies.exchange_info(400))
    for symbol in body["symbols"]:
        symbol["permissionSets"] = [
            [name for name in group if name < "TRD_GRP_026"] for group in symbol["permissionSets"]
        ]
    return json.dumps(body).encode()


def _both(operation: str, kind: type | None, body: bytes) -> tuple[Callable[[], object], Callable[[], object]]:
    """The answer read with and without a watch."""
    from typing import get_origin

    from binance_sdk._runtime.answers.shape_drift import ShapeWatch
    from binance_sdk._runtime.json_validator import json_validator
    from binance_sdk.catalogue import CATALOGUE

    found = CATALOGUE["spot"].operations[operation]
    variant = next(one for one in found.variants if get_origin(one.type) is kind)
    reader, watch = variant.reader, ShapeWatch()
    bare = json_validator(variant.adapter, "quick")

    def watched() -> object:
        watch.begin(reader)
        value: object = reader.read(body)
        watch.look(found.id, variant.name, variant.type, reader, value)
        return value

    return watched, lambda: bare.validate_json(body, by_alias=True, by_name=False)


def _call() -> Rounds:
    import httpx

    from binance_sdk import BinanceClient

    headers = {"content-type": "application/json", "x-mbx-used-weight-1m": "2", "x-mbx-used-weight": "2"}
    answer = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, content=_SMALL))
    loop = asyncio.new_event_loop()
    http = httpx.AsyncClient(transport=answer)
    client = BinanceClient(spot_base_url="http://drift.invalid", http_client=http, budget=False)

    sample = awaited(loop.run_until_complete, lambda: client.spot.ticker_price("BTCUSDT"), _CALLS)

    async def close() -> None:
        await client.aclose()
        await http.aclose()

    try:
        sample()
        return interleaved({"call": sample}, _ROUNDS)
    finally:
        loop.run_until_complete(close())
        loop.close()
