"""How replies leave: on time, late, damaged, or not at all. Faults below HTTP happen on the real connection."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Protocol

from uvicorn.protocols.http.h11_impl import H11Protocol

from binance_sdk.simulator.asgi import AsgiApp, Receive, Scope, Send, send_head, send_response
from binance_sdk.simulator.faults.requests import NO_FAULT, Fault, Injected
from binance_sdk.simulator.market.symbols import Market
from binance_sdk.simulator.rest.exchange import Exchange, Reply, Request
from binance_sdk.simulator.sockets import reset_connection

_COMPRESS_FROM = 1024
"""Size in bytes from which an answer is compressed."""
_SLOW_BODY_PIECES = 20
_GZIP = zlib.MAX_WBITS | 16


class Connection(Protocol):
    """The connection a request came over."""

    silent: bool

    def hang_up(self) -> None:
        """Send what was written, and close."""

    def reset(self) -> None:
        """Close with a TCP reset; what was not sent yet is lost."""


class AtPort(Protocol):
    """What answers at one port."""

    def draw(self, path: str) -> Injected:
        """What goes wrong with the next request to a path."""
        ...

    async def answer(self, scope: Scope, injected: Injected) -> Reply:
        """The answer to a request, or what the injected fault puts in its place."""
        ...


class MarketAtPort:
    """REST of one market."""

    def __init__(self, exchange: Exchange, market: Market, port: int) -> None:
        self._exchange = exchange
        self._market = market
        self._port = port

    def draw(self, path: str) -> Injected:
        """What goes wrong with the next request to a path."""
        return self._exchange.draw(self._market, path)

    async def answer(self, scope: Scope, injected: Injected) -> Reply:
        """The answer to a request, or what the injected fault puts in its place."""
        return self._exchange.answer(_request(self._market, self._port, scope), injected)


class ExchangeApp:
    """The application that uvicorn runs; each connection asks ``app_for`` for an application of its own."""

    def __init__(self, ports: Mapping[int, AtPort], control: AsgiApp | None = None, control_prefix: str = "") -> None:
        """An application for all ports.

        Args:
            ports: What answers at each.
            control: Answers the paths below ``control_prefix``, which are about the simulator itself.
            control_prefix: See there.
        """
        self._ports = ports
        self._control = control
        self._control_prefix = control_prefix
        self._stopping = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("requests come over an H11Connection, which takes its application from app_for()")

    def app_for(self, connection: Connection, port: int) -> AsgiApp:
        """The application of one connection, which came in at this port."""
        at_port = self._ports[port]

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            path: str = scope["path"]
            if self._control is not None and path.startswith(self._control_prefix):
                await self._control(scope, receive, send)
                return
            injected = at_port.draw(path)
            if injected is NO_FAULT:
                await _send(_compressed(await at_port.answer(scope, injected), scope), send)
                return
            await self._pause(injected.before)
            reply = await at_port.answer(scope, injected)
            await self._pause(injected.after)
            fault = injected.fault
            if fault is None or fault.replaces_answer or fault.changes_rows:
                await _send(_compressed(reply, scope), send)
            else:
                await self._send_damaged(connection, fault, reply, scope, receive, send)

        return app

    def stop(self) -> None:
        """End every pause, so that the server can stop at once."""
        self._stopping.set()

    async def _pause(self, seconds: float) -> None:
        # Also for a client that has given up: its request is on the way and will be counted.
        if seconds > 0:
            await _wait_at_most(seconds, self._stopping.wait())

    async def _send_damaged(
        self, connection: Connection, fault: Fault, reply: Reply, scope: Scope, receive: Receive, send: Send
    ) -> None:
        body = reply.body
        match fault.kind:
            case "garbled":
                await _send(_compressed(replace(reply, body=body[: len(body) // 2]), scope), send)
            case "bad_gzip":
                await _send(replace(reply, headers={**reply.headers, "content-encoding": "gzip"}), send)
            case "truncated" | "reset_in_body":
                await send_head(send, reply.status, reply.headers, len(body))
                sent = min(int(len(body) * fault.share), len(body) - 1)
                await send({"type": "http.response.body", "body": body[:sent], "more_body": True})
                await _break(connection.hang_up if fault.kind == "truncated" else connection.reset, receive)
            case "slow_body":
                await send_head(send, reply.status, reply.headers, len(body))
                size = max(1, -(-len(body) // _SLOW_BODY_PIECES))
                for start in range(0, len(body), size):
                    await self._pause(fault.seconds / _SLOW_BODY_PIECES)
                    more = start + size < len(body)
                    await send({"type": "http.response.body", "body": body[start : start + size], "more_body": more})
            case "silence":
                connection.silent = True
                await _wait_at_most(fault.seconds, _disconnected(receive))
                await _break(connection.hang_up, receive)
            case _:
                await _break(connection.reset, receive)


class H11Connection(H11Protocol):
    """A connection that can be cut off. Always by h11: what it does must not depend on what else is installed."""

    silent = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        exchange_app = self.config.app
        assert isinstance(exchange_app, ExchangeApp)
        self.app: AsgiApp = exchange_app.app_for(self, transport.get_extra_info("sockname")[1])

    def shutdown(self) -> None:
        super().shutdown()
        if self.silent:
            self.transport.abort()

    def hang_up(self) -> None:
        self.transport.close()

    def reset(self) -> None:
        reset_connection(self.transport)


def _request(market: Market, port: int, scope: Scope) -> Request:
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    return Request(
        market=market,
        port=port,
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        accept=headers.get(b"accept", ""),
        api_key=headers.get(b"x-mbx-apikey"),
    )


async def _send(reply: Reply, send: Send) -> None:
    await send_response(send, reply.status, reply.headers, reply.body)


def _compressed(reply: Reply, scope: Scope) -> Reply:
    """The reply, compressed where the client accepts that.

    At the fastest level: on loopback nobody waits for the bytes, but a client should meet compressed answers.
    """
    if len(reply.body) < _COMPRESS_FROM or not reply.compress:
        return reply
    headers = {**reply.headers, "vary": "Accept-Encoding"}
    if not any(name == b"accept-encoding" and b"gzip" in value for name, value in scope["headers"]):
        return replace(reply, headers=headers)
    headers["content-encoding"] = "gzip"
    return Reply(reply.status, headers, zlib.compress(reply.body, 1, _GZIP))


async def _wait_at_most(seconds: float, event: Awaitable[object]) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event
    except TimeoutError:
        pass


async def _disconnected(receive: Receive) -> None:
    """Wait until the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _break(end: Callable[[], None], receive: Receive) -> None:
    """End the connection; uvicorn reports an unfinished answer as an error unless it has seen the disconnect."""
    end()
    await _disconnected(receive)
