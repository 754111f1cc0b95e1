"""What stands between the engine and an HTTP library: one small protocol. Knows none of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from binance_sdk._runtime.options import Headers

MAX_RESPONSE_BYTES = 64 * 1024 * 1024
"""Several times the largest answer Binance has; more is no answer but a fault or an attack."""


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """A GET request, ready to send."""

    url: str
    headers: Mapping[str, str]
    timeout: float


@dataclass(frozen=True, slots=True)
class RawResponse:
    """Status, headers and the whole, decompressed body."""

    status_code: int
    headers: Headers
    content: bytes


FailureKind = Literal["timeout", "connect", "broken", "encoding", "too_large", "setup"]


class TransportFailure(Exception):
    """No usable answer; ``kind`` says why, the cause is the library's own exception."""

    def __init__(self, kind: FailureKind, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Transport(Protocol):
    """Sends one request and returns the whole answer."""

    async def send(self, request: PreparedRequest) -> RawResponse: ...

    async def aclose(self) -> None: ...


def check_size(size: int) -> None:
    """Raises TransportFailure for a body of that many bytes, where it is too large to be an answer."""
    if size > MAX_RESPONSE_BYTES:
        raise TransportFailure("too_large", f"the body is larger than {MAX_RESPONSE_BYTES} bytes")
