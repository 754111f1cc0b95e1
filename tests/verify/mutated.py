"""The simulator with an exchange on it that has changed: answers, headers and messages are rewritten on the wire.

A change is a function of JSON, written without a look at the spec or at what compares with it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl

import pytest

from binance_sdk.catalogue import MARKETS
from binance_sdk.simulator import ManualClock, Simulator
from binance_sdk.simulator.rest.exchange import Reply, Request
from binance_sdk.simulator.streams.connection import StreamConnection, wrapped
from binance_sdk.simulator.streams.requests import StreamRequest
from binance_sdk.verify import VerifySettings

NOW = 1_800_000_123_456
"""2027-01-15 08:02:03.456 UTC, a Friday."""
_STEP_SECONDS, _PAUSE_SECONDS = 0.25, 0.004
"""The clock of the exchange runs some sixty times as fast as ours while streams are listened to."""

Query = Mapping[str, str]
OfBody = Callable[[Query, Any], Any]
OfReply = Callable[[Query, Reply], Reply]
OfMessage = Callable[[Any], Any]
"""None in place of a message that is not sent."""


@dataclass
class MutatedExchange:
    """One simulator, and the changes that are in force.

    Attributes:
        simulator: The simulator.
        clock: Its clock.
        replies: Changes of whole replies by path.
        messages: Changes of messages by a part of the stream's name.
        wrapper: Change of what is around a message on a combined connection.
        refused: Part of the names of streams that are refused.
    """

    simulator: Simulator
    clock: ManualClock
    replies: dict[str, OfReply] = field(default_factory=dict[str, OfReply])
    messages: dict[str, OfMessage] = field(default_factory=dict[str, OfMessage])
    wrapper: Callable[[bytes], bytes] | None = None
    refused: str = ""

    def body(self, path: str, change: OfBody) -> None:
        """Rewrite the JSON of answers that are no error."""

        def rewritten(query: Query, reply: Reply) -> Reply:
            if reply.status != 200:
                return reply
            return replace(reply, body=json.dumps(change(query, json.loads(reply.body))).encode())

        self.replies[path] = rewritten

    def settings(self, only: str = "*", listen_seconds: float = 0.0, **more: Any) -> VerifySettings:
        """Settings that lead here."""
        return VerifySettings(
            base_urls={market: self.simulator.base_url(market) for market in MARKETS},
            stream_urls={market: self.simulator.stream_url(market) for market in MARKETS},
            only=only,
            listen_seconds=listen_seconds,
            api_key="a-key",
            **more,
        )

    def reset(self) -> None:
        """As if nothing had changed, in a window in which nothing was spent."""
        self.replies.clear()
        self.messages.clear()
        self.wrapper, self.refused = None, ""
        self.simulator.reset_limits()

    @contextmanager
    def running_clock(self) -> Iterator[None]:
        """Time passes at the exchange, so that it sends events."""
        stop = threading.Event()

        def run() -> None:
            while not stop.wait(_PAUSE_SECONDS):
                self.clock.advance(_STEP_SECONDS)
                self.simulator.streams.flush()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


@contextmanager
def mutated_exchange() -> Iterator[MutatedExchange]:
    """A running exchange whose answers and messages pass through its changes."""
    clock = ManualClock(NOW)
    with Simulator(clock=clock) as simulator, pytest.MonkeyPatch.context() as patch:
        exchange = MutatedExchange(simulator, clock)
        for limits in simulator.streams.limits.values():
            limits.messages_per_second = 10_000
        inner: Any = vars(simulator)["_exchange"]
        answer = inner.answer

        def answered(request: Request, *rest: Any) -> Reply:
            reply: Reply = answer(request, *rest)
            change = exchange.replies.get(request.path)
            return reply if change is None else change(dict(parse_qsl(request.query)), reply)

        def send_event(connection: StreamConnection, name: str, payload: bytes) -> None:
            for part, change in exchange.messages.items():
                if part in name:
                    changed = change(json.loads(payload))
                    if changed is None:
                        return
                    payload = json.dumps(changed, separators=(",", ":")).encode()
            message = wrapped(name, payload)
            write: Any = getattr(connection, "_write")  # noqa: B009 - it is private, and the wire is behind it
            write(message if exchange.wrapper is None else exchange.wrapper(message))

        listened: Any = vars(StreamConnection)["_answer"]

        def answer_request(connection: StreamConnection, order: StreamRequest) -> None:
            if exchange.refused and any(exchange.refused in name for name in order.names):
                error = {"error": {"code": 2, "msg": "Invalid request: unknown stream"}, "id": order.id}
                getattr(connection, "_write")(json.dumps(error).encode())  # noqa: B009 - see above
                return
            listened(connection, order)

        patch.setattr(inner, "answer", answered)
        patch.setattr(StreamConnection, "send_event", send_event)
        patch.setattr(StreamConnection, "_answer", answer_request)
        yield exchange
