"""Listens to streams for ``verify``: all of a market and route on one connection, each until enough has come."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from pydantic import JsonValue

from binance_sdk._runtime.market import Market
from binance_sdk._runtime.stream.connection.opener import Dialer
from binance_sdk._runtime.stream.connection.pacing import MessageLimiter
from binance_sdk._runtime.stream.connection.sender import ConnectionLost, Sender
from binance_sdk._runtime.stream.context import StreamContext
from binance_sdk._runtime.stream.frames import Reply, Wrapped, cut, other
from binance_sdk.errors import BinanceError, StreamError

MOST_KEPT = 40
"""Messages of one stream that are looked at."""


@dataclass
class Heard:
    """What came over one connection.

    Attributes:
        messages: By the name of a stream, what its messages hold; None in place of one that is no JSON.
        strange: Messages that are neither an event nor an answer.
        refused: Names that the exchange refuses, with what it says.
        failed: Why there is no connection, or none any more; empty where there was one.
        seconds: How long was listened.
    """

    messages: dict[str, list[JsonValue]] = field(default_factory=dict[str, list[JsonValue]])
    strange: list[str] = field(default_factory=list[str])
    refused: dict[str, str] = field(default_factory=dict[str, str])
    failed: str = ""
    seconds: float = 0.0


class _Ear:
    """Gets what comes in. Implements ``Receiver``."""

    def __init__(self, context: StreamContext, market: Market, wanted: Mapping[str, int]) -> None:
        self.heard = Heard()
        self.waker = context.clock.waker()
        limiter = MessageLimiter(context.limits[market].messages_a_second)
        self.sender = Sender(context.clock, limiter, self.lost)
        self._wanted = wanted
        self._waiting = {name for name, count in wanted.items() if count}

    @property
    def satisfied(self) -> bool:
        """Whether enough came of every stream that is waited for, or nothing more that helps can come."""
        hopeless = bool(self.heard.failed) or len(self.heard.strange) >= MOST_KEPT
        return hopeless or not self._waiting - self.heard.refused.keys()

    def received(self, frame: bytes) -> None:
        found = cut(frame)
        if found is not None:
            self._event(found[0].decode(), found[1])
            return
        match other(frame):
            case Wrapped(name, payload):
                self._event(name, payload)
            case Reply() as reply:
                self.sender.answered(reply)
            case "malformed":
                self.heard.strange.append(frame.decode("utf-8", "replace"))
                if len(self.heard.strange) >= MOST_KEPT:
                    self.waker.wake()
            case "shutdown":
                pass

    def _event(self, name: str, payload: bytes) -> None:
        kept = self.heard.messages.setdefault(name, [])
        if len(kept) >= MOST_KEPT:
            return
        try:
            kept.append(cast("JsonValue", json.loads(payload)))
        except ValueError:
            self.heard.strange.append(payload.decode("utf-8", "replace"))
        if name in self._waiting and len(kept) >= self._wanted[name]:
            self._waiting.discard(name)
            if not self._waiting:
                self.waker.wake()

    def pinged(self, payload: bytes) -> None:
        self.sender.pinged(payload)

    def ponged(self) -> None:
        pass

    def lost(self, reason: str) -> None:
        if not self.heard.failed:
            self.heard.failed = reason
        self.sender.end(reason)
        self.waker.wake()


async def listen(
    context: StreamContext, market: Market, route: str, wanted: Mapping[str, int], seconds: float
) -> Heard:
    """Subscribe to streams and wait for their messages.

    Args:
        context: Hosts, gate and limits of a client.
        market: Whose streams.
        route: First part of the path; empty where the market has one kind of connection.
        wanted: Names of streams, and how many messages of each are waited for; 0 for one that may well be silent.
        seconds: How long is waited at most.
    """
    ear = _Ear(context, market, wanted)
    if not context.urls.get(market):
        ear.heard.failed = f"no stream host of {market} is known: pass its URL"
        return ear.heard
    try:
        socket, _ = await Dialer(context, market, route).dial((), ear)
    except (BinanceError, ConnectionLost) as error:
        ear.heard.failed = str(error)
        return ear.heard
    ear.sender.socket = socket
    clock = context.clock
    try:
        await _subscribe(ear, list(wanted))
        began = clock.monotonic()
        end = began + seconds
        while not ear.satisfied and (left := end - clock.monotonic()) > 0:
            await ear.waker.wait(left)
        ear.heard.seconds = clock.monotonic() - began
    except ConnectionLost as error:
        ear.lost(str(error))
    finally:
        # What is said of the end, if there was none before, is that we hung up.
        failed = ear.heard.failed
        await socket.close()
        ear.lost("closed")
    return replace(ear.heard, failed=failed)


async def _subscribe(ear: _Ear, names: Sequence[str]) -> None:
    """All names at once, or where that is refused one by one: then it shows which is meant.

    Raises:
        ConnectionLost: the connection ended.
    """
    if not names:
        return
    try:
        await ear.sender.request("SUBSCRIBE", names)
    except StreamError as error:
        if len(names) == 1:
            ear.heard.refused[names[0]] = str(error)
            return
        half = len(names) // 2
        await _subscribe(ear, names[:half])
        await _subscribe(ear, names[half:])
