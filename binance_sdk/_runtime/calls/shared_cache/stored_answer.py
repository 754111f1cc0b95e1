"""An answer as bytes in the store, checked when it is read: who can write to the store can write what is read here.

The bytes are zlib's: it is in the standard library of every Python there is, its checksum shows what was cut short or
changed, and what it expands to can be bounded while it expands. Level 1 makes a twentieth of exchangeInfo.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, cast

from binance_sdk._runtime.response import Answer, Headers, Response
from binance_sdk._runtime.transport.protocol import MAX_RESPONSE_BYTES

FORMAT = 1
"""Of the keys and of what they hold; another format has other keys."""
PREFIX = f"binance-sdk:cache:{{v{FORMAT}}}:"
"""Of all keys, which so are in one hash slot: the bound on what they take together needs that."""
INDEX, SIZES = f"{PREFIX}index", f"{PREFIX}sizes"
MOST_STORED_BYTES = 8 * 1024 * 1024
"""Of one answer, compressed."""
MOST_BYTES_IN_ALL = 64 * 1024 * 1024
"""Of all answers in a store together, compressed."""
_MOST_ABOUT = 64 * 1024
"""Bytes of what is kept beside the body."""
_LEVEL = 1
_MOST_COUNT = 10**12


class WorthlessAnswerError(Exception):
    """What was found is not what this version of the package writes there."""


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What is kept of a response: everything but the decoded data."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes
    weight: int
    used_weight: int | None
    url: str
    elapsed: float
    retries: int

    @classmethod
    def of(cls, response: Response[Any]) -> StoredAnswer:
        # Cookies are for whoever asked.
        headers = {name: text for name, text in response.headers.items() if name != "set-cookie"}
        return cls(
            response.status_code,
            headers,
            response.content,
            response.weight,
            response.used_weight,
            response.url,
            response.elapsed,
            response.retries,
        )

    def response(self, answer: Answer[Any]) -> Response[Any]:
        return Response(
            answer=answer,
            status_code=self.status_code,
            headers=Headers(self.headers),
            content=self.content,
            weight=self.weight,
            used_weight=self.used_weight,
            url=self.url,
            elapsed=self.elapsed,
            retries=self.retries,
        )


@dataclass(frozen=True, slots=True)
class AnswerKeys:
    """Names in the store of the answer to one request, and of the lock of whoever gets it."""

    identity: str
    """Kept with the answer, and compared when it is read."""
    answer: str
    lock: str

    @classmethod
    def of(cls, operation: str, spec_hash: str, url: str, options: object) -> AnswerKeys:
        """The names.

        Args:
            operation: E.g. ``spot.klines``; it stands in them for people.
            spec_hash: Of the spec that decodes the answer: versions with other specs have other keys.
            url: Where the request goes: host, path and parameters in the order of the spec.
            options: Only callers with equal ones wait for each other.
        """
        identity = f"{spec_hash} {url}"
        answer = f"{PREFIX}{operation}:{sha256(identity.encode()).hexdigest()[:32]}"
        return cls(identity, answer, f"{answer}:{sha256(repr(options).encode()).hexdigest()[:8]}")


def pack(identity: str, answer: StoredAnswer) -> bytes:
    """The answer as bytes."""
    about = {
        "identity": identity,
        "status_code": answer.status_code,
        "headers": dict(answer.headers),
        "weight": answer.weight,
        "used_weight": answer.used_weight,
        "url": answer.url,
        "elapsed": answer.elapsed,
        "retries": answer.retries,
    }
    packer = zlib.compressobj(_LEVEL)
    text = json.dumps(about, ensure_ascii=True, separators=(",", ":")).encode()
    return packer.compress(text + b"\n") + packer.compress(answer.content) + packer.flush()


def unpack(identity: str, body: bytes) -> StoredAnswer:
    """The answer in bytes of the store.

    Raises:
        WorthlessAnswerError: they hold none, or that to another request.
    """
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(body, MAX_RESPONSE_BYTES + _MOST_ABOUT)
    except zlib.error as error:
        raise WorthlessAnswerError(f"is not compressed: {error}") from None
    if unpacker.unconsumed_tail:
        raise WorthlessAnswerError(f"is more than {MAX_RESPONSE_BYTES} bytes large")
    if not unpacker.eof or unpacker.unused_data:
        raise WorthlessAnswerError("is cut short" if not unpacker.eof else "goes on after its end")
    text, separator, content = plain.partition(b"\n")
    if not separator or len(text) > _MOST_ABOUT:
        raise WorthlessAnswerError("says nothing about itself")
    try:
        found: object = json.loads(text)
    except (ValueError, RecursionError):
        raise WorthlessAnswerError("says nothing about itself") from None
    return replace(_about(found, identity), content=content)


def _about(found: object, identity: str) -> StoredAnswer:
    if not isinstance(found, dict):
        raise WorthlessAnswerError("says nothing about itself")
    fields = cast("dict[str, object]", found)
    if fields.get("identity") != identity:
        raise WorthlessAnswerError("answers another request")
    used = fields.get("used_weight")
    return StoredAnswer(
        status_code=_count(fields, "status_code"),
        headers=_headers(fields.get("headers")),
        content=b"",
        weight=_count(fields, "weight"),
        used_weight=None if used is None else _count(fields, "used_weight"),
        url=_text(fields, "url"),
        elapsed=_seconds(fields, "elapsed"),
        retries=_count(fields, "retries"),
    )


def _count(fields: Mapping[str, object], name: str) -> int:
    value = fields.get(name)
    if type(value) is not int or not 0 <= value <= _MOST_COUNT:
        raise WorthlessAnswerError(f"has no {name}")
    return value


def _seconds(fields: Mapping[str, object], name: str) -> float:
    value = fields.get(name)
    if type(value) not in (int, float) or not 0 <= cast("float", value) <= _MOST_COUNT:
        raise WorthlessAnswerError(f"has no {name}")
    return float(cast("float", value))


def _text(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise WorthlessAnswerError(f"has no {name}")
    return value


def _headers(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise WorthlessAnswerError("has no headers")
    found = cast("dict[str, object]", value)
    return {name: _text(found, name) for name in found}
