"""What a consumer is told between the events: plain frozen values, made for ``match``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

GapReason = Literal["lost", "overflow", "fill_failed", "restarted"]


@dataclass(frozen=True, slots=True)
class Gap:
    """Something is missing from a stream: everything between two ids, both of which were seen.

    Attributes:
        stream: Name of the stream, e.g. ``btcusdt@aggTrade``.
        last_id: Last id before the hole; for candles the open time of the last complete one before it.
        first_id: First id after it; for candles the open time of the one that came instead.
        reason: ``lost`` on the way, dropped by the ``overflow`` policy, or ``fill_failed``: it could not be fetched.
            ``restarted``: the exchange began its ids anew, as a testnet does when it is wiped; ``first_id`` is below
            ``last_id``, and what lies between is not known.
        detail: Why it could not be fetched; empty otherwise.
    """

    stream: str
    last_id: int
    first_id: int
    reason: GapReason = "lost"
    detail: str = ""

    @property
    def missing(self) -> int:
        """Number of ids in the hole (for candles: its length in milliseconds); 0 where it is not known."""
        return max(0, self.first_id - self.last_id - 1)


@dataclass(frozen=True, slots=True)
class Reconnected:
    """Streams without ids were off the air: what they sent in that time is lost.

    Attributes:
        streams: Names of the streams.
        since: When the old connection was last heard, epoch milliseconds.
        until: When the new one was ready, epoch milliseconds.
        reason: Why the old connection ended.
    """

    streams: tuple[str, ...]
    since: int
    until: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SilentStream:
    """A stream says nothing although a fresh connection has acknowledged it: perhaps the symbol is not traded.

    Attributes:
        stream: Name of the stream.
        seconds: For how long nothing has come.
    """

    stream: str
    seconds: float


Notice: TypeAlias = Gap | Reconnected | SilentStream
"""Anything that is no event."""
