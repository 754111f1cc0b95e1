"""Messages that wait for the consumer, bounded by the overflow policy. Pure: it reads no clock and no connection."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from binance_sdk._runtime.stream.notices import Notice
from binance_sdk._runtime.stream.reading.subscription import Subscription

Message: TypeAlias = tuple[Subscription, bytes, float]
"""A stream, the payload of one of its messages, and when that came in (monotonic seconds)."""
Waiting: TypeAlias = Message | Notice

MAX_NOTICES = 1000
"""Notices kept for a consumer that does not read; hooks and the log have already got each of them."""
_BURST = 8192
"""Messages that one read of the socket (256 KiB) may still bring after reading was paused."""
_BURST_BYTES = 1 << 20
"""Bytes that one read may still bring after reading was paused, the message included whose end it holds."""


class Buffer:
    """Messages and notices in the order they came, for the policies ``block`` and ``drop_oldest``.

    Writing and reading are done by the caller, since both happen for every message. The writer appends a message to
    ``waiting``, adds its bytes to ``size``, and calls ``make_room`` if ``max_messages`` or ``max_bytes`` is exceeded.
    The reader takes messages from the left of ``waiting`` and does not subtract from ``size``, because nearly every
    message is taken at once: ``size`` is an upper bound, and is counted exactly when it exceeds ``max_bytes``.

    Args:
        block: Pause the connections when there is no room; otherwise drop the oldest messages.
        max_messages: Messages that may wait.
        max_bytes: Bytes of their frames.
        pause: Stops (True) and resumes (False) reading from the connections; only for ``block``.
        on_dropped: Called for every message that is dropped, with its stream and a count of 1.
    """

    def __init__(
        self,
        block: bool,
        max_messages: int,
        max_bytes: int,
        pause: Callable[[bool], None],
        on_dropped: Callable[[Subscription, int], None],
    ) -> None:
        self._block = block
        self._pause = pause
        self._on_dropped = on_dropped
        self.max_messages = max_messages
        # With ``block`` half of the room is kept for what still comes after reading was paused.
        self.max_bytes: int = max_bytes // 2 if block else max_bytes
        self._hard_max_bytes = max(max_bytes, self.max_bytes + _BURST_BYTES)
        self.waiting: deque[Waiting] = deque()
        self.size: int = 0
        """Upper bound of the bytes that wait."""
        self.notices: int = 0
        """Notices in ``waiting``."""
        self.paused: bool = False

    @property
    def _messages(self) -> int:
        return len(self.waiting) - self.notices

    def add_notice(self, notice: Notice) -> None:
        """Append it; the oldest notice goes when there are too many."""
        if self.notices >= MAX_NOTICES:
            oldest = next(at for at, item in enumerate(self.waiting) if not isinstance(item, tuple))
            del self.waiting[oldest]
            self.notices -= 1
        self.notices += 1
        self.waiting.append(notice)

    def make_room(self) -> None:
        """Called by the writer when a maximum is exceeded: pause the connections, or drop messages."""
        if self.size > self.max_bytes and not self.paused:
            self._count()
        if not self._block:
            # One message is always let in, however large it is.
            while self._messages > self.max_messages:
                self._drop_first()
            if self.size > self.max_bytes:
                # A little more than needed, or the next message would have to count again.
                while self.size > self.max_bytes * 7 // 8 and self._messages > 1:
                    self._drop_first()
            return
        if not self.paused and (self._messages > self.max_messages or self.size > self.max_bytes):
            self.paused = True
            self._count()
            self._pause(True)
        if self._messages > 2 * self.max_messages + _BURST or (self.size > self._hard_max_bytes and self._messages > 1):
            # While paused, the connections still read now and then to answer the server's pings. This much of what that
            # brings is kept.
            self._drop_last()

    def _count(self) -> None:
        self.size = sum(len(item[1]) for item in self.waiting if isinstance(item, tuple))

    def taken(self, size: int = 0) -> None:
        """Called by the reader while ``paused``, for each message: resume when half of the room is free."""
        self.size -= size
        if self._messages <= self.max_messages // 2 and self.size <= self.max_bytes // 2:
            self.paused = False
            self._pause(False)

    def forget(self, subscriptions: set[Subscription]) -> None:
        """Throw away the messages of streams that were unsubscribed from."""
        remaining = [item for item in self.waiting if not isinstance(item, tuple) or item[0] not in subscriptions]
        self.waiting.clear()
        self.waiting.extend(remaining)
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
        # A notice is never dropped, and stays in front of the message that came after it.
        self.waiting.extendleft(reversed(notices))

    def _drop(self, message: Message) -> None:
        self.size -= len(message[1])
        self._on_dropped(message[0], 1)
