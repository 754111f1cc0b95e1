"""One WebSocket connection: frames in, control answers and events out, and every way in which it can end."""

from __future__ import annotations

import asyncio
import re
import struct
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from websockets.asyncio.server import ServerConnection
from websockets.frames import Frame, Opcode
from websockets.protocol import Event, State

from binance_sdk.simulator.faults.damage import bad_row, from_the_future
from binance_sdk.simulator.faults.streams import StreamFault
from binance_sdk.simulator.sockets import reset_connection
from binance_sdk.simulator.streams.coin_m import as_coin_m
from binance_sdk.simulator.streams.names import StreamName
from binance_sdk.simulator.streams.requests import StreamRequest, StreamRequestError, answer, parse_request

if TYPE_CHECKING:
    from binance_sdk.simulator.streams.hub import Hub
    from binance_sdk.simulator.streams.limits import StreamLimits
    from binance_sdk.simulator.streams.protocols import StreamProtocol

_POLICY_VIOLATION = 1008
_TIMES = re.compile(rb'("(?:E|T|t|O|C)":)([1-9][0-9]{12})(?=[,}])')
_MAX_UNSENT_BYTES = 256 * 2**20
"""Bytes that may wait for a client that does not read; with more the connection is reset."""
_WRITE_BYTES = 2**20
"""Frames are written together, about so many bytes. From Python 3.12 on a transport adds up all the pieces that wait
in it at every write, so that the hundred thousand events of a jump of the clock would take minutes one by one."""


@dataclass(frozen=True, slots=True)
class Address:
    """What the URL of a connection asks for."""

    route: str = ""
    combined: bool = False
    names: tuple[str, ...] = ()
    microseconds: bool = False


def text_frame(payload: bytes) -> bytes:
    """A whole text message from the server, ready for the socket."""
    size = len(payload)
    if size < 126:
        return bytes((0x81, size)) + payload
    if size < 65_536:
        return b"\x81\x7e" + struct.pack("!H", size) + payload
    return b"\x81\x7f" + struct.pack("!Q", size) + payload


def wrapped(name: str, payload: bytes) -> bytes:
    """An event as combined connections carry it."""
    return b'{"stream":"%s","data":%s}' % (name.encode(), payload)


def in_microseconds(payload: bytes) -> bytes:
    """An event for a connection that asked for ``timeUnit=MICROSECOND``."""

    def longer(match: re.Match[bytes]) -> bytes:
        # The close time of a bar is its last microsecond.
        return match[1] + match[2] + (b"999" if match[2].endswith(b"999") and match[1] == b'"T":' else b"000")

    return _TIMES.sub(longer, payload)


