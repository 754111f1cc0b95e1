"""An archive and an exchange with one market, hourly bars of USDⓈ-M symbols, on loopback: counted, with faults."""

from __future__ import annotations

import hashlib
import io
import json
import re
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, unquote, urlsplit

from binance_sdk._runtime.candles import candle_end
from binance_sdk.history.planning.settings import FetchSettings
from tests.loopback_server import LoopbackServer

HOUR, DAY = 3_600_000, 86_400_000
_FILE = re.compile(
    r"/data/futures/um/(?P<period>daily|monthly)/klines/(?P<symbol>\w+)/1h/(?P=symbol)-1h-(?P<date>[\d-]+)\.zip"
    r"(?P<checksum>\.CHECKSUM)?"
)
_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)


def bar(symbol: str, at: int, version: int = 0) -> list[int | str]:
    """The bar of an hour, the same wherever it is asked for."""
    price = f"{50_000 + hash_of(f'{symbol} {at} {version}') % 100_000 / 10:.1f}"
    return [at, price, price, price, price, "12.500", at + HOUR - 1, "625000.00", 7, "6.250", "312500.00", "0"]


def hash_of(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


class ArchiveServer(LoopbackServer):
    """The server, while it is used as a context manager.

    Attributes:
        asked: How often each path was asked for.
        absent: Names of zips that are not there, e.g. ``BTCUSDT-1h-2026-09.zip``.
        broken: Zips that do not open.
        mislabelled: Zips whose checksum is another one.
        holes: Hours whose bars no zip has, but for those named in ``whole``.
        whole: Zips without holes.
        halts: Hours without a bar, at the exchange itself too.
        versions: Files that were replaced, by name and how often.
        ended: First moment of which there is no file and no bar, as the symbols are not traded any more.
        listed_until: First moment of which the listing shows no file.
        status: What REST answers instead of bars, if it is not 200.
        on_request: Called with each path before it is answered.
    """

    def __init__(self, first: int = 0) -> None:
        self.first = first
        self.asked: Counter[str] = Counter()
        self.absent: set[str] = set()
        self.broken: set[str] = set()
        self.mislabelled: set[str] = set()
        self.holes: set[int] = set()
        self.whole: set[str] = set()
        self.halts: set[int] = set()
        self.versions: dict[str, int] = {}
        self.ended = 1 << 62
        self.listed_until = 1 << 62
        self.status = 200
        self.on_request: Callable[[str], None] = lambda path: None
        self.lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
                with server.lock:
                    server.asked[unquote(path)] += 1
                server.on_request(path)
                status, body, headers = server.answer(unquote(path), query)
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
                pass

        super().__init__(Handler)

    def settings(self, **client: object) -> FetchSettings:
        """Settings with which everything is fetched from here."""
        return FetchSettings(
            client={"futures_base_url": self.url, "max_retries": 0, **client},
            archive={"url": self.url, "listing_url": f"{self.url}/listing", "max_retries": 0},
        )

    def zips(self) -> Counter[str]:
        """How often each zip was asked for, by name."""
        with self.lock:
            return Counter({path.rpartition("/")[2]: n for path, n in self.asked.items() if path.endswith(".zip")})

    def calls(self) -> int:
        """Requests over REST for bars."""
        return self.asked["/fapi/v1/klines"]

    # ---------------------------------------------------------------------------------- answers

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, bytes, dict[str, str]]:
        if path == "/fapi/v1/klines":
            return self._bars(query)
        if path.startswith("/listing"):
            return 200, self._listing({name: values[0] for name, values in query.items()}), {}
        found = _FILE.fullmatch(path)
        name = path.rpartition("/")[2].removesuffix(".CHECKSUM")
        if found is None or name in self.absent or ms_of(found["date"]) >= self.ended:
            return 404, b"<Error><Code>NoSuchKey</Code></Error>", {}
        body = self.zip(name, found["symbol"], found["period"], found["date"])
        if not found["checksum"]:
            return 200, body, {"Content-Type": "application/zip"}
        digest = hashlib.sha256(b"" if name in self.mislabelled else body).hexdigest()
        return 200, f"{digest}  {name}\n".encode(), {}

    def zip(self, name: str, symbol: str, period: str, date: str) -> bytes:
        start = ms_of(date)
        end = candle_end("1M" if period == "monthly" else "1d", start)
        version = self.versions.get(name, 0)
        absent = self.halts if name in self.whole else self.holes | self.halts
        there = [at for at in range(start, end, HOUR) if at not in absent]
        lines = [_HEADER, *(",".join(map(str, bar(symbol, at, version))) for at in there)]
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as file:
            # A fixed time: the same file each time.
            file.writestr(zipfile.ZipInfo(name.replace(".zip", ".csv")), "\n".join(lines) + "\n", zipfile.ZIP_DEFLATED)
        data = held.getvalue()
        return data[: len(data) // 2] if name in self.broken else data

    def _bars(self, query: dict[str, list[str]]) -> tuple[int, bytes, dict[str, str]]:
        if round(time.time() * 1000) >= self.ended:
            return 400, b'{"code": -1121, "msg": "Invalid symbol."}', {}
        if self.status != 200:
            headers = {"Retry-After": "60"} if self.status == 418 else {}
            return self.status, b'{"code": -1003, "msg": "no"}', headers
        start, end, most = (int(query[name][0]) for name in ("startTime", "endTime", "limit"))
        first = max(-(-start // HOUR) * HOUR, self.first)
        rows = [bar(query["symbol"][0], at) for at in range(first, end + 1, HOUR) if at not in self.halts]
        rows = rows[:most]
        return 200, json.dumps(rows).encode(), {"Content-Type": "application/json"}

    def _listing(self, query: dict[str, str]) -> bytes:
        prefix = query.get("prefix", "")
        found = re.fullmatch(r"data/futures/um/(daily|monthly)/klines/(\w+)/1h/", prefix)
        after = query.get("marker") or query.get("continuation-token") or query.get("start-after") or ""
        names: list[tuple[str, int]] = []
        if found is not None and found[2] in ("BTCUSDT", "ETHUSDT"):
            unit, form = ("1M", "%Y-%m") if found[1] == "monthly" else ("1d", "%Y-%m-%d")
            at, now = self.first, round(time.time() * 1000)
            while candle_end(unit, at) <= min(now, self.ended, self.listed_until):
                date = f"{datetime.fromtimestamp(at / 1000, UTC):{form}}"
                name = f"{found[2]}-1h-{date}.zip"
                if name not in self.absent:
                    size = len(self.zip(name, found[2], found[1], date))
                    names += [(f"{prefix}{name}", size), (f"{prefix}{name}.CHECKSUM", 90)]
                at = candle_end(unit, at)
        left = [(name, size) for name, size in sorted(names) if name > after]
        page, more = left[:1000], len(left) > 1000
        contents = "".join(
            f"<Contents><Key>{name}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;x&quot;</ETag>"
            f"<Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
            for name, size in page
        )
        onwards = f"<NextMarker>{page[-1][0]}</NextMarker>" if more else ""
        onwards += f"<NextContinuationToken>{page[-1][0]}</NextContinuationToken>" if more else ""
        return (
            '<?xml version="1.0" encoding="UTF-8"?>'
            '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>data</Name>'
            f"<Prefix>{prefix}</Prefix><MaxKeys>1000</MaxKeys><IsTruncated>{'true' if more else 'false'}</IsTruncated>"
            f"{onwards}{contents}</ListBucketResult>"
        ).encode()


def ms_of(date: str) -> int:
    """The first moment of a day or a month."""
    return ms(date if date.count("-") == 2 else f"{date}-01")


def ms(date: str) -> int:
    return round(datetime.fromisoformat(f"{date}T00:00:00+00:00").timestamp() * 1000)
