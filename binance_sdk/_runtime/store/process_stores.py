"""The stores that this process uses: one object and one thread of each, for all clients with the same settings."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from binance_sdk._runtime.clock import Clock
from binance_sdk._runtime.locks import new_lock

_LONGEST_STOP = 2.0
"""Seconds for which a closing client waits until a store was told the last."""

_Key = tuple[object, ...]


class _Used(Protocol):
    users: int
    """Clients that are not closed."""


_S = TypeVar("_S", bound=_Used)


class ProcessStores(Generic[_S]):
    """Stores by their settings, each from its first client to its last."""

    def __init__(self) -> None:
        self._stores: dict[_Key, _S] = {}
        self._lock = new_lock()

    def use(self, key: _Key, make: Callable[[], _S]) -> _S:
        """The store with these settings, for one client more."""
        with self._lock:
            store = self._stores.get(key)
            if store is None:
                store = self._stores[key] = make()
            store.users += 1
            return store

    def leave(self, key: _Key, store: _S) -> bool:
        """One client less; whether it was the last, so that the store has to end."""
        with self._lock:
            store.users -= 1
            if store.users > 0:
                return False
            if self._stores.get(key) is store:
                del self._stores[key]
            return True


async def end_of(thread: threading.Thread | None, clock: Clock) -> None:
    """Wait, though not for long, until the thread of a store has ended, which was told to."""
    until = clock.monotonic() + _LONGEST_STOP
    while thread is not None and thread.is_alive() and clock.monotonic() < until:
        await clock.sleep(0.002)
