"""All answers of one instant agree, recomputed here from the trades with nothing but decimals and sorted lists."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from .conftest import NOW, Api

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000
QUIET = "币安人生USDT"
MARKETS = {"spot": "/api/v3", "futures": "/fapi/v1"}
SYMBOLS = [(market, symbol) for market in MARKETS for symbol in ("BTCUSDT", QUIET)] + [("spot", "ETHBTC")]


@dataclass(frozen=True)
class Trade:
    id: int
    time: int
    price: Decimal
    qty: Decimal
    buyer_is_maker: bool

    @property
    def value(self) -> Decimal:
        return self.price * self.qty


def trades_since(api: Api, market: str, symbol: str, start: int) -> list[Trade]:
    """All trades from ``start`` to the present, read backwards page by page."""
    base, limit = MARKETS[market], {"spot": 1000, "futures": 500}[market]
    rows = api.get(f"{base}/historicalTrades", symbol=symbol, limit=limit)
    while rows[0]["time"] >= start:
        first = rows[0]["id"]
        size = min(limit, first)
        rows = api.get(f"{base}/historicalTrades", symbol=symbol, fromId=first - size, limit=size) + rows
    trades = [
        Trade(row["id"], row["time"], Decimal(row["price"]), Decimal(row["qty"]), row["isBuyerMaker"]) for row in rows
    ]
    assert [trade.id for trade in trades] == list(range(trades[0].id, trades[-1].id + 1))
    assert [trade.time for trade in trades] == sorted(trade.time for trade in trades)
    assert all(Decimal(row["quoteQty"]) == Decimal(row["price"]) * Decimal(row["qty"]) for row in rows)
    return trades


@pytest.fixture(scope="module", params=SYMBOLS, ids=lambda pair: f"{pair[0]}-{pair[1]}")
def tape(request: pytest.FixtureRequest, api: Api) -> tuple[str, str, list[Trade]]:
    """Market, symbol and the trades of a bit more than the last day."""
    market, symbol = request.param
    return market, symbol, trades_since(api, market, symbol, NOW - DAY - 2 * HOUR)


def candles(trades: list[Trade], step: int, opens: list[int]) -> list[list[Any]]:
    """Candles as documented, straight from the trades; the tape must begin before the first of them."""
    grouped: dict[int, list[Trade]] = defaultdict(list)
    for trade in trades:
        grouped[trade.time // step * step].append(trade)
    close = [trade.price for trade in trades if trade.time < opens[0]][-1]
    rows: list[list[Any]] = []
    for opened in opens:
        inside = grouped.get(opened, [])
        prices = [trade.price for trade in inside] or [close]
        bought = [trade for trade in inside if not trade.buyer_is_maker]
        rows.append(
            [
                opened,
                prices[0],
                max(prices),
                min(prices),
                prices[-1],
                sum(trade.qty for trade in inside),
                opened + step - 1,
                sum(trade.value for trade in inside),
                len(inside),
                sum(trade.qty for trade in bought),
                sum(trade.value for trade in bought),
            ]
        )
        close = prices[-1]
    return rows


def numbers(rows: list[list[Any]]) -> list[list[Any]]:
    assert all(row[11] == "0" for row in rows)
    return [[Decimal(value) if isinstance(value, str) else value for value in row[:11]] for row in rows]


INTERVALS = {"1s": SECOND, "1m": MINUTE, "3m": 3 * MINUTE, "15m": 15 * MINUTE, "1h": HOUR, "4h": 4 * HOUR}


@pytest.mark.parametrize("interval", INTERVALS)
def test_candles_are_the_trades(api: Api, tape: tuple[str, str, list[Trade]], interval: str) -> None:
    market, symbol, trades = tape
    if market == "futures" and interval == "1s":
        return
    step = INTERVALS[interval]
    count = min(24 * HOUR // step, 1000)
    rows = api.get(f"{MARKETS[market]}/klines", symbol=symbol, interval=interval, limit=count)
    opens = [NOW // step * step - back * step for back in reversed(range(count))]
    assert numbers(rows) == candles(trades, step, opens)


def test_quiet_symbols_have_empty_candles(api: Api) -> None:
    rows = api.get("/api/v3/klines", symbol=QUIET, interval="1m", limit=500)
    empty = [index for index, row in enumerate(rows) if row[8] == 0]
    assert 25 < len(empty) < 250
    for index in empty:
        if index:
            assert set(rows[index][1:5]) == {rows[index - 1][4]}
    assert all(row[8] for row in api.get("/api/v3/klines", symbol="BTCUSDT", interval="1m", limit=500)[:-1])


def window(trades: list[Trade], start: int) -> list[Trade]:
    return [trade for trade in trades if start <= trade.time <= NOW]


def check_ticker(ticker: dict[str, Any], inside: list[Trade], decimals: int) -> None:
    opened, last = inside[0].price, inside[-1].price
    volume, value = sum(trade.qty for trade in inside), sum(trade.value for trade in inside)
    assert Decimal(ticker["openPrice"]) == opened
    assert Decimal(ticker["lastPrice"]) == last
    assert Decimal(ticker["highPrice"]) == max(trade.price for trade in inside)
    assert Decimal(ticker["lowPrice"]) == min(trade.price for trade in inside)
    assert Decimal(ticker["volume"]) == volume
    assert Decimal(ticker["quoteVolume"]) == value
    assert (ticker["firstId"], ticker["lastId"], ticker["count"]) == (inside[0].id, inside[-1].id, len(inside))
    if "priceChange" in ticker:
        assert Decimal(ticker["priceChange"]) == last - opened
        assert abs(Decimal(ticker["priceChangePercent"]) - (last - opened) / opened * 100) < Decimal("0.001")
        assert abs(Decimal(ticker["weightedAvgPrice"]) - value / volume) < Decimal(10) ** -decimals


def test_the_24_hour_ticker_is_the_trades(api: Api, tape: tuple[str, str, list[Trade]]) -> None:
    market, symbol, trades = tape
    ticker = api.get(f"{MARKETS[market]}/ticker/24hr", symbol=symbol)
    assert (ticker["openTime"], ticker["closeTime"]) == (NOW - DAY, NOW)
    check_ticker(ticker, window(trades, NOW - DAY), len(ticker["openPrice"].partition(".")[2]))
    assert Decimal(ticker["lastQty"]) == trades[-1].qty
    if market == "spot":
        before = [trade for trade in trades if trade.time < NOW - DAY]
        assert Decimal(ticker["prevClosePrice"]) == before[-1].price
        mini = api.get("/api/v3/ticker/24hr", symbol=symbol, type="MINI")
        assert mini == {key: ticker[key] for key in mini}


@pytest.mark.parametrize(("size", "length"), [("1m", MINUTE), ("59m", 59 * MINUTE), ("7h", 7 * HOUR), ("1d", DAY)])
@pytest.mark.parametrize("kind", ["FULL", "MINI"])
def test_rolling_tickers_are_the_trades(
    api: Api, tape: tuple[str, str, list[Trade]], size: str, length: int, kind: str
) -> None:
    market, symbol, trades = tape
    if market == "futures":
        return
    ticker = api.get("/api/v3/ticker", symbol=symbol, windowSize=size, type=kind)
    assert ticker["openTime"] == (NOW - length) // MINUTE * MINUTE
    assert ticker["closeTime"] == NOW
    inside = window(trades, ticker["openTime"])
    if inside:
        check_ticker(ticker, inside, 8)
    else:
        assert (ticker["firstId"], ticker["lastId"], ticker["count"]) == (-1, -1, 0)
        assert ticker["openPrice"] == ticker["lastPrice"]


@pytest.mark.parametrize(("zone", "offset"), [(None, 0), ("-3:30", -210), ("14", 840)])
def test_the_trading_day_is_the_trades(
    api: Api, tape: tuple[str, str, list[Trade]], zone: str | None, offset: int
) -> None:
    market, symbol, trades = tape
    if market == "futures":
        return
    ticker = api.get("/api/v3/ticker/tradingDay", symbol=symbol, **({"timeZone": zone} if zone else {}))
    start = (NOW + offset * MINUTE) // DAY * DAY - offset * MINUTE
    assert (ticker["openTime"], ticker["closeTime"]) == (start, start + DAY - 1)
    check_ticker(ticker, window(trades, start), 8)


def test_the_average_price_is_that_of_five_minutes(api: Api, tape: tuple[str, str, list[Trade]]) -> None:
    market, symbol, trades = tape
    if market == "futures":
        return
    average = api.get("/api/v3/avgPrice", symbol=symbol)
    inside = [trade for trade in trades if NOW - 5 * MINUTE < trade.time <= NOW]
    expected = sum(trade.value for trade in inside) / sum(trade.qty for trade in inside)
    assert abs(Decimal(average["price"]) - expected) < Decimal("0.00000001")
    assert (average["mins"], average["closeTime"]) == (5, trades[-1].time)


def test_aggregates_are_merged_trades(api: Api, tape: tuple[str, str, list[Trade]]) -> None:
    market, symbol, trades = tape
    known = {trade.id: trade for trade in trades}
    rows = api.get(f"{MARKETS[market]}/aggTrades", symbol=symbol, limit=1000)
    assert [row["a"] for row in rows] == list(range(rows[0]["a"], rows[0]["a"] + len(rows)))
    assert rows[-1]["l"] == trades[-1].id
    assert any(row["l"] > row["f"] for row in rows)
    following = rows[0]["f"]
    for row in rows:
        assert row["f"] == following
        following = row["l"] + 1
        if row["f"] not in known:
            continue
        merged = [known[number] for number in range(row["f"], row["l"] + 1)]
        assert {(trade.time, trade.price, trade.buyer_is_maker) for trade in merged} == {
            (row["T"], Decimal(row["p"]), row["m"])
        }
        assert sum(trade.qty for trade in merged) == Decimal(row["q"])


def test_the_last_price_is_the_same_everywhere(api: Api, tape: tuple[str, str, list[Trade]]) -> None:
    market, symbol, trades = tape
    base, last = MARKETS[market], trades[-1]
    assert Decimal(api.get(f"{base}/ticker/price", symbol=symbol)["price"]) == last.price
    assert api.get(f"{base}/trades", symbol=symbol, limit=1)[0]["id"] == last.id
    for interval in ("1m", "1h", "3d", "1w", "1M"):
        (row,) = api.get(f"{base}/klines", symbol=symbol, interval=interval, limit=1)
        assert Decimal(row[4]) == last.price
    book = api.get(f"{base}/depth", symbol=symbol, limit=5)
    best = api.get(f"{base}/ticker/bookTicker", symbol=symbol)
    assert [best["bidPrice"], best["bidQty"]] == book["bids"][0]
    assert [best["askPrice"], best["askQty"]] == book["asks"][0]
    bid, ask = Decimal(best["bidPrice"]), Decimal(best["askPrice"])
    assert bid < ask
    assert last.price in (bid, ask)


def merged(rows: list[list[Any]]) -> list[Any]:
    """Several candles as one."""
    parts = numbers(rows)
    filled = [row for row in parts if row[8]]
    sums = [sum(row[place] for row in parts) for place in (5, 7, 8, 9, 10)]
    prices = [filled[0][1], max(row[2] for row in filled), min(row[3] for row in filled), filled[-1][4]]
    return [parts[0][0], *prices, sums[0], parts[-1][6], *sums[1:]]


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize(
    ("long", "short", "most"),
    [("1h", "1m", 60), ("1d", "1h", 24), ("12h", "30m", 24), ("3d", "1d", 3), ("1w", "1d", 7), ("1M", "1d", 31)],
)
def test_long_candles_are_short_ones_merged(api: Api, market: str, long: str, short: str, most: int) -> None:
    path = f"{MARKETS[market]}/klines"
    for row in api.get(path, symbol=QUIET, interval=long, limit=3)[:2]:
        inside = api.get(path, symbol=QUIET, interval=short, startTime=row[0], endTime=row[6], limit=most)
        assert numbers([row]) == [merged(inside)]


@pytest.mark.parametrize(("zone", "minutes"), [("8", 480), ("-1:00", -60), ("05:45", 345), ("5:37", 337)])
@pytest.mark.parametrize("interval", ["1h", "8h", "1d", "1w", "1M"])
def test_candles_in_time_zones_open_at_local_boundaries(api: Api, zone: str, minutes: int, interval: str) -> None:
    rows = api.get("/api/v3/klines", symbol="ETHUSDT", interval=interval, timeZone=zone, limit=3)
    for row in rows:
        local = datetime.fromtimestamp((row[0] + minutes * MINUTE) / 1000, UTC)
        assert (local.minute, local.second, local.microsecond) == (0, 0, 0)
        assert interval == "1h" or local.hour % 8 == 0
        assert interval != "1w" or (local.weekday(), local.hour) == (0, 0)
        assert interval != "1M" or (local.day, local.hour) == (1, 0)
    whole = rows[1]
    inside = api.get("/api/v3/klines", symbol="ETHUSDT", interval="1h", timeZone=zone, startTime=whole[0], limit=1000)
    assert numbers([whole]) == [merged([row for row in inside if row[6] <= whole[6]])]


def test_calendars_of_the_long_intervals(api: Api) -> None:
    def opens(interval: str) -> Iterator[datetime]:
        for row in api.get("/fapi/v1/klines", symbol="BTCUSDT", interval=interval, limit=5):
            yield datetime.fromtimestamp(row[0] / 1000, UTC)

    assert all(opened.weekday() == 0 for opened in opens("1w"))
    assert all(opened.day == 1 for opened in opens("1M"))
    assert all(int(opened.timestamp()) % (3 * 86_400) == 0 for opened in opens("3d"))


@pytest.mark.parametrize("market", MARKETS)
def test_candles_are_picked_as_documented(api: Api, market: str) -> None:
    def opens(**params: Any) -> list[int]:
        return [row[0] for row in api.get(f"{MARKETS[market]}/klines", symbol="BTCUSDT", interval="1h", **params)]

    newest = NOW // HOUR * HOUR
    assert opens(limit=3) == [newest - 2 * HOUR, newest - HOUR, newest]
    assert len(opens()) == 500
    assert opens(startTime=newest - 10 * HOUR, limit=2) == [newest - 10 * HOUR, newest - 9 * HOUR]
    assert opens(startTime=newest - 10 * HOUR + 1, limit=1) == [newest - 9 * HOUR]
    assert opens(endTime=newest - HOUR, limit=2) == [newest - 2 * HOUR, newest - HOUR]
    assert opens(endTime=newest - 1, limit=1) == [newest - HOUR]
    assert opens(startTime=newest - 2 * HOUR, endTime=newest - HOUR) == [newest - 2 * HOUR, newest - HOUR]
    assert opens(startTime=newest + 1) == []
    (first,) = opens(startTime=0, limit=1)
    assert first == (NOW // DAY - 400) * DAY
    assert opens(endTime=first - 1) == []


@pytest.mark.parametrize("market", MARKETS)
def test_aggregates_are_picked_as_documented(api: Api, market: str) -> None:
    def ids(**params: Any) -> list[int]:
        return [row["a"] for row in api.get(f"{MARKETS[market]}/aggTrades", symbol="BTCUSDT", **params)]

    newest = api.get(f"{MARKETS[market]}/aggTrades", symbol="BTCUSDT", limit=20)
    last = newest[-1]["a"]
    assert ids(limit=3) == [last - 2, last - 1, last]
    assert ids(fromId=last - 5, limit=2) == [last - 5, last - 4]
    assert ids(fromId=last + 1) == []
    start, end = newest[4]["T"], newest[9]["T"]
    expected = [row["a"] for row in newest if start <= row["T"] <= end]
    assert ids(startTime=start, endTime=end) == expected
    assert ids(startTime=start, limit=2) == expected[:2]
    assert ids(endTime=end, limit=2) == expected[-2:]
