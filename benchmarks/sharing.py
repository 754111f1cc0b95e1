"""Eight processes spend from one budget in a Valkey, and the exchange counts: nothing over, nothing refused, all used.

Limits and windows as in ``budgeting``. The store is a real server, and is killed in the middle where the name says so.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from statistics import mean, median
from typing import Any

import redis

from benchmarks._environments import ROOT
from benchmarks._figures import Figure, Target
from benchmarks._judge import Judge
from benchmarks.budgeting import SYMBOLS
from binance_sdk.simulator import WindowStats
from tests.shared.servers import Server, running, valkey

_LIMIT, _SECONDS = 6000, 10
_PROCESSES, _TASKS = 8, 50
_SKEW = 0.5
_ROUNDS, _CALLS = 5, 300
_LEAD = 1.5
"""Seconds before the turn of a window at which all begin: the store is empty, and gives out little until then."""
_KILLED_AT, _BACK_AT = 8.5, 1.0
"""Seconds into the second counted window at which the store is killed, and into the third at which it is back."""


def run(options: Any) -> list[Figure]:
    program = valkey()
    windows = max(4, options.windows)
    figures: list[Figure] = []
    for name, skew, lost in (
        ("clocks agree", 0.0, False),
        (f"clocks {_SKEW} s apart", _SKEW, False),
        ("store killed and back empty", 0.0, True),
    ):
        figures += _figures(name, *_hammered(program, skew, windows + lost, lost=lost), lost=lost)
    return [*figures, *_cost(program)]


def _cost(program: str) -> list[Figure]:
    """CPU of one call after the other: with a store, without one, and of the barest script."""
    from binance_sdk import SyncBinanceClient

    with running(program) as server, Judge(weight_limits={"spot": 10**9}, history_days=3, symbols=["BTCUSDT"]) as judge:
        url = judge.base_url("spot")
        with (
            SyncBinanceClient(spot_base_url=url, limits_url=server.url, safety_margin=0) as shared,
            SyncBinanceClient(spot_base_url=url, safety_margin=0) as alone,
            redis.Redis(port=server.port) as bare,
        ):
            shared.spot.exchange_info(symbol="BTCUSDT")
            digest = bare.script_load("return redis.call('GET', KEYS[1])")
            calls: list[Callable[[], object]] = [
                shared.spot.ping,
                alone.spot.ping,
                lambda: bare.evalsha(digest, 1, "nothing"),
            ]
            before = _messages(server)
            with_store, without, floor = (
                median(rounds) for rounds in zip(*(_cpu(calls) for _ in range(_ROUNDS)), strict=True)
            )
            messages = (_messages(server) - before) / (_ROUNDS * _CALLS) - 1
    return [
        Figure(
            "share",
            "CPU that the store adds to a call / a bare EVALSHA over redis-py",
            (with_store - without) * 1e6,
            "µs CPU",
            floor=floor * 1e6,
            ratio=(with_store - without) / floor,
        ),
        Figure("share", "one call after the other: messages to the store by calls", messages),
    ]


def _cpu(calls: list[Callable[[], object]]) -> list[float]:
    found: list[float] = []
    for call in calls:
        begun = time.process_time()
        for _ in range(_CALLS):
            call()
        found.append((time.process_time() - begun) / _CALLS)
    return found


def _figures(
    name: str, found: list[WindowStats], reports: list[dict[str, Any]], commands: int, *, lost: bool
) -> list[Figure]:
    # The first is entered shortly before its end, and the last is left in its middle.
    whole = found[1:-1]
    shares = [window.used / window.limit for window in whole]
    spent = [report["weight"] for report in reports]
    calls = sum(report["calls"] for report in reports)
    least = 0.95 if lost else 0.97
    note = f"{_PROCESSES} processes of {_TASKS} tasks, margin 0, {_LIMIT} weight per {_SECONDS} s, {len(whole)} windows"
    over = sum(max(0, window.peak - window.limit) for window in found)
    refused = sum(window.over_limit + window.banned for window in found)
    figures = [
        Figure("share", f"{name}: weight over the limit", over, target=Target("=", 0), note=note),
        Figure("share", f"{name}: requests answered with 429 or 418", refused, target=Target("=", 0)),
        Figure("share", f"{name}: used, mean", mean(shares), "%", target=Target("≥", least)),
        Figure("share", f"{name}: used, worst window", min(shares), "%"),
        Figure("share", f"{name}: least process by the mean", min(spent) / mean(spent), "%", target=Target("≥", 0.5)),
    ]
    if not lost:
        figures.append(
            Figure("share", f"{name}: messages to the store by calls", commands / calls, target=Target("≤", 1))
        )
    return figures


def _hammered(
    program: str, skew: float, windows: int, *, lost: bool
) -> tuple[list[WindowStats], list[dict[str, Any]], int]:
    with (
        running(program) as server,
        Judge(
            weight_limits={"spot": _LIMIT}, weight_window_seconds=_SECONDS, history_days=3, symbols=list(SYMBOLS)
        ) as judge,
    ):
        settings = [
            {
                "url": judge.base_url("spot"),
                "limits_url": server.url,
                "number": number,
                "tasks": _TASKS,
                "seconds": _LEAD + windows * _SECONDS + 1,
                "skew": skew * (number % 2),
            }
            for number in range(_PROCESSES)
        ]
        processes = [started(each) for each in settings]
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        into = judge.now_ms() / 1000 % _SECONDS
        time.sleep((_SECONDS - _LEAD - into) % _SECONDS)
        begun, first = time.monotonic(), judge.now_ms() // (_SECONDS * 1000) * _SECONDS * 1000
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        if lost:
            _at(begun + _LEAD + _SECONDS + _KILLED_AT, server.kill)
            _at(begun + _LEAD + 2 * _SECONDS + _BACK_AT, server.start)
        reports = [json.loads(process.communicate()[0]) for process in processes]
        return [window for window in judge.windows("spot") if window.start >= first], reports, _messages(server)


def started(settings: Mapping[str, object]) -> subprocess.Popen[str]:
    """One of the processes, which waits for a line before it begins."""
    command = [sys.executable, "-m", "benchmarks._sharing_process", json.dumps(dict(settings))]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def _at(when: float, do: Callable[[], None]) -> None:
    timer = threading.Timer(when - time.monotonic(), do)
    timer.daemon = True
    timer.start()


def _messages(server: Server) -> int:
    """Scripts that the server ran."""
    with redis.Redis(port=server.port) as client:
        found: Any = client.info("commandstats")
    return sum(found.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("eval", "evalsha"))
