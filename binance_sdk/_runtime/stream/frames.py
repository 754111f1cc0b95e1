"""What a frame is, told from its first bytes: events are cut open by slicing, and only control messages are parsed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

_START = b'{"stream":"'
_AFTER_NAME = b'","data":'
_NAME_AT = len(_START)
_DATA_AFTER = len(_AFTER_NAME)
SHUTDOWN = "serverShutdown"


def cut(frame: bytes) -> tuple[bytes, bytes] | None:
    """Name and payload of a combined event as Binance writes it; None for anything that has another form."""
    if frame.startswith(_START):
        end = frame.find(b'"', _NAME_AT)
        if frame.startswith(_AFTER_NAME, end) and frame.endswith(b"}"):
            return frame[_NAME_AT:end], frame[end + _DATA_AFTER : -1]
    return None


def beginning(name: bytes) -> bytes:
    """How the events of a stream begin, as Binance writes them."""
    return _START + name + _AFTER_NAME


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer to a request of ours; without ``id`` it cannot be said to which."""

    id: object
    result: object
    code: int | None
    message: str


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A combined event that is written in another form than usual."""

    name: str
    payload: bytes


Other = Reply | Wrapped | Literal["shutdown", "malformed"]


def other(frame: bytes) -> Other:
    """Everything that ``cut`` leaves."""
    try:
        value: object = json.loads(frame)
    except (ValueError, RecursionError):
        return "malformed"
    if not isinstance(value, dict):
        return "malformed"
    fields = cast("Mapping[str, Any]", value)
    name, data = fields.get("stream"), fields.get("data")
    if isinstance(name, str) and isinstance(data, (dict, list)):
        if isinstance(data, dict) and cast("Mapping[str, Any]", data).get("e") == SHUTDOWN:
            return "shutdown"
        return Wrapped(name, json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode())
    if fields.get("e") == SHUTDOWN:
        return "shutdown"
    # Documented flat, seen nested on futures.
    nested = fields.get("error")
    error = cast("Mapping[str, Any]", nested) if isinstance(nested, dict) else fields
    code = error.get("code")
    if isinstance(code, int):
        return Reply(fields.get("id", error.get("id")), None, code, str(error.get("msg", "")))
    if "result" in fields:
        return Reply(fields.get("id"), fields["result"], None, "")
    return "malformed"
