"""``overflow="latest"``: a buffer that keeps the newest alone, and the reader that empties it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import Any, cast

from binance_sdk._runtime.stream.notices import Notice
from binance_sdk._runtime.stream.options import ResolvedOptions
from binance_sdk._runtime.stream.reading.buffer import MAX_NOTICES, Buffer
from binance_sdk._runtime.stream.reading.decoder import MessageDecoder
from binance_sdk._runtime.stream.reading.reader import Reader
from binance_sdk._runtime.stream.reading.subscription import Subscription

_MAX_UNDECODED = 64
"""Messages of a stream of all symbols that are decoded together: late, since most of their rows are replaced before."""
_MAX_UNDECODED_BYTES = 1 << 20
_STALE_SECONDS = 0.001
"""If the connections have not read for so long, something newer may have arrived."""
_MAX_READS = 256
"""Reads of the connections in a row, so that a flood does not keep the consumer waiting."""


class _NewestRows:
    """The newest row of each symbol, collected from messages that carry only what has changed."""

    __slots__ = ("came", "rows", "size", "undecoded")

    def __init__(self) -> None:
        self.undecoded: list[bytes] = []
        self.rows: dict[Any, tuple[Any, int]] = {}
        """By symbol: the row, and its share of the bytes of the message that brought it."""
        self.size = 0
        self.came = 0.0


class LatestBuffer(Buffer):
    """Keeps one message of each stream, or one row of each symbol where a stream carries all symbols. Never pauses.

    When a message or row comes, the older one of its stream or symbol is dropped. The new content takes the old one's
    place in the order of reading, so a busy stream does not starve the others.

    Args:
        max_bytes: Bytes of frames; beyond them whole streams are dropped, the one that has waited longest first.
        decoder: Decodes the messages of streams of all symbols.
        on_dropped: Called with a stream and how many of its messages or rows were dropped.
    """

    def __init__(
        self, max_bytes: int, decoder: MessageDecoder, on_dropped: Callable[[Subscription, int], None]
    ) -> None:
        # With maxima of 0 the writer calls ``make_room`` for every message.
        super().__init__(False, 0, 0, lambda paused: None, on_dropped)
        self._limit = max_bytes
        self._decoder = decoder
        self._single: dict[Subscription, tuple[bytes, float]] = {}
        self._rows: dict[Subscription, _NewestRows] = {}
        self._order: dict[Subscription, None] = {}
        """Streams that have something to read, in the order in which they are read."""
        self._notices: deque[Notice] = deque(maxlen=MAX_NOTICES)
        self._total = 0
        """Bytes that are kept. ``size`` counts only what the writer has put into ``waiting`` since ``make_room``."""

    def add_notice(self, notice: Notice) -> None:
        """Notices come before all events, because what they tell happened before the newest event."""
        self._notices.append(notice)

    def make_room(self) -> None:
        """Called by the writer for each message: move what is in ``waiting`` to the place of its stream."""
        self.size = 0
        while self.waiting:
            item = self.waiting.popleft()
            if isinstance(item, tuple):
                self._put(*item)
        while self._total > self._limit and len(self._order) > 1:
            self._drop_stream(next(iter(self._order)))

    def _put(self, subscription: Subscription, payload: bytes, came: float) -> None:
        self._order.setdefault(subscription)
        self._total += len(payload)
        if subscription.row_key is None:
            older = self._single.get(subscription)
            self._single[subscription] = (payload, came)
            if older is not None:
                self._total -= len(older[0])
                self._on_dropped(subscription, 1)
            return
        rows = self._rows.setdefault(subscription, _NewestRows())
        rows.undecoded.append(payload)
        rows.size += len(payload)
        rows.came = came
        if len(rows.undecoded) >= _MAX_UNDECODED or (len(rows.undecoded) > 1 and rows.size > _MAX_UNDECODED_BYTES):
            self._merge(subscription, rows)

    def _merge(self, subscription: Subscription, rows: _NewestRows) -> None:
        key_of = subscription.row_key
        assert key_of is not None
        undecoded, rows.undecoded = rows.undecoded, []
        replaced = 0
        for payload in undecoded:
            found = self._decoder.decode(subscription, payload)
            events = [] if found is None else found if subscription.listed else [found]
            share = len(payload) // len(events) if events else 0
            for event in events:
                key = key_of(event)
                replaced += key in rows.rows
                rows.rows[key] = (event, share)
        size = sum(share for _, share in rows.rows.values())
        self._total += size - rows.size
        rows.size = size
        if replaced:
            self._on_dropped(subscription, replaced)

    def next(self, ready: deque[Any]) -> float | None:
        """Hand the next item to the reader: a typed one goes into ``ready``, a message into ``waiting``.

        Returns:
            When it came in, in monotonic seconds, or 0.0 for a notice; None if there is nothing.
        """
        if self._notices:
            ready.append(self._notices.popleft())
            return 0.0
        while self._order:
            subscription = next(iter(self._order))
            del self._order[subscription]
            single = self._single.pop(subscription, None)
            if single is not None:
                payload, came = single
                self._total -= len(payload)
                self.waiting.append((subscription, payload, came))
                return came
            rows = self._rows[subscription]
            self._merge(subscription, rows)
            if subscription.listed:
                events = [event for event, _ in rows.rows.values()]
                self._forget_rows(subscription)
                if events:
                    ready.append(events)
                    return rows.came
            elif rows.rows:
                key = next(iter(rows.rows))
                event, share = rows.rows.pop(key)
                rows.size -= share
                self._total -= share
                if rows.rows:
                    # The other rows of this stream wait behind the other streams.
                    self._order[subscription] = None
                else:
                    self._forget_rows(subscription)
                ready.append(event)
                return rows.came
            else:
                self._forget_rows(subscription)
        return None

    def _forget_rows(self, subscription: Subscription) -> None:
        rows = self._rows.pop(subscription, None)
        if rows is not None:
            self._total -= rows.size

    def _drop_stream(self, subscription: Subscription) -> None:
        del self._order[subscription]
        single = self._single.pop(subscription, None)
        if single is not None:
            self._total -= len(single[0])
            self._on_dropped(subscription, 1)
            return
        rows = self._rows[subscription]
        self._on_dropped(subscription, len(rows.rows) + len(rows.undecoded))
        self._forget_rows(subscription)

    def taken(self, size: int = 0) -> None:
        """Does nothing, as this buffer never pauses."""

    def forget(self, subscriptions: set[Subscription]) -> None:
        """Throw away the messages of streams that were unsubscribed from."""
        for subscription in subscriptions:
            self._order.pop(subscription, None)
            single = self._single.pop(subscription, None)
            if single is not None:
                self._total -= len(single[0])
            self._forget_rows(subscription)

    def clear(self) -> None:
        """Throw away everything."""
        self.forget(set(self._order))
        self._notices.clear()
        self.waiting.clear()


class LatestReader(Reader):
    """Gives out the newest alone: before each event it looks whether the connections have something newer."""

    latest_only = True

    _connections_read_at = 0.0
    """By the process's own clock, not the injected one: the time is spent by a consumer that keeps the loop busy."""

    def _make_buffer(self, options: ResolvedOptions, pause: Callable[[bool], None]) -> Buffer:
        return LatestBuffer(options.buffer_bytes, self._decoder, self._note_dropped)

    def take(self, with_notices: bool = False) -> Any:
        if perf_counter() - self._connections_read_at > _STALE_SECONDS:
            self._before_yield = 0
            return None
        buffer = cast(LatestBuffer, self.buffer)
        while (found := super().take(with_notices)) is None and self._before_yield > 0:
            came = buffer.next(self._ready)
            if came is None:
                return None
            if self._ready and came:
                self.stats.lag_ms = (self._now() - came) * 1000.0
        return found

    async def _yield_to_connections(self) -> None:
        await asyncio.sleep(0)
        # If the consumer has kept the loop busy, more may have arrived than one read takes in.
        for _ in range(_MAX_READS):
            before = self.stats.received
            # The loop polls its sockets after the next step of this task, so a single step would see nothing.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if self.stats.received == before:
                break
        self._connections_read_at = perf_counter()
