"""Locks that a fork leaves free.

A thread that holds a lock while another one forks does not exist in the child, where nobody would ever release it.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
import weakref
from typing import TYPE_CHECKING, TypeVar

T = TypeVar("T")

_LOCKS: weakref.WeakSet[threading.Lock] = weakref.WeakSet()

IMPORTING = threading.RLock()
"""Held by whoever imports a library late. A fork waits for it: the child would wait for ever for the end of an import
that another thread of the parent had begun."""


def new_lock() -> threading.Lock:
    """A lock for a few lines that change plain values; in the child of a fork it is free."""
    lock = threading.Lock()
    _LOCKS.add(lock)
    return lock


class cached_property(functools.cached_property[T]):  # noqa: N801 - called like the one that it is
    """That of ``functools``, without the lock that Python 3.11 puts around it, which a fork would leave locked.

    Two threads may make the value twice, as from Python 3.12 on.
    """

    if not TYPE_CHECKING and sys.version_info < (3, 12):

        def __get__(self, instance: object, owner: object = None) -> object:
            if instance is None:
                return self
            # What this has made stands in the instance, where it is found before we are asked again.
            return instance.__dict__.setdefault(self.attrname, self.func(instance))


def _release_all() -> None:
    for lock in list(_LOCKS):
        if lock.locked():
            lock.release()
    IMPORTING.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=IMPORTING.acquire, after_in_parent=IMPORTING.release, after_in_child=_release_all)
