"""The commands over HTTP, for a control of the simulator in another process of the same machine.

``POST /_simulator/<name>`` with the arguments as one JSON object; what only reads can also be asked for by GET, with
the arguments as a query. The answer is JSON. ``SimulatorControl`` is a client for it.
"""

from __future__ import annotations

import ipaddress
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from binance_sdk.simulator.asgi import Receive, Scope, Send, send_response
from binance_sdk.simulator.control.client import PREFIX
from binance_sdk.simulator.control.commands import SimulatorCommands
from binance_sdk.simulator.control.registry import COMMANDS, CommandRunner
from binance_sdk.simulator.errors import SimulatorError

_MAX_BODY_BYTES = 1_000_000
_ARGUMENTS: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


class _HttpError(Exception):
    """An error answer; ``args`` are its status and message."""


class ControlApp:
    """The application that answers commands for one simulator."""

    def __init__(self, simulator: SimulatorCommands) -> None:
        self._runner = CommandRunner(simulator)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, answer = 200, None
        try:
            _check_origin(scope)
            answer = self._answer(scope, await _body(receive))
        except _HttpError as refused:
            status, answer = refused.args[0], {"error": refused.args[1]}
        except SimulatorError as error:
            status, answer = 400, {"error": str(error)}
        await send_response(send, status, {"content-type": "application/json"}, to_json(answer))

    def _answer(self, scope: Scope, body: bytes) -> object:
        name = cast("str", scope["path"]).removeprefix(PREFIX)
        command = COMMANDS.get(name)
        if command is None:
            raise _HttpError(404, f"there is no {name!r}; there are {', '.join(sorted(COMMANDS))}")
        method: str = scope["method"]
        if method == "GET" and command.read_only:
            return self._runner.run(name, dict(parse_qsl(scope["query_string"].decode("latin-1"))))
        if method != "POST":
            raise _HttpError(405, f"{name} takes POST" + (" or GET" if command.read_only else ""))
        try:
            arguments = _ARGUMENTS.validate_json(body or b"{}")
        except ValidationError as error:
            raise _HttpError(400, error.errors(include_url=False)[0]["msg"]) from error
        return self._runner.run(name, arguments)


def _check_origin(scope: Scope) -> None:
    """This machine only, and no web page in its browser: those cannot send JSON elsewhere without asking first."""
    headers: dict[bytes, bytes] = dict(scope["headers"])
    host = urlsplit(f"//{headers.get(b'host', b'').decode('latin-1')}").hostname or ""
    if not (_is_loopback(scope["client"][0]) and (host == "localhost" or _is_loopback(host))):
        raise _HttpError(403, "only for this machine")
    if scope["method"] == "POST" and headers.get(b"content-type", b"") != b"application/json":
        raise _HttpError(415, "send application/json")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > _MAX_BODY_BYTES:
            raise _HttpError(413, f"that is too much: at most {_MAX_BODY_BYTES} bytes")
    return body
