"""The archive as it answers: files, their checksums, and the listing of both."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from xml.sax.saxutils import escape

from binance_sdk.simulator.archive.files import ArchiveFile, file_at
from binance_sdk.simulator.archive.kinds import FOLDERS, KINDS
from binance_sdk.simulator.archive.listing import CHECKSUM, ListingError, checksum_of, page, read_query
from binance_sdk.simulator.archive.zips import Zips, fault_names
from binance_sdk.simulator.asgi import Scope
from binance_sdk.simulator.clock import SimulatorClock
from binance_sdk.simulator.faults.files import FileFaults
from binance_sdk.simulator.faults.requests import NO_FAULT, Faults, Injected
from binance_sdk.simulator.market.simulated_market import SimulatedMarket
from binance_sdk.simulator.market.symbols import Market
from binance_sdk.simulator.rest.exchange import Reply, fault_answer
from binance_sdk.simulator_url import ARCHIVE_LISTING_PATH

_XML = "application/xml"
_LISTING = "archive.listing"
PATHS = (*(f"/data/{folder}/" for folder in FOLDERS), ARCHIVE_LISTING_PATH)
"""What paths of the archive begin with."""


def kind_names() -> set[str]:
    """Every name by which the pattern of a fault can mean kinds of files."""
    kinds = {f"archive.{market}.{kind.name}" for market, kinds in KINDS.items() for kind in kinds.values()}
    return {"archive", *(f"archive.{market}" for market in KINDS), *kinds}


def request_names() -> set[str]:
    """Every name by which the pattern of a fault can mean requests to the archive."""
    kinds = kind_names()
    ends = {f"{name}.{end}" for name in kinds if name.count(".") == 2 for end in ("zip", "checksum")}
    return {*kinds, *ends, _LISTING}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a path means: a file, the checksum beside it, the listing, or nothing at all."""

    file: ArchiveFile | None
    checksum: bool
    names: tuple[str, ...]


class SimulatedArchive:
    """Answers at the port of the archive.

    Attributes:
        faults: What is wrong with files; requests have the faults of all other requests.
    """

    def __init__(
        self, markets: Mapping[Market, SimulatedMarket], clock: SimulatorClock, requests: Faults, seed: int
    ) -> None:
        self.faults: FileFaults = FileFaults(kind_names(), PATHS, seed)
        self._clock = clock
        self._request_faults = requests
        self._zips = Zips(markets, self.faults)
        self._asked: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def requests(self) -> Mapping[str, int]:
        """How often each path was asked for since the start; a listing with its query."""
        with self._lock:
            return dict(self._asked)

    def draw(self, path: str) -> Injected:
        """What goes wrong with the next request to a path."""
        return self._request_faults.draw_for_file(_meaning(path).names) if self._request_faults.armed else NO_FAULT

    async def answer(self, scope: Scope, injected: Injected) -> Reply:
        """Answer a request, or as the injected fault has it."""
        path: str = scope["path"]
        query: str = scope["query_string"].decode("latin-1")
        with self._lock:
            self._asked[f"{path}?{query}" if query else path] += 1
        now = self._clock.now_ms()
        if injected.fault is not None and injected.fault.replaces_answer:
            return fault_answer(injected.fault, {"content-type": _XML, "date": formatdate(now / 1000, usegmt=True)})
        if scope["method"] not in ("GET", "HEAD"):
            return _refusal(405, "MethodNotAllowed", "The specified method is not allowed against this resource.")
        headers: dict[bytes, bytes] = dict(scope["headers"])
        unless = headers.get(b"if-none-match", b"").decode("latin-1")
        # Making a file takes up to seconds, in which streams and REST go on.
        return await asyncio.to_thread(self._reply, path, query, unless, now)

    def _reply(self, path: str, query: str, unless: str, now: int) -> Reply:
        asked = _meaning(path)
        if _LISTING in asked.names:
            try:
                return Reply(200, {"content-type": _XML}, page(self._zips, read_query(query), now), compress=False)
            except ListingError as error:
                return _refusal(400, "InvalidArgument", f"Invalid value of {error}.")
        published = self._zips.at(asked.file, now) if asked.file else None
        if published is None or (asked.checksum and published.has("missing_checksum")):
            return _refusal(404, "NoSuchKey", "The specified key does not exist.", path.removeprefix("/"))
        facts = self._zips.facts(published)
        etag = f'"{facts.sha256[:32]}"' if asked.checksum else facts.etag
        headers = {
            "etag": etag,
            "last-modified": formatdate(published.modified / 1000, usegmt=True),
            "accept-ranges": "bytes",
            "x-cache": "Miss from cloudfront",
        }
        if unless and etag in unless:
            return Reply(304, headers, b"", compress=False)
        if asked.checksum:
            body, kind = checksum_of(self._zips, published), "binary/octet-stream"
        else:
            body, kind = self._zips.body(published), "application/zip"
        return Reply(200, {**headers, "content-type": kind}, body, compress=False)


def _meaning(path: str) -> _Asked:
    if path.rstrip("/") == ARCHIVE_LISTING_PATH:
        return _Asked(None, checksum=False, names=(_LISTING, "archive", path))
    checksum = path.endswith(CHECKSUM)
    file = file_at(path.removeprefix("/").removesuffix(CHECKSUM))
    if file is None:
        return _Asked(None, checksum=False, names=("archive", path))
    kind, *above = fault_names(file)
    return _Asked(file, checksum, (f"{kind}.{'checksum' if checksum else 'zip'}", kind, *above, path))


def _refusal(status: int, code: str, message: str, key: str = "") -> Reply:
    told = f"<Key>{escape(key)}</Key>" if key else ""
    body = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}</Message>{told}</Error>'
    )
    return Reply(status, {"content-type": _XML}, body.encode(), compress=False)
