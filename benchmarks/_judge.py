"""The exchange in a process of its own: it counts by its own table, and the client under test cannot disturb it.

The exchange, its limits and its commands are the simulator's. Only the sockets are made here, as plain as can be, so
that the machine is left to the client. Started as ``python -m benchmarks._judge '<json>'``; every line it reads on
stdin is a command with its arguments, and each answer a line.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast

from pydantic_core import to_json

from benchmarks._environments import ROOT
from binance_sdk.simulator.control.remote import RemoteCommands

if TYPE_CHECKING:
    from binance_sdk.simulator import Fault, Simulator
    from binance_sdk.simulator.market.symbols import Market
    from binance_sdk.simulator.rest.exchange import Reply

_GRACE_SECONDS = 0.25
"""Requests under way when a refusal leaves are not held against the client for this long."""


class Judge(RemoteCommands):
    """The judge as the measuring process sees it: the commands of a simulator, over a pipe."""

    def __init__(self, **settings: object) -> None:
        """Settings are those of ``Simulator``, and ``skew``: seconds its clock is ahead of ours."""
        self._settings = settings

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "benchmarks._judge", json.dumps(self._settings)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self._ports: dict[str, int] = self._read()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()

    def base_url(self, market: str) -> str:
        """Where the REST API of a market is."""
        return f"http://127.0.0.1:{self._ports[market]}"

    def ask(self, name: str, **arguments: object) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([name, arguments]) + "\n")
        self._process.stdin.flush()
        return self._read()

    def outcomes(self) -> dict[str, str]:
        """The last thing that went wrong with each call, by the number that the call carries in a header."""
        return cast("dict[str, str]", self.ask("outcomes"))

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the judge has ended; its error is above")
        return json.loads(line)


# ---------------------------------------------------------------------------- inside the judge's process


class _Bench:
    """The simulator, and what happened to each call."""

    def __init__(self, skew: float = 0.0, **settings: Any) -> None:
        from binance_sdk.simulator import OffsetClock, Simulator
        from binance_sdk.simulator.control.registry import CommandRunner

        self.simulator: Simulator = Simulator(clock=OffsetClock(skew), grace_seconds=_GRACE_SECONDS, **settings)
        self.exchange = self.simulator._exchange
        self.outcomes: dict[str, str] = {}
        self._commands = CommandRunner(self.simulator)

    def answer(self, name: str, arguments: dict[str, Any]) -> object:
        return self.outcomes if name == "outcomes" else self._commands.run(name, arguments)


class _Connection(asyncio.Protocol):
    """One connection to a market: requests without a body, one after the other."""

    def __init__(self, bench: _Bench, market: Market) -> None:
        self._bench = bench
        self._market: Market = market
        self._buffer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            self._request(head.decode("latin-1"))

    def _request(self, head: str) -> None:
        from binance_sdk.simulator.rest.exchange import Request

        first, *rest = head.split("\r\n")
        method, target, _ = first.split(" ")
        path, _, query = target.partition("?")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        bench, exchange = self._bench, self._bench.exchange
        injected = exchange.draw(self._market, path)
        fault, call = injected.fault, headers.get("x-call")
        if call is not None:
            bench.outcomes[call] = "" if fault is None else fault.kind

        def proceed() -> None:
            reply = exchange.answer(Request(self._market, 0, method, path, query), injected)
            _later(injected.after, lambda: self._write(reply, fault))

        _later(injected.before, proceed)

    def _write(self, reply: Reply, fault: Fault | None) -> None:
        from binance_sdk.simulator.sockets import reset_connection

        transport, body, extra = self._transport, reply.body, ""
        if transport.is_closing():
            return
        kind = "" if fault is None else fault.kind
        if kind == "reset":
            reset_connection(transport)
            return
        if fault is not None and kind == "silence":
            _later(fault.seconds, transport.close)
            return
        if kind == "garbled":
            body = body[: len(body) // 2]
        elif kind == "bad_gzip":
            extra = "content-encoding: gzip\r\n"
        lines = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items())
        head = f"HTTP/1.1 {reply.status} X\r\n{lines}{extra}content-length: {len(body)}\r\n\r\n".encode()
        if fault is None or kind not in ("truncated", "reset_in_body"):
            transport.write(head + body)
            return
        transport.write(head + body[: int(len(body) * fault.share)])
        if kind == "truncated":
            transport.close()
        else:
            reset_connection(transport)


def _later(seconds: float, do: Callable[[], object]) -> None:
    if seconds > 0:
        asyncio.get_running_loop().call_later(seconds, do)
    else:
        do()


async def _main() -> None:
    bench = _Bench(**json.loads(sys.argv[1]))
    loop = asyncio.get_running_loop()
    servers = {
        market: await loop.create_server(partial(_Connection, bench, market), "127.0.0.1", 0, backlog=512)
        for market in bench.exchange.markets
    }
    _say({market: server.sockets[0].getsockname()[1] for market, server in servers.items()})
    reader = asyncio.StreamReader(limit=2**24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        _say(bench.answer(*json.loads(line)))
    for server in servers.values():
        server.close()


def _say(value: object) -> None:
    sys.stdout.write(to_json(value).decode() + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_main())
