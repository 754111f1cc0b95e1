"""Events of somebody else's making: recorded traffic, and as many as the socket takes."""

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

from binance_sdk.simulator.streams.connection import StreamConnection, text_frame, wrapped
from binance_sdk.simulator.streams.market_view import text
from binance_sdk.simulator.streams.server import StreamServer

_AT_ONCE = 256
"""Messages between two looks at the sockets."""


class Playback:
    """A replay or a flood under way.

    Attributes:
        sent: Messages that went out to anybody.
        unheard: Messages to whose stream nobody had subscribed.
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
        """Until everything was sent; False when that took too long."""
        return self._over.wait(timeout)

    def stop(self) -> None:
        """Send no more, and let the market speak on these streams again."""
        if not self.over:
            self._stop()

    def finish(self) -> None:
        """Called by whoever sends, at the end."""
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
        found.append(Recorded((at - first) * 1000, str(event["stream"]), text(event["data"])))
    return found


class Replay:
    """Plays a recording, by the simulator's clock or as fast as it goes."""

    def __init__(self, home: StreamServer, recording: Sequence[Recorded], speed: float | None) -> None:
        """``speed`` 2.0 is twice as fast as it was recorded; None waits for nothing but the sockets."""
        self._home = home
        self._recording = recording
        self._speed = speed
        self._names = {one.stream for one in recording}
        self._stopped = False
        self._begun = 0
        self.playing = Playback(lambda: home.soon(self._end))

    def start(self) -> None:
        """Begin now. In the thread of the event loop, as everything here."""
        for name in self._names:
            self._home.hub.take(name)
        if self._speed is None:
            self._home.run(self._play_fast())
        else:
            self._begun = self._home.now()
            self._play_due(0)

    def _play_due(self, place: int) -> None:
        """Send the message that is due, and plan the next one."""
        while not self._stopped and place < len(self._recording):
            one = self._recording[place]
            due = self._begun + int(one.after / (self._speed or 1.0))
            if due > self._home.now():
                self._home.hub.later(due, partial(self._play_due, place))
                return
            self._send(one)
            place += 1
        self._end()

    async def _play_fast(self) -> None:
        try:
            for number, one in enumerate(self._recording, 1):
                if self._stopped:
                    break
                self._send(one)
                if number % _AT_ONCE == 0:
                    await drained(self._home.connections)
        finally:
            self._end()

    def _send(self, one: Recorded) -> None:
        heard = self._home.hub.publish(one.stream, one.payload)
        self.playing.sent += bool(heard)
        self.playing.unheard += not heard

    def _end(self) -> None:
        if self._stopped:
            return
        self._stopped = True
        for name in self._names:
            self._home.hub.give_back(name, self._home.now())
        self.playing.finish()


class Flood:
    """One stream as fast as the sockets take it, rendered beforehand: for measurements."""

    def __init__(self, home: StreamServer, name: str, payloads: Sequence[bytes]) -> None:
        self._home = home
        self._name = name
        self._raw = [b"".join(map(text_frame, part)) for part in _parts(payloads)]
        self._combined = [b"".join(text_frame(wrapped(name, one)) for one in part) for part in _parts(payloads)]
        self._sizes = [len(part) for part in _parts(payloads)]
        self._stopped = False
        self.playing = Playback(lambda: home.soon(self._stop))

    def start(self) -> None:
        """Begin now. In the thread of the event loop."""
        self._home.hub.take(self._name)
        self._home.run(self._play())

    def _stop(self) -> None:
        self._stopped = True

    async def _play(self) -> None:
        try:
            for raw, combined, size in zip(self._raw, self._combined, self._sizes, strict=True):
                listeners = [one for one in self._home.hub.listeners(self._name) if isinstance(one, StreamConnection)]
                if self._stopped or not listeners:
                    break
                for one in listeners:
                    one.send_frames(combined if one.combined else raw)
                self.playing.sent += size
                await drained(listeners)
        finally:
            self._home.hub.give_back(self._name, self._home.now())
            self.playing.finish()


def _parts(payloads: Sequence[bytes]) -> list[Sequence[bytes]]:
    return [payloads[start : start + _AT_ONCE] for start in range(0, len(payloads), _AT_ONCE)]


async def drained(connections: Iterable[StreamConnection]) -> None:
    """Until everybody's socket takes more, except for those that are frozen."""
    for one in list(connections):
        if one.opened and not one.frozen and not one.transport.is_closing():
            with contextlib.suppress(OSError, ConnectionClosed):
                await one.drain()
    # A socket that always takes more must not keep the others from their turn.
    await asyncio.sleep(0)
