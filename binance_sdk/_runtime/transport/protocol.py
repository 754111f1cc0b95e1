"""The protocol between the engine and an HTTP library; independent of any library."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from binance_sdk._runtime.response import Headers

MAX_RESPONSE_BYTES = 64 * 1024 * 1024
"""Several times the largest answer of Binance; a larger one is a fault or an attack."""
OWN_HEADERS = 3
"""Headers that every request has: Accept, Accept-Encoding, User-Agent."""


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """A GET request, ready to send."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    timeout: float

    @property
    def secret(self) -> bool:
        """Whether there are further headers, the API key or the user's, whose values may be secrets."""
        return len(self.headers) > OWN_HEADERS


@dataclass(frozen=True, slots=True)
class RawResponse:
    """Status, headers, and the whole body, decompressed."""

    status_code: int
    headers: Headers
    content: bytes


FailureKind = Literal["timeout", "connect", "local", "broken", "encoding", "too_large", "setup"]


class TransportFailure(Exception):
    """There is no usable answer; ``kind`` says why, and the cause is the exception of the library.

    ``local`` is a fault of this machine and says nothing about the server. After ``connect``, ``local`` and ``setup``
    no request was sent.

    Attributes:
        via: End of a message, which names the proxy if there is one.
    """

    def __init__(self, kind: FailureKind, text: str, via: str = "") -> None:
        super().__init__(text)
        self.kind: FailureKind = kind
        self.via = via


class Transport(Protocol):
    """Sends one request and returns the whole answer."""

    async def send(self, request: PreparedRequest) -> RawResponse: ...

    async def aclose(self) -> None: ...

    def after_fork(self) -> None:
        """Called in the child of a fork, which will not use this transport: the parent goes on using what is open."""
        ...


def check_size(size: int) -> None:
    """Raise TransportFailure for a body of so many bytes if that is too large for an answer."""
    if size > MAX_RESPONSE_BYTES:
        raise TransportFailure("too_large", f"the body is larger than {MAX_RESPONSE_BYTES} bytes")


class TooLate(TimeoutError):
    """The timeout of a request has passed; the text says what is missing."""


def check_time(ends: float) -> None:
    """Raise TooLate after that moment of ``time.monotonic``."""
    if time.monotonic() > ends:
        raise TooLate("the whole answer did not arrive in time")
