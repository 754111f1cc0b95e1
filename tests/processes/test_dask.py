"""A run on a real cluster of Dask, one worker of which is killed on the way, with one budget in a real Valkey."""

from __future__ import annotations

import importlib
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from binance_sdk import SyncBinanceClient, history
from binance_sdk.history import FetchSettings, Progress
from binance_sdk.simulator import Simulator
from tests.history.running.scenes import files_of
from tests.shared.servers import running, valkey

_LIMIT, _SECONDS = 40, 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_cluster_makes_the_files_that_one_process_makes(tmp_path: Path) -> None:
    distributed: Any = importlib.import_module("distributed")

    with (
        running(valkey()) as store,
        Simulator(weight_limits={"spot": _LIMIT}, weight_window_seconds=_SECONDS, history_days=70) as exchange,
    ):
        client_settings: Any = {
            "spot_base_url": exchange.base_url("spot"),
            "limits_url": store.url,
            "safety_margin": 0.0,
        }
        settings = FetchSettings(client={**client_settings, "max_retries": 0})
        with SyncBinanceClient(**client_settings) as sync:
            # Its limits are not Binance's: the first answer tells them to all who share the budget.
            listed = [symbol.symbol for symbol in sync.spot.exchange_info().symbols][:5]
        plan = history.plan(
            listed, interval="15m", since=round(time.time() * 1000) - 65 * 86_400_000, source="rest", listing=False
        )
        with (
            distributed.LocalCluster(
                n_workers=4, threads_per_worker=1, dashboard_address=None, silence_logs=50
            ) as cluster,
            distributed.Client(cluster) as client,
        ):
            victims = [next(iter(client.run(os.getpid).values()))]

            def kill_one(progress: Progress) -> None:
                if progress.done >= 4 and victims:
                    os.kill(victims.pop(), signal.SIGKILL)

            executor = client.get_executor()
            report = history.run(plan, tmp_path / "cluster", executor=executor, progress=kill_one, settings=settings)
            assert not victims
        windows = exchange.windows("spot")
        history.run(plan, tmp_path / "alone", settings=settings)
    # 65 days touch three months at least, whatever day it is.
    assert len(report.fetched) + len(report.kept) == len(plan.pieces) >= 15
    assert [(window.over_limit, window.banned) for window in windows] == [(0, 0)] * len(windows)
    assert max(window.used for window in windows) <= _LIMIT
    assert len(windows) > 2
    assert files_of(tmp_path / "cluster") == files_of(tmp_path / "alone")
