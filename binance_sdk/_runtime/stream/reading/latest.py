"""What waits for a consumer who wants the newest alone: one message of each stream, and one row of each symbol."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from binance_sdk._runtime.stream.notices import Notice
from binance_sdk._runtime.stream.reading.buffer import MOST_NOTICES, Waiting
from binance_sdk._runtime.stream.reading.decoder import Messages
from binance_sdk._runtime.stream.reading.subscription import Subscription

_UNREAD = 64
"""Messages of a stream of all symbols that are read together: reading is put off, as most rows are never wanted."""
_UNREAD_BYTES = 1 << 20


class _Rows:
    """The newest row of each symbol, out of messages that carry only what has changed."""

    __slots__ = ("came", "rows", "size", "unread")

    def __init__(self) -> None:
        self.unread: list[bytes] = []
        self.rows: dict[Any, tuple[Any, int]] = {}
        """By symbol: the row, and its part of the message that brought it, in bytes."""
        self.size = 0
        self.came = 0.0


class Latest:
    """Takes the place of ``Buffer`` for ``overflow="latest"``; nothing is ever full.

    What is older than another message of its stream, or another row of its symbol, is dropped when that one comes. A
    stream keeps its place in the row while its content is replaced, so a busy one does not starve the others.

    Args:
        most_bytes: Bytes of frames; beyond them whole streams are dropped, the one that waits longest first.
        messages: Reads streams of all symbols.
        dropped: Told of every message or row that is thrown away.
    """

    def __init__(self, most_bytes: int, messages: Messages, dropped: Callable[[Subscription, int], None]) -> None:
        self._most_bytes = most_bytes
        self._messages = messages
        self._dropped = dropped
        self._single: dict[Subscription, tuple[bytes, float]] = {}
        self._rows: dict[Subscription, _Rows] = {}
        self._order: dict[Subscription, None] = {}
        """Those that have something to read, in the order in which they are read."""
        self._told: deque[Notice] = deque(maxlen=MOST_NOTICES)
        self._size = 0
        self.limit = 0
        """So that the writer asks at every message."""
        self.most = 0
        self.size = 0
        """What the writer has put down and ``full`` has not picked up."""
        self.notices = 0
        self.waiting: deque[Waiting] = deque()
        """Where the writer puts a message down, and the reader finds the next one."""
        self.paused = False

    def add_notice(self, notice: Notice) -> None:
        """Notices come before all events: what they tell of lies before the newest."""
        self._told.append(notice)

    def full(self) -> None:
        """Called by the writer for each message."""
        self.size = 0
        while self.waiting:
            item = self.waiting.popleft()
            if isinstance(item, tuple):
                self._put(*item)
        while self._size > self._most_bytes and len(self._order) > 1:
            self._drop(next(iter(self._order)))

    def _put(self, subscription: Subscription, payload: bytes, came: float) -> None:
        self._order.setdefault(subscription)
        self._size += len(payload)
        if subscription.row_key is None:
            older = self._single.get(subscription)
            self._single[subscription] = (payload, came)
            if older is not None:
                self._size -= len(older[0])
                self._dropped(subscription, 1)
            return
        rows = self._rows.setdefault(subscription, _Rows())
        rows.unread.append(payload)
        rows.size += len(payload)
        rows.came = came
        if len(rows.unread) >= _UNREAD or (len(rows.unread) > 1 and rows.size > _UNREAD_BYTES):
            self._merge(subscription, rows)

    def _merge(self, subscription: Subscription, rows: _Rows) -> None:
        key_of = subscription.row_key
        assert key_of is not None
        unread, rows.unread = rows.unread, []
        replaced = 0
        for payload in unread:
            found = self._messages.read(subscription, payload)
            events = [] if found is None else found if subscription.listed else [found]
            share = len(payload) // len(events) if events else 0
            for event in events:
                key = key_of(event)
                replaced += key in rows.rows
                rows.rows[key] = (event, share)
        size = sum(share for _, share in rows.rows.values())
        self._size += size - rows.size
        rows.size = size
        if replaced:
            self._dropped(subscription, replaced)

    def next(self, ready: deque[Any]) -> float | None:
        """Put the next one where the reader finds it: typed into ``ready``, or a message into ``waiting``.

        Returns:
            When it came; None if there is none.
        """
        if self._told:
            ready.append(self._told.popleft())
            return 0.0
        while self._order:
            subscription = next(iter(self._order))
            del self._order[subscription]
            single = self._single.pop(subscription, None)
            if single is not None:
                payload, came = single
                self._size -= len(payload)
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
                self._size -= share
                if rows.rows:
                    # The others of this stream wait behind the other streams.
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
            self._size -= rows.size

    def _drop(self, subscription: Subscription) -> None:
        del self._order[subscription]
        single = self._single.pop(subscription, None)
        if single is not None:
            self._size -= len(single[0])
            self._dropped(subscription, 1)
            return
        rows = self._rows[subscription]
        self._dropped(subscription, len(rows.rows) + len(rows.unread))
        self._forget_rows(subscription)

    def taken(self, size: int = 0) -> None:
        """Nothing is ever paused."""

    def forget(self, gone: set[Subscription]) -> None:
        """Throw away what waits for streams that nobody listens to any more."""
        for subscription in gone:
            self._order.pop(subscription, None)
            single = self._single.pop(subscription, None)
            if single is not None:
                self._size -= len(single[0])
            self._forget_rows(subscription)

    def clear(self) -> None:
        """Throw away everything."""
        self.forget(set(self._order))
        self._told.clear()
        self.waiting.clear()
