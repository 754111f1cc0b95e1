"""Events that are not the market's own: recorded traffic, and a flood of as many as the sockets take."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from websockets.exceptions import ConnectionClosed

from binance_sdk.simulator.json_text import json_text
from binance_sdk.simulator.streams.connection import StreamConnection, text_frame, wrapped
from binance_sdk.simulator.streams.server import StreamServer

_BATCH = 256
"""Messages that are sent before waiting for the sockets."""


class Playback:
    """A replay or a flood under way.

    Attributes:
        sent: Messages that at least one connection got.
        unheard: Messages of streams without a subscriber.
    """

    def __init__(self, stop: Callable[[], None]) -> None:
        self.sent = 0
        self.unheard = 0
        self._over = threading.Event()
        self._stop = stop

    @property
    def over(self) -> bool:
        return self._over.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until everything was sent; False if that took longer."""
        return self._over.wait(timeout)

    def stop(self) -> None:
        """Send no more, and let the market's own events come on these streams again."""
        if not self.over:
            self._stop()

    def finish(self) -> None:
        """Called at the end of sending."""
        self._over.set()


@dataclass(frozen=True, slots=True)
class Recorded:
    """One message of a recording, and milliseconds since its first one."""

    after: float
    stream: str
    payload: bytes


def read_recording(source: str | Path | Iterable[str]) -> list[Recorded]:
    """Messages of a JSONL file, or of its lines.

    Each line has ``message``, an event in the combined wrapper, and ``received_at`` in seconds.

    Raises:
        ValueError: A line is something else.
    """
    lines = Path(source).read_text("utf-8").splitlines() if isinstance(source, (str, Path)) else source
    found: list[Recorded] = []
    first: float | None = None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        body: Any = json.loads(line)
        message: Any = cast("dict[str, Any]", body).get("message") if isinstance(body, dict) else None
        if not isinstance(message, dict) or "stream" not in message or "data" not in message:
            raise ValueError(f"line {number} of the recording holds no message with stream and data")
        event = cast("dict[str, Any]", message)
        at = float(cast("dict[str, Any]", body).get("received_at", 0.0))
        first = at if first is None else first
        found.append(Recorded((at - first) * 1000, str(event["stream"]), json_text(event["data"])))
    return found


class Replay:
    """Plays a recording, by the simulator's clock or as fast as it goes."""

    def __init__(self, server: StreamServer, recording: Sequence[Recorded], speed: float | None) -> None:
        """``speed`` 2.0 is twice as fast as it was recorded; None waits only for the sockets."""
        self._server = server
        self._recording = recording
        self._speed = speed
        self._names = {message.stream for message in recording}
        self._stopped = False
        self._begun = 0
        self.playback: Playback = Playback(lambda: server.soon(self._end))

    def start(self) -> None:
        """Begin now. In the thread of the event loop, as everything here."""
        for name in self._names:
            self._server.hub.pause_feed(name)
        if self._speed is None:
            self._server.run(self._play_fast())
        else:
            self._begun = self._server.now()
            self._play_due(0)

    def _play_due(self, place: int) -> None:
        """Send the message that is due, and plan the next one."""
        while not self._stopped and place < len(self._recording):
            message = self._recording[place]
            due = self._begun + int(message.after / (self._speed or 1.0))
            if due > self._server.now():
                self._server.hub.later(due, partial(self._play_due, place))
                return
            self._send(message)
            place += 1
        self._end()

    async def _play_fast(self) -> None:
        try:
            for number, message in enumerate(self._recording, 1):
                if self._stopped:
                    break
                self._send(message)
                if number % _BATCH == 0:
                    await drained(self._server.connections)
        finally:
            self._end()

    def _send(self, message: Recorded) -> None:
        heard = self._server.hub.publish(message.stream, message.payload)
        self.playback.sent += bool(heard)
        self.playback.unheard += not heard

    def _end(self) -> None:
        if self._stopped:
            return
        self._stopped = True
        for name in self._names:
            self._server.hub.resume_feed(name, self._server.now())
        self.playback.finish()


class Flood:
    """One stream as fast as the sockets take it, rendered beforehand: for measurements."""

    def __init__(self, server: StreamServer, name: str, payloads: Sequence[bytes]) -> None:
        self._server = server
        self._name = name
        self._raw = [b"".join(map(text_frame, part)) for part in _parts(payloads)]
        self._combined = [b"".join(text_frame(wrapped(name, payload)) for payload in part) for part in _parts(payloads)]
        self._sizes = [len(part) for part in _parts(payloads)]
        self._stopped = False
        self.playback: Playback = Playback(lambda: server.soon(self._stop))

    def start(self) -> None:
        """Begin now. In the thread of the event loop."""
        self._server.hub.pause_feed(self._name)
        self._server.run(self._play())

    def _stop(self) -> None:
        self._stopped = True

    async def _play(self) -> None:
        try:
            for raw, combined, size in zip(self._raw, self._combined, self._sizes, strict=True):
                subscribers = [
                    connection
                    for connection in self._server.hub.subscribers(self._name)
                    if isinstance(connection, StreamConnection)
                ]
                if self._stopped or not subscribers:
                    break
                for connection in subscribers:
                    connection.send_frames(combined if connection.combined else raw)
                self.playback.sent += size
                await drained(subscribers)
        finally:
            self._server.hub.resume_feed(self._name, self._server.now())
            self.playback.finish()


def _parts(payloads: Sequence[bytes]) -> list[Sequence[bytes]]:
    return [payloads[start : start + _BATCH] for start in range(0, len(payloads), _BATCH)]


async def drained(connections: Iterable[StreamConnection]) -> None:
    """Wait until every socket takes more, except for those of frozen connections."""
    for connection in list(connections):
        if connection.opened and not connection.frozen and not connection.transport.is_closing():
            with contextlib.suppress(OSError, ConnectionClosed):
                await connection.drain()
    # Let other tasks run, also when every socket takes more at once.
    await asyncio.sleep(0)
