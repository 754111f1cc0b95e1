"""Forks: how objects learn that they are in the child now, and what a child must not use."""

from __future__ import annotations

import os
import weakref
from typing import Protocol

# Imported first, so that its handler frees every lock before ``after_fork`` is called.
from binance_sdk._runtime import locks as _locks
from binance_sdk.errors import ConfigError

_forks = 0
_abandoned: list[object] = []


class ForkAware(Protocol):
    """An object that the child of a fork inherits and has to repair before it is used there."""

    def after_fork(self) -> None:
        """Called in the child, before any other thread runs."""
        ...


_FORK_AWARE: weakref.WeakSet[ForkAware] = weakref.WeakSet()


def fork_count() -> int:
    """Number of forks between the process that imported this module and the current one."""
    return _forks


def notify_after_fork(thing: ForkAware) -> None:
    """Call ``thing.after_fork()`` in every child, for as long as the object exists."""
    _FORK_AWARE.add(thing)


def abandon(*things: object) -> None:
    """Keep objects of the parent alive: destroying them would write to its connections or call its event loop."""
    _abandoned.extend(thing for thing in things if thing is not None)


class ProcessGuard:
    """Remembers the process in which something was begun."""

    __slots__ = ("_forks",)

    def __init__(self) -> None:
        self._forks = _forks

    @property
    def is_child(self) -> bool:
        """Whether the current process is a child of that one."""
        return self._forks != _forks

    def check(self, what: str, remedy: str, operation: str | None = None) -> None:
        """Check that the current process is that one.

        Args:
            what: What was begun, for the message.
            remedy: What to do in the child.
            operation: The endpoint, if the message is about one.

        Raises:
            ConfigError: it is a child.
        """
        if self._forks != _forks:
            where = f"{operation}: {what}" if operation else what
            raise ConfigError(f"{where} belongs to the process before the fork; {remedy}", operation=operation)


def _after_fork_in_child() -> None:
    global _forks
    _forks += 1
    for thing in list(_FORK_AWARE):
        thing.after_fork()


if hasattr(os, "register_at_fork"):
    assert _locks
    os.register_at_fork(after_in_child=_after_fork_in_child)
