"""Who gets a notice: counts, hooks and the log at once, the consumer's own functions when the consumer comes to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from binance_sdk._runtime.calls.notify import LOGGER
from binance_sdk._runtime.stream.stats import StreamStats
from binance_sdk.events import Event, Gap, GapReason, Notice, Reconnected, SilentStream

__all__ = ["Gap", "GapReason", "Notice", "NoticeDispatcher", "OnNotice", "Reconnected", "SilentStream"]

OnNotice = Callable[[Notice], None]


class NoticeDispatcher:
    """Passes on the notices of one consumer.

    Args:
        stats: Its counts.
        notify: Called with what goes to the hooks and the log of the client.
        listeners: Functions of the consumer (``on_notice=``).
    """

    def __init__(self, stats: StreamStats, notify: Callable[[Event], None], listeners: Sequence[OnNotice]) -> None:
        self._stats = stats
        self._notify = notify
        self._listeners = list(listeners)

    def add_listener(self, listener: OnNotice) -> None:
        """Call this function too, from now on."""
        if listener not in self._listeners:
            self._listeners.append(listener)

    def announce(self, notice: Notice) -> None:
        """Count a notice and pass it to the hooks. The consumer comes to it later."""
        if isinstance(notice, Gap):
            self._stats.gaps += 1
        elif isinstance(notice, SilentStream):
            self._stats.silences += 1
        self._notify(notice)

    def deliver(self, notice: Notice) -> None:
        """Call the consumer's functions: every event before the notice has been given out, and none after it."""
        for listener in self._listeners:
            try:
                listener(notice)
            except Exception:  # noqa: BLE001
                # The events after the notice are wanted all the same; the log has the traceback.
                LOGGER.exception("on_notice failed on %s", notice)
