"""WebSockets over ``websockets``. The only module that imports it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidProxyStatus, InvalidStatus, InvalidURI, ProxyError, WebSocketException
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import Event, State
from websockets.version import version as websockets_version

from binance_sdk._runtime.secrets import without_frames
from binance_sdk._runtime.stream.connection.websocket import (
    BROKE,
    CLOSE_SECONDS,
    MAX_MESSAGE_BYTES,
    OPEN_SECONDS,
    ConnectFailure,
    Receiver,
    WebSocket,
    closed_by_server,
    refusal,
)
from binance_sdk._runtime.transport.network import Network, Route, require_socks_package
from binance_sdk._runtime.transport.proxies import Proxy
from binance_sdk._runtime.transport.reasons import proxy_refused, reason, through
from binance_sdk.errors import ConfigError, error_chain

_WHOLE_TEXT = 0x81
_PING = 0x89
_LONGEST_HANDSHAKE = 65_536
_UNQUOTES_CREDENTIALS = int(websockets_version.partition(".")[0]) >= 17
"""Older versions send user and password of a proxy as they stand in its URL, with percent signs."""


class _Connection(ClientConnection):
    """Passes frames on without the queue of the library, which costs a third of the throughput."""

    receiver: Receiver | None = None
    _fragments: bytes | None = None
    """The beginning of a message that comes in several frames."""
    _early: list[bytes] | None = None
    """Messages that came before there was a receiver."""

    _head: bytearray | None = bytearray()
    """The answer to the handshake, as far as it has come; None when it is complete."""
    _carry = b""
    """The beginning of a frame whose end has not come yet."""
    _splits = False
    """Whether frames are split here. The library then gets whole frames only, so that it always expects a new one."""

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            self._read_handshake(data)
        elif self._splits:
            self._split(data)
        else:
            super().data_received(data)

    def _read_handshake(self, data: bytes) -> None:
        head = self._head = (self._head or bytearray()) + data
        end = head.find(b"\r\n\r\n")
        if end < 0 and len(head) <= _LONGEST_HANDSHAKE:
            return
        self._head = None
        end = len(head) if end < 0 else end + 4
        super().data_received(bytes(head[:end]))
        self._splits = self.protocol.state is State.OPEN
        if len(head) > end:
            self.data_received(bytes(head[end:]))

    def _split(self, data: bytes) -> None:
        """Pass on text that is one frame, without the library's parser, which is half of its work.

        Pings are passed on too: the library would answer each at once, however few messages a second are allowed.
        Everything else goes to the library.
        """
        if self._carry:
            data = self._carry + data
            self._carry = b""
        receiver, at, size = self.receiver, 0, len(data)
        while size - at >= 2:
            length, start = data[at + 1], at + 2
            if length > 125:
                # The highest bit would be a mask, which a server must not use: the library raises the error.
                width = {126: 2, 127: 8}.get(length, 0)
                if size < start + width:
                    break
                length = int.from_bytes(data[start : start + width], "big")
                start += width
                if not width or length > MAX_MESSAGE_BYTES:
                    self._splits = False
                    super().data_received(data[at:])
                    return
            end = start + length
            if end > size:
                break
            if data[at] == _WHOLE_TEXT and self._fragments is None and receiver is not None:
                receiver.received(data[start:end])
            elif data[at] == _PING and receiver is not None and self.protocol.state is State.OPEN:
                receiver.pinged(data[start:end])
            else:
                super().data_received(data[at:end])
            at = end
        self._carry = data[at:] if at else data

    def process_event(self, event: Event) -> None:
        if isinstance(event, Response) or self.response is None:
            # The library does the handshake.
            super().process_event(event)
            return
        if not isinstance(event, Frame):
            return
        opcode = event.opcode
        if opcode is Opcode.TEXT or opcode is Opcode.BINARY or opcode is Opcode.CONT:
            self._data(event)
        elif opcode is Opcode.PONG:
            self.acknowledge_pings(bytes(event.data))
            if self.receiver is not None:
                self.receiver.ponged()
        elif opcode is Opcode.CLOSE and self.receiver is not None:
            # The library has answered. Nothing comes after it, however late the server closes the TCP connection.
            self.receiver.lost(self._reason())

    def _data(self, frame: Frame) -> None:
        data = frame.data
        if self._fragments is not None:
            data = self._fragments + data
            self._fragments = None
        if not frame.fin:
            self._fragments = bytes(data)
        elif self.receiver is not None:
            self.receiver.received(data if type(data) is bytes else bytes(data))
        else:
            # It came in the same packet as the handshake, before there was a receiver.
            self._early = [*(self._early or ()), bytes(data)]

    def listen(self, receiver: Receiver) -> None:
        self.receiver = receiver
        early, self._early = self._early, None
        for data in early or ():
            receiver.received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.receiver is not None:
            self.receiver.lost(self._reason())

    def _reason(self) -> str:
        close = self.protocol.close_rcvd
        if close is not None:
            return closed_by_server(int(close.code), close.reason)
        return BROKE


class _WebSocket:
    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    async def send(self, text: str) -> None:
        # The sender learns of a lost connection from ``Receiver.lost``.
        with contextlib.suppress(WebSocketException, OSError):
            await self._connection.send(text)

    async def ping(self) -> None:
        with contextlib.suppress(WebSocketException, OSError):
            await self._connection.ping()

    async def pong(self, payload: bytes) -> None:
        with contextlib.suppress(WebSocketException, OSError):
            await self._connection.pong(payload)

    def pause(self) -> None:
        with contextlib.suppress(RuntimeError):
            self._connection.transport.pause_reading()

    def resume(self) -> None:
        with contextlib.suppress(RuntimeError):
            self._connection.transport.resume_reading()

    async def close(self) -> None:
        connection = self._connection
        self.resume()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await connection.close()
        except (TimeoutError, WebSocketException, OSError):
            pass
        finally:
            connection.transport.abort()
        with contextlib.suppress(TimeoutError, WebSocketException, OSError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await connection.wait_closed()


class _Connect(connect):
    """Does not follow redirects to another host."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


