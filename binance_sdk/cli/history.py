"""``binance-sdk history``: plans, fetches and brings up to date what is kept of market data."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from typing import TYPE_CHECKING, Any

from binance_sdk.catalogue import ARCHIVE, Market
from binance_sdk.cli.console import make_console
from binance_sdk.cli.exit_codes import CommandError
from binance_sdk.cli.formats import printable
from binance_sdk.cli.history_progress import RunProgress
from binance_sdk.cli.history_tables import (
    failures_as_json,
    plan_as_json,
    print_failures,
    print_plan,
    print_report,
    report_as_json,
)
from binance_sdk.errors import DatasetError, RunError

if TYPE_CHECKING:
    from binance_sdk.history import FetchSettings, HistoryPlan, RunReport, Unreachable

INSTALL = 'pip install "binance-market-sdk[cli,history]"'
_EXTRA = ("polars", "pyarrow", "numpy")


@dataclass(frozen=True, kw_only=True)
class Fetch:
    """What ``history`` is asked for.

    Attributes:
        symbols: Of what.
        market: Their market.
        kind: The kind of data.
        interval: Length of a bar.
        since: First moment, as it was typed.
        until: First moment after, likewise; None for now.
        out: The dataset; None only for a dry run.
        source: Where data may come from.
        prices: How decimal columns are kept.
        dry_run: Only show the plan.
        workers: Processes that fetch.
        as_json: Print JSON.
        environment: Which exchange.
    """

    symbols: tuple[str, ...]
    market: Market
    kind: str
    interval: str | None
    since: str
    until: str | None
    out: str | None
    source: str
    prices: str | None
    dry_run: bool
    workers: int
    as_json: bool
    environment: str | None


@dataclass(frozen=True, kw_only=True)
class Sync:
    """What ``history sync`` is asked for; see ``Fetch``.

    Attributes:
        checksums: Whether to look for files that were replaced.
    """

    dataset: str
    source: str
    checksums: bool
    workers: int
    as_json: bool
    environment: str | None


def run_fetch(call: Fetch) -> None:
    """Show the plan, and do it.

    Raises:
        CommandError: something is missing on the command line, or an extra is not installed.
        BinanceError: an argument is wrong, or something could not be fetched or kept.
    """
    if call.out is None and not call.dry_run:
        raise CommandError("--out is missing: name a folder to keep it in, or --dry-run to see what it would take")
    with installed():
        from binance_sdk import history

        settings, prices = settings_for(history.FetchSettings, call.environment), _given(call.prices)
        if prices is not None and call.out is not None:
            # Before anything is asked, and also where nothing is left to fetch.
            history.Dataset.require_prices(call.out, prices)
        plan = history.plan(
            call.symbols,
            market=call.market,
            kind=call.kind,
            interval=call.interval,
            since=_moment(call.since),
            until=None if call.until is None else _moment(call.until),
            source=_given(call.source),
            out=call.out,
            settings=settings,
        )
        if call.dry_run:
            _tell(plan_as_json(plan)) if call.as_json else print_plan(plan, fetched=False)
            return
        assert call.out is not None
        if not call.as_json:
            print_plan(plan)
            if not plan.pieces:
                return
        tell_terms_once(call.out, plan)
        out = call.out

        def work(**given: Any) -> RunReport:
            return history.run(plan, out, prices=prices, settings=settings, **given)

        _carry_out(work, call.workers, out, plan.unreachable, as_json=call.as_json)


def run_sync(call: Sync) -> None:
    """Bring a dataset up to date.

    Raises:
        CommandError: an extra is not installed.
        BinanceError: there is no such dataset, or something could not be fetched or kept.
    """
    with installed():
        from binance_sdk import history

        settings, source = settings_for(history.FetchSettings, call.environment), _given(call.source)

        def work(**given: Any) -> RunReport:
            return history.sync(call.dataset, source=source, checksums=call.checksums, settings=settings, **given)

        _carry_out(work, call.workers, call.dataset, as_json=call.as_json)


def _carry_out(
    work: Callable[..., RunReport], workers: int, out: str, told: Sequence[Unreachable] = (), *, as_json: bool
) -> None:
    """Run, with progress on the terminal, and print what was done; also of a run that failed in part."""
    with RunProgress(make_console(stderr=True)) as progress, _executor(workers) as executor:
        try:
            report = work(executor=executor, progress=progress.show)
        except KeyboardInterrupt:
            progress.stop()
            _note(f"interrupted{progress.so_far()}: what was fetched is kept in {out}, and the same command goes on")
            raise
        except RunError as error:
            progress.stop()
            _tell(failures_as_json(error)) if as_json else print_failures(error)
            raise
    if as_json:
        _tell(report_as_json(report))
    else:
        print_report(report, out, told)


@contextlib.contextmanager
def _executor(workers: int) -> Generator[Executor | None]:
    if workers == 1:
        yield None
        return
    # Not by fork: what runs in this process, threads and connections, must not be copied. Ctrl-C ends workers at once,
    # whose files are whole or not there.
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, context, signal.signal, (signal.SIGINT, signal.SIG_DFL)) as executor:
        try:
            yield executor
        except BaseException:
            executor.shutdown(wait=False, cancel_futures=True)
            for worker in active_children():
                worker.terminate()
            raise


def tell_terms_once(out: str, plan: HistoryPlan) -> None:
    """Say under which terms the archive's files may be used, before a dataset gets the first of them."""
    if all(piece.source == "rest" for piece in plan.pieces):
        return
    from binance_sdk.history.archive.fetch import terms_notice

    if _terms_known(out) != ARCHIVE.terms.version:
        _note(terms_notice())


def _terms_known(out: str) -> str | None:
    """The terms that were said for a dataset; None where there is none yet."""
    from binance_sdk.history import Dataset

    try:
        return Dataset.open(out).facts.terms
    except DatasetError:
        # Whatever is wrong with it, the run itself says so.
        return None


@contextlib.contextmanager
def installed() -> Generator[None]:
    """Turn a missing extra into a line that says how to install it.

    Raises:
        CommandError: it is missing.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name not in _EXTRA:
            raise
        raise CommandError(f"{name} is not installed; history needs an extra: {INSTALL}") from error


def settings_for(make: type[FetchSettings], environment: str | None) -> FetchSettings:
    """How sources are reached from the command line."""
    return make() if environment is None else make(client={"environment": environment})


def _moment(text: str) -> str | int:
    return int(text) if text.lstrip("-").isdecimal() and len(text) > 8 else text


def _given(text: str | None) -> Any:
    """A choice as it was typed: what is none is told by the function that takes it."""
    return text


def _tell(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def _note(text: str) -> None:
    sys.stdout.flush()
    sys.stderr.write(f"binance-sdk: {printable(text)}\n")
    sys.stderr.flush()
