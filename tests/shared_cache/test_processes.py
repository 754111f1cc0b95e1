"""Real processes on a real store: one request for all, also where the one that makes it is killed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from binance_sdk.simulator import Simulator
from tests.shared.servers import Server

from .conftest import requests

ROOT = Path(__file__).parents[2]


def _told_by(story: str, exchange: Simulator, store: Server) -> Any:
    # Forks are what this is about, whatever other threads there are.
    quiet = ("-W", "ignore:This process:DeprecationWarning")
    command = [
        sys.executable,
        *quiet,
        "-m",
        "tests.shared_cache.processes",
        story,
        exchange.base_url("spot"),
        store.url,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr[-4000:]
    return json.loads(done.stdout)


def test_ten_processes_that_start_at_once_ask_once(exchange: Simulator, store: Server) -> None:
    exchange.add_fault("latency:seconds=0.5")
    reports = _told_by("many", exchange, store)
    assert requests(exchange) == 1
    assert sorted((report["misses"], report["hits"]) for report in reports) == [*[(0, 1)] * 9, (1, 0)]
    assert any(report["waited"] for report in reports)
    assert len({report["symbols"] for report in reports}) == 1
    # All have learned the limits from the one answer, and only one has paid for it.
    assert {report["window"] for report in reports} == {86_400}
    assert sorted(report["used"] for report in reports) == [*[0] * 9, 20]


def test_when_the_one_that_asks_is_killed_another_takes_over_in_time(exchange: Simulator, store: Server) -> None:
    exchange.add_fault("latency:seconds=60,count=1")
    report = _told_by("killed", exchange, store)
    assert (report["misses"], report["hits"], report["symbols"] > 0) == (1, 0, True)
    # Rights lapse after half a second there; the machine may be busy.
    assert report["seconds"] < 5
    # The first one was still on its way.
    assert requests(exchange) == 1


def test_the_child_of_a_fork_shares_answers_and_none_of_the_parents_rights(exchange: Simulator, store: Server) -> None:
    seen = _told_by("forked", exchange, store)
    # The child has neither the memory nor the counts of the parent.
    assert seen == {"child": [1, 0], "locks": 1, "parent": [0, 2], "symbol": True, "hits": 1}
    assert requests(exchange) == 2
