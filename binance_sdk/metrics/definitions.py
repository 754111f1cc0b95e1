"""Every metric there is: name, kind, help and labels, in the order of the documentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PREFIX = "binance_sdk_"
_CALL = ("environment", "market", "operation")
_LIMIT = ("pool", "kind", "window")
_MARKET = ("environment", "market")

DURATIONS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0)
"""Bounds in seconds for answers: one takes some 50 to 500 ms, and 10 s by default before it is given up."""
WAITS = (0.01, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0)
"""Bounds in seconds for waiting: a window takes a minute."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One metric; a counter's name is without ``_total`` here, as in ``prometheus_client``."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...]
    buckets: tuple[float, ...] = ()

    @property
    def full_name(self) -> str:
        """As Prometheus stores it; a histogram's has ``_bucket``, ``_sum`` and ``_count`` behind it."""
        return f"{self.name}_total" if self.kind == "counter" else self.name


def _counter(name: str, text: str, *labels: str) -> Definition:
    return Definition(PREFIX + name, "counter", text, labels)


def _gauge(name: str, text: str, *labels: str) -> Definition:
    return Definition(PREFIX + name, "gauge", text, labels)


def _histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Definition:
    return Definition(PREFIX + name, "histogram", text, labels, buckets)


# ------------------------------------------------------------------------------- counted as it happens

REQUEST_DURATION = _histogram(
    "request_duration_seconds", "Time from sending a request to its whole answer, each attempt.", DURATIONS, *_CALL
)
REQUEST_ERRORS = _counter("request_errors", "Attempts that failed, by the name of the error.", *_CALL, "error")
REQUEST_WEIGHT = _counter("request_weight", "Request weight that was charged for what was sent.", *_CALL)
RETRIES = _counter("retries", "Attempts after which another one followed.", *_CALL)
WAIT = _histogram("wait_seconds", "Time for which calls waited for the budget before they were sent.", WAITS, *_CALL)
CACHE_HITS = _counter(
    "cache_hits",
    "Calls that needed no request, by where the answer was: memory, request (one under way) or store.",
    *_CALL,
    "source",
)
CACHE_MISSES = _counter("cache_misses", "Calls that may use an earlier answer, and found none.", *_CALL)
CACHE_WORTHLESS = _counter("cache_worthless_answers", "Entries of the store of cache_url that are no answers.", *_CALL)
ROWS_SKIPPED = _counter("rows_skipped", "Rows that were left out because of bad_rows=skip.", *_CALL)
GATE_CLOSINGS = _counter("gate_closings", "Times that a refusal (429, 418, 403) closed the gate of a pool.", "pool")
BREAKER_OPENINGS = _counter("breaker_openings", "Times that the circuit breaker of a host opened.", "host")
STORE_LOSSES = _counter("store_losses", "Times that the store of a setting, e.g. limits_url, was lost.", "setting")
BOOK_LOSSES = _counter("book_losses", "Times that a live order book could not be trusted any more.", *_MARKET, "reason")
BOOK_OUTAGES = _counter(
    "book_outage_seconds", "Time for which live order books were not synced, once it is over.", *_MARKET
)
BOOK_SNAPSHOTS = _counter("book_snapshots", "Snapshots of live order books.", *_MARKET, "outcome")
BOOK_CHECKS = _counter("book_checks", "Comparisons of a live order book with a fresh snapshot.", *_MARKET, "outcome")
BOOK_FAILURES = _counter("book_failures", "Live order books that ended with an error.", *_MARKET)

COUNTED = (
    REQUEST_DURATION,
    REQUEST_ERRORS,
    REQUEST_WEIGHT,
    RETRIES,
    WAIT,
    CACHE_HITS,
    CACHE_MISSES,
    CACHE_WORTHLESS,
    ROWS_SKIPPED,
    GATE_CLOSINGS,
    BREAKER_OPENINGS,
    STORE_LOSSES,
    BOOK_LOSSES,
    BOOK_OUTAGES,
    BOOK_SNAPSHOTS,
    BOOK_CHECKS,
    BOOK_FAILURES,
)

# ---------------------------------------------------------------------------- read when Prometheus asks