class Listener(Protocol):
    """The server that took a connection, as the connection sees it."""

    protocol: StreamProtocol
    hub: Hub
    limits: StreamLimits
    now: Callable[[], int]
    sockets: set[StreamConnection]
    """All connections, also those that are still shaking hands."""
    received: int
    over_limit: int

    def catch_up(self) -> None:
        """Send what is due before anything else happens."""
        ...

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that takes a while."""
        ...


class StreamConnection(ServerConnection):
    """The connection of one client."""

    def __init__(self, *args: Any, stream_server: Listener, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stream_server = stream_server
        self.address: Address = Address()
        self.combined: bool = False
        self.frozen: bool = False
        self.opened: bool = False
        # When the handshake was; the clock may move as soon as the client has the answer.
        self.since = 0
        self.names: dict[str, None] = {}
        self._parts: list[bytes] = []
        self._unwritten: list[bytes] = []
        self._unwritten_bytes = 0
        self._arrivals: deque[float] = deque()
        self._held: dict[str, list[bytes]] = {}
        self._pings: dict[bytes, asyncio.TimerHandle] = {}
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.stream_server.sockets.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.stream_server.sockets.discard(self)

    @property
    def _protocol(self) -> StreamProtocol:
        return self.stream_server.protocol

    @property
    def _hub(self) -> Hub:
        return self.stream_server.hub

    # ------------------------------------------------------------------------------- life cycle

    def begin(self) -> None:
        """The handshake is over."""
        self.opened = True
        self.combined = self.address.combined
        self._plan_ping()
        age = self.stream_server.limits.max_age
        self._hub.later(self.since + round(age * 1000), lambda: self.close_soon(1001))
        if self.address.names:
            self._subscribe(self.address.names, None, self.since)

    def finish(self) -> None:
        """The connection is gone."""
        self.opened = False
        self._hub.unsubscribe(self, self.names)
        self.names.clear()
        for timer in (self._timer, *self._pings.values()):
            if timer is not None:
                timer.cancel()
        self._pings.clear()

    def close_soon(self, code: int, reason: str = "") -> None:
        """Close it with a close frame, unless it is frozen."""
        if self.opened and not self.frozen:
            self.stream_server.run(self.close(code, reason))

    def abort(self) -> None:
        """Reset it, as a broken network does."""
        self._write_all()
        reset_connection(self.transport)

    def freeze(self) -> None:
        """Stay open, and neither read nor write."""
        if not self.frozen and self.opened:
            self._write_all()
            self.frozen = True
            self.transport.pause_reading()

    def thaw(self) -> None:
        """Read and write again; what was due meanwhile is lost."""
        if self.frozen and self.opened:
            self.frozen = False
            self.transport.resume_reading()

    def announce_shutdown(self, seconds: float, *messages: bytes) -> None:
        """Send ``serverShutdown`` and the messages, and close so many seconds later."""
        payload = b'{"e":"serverShutdown","E":%d}' % self.stream_server.now()
        self._write(wrapped("!serverShutdown", payload) if self.combined else payload, *messages)
        self._hub.later(self.stream_server.now() + round(seconds * 1000), lambda: self.close_soon(1001))

    # ------------------------------------------------------------------------------------- pings

    def _plan_ping(self) -> None:
        self._timer = self.loop.call_later(self.stream_server.limits.ping_interval, self.ping_now)

    def ping_now(self) -> None:
        """Ping the client, which has until the deadline to answer."""
        if not self.opened or self.state is not State.OPEN:
            return
        if not self.frozen:
            payload = str(time.time_ns() // 1_000_000).encode()
            self.protocol.send_ping(payload)
            self.send_data()
            if payload not in self._pings:
                self._pings[payload] = self.loop.call_later(
                    self.stream_server.limits.pong_deadline, self.close_soon, _POLICY_VIOLATION, "No pong"
                )
        self._plan_ping()

    def _pong(self, payload: bytes) -> None:
        # A pong answers its ping and all before it; one that answers no ping proves nothing.
        if payload not in self._pings:
            return
        for sent in list(self._pings):
            self._pings.pop(sent).cancel()
            if sent == payload:
                return

    # ----------------------------------------------------------------------------------- receiving

    def process_event(self, event: Event) -> None:
        """Called by the library for everything that arrives; data frames are handled here, not queued."""
        if not isinstance(event, Frame) or self.state is not State.OPEN:
            super().process_event(event)
            return
        if event.opcode is Opcode.CLOSE:
            return
        if event.opcode is not Opcode.CONT and not self._within_rate():
            return
        if event.opcode is Opcode.PONG:
            self._pong(bytes(event.data))
        elif event.opcode is Opcode.BINARY:
            self.close_soon(_POLICY_VIOLATION, "Invalid request")
        elif event.opcode in (Opcode.TEXT, Opcode.CONT):
            self._parts.append(bytes(event.data))
            if event.fin:
                message = b"".join(self._parts)
                self._parts.clear()
                self._handle(message)

    def _within_rate(self) -> bool:
        """Whether the client may send this message in this second."""
        now = self.loop.time()
        self._arrivals.append(now)
        while self._arrivals[0] <= now - 1.0:
            self._arrivals.popleft()
        self.stream_server.received += 1
        if len(self._arrivals) <= self.stream_server.limits.messages_per_second:
            return True
        self.stream_server.over_limit += 1
        self.close_soon(_POLICY_VIOLATION, "Too many requests")
        return False

    def _handle(self, message: bytes) -> None:
        try:
            order = parse_request(message.decode())
        except UnicodeDecodeError:
            self.close_soon(1007)
        except StreamRequestError as error:
            self._write(error.answer(nested=self._protocol.nested_errors))
        else:
            self.stream_server.catch_up()
            self._answer(order)

    def _answer(self, order: StreamRequest) -> None:
        if order.method == "SUBSCRIBE":
            if self._subscribe(order.names, order.id, self._hub.moment):
                self._write(answer(order.id, None))
            return
        result: object = None
        if order.method == "UNSUBSCRIBE":
            known = [name for name in order.names if name in self.names]
            self._hub.unsubscribe(self, known)
            for name in known:
                self.names.pop(name, None)
        elif order.method == "LIST_SUBSCRIPTIONS":
            result = list(self.names)
        elif order.method == "GET_PROPERTY":
            result = self.combined
        else:
            self.combined = order.value
        self._write(answer(order.id, result))

    def _subscribe(self, names: Iterable[str], request: int | str | None, since: int) -> bool:
        wanted = dict.fromkeys(name for name in names if name not in self.names)
        if len(self.names) + len(wanted) > self.stream_server.limits.max_streams:
            error = StreamRequestError(4, "Too many subscriptions")
            error.id = request
            self._write(error.answer(nested=self._protocol.nested_errors))
            if self._protocol.ends_at_too_many:
                self.close_soon(_POLICY_VIOLATION, "Invalid request")
            return False
        for name in wanted:
            self.names[name] = None
            self._hub.subscribe(self, name, since)
        return True

    # ------------------------------------------------------------------------------------- sending

    def accepts(self, name: StreamName) -> bool:
        """Whether the route of the connection carries the stream."""
        return name.route == (self.address.route or self._protocol.default_route)

    def send_event(self, name: str, payload: bytes) -> None:
        if self.address.microseconds:
            payload = in_microseconds(payload)
        self._write(wrapped(name, payload) if self.combined else payload)
        if self._held:
            for late in self._held.pop(name, ()):
                self._write(late)

    def send_frames(self, frames: bytes) -> None:
        """Send finished frames, together with what else is sent in this turn of the loop."""
        if self.opened and not self.frozen and self.state is State.OPEN:
            if not self._unwritten:
                self.loop.call_soon(self._write_all)
            self._unwritten.append(frames)
            self._unwritten_bytes += len(frames)
            if self._unwritten_bytes >= _WRITE_BYTES:
                self._write_all()

    def _write(self, *payloads: bytes) -> None:
        self.send_frames(b"".join(map(text_frame, payloads)))

    def _write_all(self) -> None:
        if not self._unwritten:
            return
        frames = b"".join(self._unwritten)
        self._unwritten.clear()
        self._unwritten_bytes = 0
        self.transport.write(frames)
        if self.transport.get_write_buffer_size() > _MAX_UNSENT_BYTES:
            self.abort()

    def send_data(self) -> None:
        """Called by the library to send control frames, which keep their place among the events."""
        self._write_all()
        super().send_data()

    def inject(self, fault: StreamFault, name: str, payload: bytes) -> None:
        """Let a fault happen in place of an event."""
        if self.address.microseconds:
            payload = in_microseconds(payload)
        message = wrapped(name, payload) if self.combined else payload
        actions: dict[str, Callable[[], object]] = {
            "drop": lambda: None,
            "duplicate": lambda: self._write(message, message),
            "reorder": lambda: self._held.setdefault(name, []).append(message),
            "garbage": lambda: self._write(message[: len(message) // 2]),
            "noise": lambda: self._write(b'{"stream":', message),
            "delay": lambda: self._hub.later(
                self._hub.moment + round(fault.seconds * 1000), lambda: self._write(message)
            ),
            "forget": lambda: self.forget(name),
            "abort": self.abort,
            "freeze": self.freeze,
            "close": lambda: self.close_soon(fault.code, fault.reason),
            "shutdown": lambda: self.announce_shutdown(fault.seconds, message),
            "extra_field": lambda: self._write(self._with_field(message)),
            "future_id": lambda: self.send_event(name, from_the_future(payload)),
            "bad_event": lambda: self.send_event(name, bad_row(payload)),
            "coin_m": lambda: self._with_coin_m(name, payload),
            "pings": lambda: self._ping_and_send(fault.count, message),
        }
        actions[fault.kind]()

    def _with_field(self, message: bytes) -> bytes:
        return b'%s,"ts":%d}' % (message[:-1], self._hub.moment) if message.endswith(b"}") else message

    def _with_coin_m(self, name: str, payload: bytes) -> None:
        if not payload.startswith(b"["):
            self.send_event(name, payload)
        self.send_event(name, as_coin_m(payload))

    def _ping_and_send(self, count: int, message: bytes) -> None:
        for number in range(count):
            self.protocol.send_ping(b"flood %d" % number)
        self.send_data()
        self._write(message)

    def forget(self, name: str) -> None:
        """Lose the subscription without a word; the client believes that it stands."""
        self._hub.unsubscribe(self, [name])


def as_connection(connection: object) -> StreamConnection:
    """A connection, which the library types as its own class."""
    return cast("StreamConnection", connection)
