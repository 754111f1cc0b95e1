"""Messages into typed events of one consumer; events of other markets are left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from pydantic import ValidationError

from binance_sdk._runtime.additions import NOTED
from binance_sdk._runtime.answers.good_rows import good_rows
from binance_sdk._runtime.answers.shape_drift import ShapeWatch
from binance_sdk._runtime.calls.notify import LOGGER
from binance_sdk._runtime.stream.frames import inner
from binance_sdk._runtime.stream.reading.subscription import Subscription
from binance_sdk._runtime.stream.stats import StreamStats
from binance_sdk._runtime.stream.stream_event import mark_stream
from binance_sdk.events import Event, RowSkipped

OnMalformed = Callable[[str, str, bytes], None]


class MessageDecoder:
    """Decodes the payloads of one consumer's streams.

    Args:
        stats: Its counts.
        on_malformed: Called with a message that is not what the spec says: stream, problem, bytes.
        notify: Called with what goes to the hooks and the log of the client.
        now: The clock by which the silence of streams is measured.
        shapes: Told where messages are not what the spec says.
    """

    def __init__(
        self,
        stats: StreamStats,
        on_malformed: OnMalformed,
        notify: Callable[[Event], None],
        now: Callable[[], float],
        shapes: ShapeWatch,
    ) -> None:
        self._stats = stats
        self._on_malformed = on_malformed
        self._notify = notify
        self._now = now
        self._shapes = shapes

    def look(self, subscription: Subscription, event: Any) -> None:
        """Tell what is new in a message."""
        operation = subscription.stream.operation
        self._shapes.look(operation.id, "", operation.type, operation.reader, event)

    def _look_at_broken(self, subscription: Subscription, payload: bytes) -> None:
        operation = subscription.stream.operation
        self._shapes.look_at_broken(operation.id, "", operation.type, operation.reader, payload)

    def decode(self, subscription: Subscription, payload: bytes) -> Any:
        """The event, or the list of events; None if nothing in it is for the consumer."""
        try:
            event = subscription.decode(payload, by_alias=True, by_name=False)
        except ValidationError as error:
            event = self.recover(subscription, payload, error)
        if event is None:
            return None
        if NOTED:
            self.look(subscription, event)
        return self.filtered(subscription, event)

    def recover(self, subscription: Subscription, payload: bytes, error: ValidationError) -> Any:
        """What can still be given out of a message that failed to decode; None if nothing, which is then reported."""
        reader, data = subscription.stream.operation.reader, inner(subscription.id, payload)
        try:
            # The only fault may be a number that the quick validator does not read.
            event = reader.again(payload, error) if data is None else reader.read(data)
        except ValidationError as failure:
            payload, error = payload if data is None else data, failure
        else:
            subscription.note_readable()
            return event
        market_filter = subscription.market_filter
        # A fault in an event of another market does not concern this consumer.
        foreign = frozenset[int]() if market_filter is None else market_filter.foreign_rows(payload)
        if foreign and not subscription.listed:
            self._count_foreign(subscription, 1)
            return None
        if foreign or subscription.skip_rows:
            found = self._without_bad_rows(subscription, payload, foreign)
            if found is not None:
                return None if found == [] else found
        self._on_malformed(subscription.name, summary(error), payload)
        self._look_at_broken(subscription, payload)
        subscription.note_unreadable(self._now())
        return None

    def _without_bad_rows(self, subscription: Subscription, payload: bytes, foreign: frozenset[int]) -> Any:
        """The message without its bad rows; None if it has bad rows that may not be left out."""
        operation = subscription.stream.operation
        found = good_rows(operation.type, payload)
        if found is None:
            return None
        event, bad = found
        skipped = [row for row in bad if row.row not in foreign]
        if skipped and (not subscription.skip_rows or (subscription.listed and not event)):
            return None
        if skipped and not foreign:
            self._look_at_broken(subscription, payload)
        for row in skipped:
            self._stats.skipped_rows += 1
            self._notify(RowSkipped(operation.id, row.row, row.problem))
        if len(bad) > len(skipped):
            self._count_foreign(subscription, len(bad) - len(skipped))
        subscription.note_readable()
        return event

    def filtered(self, subscription: Subscription, event: Any) -> Any:
        """What belongs to the consumer's market, marked with the name of its stream; None if nothing does."""
        market_filter = subscription.market_filter
        if not subscription.listed:
            if market_filter is not None and not market_filter.is_own(event):
                self._count_foreign(subscription, 1)
                return None
            mark_stream(event, subscription.name)
            return event
        rows = cast("list[Any]", event)
        if market_filter is not None:
            rows = [row for row in rows if market_filter.is_own(row)]
            if len(rows) < len(event):
                self._count_foreign(subscription, len(event) - len(rows))
                if not rows:
                    return None
        for row in rows:
            mark_stream(row, subscription.name)
        return rows

    def _count_foreign(self, subscription: Subscription, rows: int) -> None:
        self._stats.other_market += rows
        if subscription.row_key is None and not subscription.warned_other_market:
            # The stream was asked for by its symbol's name, so somebody waits for these events.
            subscription.warned_other_market = True
            LOGGER.warning(
                "stream %s: its events belong to another market than %s and are left out",
                subscription.name,
                subscription.stream.operation.market,
            )


def summary(error: ValidationError) -> str:
    """The first few mistakes of a message in one line."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    shown = [f"{'.'.join(str(step) for step in item['loc'])}: {item['msg']}" for item in found[:3]]
    return "; ".join([*shown, *([f"and {len(found) - 3} more"] if len(found) > 3 else [])])
