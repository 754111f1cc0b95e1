"""The command line in this process and in one of its own, and servers that answer as told."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from typer.testing import CliRunner

from binance_sdk.cli.app import app
from tests.loopback_server import LoopbackServer


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

    with LoopbackServer(Handler) as server:
        yield server.url


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
