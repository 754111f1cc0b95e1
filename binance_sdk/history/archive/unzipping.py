"""The CSV in a zip, in parts that end with a line, bounded in size whatever the zip says."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import IO

from binance_sdk.errors import ArchiveError

PART = 64 * 1024 * 1024
"""So many bytes are read at once: all of an ordinary file, and a part of the largest."""
LONGEST_LINE = 64 * 1024
"""A row of the archive has some hundred bytes."""
LARGEST = 8 * 1024 * 1024 * 1024
"""Six times the largest file that was seen."""
_MOST_TIMES = 200
"""A zip that grows by more is none of market data, which shrinks to a tenth at best."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_MONTH_WITHOUT_ZERO = re.compile(r"-(\d)(?=-|$)")
# Everything that zipfile raises for bytes that are no zip, or not the one that they say they are.
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)


@contextmanager
def opened(data: IO[bytes], stem: str, url: str) -> Generator[tuple[Iterator[bytes], list[str]]]:
    """The parts of the CSV in a zip, and the names of other files in it.

    Args:
        data: The zip.
        stem: What the CSV should be called, without its ending.
        url: Where the zip came from, for errors.

    Raises:
        ArchiveError: It is no zip, or not one with that CSV.
    """
    with _told(url), zipfile.ZipFile(data) as archive:
        files = [info for info in archive.infolist() if not info.is_dir()]
        chosen = _choose(files, stem, url)
        member = archive.open(chosen)
    with member:
        yield _parts(member, chosen.file_size, url), [info.filename for info in files if info is not chosen]


@contextmanager
def _told(url: str) -> Generator[None]:
    try:
        yield
    except _BROKEN as error:
        raise ArchiveError(f"{url} is no zip that can be read: {error}", url=url) from error


def _choose(files: list[zipfile.ZipInfo], stem: str, url: str) -> zipfile.ZipInfo:
    wanted = _plain(f"{stem}.csv")
    found = [info for info in files if _plain(info.filename) == wanted]
    if len(found) != 1:
        names = ", ".join(info.filename[:120] for info in files[:5]) or "nothing"
        what = f"{len(found)} files" if found else "no file"
        raise ArchiveError(f"{url} holds {what} of the name {stem}.csv; in it is {names}", url=url)
    info = found[0]
    if info.flag_bits & 1:
        raise ArchiveError(f"{url} is encrypted", url=url)
    if info.compress_type not in _METHODS:
        raise ArchiveError(f"{url} is compressed by method {info.compress_type}, which no file of it was", url=url)
    if info.file_size > LARGEST or info.file_size > max(PART, _MOST_TIMES * info.compress_size):
        text = f"{url} says that its {info.compress_size} bytes become {info.file_size}, which no file of data does"
        raise ArchiveError(text, url=url)
    return info


def _plain(name: str) -> str:
    """Early files have months without a zero."""
    stem = name.rsplit("/", 1)[-1].removesuffix(".csv")
    return _MONTH_WITHOUT_ZERO.sub(r"-0\1", stem).casefold()


def _parts(member: IO[bytes], size: int, url: str) -> Iterator[bytes]:
    """What is longer than it says is cut there, and then its CRC is wrong, which zipfile tells at the end."""
    rest = b""
    while chunk := _read(member, url):
        # All of an ordinary file is read at once, and need not be copied.
        end = len(chunk) if size <= PART else chunk.rfind(b"\n") + 1
        if end == 0 and len(rest) + len(chunk) > LONGEST_LINE:
            raise ArchiveError(f"{url} has a line of more than {LONGEST_LINE} bytes", url=url)
        yield rest + chunk[:end] if rest else chunk[:end]
        rest = chunk[end:]
    if rest:
        yield rest


def _read(member: IO[bytes], url: str) -> bytes:
    with _told(url):
        return member.read(PART)
