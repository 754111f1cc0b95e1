"""Runs that are killed, and runs whose workers are other processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from binance_sdk import history
from binance_sdk.errors import HistoryError, RunError
from binance_sdk.history import Dataset, FetchSettings, HistoryPlan
from binance_sdk.history.running.worker import AT_ONCE
from tests.history.archive_server import ArchiveServer

from .scenes import NOW, SINCE, files_of, make, require_whole

SYMBOLS = ["BTCUSDT", "ETHUSDT"]
pytestmark = pytest.mark.skipif(
    "forkserver" not in multiprocessing.get_all_start_methods(), reason="there is no fork server on this system"
)


@pytest.fixture
def server() -> Iterator[ArchiveServer]:
    with ArchiveServer(SINCE) as running:
        yield running


def processes() -> Any:
    """Makes processes that have loaded what they need, but never used it."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["polars", "httpx", "binance_sdk.history.running.sync", "tests.history.running.scenes"]
    )
    return context


def run_and_die(plan: HistoryPlan, out: Path, settings: FetchSettings, after: int) -> None:
    """Run, and be killed when so many files have got their last names."""
    left = [after]
    replace = os.replace
    one = threading.Lock()

    def counted(*args: Any, **kwargs: Any) -> None:
        with one:
            left[0] -= 1
            if left[0] == 0:
                # Half of the times before a file is there, half of them after.
                if after % 2:
                    replace(*args, **kwargs)
                os.kill(os.getpid(), signal.SIGKILL)
        replace(*args, **kwargs)

    os.replace = counted  # type: ignore[assignment]
    history.run(plan, out, settings=settings)


def test_a_run_that_is_killed_twenty_times(server: ArchiveServer, tmp_path: Path) -> None:
    """No duplicate, no hole, and nothing is fetched twice but what was at hand; the files are the same in the end."""
    # A run gets five names in place on average, two for a piece: there has to be something left for the last one.
    symbols = [*SYMBOLS, "SOLUSDT", "XRPUSDT", "BNBUSDT"]
    plan, out = make(symbols=symbols), tmp_path / "killed"
    assert len(plan.pieces) > 20 * 5 // 2
    kills = 0
    for number in range(20):
        done = {record.piece for record in Dataset.open(out).records()} if kills else set[Any]()
        before = server.zips()
        child = processes().Process(target=run_and_die, args=(plan, out, server.settings(), 3 + number % 5))
        child.start()
        child.join(30)
        assert child.exitcode == -signal.SIGKILL
        kills += 1
        asked = {name for name, count in server.zips().items() if count > before[name]}
        assert not asked & {zip_of(piece) for piece in done}
    assert sum(server.zips().values()) <= len(plan.pieces) + kills * AT_ONCE
    report = history.run(plan, out, settings=server.settings())
    assert report.kept
    whole = tmp_path / "whole"
    history.run(plan, whole, settings=server.settings())
    assert files_of(out) == files_of(whole)
    for symbol in symbols:
        require_whole(out, symbol)


def zip_of(piece: Any) -> str:
    return f"{piece.series.symbol}-1h-{piece.name.partition('.')[0]}.zip"


def test_workers_of_a_pool_make_the_same_files(server: ArchiveServer, tmp_path: Path) -> None:
    plan = make(symbols=SYMBOLS)
    seen: list[int] = []
    with ProcessPoolExecutor(2, mp_context=processes()) as pool:
        report = history.run(
            plan, tmp_path / "pool", executor=pool, settings=server.settings(), progress=lambda p: seen.append(p.done)
        )
    assert seen == list(range(1, 25))
    assert (len(report.fetched), report.weight > 0) == (24, True)
    history.run(plan, tmp_path / "alone", settings=server.settings())
    assert files_of(tmp_path / "pool") == files_of(tmp_path / "alone")


def test_failures_come_back_from_workers(server: ArchiveServer, tmp_path: Path) -> None:
    server.broken = {"ETHUSDT-1h-2026-11-02.zip"}
    with (
        ProcessPoolExecutor(1, mp_context=processes()) as pool,
        pytest.raises(
            RunError, match=r"1 of 24 pieces could not be fetched \(futures klines ETHUSDT 1h 2026-11-02.daily"
        ),
    ):
        history.run(make(symbols=SYMBOLS), tmp_path, executor=pool, settings=server.settings())


def test_a_worker_that_dies_takes_the_pool_with_it_and_no_data(server: ArchiveServer, tmp_path: Path) -> None:
    plan = make(symbols=SYMBOLS)

    def kill(path: str) -> None:
        # The worker that asks for this file is the only one.
        if path.endswith("ETHUSDT-1h-2026-10.zip"):
            for process in list(pool._processes.values()):
                process.kill()

    server.on_request = kill
    with (
        ProcessPoolExecutor(1, mp_context=processes()) as pool,
        pytest.raises(HistoryError, match=r"a worker of the executor died .* run again"),
    ):
        history.run(plan, tmp_path, executor=pool, settings=server.settings())
    server.on_request = lambda path: None
    history.run(plan, tmp_path, settings=server.settings())
    for symbol in SYMBOLS:
        require_whole(tmp_path, symbol, NOW)
