"""Missing events from REST: asked for page by page, through the client's own budget, and turned into live events."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from operator import attrgetter
from typing import Any, cast

from binance_sdk._runtime.calls.drive import drive
from binance_sdk._runtime.calls.engine import Engine
from binance_sdk._runtime.clock import Clock
from binance_sdk._runtime.operation import Market, Operation
from binance_sdk._runtime.options import RequestOptions
from binance_sdk._runtime.stream.context import Rest
from binance_sdk._runtime.stream.event import StreamEvent, mark_filled, mark_stream
from binance_sdk._runtime.stream.names import Named
from binance_sdk._runtime.stream.operation import Fill
from binance_sdk._runtime.stream.reading.sequence import Hole, most_bars
from binance_sdk.errors import BinanceError

_PAUSES = (0.5, 1.0, 2.0)
"""Waits for rows that the exchange has not published over REST yet."""


class Incomplete(Exception):
    """The rest of a hole could not be fetched."""

    def __init__(self, hole: Hole, why: str) -> None:
        super().__init__(why)
        self.hole = hole


async def filled(rest: Rest, named: Named, hole: Hole, clock: Clock) -> AsyncGenerator[list[StreamEvent], None]:
    """The events inside a hole, in order, each once, a page at a time.

    Raises:
        Incomplete: some could not be had; everything before them was yielded.
    """
    fill = named.operation.fill
    sequence = named.operation.sequence
    assert fill is not None
    assert sequence is not None
    each = sequence.kind != "time"
    most = rest.most(fill.operation, fill.size)
    row_id = attrgetter(fill.id)
    interval = str(named.arguments.get(sequence.interval, ""))
    last, pauses = hole.last, list(_PAUSES)
    while last + 1 < hole.first:
        # No more than can be missing, and of bars the one behind them: a page of many rows weighs more.
        size = min(most, hole.first - last - 1 if each else most_bars(interval, last, hole.first))
        arguments = {**_arguments(fill, named), fill.cursor: last + 1, fill.size: size}
        try:
            rows = await rest.rows(fill.operation, arguments)
        except BinanceError as error:
            raise Incomplete(Hole(last, hole.first), str(error)) from error
        inside = [row for row in rows if last < row_id(row) < hole.first]
        if inside and (not each or row_id(inside[0]) == last + 1):
            events = [make_event(named, row) for row in inside]
            if each:
                # Behind a row that is missing there is nothing that could be yielded in order.
                whole = next((n for n, row in enumerate(inside) if row_id(row) != last + 1 + n), len(inside))
                events, inside = events[:whole], inside[:whole]
            last = row_id(inside[-1])
            yield events
            if each:
                continue
        if not each and rows:
            if row_id(rows[-1]) >= hole.first:
                # Bars have no number: all there are came before the one that ends the hole.
                return
            if inside and len(rows) == size:
                continue
            if inside:
                # Pages may have become shorter than they were: as long as each brings something, it goes on.
                pauses = list(_PAUSES)
        if not pauses:
            raise Incomplete(Hole(last, hole.first), "the exchange's REST answer does not have them")
        await clock.sleep(pauses.pop(0))


def _arguments(fill: Fill, named: Named) -> dict[str, object]:
    return {
        **fill.always,
        **{wire: named.arguments[parameter] for wire, parameter in fill.arguments.items()},
    }


def make_event(named: Named, row: object) -> StreamEvent:
    """A row of REST as the live event; what it does not say is unset."""
    fill = named.operation.fill
    assert fill is not None
    fields: dict[str, Any] = {}
    for path, attribute in fill.fields.items():
        value = attrgetter(attribute)(row)
        # What REST left out is unset, too: a null would be an answer that nobody gave.
        if value is not None:
            _put(fields, path, value)
    for path, constant in fill.constants.items():
        _put(fields, path, constant)
    for path, parameter in fill.given.items():
        _put(fields, path, named.arguments[parameter])
    event = cast("type[StreamEvent]", named.operation.item).model_validate(fields, by_alias=False, by_name=True)
    mark_stream(event, named.name)
    mark_filled(event, True)
    return event


def _put(fields: dict[str, Any], path: str, value: object) -> None:
    *outer, name = path.split(".")
    for step in outer:
        fields = fields.setdefault(step, {})
    fields[name] = value


class EngineRest:
    """Fetches through the engine of a client: its budget, its retries, its hooks."""

    def __init__(self, engine: Engine, defaults: RequestOptions, *, blocking: bool) -> None:
        self._engine = engine
        self._options = RequestOptions(priority="normal").over(defaults)
        self._blocking = blocking

    def _operation(self, operation: str) -> Operation[Any]:
        market, _, name = operation.partition(".")
        return self._engine.attempts.catalogue.market(cast(Market, market)).operations[name]

    def most(self, operation: str, size: str) -> int:
        return self._operation(operation).by_wire[size].max or 1000

    async def rows(self, operation: str, arguments: Mapping[str, object]) -> list[Any]:
        found = self._operation(operation)
        call = self._engine.call(found, arguments, self._options)
        if self._blocking:
            # The engine of a blocking client waits by blocking, which the loop of the streams must not.
            import asyncio

            return cast("list[Any]", (await asyncio.to_thread(drive, call)).data)
        return cast("list[Any]", (await call).data)
