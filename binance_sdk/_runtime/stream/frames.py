"""What a frame holds. Events are known by their first bytes and cut out by slicing; only other frames are parsed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

_START = b'{"stream":"'
_AFTER_NAME = b'","data":'
_ENDS = (b"}}", b"]}")
_NAME_AT = len(_START)
_DATA_AFTER = len(_AFTER_NAME)
_READ = json.JSONDecoder().raw_decode
_WHITE_SPACE = re.compile(r"[ \t\r\n]*")
SHUTDOWN = "serverShutdown"


def cut(frame: bytes) -> tuple[bytes, bytes] | None:
    """Name and payload of a combined event as Binance writes it; None for a frame of any other form.

    If a field follows the data, the end of the frame shows that, unless the field is an object itself: see ``inner``.
    """
    if frame.startswith(_START):
        end = frame.find(b'"', _NAME_AT)
        if frame.startswith(_AFTER_NAME, end) and frame.endswith(_ENDS):
            return frame[_NAME_AT:end], frame[end + _DATA_AFTER : -1]
    return None


def inner(name: bytes, payload: bytes) -> bytes | None:
    """The data alone, if ``cut`` took the field behind it for a part of it; None if it did not."""
    try:
        _, text = _members((beginning(name) + payload + b"}").decode())["data"]
    except (ValueError, KeyError, RecursionError):
        return None
    data = text.encode()
    return data if data != payload else None


def beginning(name: bytes) -> bytes:
    """How the events of a stream begin, as Binance writes them."""
    return _START + name + _AFTER_NAME


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer to a request of ours; without ``id`` it is not known to which one."""

    id: object
    result: object
    code: int | None
    message: str


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A combined event that is not written as usual."""

    name: str
    payload: bytes


Other = Reply | Wrapped | Literal["shutdown", "malformed"]


def other(frame: bytes) -> Other:
    """What a frame is for which ``cut`` returned None."""
    try:
        members = _members(frame.decode())
    except (ValueError, RecursionError):
        return "malformed"
    fields: Mapping[str, Any] = {key: value for key, (value, _) in members.items()}
    name, data = fields.get("stream"), fields.get("data")
    if isinstance(name, str) and isinstance(data, (dict, list)):
        if isinstance(data, dict) and cast("Mapping[str, Any]", data).get("e") == SHUTDOWN:
            return "shutdown"
        try:
            name.encode()
        except UnicodeEncodeError:
            # Half of a surrogate pair, which JSON can name and no stream is called.
            return "malformed"
        # The text as it came: a number that is parsed and written again may look different.
        return Wrapped(name, members["data"][1].encode())
    if fields.get("e") == SHUTDOWN:
        return "shutdown"
    # Errors are documented flat, but futures sends them nested.
    nested = fields.get("error")
    error = cast("Mapping[str, Any]", nested) if isinstance(nested, dict) else fields
    code = error.get("code")
    if isinstance(code, int):
        return Reply(fields.get("id", error.get("id")), None, code, str(error.get("msg", "")))
    if "result" in fields:
        return Reply(fields.get("id"), fields["result"], None, "")
    return "malformed"


def _members(text: str) -> dict[str, tuple[Any, str]]:
    """The members of a JSON object, each with its value and the text of that.

    Raises:
        ValueError: it is not an object.
    """
    found: dict[str, tuple[Any, str]] = {}
    at = _expect(text, 0, "{")
    if text.startswith("}", at):
        return found
    while True:
        key, at = _READ(text, at)
        if not isinstance(key, str):
            raise ValueError("a key must be a string")
        start = _expect(text, at, ":")
        value, at = _READ(text, start)
        found[key] = value, text[start:at]
        at = _skip_white_space(text, at)
        if text.startswith("}", at):
            if _skip_white_space(text, at + 1) != len(text):
                raise ValueError("more than one value")
            return found
        at = _expect(text, at, ",")


def _expect(text: str, at: int, mark: str) -> int:
    at = _skip_white_space(text, at)
    if not text.startswith(mark, at):
        raise ValueError(f"{mark} is missing")
    return _skip_white_space(text, at + 1)


def _skip_white_space(text: str, at: int) -> int:
    """The place behind any white space."""
    match = _WHITE_SPACE.match(text, at)
    return at if match is None else match.end()
