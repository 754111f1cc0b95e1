"""What metrics cost a call: the same client with and without them, over loopback, in rounds that alternate."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Literal

from benchmarks._figures import Figure, Target
from benchmarks._processes import served
from benchmarks._small_call import serve
from benchmarks._timing import awaited, interleaved

_CALLS = 100
_ROUNDS = 61
_WEIGHT = 2
_TRANSPORTS: tuple[Literal["httpx", "aiohttp"], ...] = ("httpx", "aiohttp")


def run(options: object) -> list[Figure]:
    with served(serve) as port:
        return [_figure(transport, f"http://127.0.0.1:{port}") for transport in _TRANSPORTS]


def _figure(transport: Literal["httpx", "aiohttp"], url: str) -> Figure:
    from prometheus_client import CollectorRegistry

    from binance_sdk import BinanceClient
    from binance_sdk.metrics import instrument

    loop = asyncio.new_event_loop()
    registry = CollectorRegistry()
    # The server always tells the same small count, so nobody waits.
    clients = {name: BinanceClient(spot_base_url=url, transport=transport) for name in ("off", "on")}
    instrument(clients["on"], registry)
    try:
        for client in clients.values():
            loop.run_until_complete(client.spot.ticker_price("BTCUSDT"))
        samplers = {
            name: awaited(loop.run_until_complete, partial(client.spot.ticker_price, "BTCUSDT"), _CALLS)
            for name, client in clients.items()
        }
        timed = interleaved(samplers, _ROUNDS)
    finally:
        for client in clients.values():
            loop.run_until_complete(client.aclose())
        loop.close()
    labels = {"environment": "custom", "market": "spot", "operation": "ticker_price"}
    counted = registry.get_sample_value("binance_sdk_request_duration_seconds_count", labels)
    weight = registry.get_sample_value("binance_sdk_request_weight_total", labels)
    seconds = registry.get_sample_value("binance_sdk_request_duration_seconds_sum", labels)
    waits = registry.get_sample_value("binance_sdk_wait_seconds_count", labels)
    calls = _ROUNDS * _CALLS + 1
    if counted != calls or weight != calls * _WEIGHT or not seconds or waits is not None:
        raise AssertionError(
            f"{calls} calls were counted as {counted} of weight {weight} in {seconds} s, {waits} waits"
        )
    return Figure(
        "metrics",
        f'small call with metrics, transport="{transport}"',
        timed.seconds("on") * 1e6,
        "µs CPU",
        timed.seconds("off") * 1e6,
        timed.ratio("on", "off"),
        Target("≤", 1.05, "ratio"),
        f"median of {_ROUNDS} rounds of {_CALLS} calls, each counted right; floor: the same client without",
    )
