"""What waits for the consumer, bounded by the overflow policy. Pure: who reads and writes is told by callbacks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from binance_sdk._runtime.stream.notices import Notice
from binance_sdk._runtime.stream.options import Overflow
from binance_sdk._runtime.stream.subscription import Subscription

Message = tuple[Subscription, bytes, float]
Waiting = Message | Notice

_BURST = 8192
"""Messages that one read of the socket (256 KiB) may bring after reading was stopped."""
_MOST_NOTICES = 1000
"""Notices that wait for a consumer who does not come; hooks and the log have been told of each of them."""


class Buffer:
    """Messages and notices in the order they came.

    Args:
        policy: What to do when ``limit`` messages wait.
        limit: Messages.
        pause: Stops (True) and goes on (False) with reading from the connections; only for ``block``.
        dropped: Told of every message that is thrown away.
    """

    def __init__(
        self,
        policy: Overflow,
        limit: int,
        pause: Callable[[bool], None],
        dropped: Callable[[Subscription], None],
    ) -> None:
        self._policy = policy
        self._pause = pause
        self._dropped = dropped
        self.limit = limit
        self.waiting: deque[Waiting] = deque()
        self.notices = 0
        """How many of those that wait."""
        self.paused = False

    def add_notice(self, notice: Notice) -> None:
        """Put it behind what waits."""
        if self.notices >= _MOST_NOTICES:
            oldest = next(at for at, item in enumerate(self.waiting) if not isinstance(item, tuple))
            del self.waiting[oldest]
            self.notices -= 1
        self.notices += 1
        self.waiting.append(notice)

    def full(self) -> None:
        """Called by the writer when more than ``limit`` wait."""
        if self._policy == "block":
            if not self.paused:
                self.paused = True
                self._pause(True)
            if len(self.waiting) > 2 * self.limit + _BURST:
                # Read in sips only to answer the server's pings; this much of it is kept.
                self._drop_last()
        elif self._policy == "latest" and self._keep_latest():
            return
        else:
            self._drop_first()

    def taken(self) -> None:
        """Called by the reader while ``paused``: go on when half of the room is free."""
        if len(self.waiting) <= self.limit // 2:
            self.paused = False
            self._pause(False)

    def forget(self, gone: set[Subscription]) -> None:
        """Throw away what waits for streams that nobody listens to any more."""
        kept = [item for item in self.waiting if not isinstance(item, tuple) or item[0] not in gone]
        self.waiting.clear()
        self.waiting.extend(kept)

    def _drop_last(self) -> None:
        item = self.waiting.pop()
        if isinstance(item, tuple):
            self._dropped(item[0])
        else:
            self.waiting.append(item)

    def _drop_first(self) -> None:
        notices: list[Notice] = []
        while self.waiting:
            item = self.waiting.popleft()
            if isinstance(item, tuple):
                self._dropped(item[0])
                break
            notices.append(item)
        # A notice is never dropped, and stays in front of what it stood in front of.
        self.waiting.extendleft(reversed(notices))

    def _keep_latest(self) -> bool:
        """Only the newest message of each stream; whether that made room."""
        newest: set[Subscription] = set()
        kept: deque[Waiting] = deque()
        before = len(self.waiting)
        for item in reversed(self.waiting):
            if isinstance(item, tuple):
                if item[0] in newest:
                    self._dropped(item[0])
                    continue
                newest.add(item[0])
            kept.appendleft(item)
        self.waiting.clear()
        self.waiting.extend(kept)
        return len(kept) < before
