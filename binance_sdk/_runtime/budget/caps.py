"""Limits that a user sets below Binance's."""

from __future__ import annotations

from dataclasses import dataclass

from binance_sdk._runtime.setting_checks import check_count, check_number

_HIGHEST_CAP = 10**9
_SLOWEST, _FASTEST = 0.0001, 1_000_000


@dataclass(frozen=True, slots=True)
class Caps:
    """Limits of your own below Binance's; None is no limit.

    Args:
        spot_weight_per_minute: Request weight on spot hosts, from 1 on.
        futures_weight_per_minute: Request weight on futures hosts, from 1 on.
        requests_per_minute: Requests of both markets together, from 1 on.
        requests_per_second: The same, evenly spread: 5 means one request each 200 ms, not five at once. From 0.0001,
            one in about three hours, to 1 000 000.

    Raises:
        ConfigError: a cap is wrong; the message names it.
    """

    spot_weight_per_minute: int | None = None
    futures_weight_per_minute: int | None = None
    requests_per_minute: int | None = None
    requests_per_second: float | None = None

    def __post_init__(self) -> None:
        for name in ("spot_weight_per_minute", "futures_weight_per_minute", "requests_per_minute"):
            count: object = getattr(self, name)
            if count is not None:
                check_count(f"caps: {name}", count, 1, _HIGHEST_CAP)
        if self.requests_per_second is not None:
            check_number("caps: requests_per_second", self.requests_per_second, _SLOWEST, _FASTEST)
