"""Locks that a fork leaves free.

A thread that holds a lock while another one forks does not exist in the child, where nobody would ever release it.
"""

from __future__ import annotations

import os
import threading
import weakref

_LOCKS: weakref.WeakSet[threading.Lock] = weakref.WeakSet()


def new_lock() -> threading.Lock:
    """A lock for a few lines that change plain values; in the child of a fork it is free."""
    lock = threading.Lock()
    _LOCKS.add(lock)
    return lock


def _release_all() -> None:
    for lock in list(_LOCKS):
        if lock.locked():
            lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_release_all)
