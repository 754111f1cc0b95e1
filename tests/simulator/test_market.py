"""What moves and what stays: time, seeds, the two markets, the statistics of futures."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import httpx
import pytest

from binance_sdk.simulator import ManualClock
from tests.simulated_http import SimulatedHttp

from .conftest import NOW, Api, simulator

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
PATHS = [
    "/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=100",
    "/api/v3/depth?symbol=BTCUSDT&limit=500",
    "/api/v3/trades?symbol=ETHBTC",
    "/api/v3/ticker/24hr",
    "/fapi/v1/premiumIndex",
    "/fapi/v1/fundingRate?symbol=BTCUSDT",
    "/futures/data/openInterestHist?symbol=BTCUSDT&period=1h",
]


def answers(seed: int, now: int = NOW) -> list[bytes]:
    with simulator(seed=seed, clock=ManualClock(now)) as running, SimulatedHttp(running) as client:
        return [client.get(path).content for path in PATHS]


def test_a_seed_is_a_market() -> None:
    first, again, other = answers(7), answers(7), answers(8)
    assert first == again
    assert all(body != other_body for body, other_body in zip(first, other, strict=True))


def test_time_adds_to_history_and_changes_none_of_it() -> None:
    clock = ManualClock(NOW)
    with simulator(clock=clock) as running, SimulatedHttp(running) as client:
        api = Api(running)
        api.client.close()
        api.client = client
        before = snapshot(api)
        for seconds in (0.1, 30, 3600, 90_000):
            clock.advance(seconds)
            after = snapshot(api)
            for key in ("klines", "trades"):
                kept = {row[0]: row for row in before[key]}
                assert all(kept[row[0]] == row for row in after[key] if row[0] in kept)
            assert after["update"] > before["update"]
            assert after["last"] >= before["last"]
            before = after
        assert after["last"] > 0


def snapshot(api: Api) -> dict[str, Any]:
    """Closed candles, trades, the newest id and the update id of a moment."""
    trades = api.get("/api/v3/trades", symbol="BTCUSDT", limit=1000)
    return {
        "klines": api.get("/api/v3/klines", symbol="BTCUSDT", interval="1m", limit=1000)[:-1],
        "trades": [list(row.values()) for row in trades],
        "last": trades[-1]["id"],
        "update": api.get("/api/v3/depth", symbol="BTCUSDT")["lastUpdateId"],
    }


def test_the_same_moment_looks_the_same_from_another_start() -> None:
    """Only ids depend on the day of the start, prices do not."""
    query = {"symbol": "BTCUSDT", "interval": "1h", "startTime": NOW - 50 * DAY, "limit": 24}
    found: list[list[Any]] = []
    for start in (NOW, NOW + 10 * DAY):
        with simulator(clock=ManualClock(start)) as running:
            found.append(httpx.get(running.base_url("spot") + "/api/v3/klines", params=query).json())
    assert [row[:6] for row in found[0]] == [row[:6] for row in found[1]]


def test_ids_begin_at_zero_when_the_history_does(api: Api) -> None:
    first = api.get("/api/v3/historicalTrades", symbol="BTCUSDT", fromId=0, limit=3)
    assert [row["id"] for row in first] == [0, 1, 2]
    assert 0 <= first[0]["time"] - (NOW // DAY - 400) * DAY < MINUTE
    assert api.get("/api/v3/aggTrades", symbol="BTCUSDT", fromId=0, limit=1)[0]["a"] == 0
    assert api.get("/api/v3/historicalBlockTrades", symbol="BTCUSDT", fromId=0, limit=1)[0]["id"] == 0


def test_futures_keep_a_month_of_trades(api: Api) -> None:
    (oldest,) = api.get("/fapi/v1/historicalTrades", symbol="BTCUSDT", fromId=0, limit=1)
    assert 0 <= oldest["time"] - (NOW - 30 * DAY) < 2 * MINUTE


def test_what_is_no_longer_traded_stands_still(api: Api) -> None:
    stopped = (NOW // DAY - 100) * DAY
    (last,) = api.get("/api/v3/trades", symbol="WTCUSDT", limit=1)
    assert stopped - HOUR < last["time"] <= stopped
    (bar,) = api.get("/api/v3/klines", symbol="WTCUSDT", interval="1d", limit=1)
    assert bar[0] == stopped
    assert api.get("/api/v3/ticker/24hr", symbol="WTCUSDT")["closeTime"] == stopped


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT", "SOLUSDT", "DOGEUSDT"])
def test_spot_and_futures_stay_together(api: Api, symbol: str) -> None:
    spot = api.get("/api/v3/klines", symbol=symbol, interval="1h", limit=1000)
    futures = api.get("/fapi/v1/klines", symbol=symbol, interval="1h", limit=1000)
    assert [row[0] for row in spot] == [row[0] for row in futures]
    apart = [abs(Decimal(f[4]) / Decimal(s[4]) - 1) for s, f in zip(spot, futures, strict=True)]
    assert max(apart) < Decimal("0.002")
    assert sum(apart) / len(apart) < Decimal("0.001")


def test_crosses_are_the_quotient_of_their_coins(api: Api) -> None:
    btc, eth, cross = (
        Decimal(api.get("/api/v3/ticker/price", symbol=symbol)["price"]) for symbol in ("BTCUSDT", "ETHUSDT", "ETHBTC")
    )
    assert abs(eth / btc / cross - 1) < Decimal("0.003")


def test_prices_are_alive_but_sane(api: Api) -> None:
    rows = api.get("/fapi/v1/klines", symbol="BTCUSDT", interval="1d", limit=400)
    moves = [float(row[4]) / float(row[1]) - 1 for row in rows]
    assert 0.005 < max(moves) < 0.2
    assert -0.2 < min(moves) < -0.005
    assert 30_000 < float(rows[-1][4]) < 150_000


def test_prices_and_quantities_keep_to_their_steps(api: Api) -> None:
    for path, base in (("/api/v3", "/api/v3"), ("/fapi/v1", "/fapi/v1")):
        for listing in api.get(f"{path}/exchangeInfo")["symbols"]:
            filters = {entry["filterType"]: entry for entry in listing["filters"]}
            tick, lot = Decimal(filters["PRICE_FILTER"]["tickSize"]), Decimal(filters["LOT_SIZE"]["stepSize"])
            for trade in api.get(f"{base}/trades", symbol=listing["symbol"], limit=20):
                assert Decimal(trade["price"]) % tick == 0
                assert Decimal(trade["qty"]) % lot == 0
                assert Decimal(trade["qty"]) > 0


@pytest.mark.parametrize("symbol", ["BTCUSDT", "1000PEPEUSDT", "XAUUSDT"])
def test_mark_and_index_candles_end_in_the_present_prices(api: Api, symbol: str) -> None:
    now = api.get("/fapi/v1/premiumIndex", symbol=symbol)
    for interval in ("1m", "4h", "1M"):
        (mark,) = api.get("/fapi/v1/markPriceKlines", symbol=symbol, interval=interval, limit=1)
        (index,) = api.get("/fapi/v1/indexPriceKlines", pair=symbol, interval=interval, limit=1)
        assert (mark[4], index[4]) == (now["markPrice"], now["indexPrice"])
    (premium,) = api.get("/fapi/v1/premiumIndexKlines", symbol=symbol, interval="1m", limit=1)
    ratio = Decimal(now["markPrice"]) / Decimal(now["indexPrice"]) - 1
    assert abs(Decimal(premium[4]) - ratio) < Decimal("0.000001")


@pytest.mark.parametrize(("path", "key"), [("markPriceKlines", "symbol"), ("indexPriceKlines", "pair")])
def test_candles_of_prices_nest(api: Api, path: str, key: str) -> None:
    hours = api.get(f"/fapi/v1/{path}", **{key: "BTCUSDT"}, interval="1h", limit=4)
    for hour, following in pairwise(hours):
        minutes = api.get(f"/fapi/v1/{path}", **{key: "BTCUSDT"}, interval="1m", startTime=hour[0], limit=60)
        assert (hour[1], hour[4]) == (minutes[0][1], minutes[-1][4])
        for minute in minutes:
            # A path is a straight line within a minute.
            assert {minute[2], minute[3]} == {minute[1], minute[4]}
            assert Decimal(minute[3]) <= Decimal(minute[2])
        assert hour[2] == max((row[2] for row in minutes), key=Decimal)
        assert hour[3] == min((row[3] for row in minutes), key=Decimal)
        assert hour[4] == following[1]
        assert hour[8] == 3600
    first = api.get(f"/fapi/v1/{path}", **{key: "BTCUSDT"}, interval="1d", startTime=0, limit=1)
    assert first[0][0] == (NOW // DAY - 400) * DAY
    assert api.get(f"/fapi/v1/{path}", **{key: "BTCUSDT"}, interval="1d", endTime=1) == []


def test_funding_happens_every_eight_hours(api: Api) -> None:
    rows = api.get("/fapi/v1/fundingRate", symbol="BTCUSDT", limit=1000)
    assert len(rows) == 1000
    numbers = [row["fundingTime"] // (8 * HOUR) for row in rows]
    assert numbers == list(range(numbers[-1] - 999, numbers[-1] + 1))
    assert max(row["fundingTime"] % (8 * HOUR) for row in rows) < 4
    now = api.get("/fapi/v1/premiumIndex", symbol="BTCUSDT")
    assert now["nextFundingTime"] == (numbers[-1] + 1) * 8 * HOUR
    assert now["lastFundingRate"] == rows[-1]["fundingRate"]
    at = rows[-2]["fundingTime"] // MINUTE * MINUTE
    (mark,) = api.get("/fapi/v1/markPriceKlines", symbol="BTCUSDT", interval="1m", startTime=at, limit=1)
    assert mark[1] == rows[-2]["markPrice"]
    start, end = rows[10]["fundingTime"], rows[14]["fundingTime"]
    assert api.get("/fapi/v1/fundingRate", symbol="BTCUSDT", startTime=start, endTime=end) == rows[10:15]
    assert api.get("/fapi/v1/fundingRate", symbol="BTCUSDT", startTime=start + 1, limit=2) == rows[11:13]
    assert api.get("/fapi/v1/fundingRate", symbol="BTCUSDT", endTime=end, limit=2) == rows[13:15]


def test_funding_of_all_symbols_is_in_order_of_time(api: Api) -> None:
    rows = api.get("/fapi/v1/fundingRate", limit=100)
    assert len(rows) == 100
    times = [row["fundingTime"] for row in rows]
    assert times == sorted(times)
    assert len({row["symbol"] for row in rows}) == 20


def test_statistics_come_by_period(api: Api) -> None:
    path = "/futures/data/openInterestHist"
    rows = api.get(path, symbol="BTCUSDT", period="1h")
    assert [row["timestamp"] for row in rows] == [NOW // HOUR * HOUR - back * HOUR for back in reversed(range(30))]
    start, end = rows[3]["timestamp"], rows[6]["timestamp"]
    assert api.get(path, symbol="BTCUSDT", period="1h", startTime=start, endTime=end) == rows[3:7]
    assert api.get(path, symbol="BTCUSDT", period="1h", startTime=start, limit=2) == rows[3:5]
    assert api.get(path, symbol="BTCUSDT", period="1h", endTime=end, limit=2) == rows[5:7]
    months = api.get(path, symbol="BTCUSDT", period="1d", limit=500)
    assert len(months) == 30


def test_taker_volumes_are_those_of_the_candles(api: Api) -> None:
    rows = api.get("/futures/data/takerlongshortRatio", symbol="BTCUSDT", period="4h", limit=5)
    bars = api.get("/fapi/v1/klines", symbol="BTCUSDT", interval="4h", limit=6)[:-1]
    assert [row["timestamp"] for row in rows] == [bar[0] for bar in bars]
    for row, bar in zip(rows, bars, strict=True):
        assert Decimal(row["buyVol"]) == Decimal(bar[9])
        assert Decimal(row["sellVol"]) == Decimal(bar[5]) - Decimal(bar[9])
    quiet = api.get("/futures/data/takerlongshortRatio", symbol="币安人生USDT", period="5m", limit=500)
    assert len(quiet) == 500


def test_the_basis_is_the_mark_above_the_index(api: Api) -> None:
    rows = api.get("/futures/data/basis", pair="BTCUSDT", contractType="PERPETUAL", period="1h", limit=5)
    for row in rows:
        assert Decimal(row["basis"]) == Decimal(row["futuresPrice"]) - Decimal(row["indexPrice"])
        query = {"interval": "1m", "startTime": row["timestamp"], "limit": 1}
        (index,) = api.get("/fapi/v1/indexPriceKlines", pair="BTCUSDT", **query)
        assert index[1] == row["indexPrice"]
    assert api.get("/futures/data/basis", pair="BTCUSDT", contractType="NEXT_QUARTER", period="1h") == []


def test_continuous_candles_follow_the_contract_of_the_pair(api: Api) -> None:
    query = {"interval": "1h", "limit": 3}
    same = api.get("/fapi/v1/klines", symbol="XAUUSDT", **query)
    path = "/fapi/v1/continuousKlines"
    assert api.get(path, pair="XAUUSDT", contractType="TRADIFI_PERPETUAL", **query) == same
    assert api.get(path, pair="XAUUSDT", contractType="CURRENT_QUARTER", **query) == []


def test_delivery_prices_are_of_last_fridays(api: Api) -> None:
    rows = api.get("/futures/data/delivery-price", pair="BTCUSDT")
    assert 4 <= len(rows) <= 6
    assert [row["deliveryTime"] for row in rows] == sorted((row["deliveryTime"] for row in rows), reverse=True)
    # 2026-12-25 08:00 UTC.
    assert rows[0]["deliveryTime"] == 1_798_185_600_000


def test_normal_quantities_leave_out_retail_orders(api: Api) -> None:
    trades = api.get("/fapi/v1/trades", symbol="BTCUSDT", limit=1000)
    rows = [row for row in api.get("/fapi/v1/aggTrades", symbol="BTCUSDT", limit=1000) if row["f"] >= trades[0]["id"]]
    assert 0 < sum(trade["isRPITrade"] for trade in trades) < 200
    for row in rows:
        inside = [trade for trade in trades if row["f"] <= trade["id"] <= row["l"]]
        assert Decimal(row["nq"]) == sum(Decimal(trade["qty"]) for trade in inside if not trade["isRPITrade"])


def test_the_two_kinds_of_index(api: Api) -> None:
    assert [row["symbol"] for row in api.get("/fapi/v1/indexInfo")] == ["DEFIUSDT"]
    assert api.get("/fapi/v1/indexInfo", symbol="BTCUSDT") == []
    assert api.response("/fapi/v1/assetIndex", {"symbol": "SRMUSD"}).json()["code"] == -1121
    hidden = api.get("/fapi/v1/constituents", symbol="XAUUSDT")["constituents"]
    assert {part["price"] for part in hidden} == {"-1"}
