"""Binance behind TLS, and proxies that lead to it, on loopback: real sockets, real certificates, names of the exchange.

A proxy here leads everything to the one exchange of the lab, whatever host it is asked for, so no name is looked up.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import trustme
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

TRADE = (
    '{"stream":"btcusdt@trade","data":'
    '{"e":"trade","E":1,"s":"BTCUSDT","t":1,"p":"2.50","q":"1","T":1,"m":true,"M":true}}'
)
USER, PASSWORD = "user", "s3cret:/@#"


def authority() -> trustme.CA:
    return trustme.CA()


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@dataclass
class Seen:
    """What reached somebody."""

    target: str
    """Host and port that a proxy was asked for, or the path of a request."""
    headers: dict[str, str] = field(default_factory=dict[str, str])


class Lab:
    """Runs in a thread of its own while it is entered, so that blocking clients can be tried too."""

    def __init__(self, ca: trustme.CA) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("*.binance.com", "127.0.0.1", "localhost").configure_cert(self._context)
        self.requests: list[Seen] = []
        """Of REST."""
        self.handshakes: list[Seen] = []
        """Of streams."""
        self.redirect: str | None = None
        """Answer every handshake with this address."""
        self.http = _Proxy(self, _speak_http)
        self.https = _Proxy(self, _speak_http, self._context)
        self.socks = _Proxy(self, _speak_socks)

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lab")
        self._thread.start()
        self._do(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _open(self) -> None:
        self._server: Server = await serve(
            self._stream, "127.0.0.1", 0, ssl=self._context, process_request=self._request, compression=None
        )
        self.port: int = next(iter(self._server.sockets)).getsockname()[1]
        for proxy in (self.http, self.https, self.socks):
            await proxy.open()

    async def _close(self) -> None:
        for proxy in (self.http, self.https, self.socks):
            await proxy.close()
        self._server.close()
        await self._server.wait_closed()
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def _request(self, socket: ServerConnection, request: Request) -> Response | None:
        seen = Seen(request.path, {name.lower(): value for name, value in request.headers.raw_items()})
        if "upgrade" in seen.headers:
            self.handshakes.append(seen)
            if self.redirect is not None:
                return Response(302, "Found", Headers({"Location": self.redirect, "Content-Length": "0"}))
            return None
        self.requests.append(seen)
        body = b'{"serverTime":1790000000000}'
        return Response(200, "OK", Headers({"Content-Length": str(len(body))}), body)

    async def _stream(self, socket: ServerConnection) -> None:
        await socket.send(TRADE)
        await socket.wait_closed()


Speak = Callable[["_Proxy", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bool]]


class _Proxy:
    """A proxy that wants user and password where ``password`` is set, and refuses with ``refuse``."""

    def __init__(self, lab: Lab, speak: Speak, context: ssl.SSLContext | None = None) -> None:
        self._lab = lab
        self._speak = speak
        self._context = context
        self._open: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[Any]] = set()
        self.seen: list[Seen] = []
        self.password: str | None = None
        self.refuse: str | None = None

    @property
    def targets(self) -> list[str]:
        return [seen.target for seen in self.seen]

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.place = f"127.0.0.1:{self.port}"

    async def close(self) -> None:
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._open.append(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
            try:
                if await self._speak(self, reader, writer):
                    await self._connect_both(reader, writer)
            finally:
                await _gone(writer)

    async def _connect_both(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward = await asyncio.open_connection("127.0.0.1", self._lab.port)
        self._open.append(onward[1])
        try:
            await asyncio.gather(_copy(reader, onward[1]), _copy(onward[0], writer))
        finally:
            await _gone(onward[1])


async def _gone(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, ssl.SSLError):
        await writer.drain()
    writer.transport.abort()
    await asyncio.sleep(0)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    with contextlib.suppress(OSError, NotImplementedError):
        writer.write_eof()


async def _speak_http(proxy: _Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    proxy.seen.append(Seen(target, headers))
    refuse = proxy.refuse
    if proxy.password is not None and headers.get("proxy-authorization") != basic(USER, proxy.password):
        refuse = "407 Proxy Authentication Required"
    if refuse is not None:
        writer.write(f"HTTP/1.1 {refuse}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
    elif method == "CONNECT":
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    else:
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Length: 28\r\nConnection: close\r\n\r\n" + b'{"serverTime":1790000000000}'
        )
    await writer.drain()
    return refuse is None and method == "CONNECT"


async def _speak_socks(proxy: _Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """RFC 1928 and 1929, as far as a client that connects needs them."""
    _, count = await reader.readexactly(2)
    methods = await reader.readexactly(count)
    wanted = 0 if proxy.password is None else 2
    if wanted not in methods:
        writer.write(b"\x05\xff")
        return False
    writer.write(bytes([5, wanted]))
    if wanted == 2:
        _, length = await reader.readexactly(2)
        user = await reader.readexactly(length)
        password = await reader.readexactly((await reader.readexactly(1))[0])
        good = (user.decode(), password.decode()) == (USER, proxy.password)
        writer.write(b"\x01\x00" if good else b"\x01\x01")
        if not good:
            return False
    _, _, _, kind = await reader.readexactly(4)
    # Only names: to look one up is the business of the proxy.
    assert kind == 3, kind
    host = await reader.readexactly((await reader.readexactly(1))[0])
    port = int.from_bytes(await reader.readexactly(2), "big")
    proxy.seen.append(Seen(f"{host.decode()}:{port}"))
    code = 0 if proxy.refuse is None else 2
    writer.write(bytes([5, code, 0, 1, 0, 0, 0, 0, 0, 0]))
    await writer.drain()
    return code == 0
