"""``run``: everything that a plan wants, fetched and kept, in this process or by the workers of an executor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import aclosing
from dataclasses import replace
from os import PathLike, fspath
from typing import cast

from binance_sdk._runtime.clock import AsyncClock
from binance_sdk.errors import HistoryError, ParameterError, shown
from binance_sdk.history.dataset.dataset import Dataset
from binance_sdk.history.piece import Piece, Prices
from binance_sdk.history.planning.blocking import run_blocking
from binance_sdk.history.planning.inventory import has_dataset
from binance_sdk.history.planning.plan import HistoryPlan
from binance_sdk.history.planning.settings import FetchSettings, settings_of
from binance_sdk.history.running.absences import note_absences, settle_gone
from binance_sdk.history.running.outcome import Outcome, Progress, ProgressHook, RunReport
from binance_sdk.history.running.sharing import settings_for_workers, workers_of
from binance_sdk.history.running.worker import AT_ONCE, Job, fetch_pieces, work

_JOBS_A_WORKER = 4
"""So that workers end at about the same time; each job opens a client and a session."""
_LARGEST_JOB = 32
_WORKERS = 8
"""How many are assumed of an executor that does not tell."""
_AT_ONCE_A_WORKER = 4


def run(
    plan: HistoryPlan,
    out: str | PathLike[str],
    *,
    executor: Executor | None = None,
    progress: ProgressHook | None = None,
    prices: Prices | None = None,
    settings: FetchSettings | None = None,
) -> RunReport:
    """Fetch everything that a plan wants, and keep it in a dataset.

    Each piece is written as soon as it is there. Whatever ends a run (a kill, a full disk, Ctrl-C), the next one goes
    on: nothing is fetched twice but the pieces at hand. Where the archive turns out not to have a file, smaller files
    or REST take its place, as far as the source of the plan allows.

    Args:
        plan: What to fetch.
        out: The dataset: a folder or the URL of an object store; made where there is none.
        executor: Whose workers fetch, any of ``concurrent.futures``, such as a ``ProcessPoolExecutor`` or what a Dask
            client's ``get_executor()`` gives; by default this process does. Workers write to ``out`` themselves, so all
            of them must reach it. Give those behind one IP address one budget, ``limits_url`` in ``settings``;
            otherwise each worker of a process pool has its part of the limit, and of others it is an error.
        progress: Called after each piece.
        prices: ``decimal`` (the default for a new dataset) for exact columns, ``float`` for floats.
        settings: How sources are reached; by default as a client is without arguments.

    Raises:
        RunError: some pieces could not be fetched; all others are written. Its ``failures`` tell which, and why.
        DatasetError: another run is on this dataset, it cannot be written, or its prices are others.
        ConfigError: a setting is wrong.
        HistoryError: a worker of the executor died, and the executor with it.
    """
    return run_blocking(run_async(plan, out, executor=executor, progress=progress, prices=prices, settings=settings))


async def run_async(
    plan: HistoryPlan,
    out: str | PathLike[str],
    *,
    executor: Executor | None = None,
    progress: ProgressHook | None = None,
    prices: Prices | None = None,
    settings: FetchSettings | None = None,
) -> RunReport:
    """``run`` for asyncio."""
    if not isinstance(cast("object", plan), HistoryPlan):
        raise ParameterError(f"history.run: plan={shown(plan)} must be what history.plan() gave", parameter="plan")
    settings = settings_of(settings)
    check_progress(progress)
    dataset = open_or_create(out, prices)
    with dataset.lock():
        dataset.sweep()
        note_absences(dataset, plan.unreachable)
        report = RunReport(unreachable=list(plan.unreachable))
        await run_pieces(
            plan.pieces,
            Job(fspath(out), (), plan.source, settings),
            report,
            executor=executor,
            progress=progress,
        )
        dataset.settle(report.fetched)
        settle_gone(dataset, report)
    report.raise_for_failures(dataset.url)
    return report


def open_or_create(out: str | PathLike[str], prices: Prices | None) -> Dataset:
    """The dataset, with prices as it has them where nothing else is wanted."""
    if prices is not None:
        return Dataset.create(out, prices=prices, exist_ok=True)
    if has_dataset(out):
        return Dataset.open(out)
    return Dataset.create(out)


def check_progress(progress: object) -> None:
    """Refuse what cannot be called.

    Raises:
        ParameterError: it cannot.
    """
    if progress is not None and not callable(progress):
        text = f"progress={shown(progress)} must be a function that takes a Progress, or None"
        raise ParameterError(text, parameter="progress", value=progress)


async def run_pieces(
    pieces: Sequence[Piece],
    job: Job,
    report: RunReport,
    *,
    executor: Executor | None = None,
    progress: ProgressHook | None = None,
) -> None:
    """Fetch pieces and keep account; the lock on the dataset is held by whoever calls.

    Args:
        pieces: What to fetch.
        job: How; its own pieces are not looked at.
        report: Where to take note.
        executor: Whose workers fetch.
        progress: Called after each piece.
    """
    clock = AsyncClock()
    begun, total = clock.monotonic(), len(pieces)

    def take(outcome: Outcome) -> None:
        nonlocal total
        report.add(outcome)
        total += len(outcome.instead)
        report.seconds = clock.monotonic() - begun
        if progress is not None:
            progress(_progress(report, total, outcome.piece))

    if not pieces:
        return
    if executor is None:
        await fetch_pieces(_with(job, pieces, AT_ONCE), take)
        return
    async with aclosing(_by_workers(executor, pieces, job)) as outcomes:
        async for outcome in outcomes:
            take(outcome)


def _progress(report: RunReport, total: int, piece: Piece) -> Progress:
    worked = report.done - len(report.kept)
    left = report.seconds / worked * (total - report.done) if worked else None
    figures = (report.rows, report.requests, report.weight, report.bytes)
    return Progress(report.done, total, *figures, report.seconds, left, piece)


def _with(job: Job, pieces: Sequence[Piece], at_once: int) -> Job:
    return replace(job, pieces=tuple(pieces), at_once=at_once)


async def _by_workers(executor: Executor, pieces: Sequence[Piece], job: Job) -> AsyncGenerator[Outcome, None]:
    """What workers tell, a job at a time."""
    job = replace(job, settings=settings_for_workers(executor, job.source, job.settings))
    size = max(1, min(_LARGEST_JOB, len(pieces) // ((workers_of(executor) or _WORKERS) * _JOBS_A_WORKER)))
    running: dict[asyncio.Future[list[Outcome]], Future[list[Outcome]]] = {}
    try:
        for first in range(0, len(pieces), size):
            submitted = executor.submit(work, _with(job, pieces[first : first + size], _AT_ONCE_A_WORKER))
            running[asyncio.wrap_future(submitted)] = submitted
        while running:
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for future in done:
                del running[future]
                for outcome in future.result():
                    yield outcome
    except BrokenExecutor as error:
        text = f"a worker of the executor died ({error}); what it had written stays: make a new executor, and run again"
        raise HistoryError(text) from error
    finally:
        # Those that have begun end by themselves; what they write stays.
        for future, submitted in running.items():
            submitted.cancel()
            future.cancel()
        await asyncio.gather(*running, return_exceptions=True)
