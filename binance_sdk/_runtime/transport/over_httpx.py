"""The transport protocol, implemented with httpx. The only module that imports httpx.

``send`` is a coroutine in both transports; the blocking one never suspends, so ``drive`` runs it without a loop.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import time
import weakref
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any, Literal, cast, overload

import httpx

from binance_sdk._runtime.ending import to_the_end
from binance_sdk._runtime.locks import IMPORT_LOCK, new_lock
from binance_sdk._runtime.response import Headers
from binance_sdk._runtime.secrets import HiddenBytes, without_frames
from binance_sdk._runtime.transport.decompression import BodyReader
from binance_sdk._runtime.transport.httpcore_backends import DeadlineBackend, TrackingBackend
from binance_sdk._runtime.transport.network import Network, Route, require_socks_package
from binance_sdk._runtime.transport.per_loop import PerLoop
from binance_sdk._runtime.transport.protocol import (
    PreparedRequest,
    RawResponse,
    TooLate,
    TransportFailure,
    check_size,
    check_time,
)
from binance_sdk._runtime.transport.proxies import Proxy
from binance_sdk._runtime.transport.reasons import proxy_refused, reason, through
from binance_sdk.errors import ConfigError

_DIRECT = Route(None, uses_tls=True)
"""Also for a client of the user's, whose proxies we do not know."""
_NUMBER = re.compile("[0-9]{1,15}")
_MOST_URLS, _LONGEST_URL = 256, 512
"""URLs that are kept parsed, as the same ones are asked for again and again."""
_url = lru_cache(_MOST_URLS)(httpx.URL)
_NO_STEP_TIMEOUTS = {"timeout": httpx.Timeout(None).as_dict()}
_CAUGHT = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, UnicodeError)


def _caught(proxy: Proxy | None) -> tuple[type[Exception], ...]:
    if proxy is None or proxy.scheme != "socks5":
        return _CAUGHT
    # socksio raises these, AssertionError included, for the answer of a proxy that does not speak SOCKS.
    return (*_CAUGHT, import_module("socksio").SOCKSError, AssertionError, LookupError, ValueError)


def _failure(error: Exception, proxy: Proxy | None, request: PreparedRequest) -> TransportFailure:
    if request.secret or (proxy is not None and proxy.user is not None):
        # The frames of the libraries hold the headers of the request, and user and password of the proxy.
        without_frames(error)
    via = through(proxy)
    if isinstance(error, (httpx.TimeoutException, TooLate)):
        return TransportFailure("timeout", f"no answer in time ({type(error).__name__})", via)
    if isinstance(error, TimeoutError):
        return TransportFailure("timeout", "the whole answer did not arrive in time", via)
    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError)):
        return TransportFailure("setup", f"invalid URL ({error}); check the base URL", via)
    why = reason(error, proxy)
    if why.ours:
        return TransportFailure("local", why.text, via)
    if isinstance(error, httpx.ProxyError) and proxy is not None:
        return proxy_refused(str(error), proxy)
    if isinstance(error, httpx.ConnectError):
        return TransportFailure("connect", f"no connection: {why.text}", via)
    if isinstance(error, httpx.DecodingError):
        # Raised only where a hook of the user's client reads the body.
        return TransportFailure("encoding", f"the body is not what its Content-Encoding says: {error}", via)
    if proxy is not None and not isinstance(error, _CAUGHT):
        return TransportFailure("connect", "no connection: the proxy does not speak SOCKS 5", via)
    return TransportFailure("broken", f"the connection broke: {why.text}", via)


def _headers(response: httpx.Response) -> Headers:
    try:
        return Headers.of_ascii(response.headers.raw)
    except UnicodeDecodeError:
        # httpx knows in what other ways they may be written.
        return Headers(response.headers)


def _body_reader(response: httpx.Response, headers: Headers, ends: float) -> BodyReader:
    """What collects the body of a response that was opened as a stream, with what was read of it before."""
    length = headers.get("content-length", "")
    check_size(int(length) if _NUMBER.fullmatch(length) else 0)
    if not response.is_stream_consumed:
        return BodyReader(headers.get("content-encoding"), lambda: check_time(ends))
    # A hook of the user's client has read it, or a mock made it: httpx has decompressed it then.
    reader = BodyReader(None, lambda: check_time(ends))
    reader.feed(response.content)
    return reader


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


def _route_of(request: PreparedRequest, network: Network, given: httpx.AsyncClient | httpx.Client | None) -> Route:
    """The route of a request; a client of the user's goes its own."""
    if given is None:
        return network.route(request.url)
    if given.is_closed:
        raise TransportFailure("setup", "the http_client is closed")
    return _DIRECT


