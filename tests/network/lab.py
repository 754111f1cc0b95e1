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
from websockets.version import version as websockets_version

from tests.listening import Listener

TRADE = (
    '{"stream":"btcusdt@trade","data":'
    '{"e":"trade","E":1,"s":"BTCUSDT","t":1,"p":"2.50","q":"1","T":1,"m":true,"M":true}}'
)
TIME = b'Content-Length: 28\r\n\r\n{"serverTime":1790000000000}'
# Older versions of websockets cannot send every character.
USER, PASSWORD = "user", "s3cret:/@#" if int(websockets_version.partition(".")[0]) >= 17 else "s3cret:@%41"


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@dataclass
class Seen:
    """What reached somebody."""

    target: str
    """Host and port that a proxy was asked for, or the path of a request."""
    headers: dict[str, str] = field(default_factory=dict[str, str])


class Door:
    """A listener that knows its connections, and waits for them when it is closed."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._context = context
        self._open: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    async def open(self) -> None:
        self._listener = Listener()
        self._server = await asyncio.start_server(self._enter, sock=self._listener, ssl=self._context)
        self.port = self._listener.port
        self.address = self._listener.address

    async def close(self) -> None:
        await self._listener.stop()
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._listener.ended()

    async def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._open.append(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
            await self.serve(reader, writer)
            await writer.drain()
        writer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError


class Rest(Door):
    """Answers every request with the time."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__(context)
        self.seen: list[Seen] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            _, target, headers = await _head(reader)
            self.seen.append(Seen(target, headers))
            writer.write(b"HTTP/1.1 200 OK\r\n" + TIME)


class Streams:
    """Takes every handshake, and sends one trade."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self.seen: list[Seen] = []
        self.redirect: str | None = None
        """Answer every handshake with this address."""

    async def open(self) -> None:
        self._listener = Listener()
        self.port = self._listener.port
        self._server: Server = await serve(
            self._stream, sock=self._listener, ssl=self._context, process_request=self._handshake, compression=None
        )

    async def close(self) -> None:
        await self._listener.stop()
        self._server.close()
        # Before it waits: it waits for handshakes too, and some are never finished.
        await self._listener.ended()
        await self._server.wait_closed()

    def _handshake(self, socket: ServerConnection, request: Request) -> Response | None:
        self.seen.append(Seen(request.path, {name.lower(): value for name, value in request.headers.raw_items()}))
        if self.redirect is not None:
            return Response(302, "Found", Headers({"Location": self.redirect, "Content-Length": "0"}))
        return None

    async def _stream(self, socket: ServerConnection) -> None:
        await socket.send(TRADE)
        await socket.wait_closed()


class Proxy(Door):
    """A proxy that wants user and password where ``password`` is set, and refuses where ``refuse`` says how."""

    def __init__(self, lab: Lab, speak: Speak, context: ssl.SSLContext | None = None) -> None:
        super().__init__(context)
        self._lab = lab
        self._speak = speak
        self.seen: list[Seen] = []
        self.password: str | None = None
        self.refuse: str | None = None

    @property
    def targets(self) -> list[str]:
        return [seen.target for seen in self.seen]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target = await self._speak(self, reader, writer)
        if target is None:
            return
        lab = self._lab
        port = lab.streams.port if target.startswith("stream.") else lab.rest.port
        there, onward = await asyncio.open_connection("127.0.0.1", port)
        self._open.append(onward)
        await asyncio.gather(_copy(reader, onward), _copy(there, writer))


Speak = Callable[[Proxy, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[str | None]]


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, ssl.SSLError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _head(reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str]]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ")
    headers = [line.partition(":") for line in lines[1:] if line]
    return method, target, {name.lower(): value.strip() for name, _, value in headers}


async def _speak_http(proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str | None:
    method, target, headers = await _head(reader)
    proxy.seen.append(Seen(target, headers))
    refuse = proxy.refuse
    if proxy.password is not None and headers.get("proxy-authorization") != basic(USER, proxy.password):
        refuse = "407 Proxy Authentication Required"
    if refuse is not None:
        writer.write(f"HTTP/1.1 {refuse}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        return None
    if method != "CONNECT":
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + TIME)
        return None
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    return target


async def _speak_socks(proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str | None:
    """RFC 1928 and 1929, as far as a client that connects needs them."""
    _, count = await reader.readexactly(2)
    methods = await reader.readexactly(count)
    wanted = 0 if proxy.password is None else 2
    if wanted not in methods:
        writer.write(b"\x05\xff")
        return None
    writer.write(bytes([5, wanted]))
    if wanted == 2:
        _, length = await reader.readexactly(2)
        user = await reader.readexactly(length)
        password = await reader.readexactly((await reader.readexactly(1))[0])
        good = (user.decode(), password.decode()) == (USER, proxy.password)
        writer.write(b"\x01\x00" if good else b"\x01\x01")
        if not good:
            return None
    _, _, _, kind = await reader.readexactly(4)
    # Only names: to look one up is the business of the proxy.
    assert kind == 3, kind
    host = await reader.readexactly((await reader.readexactly(1))[0])
    port = int.from_bytes(await reader.readexactly(2), "big")
    target = f"{host.decode()}:{port}"
    proxy.seen.append(Seen(target))
    writer.write(bytes([5, 0 if proxy.refuse is None else 2, 0, 1, 0, 0, 0, 0, 0, 0]))
    return target if proxy.refuse is None else None


class Lab:
    """Runs in a thread of its own while it is entered, so that blocking clients can be tried too."""

    def __init__(self, ca: trustme.CA) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("*.binance.com", "127.0.0.1", "localhost").configure_cert(context)
        self.rest = Rest(context)
        self.streams = Streams(context)
        self.http = Proxy(self, _speak_http)
        self.https = Proxy(self, _speak_http, context)
        self.socks = Proxy(self, _speak_socks)

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lab")
        self._thread.start()
        for part in (self.rest, self.streams, self.http, self.https, self.socks):
            self._do(part.open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for part in (self.http, self.https, self.socks, self.rest, self.streams):
            self._do(part.close())
        self._do(asyncio.sleep(0))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)
