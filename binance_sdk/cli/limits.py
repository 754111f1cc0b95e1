"""``binance-sdk limits``: who uses what of a budget that processes share, once or again and again."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from binance_sdk.cli.console import make_console
from binance_sdk.cli.event_loop import run, run_beside
from binance_sdk.cli.exit_codes import CommandError
from binance_sdk.cli.limits_board import LimitsBoard, pictures
from binance_sdk.errors import StoreError
from binance_sdk.shared_limits import SharedLimits, SharedPool


@dataclass(frozen=True)
class LimitsCall:
    """What the command line asks for."""

    limits_url: str | None
    limits_key: str | None
    watch: bool
    as_json: bool
    interval: float
    count: int | None = None


def run_limits(call: LimitsCall) -> None:
    """Show the budgets of the store.

    Raises:
        CommandError: looks are to be counted, and there is only one.
        StoreError: the store does not answer the first time.
        ConfigError: no store is named, or it cannot be used.
    """
    if call.count is not None and not call.watch:
        raise CommandError(f"--count {call.count} counts the looks of --watch: add --watch, or leave it out")
    with SharedLimits(call.limits_url, call.limits_key) as limits:
        if not call.watch:
            pools = limits.read()
            if call.as_json:
                sys.stdout.write(json.dumps(_state(limits, pools), indent=2) + "\n")
                return
            console = make_console()
            for part in pictures(limits, pools, console.width):
                console.print(part)
            return
        as_json = call.as_json or not sys.stdout.isatty()
        run(lambda: _watch_in_lines(limits, call) if as_json else _watch(limits, call))


async def _watch_in_lines(limits: SharedLimits, call: LimitsCall) -> None:
    """A line of JSON for each look; a store that is away has a line as well."""
    await _look_again_and_again(
        limits,
        call,
        lambda pools: _print_line(_state(limits, pools)),
        lambda error: _print_line({"time": _now(), "store": limits.url, "error": str(error)}),
    )


async def _watch(limits: SharedLimits, call: LimitsCall) -> None:
    first = await asyncio.to_thread(limits.read)
    board = LimitsBoard(limits, first)
    board.start()
    try:
        await run_beside(_look_again_and_again(limits, call, board.show, board.tell), board.redrawer.run())
    finally:
        board.stop()


async def _look_again_and_again(
    limits: SharedLimits,
    call: LimitsCall,
    show: Callable[[tuple[SharedPool, ...]], None],
    tell: Callable[[StoreError], None],
) -> None:
    """Look once in each interval; a store that was there and is away now is told, and asked again."""
    left, seen = call.count, False
    while True:
        try:
            # In a thread, so that Ctrl-C and the terminal need not wait for a store that does not answer.
            show(await asyncio.to_thread(limits.read))
            seen = True
        except StoreError as error:
            if not seen:
                raise
            tell(error)
        if left is not None:
            left -= 1
            if left <= 0:
                return
        await asyncio.sleep(call.interval)


def _state(limits: SharedLimits, pools: Iterable[SharedPool]) -> dict[str, Any]:
    """All that is known, for programs."""
    return {
        "time": _now(),
        "store": limits.url,
        "store_version": limits.store_version,
        "pools": [_pool(pool) for pool in pools],
    }


def _pool(pool: SharedPool) -> dict[str, Any]:
    found = asdict(pool)
    for window in found["windows"].values():
        window["left"] = max(0, window["limit"] - window["used"])
    return found


def _now() -> int:
    """Epoch milliseconds of this machine."""
    return round(time.time() * 1000)


def _print_line(line: dict[str, Any]) -> None:
    # Flushed at once, so that the reader of a pipe gets each state, and a closed pipe is noticed.
    sys.stdout.buffer.write(json.dumps(line).encode() + b"\n")
    sys.stdout.buffer.flush()