class _NoCookies(httpx.Cookies):
    """Keeps no cookie: market data needs none, and a jar would grow with every cookie the server sends.

    As an argument of a client its jar would be taken out of it, which makes three objects of each answer.
    """

    def extract_cookies(self, response: httpx.Response) -> None:
        return


class _Proxy(httpx.Proxy):
    """Hides user and password where httpcore logs what it does."""

    @property
    def raw_auth(self) -> tuple[bytes, bytes] | None:
        auth = super().raw_auth
        return None if auth is None else (HiddenBytes(auth[0]), HiddenBytes(auth[1]))


def _transport_settings(network: Network, route: Route) -> dict[str, Any]:
    proxy = route.proxy
    # Loading the trusted certificates takes 30 ms, which nobody pays where no TLS is used.
    context = network.ssl_context if route.uses_tls else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if proxy is None:
        return {"verify": context, "trust_env": False}
    require_socks_package(proxy, "socksio")
    auth = None if proxy.user is None else (proxy.user, proxy.password)
    given = _Proxy(proxy.url, auth=auth, ssl_context=context if proxy.scheme == "https" else None)
    return {"verify": context, "trust_env": False, "proxy": given}


class _AsyncClients:
    """The clients of one event loop, one for each route."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._made: dict[Route, tuple[httpx.AsyncClient, TrackingBackend]] = {}
        self.closed = False

    def by(self, route: Route) -> tuple[httpx.AsyncClient, TrackingBackend]:
        found = self._made.get(route)
        if found is None:
            transport = httpx.AsyncHTTPTransport(**_transport_settings(self._network, route))
            pool = transport._pool
            backend = pool._network_backend = TrackingBackend(pool._network_backend)
            client = httpx.AsyncClient(transport=transport, trust_env=False)
            client._cookies = _NoCookies()
            found = self._made[route] = client, backend
        return found

    def client(self, route: Route) -> httpx.AsyncClient:
        client, backend = self.by(route)
        if route.over_socks:
            backend.begin()
        return client

    async def aclose(self) -> None:
        """Close what is open now; to be called again after each request that was under way."""
        self.closed = True
        await to_the_end(*(each.aclose() for made in self._made.values() for each in made))


class AsyncHttpxTransport:
    """Sends with ``httpx.AsyncClient``: the user's, or one for each event loop, to which its connections belong."""

    def __init__(self, client: httpx.AsyncClient | None = None, network: Network | None = None) -> None:
        self._given = client
        network = self._network = network or Network()
        self._own = PerLoop(lambda: _AsyncClients(network), lambda own: own.aclose())

    async def _close_opened(self, route: Route, own: _AsyncClients) -> None:
        if self._given is None and route.over_socks:
            await to_the_end(own.by(route)[1].close_opened())

    async def send(self, request: PreparedRequest) -> RawResponse:
        own, given = await self._own.get(), self._given
        route = _route_of(request, self._network, given)
        ends = time.monotonic() + request.timeout
        try:
            if given is None:
                client = own.client(route)
                url = request.url if len(request.url) > _LONGEST_URL else _url(request.url)
                built = httpx.Request("GET", url, headers=request.headers, extensions=_NO_STEP_TIMEOUTS)
            else:
                client = given
                built = client.build_request("GET", request.url, headers=dict(request.headers), timeout=request.timeout)
            # httpx applies its timeout to each step, so an answer that comes byte by byte would never time out.
            async with asyncio.timeout(request.timeout):
                response = await client.send(built, stream=True, follow_redirects=False)
                try:
                    headers = _headers(response)
                    body = _body_reader(response, headers, ends)
                    if not response.is_stream_consumed:
                        # Without the further layers of aiter_raw.
                        async for chunk in cast("httpx.AsyncByteStream", response.stream):
                            body.feed(chunk)
                    content = body.end()
                finally:
                    await response.aclose()
        except BaseException as error:
            await self._close_opened(route, own)
            if not isinstance(error, _caught(route.proxy)):
                raise
            raise _failure(error, route.proxy, request) from error
        finally:
            if own.closed:
                await own.aclose()
        return RawResponse(response.status_code, headers, content)

    async def download(
        self, request: PreparedRequest, into: Callable[[bytes], object], *, whole: float, most: int
    ) -> RawResponse:
        """Send a request for something large, whose body is handed on as it comes and not kept.

        Args:
            request: What to send; its timeout is that of each step.
            into: Takes the parts of the body of an answer with status 200; any other answer keeps its body. What it
                raises must be no ``OSError``, which would be taken for one of the connection.
            whole: Seconds that everything may take.
            most: Bytes that the body may have.

        Raises:
            TransportFailure: There is no such answer.
        """
        route = _route_of(request, self._network, self._given)
        own = await self._own.get()
        try:
            client = own.client(route) if self._given is None else self._given
            built = client.build_request("GET", request.url, headers=dict(request.headers), timeout=request.timeout)
            async with asyncio.timeout(whole):
                response = await client.send(built, stream=True, follow_redirects=False)
                try:
                    if response.status_code != 200:
                        headers = _headers(response)
                        reader = _body_reader(response, headers, time.monotonic() + request.timeout)
                        async for chunk in response.aiter_raw():
                            reader.feed(chunk)
                        return RawResponse(response.status_code, headers, reader.end())
                    encoding = response.headers.get("content-encoding", "identity")
                    if encoding != "identity":
                        raise TransportFailure("encoding", f"the body has the Content-Encoding {encoding!r:.60}")
                    size = 0
                    async for chunk in response.aiter_raw():
                        size += len(chunk)
                        if size > most:
                            raise TransportFailure("too_large", f"the body is larger than {most} bytes")
                        into(chunk)
                finally:
                    await response.aclose()
        except BaseException as error:
            await self._close_opened(route, own)
            if not isinstance(error, _caught(route.proxy)):
                raise
            raise _failure(error, route.proxy, request) from error
        finally:
            if own.closed:
                await own.aclose()
        return RawResponse(200, Headers(response.headers), b"")

    async def aclose(self) -> None:
        await self._own.aclose()

    def after_fork(self) -> None:
        """Nothing to do: the event loops that own the connections run in the parent."""


