"""A small archive on loopback: files in a dictionary, a listing of them in pages, and answers that go wrong."""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from binance_sdk.catalogue import ARCHIVE
from binance_sdk.history.archive.file_names import CHECKSUM, path_of
from binance_sdk.history.archive.session import ArchiveSession
from binance_sdk.history.piece import Piece
from tests.history.archive.files import stem_of, zipped
from tests.loopback_server import LoopbackServer

SPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


@dataclass
class Answer:
    """One answer that is not the file; ``cut`` is how many bytes less come than are announced."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    cut: int = 0


class Bucket(LoopbackServer):
    """Files by their path, with answers that come before them."""

    def __init__(self, *, page: int = 1000, markers: bool = False) -> None:
        self.files: dict[str, bytes] = {}
        self.answers: defaultdict[str, list[Answer]] = defaultdict(list)
        self.asked: list[str] = []
        self.page = page
        self.markers = markers
        self.most_at_once = 0
        self.hold: threading.Event | None = None
        self._at_once = 0
        self._lock = threading.Condition()
        bucket = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                bucket._answer(self)

            def log_message(self, *_: object) -> None:
                return

        super().__init__(Handler)

    def session(self, **settings: object) -> ArchiveSession:
        """A session for it."""
        return ArchiveSession(self.url, f"{self.url}/bucket", **{"timeout": 5.0, **settings})  # type: ignore[arg-type]

    def put(self, piece: Piece, text: str, *, checksum: str | None = "") -> str:
        """Add the file of a piece, with the right checksum, another one, or none; returns its path."""
        path = path_of(ARCHIVE, piece)
        data = zipped(text, f"{stem_of(piece)}.csv")
        self.files[path] = data
        if checksum is not None:
            told = checksum or f"{hashlib.sha256(data).hexdigest()}  {path.rsplit('/', 1)[-1]}\n"
            self.files[path + CHECKSUM] = told.encode()
        return path

    def count(self, part: str) -> int:
        """How many requests had this in their path."""
        return sum(part in path for path in self.asked)

    def wait_for(self, requests: int) -> None:
        """Until so many were under way at once."""
        with self._lock:
            assert self._lock.wait_for(lambda: self.most_at_once >= requests, 10)

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        path = unquote(parts.path).removeprefix("/")
        with self._lock:
            self.asked.append(request.path)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
            self._lock.notify_all()
            planned = self.answers[path].pop(0) if self.answers[path] else None
        try:
            if self.hold is not None:
                self.hold.wait(5)
            if planned is not None:
                found = planned
            elif path == "bucket":
                found = Answer(body=self._listing({key: value[0] for key, value in parse_qs(parts.query).items()}))
            else:
                found = Answer(body=self.files[path]) if path in self.files else Answer(404, b"<Error/>")
        finally:
            with self._lock:
                self._at_once -= 1
        request.send_response(found.status)
        for name, value in {"Content-Length": str(len(found.body)), **found.headers}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(found.body[: len(found.body) - found.cut])
        request.close_connection = bool(found.cut)

    def _listing(self, query: dict[str, str]) -> bytes:
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after = query.get("continuation-token", query.get("marker", ""))
        keys: dict[str, int | None] = {}
        for path in sorted(self.files):
            rest = path.removeprefix(prefix)
            if path.startswith(prefix):
                folder = rest.partition(delimiter)[0] if delimiter and delimiter in rest else None
                keys[path if folder is None else f"{prefix}{folder}/"] = None if folder else len(self.files[path])
        following = [key for key in keys if key > after]
        some = following[: self.page]
        more = len(following) > len(some)
        mark = "NextMarker" if self.markers else "NextContinuationToken"
        return page_of(
            [(key, size) for key in some if (size := keys[key]) is not None],
            [key for key in some if keys[key] is None],
            more=f"<{mark}>{escape(some[-1])}</{mark}>" if more else "",
            truncated=more,
        )


def page_of(
    files: Iterable[tuple[str, int]], folders: Iterable[str] = (), *, more: str = "", truncated: bool = False
) -> bytes:
    """A page of a listing."""
    contents = "".join(
        f"<Contents><Key>{escape(key)}</Key><LastModified>2025-01-02T07:00:00.000Z</LastModified><ETag>&quot;x&quot;</ETag>"
        f"<Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        for key, size in files
    )
    prefixes = "".join(f"<CommonPrefixes><Prefix>{escape(key)}</Prefix></CommonPrefixes>" for key in folders)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="{SPACE}"><Name>data.binance.vision</Name>'
        f"<IsTruncated>{str(truncated).lower()}</IsTruncated>{more}{contents}{prefixes}</ListBucketResult>"
    ).encode()
