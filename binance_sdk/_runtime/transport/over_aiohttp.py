"""The transport protocol, implemented with aiohttp, for ``transport="aiohttp"``."""

from __future__ import annotations

import asyncio
import contextlib
import time
from asyncio.trsock import TransportSocket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib import import_module
from socket import SHUT_RDWR
from typing import Any, cast

from aiohttp import (
    BaseConnector,
    ClientConnectorError,
    ClientError,
    ClientHttpProxyError,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
    ClientWebSocketResponse,
    DummyCookieJar,
    InvalidURL,
    RequestInfo,
    TraceConfig,
)
from aiohttp.client_exceptions import NonHttpUrlClientError
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from binance_sdk._runtime.ending import to_the_end
from binance_sdk._runtime.response import Headers
from binance_sdk._runtime.secrets import without_frames
from binance_sdk._runtime.transport.decompression import BodyReader
from binance_sdk._runtime.transport.network import Network, Route, require_socks_package
from binance_sdk._runtime.transport.per_loop import PerLoop
from binance_sdk._runtime.transport.protocol import (
    PreparedRequest,
    RawResponse,
    TransportFailure,
    check_size,
    check_time,
)
from binance_sdk._runtime.transport.proxies import Proxy
from binance_sdk._runtime.transport.reasons import proxy_refused, reason, through
from binance_sdk.errors import error_chain

_NO_TIMEOUT = ClientTimeout(total=None, connect=None, sock_read=None, sock_connect=None)
"""aiohttp's own timeout takes a cancellation that comes at the same moment for its own, and the task goes on."""
PROXY_AUTHORIZATION = "Proxy-Authorization"
_LAYERS = 6
"""Rounds of the loop until TLS within TLS within TCP has told one another of the end."""


