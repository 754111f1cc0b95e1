"""Tells hooks and the log what happens."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import TextIO, TypeVar

from binance_sdk._runtime.fork import fork_count
from binance_sdk._runtime.locks import new_lock
from binance_sdk.errors import ConfigError, shown
from binance_sdk.events import (
    BreakerChanged,
    CacheHit,
    Event,
    Gap,
    GateClosed,
    Hook,
    RequestSent,
    ResponseReceived,
    Retrying,
    RowSkipped,
    SilentStream,
    StreamConnected,
    Waited,
    WeightDrift,
)

T = TypeVar("T")

LOGGER = logging.getLogger("binance_sdk")
LOGGER.addHandler(logging.NullHandler())
_LONG_WAIT = 1.0
"""A shorter wait than this many seconds is no news."""


_told_forks = 0
_TELLING = new_lock()


def warn_of_fork() -> None:
    """Once in each child of a fork: the budget it counts is no longer all that the address spends."""
    global _told_forks
    with _TELLING:
        told, _told_forks = _told_forks, fork_count()
    if told != _told_forks:
        LOGGER.warning(
            "this process (%d) was forked: its request budget begins with what the parent had spent, and it sees no "
            "more of what the other processes spend; give each a part of the limits with caps=Caps(...)",
            os.getpid(),
        )


_RUNNING: ContextVar[tuple[int, ...]] = ContextVar("tellers whose hooks run", default=())


class Notifier:
    """Hooks of one client, and the log.

    A hook may call the client that it watches. Of what comes of that it is not told: it would call again, and so on.
    """

    def __init__(self, hooks: Sequence[Hook]) -> None:
        for hook in hooks:
            if not callable(hook):
                raise ConfigError(f"hooks: {hook!r} cannot be called; pass functions that take one event")
        self._hooks = tuple(hooks)

    @property
    def has_listeners(self) -> bool:
        """Whether anybody wants to hear of ordinary requests."""
        return bool(self._hooks) or LOGGER.isEnabledFor(logging.DEBUG)

    def notify(self, event: Event) -> None:
        level = _level(event)
        if LOGGER.isEnabledFor(level):
            LOGGER.log(level, "%s", _line(event))
        if self._hooks and not self.in_callback:
            for hook in self._hooks:
                self.call("a hook", hook, event)

    @property
    def in_callback(self) -> bool:
        """Whether a function of the user runs here, or what runs was begun by one."""
        return id(self) in _RUNNING.get()

    def call(self, name: str, function: Callable[[T], object], event: T) -> None:
        """Call a function of the user; what it raises goes to the log."""
        token = _RUNNING.set((*_RUNNING.get(), id(self)))
        try:
            function(event)
        except (Exception, asyncio.CancelledError):
            # It must not break the call it only watches, nor cancel it; the log has the trace.
            LOGGER.exception("%s failed on %s", name, type(event).__name__)
        finally:
            _RUNNING.reset(token)


def _level(event: Event) -> int:
    if isinstance(event, (RequestSent, ResponseReceived, CacheHit, StreamConnected)):
        return logging.DEBUG
    if isinstance(event, Gap) and event.reason == "overflow":
        # MessagesDropped speaks of the same loss, and not at every single message.
        return logging.DEBUG
    if isinstance(event, Waited):
        return logging.INFO if event.seconds >= _LONG_WAIT else logging.DEBUG
    return logging.INFO if isinstance(event, (Retrying, SilentStream)) else logging.WARNING


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
        case GateClosed():
            return f"{event.pool} closed for {event.seconds:.1f} s: {event.reason}"
        case BreakerChanged():
            return f"circuit breaker of {event.host} is {event.state}"
        case CacheHit():
            return f"{event.operation} from {'a running request' if event.shared else 'the cache'}"
        case WeightDrift():
            return f"weight drift: {event}"
        case RowSkipped():
            return str(event)
        case _:
            return f"stream {event}"


class _FromEnvironment(logging.StreamHandler[TextIO]):
    """So that the second client does not add a second one."""


def log_from_environment() -> None:
    """``BINANCE_SDK_LOG=debug`` writes the log to stderr, for those who have set up no logging of their own."""
    name = os.environ.get("BINANCE_SDK_LOG", "").strip()
    if not name:
        return
    level = logging.getLevelNamesMapping().get(name.upper())
    if level is None:
        raise ConfigError(f"BINANCE_SDK_LOG={shown(name)} is no level; use debug, info, warning or error")
    LOGGER.setLevel(level)
    if not any(isinstance(handler, _FromEnvironment) for handler in LOGGER.handlers):
        handler = _FromEnvironment()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
        LOGGER.addHandler(handler)