INFO = _gauge("info", "Always 1, with the version of binance_sdk.", "version")
LIMIT_USED = _gauge("limit_used", "Used of a limit in the running window: weight, or requests of a group.", *_LIMIT)
LIMIT_ALLOWED = _gauge("limit_allowed", "Allowed in a window of so many seconds.", *_LIMIT)
LIMIT_REMAINING = _gauge("limit_remaining", "Left of a limit in the running window.", *_LIMIT)
CALLS_WAITING = _gauge("calls_waiting", "Calls that wait for a budget, of all clients and markets of the process.")
GATE_CLOSED = _gauge(
    "gate_closed_seconds", "Time for which nothing of a pool is sent; 0 while its gate is open.", "pool"
)
BANNED = _gauge("banned_seconds", "Time for which the address is banned, as a pool knows it; 0 if it is not.", "pool")
CLOCK_SKEW = _gauge("clock_skew_seconds", "Time of the exchange minus the local clock.", "pool")
BREAKER_STATE = _gauge("breaker_state", "1 for the state that the circuit breaker of a host is in.", "host", "state")
WEIGHT_DRIFT = _gauge(
    "weight_drift", "Weight that the exchange takes for a call, minus that of the spec, where it lasts.", *_CALL
)
DRIFTS = _gauge(
    "drifts",
    "Differences between the exchange and the spec, by kind, of weights, fields and values.",
    *_CALL,
    "kind",
    "severity",
)
STREAMS = _gauge(
    "streams", "Open streams by how they are: flowing, silent for too long, or disconnected.", *_MARKET, "health"
)
STREAM_LAG = _gauge(
    "stream_lag_seconds", "Time that the last event waited between line and consumer, the longest.", *_MARKET
)
STREAM_MESSAGES = _counter("stream_messages", "Messages that came over the line.", *_MARKET)
STREAM_DROPS = _counter("stream_messages_dropped", "Messages that the overflow policy threw away.", *_MARKET)
STREAM_MALFORMED = _counter("stream_messages_malformed", "Messages that were not what the spec says.", *_MARKET)
STREAM_DUPLICATES = _counter("stream_messages_duplicate", "Messages that had come before.", *_MARKET)
STREAM_FILLED = _counter("stream_events_filled", "Events that were missing and fetched over REST.", *_MARKET)
STREAM_GAPS = _counter("stream_gaps", "Holes in the ids of a stream that were not filled.", *_MARKET)
STREAM_SILENCES = _counter("stream_silences", "Streams that stayed silent on a fresh connection.", *_MARKET)
STREAM_RECONNECTS = _counter("stream_reconnects", "Connections that ended by themselves and were replaced.", *_MARKET)
STREAM_ROLLOVERS = _counter("stream_rollovers", "Connections that were replaced before they ended.", *_MARKET)
BOOKS = _gauge(
    "books", "Live order books that go on, by whether they are the exchange's (synced) or not.", *_MARKET, "state"
)
BOOK_LAG = _gauge("book_lag_seconds", "Time that the last update waited between line and book, the longest.", *_MARKET)
BOOK_AGE = _gauge("book_age_seconds", "Time since the last change of a live order book, the longest.", *_MARKET)
SYMBOL_BOOK_SYNCED = _gauge(
    "symbol_book_synced", "1 if a live order book is synced; with symbols=True.", *_MARKET, "symbol"
)
SYMBOL_BOOK_AGE = _gauge(
    "symbol_book_age_seconds", "Time since the last change of a live order book; with symbols=True.", *_MARKET, "symbol"
)
STORE_CONNECTED = _gauge(
    "store_connected", "1 while the store of a setting, e.g. limits_url, is there, 0 while it is lost.", "setting"
)
STORE_PROCESSES = _gauge("store_processes", "Processes that share the budget of limits_url.", "limits_key")

READ = (
    INFO,
    LIMIT_USED,
    LIMIT_ALLOWED,
    LIMIT_REMAINING,
    CALLS_WAITING,
    GATE_CLOSED,
    BANNED,
    CLOCK_SKEW,
    BREAKER_STATE,
    WEIGHT_DRIFT,
    DRIFTS,
    STREAMS,
    STREAM_LAG,
    STREAM_MESSAGES,
    STREAM_DROPS,
    STREAM_MALFORMED,
    STREAM_DUPLICATES,
    STREAM_FILLED,
    STREAM_GAPS,
    STREAM_SILENCES,
    STREAM_RECONNECTS,
    STREAM_ROLLOVERS,
    BOOKS,
    BOOK_LAG,
    BOOK_AGE,
    SYMBOL_BOOK_SYNCED,
    SYMBOL_BOOK_AGE,
    STORE_CONNECTED,
    STORE_PROCESSES,
)
METRICS = (*COUNTED, *READ)
