"""``check``: a dataset proved, offline or with the sources asked about what it alone does not tell."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from os import PathLike
from typing import TYPE_CHECKING

from binance_sdk._runtime.clock import AsyncClock
from binance_sdk.catalogue import ARCHIVE
from binance_sdk.errors import ArchiveError
from binance_sdk.history.archive.fetch import checksum_of
from binance_sdk.history.dataset.checking.asker import deepen
from binance_sdk.history.dataset.checking.check import check_offline
from binance_sdk.history.dataset.checking.report import CheckReport
from binance_sdk.history.dataset.dataset import Dataset
from binance_sdk.history.piece import Piece, Series
from binance_sdk.history.planning.blocking import run_blocking
from binance_sdk.history.planning.settings import FetchSettings, settings_of
from binance_sdk.history.rest.source import fetch_over_rest

if TYPE_CHECKING:
    from binance_sdk import BinanceClient
    from binance_sdk.history.archive.session import ArchiveSession


def check(out: str | PathLike[str], *, deep: bool = False, settings: FetchSettings | None = None) -> CheckReport:
    """Prove a dataset: checksums, columns, rows, order, doubles, ids, and holes with their reason.

    Nothing is written. Files are read in parts, one at a time, so memory stays flat; only pieces that overlap, which is
    within a month, are held together.

    Args:
        out: The folder or URL of the dataset.
        deep: Also ask the archive whether it has the same files today, and both sources whether there were rows in a
            hole: one small request for each file, and the weight of the holes over REST.
        settings: How sources are reached; by default as a client is without arguments.

    Raises:
        DatasetError: there is no dataset, or it cannot be read at all; what is wrong inside stands in the report.
        ConfigError: polars or pyarrow is not installed, or a setting is wrong.
        BinanceError: deep, and a source did not answer.
    """
    return run_blocking(check_async(out, deep=deep, settings=settings))


async def check_async(
    out: str | PathLike[str], *, deep: bool = False, settings: FetchSettings | None = None
) -> CheckReport:
    """``check`` for asyncio."""
    report = await asyncio.to_thread(check_offline, out)
    if not deep:
        return report
    settings = settings_of(settings)
    async with settings.open_client() as client, settings.open_session() as session:
        return await deepen(report, Dataset.open(out), _Sources(client, session))


class _Sources:
    """Both sources, as a check asks them."""

    def __init__(self, client: BinanceClient, session: ArchiveSession) -> None:
        self._client = client
        self._session = session

    async def checksum(self, piece: Piece) -> str | None:
        try:
            return await checksum_of(piece, self._session)
        except ArchiveError as error:
            if error.missing:
                return None
            raise

    async def rows(self, series: Series, start: int, end: int) -> int | None:
        reach = [twin.reach for twin in ARCHIVE.kinds[series.market, series.kind].rest if twin.reach is not None]
        if reach and start < AsyncClock().time() * 1000 - min(reach) * 1000:
            return None
        found = 0
        while start < end:
            until = min(end, _next_month(start))
            fetched = await fetch_over_rest(Piece(series, start, until, "rest"), self._client, prices="float")
            found, start = found + fetched.frame.height, until
        return found


def _next_month(at: int) -> int:
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return int(datetime(moment.year + moment.month // 12, moment.month % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1000
