"""``client.cache``: how often the answer to an earlier call was used again, for users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from binance_sdk._runtime.calls.cache import CacheCounts

if TYPE_CHECKING:
    from binance_sdk._core import Core

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

    def __repr__(self) -> str:
        names = ("memory_hits", "request_hits", "store_hits", "misses")
        return f"CacheView({', '.join(f'{name}={getattr(self, name)}' for name in names)})"
