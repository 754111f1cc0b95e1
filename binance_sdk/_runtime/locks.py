"""Locks that a fork leaves free.

A thread that holds a lock while another one forks does not exist in the child, where nobody would ever release it.
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
    """Held by whoever imports a library late, and made one of ours what goes wrong with that.

    A fork waits for it: the child would wait for ever for the end of an import that another thread of the parent had
    begun. And a process that has no file descriptor left cannot read a module either.
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
            remedy = "the disk or the installation is damaged"
            if error.errno in (errno.EMFILE, errno.ENFILE):
                remedy = "out of file descriptors: close connections and files, or allow more with ulimit -n"
            raise ConfigError(f"a module needed now cannot be read ({error}): {remedy}") from error


IMPORT_LOCK = _ImportLock()


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
    IMPORT_LOCK.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=IMPORT_LOCK.acquire, after_in_parent=IMPORT_LOCK.release, after_in_child=_release_all)
