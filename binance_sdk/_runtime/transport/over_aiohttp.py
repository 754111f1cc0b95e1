"""The transport protocol over bare aiohttp, for ``transport="aiohttp"``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.request import getproxies

from aiohttp import (
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    DummyCookieJar,
    InvalidURL,
)
from aiohttp.client_exceptions import NonHttpUrlClientError
from aiohttp.http_exceptions import ContentEncodingError, HttpProcessingError
from yarl import URL

from binance_sdk._runtime.options import Headers
from binance_sdk._runtime.transport.per_loop import PerLoop
from binance_sdk._runtime.transport.protocol import PreparedRequest, RawResponse, TransportFailure, check_size

_TIMEOUTS = 64
"""Kept, since nearly every request has the same."""


def new_session(
    headers: Mapping[str, str] | None = None, socket: type[ClientWebSocketResponse[Any]] = ClientWebSocketResponse
) -> ClientSession:
    """A session that remembers nothing; proxies of the environment are looked up only where there are some."""

    return ClientSession(
        headers=headers, cookie_jar=DummyCookieJar(), trust_env=bool(getproxies()), ws_response_class=socket
    )


def _failure(error: Exception) -> TransportFailure:
    name = type(error).__name__
    detail = str(error) or name
    if isinstance(error, TimeoutError):
        return TransportFailure("timeout", f"no answer in time ({name})")
    if isinstance(error, ClientConnectorError):
        return TransportFailure("connect", f"no connection: {detail}")
    if isinstance(error, (InvalidURL, NonHttpUrlClientError, UnicodeError)):
        return TransportFailure("setup", f"not an address: {detail}; check the base URL")
    if isinstance(error, ContentEncodingError) or isinstance(error.__cause__, ContentEncodingError):
        return TransportFailure("encoding", f"the body is not what its Content-Encoding says: {detail}")
    return TransportFailure("broken", f"the connection broke: {detail}")


_CAUGHT = (ClientError, HttpProcessingError, TimeoutError, OSError, UnicodeError, ValueError)


async def _body(response: ClientResponse) -> bytes:
    length = response.content_length
    check_size(length or 0)
    if length is not None and "Content-Encoding" not in response.headers:
        # It cannot become more than it says.
        return await response.read()
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        check_size(size)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


class AiohttpTransport:
    """Over ``aiohttp.ClientSession``, one for each event loop, since connections belong to their loop."""

    def __init__(self) -> None:
        self._own = PerLoop(new_session, lambda own: own.close())
        self._timeouts: dict[float, ClientTimeout] = {}

    def _timeout(self, seconds: float) -> ClientTimeout:
        found = self._timeouts.get(seconds)
        if found is None:
            found = ClientTimeout(total=seconds)
            if len(self._timeouts) < _TIMEOUTS:
                self._timeouts[seconds] = found
        return found

    async def send(self, request: PreparedRequest) -> RawResponse:
        session = await self._own.get()
        try:
            async with session.get(
                URL(request.url, encoded=True),
                headers=request.headers,
                timeout=self._timeout(request.timeout),
                allow_redirects=False,
            ) as response:
                content = await _body(response)
        except _CAUGHT as error:
            raise _failure(error) from error
        return RawResponse(response.status, Headers(response.headers), content)

    async def aclose(self) -> None:
        await self._own.aclose()
