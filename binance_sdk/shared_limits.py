"""Who uses what of the budgets that processes share through ``limits_url``; reading changes nothing.

with SharedLimits("redis://valkey.internal:6379/0") as limits:
    for pool in limits.read():
        weight = pool.windows["weight/60"]
        print(pool.name, weight.used, weight.limit, [consumer.id for consumer in pool.consumers])
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from binance_sdk._arguments import Arguments
from binance_sdk._runtime.budget.shared.usage import Consumer, SharedPool, SharedWindow, UsageReader
from binance_sdk._runtime.store.connection import StoreAwayError
from binance_sdk._settings import read_settings
from binance_sdk.errors import ConfigError, StoreError

__all__ = ["Consumer", "SharedLimits", "SharedPool", "SharedWindow"]

_NO_STORE = (
    "limits_url is not set: it names the Valkey or Redis in which several processes share one request budget, e.g. "
    "redis://127.0.0.1:6379/0, and this tells who uses what of it. Give it, or set BINANCE_SDK_LIMITS_URL. A process "
    "without it has a budget of its own, which only itself can tell: client.limits"
)


class SharedLimits:
    """The budgets of one store, to be looked at. Blocking; an answer is waited for no longer than 2 s.

    Args:
        limits_url: Where the store is, as for a client; by default ``BINANCE_SDK_LIMITS_URL``.
        limits_key: Name of a budget; None tells all that there are.

    Raises:
        ConfigError: no store is named, or not as it should be.
    """

    def __init__(self, limits_url: str | None = None, limits_key: str | None = None) -> None:
        key = Arguments.limits_key if limits_key is None else limits_key
        store = read_settings(Arguments(limits_url=limits_url, limits_key=key)).store
        if store is None:
            raise ConfigError(_NO_STORE)
        self.limits_key = limits_key
        self.url: str = store.address.shown
        """Where the store is, without user and password."""
        self._reader = UsageReader(store.address)

    @property
    def store_version(self) -> str:
        """E.g. ``valkey 9.1.2``; empty before the first reading."""
        return self._reader.version

    def read(self) -> tuple[SharedPool, ...]:
        """Every pool of limits, each as of one moment, by budget and name. Empty where nobody has used any.

        Raises:
            StoreError: the store does not answer, or not in time.
            ConfigError: it refuses the user or password, or a key holds something else.
        """
        try:
            return self._reader.read(self.limits_key)
        except StoreAwayError as error:
            raise StoreError(f"limits_url: {error}") from None

    def close(self) -> None:
        """Close the connection."""
        self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
