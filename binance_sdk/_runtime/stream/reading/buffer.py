"""What waits for the consumer, bounded by the overflow policy. Pure: who reads and writes is told by callbacks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from binance_sdk._runtime.stream.notices import Notice
from binance_sdk._runtime.stream.reading.subscription import Subscription

Message: TypeAlias = tuple[Subscription, bytes, float]
Waiting: TypeAlias = Message | Notice

MOST_NOTICES = 1000
"""Notices that wait for a consumer who does not come; hooks and the log have been told of each of them."""
_BURST = 8192
"""Messages that one read of the socket (256 KiB) may bring after reading was stopped."""
_BURST_BYTES = 1 << 20
"""Bytes that may come then: what was read, and the message of which it is the end."""


class Buffer:
    """Messages and notices in the order they came, for the policies ``block`` and ``drop_oldest``.

    The writer appends a message to ``waiting``, adds its bytes to ``size``, and calls ``full`` if there are more than
    ``limit`` or ``most`` of them. The reader takes from the other end and subtracts nothing, since nearly every message
    is taken at once: ``size`` is no less than what waits, and is counted anew when it has become too much.

    Args:
        block: Whether the connections wait when there is no room; otherwise the oldest messages are dropped.
        limit: Messages.
        most_bytes: Bytes of their frames.
        pause: Stops (True) and goes on (False) with reading from the connections; only for ``block``.
        dropped: Told of every message that is thrown away.
    """

    def __init__(
        self,
        block: bool,
        limit: int,
        most_bytes: int,
        pause: Callable[[bool], None],
        dropped: Callable[[Subscription, int], None],
    ) -> None:
        self._block = block
        self._pause = pause
        self._dropped = dropped
        self.limit = limit
        # Half of the room is kept for what still comes after reading was stopped.
        self.most = most_bytes // 2 if block else most_bytes
        self._last_byte = max(most_bytes, self.most + _BURST_BYTES)
        self.waiting: deque[Waiting] = deque()
        self.size = 0
        """Bytes that came since it was counted, and those that waited then."""
        self.notices = 0
        """How many of those that wait are none."""
        self.paused = False

    @property
    def _messages(self) -> int:
        return len(self.waiting) - self.notices

    def add_notice(self, notice: Notice) -> None:
        """Put it behind what waits."""
        if self.notices >= MOST_NOTICES:
            oldest = next(at for at, item in enumerate(self.waiting) if not isinstance(item, tuple))
            del self.waiting[oldest]
            self.notices -= 1
        self.notices += 1
        self.waiting.append(notice)

    def full(self) -> None:
        """Called by the writer when there may be too much."""
        if self.size > self.most and not self.paused:
            self._count()
        if not self._block:
            # One message is always let in, however large it is.
            while self._messages > self.limit:
                self._drop_first()
            if self.size > self.most:
                # A little more than needed, or the next message would have to count again.
                while self.size > self.most * 7 // 8 and self._messages > 1:
                    self._drop_first()
            return
        if not self.paused and (self._messages > self.limit or self.size > self.most):
            self.paused = True
            self._count()
            self._pause(True)
        if self._messages > 2 * self.limit + _BURST or (self.size > self._last_byte and self._messages > 1):
            # Read in sips only to answer the server's pings; this much of it is kept.
            self._drop_last()

    def _count(self) -> None:
        self.size = sum(len(item[1]) for item in self.waiting if isinstance(item, tuple))

    def taken(self, size: int = 0) -> None:
        """Called by the reader while ``paused``, for each message: go on when half of the room is free."""
        self.size -= size
        if self._messages <= self.limit // 2 and self.size <= self.most // 2:
            self.paused = False
            self._pause(False)

    def forget(self, gone: set[Subscription]) -> None:
        """Throw away what waits for streams that nobody listens to any more."""
        kept = [item for item in self.waiting if not isinstance(item, tuple) or item[0] not in gone]
        self.waiting.clear()
        self.waiting.extend(kept)
        self._count()

    def clear(self) -> None:
        """Throw away everything."""
        self.waiting.clear()
        self.size = self.notices = 0

    def _drop_last(self) -> None:
        item = self.waiting.pop()
        if isinstance(item, tuple):
            self._drop(item)
        else:
            self.waiting.append(item)

    def _drop_first(self) -> None:
        notices: list[Notice] = []
        while self.waiting:
            item = self.waiting.popleft()
            if isinstance(item, tuple):
                self._drop(item)
                break
            notices.append(item)
        # A notice is never dropped, and stays in front of what it stood in front of.
        self.waiting.extendleft(reversed(notices))

    def _drop(self, message: Message) -> None:
        self.size -= len(message[1])
        self._dropped(message[0], 1)
