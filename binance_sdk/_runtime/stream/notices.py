"""Who is told what is no event: counts, hooks and the log at once, the consumer's own functions in their turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from binance_sdk._runtime.calls.notify import LOGGER
from binance_sdk._runtime.stream.stats import StreamStats
from binance_sdk.events import Event, Gap, GapReason, Notice, Reconnected, SilentStream

__all__ = ["Gap", "GapReason", "Notice", "Notices", "OnNotice", "Reconnected", "SilentStream"]

OnNotice = Callable[[Notice], None]


class Notices:
    """Notices of one consumer.

    Args:
        stats: Its counts.
        tell: Hooks and the log of the client.
        listeners: Functions of the consumer.
    """

    def __init__(self, stats: StreamStats, tell: Callable[[Event], None], listeners: Sequence[OnNotice]) -> None:
        self._stats = stats
        self._tell = tell
        self._listeners = list(listeners)

    def listen(self, listener: OnNotice) -> None:
        """Tell this function too, from now on."""
        if listener not in self._listeners:
            self._listeners.append(listener)

    def announce(self, notice: Notice) -> None:
        """Something is known that the consumer will come to later."""
        if isinstance(notice, Gap):
            self._stats.gaps += 1
        elif isinstance(notice, SilentStream):
            self._stats.silences += 1
        self._tell(notice)

    def deliver(self, notice: Notice) -> None:
        """The consumer has come to it: every event before has been given out, none behind it."""
        for listener in self._listeners:
            try:
                listener(notice)
            except Exception:  # noqa: BLE001
                # The events behind it are wanted all the same; the log has the trace.
                LOGGER.exception("on_notice failed on %s", notice)