def _close_what_was_opened(error: BaseException) -> None:
    """Close the connection to a proxy that refused, or that said nothing in time.

    Older versions of websockets begin the end of TLS and leave the rest to an event loop that may end first; after a
    timeout they do nothing at all. Only the frames of the failed attempt still know the connection.
    """
    for each in error_chain(error):
        trace = each.__traceback__
        while trace is not None:
            transport = trace.tb_frame.f_locals.get("transport")
            if isinstance(transport, asyncio.WriteTransport):
                transport.abort()
            trace = trace.tb_next


@contextlib.contextmanager
def _failures(proxy: Proxy | None) -> Generator[None, None, None]:
    try:
        yield
    except (WebSocketException, OSError, EOFError, ValueError) as error:
        if proxy is not None and proxy.user is not None:
            # User and password are local variables of the library, which the traceback would keep.
            without_frames(error)
        raise _failure(error, proxy) from error


def _failure(error: Exception, proxy: Proxy | None) -> ConnectFailure:
    via = through(proxy)
    if isinstance(error, InvalidURI):
        return ConnectFailure(f"invalid URL ({error}); check the stream URL", setup=True)
    if isinstance(error, InvalidStatus):
        answer = error.response
        return refusal(answer.status_code, dict(answer.headers.raw_items()), bytes(answer.body or b""), via)
    if isinstance(error, TimeoutError):
        return ConnectFailure(f"no answer in time{via}")
    if isinstance(error, ProxyError) and proxy is not None:
        text = str(error.__cause__ or error)
        if isinstance(error, InvalidProxyStatus):
            text = f"{error.response.status_code} {error.response.reason_phrase}".rstrip()
        refused = proxy_refused(text, proxy)
        return ConnectFailure(f"{refused}{via}", setup=refused.kind == "setup")
    why = reason(error, proxy)
    return ConnectFailure(f"{why.text if why.ours else f'no connection: {why.text}'}{via}")


def _url(proxy: Proxy) -> str:
    if _UNQUOTES_CREDENTIALS:
        return proxy.url_with_credentials
    url = proxy.url_with_plain_credentials
    if url is None:
        raise ConfigError(
            f"{proxy.source}: user or password of the proxy {proxy.address} have characters that websockets "
            f"{websockets_version} cannot send; install websockets 17 or newer, or use transport='aiohttp'"
        )
    return url


class WebsocketsConnector:
    """Opens connections with ``websockets``."""

    def __init__(self, user_agent: str, network: Network | None = None) -> None:
        self._user_agent = user_agent
        self._network = network or Network()

    def _connect_arguments(self, route: Route, url: str) -> dict[str, Any]:
        arguments: dict[str, Any] = {"ssl": self._network.ssl_context} if url.startswith("wss:") else {}
        proxy = route.proxy
        if proxy is None:
            return {**arguments, "proxy": None}
        require_socks_package(proxy, "python_socks")
        if proxy.scheme == "https":
            arguments["proxy_ssl"] = self._network.ssl_context
        scheme, rest = _url(proxy).split("://", 1)
        # With socks5 the library would look up the host itself. httpx leaves that to the proxy, which may be the only
        # one that can.
        arguments["proxy"] = f"{'socks5h' if scheme == 'socks5' else scheme}://{rest}"
        return arguments

    async def __call__(self, url: str, receiver: Receiver) -> WebSocket:
        route = self._network.route(url)
        with _failures(route.proxy):
            try:
                connection = await _Connect(
                    url,
                    create_connection=_Connection,
                    user_agent_header=self._user_agent,
                    # Compression costs more CPU than it saves. ``Sender`` pings, within the limit of messages.
                    compression=None,
                    ping_interval=None,
                    open_timeout=OPEN_SECONDS,
                    close_timeout=CLOSE_SECONDS,
                    max_size=MAX_MESSAGE_BYTES,
                    **self._connect_arguments(route, url),
                )
            except BaseException as error:
                if route.proxy is not None:
                    _close_what_was_opened(error)
                raise
        assert isinstance(connection, _Connection)
        connection.listen(receiver)
        return _WebSocket(connection)

    async def aclose(self) -> None:
        return
