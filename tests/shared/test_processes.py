"""Real processes on a real store, one of which is killed while it holds what it was granted."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from binance_sdk.simulator import Simulator

from .servers import running, valkey

ROOT = Path(__file__).parents[2]
_LIMIT, _SECONDS = 1500, 2


def _started(settings: dict[str, object]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks._sharing_process", json.dumps(settings)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def test_three_processes_and_one_of_them_killed_stay_within_one_budget() -> None:
    with (
        running(valkey()) as server,
        Simulator(weight_limits={"spot": _LIMIT}, weight_window_seconds=_SECONDS, history_days=3) as exchange,
    ):
        url = exchange.base_url("spot")
        plain = {"url": url, "limits_url": server.url, "tasks": 10, "seconds": 4 * _SECONDS}
        processes = [_started({**plain, "number": number, "skew": 3.0 * number}) for number in range(3)]
        try:
            for process in processes:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n"
            for process in processes:
                assert process.stdin is not None
                process.stdin.write("go\n")
                process.stdin.flush()
            time.sleep(1.5 * _SECONDS)
            processes[0].kill()
            reports = [json.loads(process.communicate(timeout=60)[0]) for process in processes[1:]]
        finally:
            for process in processes:
                process.kill()
                process.communicate()
        windows = exchange.windows("spot")
    assert all(report["calls"] > 10 and not report["errors"] for report in reports)
    assert [(window.over_limit, window.banned) for window in windows] == [(0, 0)] * len(windows)
    assert max(window.peak for window in windows) <= _LIMIT
