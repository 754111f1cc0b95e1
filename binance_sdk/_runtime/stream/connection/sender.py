"""What goes out on one connection, within its limit of messages a second: requests with their answers, pings, pongs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from binance_sdk._runtime.clock import Clock
from binance_sdk._runtime.stream.connection.pacing import MessageLimiter
from binance_sdk._runtime.stream.connection.websocket import WebSocket
from binance_sdk._runtime.stream.frames import Reply
from binance_sdk.errors import StreamError, plain_number
from binance_sdk.events import first_names

T = TypeVar("T")

ANSWER_SECONDS = 10.0
WRITE_SECONDS = 10.0
"""For a message to get into the socket, which fills up if the peer reads nothing."""


class ConnectionLost(Exception):
    """The connection ended while something was expected of it."""


class Sender:
    """The outgoing side of one connection.

    Args:
        clock: Time, and waiting.
        limiter: When the next message may go out.
        on_stuck: Called with the reason when the peer neither reads nor answers, so that the connection is of no use.
    """

    def __init__(self, clock: Clock, limiter: MessageLimiter, on_stuck: Callable[[str], None]) -> None:
        self._clock = clock
        self._now = clock.monotonic
        self._limiter = limiter
        self._on_stuck = on_stuck
        self.socket: WebSocket | None = None
        """Set once the connection is open."""
        self.pinged_at: float | None = None
        """When a ping was asked for, or went out, that has no answer yet."""
        self._sending = asyncio.Lock()
        self._ids = 0
        self._answers: dict[int, asyncio.Future[Reply]] = {}
        self._unanswered_ping: bytes | None = None
        """Payload of the newest ping of the server that has no pong yet."""
        self._pong: asyncio.Task[None] | None = None
        self._write: asyncio.Task[None] | None = None
        self._end_reason: str | None = None

    # --------------------------------------------------------------------------- requests

    async def request(self, method: str, names: Sequence[str]) -> None:
        """Ask, and wait for the answer.

        Raises:
            ConnectionLost: the connection ended, or no answer came in time.
            StreamError: the exchange refused.
        """
        socket = self.socket
        assert socket is not None
        self._ids += 1
        number = self._ids
        text = json.dumps({"method": method, "params": list(names), "id": number}, ensure_ascii=False)
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        try:
            await self._send(lambda: socket.send(text))
            reply = await within(self._clock, ANSWER_SECONDS, answer)
        except TimeoutError:
            # A connection that does not answer cannot be asked again: it is replaced.
            reason = f"no answer to {method} within {plain_number(ANSWER_SECONDS)} s"
            self._on_stuck(reason)
            raise ConnectionLost(reason) from None
        finally:
            self._answers.pop(number, None)
        if reply.code is not None:
            raise StreamError(f"{method} of {first_names(names)} was refused: code {reply.code}: {reply.message}")

    def answered(self, reply: Reply) -> None:
        """An answer came; it goes to the request that waits for it."""
        if isinstance(reply.id, int):
            answer = self._answers.pop(reply.id, None)
        else:
            # An error without an id is taken for the answer to the oldest request.
            oldest = next(iter(self._answers), None) if reply.code is not None else None
            answer = None if oldest is None else self._answers.pop(oldest)
        if answer is not None and not answer.done():
            answer.set_result(reply)

    async def _send(self, send: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Send one message when the limiter allows it."""
        async with self._sending:
            while delay := self._limiter.request_delay(self._now()):
                await self._clock.sleep(delay)
            if self._end_reason is not None:
                raise ConnectionLost(self._end_reason)
            self._limiter.note_request(self._now())
            self._write = asyncio.create_task(send(), name="write")
            try:
                await within(self._clock, WRITE_SECONDS, self._write)
            except TimeoutError:
                reason = f"nothing could be written for {plain_number(WRITE_SECONDS)} s"
                self._on_stuck(reason)
                raise ConnectionLost(reason) from None
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if self._end_reason is None or (task is not None and task.cancelling()):
                    raise
                raise ConnectionLost(self._end_reason) from None

    # ---------------------------------------------------------------------- pings and pongs

    async def ping(self) -> None:
        """Ask for a sign of life; ``pinged_at`` says since when."""
        socket = self.socket
        if socket is not None:
            await self._send(lambda: self._ping(socket))

    async def _ping(self, socket: WebSocket) -> None:
        if self.pinged_at is not None:
            # The limiter has made it wait.
            self.pinged_at = self._now()
        await socket.ping()

    def pinged(self, payload: bytes) -> None:
        """The server pinged; the pong goes out when the limiter allows it."""
        # Of several pings only the newest must be answered (RFC 6455, 5.5.3).
        self._unanswered_ping = payload
        if self._pong is None or self._pong.done():
            self._pong = asyncio.create_task(self._send_pongs(), name="pong")

    async def _send_pongs(self) -> None:
        socket = self.socket
        while socket is not None and self._unanswered_ping is not None and self._end_reason is None:
            if delay := self._limiter.pong_delay(self._now()):
                await self._clock.sleep(delay)
                continue
            payload, self._unanswered_ping = self._unanswered_ping, None
            self._limiter.note_pong(self._now())
            await socket.pong(payload)

    # --------------------------------------------------------------------------------- end

    def end(self, reason: str) -> None:
        """The connection has ended: whoever waits for an answer gets ``ConnectionLost``."""
        if self._end_reason is None:
            self._end_reason = reason
        answers, self._answers = self._answers, {}
        for answer in answers.values():
            if not answer.done():
                answer.set_exception(ConnectionLost(reason))
                # Nobody may be waiting any more, and asyncio warns of an exception that nobody reads.
                answer.exception()
        for task in (self._pong, self._write):
            if task is not None:
                task.cancel()


async def within(clock: Clock, seconds: float, awaited: asyncio.Future[T]) -> T:
    """The result of ``awaited``, which is cancelled when the time is over.

    Raises:
        TimeoutError: by ``clock``, the time is over.
    """
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait((timer, awaited), return_when=asyncio.FIRST_COMPLETED)
        if not awaited.done():
            raise TimeoutError
        return awaited.result()
    finally:
        timer.cancel()
        awaited.cancel()
