"""The control protocol: a message comes in, and what to do and what to answer goes out. No sockets here."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from binance_sdk.simulator.json_text import json_text

_METHODS = ("SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY")
_ID_TEXT = re.compile(r"[A-Za-z0-9]{1,36}")
_INT64 = 2**63
_MOST_PARAMS = {"LIST_SUBSCRIPTIONS": 0, "SET_PROPERTY": 2, "GET_PROPERTY": 1}

Method = Literal["SUBSCRIBE", "UNSUBSCRIBE", "LIST_SUBSCRIPTIONS", "SET_PROPERTY", "GET_PROPERTY"]


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """A request that makes sense."""

    method: Method
    id: int | str | None
    names: Sequence[str] = ()
    value: bool = False


class StreamRequestError(Exception):
    """A request that makes none, in Binance's words."""

    def __init__(self, code: int, message: str, body: object = None) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.id: Any = cast("dict[str, Any]", body).get("id") if isinstance(body, dict) else None

    def answer(self, *, nested: bool) -> bytes:
        """Code and message as they are sent, or inside of ``error``."""
        error: dict[str, Any] = {"code": self.code, "msg": self.message}
        if nested:
            error = {"error": error}
        if _is_id(self.id) and self.id is not None:
            error["id"] = self.id
        return json_text(error)


def answer(request: int | str | None, result: object) -> bytes:
    """What a request is answered that went well."""
    return json_text({"result": result, "id": request})


def parse_request(message: str) -> StreamRequest:
    """Understand a text message.

    Raises:
        StreamRequestError: It is no request.
    """
    try:
        body: Any = json.loads(message)
    except ValueError as error:
        line, column = (error.lineno, error.colno) if isinstance(error, json.JSONDecodeError) else (1, 1)
        raise StreamRequestError(3, f"Invalid JSON: expected value at line {line} column {column}") from None
    end = f"at line 1 column {len(message)}"
    if not isinstance(body, dict) or "method" not in body:
        raise StreamRequestError(2, f"Invalid request: missing field `method` {end}", cast("object", body))
    request = cast("dict[str, Any]", body)
    method = request["method"]
    if method not in _METHODS:
        expected = ", ".join(f"`{name}`" for name in _METHODS)
        column = message.find(str(method)) + len(str(method)) + 1
        raise StreamRequestError(
            2,
            f"Invalid request: unknown variant `{method}`, expected one of {expected} at line 1 column {column}",
            request,
        )
    if "id" not in request or not _is_id(request["id"]):
        raise StreamRequestError(2, "Invalid request: request ID must be an unsigned integer")
    params: Any = request.get("params", [])
    if not isinstance(params, list):
        raise StreamRequestError(2, f"Invalid request: invalid type: expected a sequence {end}", request)
    return _order(method, request, params, end)  # pyright: ignore[reportUnknownArgumentType]


def _order(method: Method, request: dict[str, Any], params: list[Any], end: str) -> StreamRequest:
    if len(params) > _MOST_PARAMS.get(method, len(params)):
        raise StreamRequestError(2, "Invalid request: too many parameters", request)
    if method == "LIST_SUBSCRIPTIONS":
        return StreamRequest(method, request["id"])
    if method in ("SUBSCRIBE", "UNSUBSCRIBE"):
        if "params" not in request:
            raise StreamRequestError(2, f"Invalid request: missing field `params` {end}", request)
        if not all(isinstance(name, str) for name in params):
            raise StreamRequestError(2, f"Invalid request: invalid type: expected a string {end}", request)
        return StreamRequest(method, request["id"], params)
    if not params or not isinstance(params[0], str):
        raise StreamRequestError(2, "Invalid request: property name must be a string", request)
    if params[0] != "combined":
        raise StreamRequestError(0, "Unknown property", request)
    if method == "GET_PROPERTY":
        return StreamRequest(method, request["id"])
    if len(params) < 2 or not isinstance(params[1], bool):
        raise StreamRequestError(1, "Invalid value type: expected Boolean", request)
    return StreamRequest(method, request["id"], value=params[1])


def _is_id(value: object) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return -_INT64 <= value < _INT64
    return value is None or (isinstance(value, str) and _ID_TEXT.fullmatch(value) is not None)
