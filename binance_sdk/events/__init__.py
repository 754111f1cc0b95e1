"""What a client tells its hooks: one frozen value for each thing that happens, made for ``match``.

A hook is any callable that takes one event: ``BinanceClient(hooks=[print])``. It runs where the thing happens, so it
must be quick and must not block; what it raises is logged and otherwise ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from binance_sdk.events.books import (
    BookFailed,
    BookLost,
    BookReason,
    BookResynced,
    BookSnapshotFailed,
    BookSnapshotLoaded,
    BookVerified,
)
from binance_sdk.events.cache import CacheHit, CacheMiss, CacheSource, WorthlessAnswer
from binance_sdk.events.drift import Drift, FieldDrift, FieldKind, Severity, ValueDrift, WeightDrift

__all__ = [
    "BookFailed",
    "BookLost",
    "BookReason",
    "BookResynced",
    "BookSnapshotFailed",
    "BookSnapshotLoaded",
    "BookVerified",
    "BreakerChanged",
    "CacheHit",
    "CacheMiss",
    "CacheSource",
    "Drift",
    "Event",
    "FieldDrift",
    "FieldKind",
    "Gap",
    "GapReason",
    "GateClosed",
    "Hook",
    "MalformedMessage",
    "MessagesDropped",
    "Notice",
    "Reconnected",
    "RequestSent",
    "ResponseReceived",
    "Retrying",
    "RowSkipped",
    "Severity",
    "SilentStream",
    "StoreChanged",
    "StreamConnected",
    "StreamLost",
    "ValueDrift",
    "Waited",
    "WeightDrift",
    "WorthlessAnswer",
]


def first_names(names: Sequence[str]) -> str:
    """A list of names for a message: the first three, and how many more there are."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


@dataclass(frozen=True, slots=True)
class RequestSent:
    """A request goes out.

    Args:
        operation: E.g. ``spot.klines``.
        url: Where to.
        weight: Request weight it was charged.
        attempt: 1 for the first one.
    """

    operation: str
    url: str
    weight: int
    attempt: int


@dataclass(frozen=True, slots=True)
class ResponseReceived:
    """An attempt is over.

    Args:
        operation: E.g. ``spot.klines``.
        status_code: HTTP status; None where no answer came.
        outcome: ``ok`` or the name of the error class.
        used_weight: The server's own count; None where it sent none.
        elapsed: Seconds from sending to the whole answer.
        attempt: 1 for the first one.
        weight: Request weight it was charged; 0 where it was not sent.
    """

    operation: str
    status_code: int | None
    outcome: str
    used_weight: int | None
    elapsed: float
    attempt: int
    weight: int


@dataclass(frozen=True, slots=True)
class Waited:
    """A request waited for the budget before it was sent.

    Args:
        operation: E.g. ``spot.klines``.
        seconds: How long.
        resource: Name of the limit that was short.
    """

    operation: str
    seconds: float
    resource: str


@dataclass(frozen=True, slots=True)
class StoreChanged:
    """A store was reached, is lost, or is back; told with the next call of the client that asks it.

    Args:
        state: ``connected``, or ``lost``: until it is back, calls spend this process's own part of each limit, or find
            no answers of other processes.
        reason: Why it is lost; empty otherwise.
        setting: Which store: that of ``limits_url`` or that of ``cache_url``.
    """

    state: Literal["connected", "lost"]
    reason: str
    setting: Literal["limits_url", "cache_url"] = "limits_url"


@dataclass(frozen=True, slots=True)
class Retrying:
    """An attempt failed and another one follows.

    Args:
        operation: E.g. ``spot.klines``.
        error: What went wrong.
        pause: Seconds before the next attempt.
        attempt: Number of the attempt that failed.
    """

    operation: str
    error: Exception
    pause: float
    attempt: int


@dataclass(frozen=True, slots=True)
class GateClosed:
    """Nothing of a pool is sent for a while.

    Args:
        pool: Name of the pool, e.g. ``mainnet/spot``.
        reason: Why, in words.
        seconds: For how long.
    """

    pool: str
    reason: str
    seconds: float


@dataclass(frozen=True, slots=True)
class BreakerChanged:
    """The circuit breaker of a host changed its state.

    Args:
        host: E.g. ``api.binance.com``.
        state: What it is now.
    """

    host: str
    state: Literal["closed", "open", "half_open"]


@dataclass(frozen=True, slots=True)
class StreamConnected:
    """A stream connection is open and its streams are acknowledged.

    Args:
        url: Host and path.
        streams: Number of streams on it.
        reason: ``first``, or why it replaces another one.
    """

    url: str
    streams: int
    reason: str

    def __str__(self) -> str:
        return f"{self.url}: {self.streams} streams ({self.reason})"


