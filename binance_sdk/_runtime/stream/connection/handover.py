"""One connection takes over from another without a loss: both carry the same streams, and each message counts once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from binance_sdk._runtime.stream.reading.subscription import Subscription
from binance_sdk._runtime.stream.stats import StreamStats

_REMEMBERED = 4096
"""Messages of a stream that are compared between the two connections."""


class Handover:
    """Decides which messages of two connections are given out, from when the new one opens until it has settled.

    Until ``take_over`` the old connection's messages are given out and the new one's wait. From then on it is the
    other way round, but what the old connection has given out is not repeated.

    Args:
        stats: Counts the messages that came twice.
        silent: Streams of which nothing comes on the old connection; the new one's messages are given out at once.
    """

    def __init__(self, stats: StreamStats, silent: Iterable[Subscription]) -> None:
        self._stats = stats
        self._buffered: dict[Subscription, deque[bytes]] | None = {}
        """Messages of the new connection that the old one has not brought; None after ``take_over``."""
        self._given_out: dict[Subscription, deque[bytes]] = {}
        """Messages of the old connection that the new one has not brought."""
        self._in_both: set[Subscription] = set()
        """Streams of which both connections have brought the same message."""
        self._ahead: dict[Subscription, bool] = dict.fromkeys(silent, False)
        """The silent streams; True once the new connection has given out a message of them."""

    def gives_out_new(self, subscription: Subscription, payload: bytes) -> bool:
        """Whether a message of the new connection is given out now; otherwise it waits, or is a duplicate."""
        if _skip_to(self._given_out.get(subscription), payload):
            self._stats.duplicates += 1
            return False
        if self._buffered is None:
            return True
        if subscription in self._ahead:
            self._ahead[subscription] = True
            return True
        self._buffered.setdefault(subscription, deque(maxlen=_REMEMBERED)).append(payload)
        return False

    def gives_out_old(self, subscription: Subscription) -> bool:
        """Whether a message of the old connection is given out; not if the new one has given out its stream's first."""
        if self._ahead.get(subscription):
            self._stats.duplicates += 1
            return False
        self._ahead.pop(subscription, None)
        return True

    def note_given_out(self, subscription: Subscription, payload: bytes) -> None:
        """A message of the old connection was given out."""
        if self._buffered is not None and _skip_to(self._buffered.get(subscription), payload):
            self._in_both.add(subscription)
            self._stats.duplicates += 1
            return
        self._given_out.setdefault(subscription, deque(maxlen=_REMEMBERED)).append(payload)

    @property
    def caught_up(self) -> bool:
        """Whether the old connection has given out everything that came before the new one began."""
        return self._buffered is not None and all(
            not buffered or subscription in self._in_both for subscription, buffered in self._buffered.items()
        )

    def take_over(self) -> Iterator[tuple[Subscription, bytes]]:
        """From now on the new connection's messages are given out, beginning with these that have waited."""
        buffered, self._buffered = self._buffered or {}, None
        for subscription, payloads in buffered.items():
            for payload in payloads:
                yield subscription, payload


def _skip_to(messages: deque[bytes] | None, payload: bytes) -> bool:
    """Remove everything up to this message, if it is among them."""
    if not messages or payload not in messages:
        return False
    while messages.popleft() != payload:
        pass
    return True
