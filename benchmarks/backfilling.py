"""A year of minute bars of twenty futures symbols, as fast as the limit lets: how much of it is used, and what is kept.

The limit is the true one (2400) in windows of forty seconds instead of sixty; what it means at Binance is printed
beside it. On a busy machine even that measures the machine: see the waits in the note.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime
from time import monotonic, time
from typing import Any

from benchmarks._figures import Figure, Target
from benchmarks._judge import Judge
from benchmarks._memory import resident
from binance_sdk.simulator import WindowStats

_LIMIT, _SECONDS, _REAL_SECONDS = 2400, 40, 60
_SYMBOLS = 20
_MINUTE, _DAY = 60_000, 86_400_000


def run(options: Any) -> list[Figure]:
    days: int = options.days
    with Judge(weight_limits={"futures": _LIMIT}, weight_window_seconds=_SECONDS, history_days=days + 2) as judge:
        done = asyncio.run(_backfill(judge, days))
        found = judge.windows("futures")
    # Reading exchangeInfo and waiting for a fresh window comes first and is no part of it.
    windows = [window for window in found if window.start >= done["started"]]
    weight, full = done["weight"], windows[:-1]
    shares = [window.used / window.limit for window in full]
    least = -(-weight // _LIMIT)
    note = f"{_SYMBOLS} symbols × {days} days of futures 1m bars, margin 0, {_LIMIT} weight per {_SECONDS} s"
    real = f"at Binance's {_LIMIT} a minute: {weight / _LIMIT * _REAL_SECONDS / 60:.1f} minutes at the very least"
    wanted = _SYMBOLS * days * 1440
    spent = f"{done['weight']} weight, no more than planned before; {real}"
    refused = sum(window.over_limit + window.banned for window in found)
    return [
        Figure("backfill", "bars missing, doubled or out of order", done["wrong"], target=Target("=", 0), note=note),
        Figure("backfill", "bars", done["bars"], target=Target("=", wanted), note=note),
        Figure("backfill", "requests", done["requests"], note=spent),
        *_used(shares, note, _unfilled(full, done["waits"])),
        Figure(
            "backfill", "windows needed", len(windows), floor=least, ratio=len(windows) / least, note="floor: bound"
        ),
        Figure("backfill", "time", done["seconds"], "s", (least - 1) * _SECONDS, note="floor: all whole windows"),
        Figure("backfill", "requests answered with 429 or 418", refused, target=Target("=", 0)),
        Figure(
            "backfill",
            "memory at the end, against after a tenth",
            done["memory_end"],
            "MiB",
            done["memory_early"],
            done["memory_end"] / done["memory_early"],
            Target("≤", 1.1, "ratio"),
        ),
    ]


def _used(shares: list[float], note: str, unfilled: str) -> list[Figure]:
    """How much was used of whole windows; a short run has none."""
    if not shares:
        return []
    used = sum(shares) / len(shares)
    return [
        Figure("backfill", "used of each window but the last, mean", used, "%", target=Target("≥", 0.98), note=note),
        Figure("backfill", "worst window", min(shares), "%", note=unfilled),
    ]


def _unfilled(windows: list[WindowStats], waits: Counter[int]) -> str:
    """Which windows were not filled, and whether calls stood in line then.

    Where none did, the machine could not send more, and the budget is not to blame.
    """
    return "; ".join(
        f"window {number} of {len(windows)}: {window.used} used, {waits[window.start // 1000 // _SECONDS]} waits"
        for number, window in enumerate(windows, 1)
        if window.used < 0.98 * window.limit
    )


async def _backfill(judge: Judge, days: int) -> dict[str, Any]:
    from binance_sdk import BinanceClient
    from binance_sdk.events import Event, RequestSent, Waited

    waits: Counter[int] = Counter()
    sent: Counter[str] = Counter()

    def watch(event: Event) -> None:
        # A wait ends where its window begins: it belongs to the one before.
        if isinstance(event, Waited) and event.resource.endswith(" weight"):
            waits[int((time() - event.seconds) // _SECONDS)] += 1
        if isinstance(event, RequestSent) and event.operation == "futures.klines":
            sent["requests"] += 1
            sent["weight"] += event.weight

    async with BinanceClient(
        spot_base_url=judge.base_url("spot"), futures_base_url=judge.base_url("futures"), safety_margin=0, hooks=[watch]
    ) as client:
        info = await client.futures.exchange_info()
        symbols = [listed.symbol for listed in info.symbols if listed.status == "TRADING"]
        # The simulator lists fewer than twenty; a symbol asked for again costs and comes like any other.
        chosen = [symbols[number % len(symbols)] for number in range(_SYMBOLS)]
        end = int(datetime.now(UTC).timestamp() * 1000) // _DAY * _DAY
        begin = end - days * _DAY
        plan = client.futures.plan.iter_klines(chosen[0], "1m", start_time=begin, end_time=end - 1)
        await asyncio.sleep(_SECONDS - judge.now_ms() / 1000 % _SECONDS + 0.05)
        started = judge.now_ms() // (_SECONDS * 1000) * _SECONDS * 1000
        result: dict[str, Any] = {"bars": 0, "wrong": 0, "memory_early": 0.0, "started": started, "waits": waits}
        # A plan has one request more than the bars fill, for a symbol whose newest are missing.
        most = plan.requests * _SYMBOLS
        tenth = _SYMBOLS * days * 1440 // 10

        async def one(symbol: str) -> None:
            due = begin
            async for bar in client.futures.iter_klines(symbol, "1m", start_time=begin, end_time=end - 1):
                result["wrong"] += bar.open_time != due
                due = bar.open_time + _MINUTE
                result["bars"] += 1
                if result["bars"] == tenth:
                    result["memory_early"] = resident()
            # The last one must be the last minute of the time asked for.
            result["wrong"] += due != end

        clock = monotonic()
        await asyncio.gather(*(one(symbol) for symbol in chosen))
        result["seconds"] = monotonic() - clock
        result["memory_end"] = resident()
    if sent["requests"] > most:
        raise RuntimeError(f"{sent['requests']} requests were sent, and {most} were planned")
    return result | sent
