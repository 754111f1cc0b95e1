"""The Virtuoso adapter: what a snapshot costs in CPU, what 100 symbols a minute cost in budget, and a day of faults."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Mapping
from time import process_time
from typing import Any

import httpx

from benchmarks._figures import Figure, Target
from benchmarks._timing import Rounds, interleaved
from binance_sdk import BinanceClient, Caps
from binance_sdk.simulator import Instrument, ManualClock, Simulator
from tests.virtuoso.soak_run import SoakReport, soak
from tests.virtuoso.soak_support import Polling
from virtuoso_binance.market_data import assemble, fetch_parts
from virtuoso_binance.symbols import Listed, Listing

_NOW = 1_800_000_123_456
_ROUNDS, _SNAPSHOTS = 9, 10
_SYMBOLS, _LOADING, _MINUTES = 100, 9, 10
_DAY = 24 * 60
_CAPS = Caps(spot_weight_per_minute=6000, requests_per_minute=1200, requests_per_second=10)
"""What the example configuration of the adapter says."""
_STATISTICS = ("futures.open_interest_hist", "futures.global_long_short_account_ratio")


def run(options: object) -> list[Figure]:
    # A day of faults has ten thousand warnings to tell.
    logging.getLogger("virtuoso_binance").setLevel(logging.CRITICAL)
    logging.getLogger("binance_sdk").setLevel(logging.CRITICAL)
    timed = _snapshot_cpu()
    ratio = timed.ratio("adapter", "calls")
    note = "13 requests of one perpetual, answered from memory: calls and decodes alone, and with the dict made of them"
    figures = [
        Figure(
            "adapter",
            "CPU of fetch_market_data",
            timed.seconds("adapter") * 1000,
            "ms CPU",
            timed.seconds("calls") * 1000,
            ratio,
            Target("≤", 1.5, "ratio"),
            note,
        )
    ]
    figures += _steady(asyncio.run(_hundred()))
    return figures + _soaked(asyncio.run(soak(_DAY)))


# ------------------------------------------------------------------------------------- CPU


class _Memory(httpx.AsyncBaseTransport):
    """Answers by URL as the simulator gave them once, so that only this side of the line costs time."""

    def __init__(self) -> None:
        self.known: dict[str, tuple[httpx.Headers, bytes]] = {}
        self._line: httpx.AsyncHTTPTransport | None = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        key = str(request.url)
        if key not in self.known:
            if self._line is None:
                raise httpx.ConnectError(f"never asked while there was a simulator: {key}", request=request)
            answer = await self._line.handle_async_request(request)
            body = await answer.aread()
            kept = {k: v for k, v in answer.headers.items() if k not in ("content-encoding", "content-length")}
            self.known[key] = httpx.Headers(kept), body
        headers, body = self.known[key]
        return httpx.Response(200, headers=headers, content=body)

    async def close_line(self) -> None:
        if self._line is not None:
            await self._line.aclose()
            self._line = None


def _snapshot_cpu() -> Rounds:
    with asyncio.Runner() as runner:
        memory = _Memory()
        client, listed = runner.run(_loaded(memory))

        # Whole coroutines that give back nothing: asyncio writes out the result of what it ran, to compare a handler.
        async def fetch() -> None:
            for _ in range(_SNAPSHOTS):
                await fetch_parts(client, listed)

        async def fetch_and_assemble() -> None:
            for _ in range(_SNAPSHOTS):
                found = assemble(await fetch_parts(client, listed), _NOW)
                assert found["metadata"]["ohlcv_success"]

        def calls() -> float:
            # A full collection walks all that was ever loaded; it belongs to neither.
            gc.collect()
            begun = process_time()
            runner.run(fetch())
            return (process_time() - begun) / _SNAPSHOTS

        def adapter() -> float:
            gc.collect()
            begun = process_time()
            runner.run(fetch_and_assemble())
            return (process_time() - begun) / _SNAPSHOTS

        calls(), adapter()
        timed = interleaved({"calls": calls, "adapter": adapter}, _ROUNDS)
        runner.run(client.aclose())
        return timed


async def _loaded(memory: _Memory) -> tuple[BinanceClient, Listed]:
    with Simulator(clock=ManualClock(_NOW), symbols=["BTCUSDT"], history_days=40) as running:
        http = httpx.AsyncClient(transport=memory)
        client = BinanceClient(futures_base_url=running.base_url("futures"), http_client=http, budget=False)
        listed = Listing(await client.futures.exchange_info(), None).resolve("BTCUSDT")
        await fetch_parts(client, listed)
        await memory.close_line()
    return client, listed


# ------------------------------------------------------------------------------------- budget


async def _hundred() -> Mapping[str, float]:
    """The largest shares over the steady minutes, by the simulator's own count."""
    symbols = [
        Instrument("futures", f"C{n:02d}USDT", f"C{n:02d}", "USDT", 4, 1, rate=1, contract_type="PERPETUAL")
        for n in range(_SYMBOLS)
    ]
    shares = dict.fromkeys(("weight", "requests a minute", "/futures/data"), 0.0)
    windows: dict[int, int] = {}
    async with Polling(symbols, caps=_CAPS, history_days=35) as polling:
        await polling.run(_LOADING)
        for _ in range(_MINUTES):
            before: Mapping[str, int] = polling.simulator.requests.by_operation
            (done,) = await polling.run(1)
            after = polling.simulator.requests.by_operation
            asked = {name: count - before.get(name, 0) for name, count in after.items()}
            window = done.at // 300_000
            windows[window] = windows.get(window, 0) + sum(asked.get(name, 0) for name in _STATISTICS)
            found: dict[str, Any] = {
                "weight": polling.simulator.used_weight("futures") / 2400,
                "requests a minute": sum(asked.values()) / 600,
                "/futures/data": windows[window] / 1000,
            }
            shares = {name: max(share, found[name]) for name, share in shares.items()}
    return shares


def _steady(shares: Mapping[str, float]) -> list[Figure]:
    note = "share of the limit in the fullest window, by the simulator's count; requests: 10 a second"
    return [
        Figure("adapter", f"100 symbols a minute: {name}", share, "%", target=Target("≤", 0.5), note=note)
        for name, share in shares.items()
    ]


# ------------------------------------------------------------------------------------- faults


def _soaked(report: SoakReport) -> list[Figure]:
    note = (
        f"{report.minutes / 60:g} h on the injected clock: {report.sent} requests answered and {report.failed} failed, "
        f"{report.checked} values compared, {report.gaps} gaps told"
    )
    rows = (
        ("a day of faults: wrong values", len(report.wrong)),
        ("a day of faults: gaps not told", len(report.unflagged)),
    )
    figures = [Figure("adapter", name, count, target=Target("=", 0), note=note) for name, count in rows]
    growth = Figure("adapter", "a day of faults: growth", report.growth, "%", target=Target("≤", 0.05), note=note)
    return [*figures, growth]
