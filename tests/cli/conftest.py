"""A simulator whose clock stands still, servers that answer as told, and the command line in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from binance_sdk.cli.app import app
from binance_sdk.simulator import ManualClock, Simulator

NOW = 1_800_000_123_456
"""2027-01-15 08:02:03.456 UTC."""


class Cli:
    """Runs the command line in this process."""

    def __call__(self, *arguments: str) -> Ran:
        result = CliRunner().invoke(app, list(arguments), prog_name="binance-sdk")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout_bytes, result.stderr)


class Ran:
    """What a run left behind."""

    def __init__(self, code: int, content: bytes, errors: str) -> None:
        self.code = code
        self.content = content
        self.output = content.decode()
        self.errors = errors


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> Cli:
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return Cli()


@pytest.fixture(scope="session")
def _simulator() -> Iterator[Simulator]:
    with Simulator(seed=1, clock=ManualClock(NOW), history_days=120) as running:
        yield running


@pytest.fixture
def simulator(_simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    """The environment's spot and futures market, with nothing spent."""
    _simulator.reset_limits()
    monkeypatch.setenv("BINANCE_SDK_SPOT_BASE_URL", _simulator.spot_url)
    monkeypatch.setenv("BINANCE_SDK_FUTURES_BASE_URL", _simulator.futures_url)
    return _simulator


@contextmanager
def answering(status: int, body: bytes, headers: dict[str, str] | None = None) -> Iterator[str]:
    """The URL of a server that gives one answer to every path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base names it so
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def start(*arguments: str, code: str | None = None, **variables: str) -> subprocess.Popen[str]:
    """The command line as a user starts it, with its output in pipes."""
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "FORCE_COLOR", "NO_COLOR")}
    program = ["-c", code] if code is not None else ["-m", "binance_sdk"]
    return subprocess.Popen(
        [sys.executable, *program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**kept, "PYTHONIOENCODING": "utf-8", **variables},
    )
