"""What the streams tell is what REST answers at the same moment, and has the form that Binance documents."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from shared_facts import load, message_of, needs_facts

from binance_sdk.simulator import ManualClock, Simulator

from .conftest import NOW, World

SPOT = {
    "agg_trade": "btcusdt@aggTrade",
    "trade": "btcusdt@trade",
    "block_trade": "btcusdt@blockTrade",
    "kline": "btcusdt@kline_1m",
    "kline_utc8": "btcusdt@kline_1d@+08:00",
    "mini_ticker": "btcusdt@miniTicker",
    "all_mini_tickers": "!miniTicker@arr",
    "ticker": "btcusdt@ticker",
    "rolling_ticker": "btcusdt@ticker_1h",
    "all_rolling_tickers": "!ticker_4h@arr",
    "book_ticker": "btcusdt@bookTicker",
    "avg_price": "btcusdt@avgPrice",
    "reference_price": "btcusdt@referencePrice",
    "partial_depth": "btcusdt@depth5",
    "diff_depth": "btcusdt@depth",
}
PUBLIC = {
    "book_ticker": "btcusdt@bookTicker",
    "all_book_tickers": "!bookTicker",
    "partial_depth": "btcusdt@depth5",
    "diff_depth": "btcusdt@depth@100ms",
    "rpi_diff_depth": "btcusdt@rpiDepth@500ms",
}
MARKET = {
    "agg_trade": "btcusdt@aggTrade",
    "mark_price": "btcusdt@markPrice@1s",
    "all_mark_prices": "!markPrice@arr",
    "kline": "btcusdt@kline_1m",
    "continuous_kline": "btcusdt_perpetual@continuousKline_1m",
    "mini_ticker": "btcusdt@miniTicker",
    "all_mini_tickers": "!miniTicker@arr",
    "ticker": "btcusdt@ticker",
    "all_tickers": "!ticker@arr",
    "force_order": "btcusdt@forceOrder",
    "all_force_orders": "!forceOrder@arr",
    "composite_index": "defiusdt@compositeIndex",
    "contract_info": "!contractInfo",
    "asset_index": "!assetIndex@arr",
    "trading_session": "tradingSession",
}
COIN = {
    "agg_trade": "btcusd_perp@aggTrade",
    "index_price": "btcusd@indexPrice",
    "mark_price": "btcusd_perp@markPrice@1s",
    "mark_price_of_pair": "btcusd@markPrice",
    "all_mark_prices": "!markPrice@arr",
    "kline": "btcusd_perp@kline_1m",
    "continuous_kline": "btcusd_current_quarter@continuousKline_1m",
    "index_price_kline": "btcusd@indexPriceKline_1m",
    "mark_price_kline": "btcusd_perp@markPriceKline_1m",
    "mini_ticker": "btcusd_perp@miniTicker",
    "all_mini_tickers": "!miniTicker@arr",
    "ticker": "btcusd_perp@ticker",
    "all_tickers": "!ticker@arr",
    "book_ticker": "btcusd_perp@bookTicker",
    "all_book_tickers": "!bookTicker",
    "force_order": "btcusd_perp@forceOrder",
    "all_force_orders": "!forceOrder@arr",
    "contract_info": "!contractInfo",
    "partial_depth": "btcusd_perp@depth5",
    "diff_depth": "btcusd_perp@depth@100ms",
}
WITHOUT_TYPE = {"index_price", "kline", "continuous_kline", "index_price_kline", "mark_price_kline"}
# Documented as optional: brackets come only when they changed, the pair only in older pages.
OPTIONAL = {"bks", "ps", "st", "nq", "ap"}


def last_of_each(messages: list[Any]) -> dict[str, Any]:
    return {message["stream"]: message["data"] for message in messages}


def assert_like(example: Any, event: Any, path: str) -> None:
    """The same keys and JSON types."""
    assert type(event) is type(example), path
    if isinstance(example, list) and example:
        assert event, path
        assert_like(example[0], event[0], f"{path}[]")
    elif isinstance(example, dict):
        assert set(event) - OPTIONAL == set(example) - OPTIONAL, path
        for key in set(event) & set(example):
            assert_like(example[key], event[key], f"{path}.{key}")


@needs_facts
@pytest.mark.parametrize(("market", "route", "names"), [("spot", "", SPOT), ("futures", "public", PUBLIC)])
async def test_every_stream_has_the_documented_form(
    world: World, market: str, route: str, names: dict[str, str]
) -> None:
    rare = [name for operation, name in names.items() if operation == "block_trade"]
    async with world.wire(market, route, [name for name in names.values() if name not in rare]) as wire:
        await wire.drain()
        world.pass_time(12)
        found = last_of_each(await wire.drain())
    if rare:
        async with world.wire(market, route, rare) as wire:
            # A block trade happens every six hours, in which the others would say a great deal.
            world.clock.set(NOW // 21_600_000 * 21_600_000 + 21_600_000 - 1_000)
            world.pass_time(3)
            found |= last_of_each(await wire.drain())
    for operation, name in names.items():
        assert_like(load(message_of(market, operation)), found[name], name)


async def found_with_time(
    world: World, market: str, route: str, names: dict[str, str], symbol: str, status: str
) -> dict[str, Any]:
    """The last event of each stream, some of which speak now and then; a symbol changes its status."""
    async with world.wire(market, route, list(names.values())) as wire:
        await wire.drain()
        found: dict[str, Any] = {}
        world.pass_time(2)
        world.simulator.set_status(market, symbol, status)
        for _ in range(40):
            world.pass_time(60)
            found |= last_of_each(await wire.drain())
            if set(names.values()) <= set(found):
                break
    return found


@needs_facts
async def test_every_market_stream_of_futures_has_the_documented_form(world: World) -> None:
    found = await found_with_time(world, "futures", "market", MARKET, "BTCUSDC", "BREAK")
    for operation, name in MARKET.items():
        assert_like(load(message_of("futures", operation)), found[name], name)


@needs_facts
async def test_every_stream_of_coin_futures_has_the_documented_form(world: World) -> None:
    found = await found_with_time(world, "coin_futures", "", COIN, "DOTUSD_PERP", "SETTLING")
    for operation, name in COIN.items():
        event = found[name]
        # Streams of all contracts begin with their own market's rows.
        assert_like(load(message_of("coin_futures", operation)), event, name)
        rows = listed(event)
        assert operation in WITHOUT_TYPE or rows[0]["st"] in (1, 2)


async def test_trades_are_those_of_rest(world: World) -> None:
    names = ["btcusdt@aggTrade", "btcusdt@trade"]
    async with world.wire("spot", "", names) as wire, world.wire("futures", "market", names[:1]) as futures:
        await wire.drain()
        await futures.drain()
        world.pass_time(400)
        orders = [m["data"] for m in await wire.drain() if m["stream"] == names[0]]
        rows = world.rest("/api/v3/aggTrades", symbol="BTCUSDT", startTime=NOW + 1, limit=1000)
        assert len(rows) > 20
        assert [{key: order[key] for key in row} for order, row in zip(orders, rows, strict=True)] == rows
        orders = [m["data"] for m in await futures.drain()]
        rows = world.rest("/fapi/v1/aggTrades", symbol="BTCUSDT", startTime=NOW + 1, limit=1000)
        assert len(rows) > 20
        assert [{key: order[key] for key in row} for order, row in zip(orders, rows, strict=True)] == rows


async def test_single_trades_are_those_of_rest(world: World) -> None:
    async with world.wire("spot", "", ["ethusdt@trade"]) as wire:
        await wire.drain()
        world.pass_time(300)
        trades = [message["data"] for message in await wire.drain()]
    rows = world.rest("/api/v3/historicalTrades", symbol="ETHUSDT", fromId=trades[0]["t"], limit=1000)
    told = [(trade["t"], trade["p"], trade["q"], trade["T"], trade["m"]) for trade in trades]
    assert told == [(row["id"], row["price"], row["qty"], row["time"], row["isBuyerMaker"]) for row in rows]
    assert [trade["E"] for trade in trades] == sorted(trade["T"] for trade in trades)


@pytest.mark.parametrize(
    ("market", "name", "path", "query"),
    [
        ("spot", "btcusdt@kline_1m", "/api/v3/klines", {"interval": "1m"}),
        ("spot", "btcusdt@kline_1s", "/api/v3/klines", {"interval": "1s"}),
        ("futures", "btcusdt@kline_3m", "/fapi/v1/klines", {"interval": "3m"}),
        ("coin_futures", "btcusd_perp@kline_3m", "/dapi/v1/klines", {"interval": "3m"}),
    ],
)
async def test_bars_close_as_rest_has_them(
    world: World, market: str, name: str, path: str, query: dict[str, str]
) -> None:
    async with world.wire(market, "market", [name]) as wire:
        await wire.drain()
        for seconds in (61, 400):
            world.pass_time(seconds)
        bars = [message["data"]["k"] for message in await wire.drain()]
    closed = [bar for bar in bars if bar["x"]]
    begin = closed[0]["t"]
    symbol = name.partition("@")[0].upper()
    rows = world.rest(path, symbol=symbol, startTime=begin, endTime=closed[-1]["t"], **query)
    keys = "tohlcvTqnVQ"
    assert [[bar[key] for key in keys] for bar in closed] == [row[:11] for row in rows]
    assert len({bar["t"] for bar in closed}) == len(closed) >= 2
    for bar in closed:
        assert bar["n"] == (0 if bar["f"] == -1 else bar["L"] - bar["f"] + 1)


async def test_a_running_bar_is_the_last_one_of_rest(world: World) -> None:
    names = ["btcusdt@kline_1h", "btcusdt@kline_1d@+08:00"]
    async with world.wire("spot", "", names) as wire:
        await wire.drain()
        for seconds in (0.544, 2, 10, 44):
            world.pass_time(seconds)
            for name, data in last_of_each(await wire.drain()).items():
                extra = {"timeZone": "8"} if "+" in name else {}
                bar = data["k"]
                row = world.rest("/api/v3/klines", symbol="BTCUSDT", interval=bar["i"], limit=1, **extra)[0]
                assert [bar[key] for key in "tohlcvTqnVQ"] == row[:11]
                assert bar["x"] is False


async def test_tickers_are_those_of_rest(world: World) -> None:
    names = ["btcusdt@ticker", "btcusdt@miniTicker", "btcusdt@ticker_4h", "btcusdt@avgPrice", "btcusdt@referencePrice"]
    async with world.wire("spot", "", [*names, "!miniTicker@arr"]) as wire:
        await wire.drain()
        world.pass_time(1.544)
        messages = await wire.drain()
    found = last_of_each(messages)
    day = world.rest("/api/v3/ticker/24hr", symbol="BTCUSDT")
    ticker = found["btcusdt@ticker"]
    assert [ticker[key] for key in "pPwxcQbBaAohlvqOCFLn"] == [
        day[key]
        for key in (
            *("priceChange", "priceChangePercent", "weightedAvgPrice", "prevClosePrice", "lastPrice", "lastQty"),
            *("bidPrice", "bidQty", "askPrice", "askQty", "openPrice", "highPrice", "lowPrice", "volume"),
            *("quoteVolume", "openTime", "closeTime", "firstId", "lastId", "count"),
        )
    ]
    mini = found["btcusdt@miniTicker"]
    assert [mini[key] for key in "cohlvq"] == [ticker[key] for key in "cohlvq"]
    first = last_of_each(list(reversed(messages)))
    assert first["btcusdt@miniTicker"] in first["!miniTicker@arr"]
    rolling, window = found["btcusdt@ticker_4h"], world.rest("/api/v3/ticker", symbol="BTCUSDT", windowSize="4h")
    assert rolling["e"] == "4hTicker"
    assert (rolling["v"], rolling["n"], rolling["O"]) == (window["volume"], window["count"], window["openTime"])
    average, reference = found["btcusdt@avgPrice"], found["btcusdt@referencePrice"]
    assert average["w"] == world.rest("/api/v3/avgPrice", symbol="BTCUSDT")["price"]
    assert reference["r"] == world.rest("/api/v3/referencePrice", symbol="BTCUSDT")["referencePrice"]


async def test_mark_prices_are_those_of_rest(world: World) -> None:
    async with world.wire("futures", "market", ["ethusdt@markPrice@1s", "!markPrice@arr@1s"]) as wire:
        await wire.drain()
        world.pass_time(0.544)
        messages = await wire.drain()
    one = last_of_each(messages)["ethusdt@markPrice@1s"]
    rest = world.rest("/fapi/v1/premiumIndex", symbol="ETHUSDT")
    assert (one["p"], one["i"], one["r"], one["T"]) == (
        *(rest[key] for key in ("markPrice", "indexPrice", "lastFundingRate", "nextFundingTime")),
    )
    crypto, metals = (message["data"] for message in messages if message["stream"] == "!markPrice@arr@1s")
    assert one in crypto
    assert [row["s"] for row in metals] == ["XAUUSDT"]


async def test_bars_of_prices_close_as_rest_has_them(world: World) -> None:
    names = ["btcusd@indexPriceKline_1m", "btcusd_perp@markPriceKline_1m"]
    async with world.wire("coin_futures", "", names) as wire:
        await wire.drain()
        for seconds in (61, 200):
            world.pass_time(seconds)
        messages = await wire.drain()
    for name, path, query in (
        (names[0], "/dapi/v1/indexPriceKlines", {"pair": "BTCUSD"}),
        (names[1], "/dapi/v1/markPriceKlines", {"symbol": "BTCUSD_PERP"}),
    ):
        bars = [message["data"]["k"] for message in messages if message["stream"] == name]
        closed = [bar for bar in bars if bar["x"]]
        times = {"startTime": closed[0]["t"], "endTime": closed[-1]["t"]}
        rows = world.rest(path, interval="1m", **query, **times)
        assert len(closed) >= 2
        assert [[bar[key] for key in "tohlc"] for bar in closed] == [row[:5] for row in rows]


async def test_both_futures_markets_carry_the_rows_of_both(world: World) -> None:
    names = ["!miniTicker@arr", "!markPrice@arr@1s", "!bookTicker"]
    told: dict[str, dict[str, dict[int, set[str]]]] = {}
    async with (
        world.wire("coin_futures", "", names) as coin,
        world.wire("futures", "market", names[:2]) as market,
        world.wire("futures", "public", names[2:]) as public,
    ):
        for wire in (coin, market, public):
            await wire.drain()
        world.pass_time(6)
        for asked, wires in (("coin_futures", [coin]), ("futures", [market, public])):
            for wire in wires:
                for message in await wire.drain():
                    for row in listed(message["data"]):
                        by_type = told.setdefault(asked, {}).setdefault(message["stream"], {})
                        by_type.setdefault(row["st"], set()).add(row["s"])
        for stream in names:
            assert told["coin_futures"][stream] == told["futures"][stream]
            assert "BTCUSDT" in told["futures"][stream][1]
            assert "BTCUSD_PERP" in told["futures"][stream][2]
        world.simulator.streams.carry_other_markets(False)
        world.pass_time(6)
        rows = [row for message in await coin.drain() for row in listed(message["data"])]
        assert rows
        assert {row["st"] for row in rows} == {2}


def listed(data: Any) -> list[Any]:
    return data if isinstance(data, list) else [data]


async def test_periods_are_kept(world: World) -> None:
    periods = {
        "btcusdt@depth5": 4,
        "btcusdt@depth5@500ms": 2,
        "btcusdt@depth5@100ms": 10,
    }
    async with world.wire("futures", "public", list(periods)) as wire:
        await wire.drain()
        world.pass_time(0.544)
        await wire.drain()
        world.pass_time(1)
        counted = [message["stream"] for message in await wire.drain()]
    assert {name: counted.count(name) for name in periods} == periods


async def test_the_order_is_that_of_time(world: World) -> None:
    names = ["btcusdt@aggTrade", "ethusdt@aggTrade", "btcusdt@depth@100ms", "btcusdt@kline_1s", "btcusdt@miniTicker"]
    async with world.wire("spot", "", names) as wire:
        await wire.drain()
        world.pass_time(11)
        times = [message["data"]["E"] for message in await wire.drain()]
    assert len(times) > 120
    assert times == sorted(times)


async def test_real_time_needs_nobody_to_push() -> None:
    async with Simulator() as simulator:
        world = World(simulator, ManualClock(0), None)  # type: ignore[arg-type]
        async with world.wire("spot", "", ["btcusdt@bookTicker"]) as wire:
            first, second = await wire.receive(), await wire.receive()
    assert second["data"]["u"] > first["data"]["u"]


def total(levels: list[list[str]]) -> Decimal:
    return sum((Decimal(qty) for _, qty in levels), Decimal(0))


async def test_the_same_seed_tells_the_same_story() -> None:
    stories: list[list[Any]] = []
    for _ in range(2):
        clock = ManualClock(NOW)
        async with Simulator(seed=7, clock=clock) as simulator:
            world = World(simulator, clock, None)  # type: ignore[arg-type]
            async with world.wire("spot", "", ["solusdt@aggTrade", "solusdt@depth5@100ms"]) as wire:
                await wire.drain()
                world.pass_time(5)
                stories.append(await wire.drain())
    assert stories[0] == stories[1]
    assert total(stories[0][0]["data"]["bids"]) > 0
