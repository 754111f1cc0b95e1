"""One stream that somebody listens to: how its messages are read, and what is known of its health."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from operator import attrgetter
from typing import Any, cast

from pydantic import ValidationError

from binance_sdk._runtime.stream.event import StreamEvent
from binance_sdk._runtime.stream.names import Named
from binance_sdk._runtime.stream.notices import Gap
from binance_sdk._runtime.stream.reading.market_filter import Ownership
from binance_sdk._runtime.stream.reading.sequence import Hole, Tracker, tracker

_PATIENCE = 4.0
"""A silence of this many times the longest one so far is out of the ordinary."""
_LONGEST_PATIENCE = 12


class Subscription:
    """One stream of one consumer."""

    __slots__ = (
        "_decode",
        "_garbled_since",
        "decode",
        "dropped",
        "fill_gaps",
        "held",
        "id",
        "listed",
        "longest",
        "name",
        "named",
        "ownership",
        "quiet_time",
        "rounds",
        "row_key",
        "seen",
        "sifts",
        "silent_since",
        "skip_rows",
        "tell_silence",
        "told_other_market",
        "tracker",
    )

    def __init__(
        self,
        named: Named,
        *,
        fill_gaps: bool,
        quiet_time: float | None,
        from_spec: bool,
        now: float,
        skip_rows: bool = False,
    ) -> None:
        operation = named.operation
        self.named = named
        self.name = named.name
        self.id = named.name.encode()
        self._decode = self.decode = cast("Callable[..., Any]", operation.reader.quick.validate_json)
        self._garbled_since: float | None = None
        self.listed = operation.type is not operation.item
        self.row_key: Callable[[Any], Any] | None = None if operation.key is None else attrgetter(operation.key)
        """Of an event of a stream of all symbols: what tells which one it is about."""
        self.ownership = None if operation.own_rows is None else Ownership(operation.own_rows, operation.item)
        """Whose an event is; None where all are of the consumer's market."""
        self.sifts = self.listed or self.ownership is not None
        """Whether a message must be looked at before it is given out."""
        self.told_other_market = False
        self.skip_rows = skip_rows
        """A bad row is left out of its message, and not the message."""
        self.fill_gaps = fill_gaps and operation.fill is not None
        self.quiet_time = _quiet(named) if from_spec else (None if quiet_time is None else (quiet_time, False))
        self.tracker: Tracker | None = None
        if operation.sequence is not None:
            self.tracker = tracker(operation.sequence, str(named.arguments.get(operation.sequence.interval, "")))
        self.held: deque[Hole | Gap | StreamEvent] | None = None
        """Events that wait for the end of a fill; None while none is under way."""
        self.dropped = False
        """The overflow policy has dropped messages since the last one that was read."""
        self.seen = now
        """When a message came last."""
        self.longest = 0.0
        self.rounds = 0
        """Connections that were tried since it fell silent."""
        self.tell_silence = True
        self.silent_since = now

    def spoke(self, now: float) -> None:
        """A message came."""
        silence = now - self.seen
        if silence > self.longest:
            self.longest = silence
        if self.rounds and self._garbled_since is None:
            self._recovered()
        self.seen = now

    def _recovered(self) -> None:
        self.rounds = 0
        self.tell_silence = True

    def garbled(self, now: float) -> None:
        """What came was not what the spec says. Until something good comes, that is silence."""
        if self._garbled_since is None:
            self._garbled_since = now
            # So that nothing must be asked about good messages, of which there are many.
            self.decode = self._decode_after_garbage

    def _decode_after_garbage(self, *arguments: Any, **keywords: Any) -> Any:
        event = self._decode(*arguments, **keywords)
        self.readable()
        return event

    def readable(self) -> None:
        """Something good came."""
        if self._garbled_since is not None:
            self._garbled_since = None
            self.decode = self._decode
            self._recovered()

    def asked_anew(self, now: float) -> None:
        """A fresh connection has acknowledged it, and has its time."""
        usual = self.usual()
        if usual is not None and now >= self.last_good + usual:
            if not self.rounds:
                self.silent_since = self.last_good
            self.rounds += 1
        self.forgiven(now)

    def forgiven(self, now: float) -> None:
        """Its silence so far is none of its own doing."""
        self.seen = max(self.seen, now)
        if self._garbled_since is not None:
            self._garbled_since = now

    @property
    def last_good(self) -> float:
        """Since when it has said nothing that can be read."""
        return self.seen if self._garbled_since is None else self._garbled_since

    def usual(self) -> float | None:
        """Seconds of silence that are still healthy; None where silence says nothing."""
        if self.quiet_time is None:
            return None
        seconds, adaptive = self.quiet_time
        return max(seconds, _PATIENCE * self.longest) if adaptive else seconds

    def patience(self) -> float | None:
        """Seconds of silence after which it is asked for again."""
        usual = self.usual()
        # What stays silent on one fresh connection after the other is asked for less and less often.
        return None if usual is None else usual * 2.0 ** min(max(0, self.rounds - 1), _LONGEST_PATIENCE)


def _quiet(named: Named) -> tuple[float, bool] | None:
    quiet = named.operation.quiet
    if quiet.kind == "never":
        return None
    seconds = quiet.by_value.get(named.arguments.get(quiet.by_parameter, ""), quiet.seconds)
    return seconds, quiet.kind == "activity"


def problem(error: ValidationError) -> str:
    """The first few mistakes of a message in one line."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    shown = [f"{'.'.join(str(step) for step in item['loc'])}: {item['msg']}" for item in found[:3]]
    return "; ".join([*shown, *([f"and {len(found) - 3} more"] if len(found) > 3 else [])])
