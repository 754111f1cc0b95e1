"""What stands between the engine and an HTTP library: one small protocol. Knows none of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from binance_sdk._runtime.response import Headers

MAX_RESPONSE_BYTES = 64 * 1024 * 1024
"""Several times the largest answer Binance has; more is no answer but a fault or an attack."""


OWN_HEADERS = 3
"""Accept, Accept-Encoding, User-Agent."""


@dataclass(frozen=True, slots=True)
class PreparedRequest:
    """A GET request, ready to send."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    timeout: float

    @property
    def secret(self) -> bool:
        """Whether there are headers besides our own: the API key, or those of the user."""
        return len(self.headers) > OWN_HEADERS


@dataclass(frozen=True, slots=True)
class RawResponse:
    """Status, headers and the whole, decompressed body."""

    status_code: int
    headers: Headers
    content: bytes


FailureKind = Literal["timeout", "connect", "local", "broken", "encoding", "too_large", "setup"]


class TransportFailure(Exception):
    """No usable answer; ``kind`` says why, the cause is the library's own exception.

    ``local`` is a fault of this machine, which says nothing about the server. After ``connect``, ``local`` and
    ``setup`` no request has left.

    Attributes:
        via: The end of a message: through which proxy, if any.
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
        """We are the child of a fork and will not use it: what is open goes on in the parent."""
        ...


def check_size(size: int) -> None:
    """Raises TransportFailure for a body of that many bytes, where it is too large to be an answer."""
    if size > MAX_RESPONSE_BYTES:
        raise TransportFailure("too_large", f"the body is larger than {MAX_RESPONSE_BYTES} bytes")


class TooLate(TimeoutError):
    """The time for an answer is over; the text says what has not come."""


def check_time(ends: float) -> None:
    """Raises TooLate after that moment of ``time.monotonic``."""
    if time.monotonic() > ends:
        raise TooLate("the whole answer did not arrive in time")
