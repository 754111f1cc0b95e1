"""Ten thousand clients behind twenty IP addresses spend from one Valkey, a key for each address; and what it carries.

Each client is one consumer: the queue, windows and messages of the package, and the script in a real server. Only HTTP
is left out, and a few processes play them all; the exchange is another server, which counts by a clock of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from statistics import mean
from typing import Any

import redis

from benchmarks._environments import ROOT
from benchmarks._figures import Figure, Target
from binance_sdk._runtime.budget.shared.script import Script, pool_key
from tests.shared.servers import Server, running, valkey

_CLIENTS, _IPS, _PROCESSES = 10_000, 20, 2
_LIMIT, _SECONDS = 6000, 20
_SKEW = 0.3
"""Seconds by which the exchange's clock is ahead."""
_SATURATED, _BATCH = 3.0, 100
"""Seconds for which as much is asked as the server answers, and messages under way at a time."""


def run(options: Any) -> list[Figure]:
    windows = max(3, options.windows)
    return [*_simulated(windows), *_saturated()]


def _simulated(windows: int) -> list[Figure]:
    ips = [f"egress-{number}" for number in range(_IPS)]
    with running(valkey()) as store, running(valkey()) as judge, _processes(store, judge, ips, windows) as processes:
        _wait_for_turn(judge)
        begun, first = _cpu_seconds(store), _window(judge)
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        reports: list[dict[str, Any]] = [json.loads(process.communicate()[0]) for process in processes]
        cpu = _cpu_seconds(store) - begun
        # The first is the store's first, in which it gives out little; the last is left in its middle.
        counted = [[_count(judge, ip, first + 1 + number) for number in range(windows)] for ip in ips]
        every = [_count(judge, ip, first + number) for ip in ips for number in range(windows + 2)]
        with redis.Redis(port=store.port) as looking:
            size = max(int(looking.memory_usage(pool_key(ip, "spot")) or 0) for ip in ips)
    shares = [used / _LIMIT for row in counted for used in row]
    calls, messages = (sum(report[name] for report in reports) for name in ("calls", "messages"))
    spent = [amount for report in reports for amount in report["spent"]]
    took = (windows + 1) * _SECONDS
    note = (
        f"{_CLIENTS} clients, {_IPS} keys of {_CLIENTS // _IPS}, {_LIMIT} weight per {_SECONDS} s each, margin 0, "
        f"the exchange's clock {_SKEW} s ahead, {windows} windows"
    )
    over = sum(max(0, used - _LIMIT) for used in every)
    return [
        Figure("scale", "weight over the limit, all keys and windows", over, target=Target("=", 0), note=note),
        Figure("scale", "calls over a limit", sum(r["refused"] for r in reports), target=Target("=", 0)),
        Figure("scale", "used, mean of keys and windows", mean(shares), "%"),
        Figure("scale", "used, worst key and window", min(shares), "%"),
        Figure("scale", "clients that got nothing", sum(amount == 0 for amount in spent)),
        Figure("scale", "calls a second", calls / took),
        Figure("scale", "messages to the store a second", messages / took),
        Figure("scale", "messages to the store by calls", messages / calls),
        Figure("scale", "CPU of the store, of one core", cpu / took, "%"),
        Figure("scale", f"memory of a key with {_CLIENTS // _IPS} clients", size / 1024, "KiB"),
    ]


def _saturated() -> list[Figure]:
    """Messages that ask for one call and tell the end of the one before, as fast as the server answers them."""
    with running(valkey()) as server, redis.Redis(port=server.port) as client:
        table = {"weight": ["fixed", [[60, 10**9]]], "raw_requests": ["sliding", [[300, 10**9]]]}
        plain: dict[str, Any] = {
            "share": 1,
            "settled": 0,
            "endings": [],
            "held": {},
            "wants": [],
            "version": "",
            "table": table,
        }
        scripts = [Script(pool_key(f"egress-{number}", "spot")) for number in range(_BATCH)]
        texts: list[str] = []
        wants = [[["weight/60", 1, 1.0], ["raw_requests/300", 1, 1.0]]]
        for script in scripts:
            first = json.dumps({**plain, "id": "a", "seq": 1})
            found: Any = client.eval(script.text, 1, script.key, first, "loaded")
            told = {**plain, "id": "a", "wants": wants, "version": json.loads(found)["version"], "seq": "<seq>"}
            del told["table"]
            texts.append(json.dumps(told).replace('"<seq>"', "%d"))
        bare = client.script_load("return redis.call('GET', KEYS[1])")
        found = {}
        for name in ("bare", "ours"):
            seq, begun, cpu, done = 1, time.monotonic(), _cpu_seconds(server), 0
            while time.monotonic() < begun + _SATURATED:
                seq += 1
                with client.pipeline(transaction=False) as pipe:
                    for script, text in zip(scripts, texts, strict=True):
                        if name == "ours":
                            pipe.evalsha(script.sha, 1, script.key, text % seq)
                        else:
                            pipe.evalsha(bare, 1, script.key + "x", text % seq)
                    pipe.execute()
                done += _BATCH
            found[name] = done / (time.monotonic() - begun), (_cpu_seconds(server) - cpu) / done * 1e6
    (_, floor), (rate, cost) = found["bare"], found["ours"]
    note = f"{_BATCH} keys, {_BATCH} messages under way at a time, each with one call that ends and one that begins"
    return [
        Figure("scale", "messages a second that one server answered", rate, note=note),
        Figure("scale", "CPU of the server for a message / for a bare EVALSHA", cost, "µs CPU", floor, cost / floor),
        Figure("scale", "messages a second that one core carries, by its CPU", 1e6 / cost),
    ]


@contextmanager
def _processes(store: Server, judge: Server, ips: list[str], windows: int) -> Generator[list[subprocess.Popen[str]]]:
    settings = {
        "store": store.port,
        "judge": judge.port,
        "ips": ips,
        "clients": _CLIENTS // _PROCESSES,
        "limit": _LIMIT,
        "seconds": _SECONDS,
        "skew": _SKEW,
        "run_for": (windows + 1) * _SECONDS + 1,
    }
    command = [sys.executable, "-m", "benchmarks._scale_clients", json.dumps(settings)]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for _ in range(_PROCESSES)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                raise RuntimeError("the clients have ended; their error is above")
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _now(judge: Server) -> float:
    """The exchange's time."""
    with redis.Redis(port=judge.port) as client:
        seconds, micros = client.time()
    return float(seconds) + float(micros) / 1e6 + _SKEW


def _window(judge: Server) -> int:
    return int(_now(judge) // _SECONDS)


def _wait_for_turn(judge: Server) -> None:
    """Until just after a window has begun."""
    time.sleep(_SECONDS - _now(judge) % _SECONDS + 0.1)


def _count(judge: Server, ip: str, window: int) -> int:
    with redis.Redis(port=judge.port) as client:
        return int(client.get(f"{ip}/{window}") or 0)


def _cpu_seconds(server: Server) -> float:
    """CPU time that a server has used so far."""
    assert server.process is not None
    tasks = Path(f"/proc/{server.process.pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
