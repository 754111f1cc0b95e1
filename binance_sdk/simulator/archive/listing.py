"""The listing of the archive as S3 gives it: keys in order, in pages, with folders folded into one entry each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from binance_sdk.simulator.archive.files import file_of, spelled
from binance_sdk.simulator.archive.kinds import FOLDERS, KINDS, SPELLINGS, FileKind, Period, intervals_of
from binance_sdk.simulator.archive.zips import Published, Zips
from binance_sdk.simulator.market.listings import Listing
from binance_sdk.simulator.market.symbols import Market

BUCKET = "data.binance.vision"
CHECKSUM = ".CHECKSUM"
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_MOST_KEYS = 1000
_MOST_BYTES = 16 * 2**20
"""In the files of a page, after which it ends: they are made for their sizes to be told, and no client
shall wait for that in vain. S3 too may answer with fewer keys than were asked for."""
_PERIODS: tuple[Period, ...] = ("daily", "monthly")


class ListingError(ValueError):
    """A parameter of the listing means nothing; the text names it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a page is asked for.

    Attributes:
        prefix: What keys begin with.
        delimiter: Keys that have it behind the prefix are one entry up to there.
        after: Only what comes behind this key.
        most: Most entries.
        second: Whether the second version of the protocol was asked for.
        marker: The parameter that said ``after``, as it was given.
    """

    prefix: str
    delimiter: str
    after: str
    most: int
    second: bool
    marker: str


@dataclass
class _Page:
    keys: list[tuple[str, Published]] = field(default_factory=list[tuple[str, Published]])
    folders: list[str] = field(default_factory=list[str])
    last: str = ""
    truncated: bool = False


def read_query(query: str) -> Wanted:
    """What a query string asks for.

    Raises:
        ListingError: A value means nothing.
    """
    given = dict(parse_qsl(query, keep_blank_values=True))
    second = given.get("list-type") == "2"
    marker = given.get("continuation-token" if second else "marker", "")
    most = given.get("max-keys", str(_MOST_KEYS))
    if not most.isdecimal():
        raise ListingError("max-keys")
    if given.get("delimiter", "") not in ("", "/"):
        raise ListingError("delimiter")
    after = marker or (given.get("start-after", "") if second else "")
    delimiter = given.get("delimiter", "")
    return Wanted(given.get("prefix", ""), delimiter, after, min(int(most), _MOST_KEYS), second, marker)


def page(zips: Zips, wanted: Wanted, now: int) -> bytes:
    """One page as XML."""
    found, size = _Page(), 0
    for key, published in _entries(_Tree(zips, now), wanted, ""):
        if len(found.keys) + len(found.folders) >= wanted.most or size > _MOST_BYTES:
            found.truncated = wanted.most > 0
            break
        found.last = key
        if published is None:
            found.folders.append(key)
        else:
            found.keys.append((key, published))
            size += 0 if key.endswith(CHECKSUM) else zips.facts(published).size
    return _xml(zips, wanted, found).encode()


def _entries(tree: _Tree, wanted: Wanted, folder: str) -> Iterator[tuple[str, Published | None]]:
    """Keys and folded folders behind ``wanted.after``, in order."""
    for name, published in tree.inside(folder, wanted):
        key = folder + name
        if published is not None:
            if key.startswith(wanted.prefix) and key > wanted.after:
                yield key, published
            continue
        if not (key.startswith(wanted.prefix) or wanted.prefix.startswith(key)):
            continue
        if key < wanted.after and not wanted.after.startswith(key):
            continue
        below = _entries(tree, wanted, key)
        if wanted.delimiter and key.startswith(wanted.prefix) and key != wanted.prefix:
            # A folder is there for the files in it: an empty one does not exist.
            if key > wanted.after and next(below, None) is not None:
                yield key, None
        else:
            yield from below


class _Tree:
    """The folders of the archive at a moment."""

    def __init__(self, zips: Zips, now: int) -> None:
        self._zips = zips
        self._now = now

    def inside(self, folder: str, wanted: Wanted) -> Iterator[tuple[str, Published | None]]:
        """Names in a folder, in order; those of folders end with a slash, and have no file."""
        if folder == "":
            yield "data/", None
            return
        parts = folder.removeprefix("data/").removesuffix("/").split("/")
        for depth in (1, 2):
            path = "/".join(parts[:depth])
            if path in FOLDERS:
                yield from self._of_market(FOLDERS[path], parts[depth:], folder, wanted)
                return
        heads = {path.removeprefix(folder.removeprefix("data/")).split("/")[0] for path in FOLDERS}
        for name in sorted(f"{head}/" for head in (heads if folder == "data/" else {"cm", "um"})):
            yield name, None

    def _of_market(
        self, market: Market, parts: list[str], folder: str, wanted: Wanted
    ) -> Iterator[tuple[str, Published | None]]:
        if not parts:
            yield from _folders(_PERIODS)
            return
        period: Period = "daily" if parts[0] == "daily" else "monthly"
        kinds = {name: kind for name, kind in KINDS[market].items() if period in kind.periods}
        if len(parts) == 1:
            yield from _folders(kinds)
            return
        kind = kinds[parts[1]]
        listings = self._zips.listings(market, kind, self._now)
        if len(parts) == 2:
            yield from _folders(listings)
        elif kind.intervals and len(parts) == 3:
            yield from _folders(spelled(interval) for interval in intervals_of(market, kind, period))
        else:
            intervals = {told: interval for interval, told in SPELLINGS.items()}
            interval = intervals.get(parts[3], parts[3]) if kind.intervals else ""
            listing = listings[parts[2]]
            yield from self._files(market, kind, period, parts[2], interval, listing, folder, wanted)

    def _files(
        self,
        market: Market,
        kind: FileKind,
        period: Period,
        symbol: str,
        interval: str,
        listing: Listing,
        folder: str,
        wanted: Wanted,
    ) -> Iterator[tuple[str, Published | None]]:
        moment = listing.listed_at
        last = self._now if listing.stopped_at is None else min(self._now, listing.stopped_at)
        while moment <= last:
            file = file_of(market, kind, period, symbol, interval, moment)
            moment = file.end
            name = f"{file.stem}.zip"
            if folder + name + CHECKSUM <= wanted.after:
                continue
            published = self._zips.published(file, listing, self._now)
            if published is not None:
                yield name, published
                if not published.has("missing_checksum"):
                    yield name + CHECKSUM, published


def _folders(names: Mapping[str, object] | tuple[str, ...] | Iterator[str]) -> Iterator[tuple[str, Published | None]]:
    for name in sorted(f"{name}/" for name in names):
        yield name, None


def checksum_of(zips: Zips, published: Published) -> bytes:
    """The checksum file beside a zip."""
    facts = zips.facts(published)
    # Some end without a newline; which ones shows no pattern.
    newline = "" if sum(published.file.stem.encode()) % 4 == 0 else "\n"
    return f"{facts.sha256}  {published.file.stem}.zip{newline}".encode()


def _xml(zips: Zips, wanted: Wanted, found: _Page) -> str:
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        f'<ListBucketResult xmlns="{_NAMESPACE}"><Name>{BUCKET}</Name><Prefix>{escape(wanted.prefix)}</Prefix>',
    ]
    if wanted.second:
        if wanted.marker:
            lines.append(f"<ContinuationToken>{escape(wanted.marker)}</ContinuationToken>")
        if found.truncated:
            lines.append(f"<NextContinuationToken>{escape(found.last)}</NextContinuationToken>")
        lines.append(f"<KeyCount>{len(found.keys) + len(found.folders)}</KeyCount>")
    else:
        lines.append(f"<Marker>{escape(wanted.marker)}</Marker>")
        if found.truncated and wanted.delimiter:
            lines.append(f"<NextMarker>{escape(found.last)}</NextMarker>")
    lines.append(f"<MaxKeys>{wanted.most}</MaxKeys>")
    if wanted.delimiter:
        lines.append(f"<Delimiter>{escape(wanted.delimiter)}</Delimiter>")
    lines.append(f"<IsTruncated>{'true' if found.truncated else 'false'}</IsTruncated>")
    for key, published in found.keys:
        facts, modified = zips.facts(published), datetime.fromtimestamp(published.modified / 1000, UTC)
        size = len(checksum_of(zips, published)) if key.endswith(CHECKSUM) else facts.size
        etag = f'"{facts.sha256[:32]}"' if key.endswith(CHECKSUM) else facts.etag
        lines.append(
            f"<Contents><Key>{escape(key)}</Key><LastModified>{modified:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
            f"<ETag>{escape(etag, {chr(34): '&quot;'})}</ETag><Size>{size}</Size>"
            "<StorageClass>STANDARD</StorageClass></Contents>"
        )
    lines += [f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>" for folder in found.folders]
    return "".join((*lines, "</ListBucketResult>"))
