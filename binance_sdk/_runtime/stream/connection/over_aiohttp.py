"""Connections over bare ``aiohttp``, for ``transport="aiohttp"``."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from inspect import signature
from typing import TYPE_CHECKING, Any, cast

from aiohttp import (
    ClientError,
    ClientResponse,
    ClientSession,
    ClientWebSocketResponse,
    EofStream,
    TraceConfig,
    TraceRequestRedirectParams,
    WebSocketError,
    WSCloseCode,
    WSMsgType,
    WSServerHandshakeError,
)

from binance_sdk._runtime.ending import to_the_end
from binance_sdk._runtime.stream.connection.websocket import (
    BROKE,
    CLOSE_SECONDS,
    MAX_BODY_BYTES,
    MAX_MESSAGE_BYTES,
    OPEN_SECONDS,
    ConnectFailure,
    Receiver,
    WebSocket,
    closed_by_server,
    refusal,
)
from binance_sdk._runtime.transport.network import Network
from binance_sdk._runtime.transport.over_aiohttp import (
    Session,
    connect_failure,
    errors_caught,
    new_session,
    proxy_headers_in_clear,
    request_arguments,
    without_secrets,
)
from binance_sdk._runtime.transport.proxies import Proxy
from binance_sdk._runtime.transport.reasons import reason, through

_BODY_SECONDS = 2.0
_NO_STATUS = 1005
"""The code for a close frame that has none."""

# Newer versions can leave text as bytes, which is what the decoder wants.
_BYTES: dict[str, Any] = (
    {"decode_text": False} if "decode_text" in signature(ClientSession.ws_connect).parameters else {}
)


if TYPE_CHECKING:
    _Response = ClientWebSocketResponse[Any]
else:
    # Older versions are not generic.
    _Response = ClientWebSocketResponse


class _Socket(_Response):
    """Read without ``receive``, whose heartbeat, timeout and answers to pings are not wanted here."""

    def __init__(self, reader: Any, writer: Any, protocol: Any, response: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(reader, writer, protocol, response, *args, **kwargs)
        self.read = reader.read


class _Refused(ClientError):
    """The handshake was answered otherwise than with a WebSocket."""

    def __init__(self, answer: ClientResponse, body: bytes = b"") -> None:
        super().__init__(answer.status)
        self.status = answer.status
        self.headers = dict(answer.headers)
        self.body = body


async def _refuse(session: ClientSession, context: object, redirect: TraceRequestRedirectParams) -> None:
    answer = redirect.response
    answer.close()
    raise _Refused(answer)


# ``ws_connect`` follows redirects and has no argument against that, but it calls this before it follows one.
_NO_REDIRECTS = TraceConfig()
_NO_REDIRECTS.on_request_redirect.append(_refuse)


class _WebSocket:
    """Has a session of its own, since a session must be closed in the event loop in which it was made."""

    def __init__(self, session: Session, socket: _Socket, receiver: Receiver) -> None:
        self._session = session
        self._socket = socket
        self._receiver = receiver
        self._resumed = asyncio.Event()
        self._paused = False
        self._task = asyncio.create_task(self._pump(), name="websocket")

    async def _pump(self) -> None:
        receive, received = self._socket.read, self._receiver.received
        reason = BROKE
        text = WSMsgType.TEXT
        try:
            while True:
                kind, data, extra = await receive()
                if kind is text or kind is WSMsgType.BINARY:
                    received(data if type(data) is bytes else data.encode())
                    if self._paused:
                        await self._resumed.wait()
                elif kind is WSMsgType.PING:
                    self._receiver.pinged(bytes(data))
                elif kind is WSMsgType.PONG:
                    self._receiver.ponged()
                elif kind is WSMsgType.CLOSE:
                    # Nothing comes after it, however long the server takes to close the TCP connection.
                    self._receiver.lost(closed_by_server(data or _NO_STATUS, extra or ""))
                    await self._answer_close(data)
                    return
                else:
                    return
        except (EofStream, ClientError, OSError):
            return
        except WebSocketError as error:
            reason = f"the server broke the protocol: {error.args[-1]}"
        except Exception as error:  # noqa: BLE001
            # No such error is known. If there is one, the stream must go on with another connection.
            reason = f"{type(error).__name__}: {error}"
        finally:
            # However this task ends, the connection ends with it.
            self._receiver.lost(reason)

    async def _answer_close(self, code: int) -> None:
        with contextlib.suppress(TimeoutError, ClientError, OSError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._socket.close(code=code or WSCloseCode.OK)

    async def send(self, text: str) -> None:
        with contextlib.suppress(ClientError, OSError):
            await self._socket.send_str(text)

    async def ping(self) -> None:
        with contextlib.suppress(ClientError, OSError):
            await self._socket.ping()

    async def pong(self, payload: bytes) -> None:
        with contextlib.suppress(ClientError, OSError):
            await self._socket.pong(payload)

    def pause(self) -> None:
        self._paused = True
        self._resumed.clear()

    def resume(self) -> None:
        self._paused = False
        self._resumed.set()

    async def close(self) -> None:
        self.resume()
        self._task.cancel()
        try:
            # Awaiting the task itself, and catching its cancellation, would catch that of the caller as well.
            await asyncio.wait((self._task,))
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._socket.close()
        except (TimeoutError, ClientError, OSError):
            pass
        finally:
            await to_the_end(self._session.close())


class AiohttpConnector:
    """Opens connections with ``aiohttp``."""

    def __init__(self, user_agent: str, network: Network | None = None) -> None:
        self._user_agent = user_agent
        self._network = network or Network()

    async def __call__(self, url: str, receiver: Receiver) -> WebSocket:
        route = self._network.route(url)
        proxy = route.proxy
        session = new_session(
            proxy,
            {"User-Agent": self._user_agent, "Accept-Encoding": "identity", **proxy_headers_in_clear(route, url)},
            socket=_Socket,
            traces=[_NO_REDIRECTS],
            check=_check_accepted,
        )
        connect = cast("Callable[..., Awaitable[_Socket]]", session.client.ws_connect)
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                # Compression costs more CPU than it saves. Pongs are sent by ``Sender``, within the limit of messages.
                socket = await connect(
                    url,
                    autoping=False,
                    autoclose=False,
                    compress=0,
                    max_msg_size=MAX_MESSAGE_BYTES,
                    **request_arguments(self._network, route, url),
                    **_BYTES,
                )
        except BaseException as error:
            await to_the_end(session.close())
            if not isinstance(error, errors_caught(proxy)):
                raise
            raise _failure(error, proxy) from error
        return _WebSocket(session, socket, receiver)

    async def aclose(self) -> None:
        return


async def _check_accepted(response: ClientResponse) -> None:
    """Called with every answer to a handshake. The body of a refusal is read, since it may say until when."""
    if response.status == HTTPStatus.SWITCHING_PROTOCOLS:
        return
    body = b""
    with contextlib.suppress(TimeoutError, ClientError, OSError):
        async with asyncio.timeout(_BODY_SECONDS):
            while len(body) < MAX_BODY_BYTES and (chunk := await response.content.read(MAX_BODY_BYTES - len(body))):
                body += chunk
    refused = _Refused(response, body)
    # Older versions leave that to whoever gets the response, and here nobody does.
    response.close()
    raise refused


def _failure(error: Exception, proxy: Proxy | None) -> ConnectFailure:
    if proxy is not None and proxy.user is not None:
        without_secrets(error)
    via = through(proxy)
    if isinstance(error, _Refused):
        return refusal(error.status, error.headers, error.body, via)
    if isinstance(error, WSServerHandshakeError):
        # Its status is 101: with any other one it was refused before.
        return ConnectFailure(f"no WebSocket: {error.message}{via}")
    if isinstance(error, TimeoutError):
        return ConnectFailure(f"no answer in time{via}")
    failure = connect_failure(error, proxy)
    if failure is not None:
        return ConnectFailure(f"{failure}{via}", setup=failure.kind == "setup")
    return ConnectFailure(f"no connection: {reason(error, proxy).text}{via}")
