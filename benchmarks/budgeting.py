"""Fifty tasks hammer one budget, and the exchange counts: nothing over its limit, nothing refused, all of it used.

Limits are the true ones in weight (6000), in windows of ten seconds instead of sixty, so that several fit into a
minute; the client learns the window from ``exchangeInfo``, as it would from Binance.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

from benchmarks._figures import Figure, Target
from benchmarks._judge import Judge
from binance_sdk.simulator import WindowStats

_LIMIT, _SECONDS, _TASKS = 6000, 10, 50
_FOREIGN = 0.4
_SKEW = 0.8
SYMBOLS = ("BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT", "XRPUSDT")


def run(options: Any) -> list[Figure]:
    windows: int = options.windows
    alone = {
        "clocks agree": 0.0,
        f"server {_SKEW} s ahead": _SKEW,
        f"server {_SKEW} s behind": -_SKEW,
    }
    figures: list[Figure] = []
    for name, skew in alone.items():
        figures += _alone(name, skew, windows)
    return [*figures, *_with_others(windows)]


def _alone(name: str, skew: float, windows: int) -> list[Figure]:
    found, _ = _hammered(skew, 0.0, windows)
    whole = _whole(found)
    shares = [window.used / window.limit for window in whole]
    note = f"{_TASKS} tasks, margin 0, {_LIMIT} weight per {_SECONDS} s, {len(whole)} whole windows"
    over = sum(max(0, window.peak - window.limit) for window in found)
    refused = sum(window.over_limit + window.banned for window in found)
    return [
        Figure("budget", f"{name}: weight over the limit", over, target=Target("=", 0), note=note),
        Figure("budget", f"{name}: requests answered with 429 or 418", refused, target=Target("=", 0), note=note),
        Figure("budget", f"{name}: used, mean", sum(shares) / len(shares), "%", target=Target("≥", 0.97), note=note),
        Figure("budget", f"{name}: used, worst window", min(shares), "%", note=note),
    ]


def _with_others(windows: int) -> list[Figure]:
    # The first windows are for learning how much the others take.
    found, early = _hammered(0.0, _FOREIGN, windows + 2)
    whole = _whole(found)
    shares = [(window.used + window.foreign) / window.limit for window in whole]
    learnt = shares[2:] or shares
    note = f"others ask for {_FOREIGN:.0%} of the limit, evenly; {len(whole)} whole windows, all of them counted"
    refused = sum(window.over_limit for window in found)
    return [
        Figure("budget", "others: bans (418)", sum(w.banned for w in found), target=Target("=", 0), note=note),
        Figure(
            "budget",
            "others: sent while the gate was closed (server's view)",
            sum(w.while_closed for w in found),
            target=Target("=", 0),
            note="requests already under way get 250 ms",
        ),
        Figure("budget", "others: sent while the gate was closed (client's view)", early, target=Target("=", 0)),
        Figure(
            "budget", "others: used together, mean", sum(shares) / len(shares), "%", target=Target("≥", 0.9), note=note
        ),
        Figure("budget", "others: used together, after two windows", sum(learnt) / len(learnt), "%"),
        Figure("budget", "others: requests answered with 429", refused, note="it is others who take our room"),
        Figure("budget", "others: their requests refused", sum(w.foreign_refused for w in found)),
    ]


def _whole(found: list[WindowStats]) -> list[WindowStats]:
    """The first window is entered in its middle and the last one is left there."""
    return found[1:-1]


def _hammered(skew: float, foreign: float, windows: int) -> tuple[list[WindowStats], int]:
    with Judge(
        skew=skew,
        weight_limits={"spot": _LIMIT},
        weight_window_seconds=_SECONDS,
        history_days=3,
        symbols=list(SYMBOLS),
    ) as judge:
        if foreign:
            judge.foreign_traffic("spot", foreign * _LIMIT / _SECONDS, weight=10)
        early = asyncio.run(_hammer(judge, windows))
        return judge.windows("spot"), early


async def _hammer(judge: Judge, windows: int) -> int:
    """Keep fifty tasks busy for so many whole windows; how many requests left while the gate was closed."""
    from binance_sdk import BinanceClient
    from binance_sdk.errors import RateLimitError
    from binance_sdk.events import Event, GateClosed, RequestSent

    closed_until = 0.0
    early = 0

    def watch(event: Event) -> None:
        nonlocal closed_until, early
        if isinstance(event, GateClosed):
            closed_until = max(closed_until, monotonic() + event.seconds)
        elif isinstance(event, RequestSent) and monotonic() < closed_until - 0.005:
            early += 1

    async with BinanceClient(
        spot_base_url=judge.base_url("spot"), futures_base_url=judge.base_url("futures"), safety_margin=0, hooks=[watch]
    ) as client:
        await client.spot.exchange_info(symbol="BTCUSDT")
        length = _SECONDS * 1000
        into = judge.now_ms() % length
        end = asyncio.get_running_loop().time() + (length - into) / 1000 + windows * _SECONDS + 0.5

        async def worker(number: int) -> None:
            calls = call_mix(client, number)
            step = number
            while True:
                # Retried as often as allowed; whoever hammers asks again.
                with contextlib.suppress(RateLimitError):
                    await calls[step % len(calls)]()
                step += 1

        tasks = [asyncio.create_task(worker(number)) for number in range(_TASKS)]
        finished, _ = await asyncio.wait(
            tasks, timeout=end - asyncio.get_running_loop().time(), return_when="FIRST_EXCEPTION"
        )
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for task in finished:
            task.result()
    return early


def call_mix(client: Any, number: int) -> list[Callable[[], Awaitable[object]]]:
    """Calls that weigh from 1 to 50, of one symbol."""
    spot, symbol = client.spot, SYMBOLS[number % len(SYMBOLS)]
    return [
        lambda: spot.depth(symbol, limit=1000),
        lambda: spot.klines(symbol, "1h", limit=100),
        lambda: spot.trades(symbol, limit=100),
        lambda: spot.ping(),
        lambda: spot.depth(symbol, limit=500),
        lambda: spot.ticker_24hr(symbol),
        lambda: spot.agg_trades(symbol, limit=100),
        lambda: spot.exchange_info(symbol=symbol),
        lambda: spot.depth(symbol, limit=100),
        lambda: spot.ticker_price(symbol),
        lambda: spot.depth(symbol, limit=1000),
    ]
