"""Limits that a user sets below Binance's."""

from __future__ import annotations

from collections.abc import Mapping

from binance_sdk._runtime.setting_checks import check_count, check_number

_HIGHEST_CAP = 10**9
_SLOWEST, _FASTEST = 0.0001, 1_000_000
_OF_POOL = "_weight_per_minute"


class CapsBase:
    """What the generated ``Caps``, which has a field ``<pool>_weight_per_minute`` for each pool, can do."""

    __slots__: tuple[str, ...] = ()

    requests_per_minute: int | None
    requests_per_second: float | None

    def __post_init__(self) -> None:
        for name in (*(f"{pool}{_OF_POOL}" for pool in self._pools()), "requests_per_minute"):
            count: object = getattr(self, name)
            if count is not None:
                check_count(f"caps: {name}", count, 1, _HIGHEST_CAP)
        if self.requests_per_second is not None:
            check_number("caps: requests_per_second", self.requests_per_second, _SLOWEST, _FASTEST)

    def weights_per_minute(self) -> Mapping[str, int]:
        """The caps on request weight that are set, by pool."""
        caps = {pool: getattr(self, f"{pool}{_OF_POOL}") for pool in self._pools()}
        return {pool: cap for pool, cap in caps.items() if cap is not None}

    def _pools(self) -> list[str]:
        return [name.removesuffix(_OF_POOL) for name in self.__slots__ if name.endswith(_OF_POOL)]
