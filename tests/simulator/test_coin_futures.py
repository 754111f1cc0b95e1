"""COIN-M futures of the simulator: inverse contracts whose numbers agree, windows of their own, a pool with USDⓈ-M."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from binance_sdk import coin_futures, errors
from binance_sdk.simulator import ManualClock

from .conftest import NOW, Api, simulator

DAY = 86_400_000
SIZE = {"BTC": 100, "ETH": 10}
PERPETUAL, CURRENT, NEXT = "BTCUSD_PERP", "BTCUSD_270326", "BTCUSD_270625"
"""At ``NOW``, which is in January 2027."""
KLINES = "/dapi/v1/klines"


def statistics(api: Api, name: str, **params: Any) -> Any:
    """Statistics of the same path exist on USDⓈ-M futures, so the port is said."""
    response = api.response(f"{api.simulator.base_url('coin_futures')}/futures/data/{name}", params)
    assert response.status_code == 200, response.text
    return response.json()


def test_a_contract_is_worth_its_size_in_the_coin(api: Api) -> None:
    for base, size in SIZE.items():
        for trade in api.get("/dapi/v1/trades", symbol=f"{base}USD_PERP", limit=100):
            worth = Decimal(trade["qty"]) * size / Decimal(trade["price"])
            assert 0 <= worth - Decimal(trade["baseQty"]) < Decimal("0.00000001")
            assert Decimal(trade["qty"]) % 1 == 0


def test_bars_and_tickers_are_the_sums_of_trades(api: Api) -> None:
    trades = api.get("/dapi/v1/trades", symbol=PERPETUAL, limit=1000)
    whole = {trade["time"] // 60_000 for trade in trades} - {trades[0]["time"] // 60_000, NOW // 60_000}
    bars = {row[0] // 60_000: row for row in api.get(KLINES, symbol=PERPETUAL, interval="1m", limit=500)}
    assert len(whole) > 20
    for minute in whole:
        inside = [trade for trade in trades if trade["time"] // 60_000 == minute]
        bar = bars[minute]
        assert Decimal(bar[5]) == sum(Decimal(trade["qty"]) for trade in inside)
        assert Decimal(bar[7]) == sum(Decimal(trade["baseQty"]) for trade in inside)
        bought = [trade for trade in inside if not trade["isBuyerMaker"]]
        assert Decimal(bar[10]) == sum(Decimal(trade["baseQty"]) for trade in bought)
        assert bar[8] == len(inside)
    (ticker,) = api.get("/dapi/v1/ticker/24hr", symbol=PERPETUAL)
    average = Decimal(ticker["volume"]) * 100 / Decimal(ticker["baseVolume"])
    assert abs(average - Decimal(ticker["weightedAvgPrice"])) <= Decimal("0.1")
    day = api.get(KLINES, symbol=PERPETUAL, interval="1m", limit=1440)[:-1]
    # All but the ragged ends of the window.
    assert sum(Decimal(row[7]) for row in day) == pytest.approx(Decimal(ticker["baseVolume"]), rel=Decimal("0.01"))
    (hour,) = api.get(KLINES, symbol=PERPETUAL, interval="1h", endTime=NOW - 3_600_000, limit=1)
    minutes = api.get(KLINES, symbol=PERPETUAL, interval="1m", startTime=hour[0], endTime=hour[6])
    assert [sum(Decimal(row[place]) for row in minutes) for place in (5, 7, 9, 10)] == [
        Decimal(hour[place]) for place in (5, 7, 9, 10)
    ]


def test_takers_and_bars_agree(api: Api) -> None:
    query = {"pair": "BTCUSD", "period": "1h", "limit": 5}
    rows = statistics(api, "takerBuySellVol", contractType="PERPETUAL", **query)
    bars = api.get(KLINES, symbol=PERPETUAL, interval="1h", limit=6)[:-1]
    assert [(row["timestamp"], Decimal(row["takerBuyVol"]), row["takerBuyVolValue"]) for row in rows] == [
        (bar[0], Decimal(bar[9]), bar[10]) for bar in bars
    ]
    parts = [
        statistics(api, "takerBuySellVol", contractType=kind, **query) for kind in ("PERPETUAL", "CURRENT_QUARTER")
    ]
    everything = statistics(api, "takerBuySellVol", contractType="ALL", **query)
    parts.append(statistics(api, "takerBuySellVol", contractType="NEXT_QUARTER", **query))
    for number, row in enumerate(everything):
        assert Decimal(row["takerSellVolValue"]) == sum(Decimal(part[number]["takerSellVolValue"]) for part in parts)


def test_the_book_is_around_the_last_trade(api: Api) -> None:
    for symbol in (PERPETUAL, CURRENT):
        book = api.get("/dapi/v1/depth", symbol=symbol, limit=1000)
        (price,) = api.get("/dapi/v1/ticker/price", symbol=symbol)
        (best,) = api.get("/dapi/v1/ticker/bookTicker", symbol=symbol)
        assert (book["symbol"], book["pair"], price["ps"]) == (symbol, "BTCUSD", "BTCUSD")
        assert price["price"] in (book["bids"][0][0], book["asks"][0][0])
        assert [best["bidPrice"], best["bidQty"]] == book["bids"][0]
        assert best["lastUpdateId"] == book["lastUpdateId"]
        assert len(book["bids"]) == len(book["asks"]) == 1000
        deepest = 1 - float(book["bids"][-1][0]) / float(book["bids"][0][0])
        assert 0.01 < deepest < 0.2


def test_one_symbol_too_is_a_list_and_a_pair_has_all_its_contracts(api: Api) -> None:
    for path in ("premiumIndex", "ticker/24hr", "ticker/price", "ticker/bookTicker"):
        assert [row["symbol"] for row in api.get(f"/dapi/v1/{path}", symbol=PERPETUAL)] == [PERPETUAL]
        assert [row["symbol"] for row in api.get(f"/dapi/v1/{path}", pair="BTCUSD")] == [PERPETUAL, CURRENT, NEXT]
        everything = [row["symbol"] for row in api.get(f"/dapi/v1/{path}")]
        assert {PERPETUAL, CURRENT, NEXT, "ETHUSD_PERP", "ETHUSD_270326"} <= set(everything)


def test_contracts_of_a_quarter_have_no_funding(api: Api) -> None:
    perpetual, current, _ = api.get("/dapi/v1/premiumIndex", pair="BTCUSD")
    assert perpetual["lastFundingRate"] != ""
    assert (current["lastFundingRate"], current["interestRate"], current["nextFundingTime"]) == ("", "", 0)
    assert api.get("/dapi/v1/fundingRate", symbol=CURRENT) == []
    assert len(api.get("/dapi/v1/fundingRate", symbol=PERPETUAL)) == 100


def test_a_contract_is_delivered_and_goes() -> None:
    clock = ManualClock(NOW)
    with simulator(clock=clock, symbols=[PERPETUAL, CURRENT]) as running, running.sync_client() as client:
        market = client.coin_futures

        def statuses() -> dict[str, str]:
            return {listing.symbol: listing.status for listing in market.exchange_info().symbols}

        info = {listing.symbol: listing for listing in market.exchange_info().symbols}[CURRENT]
        assert (info.contract_type, info.contract_size) == ("CURRENT_QUARTER", 100)
        clock.set(info.delivery_time + 60_000)
        assert statuses() == {PERPETUAL: "TRADING", CURRENT: "DELIVERING"}
        assert market.trades(CURRENT)[-1].trade_time <= info.delivery_time
        clock.set(info.delivery_time + DAY)
        assert statuses() == {PERPETUAL: "TRADING"}
        with pytest.raises(errors.BadRequestError, match="Invalid symbol"):
            market.trades(CURRENT)


@pytest.mark.parametrize("path", ["klines", "markPriceKlines", "indexPriceKlines", "continuousKlines"])
def test_of_a_window_the_newest_bars_come(api: Api, path: str) -> None:
    who: dict[str, Any] = {"symbol": PERPETUAL}
    if path in ("indexPriceKlines", "continuousKlines"):
        who = {"pair": "BTCUSD"} | ({"contractType": "PERPETUAL"} if path[0] == "c" else {})

    def opens(interval: str = "1d", **times: int) -> list[int]:
        return [row[0] for row in api.get(f"/dapi/v1/{path}", interval=interval, **who, **times)]

    today = NOW // DAY * DAY
    start = today - 300 * DAY
    assert opens(startTime=start, endTime=start + 100 * DAY, limit=10) == [start + n * DAY for n in range(91, 101)]
    # Without an end, a window is 200 days long.
    assert opens(startTime=start, limit=3) == [start + n * DAY for n in range(198, 201)]
    assert opens(startTime=start, limit=1500) == [start + n * DAY for n in range(201)]
    assert opens(limit=2) == [today - DAY, today]
    assert opens(endTime=start, limit=2) == [start - DAY, start]
    # Minutes too, whose long pages are kept as text.
    assert opens("1m", startTime=start, endTime=start + DAY, limit=1000)[0] == start + DAY - 999 * 60_000
    refused = api.response(
        f"/dapi/v1/{path}", {**who, "interval": "1d", "startTime": start, "endTime": start + 200 * DAY + 1}
    )
    assert refused.json()["code"] == -1127


def test_two_years_are_walked_and_each_bar_comes_once() -> None:
    with simulator(symbols=[PERPETUAL], history_days=800) as running, running.sync_client() as client:
        start = NOW // DAY * DAY - 730 * DAY
        for interval, step in (("1d", DAY), ("6h", DAY // 4)):
            walk = client.coin_futures.iter_klines(PERPETUAL, interval, start_time=start, end_time=NOW)
            found = [bar.open_time for bar in walk]
            assert found == list(range(start, NOW, step))


def test_older_trades_than_a_day_are_refused(api: Api) -> None:
    path = "/dapi/v1/aggTrades"
    assert api.response(path, {"symbol": PERPETUAL, "fromId": 0}).json()["code"] == -4166
    rows = api.get(path, symbol=PERPETUAL, startTime=NOW - DAY, endTime=NOW - DAY + 600_000)
    assert set(rows[0]) == {"a", "p", "q", "f", "l", "T", "m"}
    again = api.get(path, symbol=PERPETUAL, fromId=rows[0]["a"], limit=len(rows))
    assert again == rows


def test_both_futures_markets_count_into_one_pool() -> None:
    with simulator(weight_limits={"coin_futures": 30}) as running, running.sync_client(max_retries=0) as client:
        client.futures.klines("BTCUSDT", "1h", limit=1500)
        client.coin_futures.premium_index(PERPETUAL)
        assert running.used_weight("futures") == running.used_weight("coin_futures") == 20
        client.coin_futures.basis("BTCUSD", "PERPETUAL", "5m")
        client.futures.basis("BTCUSDT", "PERPETUAL", "5m")
        # The same path has a weight on one host and none on the other, and the same counter of requests.
        assert running.used_weight("futures") == 21
        (window,) = running.windows("coin_futures")
        assert (window.limit, window.used, window.requests) == (30, 21, 4)


async def test_changes_of_a_book_lead_from_one_snapshot_to_the_next() -> None:
    # A moment at which there is an event, so that a snapshot and the event behind it are of one time.
    clock = ManualClock(NOW // 1000 * 1000)
    async with (
        simulator(clock=clock) as running,
        running.client() as client,
        client.coin_futures.streams.diff_depth(PERPETUAL, quiet_time=None) as events,
    ):
        clock.advance(1)
        first = await anext(events)
        before = await client.coin_futures.depth(PERPETUAL, limit=1000)
        sides = [dict(before.bids), dict(before.asks)]
        known = before.last_update_id
        clock.advance(2)
        after = await client.coin_futures.depth(PERPETUAL, limit=500)
        while known < after.last_update_id:
            event = await anext(events)
            assert isinstance(event, coin_futures.DiffDepthEvent)
            if event.last_update_id <= known:
                continue
            assert event.prev_last_update_id <= known < event.last_update_id
            known = event.last_update_id
            for side, changes in zip(sides, (event.bids, event.asks), strict=True):
                for price, quantity in changes:
                    side[price] = quantity
        assert after.last_update_id == known > before.last_update_id
        assert first.pair == after.pair == "BTCUSD"
        for side, levels in zip(sides, (after.bids, after.asks), strict=True):
            assert all(side[price] == quantity for price, quantity in levels)
