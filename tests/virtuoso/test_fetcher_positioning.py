"""Open-interest windows, ratios, taker volume, premium and basis: worked examples, and the simulator's answers."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest

from binance_sdk import BinanceClient, futures
from binance_sdk.simulator import ManualClock, Simulator
from virtuoso_binance.errors import InvalidSymbolError
from virtuoso_binance.positioning import fetch_positioning, mark_premium, open_interest_changes, taker_volumes
from virtuoso_binance.symbols import Listing

from .soak_support import Line

NOW = 1_800_000_000_000
STEP = 300_000


def interest(steps_ago: int, amount: str) -> futures.OpenInterestHist:
    row = {
        "symbol": "BTCUSDT",
        "sumOpenInterest": amount,
        "sumOpenInterestValue": "1",
        "timestamp": NOW - steps_ago * STEP,
    }
    return futures.OpenInterestHist.model_validate_json(json.dumps(row))


def test_windows_compare_with_the_row_of_exactly_then() -> None:
    found = open_interest_changes([interest(12, "80"), interest(3, "125"), interest(1, "90"), interest(0, "100")])
    assert found == {
        "5m": {"change": 10.0, "percent": pytest.approx(100 / 9), "since": NOW - STEP},
        "15m": {"change": -25.0, "percent": -20.0, "since": NOW - 3 * STEP},
        "1h": {"change": 20.0, "percent": 25.0, "since": NOW - 12 * STEP},
    }


def test_a_window_without_its_row_is_absent_and_zero_is_no_open_interest() -> None:
    assert open_interest_changes([interest(2, "5"), interest(0, "6")]) == {}
    assert open_interest_changes([interest(1, "0"), interest(0, "6")]) == {}
    assert open_interest_changes([]) == {}


def test_taker_volume_is_newest_first_and_has_no_ratio_to_nothing() -> None:
    rows = [
        {"buySellRatio": "2.0", "buyVol": "10", "sellVol": "5", "timestamp": NOW - STEP},
        {"buySellRatio": "0", "buyVol": "3", "sellVol": "0", "timestamp": NOW},
    ]
    found = taker_volumes([futures.TakerLongShortRatio.model_validate_json(json.dumps(row)) for row in rows])
    assert found[0] == {"buy_volume": 3.0, "sell_volume": 0.0, "timestamp": NOW}
    assert found[1]["ratio"] == 2.0


def test_premium_is_told_in_basis_points_of_the_index() -> None:
    def premium(mark: str, index: str) -> futures.PremiumIndex:
        row = {"symbol": "BTCUSDT", "markPrice": mark, "indexPrice": index, "estimatedSettlePrice": "1"}
        row |= {"lastFundingRate": "0", "interestRate": "0"}
        return futures.PremiumIndex.model_validate_json(json.dumps({**row, "nextFundingTime": 0, "time": NOW}))

    assert mark_premium(premium("100.5", "100")) == {"absolute": 0.5, "bps": 50.0, "timestamp": NOW}
    assert mark_premium(premium("100.5", "0.00")) is None


async def test_all_of_it_on_the_simulator() -> None:
    line = Line()
    with Simulator(clock=ManualClock(NOW + 123_456), symbols=["BTCUSDT"], history_days=3) as running:
        urls = {"spot_base_url": running.base_url("spot"), "futures_base_url": running.base_url("futures")}
        async with (
            httpx.AsyncClient(transport=line) as http,
            BinanceClient(**urls, http_client=http, max_retries=0) as client,
        ):
            listed = Listing(await client.futures.exchange_info(), None).resolve("BTCUSDT")
            before = running.requests.total
            found = await fetch_positioning(client, listed)
            assert running.requests.total - before == 7
            assert found["errors"] == {}
            assert set(found["open_interest_change"]) == {"5m", "15m", "1h", "4h", "24h"}
            history: Any = await client.futures.open_interest_hist("BTCUSDT", "5m", limit=289)
            day = history[-1].open_interest - history[0].open_interest
            assert Decimal(str(found["open_interest_change"]["24h"]["change"])) == day.normalize()
            for name in ("accounts", "top_accounts", "top_positions"):
                assert found[name]["long"] + found[name]["short"] == pytest.approx(100)
            assert len(found["taker_volume"]) == 30
            assert abs(found["premium"]["bps"]) < 1000

            def no_basis(request: httpx.Request) -> httpx.Response | None:
                return httpx.Response(500, request=request) if request.url.path.endswith("/basis") else None

            line.failing = no_basis
            found = await fetch_positioning(client, listed)
            assert "basis" not in found
            assert list(found["errors"]) == ["basis"]
            spot = Listing(None, await client.spot.exchange_info()).resolve("BTCUSDT")
            with pytest.raises(InvalidSymbolError, match="only perpetuals"):
                await fetch_positioning(client, spot)
