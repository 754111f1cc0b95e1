"""The zips themselves: made when they are asked for, the same bytes each time, and kept while there is room."""

from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from binance_sdk.simulator.archive.damage import Undamaged, damaged
from binance_sdk.simulator.archive.files import ArchiveFile
from binance_sdk.simulator.archive.kinds import KINDS, FileKind, has_header
from binance_sdk.simulator.archive.rows import Source, rows
from binance_sdk.simulator.faults.files import FileFault, FileFaults
from binance_sdk.simulator.market.candles import DAY
from binance_sdk.simulator.market.listings import Listing
from binance_sdk.simulator.market.simulated_market import SimulatedMarket, SymbolData
from binance_sdk.simulator.market.symbols import Market

_KEPT_BYTES = 64 * 2**20
_KEPT_FACTS = 100_000
_SYMBOLS = 8
"""Symbols whose candles are kept, for all who ask for one file after the other."""
_OTHER = hashlib.sha256(b"another file").hexdigest()


@dataclass(frozen=True, slots=True)
class ZipFacts:
    """What is known of a zip without having it.

    Attributes:
        size: Its length in bytes.
        etag: What it is told apart by.
        sha256: What its checksum says, which may be wrong.
    """

    size: int
    etag: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Published:
    """A file that there is at a moment.

    Attributes:
        file: Which.
        listing: Whose rows it has.
        modified: When it came or was replaced, in milliseconds.
        faults: What is wrong with it.
    """

    file: ArchiveFile
    listing: Listing
    modified: int
    faults: tuple[FileFault, ...]

    def has(self, kind: str) -> bool:
        """Whether it has a fault of this kind."""
        return any(fault.kind == kind for fault in self.faults)


class Zips:
    """All files of the archive."""

    def __init__(self, markets: Mapping[Market, SimulatedMarket], faults: FileFaults) -> None:
        self._markets = {name: market for name, market in markets.items() if name in KINDS}
        self._faults = faults
        self._data = lru_cache(maxsize=_SYMBOLS)(self._make_data)
        self._bodies: OrderedDict[Published, bytes] = OrderedDict()
        self._kept = 0
        self._facts: dict[Published, ZipFacts] = {}
        # One file is made after the other: they share the candles that are kept.
        self._lock = threading.Lock()

    # ------------------------------------------------------------------------------ what there is

    def listings(self, market: Market, kind: FileKind, now: int) -> Mapping[str, Listing]:
        """Whatever has files of a kind: symbols that were ever traded, or pairs."""
        found: dict[str, Listing] = {}
        known = self._markets.get(market)
        for symbol, listing in (known.listings.ever(now) if known is not None else {}).items():
            instrument = listing.instrument
            if kind.name == "funding_rate" and instrument.delivers_at:
                continue
            by_pair = kind.name == "index_price_klines" and market == "coin_futures"
            found.setdefault(instrument.pair if by_pair else symbol, listing)
        return found

    def published(self, file: ArchiveFile, listing: Listing | None, now: int) -> Published | None:
        """A file with what is wrong with it, if it has come by now."""
        if listing is None or file.end <= listing.listed_at:
            return None
        if listing.stopped_at is not None and file.start > listing.stopped_at:
            return None
        faults = self._faults.of_file(fault_names(file), f"/{file.key}")
        modified = file.published
        if faults:
            if any(fault.kind == "missing_file" for fault in faults):
                return None
            modified += sum(round(fault.days * DAY) for fault in faults if fault.kind == "late_file")
            replaced = [modified + round(fault.days * DAY) for fault in faults if fault.kind == "replaced_file"]
            if replaced and now >= max(replaced):
                modified = max(replaced)
                faults = tuple(fault for fault in faults if fault.kind != "replaced_file")
        return Published(file, listing, modified, faults) if modified <= now else None

    def at(self, file: ArchiveFile, now: int) -> Published | None:
        """The same of one file, for whatever symbol."""
        return self.published(file, self.listings(file.market, file.kind, now).get(file.symbol), now)

    # ---------------------------------------------------------------------------------- what is in it

    def facts(self, published: Published) -> ZipFacts:
        """Size and checksum of a file."""
        with self._lock:
            known = self._facts.get(published)
            return known if known is not None else self._add(published)[1]

    def body(self, published: Published) -> bytes:
        """The bytes of a file."""
        with self._lock:
            body = self._bodies.get(published)
            if body is None:
                return self._add(published)[0]
            self._bodies.move_to_end(published)
            return body

    def _add(self, published: Published) -> tuple[bytes, ZipFacts]:
        body = self._make(published)
        wrong = published.has("wrong_checksum")
        # Of what is served, so that only opening it tells that a broken zip is broken.
        facts = ZipFacts(
            size=len(body),
            etag=f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"',
            sha256=_OTHER if wrong else hashlib.sha256(body).hexdigest(),
        )
        if len(self._facts) >= _KEPT_FACTS:
            self._facts.clear()
        self._facts[published] = facts
        self._bodies[published] = body
        self._kept += len(body)
        while self._kept > _KEPT_BYTES and len(self._bodies) > 1:
            self._kept -= len(self._bodies.popitem(last=False)[1])
        return body, facts

    def _make_data(self, market: Market, listing: Listing) -> SymbolData:
        return self._markets[market].make_data(listing)

    def _make(self, published: Published) -> bytes:
        file = published.file
        source = Source(file, self._markets[file.market], self._data(file.market, published.listing))
        changes = [fault for fault in published.faults if fault.changes_rows]
        header = has_header(file.market, file.kind, file.day) != published.has("other_header")
        lines: Iterable[bytes] = rows(source, file.start, file.end)
        if changes:
            lines = _damaged(source, changes)
        text = b"".join([f"{file.kind.header}\n".encode() if header else b"", *lines])
        body = _zipped(f"{file.stem}.csv", published.file.published, text)
        cuts: Sequence[FileFault] = [fault for fault in published.faults if fault.kind == "broken_zip"]
        return body[: int(len(body) * cuts[0].share)] if cuts else body


def fault_names(file: ArchiveFile) -> tuple[str, ...]:
    """What the pattern of a fault can match beside the path."""
    return (f"archive.{file.market}.{file.kind.name}", f"archive.{file.market}", "archive")


def _damaged(source: Source, faults: Sequence[FileFault]) -> Iterable[bytes]:
    file = source.file

    def of(start: int, end: int) -> list[bytes]:
        return b"".join(rows(source, start, end)).splitlines(keepends=True)

    lines = of(file.start, file.end)
    length = file.end - file.start
    for fault in faults:
        undamaged = Undamaged(
            file.kind,
            lines,
            before=lambda: of(file.start - length, file.start),
            after=lambda: of(file.end, file.end + length),
        )
        lines = damaged(undamaged, fault)
    return lines


def _zipped(name: str, moment: int, text: bytes) -> bytes:
    made = datetime.fromtimestamp(moment / 1000, UTC)
    member = zipfile.ZipInfo(name, (made.year, made.month, made.day, made.hour, made.minute, made.second))
    member.external_attr = 0o644 << 16
    # Otherwise it is that of this machine, and the bytes with it.
    member.create_system = 3
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(member, text, zipfile.ZIP_DEFLATED, compresslevel=1)
    return buffer.getvalue()
