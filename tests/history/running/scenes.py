"""What the tests of runs share: a plan of some weeks, and what a dataset has to hold afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from binance_sdk._runtime.clock import AsyncClock
from binance_sdk.catalogue import ARCHIVE
from binance_sdk.history import HistoryPlan
from binance_sdk.history.planning.arguments import SourceChoice, choose_series
from binance_sdk.history.planning.inventory import pieces_kept
from binance_sdk.history.planning.plan import Wanted, make_plan
from tests.history.archive_server import HOUR, bar, ms

SINCE, NOW = ms("2026-09-01"), ms("2026-11-10") + 14 * HOUR
"""Two whole months, nine days and fourteen hours."""
BARS = (NOW - SINCE) // HOUR


def make(
    now: int = NOW, symbols: Any = "BTCUSDT", *, out: Path | None = None, source: SourceChoice = "auto"
) -> HistoryPlan:
    """A plan as it would be made at that moment."""
    kind, series = choose_series(ARCHIVE, symbols, "futures", "klines", "1h")
    kept = [] if out is None else pieces_kept(out, series)
    return make_plan(Wanted(kind, series, (SINCE, now), source, now), None, kept)


def rows(out: Path, symbol: str = "BTCUSDT") -> pl.DataFrame:
    """All rows of a symbol in a dataset, each of which is in one file only."""
    files = sorted(out.rglob(f"symbol={symbol}/**/*.parquet"))
    return pl.concat([pl.read_parquet(file, hive_partitioning=False) for file in files]).sort("open_time")


def require_whole(out: Path, symbol: str = "BTCUSDT", until: int = NOW) -> None:
    """No bar is missing, doubled or another one."""
    frame = rows(out, symbol)
    times = frame["open_time"].dt.timestamp("ms").to_list()
    assert times == list(range(SINCE, until, HOUR))
    assert [f"{close:.1f}" for close in frame["close"].to_list()] == [str(bar(symbol, at)[4]) for at in times]


def files_of(out: Path) -> dict[str, bytes]:
    return {file.relative_to(out).as_posix(): file.read_bytes() for file in sorted(out.rglob("*.parquet"))}


def at(monkeypatch: pytest.MonkeyPatch, now: int) -> None:
    """Let planning and running take this for the present."""
    monkeypatch.setattr(AsyncClock, "time", _at(now))


def _at(now: int) -> Callable[[AsyncClock], float]:
    return lambda clock: now / 1000
