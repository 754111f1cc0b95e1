"""One physical connection: requests and their answers, and where its messages go."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from binance_sdk._runtime.clock import Clock
from binance_sdk._runtime.stream.connection.pacing import Pacer
from binance_sdk._runtime.stream.connection.websocket import Wire
from binance_sdk._runtime.stream.frames import Reply, Wrapped, beginning, cut, other
from binance_sdk._runtime.stream.reading.reader import Reader
from binance_sdk._runtime.stream.reading.subscription import Subscription
from binance_sdk.errors import StreamError

T = TypeVar("T")

NAMES_A_REQUEST = 200
ANSWER_SECONDS = 10.0
WRITE_SECONDS = 10.0
"""For a message to get into the socket: a peer that reads nothing lets it fill up."""
_REMEMBERED = 4096
"""Messages of a stream that are compared between two connections."""


class Lost(Exception):
    """The connection ended while something was expected of it."""


class Link:
    """A connection, from the engine's side. Implements ``Receiver``.

    While ``shadow`` is a dict, messages are kept there instead of being given to the reader: this connection is
    getting ready to replace another one.
    """

    # Read at every message, and a dict of more than thirty attributes is slow.
    __slots__ = (
        "_ahead", "_answers", "_before", "_beginning", "_buffer", "_clock", "_data_at", "_deaf", "_end",
        "_fast", "_ids", "_latest", "_loop", "_now", "_pacer", "_packet", "_ping", "_ponging", "_reader",
        "_sending", "_stats", "_subscriptions", "_successor", "_waiting", "_wake", "_writing", "asked",
        "delivered", "ended", "heard", "matched", "opened", "pinged_at", "shadow", "shutdown", "wire",
    )  # fmt: skip

    def __init__(
        self,
        clock: Clock,
        reader: Reader,
        subscriptions: Mapping[bytes, Subscription],
        pacer: Pacer,
        wake: Callable[[], None],
    ) -> None:
        self._clock = clock
        self._now = clock.monotonic
        self._reader = reader
        self._stats, self._waiting, self._buffer = reader.stats, reader.waiting, reader.buffer
        self._subscriptions = subscriptions
        self._pacer = pacer
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._fast = False
        self._latest: Subscription | None = None
        self._beginning = b""
        self._data_at = 0
        self._end = b""
        """How a frame ends in which nothing stands behind the data."""
        self._packet = 0.0
        self._sending = asyncio.Lock()
        self._ids = 0
        self._answers: dict[int, asyncio.Future[Reply]] = {}
        self._ping: bytes | None = None
        """Payload of the newest ping of the server that has no answer yet."""
        self._ponging: asyncio.Task[None] | None = None
        self._writing: asyncio.Task[None] | None = None
        self.wire: Wire | None = None
        self.asked: set[str] = set()
        """Names this connection was asked for and has acknowledged."""
        self.heard = self._now()
        self.opened = self.heard
        self.ended: str | None = None
        self.shutdown = False
        self._deaf = False
        self.delivered = False
        """A message of a stream has come."""
        self.pinged_at: float | None = None
        """When a ping was asked for, or went out, that has no answer yet."""
        self.shadow: dict[Subscription, deque[bytes]] | None = None
        self._successor: Link | None = None
        self._before: dict[Subscription, deque[bytes]] | None = None
        self.matched: set[Subscription] = set()
        self._ahead: dict[Subscription, bool] = {}
        """Streams of which the connection to be replaced says nothing, so that this one gives them out before it takes
        over; and whether it has."""

    @property
    def deaf(self) -> bool:
        """Nothing that comes counts any more."""
        return self._deaf

    @deaf.setter
    def deaf(self, deaf: bool) -> None:
        self._deaf = deaf
        self.slow()

    @property
    def successor(self) -> Link | None:
        """The connection that is getting ready to replace this one."""
        return self._successor

    @successor.setter
    def successor(self, successor: Link | None) -> None:
        self._successor = successor
        self.slow()

    # ------------------------------------------------------------------------ what comes in

    def received(self, frame: bytes) -> None:
        if self._fast and frame.startswith(self._beginning) and frame.endswith(self._end):
            # The stream of the message before, on a connection that is not being replaced: nearly always.
            subscription = self._latest
            assert subscription is not None
            payload = frame[self._data_at : -1]
        else:
            if self.deaf:
                return
            found = cut(frame)
            subscription = None if found is None else self._subscriptions.get(found[0])
            if found is None or subscription is None:
                self.heard = self._now()
                self._control(frame, self.heard)
                return
            payload = found[1]
            self._fast = self.shadow is None and self._before is None and self.successor is None
            if not self._fast:
                self.heard = self._now()
                subscription.spoke(self.heard)
                self._while_replacing(subscription, payload, self.heard)
                return
            self._latest, self._beginning = subscription, beginning(subscription.id)
            self._data_at = len(self._beginning)
            self._end = b"]}" if subscription.listed else b"}}"
            self.delivered = True
        now = self._packet
        if not now:
            # One packet holds many messages, and reading the clock for each of them would cost more than they do.
            now = self._packet = self.heard = self._now()
            self._loop.call_soon(self._packet_ends)
        if subscription.seen != now:
            subscription.spoke(now)
        reader, waiting = self._reader, self._waiting
        self._stats.received += 1
        waiting.append((subscription, payload, now))
        buffer = self._buffer
        buffer.size = size = buffer.size + len(payload)
        if size > buffer.most or len(waiting) > buffer.limit:
            buffer.full()
        if reader.wanted is not None:
            reader.wake()

    def _packet_ends(self) -> None:
        self._packet = 0.0

    def slow(self) -> None:
        """Something has changed that every message must be asked about."""
        self._fast = False
        self._latest = None

    def _control(self, frame: bytes, now: float) -> None:
        match other(frame):
            case "malformed":
                self._reader.malformed("", "neither an event nor an answer", frame)
            case "shutdown":
                self.shutdown = True
                self._wake()
            case Wrapped(name, payload):
                subscription = self._subscriptions.get(name.encode())
                if subscription is not None:
                    subscription.spoke(now)
                    self._while_replacing(subscription, payload, now)
                # Otherwise a stream that was just unsubscribed from, or an announcement that is none of ours.
            case Reply() as reply:
                self._answered(reply)

    def _answered(self, reply: Reply) -> None:
        if isinstance(reply.id, int):
            waiting = self._answers.pop(reply.id, None)
        else:
            # An error without an id: whichever request is oldest has caused it.
            oldest = next(iter(self._answers), None) if reply.code is not None else None
            waiting = None if oldest is None else self._answers.pop(oldest)
        if waiting is not None and not waiting.done():
            waiting.set_result(reply)

    def pinged(self, payload: bytes) -> None:
        self.heard = self._now()
        # Of several pings the newest alone need be answered (RFC 6455, 5.5.3).
        self._ping = payload
        if self._ponging is None or self._ponging.done():
            self._ponging = asyncio.create_task(self._pong(), name="pong")

    async def _pong(self) -> None:
        wire = self.wire
        while wire is not None and self._ping is not None and self.ended is None:
            if delay := self._pacer.pong_delay(self._now()):
                await self._clock.sleep(delay)
                continue
            payload, self._ping = self._ping, None
            self._pacer.note_pong(self._now())
            await wire.pong(payload)

    def ponged(self) -> None:
        self.heard = self._now()
        self.pinged_at = None
        self._wake()

    def lost(self, reason: str) -> None:
        if self.ended is None:
            self.ended = reason
        answers, self._answers = self._answers, {}
        for waiting in answers.values():
            if not waiting.done():
                waiting.set_exception(Lost(reason))
                # It may be that nobody is waiting any more.
                waiting.exception()
        for task in (self._ponging, self._writing):
            if task is not None:
                task.cancel()
        self._wake()

    # --------------------------------------------------------- one connection after another

    def prepare(self, silent: Iterable[Subscription]) -> None:
        """Keep what comes instead of giving it out; but of streams that are silent elsewhere nothing is waited for."""
        self.shadow = {}
        self._before = {}
        self._ahead = dict.fromkeys(silent, False)

    def _while_replacing(self, subscription: Subscription, payload: bytes, now: float) -> None:
        if self._before is not None and _skip_to(self._before.get(subscription), payload):
            # The other connection was faster, and it has been given out.
            self._reader.stats.duplicates += 1
            return
        if self.successor is not None and self.successor.is_ahead(subscription):
            self._reader.stats.duplicates += 1
            return
        if self.shadow is not None and subscription in self._ahead:
            self._ahead[subscription] = True
        elif self.shadow is not None:
            self.shadow.setdefault(subscription, deque(maxlen=_REMEMBERED)).append(payload)
            return
        self.delivered = True
        self._reader.feed(subscription, payload, now)
        if self.successor is not None:
            self.successor.came_before(subscription, payload)

    def is_ahead(self, subscription: Subscription) -> bool:
        """For the connection that this one replaces: whether this one has given out the stream's messages instead."""
        if self._ahead.get(subscription):
            return True
        self._ahead.pop(subscription, None)
        return False

    def came_before(self, subscription: Subscription, payload: bytes) -> None:
        """The connection that this one replaces has given this message out."""
        if self.shadow is not None and _skip_to(self.shadow.get(subscription), payload):
            self.matched.add(subscription)
            self._reader.stats.duplicates += 1
            return
        if self._before is not None:
            self._before.setdefault(subscription, deque(maxlen=_REMEMBERED)).append(payload)

    @property
    def caught_up(self) -> bool:
        """Whether the other connection has given out everything that came before this one began."""
        return self.shadow is not None and all(
            not kept or subscription in self.matched for subscription, kept in self.shadow.items()
        )

    def take_over(self) -> None:
        """From now on this connection's messages count, those it has kept first."""
        kept, self.shadow = self.shadow or {}, None
        now = self._now()
        for subscription, payloads in kept.items():
            for payload in payloads:
                self.delivered = True
                self._reader.feed(subscription, payload, now)

    def settle(self) -> None:
        """Nothing of the connection before can be on its way any more."""
        self._before = None

    # ------------------------------------------------------------------------- what goes out

    async def _paced(self, send: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async with self._sending:
            while delay := self._pacer.delay(self._now()):
                await self._clock.sleep(delay)
            if self.ended is not None:
                raise Lost(self.ended)
            self._pacer.note(self._now())
            self._writing = asyncio.create_task(send(), name="write")
            try:
                await within(self._clock, WRITE_SECONDS, self._writing)
            except TimeoutError:
                reason = f"nothing could be written for {WRITE_SECONDS:g} s"
                self.lost(reason)
                raise Lost(reason) from None
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if self.ended is None or (task is not None and task.cancelling()):
                    raise
                raise Lost(self.ended) from None

    async def request(self, method: str, names: Sequence[str]) -> None:
        """Ask, and wait for the answer.

        Raises:
            Lost: the connection ended, or no answer came in time.
            StreamError: the exchange refused.
        """
        wire = self.wire
        assert wire is not None
        self._ids += 1
        number = self._ids
        text = json.dumps({"method": method, "params": list(names), "id": number}, ensure_ascii=False)
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            await self._paced(lambda: wire.send(text))
            reply = await within(self._clock, ANSWER_SECONDS, answer)
        except TimeoutError:
            # What does not answer cannot be asked again: it is replaced.
            self.lost(f"no answer to {method} within {ANSWER_SECONDS:g} s")
            raise Lost(f"no answer to {method} within {ANSWER_SECONDS:g} s") from None
        finally:
            self._answers.pop(number, None)
        if reply.code is not None:
            raise StreamError(f"{method} of {_shown(names)} was refused: code {reply.code}: {reply.message}")

    async def subscribe(self, names: Iterable[str]) -> None:
        """Ask for streams, in as few messages as are allowed."""
        wanted = list(names)
        for start in range(0, len(wanted), NAMES_A_REQUEST):
            part = wanted[start : start + NAMES_A_REQUEST]
            await self.request("SUBSCRIBE", part)
            self.asked.update(part)

    async def unsubscribe(self, names: Iterable[str]) -> None:
        wanted = list(names)
        for start in range(0, len(wanted), NAMES_A_REQUEST):
            part = wanted[start : start + NAMES_A_REQUEST]
            self.asked.difference_update(part)
            await self.request("UNSUBSCRIBE", part)

    async def ping(self) -> None:
        """Ask for a sign of life; ``pinged_at`` says since when."""
        wire = self.wire
        if wire is not None:
            await self._paced(lambda: self._ping_now(wire))

    async def _ping_now(self, wire: Wire) -> None:
        if self.pinged_at is not None:
            # It had to wait for its turn.
            self.pinged_at = self._now()
        await wire.ping()

    async def close(self) -> None:
        self.deaf = True
        if self.wire is not None:
            await self.wire.close()
        self.lost("closed")


def _skip_to(kept: deque[bytes] | None, payload: bytes) -> bool:
    """Drop everything up to this message, if it is among them."""
    if not kept or payload not in kept:
        return False
    while kept.popleft() != payload:
        pass
    return True


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


async def within(clock: Clock, seconds: float, waited: asyncio.Future[T]) -> T:
    """The result, or ``TimeoutError`` when the clock says that the time is over."""
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait((timer, waited), return_when=asyncio.FIRST_COMPLETED)
        if not waited.done():
            raise TimeoutError
        return waited.result()
    finally:
        timer.cancel()
        waited.cancel()
