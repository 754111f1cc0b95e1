"""Locks that are free in the child of a fork.

A thread that holds a lock during a fork does not exist in the child, where nobody would ever release that lock.
"""

from __future__ import annotations

import errno
import functools
import os
import sys
import threading
import weakref
from typing import TYPE_CHECKING, TypeVar

from binance_sdk.errors import ConfigError

T = TypeVar("T")

_LOCKS: weakref.WeakSet[threading.Lock] = weakref.WeakSet()


class _ImportLock:
    """Held while a module is imported after start-up; turns an OSError of the import into a ``ConfigError``.

    A fork waits for it: in the child, an import that another thread of the parent had begun would never end. A process
    without free file descriptors cannot read a module.

    Ctrl-C just as the main thread has got it, or is to let it go, leaves it with that thread: between the lock and the
    end of a function that gets it, nothing in Python can be put. It is reentrant, so the main thread goes on with it.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def acquire(self) -> None:
        self._lock.acquire()

    def release(self) -> None:
        self._lock.release()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._lock.release()
        if isinstance(error, OSError):
            remedy = "the disk or the installation may be damaged"
            if error.errno in (errno.EMFILE, errno.ENFILE):
                remedy = "out of file descriptors: close connections and files, or allow more with ulimit -n"
            raise ConfigError(f"a module cannot be imported ({error}): {remedy}") from error


IMPORT_LOCK = _ImportLock()


def new_lock() -> threading.Lock:
    """A lock for short sections that only change values; free in the child of a fork."""
    lock = threading.Lock()
    _LOCKS.add(lock)
    return lock


class cached_property(functools.cached_property[T]):  # noqa: N801 - named like functools.cached_property
    """``functools.cached_property`` without the lock of Python 3.11, which could stay locked in the child of a fork.

    As in Python 3.12, two threads may compute the value twice.
    """

    if not TYPE_CHECKING and sys.version_info < (3, 12):

        def __get__(self, instance: object, owner: object = None) -> object:
            if instance is None:
                return self
            # Later accesses find the value in the instance and do not call this.
            return instance.__dict__.setdefault(self.attrname, self.func(instance))


def _release_all() -> None:
    for lock in list(_LOCKS):
        if lock.locked():
            lock.release()
    IMPORT_LOCK.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=IMPORT_LOCK.acquire, after_in_parent=IMPORT_LOCK.release, after_in_child=_release_all)