class _Opened:
    """A connection that was opened, and can be ended whatever became of the layers above it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._socket: object = transport.get_extra_info("socket")

    def is_open(self) -> bool:
        if isinstance(self._socket, TransportSocket):
            return self._socket.fileno() >= 0
        return not self._transport.is_closing()

    def shut_down(self) -> None:
        if isinstance(self._socket, TransportSocket):
            # Not its transport: what has been closed twice can no longer be aborted.
            with contextlib.suppress(OSError):
                self._socket.shutdown(SHUT_RDWR)
        else:
            # That of uvloop has no shutdown, and tells its number also when that belongs to another one by now.
            self._transport.abort()


class Session:
    """A ``ClientSession``, and every connection it has opened.

    aiohttp forgets a connection to a proxy that refuses: it begins the end of TLS, and does not wait for it. Where the
    event loop ends first, the socket would stay open.
    """

    def __init__(self, client: ClientSession) -> None:
        self.client = client
        self._opened: list[_Opened] = []
        connector = cast("Any", client.connector)
        connect = connector._wrap_create_connection

        async def remembered(*args: Any, **kwargs: Any) -> Any:
            transport, protocol = await connect(*args, **kwargs)
            self._opened = [opened for opened in self._opened if opened.is_open()]
            self._opened.append(_Opened(transport))
            return transport, protocol

        # Where aiohttp and aiohttp_socks both come by; there is no argument for it, and a test watches over it.
        connector._wrap_create_connection = remembered

    async def close(self) -> None:
        """Close all of it, whatever the other side says to that."""
        try:
            # First: who waits for the rest of an answer hears nothing of the end where aiohttp makes it.
            await self._shut_down()
        finally:
            try:
                await self.client.close()
            finally:
                await self._shut_down()

    async def _shut_down(self) -> None:
        for opened in self._opened:
            opened.shut_down()
        for _ in range(_LAYERS):
            await asyncio.sleep(0)


def new_session(
    proxy: Proxy | None,
    headers: Mapping[str, str] | None = None,
    socket: type[ClientWebSocketResponse[Any]] = ClientWebSocketResponse,
    traces: Sequence[TraceConfig] = (),
    check: Callable[[ClientResponse], Awaitable[None]] | None = None,
) -> Session:
    """A session that keeps no cookies, reads nothing of the environment (not even ``~/.netrc``) and never sends twice.

    ``check`` is called with each response, and raises for those that the caller must not get.

    Raises:
        ConfigError: the proxy speaks SOCKS, and the package for that is missing.
    """
    connector: BaseConnector | None = None
    if proxy is not None and proxy.scheme == "socks5":
        require_socks_package(proxy, "aiohttp_socks")
        socks = import_module("aiohttp_socks")
        connector = cast(
            "BaseConnector",
            socks.ProxyConnector(
                proxy_type=socks.ProxyType.SOCKS5,
                host=proxy.host,
                port=proxy.port,
                username=proxy.user,
                password=None if proxy.user is None else proxy.password,
                rdns=True,
            ),
        )
    session = ClientSession(
        connector=connector,
        headers=headers,
        cookie_jar=DummyCookieJar(),
        trust_env=False,
        # We decompress, in small steps.
        auto_decompress=False,
        ws_response_class=socket,
        trace_configs=list(traces),
        raise_for_status=check or False,
    )
    # When a reused connection breaks, aiohttp sends the request again, and Binance charges it again. Retries are ours:
    # counted, paid for, and as many as the user allows. aiohttp has no argument for this; a test checks it.
    session._retry_connection = False
    return Session(session)


def request_arguments(network: Network, route: Route, url: str) -> dict[str, Any]:
    """Arguments of ``session.get`` for a request that takes this route."""
    arguments: dict[str, Any] = {"ssl": network.ssl_context} if route.uses_tls else {}
    proxy = route.proxy
    if proxy is not None and proxy.scheme != "socks5":
        arguments["proxy"] = proxy.url
        if proxy.authorization is not None and url.startswith(("https:", "wss:")):
            # As a header: the argument proxy_auth would show in the repr of aiohttp's errors.
            arguments["proxy_headers"] = {PROXY_AUTHORIZATION: proxy.authorization}
    return arguments


def proxy_headers_in_clear(route: Route, url: str) -> dict[str, str]:
    """Headers for the proxy in a request that it reads itself, because there is no TLS to the server."""
    proxy = route.proxy
    if proxy is None or proxy.scheme == "socks5" or proxy.authorization is None or url.startswith(("https:", "wss:")):
        return {}
    return {PROXY_AUTHORIZATION: proxy.authorization}


def errors_caught(proxy: Proxy | None) -> tuple[type[Exception], ...]:
    """The exceptions of a request that are turned into a ``TransportFailure``."""
    known = (ClientError, HttpProcessingError, TimeoutError, OSError, UnicodeError, ValueError)
    if proxy is None or proxy.scheme != "socks5":
        return known
    socks = import_module("aiohttp_socks")
    return (*known, socks.ProxyError, socks.ProxyConnectionError, socks.ProxyTimeoutError)


def without_secrets(error: Exception) -> None:
    """Remove headers of the request, user and password of the proxy from the frames and errors of aiohttp."""
    without_frames(error)
    for each in error_chain(error):
        if isinstance(each, ClientResponseError):
            info = each.request_info
            each.request_info = RequestInfo(info.url, info.method, CIMultiDictProxy(CIMultiDict[str]()), info.real_url)
            each.args = (each.request_info, each.history)


def connect_failure(error: Exception, proxy: Proxy | None) -> TransportFailure | None:
    """Why a request was not sent; None where it may have been sent."""
    why = reason(error, proxy)
    via = through(proxy)
    if why.ours:
        return TransportFailure("local", why.text, via)
    if isinstance(error, ClientHttpProxyError) and proxy is not None:
        return proxy_refused(f"{error.status} {error.message}".rstrip(), proxy)
    if isinstance(error, (InvalidURL, NonHttpUrlClientError, UnicodeError)):
        return TransportFailure("setup", f"invalid URL ({error}); check the base URL", via)
    if proxy is not None and type(error).__name__ == "ProxyError":
        return proxy_refused(str(error), proxy)
    if isinstance(error, ClientConnectorError) or type(error).__name__ == "ProxyConnectionError":
        return TransportFailure("connect", f"no connection: {why.text}", via)
    return None


def _failure(error: Exception, proxy: Proxy | None, request: PreparedRequest) -> TransportFailure:
    if request.secret or (proxy is not None and proxy.user is not None):
        without_secrets(error)
    via = through(proxy)
    if isinstance(error, TimeoutError) or type(error).__name__ == "ProxyTimeoutError":
        return TransportFailure("timeout", f"no answer in time ({type(error).__name__})", via)
    broken = TransportFailure("broken", f"the connection broke: {reason(error, proxy).text}", via)
    return connect_failure(error, proxy) or broken


async def _body(response: ClientResponse, ends: float) -> bytes:
    length = response.content_length
    check_size(length or 0)
    encoding = response.headers.get("Content-Encoding")
    if length is not None and encoding is None:
        # It cannot grow beyond its Content-Length.
        return await response.read()
    body = BodyReader(encoding, lambda: check_time(ends))
    async for chunk in response.content.iter_any():
        body.feed(chunk)
    return body.end()


class _Sessions:
    """The sessions of one event loop, one for each route."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._made: dict[Route, Session] = {}
        self.closed = False

    def by(self, route: Route) -> ClientSession:
        session = self._made.get(route)
        if session is None:
            session = self._made[route] = new_session(route.proxy)
        return session.client

    async def close(self) -> None:
        self.closed = True
        await to_the_end(*(session.close() for session in self._made.values()))


class AiohttpTransport:
    """Sends with ``aiohttp.ClientSession``: one for each event loop and route, as connections belong to one loop."""

    def __init__(self, network: Network | None = None) -> None:
        network = self._network = network or Network()
        self._own = PerLoop(lambda: _Sessions(network), lambda own: own.close())

    async def send(self, request: PreparedRequest) -> RawResponse:
        url = request.url
        route = self._network.route(url)
        sessions = await self._own.get()
        ends = time.monotonic() + request.timeout
        try:
            async with (
                asyncio.timeout(request.timeout),
                sessions.by(route).get(
                    URL(url, encoded=True),
                    headers={**request.headers, **proxy_headers_in_clear(route, url)},
                    timeout=_NO_TIMEOUT,
                    allow_redirects=False,
                    **request_arguments(self._network, route, url),
                ) as response,
            ):
                content = await _body(response, ends)
        except Exception as error:
            # In a session that is closed meanwhile aiohttp raises whatever comes of that.
            if not sessions.closed and not isinstance(error, errors_caught(route.proxy)):
                raise
            raise _failure(error, route.proxy, request) from error
        return RawResponse(response.status, Headers(response.headers), content)

    async def aclose(self) -> None:
        await self._own.aclose()

    def after_fork(self) -> None:
        """Nothing to do: the event loops that own the connections run in the parent."""
