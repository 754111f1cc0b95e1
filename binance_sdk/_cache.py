"""``client.cache``: how often the answer to an earlier call was used again, for users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from binance_sdk._runtime.calls.cache import CacheCounts

if TYPE_CHECKING:
    from binance_sdk._core import Core
    from binance_sdk._runtime.calls.shared_cache.status import CacheStoreStatus

__all__ = ["CacheView"]


class CacheView:
    """What became of the calls of a client that may use the answer to an earlier one; read at the moment of use."""

    def __init__(self, core: Core) -> None:
        self._core = core

    @property
    def _counts(self) -> CacheCounts:
        return self._core.cache_counts

    @property
    def memory_hits(self) -> int:
        """Calls answered from the memory of this process."""
        return self._counts.memory

    @property
    def request_hits(self) -> int:
        """Calls answered by a request that this client was making already for another call."""
        return self._counts.request

    @property
    def store_hits(self) -> int:
        """Calls answered from the store of ``cache_url``."""
        return self._counts.store

    @property
    def hits(self) -> int:
        """Calls that cost no request and no weight."""
        return self.memory_hits + self.request_hits + self.store_hits

    @property
    def misses(self) -> int:
        """Calls that asked the exchange."""
        return self._counts.misses

    @property
    def waited(self) -> int:
        """Calls that waited for the request of another process."""
        return self._counts.waited

    @property
    def without_store(self) -> int:
        """Calls that were not answered by the store because it was away."""
        return self._counts.without_store

    @property
    def worthless(self) -> int:
        """Calls that found something in the store which this version of the package does not write."""
        return self._counts.worthless

    @property
    def store(self) -> CacheStoreStatus | None:
        """The store of ``cache_url``; None without one."""
        return None if self._core.cache_store is None else self._core.cache_store.status

    def __repr__(self) -> str:
        names = ("memory_hits", "request_hits", "store_hits", "misses")
        shown = [f"{name}={getattr(self, name)}" for name in names]
        if self.store is not None:
            shown.append(f"store={self.store.state!r}")
        return f"CacheView({', '.join(shown)})"
