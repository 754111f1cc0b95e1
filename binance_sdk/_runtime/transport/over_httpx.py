"""The transport protocol over httpx. The only module that imports httpx.

``send`` is a coroutine in both transports; the blocking one never suspends, so ``drive`` runs it without a loop.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from typing import Literal, overload

import httpx

from binance_sdk._runtime.options import Headers
from binance_sdk._runtime.transport.per_loop import PerLoop
from binance_sdk._runtime.transport.protocol import PreparedRequest, RawResponse, TransportFailure, check_size
from binance_sdk.errors import ConfigError


def _failure(error: Exception) -> TransportFailure:
    name = type(error).__name__
    detail = str(error) or name
    if isinstance(error, httpx.TimeoutException):
        return TransportFailure("timeout", f"no answer in time ({name})")
    if isinstance(error, TimeoutError):
        return TransportFailure("timeout", "the whole answer did not arrive in time")
    if isinstance(error, httpx.ConnectError):
        return TransportFailure("connect", f"no connection: {detail}")
    if isinstance(error, httpx.DecodingError):
        return TransportFailure("encoding", f"the body is not what its Content-Encoding says: {detail}")
    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError)):
        return TransportFailure("setup", f"not an address: {detail}; check the base URL")
    return TransportFailure("broken", f"the connection broke: {detail}")


_NUMBER = re.compile("[0-9]{1,15}")
_CAUGHT = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, UnicodeError)


def _declared(response: httpx.Response) -> int:
    length = response.headers.get("content-length", "")
    return int(length) if _NUMBER.fullmatch(length) else 0


@overload
def check_client(client: object, *, asynchronous: Literal[True]) -> httpx.AsyncClient | None: ...
@overload
def check_client(client: object, *, asynchronous: Literal[False]) -> httpx.Client | None: ...
def check_client(client: object, *, asynchronous: bool) -> httpx.AsyncClient | httpx.Client | None:
    """A user's ``http_client``, or a ``ConfigError`` that says which kind is wanted."""
    wanted = httpx.AsyncClient if asynchronous else httpx.Client
    if client is None or isinstance(client, wanted):
        return client
    raise ConfigError(f"http_client must be an httpx.{wanted.__name__}, not {type(client).__name__}")


def _check_open(client: httpx.AsyncClient | httpx.Client) -> None:
    if client.is_closed:
        raise TransportFailure("setup", "the http_client is closed")


class AsyncHttpxTransport:
    """Over ``httpx.AsyncClient``: the user's, or one for each event loop, since connections belong to their loop."""

    def __init__(self, client: httpx.AsyncClient | None = None) -> None:
        self._given = client
        self._own = PerLoop(lambda: httpx.AsyncClient(follow_redirects=False), lambda own: own.aclose())

    async def _client(self) -> httpx.AsyncClient:
        if self._given is not None:
            _check_open(self._given)
            return self._given
        return await self._own.get()

    async def send(self, request: PreparedRequest) -> RawResponse:
        client = await self._client()
        try:
            built = client.build_request("GET", request.url, headers=dict(request.headers), timeout=request.timeout)
            # httpx's own timeout is one for each step: an answer that drips could take for ever.
            async with asyncio.timeout(request.timeout):
                response = await client.send(built, stream=True, follow_redirects=False)
                try:
                    check_size(_declared(response))
                    body = bytearray()
                    async for chunk in response.aiter_bytes():
                        body += chunk
                        check_size(len(body))
                finally:
                    await response.aclose()
        except _CAUGHT as error:
            raise _failure(error) from error
        return RawResponse(response.status_code, Headers(response.headers), bytes(body))

    async def aclose(self) -> None:
        await self._own.aclose()


class BlockingHttpxTransport:
    """Over ``httpx.Client``."""

    def __init__(self, client: httpx.Client | None = None) -> None:
        self._given = client
        self._own: httpx.Client | None = None
        self._lock = threading.Lock()

    def _client(self) -> httpx.Client:
        if self._given is not None:
            _check_open(self._given)
            return self._given
        with self._lock:
            if self._own is None:
                self._own = httpx.Client(follow_redirects=False)
            return self._own

    async def send(self, request: PreparedRequest) -> RawResponse:
        client = self._client()
        try:
            built = client.build_request("GET", request.url, headers=dict(request.headers), timeout=request.timeout)
            ends = time.monotonic() + request.timeout
            response = client.send(built, stream=True, follow_redirects=False)
            try:
                check_size(_declared(response))
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    check_size(len(body))
                    if time.monotonic() > ends:
                        raise TimeoutError
            finally:
                response.close()
        except _CAUGHT as error:
            raise _failure(error) from error
        return RawResponse(response.status_code, Headers(response.headers), bytes(body))

    async def aclose(self) -> None:
        with self._lock:
            own, self._own = self._own, None
        if own is not None:
            own.close()
