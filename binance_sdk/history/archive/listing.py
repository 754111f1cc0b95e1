"""What the archive has, by its listing: files of a series, symbols of a kind. A page has a thousand names."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from binance_sdk._runtime.archive import ArchiveKind, Period
from binance_sdk.errors import ArchiveError
from binance_sdk.history.archive.file_names import folder_of, folder_of_kind
from binance_sdk.history.piece import Series

if TYPE_CHECKING:
    from binance_sdk.history.archive.session import ArchiveSession

_SIZE = re.compile("[0-9]{1,18}")
_DAY = re.compile(r"-([0-9]{4})-([0-9]{1,2})(?:-([0-9]{1,2}))?\.zip$")


@dataclass(frozen=True)
class _Page:
    files: list[tuple[str, int]]
    folders: list[str]
    following: Mapping[str, str] | None
    """What asks for the next page; None where there is none."""


async def list_files(session: ArchiveSession, kind: ArchiveKind, series: Series, period: Period) -> dict[int, int]:
    """Sizes in bytes of the files of a series, by the first moment in milliseconds that each covers.

    Raises:
        ArchiveError: The answer is no listing.
        APIError: The archive refuses, or fails.
        APIConnectionError: No whole answer arrived.
    """
    found: dict[int, int] = {}
    async for page in _pages(session, folder_of(session.archive, series, period)):
        for key, size in page.files:
            date = _DAY.search(key)
            if date is not None and (date[3] is None) == (period == "monthly"):
                try:
                    start = datetime(int(date[1]), int(date[2]), int(date[3] or 1), tzinfo=UTC)
                except ValueError:
                    continue
                found[int(start.timestamp()) * 1000] = size
    return dict(sorted(found.items()))


async def list_symbols(session: ArchiveSession, kind: ArchiveKind, period: Period) -> list[str]:
    """Every symbol, or pair, that there are files of: those that are traded no more too. Raises as ``list_files``."""
    found: list[str] = []
    async for page in _pages(session, folder_of_kind(session.archive, kind, period)):
        found += [folder.rstrip("/").rsplit("/", 1)[-1] for folder in page.folders]
    return sorted(set(found))


async def _pages(session: ArchiveSession, prefix: str) -> AsyncIterator[_Page]:
    asked = {"list-type": "2", "delimiter": "/", "prefix": prefix}
    following: Mapping[str, str] | None = {}
    seen: set[str] = set()
    while following is not None:
        body = await session.listing({**asked, **following})
        page = _read(body, session.listing_url)
        yield page
        if page.following is not None:
            mark = "".join(page.following.values())
            if mark in seen:
                text = f"the listing of {prefix} leads from page {len(seen) + 1} back to an earlier one"
                raise ArchiveError(text, url=session.listing_url)
            seen.add(mark)
            if "marker" in page.following:
                # It understands the first kind of listing only.
                asked.pop("list-type", None)
        following = page.following


class _DeclaresError(Exception):
    pass


class _WithoutEntities(ElementTree.TreeBuilder):
    """Refuses a document type in whatever encoding it comes: entities in each other make a small text a huge one."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise _DeclaresError


def _read(body: bytes, url: str) -> _Page:
    try:
        root = ElementTree.fromstring(body, ElementTree.XMLParser(target=_WithoutEntities()))
    except _DeclaresError:
        raise ArchiveError("the listing declares entities, which no listing does", url=url) from None
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise ArchiveError(f"the listing is no XML: {error}", url=url) from error
    space = root.tag.partition("}")[0] + "}" if root.tag.startswith("{") else ""
    if root.tag != f"{space}ListBucketResult":
        raise ArchiveError(f"the answer is no listing but <{root.tag.rpartition('}')[2][:60]}>", url=url)

    def text(node: ElementTree.Element, name: str) -> str:
        return (node.findtext(f"{space}{name}") or "").strip()

    files: list[tuple[str, int]] = []
    for node in root.iter(f"{space}Contents"):
        key, size = text(node, "Key"), text(node, "Size")
        if not key or not _SIZE.fullmatch(size):
            raise ArchiveError(f"the listing has a file without name or size: {key[:200]!r}", url=url)
        files.append((key, int(size)))
    folders = [text(node, "Prefix") for node in root.iter(f"{space}CommonPrefixes")]
    following: Mapping[str, str] | None = None
    if text(root, "IsTruncated").casefold() == "true":
        token, marker = text(root, "NextContinuationToken"), text(root, "NextMarker")
        last = marker or max([*(key for key, _ in files), *folders], default="")
        if not token and not last:
            raise ArchiveError("the listing says that there is more, and is empty", url=url)
        following = {"continuation-token": token} if token else {"marker": last}
    return _Page(files, folders, following)
