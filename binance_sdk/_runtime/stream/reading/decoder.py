"""What is in a message for its consumer: its events, typed, those of other markets left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from pydantic import ValidationError

from binance_sdk._runtime.answers.good_rows import good_rows
from binance_sdk._runtime.calls.notify import LOGGER
from binance_sdk._runtime.stream.event import mark_stream
from binance_sdk._runtime.stream.frames import inner
from binance_sdk._runtime.stream.reading.subscription import Subscription, problem
from binance_sdk._runtime.stream.stats import StreamStats
from binance_sdk.events import Event, RowSkipped

Malformed = Callable[[str, str, bytes], None]


class Messages:
    """Reads the payloads of one consumer's streams.

    Args:
        stats: Its counts.
        malformed: Told of a message that is not what the spec says: stream, what is wrong, bytes.
        tell: Hooks and the log of the client.
        now: The time by which the silence of streams is measured.
    """

    def __init__(
        self, stats: StreamStats, malformed: Malformed, tell: Callable[[Event], None], now: Callable[[], float]
    ) -> None:
        self._stats = stats
        self._malformed = malformed
        self._tell = tell
        self._now = now

    def read(self, subscription: Subscription, payload: bytes) -> Any:
        """The event, or the list of events; None where nothing in it is for the consumer."""
        try:
            event = subscription.decode(payload, by_alias=True, by_name=False)
        except ValidationError as error:
            event = self.unreadable(subscription, payload, error)
        return None if event is None else self.sifted(subscription, event)

    def unreadable(self, subscription: Subscription, payload: bytes, error: ValidationError) -> Any:
        """What can be given out all the same of a message that is not what the spec says; None for nothing."""
        reader, data = subscription.named.operation.reader, inner(subscription.id, payload)
        try:
            # It may only hold a number that asks for more care.
            event = reader.again(payload, error) if data is None else reader.read(data)
        except ValidationError as failure:
            payload, error = payload if data is None else data, failure
        else:
            subscription.readable()
            return event
        ownership = subscription.ownership
        # What is wrong in an event of another market is nothing to this one's consumer.
        foreign = frozenset[int]() if ownership is None else ownership.foreign(payload)
        if foreign and not subscription.listed:
            self._left_out(subscription, 1)
            return None
        if foreign or subscription.skip_rows:
            found = self._good_rows(subscription, payload, foreign)
            if found is not None:
                return None if found == [] else found
        self._malformed(subscription.name, problem(error), payload)
        subscription.garbled(self._now())
        return None

    def _good_rows(self, subscription: Subscription, payload: bytes, foreign: frozenset[int]) -> Any:
        """The message without its bad rows, if they may be left out."""
        operation = subscription.named.operation
        found = good_rows(operation.type, payload)
        if found is None:
            return None
        event, bad = found
        skipped = [one for one in bad if one.row not in foreign]
        if skipped and (not subscription.skip_rows or (subscription.listed and not event)):
            return None
        for one in skipped:
            self._stats.skipped_rows += 1
            self._tell(RowSkipped(operation.id, one.row, one.problem))
        if len(bad) > len(skipped):
            self._left_out(subscription, len(bad) - len(skipped))
        subscription.readable()
        return event

    def sifted(self, subscription: Subscription, event: Any) -> Any:
        """What belongs to the consumer's market, marked with the name of its stream; None where nothing does."""
        ownership = subscription.ownership
        if not subscription.listed:
            if ownership is not None and not ownership.owns(event):
                self._left_out(subscription, 1)
                return None
            mark_stream(event, subscription.name)
            return event
        rows = cast("list[Any]", event)
        if ownership is not None:
            rows = [row for row in rows if ownership.owns(row)]
            if len(rows) < len(event):
                self._left_out(subscription, len(event) - len(rows))
                if not rows:
                    return None
        for row in rows:
            mark_stream(row, subscription.name)
        return rows

    def _left_out(self, subscription: Subscription, rows: int) -> None:
        self._stats.other_market += rows
        if subscription.row_key is None and not subscription.told_other_market:
            # Asked for by its name, so somebody waits for it.
            subscription.told_other_market = True
            LOGGER.warning(
                "stream %s: what it carries belongs to another market than %s, and is left out",
                subscription.name,
                subscription.named.operation.market,
            )
