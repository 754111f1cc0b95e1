"""When silence means that something is wrong. Pure: it reads no clock and no connection; the caller says the time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

from binance_sdk._runtime.stream.notices import SilentStream
from binance_sdk._runtime.stream.reading.subscription import Subscription

_PING_SHARE = 0.4
"""Share of the allowed silence within which a ping must be answered. Less than the half that is left when the ping is
due, since that is noticed a little late."""


class Heartbeat(Protocol):
    """What is known of a connection."""

    @property
    def last_heard(self) -> float:
        """When anything came last."""
        ...

    @property
    def pinged_at(self) -> float | None:
        """When a ping was sent that has no answer yet."""
        ...


class SilenceMonitor:
    """Judges a connection and the streams on it.

    A stream that is silent for its quiet time is subscribed to again, on another connection. A connection on which
    nothing at all comes for the shortest of these times is pinged after half of that time, and is dead at its end.

    Args:
        subscriptions: The streams on it.
        quiet_time: Seconds for which it may be wholly silent, pongs included, whatever its streams are allowed.
    """

    def __init__(self, subscriptions: Mapping[bytes, Subscription], quiet_time: float) -> None:
        self._subscriptions = subscriptions
        self._quiet_time = quiet_time

    def silent_streams(self, now: float) -> list[Subscription]:
        """The streams that have been silent for too long."""
        return [
            subscription
            for subscription in self._subscriptions.values()
            if (allowed := subscription.allowed_silence()) is not None and now >= subscription.last_good + allowed
        ]

    def next_silent_at(self) -> float:
        """When the first stream will have been silent for too long."""
        ends = [
            subscription.last_good + allowed
            for subscription in self._subscriptions.values()
            if (allowed := subscription.allowed_silence()) is not None
        ]
        return min(ends, default=math.inf)

    def _allowed(self) -> float:
        """Seconds for which the connection as a whole may be silent."""
        healthy = [seconds for each in self._subscriptions.values() if (seconds := each.healthy_silence()) is not None]
        return min((self._quiet_time, *healthy))

    def ping_at(self, connection: Heartbeat) -> float:
        """When to send a ping; never while one has no answer."""
        return math.inf if connection.pinged_at is not None else connection.last_heard + self._allowed() / 2

    def dead_at(self, connection: Heartbeat) -> float:
        """When a ping without an answer proves the connection dead. A ping that went out late gets its full time."""
        allowed = self._allowed()
        if connection.pinged_at is None:
            return math.inf
        return max(connection.last_heard + allowed, connection.pinged_at + allowed * _PING_SHARE)


def silence_notices(silent: list[Subscription], now: float) -> list[SilentStream]:
    """Notices for streams that stayed silent on a fresh connection: one for each, until it sends again."""
    notices: list[SilentStream] = []
    for subscription in silent:
        if subscription.silent_connections and subscription.notify_silence:
            subscription.notify_silence = False
            notices.append(SilentStream(subscription.name, now - subscription.silent_since))
    return notices


def describe(silent: list[Subscription]) -> str:
    """Which streams are silent, in a few words."""
    return f"{silent[0].name}{f' and {len(silent) - 1} more' if len(silent) > 1 else ''} silent"
