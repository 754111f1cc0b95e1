"""Dials for one owner: which host, not before the gate of the address opens, and no more often than a host accepts."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from urllib.parse import urlsplit

from binance_sdk._runtime.operation import Market
from binance_sdk._runtime.stream.connection.connection import Link, Lost
from binance_sdk._runtime.stream.connection.websocket import Wire, WireFailure
from binance_sdk._runtime.stream.context import DIAL_WINDOW, Parts
from binance_sdk._runtime.stream.names import stream_url
from binance_sdk.errors import (
    APIError,
    BinanceError,
    ForbiddenError,
    IPBannedError,
    RateLimitError,
    RestrictedLocationError,
    StreamError,
)

_LOOK_AGAIN = 5.0
"""While the gate is closed, this often is looked whether it has become a ban."""
_LONGEST_TOLD = 300.0
"""Seconds for which a server that is overloaded is left alone at its word; what says more is asked again then."""
_URL_NAMES = 50
_URL_LENGTH = 1800

TOLD_AS_IT_IS = (RateLimitError, IPBannedError, ForbiddenError, RestrictedLocationError)
"""Refusals of a handshake that mean the address or the place, so they are the same error as for a request."""


class Refused(Lost):
    """The handshake was answered with an error.

    Attributes:
        error: The same error as for a request.
    """

    def __init__(self, error: APIError, place: str) -> None:
        super().__init__(f"refused with {str(error).removeprefix(f'{place}: ')}")
        self.error = error


class Dialler:
    """Opens connections to one market and route."""

    def __init__(self, parts: Parts, market: Market, route: str) -> None:
        self._parts = parts
        self._clock = parts.clock
        self._gate = parts.gates.get(market)
        self._bases = parts.urls[market]
        self._route = route
        self._host = 0
        self._dialled: deque[float] = deque(maxlen=parts.dials)
        self.place = self._place()
        """Host, port and path that were dialled last, without the names of the streams."""

    def _place(self) -> str:
        parts = urlsplit(stream_url(self._bases[self._host % len(self._bases)], self._route))
        port = "" if parts.port else f":{443 if parts.scheme == 'wss' else 80}"
        return f"{parts.scheme}://{parts.netloc}{port}{parts.path}"

    def free_at(self) -> float:
        """When the next connection may be dialled at the earliest, in monotonic seconds."""
        gate = 0.0 if self._gate is None else self._gate.closed_until()
        return max(gate, self._dialled[0] + DIAL_WINDOW if len(self._dialled) == self._dialled.maxlen else 0.0)

    def _url(self, names: Sequence[str]) -> tuple[str, Sequence[str]]:
        base = self._bases[self._host % len(self._bases)]
        if len(names) <= _URL_NAMES and all(name.isascii() for name in names):
            url = stream_url(base, self._route, names)
            if len(url) <= _URL_LENGTH:
                return url, names
        return stream_url(base, self._route), ()

    async def dial(self, names: Sequence[str], link: Link) -> tuple[Wire, Sequence[str]]:
        """A connection, and the names that its address has asked for already.

        Raises:
            Refused: an answer, but no connection.
            Lost: no answer.
            StreamError: it can never succeed.
            IPBannedError: nothing was dialled, since the address is banned.
        """
        url, asked = self._url(names)
        self.place = self._place()
        await self._permission(urlsplit(url).netloc)
        sent = self._clock.monotonic()
        self._dialled.append(sent)
        try:
            wire = await self._parts.connector(url, link)
        except WireFailure as failure:
            if failure.setup:
                raise StreamError(f"{self.place}: {failure}") from failure
            self._host += 1
            raise self._lost(failure, sent) from failure
        except BinanceError:
            # The client is set up wrongly: a proxy that is none, certificates that are not there.
            raise
        except Exception as error:
            # Nothing is known that comes here; if something does, it must be caught by who catches our errors.
            raise StreamError(f"{self.place}: no connection: {type(error).__name__}: {error}") from error
        if self._gate is not None:
            self._gate.passed(sent)
        return wire, asked

    async def _permission(self, host: str) -> None:
        while True:
            now = self._clock.monotonic()
            if self._gate is not None:
                self._gate.check(self.place, now)
            closed = max(0.0, self.free_at() - now)
            # Last, since it counts: nothing may come between it and the dialling.
            wait = min(closed, _LOOK_AGAIN) or self._parts.budget.claim(host, now)
            if not wait:
                return
            await self._clock.sleep(wait)

    def _lost(self, failure: WireFailure, sent: float) -> Lost:
        status, now = failure.status_code, self._clock.monotonic()
        if self._gate is not None and status is not None:
            error = self._gate.refused(self.place, status, failure.headers, failure.body, sent=sent, now=now)
            if error is not None:
                return Refused(error, self.place)
        return Lost(str(failure))


def told_pause(error: Exception | str) -> float:
    """Seconds that an overloaded server has asked for; after other refusals the gate says when to go on."""
    told = error.error.retry_after if isinstance(error, Refused) and error.error.status_code >= 500 else None
    return min(told or 0.0, _LONGEST_TOLD)
