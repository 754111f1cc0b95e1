"""A small exchange on loopback that does what the test says: real WebSockets, no market."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from tests.listening import Listener

Answer = tuple[int, dict[str, str], str]
"""Status, headers and body."""
Acks = Literal["ok", "none", "flat error", "nested error"]


@dataclass(eq=False)
class Line:
    """One connection, from the server's side."""

    socket: ServerConnection
    path: str
    query: str
    names: list[str]
    requests: list[dict[str, Any]] = field(default_factory=list)

    async def raw(self, text: str | bytes) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self.socket.send(text)

    async def send(self, name: str, payload: object) -> None:
        body = payload if isinstance(payload, str) else json.dumps(payload, separators=(",", ":"))
        await self.raw(f'{{"stream":"{name}","data":{body}}}')

    def abort(self) -> None:
        self.socket.transport.abort()

    async def close(self, code: int = 1001) -> None:
        await self.socket.close(code)


class Exchange:
    """Listens on loopback while it is entered."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        """Every connection there ever was, in order."""
        self.open: list[Line] = []
        self.acks: Acks = "ok"
        self.refuse: int = 0
        """Refuse this many handshakes with 503."""
        self.answers: list[Answer] = []
        """Refuse the next handshakes with these."""
        self.asked = 0
        """Handshakes, those that were refused included."""
        self.on_line: Callable[[Line], None] | None = None

    async def __aenter__(self) -> Exchange:
        self._listener = Listener()
        self._server = await serve(
            self._serve, sock=self._listener, process_request=self._request, compression=None, ping_interval=None
        )
        self.url = f"ws://{self._listener.address}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._listener.stop()
        for line in list(self.open):
            line.abort()
        self._server.close()
        await self._listener.ended()
        await self._server.wait_closed()

    def _request(self, socket: ServerConnection, request: Any) -> Any:
        self.asked += 1
        if self.answers:
            status, headers, body = self.answers.pop(0)
            response = socket.respond(HTTPStatus(status), body)
            for name, value in headers.items():
                response.headers[name] = value
            return response
        if self.refuse:
            self.refuse -= 1
            return socket.respond(HTTPStatus.SERVICE_UNAVAILABLE, "busy\n")
        return None

    async def _serve(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        context = urlsplit(socket.request.path)
        listed = parse_qs(context.query).get("streams", [""])[0]
        names = [unquote(name) for name in listed.split("/") if name]
        line = Line(socket, context.path, context.query, names)
        self.lines.append(line)
        self.open.append(line)
        if self.on_line is not None:
            self.on_line(line)
        try:
            async for text in socket:
                await self._asked(line, json.loads(text))
        except ConnectionClosed:
            pass
        finally:
            self.open.remove(line)

    async def _asked(self, line: Line, request: dict[str, Any]) -> None:
        line.requests.append(request)
        number = request["id"]
        if self.acks == "none":
            return
        if self.acks == "flat error":
            await line.raw(json.dumps({"code": 2, "msg": "Invalid request", "id": number}))
            return
        if self.acks == "nested error":
            await line.raw(json.dumps({"error": {"code": 4, "msg": "Too many subscriptions"}}))
            return
        if request["method"] == "SUBSCRIBE":
            line.names += request["params"]
        elif request["method"] == "UNSUBSCRIBE":
            line.names = [name for name in line.names if name not in request["params"]]
        await line.raw(json.dumps({"result": None, "id": number}))

    async def send(self, name: str, payload: object) -> None:
        """To everybody who listens to it."""
        for line in list(self.open):
            if name in line.names:
                await line.send(name, payload)


async def eventually(condition: Callable[[], object]) -> None:
    """Until what comes over the loopback has arrived; only a failure takes long."""
    for _ in range(5000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError(f"it never happened: {condition}")
