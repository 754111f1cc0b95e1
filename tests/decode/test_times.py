"""Views of times: exact, and where no datetime can hold the moment an error that says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from binance_sdk import errors
from binance_sdk._runtime.answers.scalars import to_datetime
from binance_sdk.catalogue import fixture
from binance_sdk.spot import Kline, ServerTime, Trade

MILLISECONDS = 1_764_000_000_000
KLINE = json.loads(fixture("spot", "klines"))[0]
TRADE = json.loads(fixture("spot", "trades"))[0]
VIEWS: list[Callable[[int], datetime | None]] = [
    to_datetime,
    lambda value: ServerTime(server_time=value).server_time_dt,
    lambda value: Trade.model_validate({**TRADE, "time": value}).trade_time_dt,
    lambda value: Kline.from_wire([value, *KLINE[1:]]).open_time_dt,
]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (MILLISECONDS * 1000, r"in microseconds it would be 2025-11-24 16:00:00 UTC"),
        (MILLISECONDS * 1_000_000, r"in nanoseconds it would be 2025-11-24 16:00:00 UTC"),
        (
            253_402_300_800_000,
            r"^253402300800000 in milliseconds is outside the years 1 to 9999 of a datetime; the",
        ),
        (-62_135_596_800_001, r"^-62135596800001 in milliseconds is outside"),
        (2**63 - 1, r"^9223372036854775807 in milliseconds is outside"),
        (10**400, r"^a number of 401 digits in milliseconds is outside"),
        pytest.param(-(10**5000), r"^a number of 5001 digits in milliseconds is outside", id="5001 digits"),
    ],
)
def test_a_moment_that_no_datetime_holds(view: Callable[[int], datetime | None], value: int, said: str) -> None:
    with pytest.raises(errors.DecodeError, match=said):
        view(value)


@pytest.mark.parametrize("view", VIEWS)
def test_the_first_and_the_last_moment(view: Callable[[int], datetime | None]) -> None:
    assert view(-62_135_596_800_000) == datetime.min.replace(tzinfo=UTC)
    assert view(253_402_300_799_999) == datetime(9999, 12, 31, 23, 59, 59, 999_000, UTC)
