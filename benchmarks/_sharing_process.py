"""One of several processes that spend from one budget: fifty tasks until it is told to end; then what it spent.

Started as ``python -m benchmarks._sharing_process '<json>'``; it prints a line when it is ready, begins with the first
line on stdin, and prints its figures at the end of stdin or of its time.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import sys
import time
from typing import Any

from benchmarks._memory import resident
from benchmarks.budgeting import call_mix


async def _main(url: str, limits_url: str, number: int, tasks: int, seconds: float, skew: float) -> dict[str, object]:
    from binance_sdk import BinanceClient
    from binance_sdk._runtime.clock import AsyncClock
    from binance_sdk.errors import BinanceError, RateLimitError
    from binance_sdk.events import Event, RequestSent, StoreChanged

    if skew:
        # The clock of another host.
        AsyncClock.time = lambda self: time.time() + skew  # type: ignore[method-assign]
    weight = calls = 0
    states: list[str] = []
    by_window: dict[int, int] = {}

    def watch(event: Event) -> None:
        nonlocal weight, calls
        if isinstance(event, RequestSent):
            weight, calls = weight + event.weight, calls + 1
            window = int(time.time() // 10)
            by_window[window] = by_window.get(window, 0) + event.weight
        elif isinstance(event, StoreChanged):
            states.append(f"{event.state} at {time.time() % 1000:.1f}")

    async with BinanceClient(spot_base_url=url, budget=False) as unlimited:
        # Whatever is made at the first call is made before the time that counts.
        for call in call_mix(unlimited, number):
            await call()
    importlib.import_module("redis")
    errors: dict[str, int] = {}
    async with BinanceClient(
        spot_base_url=url, limits_url=limits_url, safety_margin=0, max_concurrency=tasks, hooks=[watch]
    ) as client:
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        begun = time.process_time()
        await client.spot.exchange_info(symbol="BTCUSDT")

        async def worker(task: int) -> None:
            mix = call_mix(client, task)
            step = task + number
            while True:
                try:
                    await mix[step % len(mix)]()
                except RateLimitError:
                    errors["429"] = errors.get("429", 0) + 1
                except BinanceError as error:
                    errors[type(error).__name__] = errors.get(type(error).__name__, 0) + 1
                    await asyncio.sleep(0.05)
                step += 1

        running = [asyncio.create_task(worker(task)) for task in range(tasks)]
        finished, _ = await asyncio.wait(running, timeout=seconds, return_when="FIRST_EXCEPTION")
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        for each in finished:
            each.result()
        cpu = time.process_time() - begun
    return {
        "weight": weight, "calls": calls, "cpu": cpu, "states": states, "errors": errors, "windows": by_window,
        "resident": resident(),
    }  # fmt: skip


if __name__ == "__main__":
    settings: dict[str, Any] = json.loads(sys.argv[1])
    with contextlib.suppress(KeyboardInterrupt):
        print(json.dumps(asyncio.run(_main(**settings))), flush=True)
