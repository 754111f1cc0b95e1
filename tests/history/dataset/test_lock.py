"""One run at a time: the second is told who is there, and the dead are in nobody's way."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from binance_sdk.errors import DatasetError
from binance_sdk.history import Dataset
from binance_sdk.history.dataset import lock as module
from binance_sdk.history.dataset.lock import SILENCE, DatasetLock
from tests.history.dataset.in_memory import InMemory
from tests.history.dataset.made import ARCHIVE

HOLD = """
import sys
from binance_sdk.history.dataset.lock import DatasetLock
from binance_sdk.history.dataset.storage import storage_at
with DatasetLock(storage_at(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def claims(storage: InMemory) -> list[dict[str, Any]]:
    return [json.loads(data) for path, data in storage.there.items() if path.startswith("_manifest/claims/")]


def test_a_second_run_is_told_who_is_there(tmp_path: Path) -> None:
    dataset = Dataset.create(tmp_path, archive=ARCHIVE)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        told = rf"{re.escape(str(tmp_path))} is in use by process {other.pid} on .+ since 2\d{{3}}-.* UTC; wait for it"
        with pytest.raises(DatasetError, match=told) as error, dataset.lock():
            pytest.fail("two at once")
        assert error.value.path == str(tmp_path)
        os.kill(other.pid, signal.SIGKILL)
        # Even before anybody has asked how it ended.
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
        with dataset.lock() as held:
            held.ensure_held()
        other.wait()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["dataset.json"]


def test_the_right_is_held_within_a_process_too_and_given_back() -> None:
    storage = InMemory()
    before = set(threading.enumerate())
    with DatasetLock(storage):
        with pytest.raises(DatasetError, match=f"in use by process {os.getpid()}"), DatasetLock(storage, sleep=print):
            pytest.fail("two at once")
        assert len(claims(storage)) == 1
    with pytest.raises(ZeroDivisionError), DatasetLock(storage):
        raise ZeroDivisionError
    assert storage.there == {}
    assert set(threading.enumerate()) == before


def test_of_two_at_once_the_one_waits_for_the_other_to_withdraw() -> None:
    """Both see the other's claim; who looks again finds it gone."""
    storage, now = InMemory(), 1000.0
    mine = DatasetLock(storage, clock=lambda: now)
    with mine:
        ((path, data),) = storage.there.items()
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            storage.delete(path)

    storage.there[path] = data
    with DatasetLock(storage, clock=lambda: now, sleep=sleep):
        assert len(slept) == 2
        assert len(claims(storage)) == 1
    # One that has been there for longer does not withdraw.
    storage.there[path] = data
    now += 10
    with pytest.raises(DatasetError), DatasetLock(storage, clock=lambda: now, sleep=sleep):
        pytest.fail("two at once")
    assert len(slept) == 2


@pytest.mark.parametrize(
    ("changes", "alive"),
    [
        ({}, True),
        # The same number, but another process.
        ({"started": "1"}, False),
        ({"pid": 2**22 + 1}, False),
        # Of another machine, or of this one before it was started anew, nothing is known but when it was heard of.
        ({"machine": "another", "pid": 1}, True),
        ({"machine": "another", "alive_at": 1000.0 - SILENCE + 1}, True),
        ({"machine": "another", "alive_at": 1000.0 - SILENCE}, False),
    ],
)
def test_who_is_alive(changes: dict[str, Any], alive: bool) -> None:
    storage = InMemory()
    with DatasetLock(storage, clock=lambda: 1000.0):
        ((path, data),) = storage.there.items()
    storage.there[path] = json.dumps({**json.loads(data), "since": 900.0, **changes}).encode()
    lock = DatasetLock(storage, clock=lambda: 1000.0)
    if alive:
        with pytest.raises(DatasetError, match="is in use by process"), lock:
            pytest.fail("two at once")
        assert list(storage.there) == [path]
    else:
        with lock:
            assert list(storage.there) == [lock.path]


def test_a_claim_says_again_and_again_that_it_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT", 0.001)
    said = threading.Event()

    class Heard(InMemory):
        def put(self, path: str, data: bytes) -> None:
            super().put(path, data)
            if json.loads(data)["alive_at"] > json.loads(data)["since"]:
                said.set()

    storage = Heard()
    with DatasetLock(storage):
        assert said.wait(10)
    assert storage.there == {}


def test_one_that_was_taken_for_dead_learns_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT", 0.001)
    missed = threading.Event()

    class Watched(InMemory):
        def read(self, path: str) -> bytes | None:
            found = super().read(path)
            if found is None:
                missed.set()
            return found

    storage = Watched()
    lock = DatasetLock(storage)
    lock.__enter__()
    storage.delete(lock.path)
    assert missed.wait(10)
    with pytest.raises(DatasetError, match="another run has taken this dataset over"):
        lock.__exit__(None, None, None)
    with pytest.raises(DatasetError, match="another run"):
        lock.ensure_held()
    assert storage.there == {}


def test_what_is_no_claim_is_told() -> None:
    storage = InMemory()
    storage.there["_manifest/claims/a.json"] = b"{"
    with pytest.raises(DatasetError, match=r"memory/_manifest/claims/a\.json is no claim of a run; remove it"):
        DatasetLock(storage).__enter__()
    assert list(storage.there) == ["_manifest/claims/a.json"]
