"""A loopback exchange that answers with the symbol it was asked for, one thread a connection."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from binance_sdk.catalogue import fixture

_LISTING = {
    **json.loads(fixture("spot", "exchange_info").replace(b'"limit":6000', b'"limit":500000')),
    "serverTime": round(time.time() * 1000),
}
"""With more than any story spends."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        symbol = parse_qs(parts.query).get("symbol", [""])[0]
        # Long enough for parent and child to write on one connection before either reads.
        time.sleep(self.server.pause)
        name = parts.path.rsplit("/", 1)[1]
        if name == "price":
            body = json.dumps({"symbol": symbol, "price": "1.00000000"}).encode()
        elif name == "exchangeInfo":
            body = json.dumps(_LISTING).encode()
        elif name == "klines":
            start = int(parse_qs(parts.query)["startTime"][0])
            limit = int(parse_qs(parts.query).get("limit", ["500"])[0])
            rows = [
                [at, "1", "2", "0.5", "1.5", "10", at + 59_999, "12", 30, "5", "6", "0"]
                for at in range(start, start + limit * 60_000, 60_000)
            ]
            body = json.dumps(rows).encode()
        else:
            body = b"{}"
        self.server.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    pause: float
    asked: list[str]

    def handle_error(self, *args: object) -> None:
        """Say nothing: a client that ends hangs up."""


class EchoExchange:
    """Started by ``with``; ``url`` is its address."""

    def __init__(self, pause: float = 0.003) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.pause, self._server.asked = pause, []
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def asked(self) -> list[str]:
        return list(self._server.asked)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
