"""Millions of minute bars over REST into a dataset: how much of the limit is used, what memory it takes, and the proof.

Limit and windows are those of ``backfilling``: the true limit in windows of forty seconds instead of sixty.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any

from benchmarks._figures import Figure, Target
from benchmarks._judge import Judge
from benchmarks._memory import resident
from binance_sdk import SyncBinanceClient
from binance_sdk.simulator.market.symbols import DEFAULT_SYMBOLS

if TYPE_CHECKING:
    from binance_sdk.history import Progress, RunReport

_LIMIT, _SECONDS = 2400, 40
_DAY = 86_400_000
_MINUTES_A_DAY = 1440
_SYMBOLS = [instrument.symbol for instrument in DEFAULT_SYMBOLS if instrument.market == "futures" and instrument.traded]


@dataclass
class _Memory:
    """MiB of this process as a run goes on."""

    wanted: int
    early: float = 0.0
    late: float = 0.0
    rows: list[int] = field(default_factory=list[int])

    def look(self, progress: Progress) -> None:
        """After a tenth of the rows, and at the end."""
        if self.early == 0.0 and progress.rows >= self.wanted / 10:
            self.early = resident()
        if progress.done == progress.pieces:
            self.late = resident()


def figures_of_rest(rows: int) -> list[Figure]:
    """The figures of at least so many rows."""
    days = -(-rows // (len(_SYMBOLS) * _MINUTES_A_DAY))
    wanted = days * len(_SYMBOLS) * _MINUTES_A_DAY
    memory = _Memory(wanted)
    with (
        TemporaryDirectory() as folder,
        Judge(weight_limits={"futures": _LIMIT}, weight_window_seconds=_SECONDS, history_days=days + 2) as judge,
    ):
        started, planned, report = _fetch(judge, days, folder, memory)
        found = judge.windows("futures")
        checked, problems = _check(folder, wanted)
    windows = [window for window in found if window.start >= started]
    full = windows[:-1]
    # A short run has no window but the last.
    used = [sum(window.used / window.limit for window in full) / len(full)] if full else []
    refused = sum(window.over_limit + window.banned for window in found)
    note = f"{len(_SYMBOLS)} symbols × {days} days of futures 1m bars, margin 0, {_LIMIT} weight per {_SECONDS} s"
    least = -(-report.weight // _LIMIT)
    return [
        Figure("history", "rows over REST", report.rows, target=Target("=", wanted), note=note),
        *(
            Figure("history", "used of each window but the last, mean", share, "%", target=Target("≥", 0.98), note=note)
            for share in used
        ),
        Figure("history", "windows needed", len(windows), floor=least, ratio=len(windows) / least, note="floor: bound"),
        Figure(
            "history", "weight against that of the plan", report.weight, floor=planned, ratio=report.weight / planned
        ),
        Figure("history", "requests answered with 429 or 418, history", refused, target=Target("=", 0)),
        Figure(
            "history",
            "memory at the end, against after a tenth, history",
            memory.late,
            "MiB",
            memory.early,
            memory.late / memory.early,
            Target("≤", 1.1, "ratio"),
        ),
        Figure("history", "what history check finds wrong", problems, target=Target("=", 0)),
        Figure("history", f"history check of {wanted:,} rows", checked, "s"),
    ]


def _fetch(judge: Judge, days: int, folder: str, memory: _Memory) -> tuple[int, float, RunReport]:
    """When it began, the weight that was planned, and what came."""
    from binance_sdk import history

    at_judge: dict[str, Any] = {
        "spot_base_url": judge.base_url("spot"),
        "futures_base_url": judge.base_url("futures"),
        "safety_margin": 0,
    }
    settings = history.FetchSettings(client=at_judge)
    end = int(datetime.now(UTC).timestamp() * 1000) // _DAY * _DAY
    plan = history.plan(
        _SYMBOLS,
        market="futures",
        interval="1m",
        since=end - days * _DAY,
        until=end,
        source="rest",
        listing=False,
        settings=settings,
    )
    with SyncBinanceClient(**at_judge) as client:
        # The budget of this process learns from it how long the windows are here.
        client.futures.exchange_info()
        sleep(_SECONDS - judge.now_ms() / 1000 % _SECONDS + 0.05)
        started = judge.now_ms() // (_SECONDS * 1000) * _SECONDS * 1000
        report = history.run(plan, folder, prices="float", progress=memory.look, settings=settings)
    return started, plan.weight.value, report


def _check(folder: str, wanted: int) -> tuple[float, int]:
    """Seconds it took, and how many things are wrong."""
    from binance_sdk import history

    begun = monotonic()
    report = history.check(folder)
    taken = monotonic() - begun
    if report.rows != wanted:
        raise RuntimeError(f"{report.rows} rows were checked, and {wanted} were fetched")
    defects = [*report.defects, *(defect for found in report.series for defect in found.defects)]
    return taken, len(defects) + sum(found.hole_count for found in report.series)
