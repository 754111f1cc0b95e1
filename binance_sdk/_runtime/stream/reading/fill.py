"""Missing events from REST: fetched page by page, within the client's budget, and made into events of the stream."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from operator import attrgetter
from typing import Any, Protocol, cast

from binance_sdk._runtime.calls.drive import drive
from binance_sdk._runtime.calls.engine import Engine
from binance_sdk._runtime.clock import Clock
from binance_sdk._runtime.operation import Operation
from binance_sdk._runtime.options import RequestOptions
from binance_sdk._runtime.stream.names import NamedStream
from binance_sdk._runtime.stream.operation import Fill
from binance_sdk._runtime.stream.reading.sequence import Hole, bars_until, most_bars
from binance_sdk._runtime.stream.stream_event import StreamEvent, mark_filled, mark_stream
from binance_sdk.errors import BinanceError

_PAUSES = (0.5, 1.0, 2.0)
"""Seconds between attempts to fetch rows that the exchange has not published over REST yet."""


class RestSource(Protocol):
    """Where missing events are fetched."""

    def max_rows(self, operation: str, size: str) -> int:
        """Rows that one answer can hold; ``size`` is the wire name of the parameter that asks for them."""
        ...

    async def rows(self, operation: str, arguments: Mapping[str, object]) -> list[Any]:
        """One page; arguments by wire name.

        Raises:
            BinanceError: the request failed.
        """
        ...


class FillIncomplete(Exception):
    """The rest of a hole could not be fetched.

    Attributes:
        hole: What is still missing.
    """

    def __init__(self, hole: Hole, why: str) -> None:
        super().__init__(why)
        self.hole = hole


async def fetch_missing(
    rest: RestSource, stream: NamedStream, hole: Hole, clock: Clock
) -> AsyncGenerator[list[StreamEvent], None]:
    """The events inside a hole, in order, each once, a page at a time.

    Raises:
        FillIncomplete: some could not be fetched; everything before them was yielded.
    """
    fill = stream.operation.fill
    sequence = stream.operation.sequence
    assert fill is not None
    assert sequence is not None
    # Bars have only a time, and there may be none for a time without trades.
    has_ids = sequence.kind != "time"
    max_rows = rest.max_rows(fill.operation, fill.size)
    row_id = attrgetter(fill.id)
    interval = str(stream.arguments.get(sequence.interval, ""))
    last, pauses = hole.last, list(_PAUSES)
    while last + 1 < hole.first:
        # No more rows than can be missing (with bars, and the one after them), since a page of many rows weighs more.
        size = min(max_rows, hole.first - last - 1 if has_ids else most_bars(interval, last, hole.first))
        arguments = {**_arguments(fill, stream), fill.cursor: last + 1, fill.size: size}
        if fill.end is not None:
            arguments[fill.end] = min(hole.first, bars_until(interval, last, size))
        try:
            rows = await rest.rows(fill.operation, arguments)
        except BinanceError as error:
            raise FillIncomplete(Hole(last, hole.first), str(error)) from error
        inside = [row for row in rows if last < row_id(row) < hole.first]
        if inside and (not has_ids or row_id(inside[0]) == last + 1):
            events = [make_event(stream, row) for row in inside]
            if has_ids:
                # What comes after a missing row cannot be yielded in order.
                whole = next((n for n, row in enumerate(inside) if row_id(row) != last + 1 + n), len(inside))
                events, inside = events[:whole], inside[:whole]
            last = row_id(inside[-1])
            yield events
            if has_ids:
                continue
        if not has_ids and rows:
            if row_id(rows[-1]) >= hole.first:
                # The answer reaches the end of the hole, so there are no more bars in it.
                return
            if inside and len(rows) == size:
                continue
            if inside:
                # The exchange may have lowered its page size: go on as long as each page brings something.
                pauses = list(_PAUSES)
        if not pauses:
            raise FillIncomplete(Hole(last, hole.first), "the exchange's REST answer does not have them")
        await clock.sleep(pauses.pop(0))


def _arguments(fill: Fill, stream: NamedStream) -> dict[str, object]:
    return {
        **fill.always,
        **{wire: stream.arguments[parameter] for wire, parameter in fill.arguments.items()},
    }


def make_event(stream: NamedStream, row: object) -> StreamEvent:
    """A row of REST as an event of the stream; fields that REST does not have are unset."""
    fill = stream.operation.fill
    assert fill is not None
    fields: dict[str, Any] = {}
    for path, attribute in fill.fields.items():
        value = attrgetter(attribute)(row)
        # What the row left out is unset too: a null would claim that the exchange had sent one.
        if value is not None:
            _put(fields, path, value)
    for path, constant in fill.constants.items():
        _put(fields, path, constant)
    for path, parameter in fill.given.items():
        _put(fields, path, stream.arguments[parameter])
    event = cast("type[StreamEvent]", stream.operation.item).model_validate(fields, by_alias=False, by_name=True)
    mark_stream(event, stream.name)
    mark_filled(event, True)
    return event


def _put(fields: dict[str, Any], path: str, value: object) -> None:
    *outer, name = path.split(".")
    for step in outer:
        fields = fields.setdefault(step, {})
    fields[name] = value


class EngineRest:
    """Fetches through the engine of a client, with its budget, retries and hooks."""

    def __init__(self, engine: Engine, defaults: RequestOptions, *, blocking: bool) -> None:
        self._engine = engine
        self._options = RequestOptions(priority="normal").over(defaults)
        self._blocking = blocking

    def _operation(self, operation: str) -> Operation[Any]:
        market, _, name = operation.partition(".")
        return self._engine.attempts.catalogue[market].operations[name]

    def max_rows(self, operation: str, size: str) -> int:
        return self._operation(operation).by_wire[size].max or 1000

    async def rows(self, operation: str, arguments: Mapping[str, object]) -> list[Any]:
        found = self._operation(operation)
        call = self._engine.call(found, arguments, self._options)
        if self._blocking:
            # The engine of a blocking client waits by blocking, which the loop of the streams must not.
            import asyncio

            return cast("list[Any]", (await asyncio.to_thread(drive, call)).data)
        return cast("list[Any]", (await call).data)
