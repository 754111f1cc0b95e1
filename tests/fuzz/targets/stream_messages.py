"""Raw messages of a WebSocket into the reader: the first line names the streams, each further line is a message."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from binance_sdk._runtime.stream.connection.connection import Connection
from binance_sdk._runtime.stream.connection.pacing import MessageLimiter
from binance_sdk._runtime.stream.names import NamedStream, name_streams
from binance_sdk._runtime.stream.operation import StreamOperation
from binance_sdk._runtime.stream.options import resolve_options
from binance_sdk._runtime.stream.reading.reader import Reader
from binance_sdk._runtime.stream.reading.subscription import Subscription
from binance_sdk.catalogue import STREAMS, stream_fixture
from binance_sdk.events import Event, MalformedMessage
from tests.fuzz.targets.naming import split
from tests.streams.manual_clock import ManualClock
from tests.streams.rows import FakeRest

_SYMBOLS = ("BTCUSDT", "BTCUSD_PERP", "BTCUSD")
_MOST_GIVEN = 5000
"""Items that some thousand bytes of messages may become at most."""


def _named(operation: StreamOperation[Any]) -> NamedStream:
    given: dict[str, object] = {}
    for parameter in operation.parameters:
        if parameter.kind == "choice":
            given[parameter.name] = next(iter(parameter.texts))
        else:
            form = parameter.symbol_form
            given[parameter.name] = next(name for name in _SYMBOLS if form is None or form.fits(name))
    return name_streams(operation, given)[0]


_STREAMS = {operation.id: _named(operation) for operation in STREAMS}


def _wrapped(stream: NamedStream, payload: bytes) -> bytes:
    return b'{"stream":"' + stream.name.encode() + b'","data":' + payload + b"}"


def _compact(payload: bytes) -> bytes:
    return json.dumps(json.loads(payload), separators=(",", ":"), ensure_ascii=False).encode()


def seeds() -> list[bytes]:
    made: list[bytes] = []
    for name, stream in _STREAMS.items():
        operation = stream.operation
        message = _wrapped(stream, _compact(stream_fixture(operation.market, operation.name)))
        made.append(b"\n".join((name.encode(), message, message)))
    reply = (
        b'{"result":null,"id":1}\n{"code":2,"msg":"Invalid request","id":null}\n{"error":{"code":-1,"msg":""},"id":1}'
    )
    return [*made, b"spot.agg_trade\n" + reply]


def target(data: bytes) -> bool:
    """Each message becomes an event, a notice, an answer, or is counted and told; the reader goes on."""
    stream, below = split(data, _STREAMS)
    return asyncio.run(_run(stream, below.split(b"\n")))


async def _run(stream: NamedStream, messages: list[bytes]) -> bool:
    read = True
    for skip_rows in (False, True):
        clock, told = ManualClock(), list[Event]()
        subscription = Subscription(
            stream, fill_gaps=False, quiet_time=None, from_spec=True, now=clock.now, skip_rows=skip_rows
        )
        reader = Reader(resolve_options([]), lambda _: None, clock=clock, rest=FakeRest(), notify=told.append)
        connection = Connection(clock, reader, {subscription.id: subscription}, MessageLimiter(5), lambda: None)
        for message in messages:
            connection.received(message)
        given = 0
        while (item := reader.take(with_notices=True)) is not None or reader.waiting:
            given += item is not None
            assert given <= _MOST_GIVEN
            if item is None:
                await reader._yield_to_connections()
                reader._before_yield = 256
        malformed = [event for event in told if isinstance(event, MalformedMessage)]
        assert reader.stats.malformed == len(malformed)
        assert all(event.problem for event in malformed)
        await reader.aclose()
        read = read and not malformed
    return read
