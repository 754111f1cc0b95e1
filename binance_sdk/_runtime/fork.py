"""What belongs to one process: how the child of a fork finds out, and what it must not touch."""

from __future__ import annotations

import os
import weakref
from typing import Protocol

# First, so that every lock is free when the first thing is told.
from binance_sdk._runtime import locks as _locks
from binance_sdk.errors import ConfigError

_forks = 0
_abandoned: list[object] = []


class ForkAware(Protocol):
    """Something that a child inherits and has to set right before it is used there."""

    def after_fork(self) -> None:
        """We are the child; no other thread runs yet."""
        ...


_FORK_AWARE: weakref.WeakSet[ForkAware] = weakref.WeakSet()


def fork_count() -> int:
    """How many forks lie between the process that imported this and the one that runs."""
    return _forks


def notify_after_fork(thing: ForkAware) -> None:
    """Call its ``after_fork`` in every child, for as long as it lives."""
    _FORK_AWARE.add(thing)


def abandon(*things: object) -> None:
    """Keep for ever what is the parent's: its end would speak to the other side, or to the parent's event loop."""
    _abandoned.extend(thing for thing in things if thing is not None)


class ProcessGuard:
    """The process in which something was begun."""

    __slots__ = ("_forks",)

    def __init__(self) -> None:
        self._forks = _forks

    @property
    def is_child(self) -> bool:
        """Whether we are a child of that process."""
        return self._forks != _forks

    def check(self, what: str, remedy: str, operation: str | None = None) -> None:
        """Nothing, at home.

        Args:
            what: What was begun here.
            remedy: What to do in the child.
            operation: The endpoint, where one is concerned.

        Raises:
            ConfigError: we are a child.
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
