"""One connection: where its messages go, and what is known of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

from binance_sdk._runtime.clock import Clock
from binance_sdk._runtime.stream.connection.handover import Handover
from binance_sdk._runtime.stream.connection.pacing import MessageLimiter
from binance_sdk._runtime.stream.connection.sender import Sender
from binance_sdk._runtime.stream.connection.websocket import WebSocket
from binance_sdk._runtime.stream.frames import Reply, Wrapped, beginning, cut, other
from binance_sdk._runtime.stream.reading.reader import Reader
from binance_sdk._runtime.stream.reading.subscription import Subscription

NAMES_A_REQUEST = 200


class Connection:
    """A connection that carries some streams of one consumer. Implements ``Receiver``.

    Args:
        clock: Time, and waiting.
        reader: Gets the messages.
        subscriptions: The streams by ``Subscription.id``; the caller adds and removes them, and then calls
            ``check_every_message``.
        limiter: When the next message may go out.
        wake: Called when the supervisor has something to look at.
        replacing: How it takes over from another connection, if it does.
    """

    # Read at every message, and a dict of many attributes is slow.
    __slots__ = (
        "_beginning", "_buffer", "_data_at", "_end", "_fast", "_latest", "_loop", "_muted", "_now", "_packet",
        "_reader", "_replaced_by", "_sender", "_stats", "_subscriptions", "_waiting", "_wake", "delivered",
        "end_reason", "last_heard", "opened_at", "replacing", "shutdown", "socket", "subscribed",
    )  # fmt: skip

    def __init__(
        self,
        clock: Clock,
        reader: Reader,
        subscriptions: Mapping[bytes, Subscription],
        limiter: MessageLimiter,
        wake: Callable[[], None],
        replacing: Handover | None = None,
    ) -> None:
        self._now = clock.monotonic
        self._reader = reader
        self._stats, self._waiting, self._buffer = reader.stats, reader.waiting, reader.buffer
        self._subscriptions = subscriptions
        self._wake = wake
        self._sender = Sender(clock, limiter, self.lost)
        self._loop = asyncio.get_running_loop()
        self._fast = False
        """Whether a frame that begins like the one before may skip every check."""
        self._latest: Subscription | None = None
        self._beginning = b""
        self._data_at = 0
        self._end = b""
        """How a frame ends in which nothing stands behind the data."""
        self._packet = 0.0
        """When the packet came whose messages are being handled; 0.0 in between."""
        self.socket: WebSocket | None = None
        self.subscribed: set[str] = set()
        """Names of streams that this connection has acknowledged."""
        self.last_heard = self._now()
        self.opened_at = self.last_heard
        self.end_reason: str | None = None
        self.shutdown = False
        """The server has announced that it shuts down."""
        self._muted = False
        self.delivered = False
        """A message of a stream has come."""
        self.replacing = replacing
        """While it takes over from another connection, and a little longer."""
        self._replaced_by: Handover | None = None

    def opened(self, socket: WebSocket, subscribed: Iterable[str]) -> None:
        """The WebSocket is open, and its URL has subscribed to these names."""
        self.socket = self._sender.socket = socket
        self.opened_at = self.last_heard = self._now()
        self.subscribed.update(subscribed)

    @property
    def pinged_at(self) -> float | None:
        """When a ping was asked for, or went out, that has no answer yet."""
        return self._sender.pinged_at

    @property
    def replaced_by(self) -> Handover | None:
        """While another connection takes over from this one."""
        return self._replaced_by

    @replaced_by.setter
    def replaced_by(self, handover: Handover | None) -> None:
        self._replaced_by = handover
        self.check_every_message()

    def mute(self) -> None:
        """Ignore everything that still comes."""
        self._muted = True
        self.check_every_message()

    def check_every_message(self) -> None:
        """Leave the fast path: something has changed that the next message must be checked for."""
        self._fast = False
        self._latest = None

    # ------------------------------------------------------------------------ what comes in

    def received(self, frame: bytes) -> None:
        if self._fast and frame.startswith(self._beginning) and frame.endswith(self._end):
            # The stream of the message before, on a connection that is not being replaced: nearly always.
            subscription = self._latest
            assert subscription is not None
            payload = frame[self._data_at : -1]
        else:
            if self._muted:
                return
            found = cut(frame)
            subscription = None if found is None else self._subscriptions.get(found[0])
            if found is None or subscription is None:
                self.last_heard = self._now()
                self._control(frame, self.last_heard)
                return
            payload = found[1]
            self._fast = self.replacing is None and self._replaced_by is None
            if not self._fast:
                self.last_heard = self._now()
                subscription.note_message(self.last_heard)
                self._feed(subscription, payload, self.last_heard)
                return
            self._latest, self._beginning = subscription, beginning(subscription.id)
            self._data_at = len(self._beginning)
            self._end = b"]}" if subscription.listed else b"}}"
            self.delivered = True
        now = self._packet
        if not now:
            # One packet holds many messages, and reading the clock for each of them would cost more than they do.
            now = self._packet = self.last_heard = self._now()
            self._loop.call_soon(self._packet_ends)
        if subscription.last_message != now:
            subscription.note_message(now)
        # The same as ``Reader.feed``, without the call.
        reader, waiting = self._reader, self._waiting
        self._stats.received += 1
        waiting.append((subscription, payload, now))
        buffer = self._buffer
        buffer.size = size = buffer.size + len(payload)
        if size > buffer.max_bytes or len(waiting) > buffer.max_messages:
            buffer.make_room()
        if reader.waiter is not None:
            reader.wake()

    def _packet_ends(self) -> None:
        self._packet = 0.0

    def _control(self, frame: bytes, now: float) -> None:
        match other(frame):
            case "malformed":
                self._reader.note_malformed("", "neither an event nor an answer", frame)
            case "shutdown":
                self.shutdown = True
                self._wake()
            case Wrapped(name, payload):
                subscription = self._subscriptions.get(name.encode())
                if subscription is not None:
                    subscription.note_message(now)
                    self._feed(subscription, payload, now)
                # Otherwise a stream that was just unsubscribed from, or an announcement that does not concern us.
            case Reply() as reply:
                self._sender.answered(reply)

    def _feed(self, subscription: Subscription, payload: bytes, now: float) -> None:
        """Give a message to the reader, unless the other connection of a handover does."""
        if self.replacing is not None and not self.replacing.gives_out_new(subscription, payload):
            return
        if self._replaced_by is not None and not self._replaced_by.gives_out_old(subscription):
            return
        self.delivered = True
        self._reader.feed(subscription, payload, now)
        if self._replaced_by is not None:
            self._replaced_by.note_given_out(subscription, payload)

    def pinged(self, payload: bytes) -> None:
        self.last_heard = self._now()
        self._sender.pinged(payload)

    def ponged(self) -> None:
        self.last_heard = self._now()
        self._sender.pinged_at = None
        self._wake()

    def lost(self, reason: str) -> None:
        if self.end_reason is None:
            self.end_reason = reason
        self._sender.end(reason)
        self._wake()

    # ------------------------------------------------------------------------- what goes out

    async def subscribe(self, names: Iterable[str]) -> None:
        """Subscribe to streams, in as few messages as are allowed.

        Raises:
            ConnectionLost: the connection ended, or no answer came in time.
            StreamError: the exchange refused.
        """
        wanted = list(names)
        for start in range(0, len(wanted), NAMES_A_REQUEST):
            part = wanted[start : start + NAMES_A_REQUEST]
            await self._sender.request("SUBSCRIBE", part)
            self.subscribed.update(part)

    async def unsubscribe(self, names: Iterable[str]) -> None:
        """Unsubscribe from streams. Raises what ``subscribe`` does."""
        wanted = list(names)
        for start in range(0, len(wanted), NAMES_A_REQUEST):
            part = wanted[start : start + NAMES_A_REQUEST]
            self.subscribed.difference_update(part)
            await self._sender.request("UNSUBSCRIBE", part)

    def ping_due(self, now: float) -> None:
        """A ping is about to be asked for; from now on it counts as unanswered."""
        self._sender.pinged_at = now

    async def ping(self) -> None:
        """Ask for a sign of life.

        Raises:
            ConnectionLost: the connection ended.
        """
        await self._sender.ping()

    # ---------------------------------------------------------------------- its life and end

    def take_over(self) -> None:
        """From now on this connection's messages are given out, beginning with those that have waited."""
        assert self.replacing is not None
        now = self._now()
        for subscription, payload in self.replacing.take_over():
            self.delivered = True
            self._reader.feed(subscription, payload, now)

    def settle(self) -> None:
        """Nothing of the connection before can be on its way any more."""
        self.replacing = None

    async def close(self) -> None:
        self.mute()
        if self.socket is not None:
            await self.socket.close()
        self.lost("closed")
