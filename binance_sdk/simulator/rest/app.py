"""How replies leave: on time, late, damaged, or not at all. What is wrong below HTTP happens on the real connection."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from binance_sdk.simulator.control.http import PREFIX
from binance_sdk.simulator.faults.requests import NO_FAULT, Fault
from binance_sdk.simulator.rest.exchange import Exchange, Reply, Request

_AT_ONCE = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""SO_LINGER: on, for no time, so that closing sends a reset."""
_PACKED_FROM = 1024
"""Bytes from which an answer is compressed."""
_PIECES = 20
"""Of a body that comes slowly."""
_GZIP = zlib.MAX_WBITS | 16

Answer = Callable[[Scope, Receive, Send], Awaitable[None]]


class Line(Protocol):
    """The connection a request came over."""

    silent: bool

    def hang_up(self) -> None:
        """Send what was written, and close."""

    def reset(self) -> None:
        """Close with a TCP reset; what was not sent yet is lost."""


class ExchangeApp:
    """The application that uvicorn runs; each connection asks for one of its own with ``on``."""

    def __init__(self, exchange: Exchange, aside: Answer | None = None) -> None:
        """``aside`` answers what is asked about the simulator itself."""
        self._exchange = exchange
        self._aside = aside
        self._stopping = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("requests come over a connection, which asks for its application")

    def on(self, line: Line) -> ASGIApp:
        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            path: str = scope["path"]
            if self._aside is not None and path.startswith(PREFIX):
                await self._aside(scope, receive, send)
                return
            injected = self._exchange.draw(path)
            if injected is NO_FAULT:
                await _send(_packed(self._exchange.answer(_request(scope)), scope), send)
                return
            await self._pause(injected.before)
            reply = self._exchange.answer(_request(scope), injected)
            await self._pause(injected.after)
            fault = injected.fault
            if fault is None or fault.answers or fault.differs:
                await _send(_packed(reply, scope), send)
            else:
                await self._damaged(line, fault, reply, scope, receive, send)

        return application

    def stop(self) -> None:
        """End every pause, so that nobody waits for a server that is going away."""
        self._stopping.set()

    async def _pause(self, seconds: float) -> None:
        # Also for a client that has given up: its request is on the way and will be counted.
        if seconds > 0:
            await _first(self._stopping.wait(), seconds)

    async def _damaged(
        self, line: Line, fault: Fault, reply: Reply, scope: Scope, receive: Receive, send: Send
    ) -> None:
        body = reply.body
        match fault.kind:
            case "garbled":
                await _send(_packed(replace(reply, body=body[: len(body) // 2]), scope), send)
            case "bad_gzip":
                await _send(replace(reply, headers={**reply.headers, "content-encoding": "gzip"}), send)
            case "truncated" | "reset_in_body":
                await _begin(reply, send)
                sent = min(int(len(body) * fault.share), len(body) - 1)
                await send({"type": "http.response.body", "body": body[:sent], "more_body": True})
                await _break(line.hang_up if fault.kind == "truncated" else line.reset, receive)
            case "slow_body":
                await _begin(reply, send)
                size = max(1, -(-len(body) // _PIECES))
                for begin in range(0, len(body), size):
                    await self._pause(fault.seconds / _PIECES)
                    more = begin + size < len(body)
                    await send({"type": "http.response.body", "body": body[begin : begin + size], "more_body": more})
            case "silence":
                line.silent = True
                await _first(_gone(receive), fault.seconds)
                await _break(line.hang_up, receive)
            case _:
                await _break(line.reset, receive)


class Connection(H11Protocol):
    """A connection that can also be cut off. Always by h11: what it does must not depend on what else is installed."""

    silent = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        delivery = self.config.app
        assert isinstance(delivery, ExchangeApp)
        self.app = delivery.on(self)

    def shutdown(self) -> None:
        super().shutdown()
        if self.silent:
            self.transport.abort()

    def hang_up(self) -> None:
        self.transport.close()

    def reset(self) -> None:
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()


def _request(scope: Scope) -> Request:
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        accept=headers.get(b"accept", ""),
        api_key=headers.get(b"x-mbx-apikey"),
    )


async def _begin(reply: Reply, send: Send) -> None:
    encoded = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
    encoded.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": encoded})


async def _send(reply: Reply, send: Send) -> None:
    await _begin(reply, send)
    await send({"type": "http.response.body", "body": reply.body})


def _packed(reply: Reply, scope: Scope) -> Reply:
    """The reply as the client accepts it.

    The fastest level: on loopback nobody waits for the bytes, but a client should meet compressed answers.
    """
    if len(reply.body) < _PACKED_FROM:
        return reply
    headers = {**reply.headers, "vary": "Accept-Encoding"}
    if not any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"]):
        return replace(reply, headers=headers)
    headers["content-encoding"] = "gzip"
    return Reply(reply.status, headers, zlib.compress(reply.body, 1, _GZIP))


async def _first(event: Awaitable[object], seconds: float) -> None:
    """Wait for it, but no longer."""
    try:
        async with asyncio.timeout(seconds):
            await event
    except TimeoutError:
        pass


async def _gone(receive: Receive) -> None:
    """Wait until the client is no longer there."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _break(end: Callable[[], None], receive: Receive) -> None:
    """End the connection; uvicorn takes an unfinished answer for a mistake unless it knows that nobody waits for it."""
    end()
    await _gone(receive)
