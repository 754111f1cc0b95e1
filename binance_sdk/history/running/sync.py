"""``sync``: a dataset brought up to date.

New days and months are added. Files that were replaced since are noticed by their checksum and fetched again, those
of days too that a month was mended with, or could not be mended with. What came over REST gives way to files of the
archive that are there by now: those have checksums, and are the same for everybody. Rows that REST had and the file
has not stay, as the dataset settles that. Daily files stay when the month's file comes: they are the better
witnesses.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass, field
from os import PathLike, fspath

from binance_sdk._runtime.clock import AsyncClock
from binance_sdk._runtime.ending import all_of
from binance_sdk.catalogue import ARCHIVE
from binance_sdk.errors import ArchiveError
from binance_sdk.history.archive.fetch import checksum_of
from binance_sdk.history.archive.session import ArchiveSession
from binance_sdk.history.dataset.dataset import Dataset
from binance_sdk.history.dataset.record import PieceRecord
from binance_sdk.history.piece import Piece, Remark, Series
from binance_sdk.history.planning.arguments import SourceChoice, choose_source
from binance_sdk.history.planning.blocking import run_blocking
from binance_sdk.history.planning.inventory import list_series
from binance_sdk.history.planning.pieces import Files, Scene, choose_pieces
from binance_sdk.history.planning.settings import FetchSettings, settings_of
from binance_sdk.history.running.absences import note_absences, settle_gone
from binance_sdk.history.running.outcome import ProgressHook, RunReport
from binance_sdk.history.running.run import check_progress, run_pieces
from binance_sdk.history.running.worker import UNFILLED, Job

_CHECKS_AT_ONCE = 64


@dataclass
class SyncReport(RunReport):
    """What a synchronisation did.

    Attributes:
        checked: How many files of the archive were compared with their checksums of today.
        changed: Pieces whose file was replaced since, and that were fetched again.
    """

    checked: int = 0
    changed: list[Piece] = field(default_factory=list[Piece])


def sync(
    out: str | PathLike[str],
    *,
    source: SourceChoice = "auto",
    checksums: bool = True,
    executor: Executor | None = None,
    progress: ProgressHook | None = None,
    settings: FetchSettings | None = None,
) -> SyncReport:
    """Bring every series of a dataset up to date, from its first moment to now.

    Args:
        out: The dataset.
        source: Where data may come from, as ``plan`` takes it.
        checksums: Ask for the checksum of every file that the dataset was made from, one small request each, and fetch
            again what was replaced.
        executor: Whose workers fetch, as ``run`` takes it.
        progress: Called after each piece.
        settings: How sources are reached; by default as a client is without arguments.

    Raises:
        RunError: some pieces could not be fetched; all others are written.
        ArchiveError: the listing or a checksum could not be read.
        DatasetError: another run is on this dataset, or it cannot be read or written.
        ConfigError: a setting is wrong.
    """
    return run_blocking(
        sync_async(out, source=source, checksums=checksums, executor=executor, progress=progress, settings=settings)
    )


async def sync_async(
    out: str | PathLike[str],
    *,
    source: SourceChoice = "auto",
    checksums: bool = True,
    executor: Executor | None = None,
    progress: ProgressHook | None = None,
    settings: FetchSettings | None = None,
) -> SyncReport:
    """``sync`` for asyncio."""
    settings = settings_of(settings)
    check_progress(progress)
    dataset = Dataset.open(out)
    with dataset.lock():
        dataset.sweep()
        report = SyncReport()
        records = dataset.records()
        from_archive = source != "rest"
        async with settings.open_session() as session:
            wanted = await _missing(session if from_archive else None, source, records, report)
            if checksums and from_archive:
                report.changed = await _replaced(session, records, report)
        unfilled = [record.piece for record in records if record.remarked(UNFILLED)]
        note_absences(dataset, report.unreachable)
        job = Job(fspath(out), (), source, settings)
        # What is there already first: of a symbol it is known then that it is still the same.
        again = Job(fspath(out), (), source, settings, again=True)
        first = [*report.changed, *(piece for piece in unfilled if piece not in report.changed)]
        await run_pieces(first, again, report, executor=executor, progress=progress)
        await run_pieces(wanted, job, report, executor=executor, progress=progress)
        dataset.settle(report.fetched)
        settle_gone(dataset, report)
    report.raise_for_failures(dataset.url)
    return report


async def _missing(
    session: ArchiveSession | None, source: SourceChoice, records: list[PieceRecord], report: SyncReport
) -> list[Piece]:
    """Pieces that are to be fetched for each series to be whole up to now."""
    now = round(AsyncClock().time() * 1000)
    by_series: dict[Series, list[Piece]] = {}
    for record in records:
        by_series.setdefault(record.piece.series, []).append(record.piece)
    found: list[Piece] = []
    for (market, name), group in _by_kind(by_series).items():
        kind = ARCHIVE.kinds[market, name]
        choose_source(kind, source)
        for series in group:
            files: Files | None = None
            if session is not None:
                files = (await list_series(session, kind, [series], now))[series.symbol]
            kept = by_series[series]
            scene = Scene(kind, now, source, files, kept, renew=session is not None)
            choice = choose_pieces(scene, series, (min(piece.start for piece in kept), now))
            found += choice.pieces
            report.unreachable += choice.unreachable
    return found


def _by_kind(series: dict[Series, list[Piece]]) -> dict[tuple[str, str], list[Series]]:
    found: dict[tuple[str, str], list[Series]] = {}
    for one in sorted(series):
        found.setdefault((one.market, one.kind), []).append(one)
    return found


async def _replaced(session: ArchiveSession, records: list[PieceRecord], report: SyncReport) -> list[Piece]:
    """Pieces of which a file is another one today."""
    places = asyncio.Semaphore(_CHECKS_AT_ONCE)

    async def checksum(file: Piece) -> str | None:
        async with places:
            try:
                return await checksum_of(file, session)
            except ArchiveError as error:
                if not error.missing:
                    raise
                return None

    # Each once, also where several pieces were made from it.
    files = list(dict.fromkeys(file for record in records for file, _ in record.files))
    report.checked = len(files)
    today = dict(zip(files, await all_of(checksum(file) for file in files), strict=True))
    changed: list[Piece] = []
    for record in records:
        for file, _ in record.files:
            if today[file] is None:
                text = f"the archive has no checksum of {file.name} any more; what is here stays"
                report.remarks.append((record.piece, Remark("no_checksum", 0, text)))
        if any(today[file] not in (None, sha256) for file, sha256 in record.files):
            changed.append(record.piece)
    return changed
