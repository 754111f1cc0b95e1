"""What a client is told about the store of its budget."""

from __future__ import annotations

from dataclasses import dataclass

from binance_sdk._runtime.store.address import StoreAddress


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """What makes two clients use the same store as the same consumer."""

    address: StoreAddress
    limits_key: str
    share: float

    @property
    def identity(self) -> tuple[object, ...]:
        return self.address.identity, self.limits_key, self.share
