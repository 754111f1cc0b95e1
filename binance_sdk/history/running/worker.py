"""Fetches pieces and writes them: in this process, or in another one that gets a job.

Each piece is written and recorded as soon as it is there, by whoever fetched it, so what is lost with a killed process
is what it had at hand.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from binance_sdk._runtime.clock import AsyncClock
from binance_sdk.catalogue import ARCHIVE
from binance_sdk.errors import (
    ArchiveError,
    BadRequestError,
    BinanceError,
    ConfigError,
    DatasetError,
    ForbiddenError,
    IPBannedError,
    RestrictedLocationError,
)
from binance_sdk.history.archive.fetch import fetch_from_archive
from binance_sdk.history.dataset.dataset import Dataset
from binance_sdk.history.piece import Fetched, Piece, Remark, Series
from binance_sdk.history.planning.arguments import SourceChoice
from binance_sdk.history.planning.density import rows_in
from binance_sdk.history.planning.holes import fills
from binance_sdk.history.planning.pieces import Scene, alternatives
from binance_sdk.history.planning.settings import FetchSettings
from binance_sdk.history.rest.source import fetch_over_rest
from binance_sdk.history.running.absences import note_absences
from binance_sdk.history.running.outcome import Outcome
from binance_sdk.history.running.room import Room
from binance_sdk.history.running.threads import in_thread

if TYPE_CHECKING:
    from binance_sdk import BinanceClient
    from binance_sdk.history.archive.session import ArchiveSession

AT_ONCE = 16
"""Pieces that a process has at hand. Pages of a piece follow each other, so with an answer in 0.2 s it takes ten pieces
to spend the limit of spot; the budget and the session bound how many requests they make."""

_MOST_BYTES = 1 << 30
"""Memory that the rows at hand may take together, as estimated; a larger piece is fetched alone."""
_BYTES_A_CELL = 16

_MOST_FAILURES = 16
"""After so many failures in a row it is not the pieces."""

UNFILLED = "unfilled_rows"
"""Kind of the remark of a file with missing bars for which REST could not be asked; ``sync`` tries again."""

_NO_MORE_CALLS = (IPBannedError, RestrictedLocationError, ForbiddenError)
"""What every further call over REST would meet as well."""

Tell = Callable[[Outcome], None]


@dataclass(frozen=True)
class Job:
    """What a worker is to do; it can be pickled.

    Attributes:
        out: The dataset.
        pieces: What to fetch.
        source: Where data may come from.
        settings: How sources are reached.
        at_once: Pieces at hand at the same time.
        again: Also fetch what is there already.
    """

    out: str
    pieces: tuple[Piece, ...]
    source: SourceChoice
    settings: FetchSettings
    at_once: int = AT_ONCE
    again: bool = False


def work(job: Job) -> list[Outcome]:
    """Do a job in this process, with a client and a session of its own; for executors.

    Raises:
        DatasetError: the dataset cannot be written.
        ConfigError: a setting is wrong.
    """
    outcomes: list[Outcome] = []
    asyncio.run(fetch_pieces(job, outcomes.append))
    return outcomes


async def fetch_pieces(job: Job, tell: Tell) -> None:
    """Do a job in this event loop.

    Args:
        job: What to do.
        tell: Called with what became of each piece, those included that took the place of another.

    Raises:
        DatasetError: the dataset cannot be written.
        ConfigError: a setting is wrong.
    """
    async with AsyncExitStack() as stack:
        worker = _Worker(job, Dataset.open(job.out), stack)
        running: set[asyncio.Task[Outcome]] = set()
        try:
            while worker.waiting or running:
                while worker.waiting and len(running) < job.at_once:
                    running.add(asyncio.create_task(worker.fetch(worker.waiting.popleft())))
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    running.remove(task)
                    tell(worker.settle(task.result()))
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


@dataclass
class _Worker:
    job: Job
    dataset: Dataset
    stack: AsyncExitStack
    client: BinanceClient | None = None
    session: ArchiveSession | None = None
    refused: dict[Series | None, BinanceError] = field(default_factory=dict["Series | None", BinanceError])
    """Why no more calls are made for a series, or (under None) for any."""
    failures: list[BinanceError] = field(default_factory=list[BinanceError])
    """Those since the last success."""

    def __post_init__(self) -> None:
        self.waiting = deque(self.job.pieces)
        self.room = Room(_MOST_BYTES)

    async def fetch(self, piece: Piece) -> Outcome:
        """Fetch a piece as soon as there is room for its rows, and write it."""
        kind = ARCHIVE.kinds[piece.series.market, piece.series.kind]
        rows, _ = rows_in(kind, piece.series, (piece.start, piece.end))
        async with self.room.take(rows * len(kind.kept) * _BYTES_A_CELL):
            return await self._outcome(piece)

    def settle(self, outcome: Outcome) -> Outcome:
        """Take note of an outcome: what is fetched in its place comes next."""
        self.waiting.extendleft(reversed(outcome.instead))
        if outcome.error is None:
            self.failures.clear()
        else:
            self.failures.append(outcome.error)
        return outcome

    async def _outcome(self, piece: Piece) -> Outcome:
        if (refused := self._refused(piece)) is not None:
            return Outcome(piece, error=refused)
        if not self.job.again and await in_thread(self.dataset.record, piece) is not None:
            return Outcome(piece, kept=True)
        try:
            fetched = await self._fetched(piece)
        except (ConfigError, DatasetError):
            raise
        except ArchiveError as error:
            return await self._absent(piece) if error.missing else Outcome(piece, error=error)
        except BinanceError as error:
            self._note_refusal(piece, error)
            return Outcome(piece, error=error)
        filled: list[Fetched] = []
        if piece.source != "rest" and self.job.source == "auto":
            # Before the piece itself: killed in between, both are fetched again; the other way round, none.
            filled, remarks = await self._fill(piece, fetched)
            fetched = replace(fetched, remarks=(*fetched.remarks, *remarks))
        await in_thread(self.dataset.write, piece, fetched)
        return Outcome.of(piece, fetched, filled)

    async def _fill(self, piece: Piece, fetched: Fetched) -> tuple[list[Fetched], list[Remark]]:
        """Fetch over REST the bars that a file lacks; what REST has not either, the exchange had not."""
        kind = ARCHIVE.kinds[piece.series.market, piece.series.kind]
        column = fetched.frame[kind.time]
        now = round(AsyncClock().time() * 1000)
        filled: list[Fetched] = []
        for fill in fills(kind, piece, column.dt.timestamp("ms").to_list(), now):
            if not self.job.again and await in_thread(self.dataset.record, fill) is not None:
                continue
            try:
                refused = self._refused(fill)
                if refused is not None:
                    raise refused
                found = await self._fetched(fill)
            except (ConfigError, DatasetError):
                raise
            except BinanceError as error:
                self._note_refusal(fill, error)
                text = f"{fill.name}: bars are missing in the file, and REST could not be asked for them: {error}"
                return filled, [Remark(UNFILLED, 0, text)]
            found = replace(found, frame=found.frame.filter(~found.frame[kind.time].is_in(column.implode())))
            await in_thread(self.dataset.write, fill, found)
            filled.append(found)
        return filled, []

    def _note_refusal(self, piece: Piece, error: BinanceError) -> None:
        if piece.source == "rest":
            if isinstance(error, _NO_MORE_CALLS):
                self.refused[None] = error
            elif isinstance(error, BadRequestError):
                self.refused[piece.series] = error

    def _refused(self, piece: Piece) -> BinanceError | None:
        """Why it is not even tried."""
        if len(self.failures) >= _MOST_FAILURES:
            return self.failures[-1]
        return self.refused.get(None) or self.refused.get(piece.series) if piece.source == "rest" else None

    async def _fetched(self, piece: Piece) -> Fetched:
        prices = self.dataset.prices
        # Opened at first use: none of the two may be needed. There is no pause between looking and opening.
        if piece.source == "rest":
            if self.client is None:
                self.client = self.job.settings.open_client()
                self.stack.push_async_callback(self.client.aclose)
            return await fetch_over_rest(piece, self.client, prices=prices)
        if self.session is None:
            self.session = self.job.settings.open_session()
            self.stack.push_async_callback(self.session.aclose)
        return await fetch_from_archive(piece, self.session, prices=prices)

    async def _absent(self, piece: Piece) -> Outcome:
        """The archive has no such file: smaller ones, or REST, instead."""
        kind = ARCHIVE.kinds[piece.series.market, piece.series.kind]
        records = await in_thread(self.dataset.records, piece.series)
        now = round(AsyncClock().time() * 1000)
        kept = [record.piece for record in records]
        choice = alternatives(Scene(kind, now, self.job.source, kept=kept), piece)
        await in_thread(note_absences, self.dataset, choice.unreachable)
        return Outcome(piece, instead=tuple(choice.pieces), unreachable=tuple(choice.unreachable))
