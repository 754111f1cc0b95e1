"""Passes what happens to the hooks and the log."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Protocol, TextIO, TypeVar

from binance_sdk._runtime.fork import fork_count
from binance_sdk._runtime.locks import new_lock
from binance_sdk.errors import ConfigError, shown
from binance_sdk.events import (
    BookFailed,
    BookLost,
    BookResynced,
    BookSnapshotFailed,
    BookSnapshotLoaded,
    BookVerified,
    BreakerChanged,
    CacheHit,
    CacheMiss,
    CacheSource,
    Drift,
    Event,
    FieldDrift,
    Gap,
    GateClosed,
    Hook,
    RequestSent,
    ResponseReceived,
    Retrying,
    RowSkipped,
    SilentStream,
    StoreChanged,
    StreamConnected,
    ValueDrift,
    Waited,
    WeightDrift,
    WorthlessAnswer,
)

T = TypeVar("T")

LOGGER = logging.getLogger("binance_sdk")
LOGGER.addHandler(logging.NullHandler())
_LONG_WAIT = 1.0
"""A wait of fewer seconds is logged as debug, a longer one as info."""

_forks_warned_of = 0
_WARNING = new_lock()


def warn_of_fork() -> None:
    """Warn once in each child of a fork: its budget no longer counts all that the IP address spends."""
    global _forks_warned_of
    with _WARNING:
        before, _forks_warned_of = _forks_warned_of, fork_count()
    if before != _forks_warned_of:
        LOGGER.warning(
            "this process (%d) was forked: its request budget begins with what the parent had spent, and it sees no "
            "more of what the other processes spend; give each a part of the limits with caps=Caps(...)",
            os.getpid(),
        )


_RUNNING: ContextVar[tuple[int, ...]] = ContextVar("notifiers whose hooks run", default=())


class Watcher(Protocol):
    """A listener of our own, told more cheaply than hooks: it never calls the client, and never raises.

    It also hears of the calls that hooks make.
    """

    def notice(self, event: Event) -> None:
        """Something happened."""

    def ended(self, operation: str, outcome: str, elapsed: float, weight: int) -> None:
        """What ``ResponseReceived`` says, for every single attempt."""


class Notifier:
    """Hooks of one client, and the log.

    A hook may call the client that it watches. What happens in that call is not passed to the hooks, since they would
    call again, and so on.
    """

    def __init__(self, hooks: Sequence[Hook], on_drift: Callable[[Drift], None] | None = None) -> None:
        for hook in hooks:
            if not callable(hook):
                raise ConfigError(f"hooks: {hook!r} cannot be called; pass functions that take one event")
        self._hooks = tuple(hooks)
        self.watchers: tuple[Watcher, ...] = ()
        self._on_drift = on_drift

    @property
    def has_listeners(self) -> bool:
        """Whether ordinary requests are passed to anybody."""
        return bool(self._hooks) or LOGGER.isEnabledFor(logging.DEBUG)

    def watch(self, watcher: Watcher) -> None:
        """Tell a watcher everything from now on."""
        self.watchers = (*self.watchers, watcher)

    def unwatch(self, watcher: Watcher) -> None:
        """Tell it nothing more."""
        self.watchers = tuple(other for other in self.watchers if other is not watcher)

    def notify(self, event: Event) -> None:
        """Log an event, and call the hooks with it."""
        for watcher in self.watchers:
            watcher.notice(event)
        level = _level(event)
        if LOGGER.isEnabledFor(level):
            LOGGER.log(level, "%s", _line(event))
        if self._hooks and not self.in_callback:
            for hook in self._hooks:
                self.call_back("a hook", hook, event)

    def tell_drift(self, drift: Drift) -> None:
        """Tell hooks and log of a drift, and who has asked for them alone."""
        self.notify(drift)
        if self._on_drift is not None and not self.in_callback:
            self.call_back("on_drift", self._on_drift, drift)

    @property
    def in_callback(self) -> bool:
        """Whether a hook of this client runs in this context, or has started what runs."""
        return id(self) in _RUNNING.get()

    def call_back(self, name: str, function: Callable[[T], object], event: T) -> None:
        """Call a function of the user; what it raises goes to the log."""
        token = _RUNNING.set((*_RUNNING.get(), id(self)))
        try:
            function(event)
        except (Exception, asyncio.CancelledError):
            # It must neither fail nor cancel the call that it watches; the log has the traceback.
            LOGGER.exception("%s failed on %s", name, type(event).__name__)
        finally:
            _RUNNING.reset(token)


def _level(event: Event) -> int:
    if isinstance(event, (RequestSent, ResponseReceived, CacheHit, CacheMiss, StreamConnected, StoreChanged)):
        # What becomes of a store is logged at once, by whoever notices.
        return logging.DEBUG
    if isinstance(event, Gap) and event.reason == "overflow":
        # MessagesDropped reports the same loss, and not for every single message.
        return logging.DEBUG
    if isinstance(event, BookVerified):
        return logging.WARNING if event.differences else logging.DEBUG
    if isinstance(event, BookSnapshotLoaded):
        return logging.DEBUG
    if isinstance(event, (BookLost, BookResynced)):
        # There is one for each book of a connection that broke; the connection is warned of once.
        return logging.INFO
    if isinstance(event, (FieldDrift, ValueDrift)):
        return logging.WARNING if event.severity == "breaking" else logging.INFO
    if isinstance(event, Waited):
        return logging.INFO if event.seconds >= _LONG_WAIT else logging.DEBUG
    return logging.INFO if isinstance(event, (Retrying, SilentStream)) else logging.WARNING


_SOURCES: Mapping[CacheSource, str] = {
    "memory": "the cache",
    "request": "a running request",
    "store": "the store of cache_url",
}


def _line(event: Event) -> str:
    match event:
        case RequestSent():
            return f"{event.operation} -> {event.url} weight {event.weight}, attempt {event.attempt}"
        case ResponseReceived():
            status = event.status_code if event.status_code is not None else "no answer"
            return f"{event.operation} <- {status} {event.outcome} in {event.elapsed * 1000:.0f} ms"
        case Waited():
            return f"{event.operation} waited {event.seconds:.1f} s for {event.resource}"
        case Retrying():
            return f"{event.operation} attempt {event.attempt} failed, again in {event.pause:.2f} s: {event.error}"
        case StoreChanged():
            return f"the store of {event.setting} is {event.state}{f': {event.reason}' if event.reason else ''}"
        case GateClosed():
            return f"{event.pool} closed for {event.seconds:.1f} s: {event.reason}"
        case BreakerChanged():
            return f"circuit breaker of {event.host} is {event.state}"
        case CacheHit():
            return f"{event.operation} from {_SOURCES[event.source]}"
        case CacheMiss():
            return f"{event.operation} is in no cache"
        case WeightDrift():
            return f"weight drift: {event}"
        case FieldDrift() | ValueDrift():
            return f"drift: {event}"
        case RowSkipped() | WorthlessAnswer():
            return str(event)
        case BookLost() | BookResynced() | BookSnapshotLoaded() | BookSnapshotFailed() | BookVerified() | BookFailed():
            return f"book {event}"
        case _:
            return f"stream {event}"


class _EnvironmentHandler(logging.StreamHandler[TextIO]):
    """The handler that ``BINANCE_SDK_LOG`` adds; a type of its own, by which a second client knows that it is there."""


def log_from_environment() -> None:
    """``BINANCE_SDK_LOG=debug`` writes the log to stderr, for programs that do not set up logging themselves."""
    name = os.environ.get("BINANCE_SDK_LOG", "").strip()
    if not name:
        return
    level = logging.getLevelNamesMapping().get(name.upper())
    if level is None:
        raise ConfigError(f"BINANCE_SDK_LOG={shown(name)} must be debug, info, warning or error")
    LOGGER.setLevel(level)
    if not any(isinstance(handler, _EnvironmentHandler) for handler in LOGGER.handlers):
        handler = _EnvironmentHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        LOGGER.addHandler(handler)
