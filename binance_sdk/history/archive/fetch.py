"""A piece from the archive: its file, proved by its checksum, read, and mended by the files of its days."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from binance_sdk._runtime.archive import ArchiveKind, ArchiveTerms
from binance_sdk.catalogue import ARCHIVE
from binance_sdk.errors import ArchiveError
from binance_sdk.history.archive.file_names import CHECKSUM, kind_of, paths_of
from binance_sdk.history.archive.mending import begin, mend
from binance_sdk.history.archive.reading import read_zip
from binance_sdk.history.columns import polars_schema
from binance_sdk.history.piece import Fetched, Origin, Piece, Prices, Remark

if TYPE_CHECKING:
    from binance_sdk.history.archive.session import ArchiveSession, Download

_SHA256 = re.compile(r"\s*([0-9a-fA-F]{64})(?:\s+\*?(\S+))?\s*")


@dataclass(frozen=True)
class _Read:
    """The rows of one file, and where they are from."""

    frame: pl.DataFrame
    remarks: tuple[Remark, ...]
    url: str
    sha256: str
    size: int


def terms_notice(terms: ArchiveTerms = ARCHIVE.terms) -> str:
    """What whoever uses the archive's files has to know, in a few lines."""
    return (
        f"The files are Binance's, under the {terms.name} {terms.version} of {terms.date}: {terms.licence}. "
        f"Commercial use needs {terms.commercial}.\n{terms.url}"
    )


async def fetch_from_archive(piece: Piece, session: ArchiveSession, *, prices: Prices) -> Fetched:
    """The rows of a piece of the archive.

    Where rows are missing in a monthly file, the files of those days are asked for as well. Where the two say something
    else of the same row, that of the day is taken: the API sides with it. Where the monthly file cannot be used at all,
    every day is asked for.

    Args:
        piece: A whole day or month, from ``archive_daily`` or ``archive_monthly``.
        session: What the archive is asked through.
        prices: Whether decimal columns are exact or floats.

    Raises:
        ArchiveError: There is no such file (``missing``), its checksum is another one, or it cannot be read.
        APIError: The archive refuses, or fails.
        APIConnectionError: No whole answer arrived.
    """
    session = session.counted()
    kind = kind_of(session.archive, piece.series)
    try:
        read = await _read(piece, session, prices)
    except ArchiveError as error:
        if error.missing or piece.source != "archive_monthly":
            raise
        return await _of_its_days(piece, kind, session, prices, error)
    if piece.source == "archive_monthly":
        mended = await mend(piece, kind, read.frame, read.remarks, lambda day: _read(day, session, prices))
    else:
        span = (piece.start, piece.end)
        mended = await begin(piece, kind, read.frame, read.remarks, lambda day: _read(day, session, prices, span))
    urls = (read.url, *mended.urls)
    size, days = read.size + mended.size, tuple(mended.days)
    origin = Origin(urls, read.sha256, size, session.requests, days=days)
    return Fetched(mended.frame, origin, tuple(mended.remarks))


async def _of_its_days(
    piece: Piece, kind: ArchiveKind, session: ArchiveSession, prices: Prices, why: ArchiveError
) -> Fetched:
    """A month whose file cannot be used, from the files of its days; where there are none, its error is raised."""
    nothing = pl.DataFrame(schema=polars_schema(kind, prices))
    said = Remark("unusable_month", 0, f"the file of the month cannot be used, those of its days were: {why}")
    mended = await mend(piece, kind, nothing, (said,), lambda day: _read(day, session, prices))
    if not mended.frame.height:
        raise why
    try:
        # When another one is there, the month is worth another look.
        today = await checksum_of(piece, session)
    except ArchiveError:
        today = ""
    origin = Origin(tuple(mended.urls), today, mended.size, session.requests, days=tuple(mended.days))
    return Fetched(mended.frame, origin, tuple(mended.remarks))


async def checksum_of(piece: Piece, session: ArchiveSession) -> str:
    """The SHA-256 that the archive names for the file of a piece today.

    Raises:
        ArchiveError: It names none (``missing`` where there is no such file), or not in the form that it should.
        APIError: The archive refuses, or fails.
        APIConnectionError: No whole answer arrived.
    """
    first, *others = paths_of(session.archive, piece)
    try:
        return await _checksum(first, session)
    except ArchiveError as error:
        if not error.missing or not others:
            raise
        return await _checksum(others[0], session)


async def _checksum(path: str, session: ArchiveSession) -> str:
    text = await session.text(path + CHECKSUM)
    found = _SHA256.fullmatch(text)
    if found is None or (found[2] is not None and found[2] != path.rsplit("/", 1)[-1]):
        raise ArchiveError(f"{path}{CHECKSUM} is no checksum of that file: {text[:120]!r}", url=path + CHECKSUM)
    return found[1].lower()


async def _read(piece: Piece, session: ArchiveSession, prices: Prices, span: tuple[int, int] | None = None) -> _Read:
    kind = kind_of(session.archive, piece.series)
    download, remarks = await _of(piece, session)
    with download.file:
        try:
            frame, found = await asyncio.to_thread(
                read_zip, download.file, kind, piece, prices, url=download.url, archive=session.archive, span=span
            )
        except ArchiveError as error:
            error.sha256 = download.sha256
            raise
    return _Read(frame, (*remarks, *found), download.url, download.sha256, download.size)


async def _of(piece: Piece, session: ArchiveSession) -> tuple[Download, tuple[Remark, ...]]:
    first, *others = paths_of(session.archive, piece)
    try:
        return await _proved(first, session)
    except ArchiveError as error:
        if not error.missing or not others:
            raise
        return await _proved(others[0], session)


async def _proved(path: str, session: ArchiveSession) -> tuple[Download, tuple[Remark, ...]]:
    """A file with the checksum that it should have; where it has another one, both are asked for once more."""
    download = await session.download(path)
    try:
        wanted, why = await _wanted(path, session)
        if wanted == download.sha256:
            return download, ()
        if wanted is None and why.missing:
            text = f"there is no checksum beside {path}, so only that of the zip's own directory was looked at"
            return download, (Remark("no_checksum", 0, text),)
    except BaseException:
        download.file.close()
        raise
    download.file.close()
    first = download.sha256
    download = await session.download(path)
    try:
        again, why = await _wanted(path, session)
        if again == download.sha256:
            return download, ()
    except BaseException:
        download.file.close()
        raise
    download.file.close()
    if again is None:
        raise why
    raise ArchiveError(
        f"{download.url} came twice and did not have the SHA-256 that the archive names: it was {first}, then "
        f"{download.sha256}, and should be {again}",
        url=download.url,
        sha256=download.sha256,
    )


async def _wanted(path: str, session: ArchiveSession) -> tuple[str | None, ArchiveError]:
    """The checksum of a file, or why there is none after asking twice."""
    why = ArchiveError("")
    for _ in range(2):
        try:
            return await _checksum(path, session), why
        except ArchiveError as error:
            why = error
    return None, why
