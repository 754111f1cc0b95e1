"""When silence means that something is wrong. Pure: no clock, no connection; who asks says what time it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

from binance_sdk._runtime.stream.notices import SilentStream
from binance_sdk._runtime.stream.reading.subscription import Subscription

LINE_SECONDS = 30.0
"""For so long a connection may be wholly silent, pongs included, whatever its streams are allowed."""
_ANSWER = 0.4
"""Share of that time within which a ping is answered; less than half, since it is noticed a little late that it is
due."""


class Line(Protocol):
    """What is known of a connection."""

    heard: float
    """When anything came last."""
    pinged_at: float | None
    """When a ping was sent that has no answer yet."""


class Silence:
    """Judges a connection and the streams on it.

    A stream that says nothing for its quiet time is asked for anew, on another connection. A connection on which
    nothing at all comes for the shortest of these times is probed after half of it, and is dead at the end.
    """

    def __init__(self, subscriptions: Mapping[bytes, Subscription]) -> None:
        self._subscriptions = subscriptions

    def streams(self, now: float) -> list[Subscription]:
        """Those that have been silent for too long."""
        return [
            subscription
            for subscription in self._subscriptions.values()
            if (patience := subscription.patience()) is not None and now >= subscription.last_good + patience
        ]

    def streams_due(self) -> float:
        """When the first of them will have been silent for too long."""
        ends = [
            subscription.last_good + patience
            for subscription in self._subscriptions.values()
            if (patience := subscription.patience()) is not None
        ]
        return min(ends, default=math.inf)

    def _allowed(self) -> float:
        """Seconds for which the connection as a whole may say nothing."""
        usual = [seconds for each in self._subscriptions.values() if (seconds := each.usual()) is not None]
        return min(LINE_SECONDS, *usual) if usual else LINE_SECONDS

    def probe_at(self, line: Line) -> float:
        """When a ping is to be sent; never while one has no answer."""
        return math.inf if line.pinged_at is not None else line.heard + self._allowed() / 2

    def dead_at(self, line: Line) -> float:
        """When a ping without an answer is proof. One that went out late has its time all the same."""
        allowed = self._allowed()
        return math.inf if line.pinged_at is None else max(line.heard + allowed, line.pinged_at + allowed * _ANSWER)


def told(silent: list[Subscription], now: float) -> list[SilentStream]:
    """Notices for streams that a fresh connection has not made to speak: one for each, until it speaks again."""
    notices: list[SilentStream] = []
    for subscription in silent:
        if subscription.rounds and subscription.tell_silence:
            subscription.tell_silence = False
            notices.append(SilentStream(subscription.name, now - subscription.silent_since))
    return notices


def named(silent: list[Subscription]) -> str:
    """Which they are, in a few words."""
    return f"{silent[0].name}{f' and {len(silent) - 1} more' if len(silent) > 1 else ''} silent"
