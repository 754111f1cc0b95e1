"""One stream of one consumer: how its messages are decoded, and how long it has been silent."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from operator import attrgetter
from typing import Any, cast

from binance_sdk._runtime.additions import Additions
from binance_sdk._runtime.stream.names import NamedStream
from binance_sdk._runtime.stream.notices import Gap
from binance_sdk._runtime.stream.reading.market_filter import MarketFilter
from binance_sdk._runtime.stream.reading.sequence import Hole, Tracker, make_tracker
from binance_sdk._runtime.stream.stream_event import StreamEvent

_UNUSUAL = 4.0
"""A silence is out of the ordinary when it is so many times the longest one so far."""
_MAX_DOUBLINGS = 12


class Subscription:
    """One stream of one consumer.

    Args:
        stream: Which one.
        fill_gaps: Fetch what is missing, if the stream can be filled.
        quiet_time: Seconds of silence after which it is asked for again; None never does.
        from_spec: Ignore ``quiet_time`` and take what the spec says.
        now: Monotonic seconds.
        skip_rows: Leave a bad row out of its message, instead of the whole message.
        all_markets: Give out the events of other markets that the stream carries.
    """

    __slots__ = (
        "_decode",
        "_unreadable_since",
        "additions",
        "decode",
        "dropped",
        "fill_gaps",
        "held",
        "id",
        "last_message",
        "listed",
        "longest_silence",
        "market_filter",
        "name",
        "needs_filtering",
        "notify_silence",
        "quiet_time",
        "row_key",
        "silent_connections",
        "silent_since",
        "skip_rows",
        "stream",
        "tracker",
        "warned_other_market",
    )

    def __init__(
        self,
        stream: NamedStream,
        *,
        fill_gaps: bool,
        quiet_time: float | None,
        from_spec: bool,
        now: float,
        skip_rows: bool = False,
        all_markets: bool = False,
    ) -> None:
        operation = stream.operation
        self.stream: NamedStream = stream
        self.name: str = stream.name
        self.id: bytes = stream.name.encode()
        self._decode = cast("Callable[..., Any]", operation.reader.quick.validate_json)
        self.decode: Callable[..., Any] = self._decode
        self.additions: Additions = operation.reader.additions
        self._unreadable_since: float | None = None
        self.listed: bool = operation.type is not operation.item
        self.row_key: Callable[[Any], Any] | None = None if operation.key is None else attrgetter(operation.key)
        """For a stream of all symbols: reads from an event which symbol it is about."""
        own = None if all_markets else operation.own_rows
        self.market_filter: MarketFilter | None = None if own is None else MarketFilter(own, operation.item)
        """None where all events belong to the consumer's market, or are wanted whosever they are."""
        self.needs_filtering: bool = self.listed or self.market_filter is not None
        """Whether ``MessageDecoder.filtered`` must see a message before it is given out."""
        self.warned_other_market: bool = False
        self.skip_rows: bool = skip_rows
        self.fill_gaps: bool = fill_gaps and operation.fill is not None
        self.quiet_time: tuple[float, bool] | None = (
            _quiet_time(stream) if from_spec else (None if quiet_time is None else (quiet_time, False))
        )
        """Seconds, and whether they grow with the longest silence so far; None where silence says nothing."""
        self.tracker: Tracker | None = None
        if operation.sequence is not None:
            self.tracker = make_tracker(operation.sequence, str(stream.arguments.get(operation.sequence.interval, "")))
        self.held: deque[Hole | Gap | StreamEvent] | None = None
        """Events held back until a fill has ended; None while no fill is under way."""
        self.dropped: bool = False
        """The overflow policy has dropped messages since the last one that was given out."""
        self.last_message: float = now
        """When a message came last."""
        self.longest_silence: float = 0.0
        self.silent_connections: int = 0
        """Connections that were tried since it fell silent."""
        self.notify_silence: bool = True
        """False after a ``SilentStream`` notice, until it sends again."""
        self.silent_since: float = now

    def note_message(self, now: float) -> None:
        """A message came."""
        silence = now - self.last_message
        if silence > self.longest_silence:
            self.longest_silence = silence
        if self.silent_connections and self._unreadable_since is None:
            self._recovered()
        self.last_message = now

    def _recovered(self) -> None:
        self.silent_connections = 0
        self.notify_silence = True

    def note_unreadable(self, now: float) -> None:
        """A message could not be decoded. Until one can be, the stream counts as silent."""
        if self._unreadable_since is None:
            self._unreadable_since = now
            # Only now, so that good messages, of which there are many, need no check.
            self.decode = self._decode_after_unreadable

    def _decode_after_unreadable(self, *arguments: Any, **keywords: Any) -> Any:
        event = self._decode(*arguments, **keywords)
        self.note_readable()
        return event

    def note_readable(self) -> None:
        """A message was decoded."""
        if self._unreadable_since is not None:
            self._unreadable_since = None
            self.decode = self._decode
            self._recovered()

    def note_resubscribed(self, now: float) -> None:
        """A fresh connection has acknowledged it; its silence is measured from now on."""
        healthy = self.healthy_silence()
        if healthy is not None and now >= self.last_good + healthy:
            if not self.silent_connections:
                self.silent_since = self.last_good
            self.silent_connections += 1
        self.restart_silence(now)

    def restart_silence(self, now: float) -> None:
        """Measure its silence from now on: it was not to blame for it so far."""
        self.last_message = max(self.last_message, now)
        if self._unreadable_since is not None:
            self._unreadable_since = now

    @property
    def last_good(self) -> float:
        """Since when it has sent nothing that can be decoded."""
        return self.last_message if self._unreadable_since is None else self._unreadable_since

    def healthy_silence(self) -> float | None:
        """Seconds of silence that are still healthy; None where silence says nothing."""
        if self.quiet_time is None:
            return None
        seconds, adaptive = self.quiet_time
        return max(seconds, _UNUSUAL * self.longest_silence) if adaptive else seconds

    def allowed_silence(self) -> float | None:
        """Seconds of silence after which it is asked for again; None for never."""
        healthy = self.healthy_silence()
        # A stream that stays silent on one fresh connection after another is asked for less and less often.
        return None if healthy is None else healthy * 2.0 ** min(max(0, self.silent_connections - 1), _MAX_DOUBLINGS)


def _quiet_time(stream: NamedStream) -> tuple[float, bool] | None:
    quiet = stream.operation.quiet
    if quiet.kind == "never":
        return None
    seconds = quiet.by_value.get(stream.arguments.get(quiet.by_parameter, ""), quiet.seconds)
    return seconds, quiet.kind == "activity"
