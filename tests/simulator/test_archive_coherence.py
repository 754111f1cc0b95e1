"""Archive, REST and trades tell the same story, to the digit: of each kind, on each market."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any

import pytest

from binance_sdk.simulator import ManualClock

from .archive_reading import ArchiveReader, file_key
from .conftest import NOW, Api, simulator

DAY = 86_400_000
YESTERDAY, MONTH = "2027-01-14", "2026-12"
START = 1_799_884_800_000
"""2027-01-14 00:00 UTC."""
MONTH_START, MONTH_END = 1_796_083_200_000, 1_798_761_600_000


@dataclass(frozen=True)
class World:
    api: Api
    archive: ArchiveReader


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with simulator() as running:
        api, archive = Api(running), ArchiveReader(running)
        with api.client, archive.client:
            yield World(api, archive)


FOLDERS = {
    "spot": ("spot", "BTCUSDT"),
    "futures": ("futures/um", "BTCUSDT"),
    "coin_futures": ("futures/cm", "BTCUSD_PERP"),
}
PATHS = {"spot": "/api/v3", "futures": "/fapi/v1", "coin_futures": "/dapi/v1"}


def of_day(
    world: World, market: str, kind: str, interval: str = "", symbol: str = "", date: str = YESTERDAY
) -> list[list[str]]:
    folder, usual = FOLDERS[market]
    return world.archive.rows(file_key(folder, "daily", kind, symbol or usual, date, interval))


def of_month(world: World, market: str, kind: str, interval: str = "", symbol: str = "") -> list[list[str]]:
    folder, usual = FOLDERS[market]
    return world.archive.rows(file_key(folder, "monthly", kind, symbol or usual, MONTH, interval.replace("1M", "1mo")))


def milliseconds(text: str) -> int:
    """Spot writes microseconds; the last one of a bar belongs to its last millisecond."""
    return int(text) // 1000 if len(text) == 16 else int(text)


def number(text: str) -> Decimal:
    return Decimal(text)


# ------------------------------------------------------------------------------------------ candles

KLINES: list[tuple[str, str, str, dict[str, str], str, str]] = [
    ("spot", "klines", "klines", {}, "", "1m"),
    ("spot", "klines", "klines", {"symbol": "币安人生USDT"}, "币安人生USDT", "1m"),
    ("spot", "klines", "klines", {}, "", "1h"),
    ("futures", "klines", "klines", {}, "", "1m"),
    ("futures", "markPriceKlines", "markPriceKlines", {}, "", "5m"),
    ("futures", "indexPriceKlines", "indexPriceKlines", {"pair": "BTCUSDT"}, "", "15m"),
    ("futures", "premiumIndexKlines", "premiumIndexKlines", {}, "", "1m"),
    ("coin_futures", "klines", "klines", {}, "", "1m"),
    ("coin_futures", "markPriceKlines", "markPriceKlines", {}, "", "1h"),
    ("coin_futures", "indexPriceKlines", "indexPriceKlines", {"pair": "BTCUSD"}, "BTCUSD", "1m"),
    ("coin_futures", "premiumIndexKlines", "premiumIndexKlines", {}, "", "1d"),
]
COLUMNS: list[Callable[[str], object]] = [
    milliseconds,
    *[number] * 5,
    milliseconds,
    number,
    int,
    number,
    number,
    number,
]
"""How the twelve columns of a kline are compared."""


def rest_klines(
    world: World, market: str, operation: str, params: dict[str, str], interval: str, start: int, end: int
) -> list[list[Any]]:
    named = params or {"symbol": FOLDERS[market][1]}
    rows: list[list[Any]] = []
    while start < end:
        page = world.api.get(
            f"{PATHS[market]}/{operation}",
            **named,
            interval=interval,
            startTime=start,
            endTime=min(end, start + DAY // 2) - 1,
            limit=1000,
        )
        rows += page
        start += DAY // 2
    return rows


@pytest.mark.parametrize(("market", "kind", "operation", "params", "symbol", "interval"), KLINES)
def test_klines_of_a_day_are_those_of_rest(
    world: World, market: str, kind: str, operation: str, params: dict[str, str], symbol: str, interval: str
) -> None:
    filed = of_day(world, market, kind, interval, symbol)
    asked = rest_klines(world, market, operation, params, interval, START, START + DAY)
    assert len(filed) == len(asked)
    assert typed_rows(filed, COLUMNS) == typed_rows([[str(cell) for cell in row] for row in asked], COLUMNS)


def typed_rows(rows: list[list[str]], readers: list[Callable[[str], object]]) -> list[list[object]]:
    return [[read(cell) for read, cell in zip(readers, row, strict=True)] for row in rows]


@pytest.mark.parametrize("interval", ["1d", "3d", "1w", "1M"])
@pytest.mark.parametrize("market", list(FOLDERS))
def test_long_klines_of_a_month_are_those_of_rest_that_open_in_it(world: World, market: str, interval: str) -> None:
    filed = typed_rows(of_month(world, market, "klines", interval), COLUMNS)
    named = {"symbol": FOLDERS[market][1], "interval": interval, "startTime": MONTH_START, "endTime": MONTH_END - 1}
    asked = world.api.get(f"{PATHS[market]}/klines", **named)
    assert filed == typed_rows([[str(cell) for cell in row] for row in asked], COLUMNS)
    assert len(filed) == {"1d": 31, "3d": 10, "1w": 4, "1M": 1}[interval]


# ------------------------------------------------------------------------------------------- trades

AGG = ["a", "p", "q", "f", "l", "T", "m", "M"]
TRADE = {"spot": "quoteQty", "futures": "quoteQty", "coin_futures": "baseQty"}


@pytest.mark.parametrize("market", list(FOLDERS))
def test_aggregate_trades_of_a_day_are_those_of_rest(world: World, market: str) -> None:
    filed, symbol = of_day(world, market, "aggTrades"), FOLDERS[market][1]
    # REST knows those of the last day only on COIN-M, so not the first ones of yesterday.
    noon = next(place for place, row in enumerate(filed) if milliseconds(row[5]) >= START + DAY // 2)
    for first, chosen in (
        (noon, {"startTime": START + DAY // 2, "endTime": START + DAY // 2 + DAY // 24 - 1}),
        (-900, {"fromId": filed[-900][0]}),
    ):
        page = world.api.get(f"{PATHS[market]}/aggTrades", symbol=symbol, limit=900, **chosen)
        assert len(page) > 200
        for row, told in zip(filed[first:], page, strict=False):
            wire = [str(told[name]) for name in AGG if name in told]
            assert [number(cell) for cell in row[:5]] == [number(cell) for cell in wire[:5]]
            assert milliseconds(row[5]) == int(wire[5])
            assert [cell.lower() for cell in row[6:]] == [cell.lower() for cell in wire[6:]]
    assert (milliseconds(filed[0][5]) - START, START + DAY - milliseconds(filed[-1][5])) < (60_000, 60_000)
    assert [int(row[0]) for row in filed] == list(range(int(filed[0][0]), int(filed[-1][0]) + 1))


@pytest.mark.parametrize("market", list(FOLDERS))
def test_trades_of_a_day_are_those_of_rest(world: World, market: str) -> None:
    filed, symbol = of_day(world, market, "trades"), FOLDERS[market][1]
    page = world.api.get(f"{PATHS[market]}/historicalTrades", symbol=symbol, fromId=filed[0][0], limit=500)
    for row, told in zip(filed, page, strict=False):
        wire = [told["id"], told["price"], told["qty"], told[TRADE[market]], told["time"], told["isBuyerMaker"]]
        assert [number(cell) for cell in row[:4]] == [number(str(cell)) for cell in wire[:4]]
        assert (milliseconds(row[4]), row[5].lower()) == (wire[4], str(wire[5]).lower())
    assert [int(row[0]) for row in filed] == list(range(int(filed[0][0]), int(filed[-1][0]) + 1))


@pytest.mark.parametrize("market", list(FOLDERS))
def test_klines_of_a_day_are_the_sums_of_its_trades(world: World, market: str) -> None:
    trades = [(milliseconds(row[4]), row) for row in of_day(world, market, "trades")]
    summed: list[list[object]] = []
    for minute, group in groupby(trades, lambda trade: trade[0] // 60_000):
        rows = [row for _, row in group]
        prices = [number(row[1]) for row in rows]
        bought = [row for row in rows if row[5].lower() == "false"]
        totals = [sum((number(row[place]) for row in part), Decimal()) for part in (rows, bought) for place in (2, 3)]
        volume, value, buy_volume, buy_value = totals
        first, last = minute * 60_000, minute * 60_000 + 59_999
        candle = (prices[0], max(prices), min(prices), prices[-1])
        summed.append([first, *candle, volume, last, value, len(rows), buy_volume, buy_value, Decimal()])
    assert summed == typed_rows(of_day(world, market, "klines", "1m"), COLUMNS)


# ------------------------------------------------------------------------------- funding and metrics


@pytest.mark.parametrize("market", ["futures", "coin_futures"])
def test_funding_of_a_month_is_that_of_rest(world: World, market: str) -> None:
    filed = of_month(world, market, "fundingRate")
    asked = world.api.get(
        f"{PATHS[market]}/fundingRate",
        symbol=FOLDERS[market][1],
        startTime=MONTH_START,
        endTime=MONTH_END - 1,
        limit=1000,
    )
    assert filed == [[str(row["fundingTime"]), "8", row["fundingRate"]] for row in asked]
    assert len(filed) == 93


SNAPSHOTS = {
    "futures": [
        ("openInterestHist", "sumOpenInterest"),
        ("openInterestHist", "sumOpenInterestValue"),
        ("topLongShortAccountRatio", "longShortRatio"),
        ("topLongShortPositionRatio", "longShortRatio"),
        ("globalLongShortAccountRatio", "longShortRatio"),
        ("takerlongshortRatio", "buySellRatio"),
    ],
    "coin_futures": [
        ("openInterestHist", "sumOpenInterest"),
        ("openInterestHist", "sumOpenInterestValue"),
        ("topLongShortAccountRatio", "longShortRatio"),
        ("topLongShortPositionRatio", "longShortRatio"),
        ("globalLongShortAccountRatio", "longShortRatio"),
    ],
}


@pytest.mark.parametrize("market", list(SNAPSHOTS))
def test_metrics_of_a_day_are_those_of_rest(world: World, market: str) -> None:
    """What was counted then is labelled five minutes earlier; what takers did is labelled with its beginning."""
    filed = of_day(world, market, "metrics")
    assert len(filed) == 288
    assert (filed[0][0], filed[-1][0]) == (f"{YESTERDAY} 00:00:00", f"{YESTERDAY} 23:55:00")
    host = {"futures": "fapi", "coin_futures": "dapi"}[market]
    for place, (operation, field) in enumerate(SNAPSHOTS[market]):
        shift = 0 if operation == "takerlongshortRatio" else 300_000
        about = {"symbol": "BTCUSDT"} if market == "futures" else {"pair": "BTCUSD"}
        if market == "coin_futures" and operation == "openInterestHist":
            about["contractType"] = "PERPETUAL"
        asked = statistics(world, host, operation, **about, startTime=START + shift, endTime=START + shift + DAY - 1)
        assert [number(row[place + 2]) for row in filed] == [number(row[field]) for row in asked], operation


def statistics(world: World, host: str, operation: str, **params: Any) -> list[dict[str, Any]]:
    url = world.api.simulator.base_url("futures" if host == "fapi" else "coin_futures")
    response = world.api.response(f"{url}/futures/data/{operation}", {**params, "period": "5m", "limit": 500})
    assert response.status_code == 200, response.text
    rows: list[dict[str, Any]] = response.json()
    return rows


# ---------------------------------------------------------------------------------- days and months

MONTHS = [
    ("spot", "klines", "5m", "BTCUSDT"),
    ("spot", "aggTrades", "", "币安人生USDT"),
    ("futures", "klines", "1h", "BTCUSDT"),
    ("futures", "premiumIndexKlines", "15m", "BTCUSDT"),
    ("coin_futures", "trades", "", "DOTUSD_PERP"),
    ("coin_futures", "markPriceKlines", "1d", "BTCUSD_PERP"),
]


@pytest.mark.parametrize(("market", "kind", "interval", "symbol"), MONTHS)
def test_the_days_of_a_month_make_the_month(world: World, market: str, kind: str, interval: str, symbol: str) -> None:
    days = [row for day in range(1, 32) for row in of_day(world, market, kind, interval, symbol, f"{MONTH}-{day:02d}")]
    assert days == of_month(world, market, kind, interval, symbol)


# ------------------------------------------------------------------------------------------ streams


async def test_what_a_stream_told_stands_in_the_file_of_the_day() -> None:
    clock = ManualClock(NOW)
    with simulator(clock=clock, symbols=["BTCUSDT"]) as running:
        async with running.client() as client, client.spot.streams.agg_trade("BTCUSDT") as events:
            told: list[tuple[str, ...]] = []
            while len(told) < 20:
                clock.advance(1)
                event = await anext(aiter(events))
                told.append((str(event.agg_id), f"{event.price:f}", f"{event.qty:f}", f"{event.trade_time}000"))
        clock.advance(86_400)
        archive = ArchiveReader(running)
        with archive.client:
            rows = archive.rows(file_key("spot", "daily", "aggTrades", "BTCUSDT", "2027-01-15"))
    by_id = {row[0]: (row[0], row[1], row[2], row[5]) for row in rows}
    assert told == [by_id[one[0]] for one in told]