@dataclass(frozen=True, slots=True)
class StreamLost:
    """A stream connection ended or could not be opened; another one is tried.

    Args:
        url: Host and path.
        reason: Why, in words.
        pause: Seconds before the next attempt.
    """

    url: str
    reason: str
    pause: float

    def __str__(self) -> str:
        return f"{self.url}: {self.reason}; again in {self.pause:.2f} s"


@dataclass(frozen=True, slots=True)
class MalformedMessage:
    """A message of a stream that is not what the spec says. It is counted and skipped.

    Args:
        stream: Name of the stream; empty if it is not known.
        problem: What is wrong with it.
        body: Its bytes.
    """

    stream: str
    problem: str
    body: bytes

    def __str__(self) -> str:
        return f"{self.stream or 'of unknown name'}: malformed message: {self.problem}"


@dataclass(frozen=True, slots=True)
class RowSkipped:
    """A row that is not what the spec says was left out, because of ``bad_rows="skip"``.

    Args:
        operation: E.g. ``spot.ticker_24hr``, or of a stream ``spot.all_mini_ticker``.
        row: Its place in the list, from 0; for a list within an object with the list's name, e.g. ``symbols[3]``.
        problem: What is wrong with it.
    """

    operation: str
    row: int | str
    problem: str

    def __str__(self) -> str:
        place = f"row {self.row}" if isinstance(self.row, int) else self.row
        return f"{self.operation}: {place} skipped: {self.problem}"


@dataclass(frozen=True, slots=True)
class MessagesDropped:
    """The consumer is too slow and its overflow policy drops. Sent at the first drop, and when the count has doubled.

    Args:
        policy: The policy.
        stream: Name of the stream that was dropped last.
        dropped: How many so far.
    """

    policy: str
    stream: str
    dropped: int

    def __str__(self) -> str:
        return f"{self.stream}: {self.dropped} messages dropped so far ({self.policy})"


GapReason = Literal["lost", "overflow", "fill_failed", "restarted"]


@dataclass(frozen=True, slots=True)
class Gap:
    """Something is missing from a stream: everything between two ids, both of which were seen.

    Attributes:
        stream: Name of the stream, e.g. ``btcusdt@aggTrade``.
        last_id: Last id before the hole; for candles the open time of the last complete one before it.
        first_id: First id after it; for candles the open time of the one that came instead.
        reason: ``lost`` on the way, dropped by the ``overflow`` policy, or ``fill_failed``: it could not be fetched.
            ``restarted``: the exchange began its ids anew, as a testnet does when it is wiped, or ``last_id`` was a
            wrong one, far ahead, that the events after it contradict; ``first_id`` is below ``last_id``, and what lies
            between is not known.
        detail: Why it could not be fetched, or what was wrong with ``last_id``; empty otherwise.
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

    def __str__(self) -> str:
        text = f"{self.stream}: missing from {self.last_id} to {self.first_id} ({self.reason})"
        return f"{text}: {self.detail}" if self.detail else text


@dataclass(frozen=True, slots=True)
class Reconnected:
    """Streams without ids had no connection for a while: what they sent in that time is lost.

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

    def __str__(self) -> str:
        seconds = (self.until - self.since) / 1000
        text = f"{first_names(self.streams)}: off the air for {seconds:.1f} s; what was sent then is lost"
        return f"{text} ({self.reason})" if self.reason else text


@dataclass(frozen=True, slots=True)
class SilentStream:
    """A stream sends nothing although a fresh connection has acknowledged it: perhaps the symbol is not traded.

    Attributes:
        stream: Name of the stream.
        seconds: For how long nothing has come.
    """

    stream: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.stream}: silent for {self.seconds:.0f} s on a fresh connection; is the symbol traded?"


Notice: TypeAlias = Gap | Reconnected | SilentStream
"""What the consumer of a stream gets besides its events."""


Event: TypeAlias = (
    RequestSent
    | ResponseReceived
    | Waited
    | StoreChanged
    | Retrying
    | GateClosed
    | BreakerChanged
    | CacheHit
    | CacheMiss
    | Drift
    | WorthlessAnswer
    | StreamConnected
    | StreamLost
    | MalformedMessage
    | MessagesDropped
    | Notice
    | RowSkipped
    | BookLost
    | BookResynced
    | BookSnapshotLoaded
    | BookSnapshotFailed
    | BookVerified
    | BookFailed
)
"""Anything a hook can get."""

Hook: TypeAlias = Callable[[Event], None]
"""Is called with every event; what it raises is logged."""