class _Clients:
    """The clients of one process, one for each route; thread-safe, and each keeps the deadline of its thread."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._made: dict[Route, tuple[httpx.Client, DeadlineBackend]] = {}
        self._lock = new_lock()

    def by(self, route: Route) -> tuple[httpx.Client, DeadlineBackend]:
        found = self._made.get(route)
        if found is None:
            # The first httpx.Client imports more of httpx, and the first look-up of a host name imports this encoding.
            with IMPORT_LOCK, self._lock:
                import_module("encodings.idna")

                found = self._made.get(route) or self._make(route)
                self._made[route] = found
        return found

    def _make(self, route: Route) -> tuple[httpx.Client, DeadlineBackend]:
        transport = httpx.HTTPTransport(**_transport_settings(self._network, route))
        pool = transport._pool
        # httpx has no argument for a network backend; tests check that deadlines hold.
        backend = pool._network_backend = DeadlineBackend(pool._network_backend)
        client = httpx.Client(transport=transport, trust_env=False)
        client._cookies = _NoCookies()
        return client, backend

    def close(self) -> None:
        for client, _ in self._made.values():
            client.close()


class BlockingHttpxTransport:
    """Sends with ``httpx.Client``.

    With a client of the user's, the timeout applies to each step up to the headers, and to the whole after that.
    """

    def __init__(self, client: httpx.Client | None = None, network: Network | None = None) -> None:
        self._given = client
        self._network = network or Network()
        self._own: _Clients | None = None
        self._lock = new_lock()
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def _clients(self) -> _Clients:
        with self._lock:
            if self._own is None:
                self._own = _Clients(self._network)
            return self._own

    def _until(self, ends: float, route: Route) -> httpx.Client:
        client, backend = self._clients().by(route)
        backend.set(ends)
        return client

    def _close_opened(self, route: Route) -> None:
        if self._given is None and route.over_socks:
            self._clients().by(route)[1].close_opened()

    async def send(self, request: PreparedRequest) -> RawResponse:
        given = self._given
        route = _route_of(request, self._network, given)
        ends = time.monotonic() + request.timeout
        try:
            client = self._until(ends, route) if given is None else given
            built = client.build_request("GET", request.url, headers=dict(request.headers), timeout=request.timeout)
            response = client.send(built, stream=True, follow_redirects=False)
            try:
                self._remember(response)
                headers = _headers(response)
                body = _body_reader(response, headers, ends)
                if not response.is_stream_consumed:
                    for chunk in response.iter_raw():
                        body.feed(chunk)
                content = body.end()
            finally:
                response.close()
        except BaseException as error:
            self._close_opened(route)
            if not isinstance(error, _caught(route.proxy)):
                raise
            raise _failure(error, route.proxy, request) from error
        return RawResponse(response.status_code, headers, content)

    async def aclose(self) -> None:
        with self._lock:
            own, self._own = self._own, None
        if own is not None:
            own.close()

    def _remember(self, response: httpx.Response) -> None:
        stream = response.extensions.get("network_stream")
        connected = None if stream is None else stream.get_extra_info("socket")
        if isinstance(connected, socket.socket) and connected not in self._sockets:
            self._sockets.add(connected)

    def after_fork(self) -> None:
        """Close this process's copies of the sockets and nothing else.

        The server does not notice; the connection pool cannot be used, as a thread of the parent may have locked it.
        """
        if self._given is None:
            for connected in list(self._sockets):
                connected.close()
