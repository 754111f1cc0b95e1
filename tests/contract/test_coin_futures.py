"""What is different about COIN-M futures, by hand: units, lists, pairs, delivery contracts, windows of klines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from shared_facts import REPOSITORY

from binance_sdk import BinanceClient, SyncBinanceClient, coin_futures, errors, futures
from binance_sdk.catalogue import CATALOGUE, fixture, stream, stream_fixture
from codegen.load import load
from codegen.names import snake
from codegen.spec_model.schemas import ObjectSchema, RowSchema

from .calls import NOW_MS

OPERATIONS = CATALOGUE["coin_futures"].operations
HOUR, DAY = 3_600_000, 86_400_000
LONGEST = 200 * DAY


class Exchange:
    """Stands in for the network: remembers what was asked, and answers by the documents."""

    def __init__(self, times: list[int] | None = None) -> None:
        self.times = times
        self.asked: list[tuple[str, dict[str, str]]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        query = dict(parse_qsl(request.url.query.decode()))
        self.asked.append((request.url.path, query))
        (operation,) = (candidate for candidate in OPERATIONS.values() if candidate.path == request.url.path)
        if self.times is None:
            return httpx.Response(200, content=fixture("coin_futures", operation.name))
        return httpx.Response(200, json=[bar(time) for time in self._newest(query)])

    def _newest(self, query: dict[str, str]) -> list[int]:
        """Of a window of at most 200 days the newest ``limit`` bars."""
        assert self.times is not None
        start, end = (int(query[name]) if name in query else None for name in ("startTime", "endTime"))
        if end is None:
            end = NOW_MS if start is None else min(NOW_MS, start + LONGEST)
        if start is None:
            start = end - LONGEST
        assert end - start <= LONGEST
        return [time for time in self.times if start <= time <= end][-int(query.get("limit", 500)) :]

    @contextmanager
    def sync(self) -> Iterator[SyncBinanceClient]:
        with (
            httpx.Client(transport=httpx.MockTransport(self)) as below,
            SyncBinanceClient(http_client=below) as client,
        ):
            yield client

    def over(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self))


def bar(time: int) -> list[Any]:
    return [time, "2", "4", "1", "3", "60", time + HOUR - 1, "0.5", 9, "40", "0.3", "0"]


# ---------------------------------------------------------------------------------------- units


def test_a_kline_counts_contracts_and_tells_what_they_are_worth_in_the_base_asset() -> None:
    (kline, *_) = OPERATIONS["klines"].variants[0].adapter.validate_json(json.dumps([bar(NOW_MS)]))
    assert isinstance(kline, coin_futures.Kline)
    assert (kline.volume, kline.base_volume) == (Decimal(60), Decimal("0.5"))
    assert (kline.taker_buy_volume, kline.taker_buy_base_volume) == (Decimal(40), Decimal("0.3"))
    assert not {"quote_volume", "taker_buy_quote_volume"} & set(kline.values())


def described() -> Iterator[tuple[str, str, str]]:
    """(schema, name, description) of every field and position of the market."""
    spec = load(REPOSITORY / "spec")
    for (market, schema), placed in (*spec.schemas.items(), *spec.events.items()):
        if market == "coin_futures" and isinstance(placed.value, ObjectSchema):
            for wire, field in spec.fields(market, placed.value).items():
                yield schema, field.name or snake(wire), field.description
        elif market == "coin_futures" and isinstance(placed.value, RowSchema):
            yield from (
                (schema, position.name, position.description)
                for position in placed.value.row
                if position.name is not None
            )


CONTRACTS = re.compile(r"(.*_)?(volume|qty)|open_interest")
BASE = re.compile(r".*base_(volume|qty|value)")


def test_each_amount_says_its_unit_and_none_is_called_a_quote_amount() -> None:
    found = list(described())
    amounts = {
        (schema, name): text for schema, name, text in found if CONTRACTS.fullmatch(name) or BASE.fullmatch(name)
    }
    told = {place: text for place, text in amounts.items() if not place[1].startswith("ignore")}
    assert len(told) >= 43
    for place, text in told.items():
        unit = "base asset" if BASE.fullmatch(place[1]) else "in contracts"
        assert unit in text, (place, text)
    assert {name for _, name, _ in found if "quote" in name} == {"quote_asset", "quote_precision"}


def test_rows_and_models_are_its_own() -> None:
    names = set(coin_futures.__all__) & set(futures.__all__)
    assert {"Kline", "PriceLevel", "Trade", "Ticker24hr", "KlineBar", "TickerEvent", "OpenInterestHist"} <= names
    classes = {name for name in names if isinstance(getattr(coin_futures, name), type)}
    shared = {name for name in classes if getattr(coin_futures, name) is getattr(futures, name)}
    # What has no amounts may be one and the same.
    assert shared == {"Ping", "RateLimit", "ServerTime"}


# --------------------------------------------------------------------------- lists, pairs, delivery


@pytest.mark.parametrize("name", ["premium_index", "ticker_24hr", "ticker_price", "ticker_book_ticker"])
async def test_one_symbol_is_a_list_of_one_row_too(name: str) -> None:
    exchange = Exchange()
    given: list[dict[str, str]] = [{"symbol": "BTCUSD_PERP"}, {"pair": "BTCUSD"}, {}]
    with exchange.sync() as client:
        for arguments in given:
            assert isinstance(getattr(client.coin_futures, name)(**arguments), list)
    async with exchange.over() as over, BinanceClient(http_client=over) as client:
        for arguments in given:
            assert isinstance(await getattr(client.coin_futures, name)(**arguments), list)
    assert [asked for _, asked in exchange.asked] == given * 2


@pytest.mark.parametrize("name", ["ticker_24hr", "ticker_price", "ticker_book_ticker"])
def test_symbol_and_pair_exclude_each_other(name: str) -> None:
    exchange = Exchange()
    with exchange.sync() as client, pytest.raises(errors.ParameterError, match=r"symbol.*pair"):
        getattr(client.coin_futures, name)(symbol="BTCUSD_PERP", pair="BTCUSD")
    assert exchange.asked == []


def test_a_delivery_contract_has_no_funding() -> None:
    with Exchange().sync() as client:
        perpetual, delivery = client.coin_futures.premium_index(pair="BTCUSD")
    assert (perpetual.symbol, perpetual.pair, delivery.pair) == ("BTCUSD_PERP", "BTCUSD", "BTCUSD")
    assert perpetual.funding_rate == Decimal("0.00007310")
    assert perpetual.next_funding_time_dt is not None
    assert (delivery.funding_rate, delivery.interest_rate, delivery.next_funding_time_dt) == (None, None, None)
    (_, event, *_) = stream("coin_futures.all_mark_prices").adapter.validate_json(
        stream_fixture("coin_futures", "all_mark_prices")
    )
    assert isinstance(event, coin_futures.MarkPriceEvent)
    assert (event.symbol, event.funding_rate, event.next_funding_time_dt) == ("BTCUSD_261225", None, None)
    assert OPERATIONS["funding_rate"].variants[0].adapter.validate_json(b"[]") == []


def test_the_pair_of_a_price_is_called_so_though_the_wire_says_ps() -> None:
    with Exchange().sync() as client:
        (price,) = client.coin_futures.ticker_price("BTCUSD_PERP")
    assert (price.pair, price.price) == ("BTCUSD", Decimal("71820.4"))


def test_a_symbol_of_the_other_market_is_refused_unsent_and_told_where_it_lives() -> None:
    exchange = Exchange()
    with exchange.sync() as client:
        for symbol in ("BTCUSD_PERP", "BNBUSD_PERP", "ethusd_261225"):
            with pytest.raises(
                errors.ParameterError, match=r"client\.futures such as .*like one of client\.coin_futures"
            ):
                client.futures.klines(symbol, "1h")
            assert client.coin_futures.open_interest(symbol)
        with pytest.raises(errors.ParameterError, match=r"client\.coin_futures such as .*client\.futures"):
            client.coin_futures.klines("BTCUSDT", "1h")
        with pytest.raises(errors.ParameterError, match="this looks like a pair"):
            client.coin_futures.klines("BTCUSD", "1h")
        with pytest.raises(errors.ParameterError, match=r"must be a pair of client\.coin_futures such as 'BTCUSD'"):
            client.coin_futures.index_price_klines("BTCUSD_PERP", "1h")
        with pytest.raises(errors.ParameterError, match=r"client\.coin_futures"):
            client.coin_futures.streams.agg_trade("BTCUSDT")
        with pytest.raises(errors.ParameterError, match=r"like one of client\.coin_futures"):
            client.futures.streams.mark_price("BTCUSD_PERP")
    assert {path for path, _ in exchange.asked} == {"/dapi/v1/openInterest"}


async def test_rules_of_symbols_and_many_symbols_at_once() -> None:
    with Exchange().sync() as client:
        rules = client.coin_futures.symbols()["BTCUSD_PERP"]
        assert (rules.contract_size, rules.base_asset, rules.is_trading) == (Decimal(100), "BTC", True)
        assert rules.problems("71820.4", 3) == []
        assert rules.problems("71820.4", "1.5") == ["quantity 1.5 is not on a step of 1"]
        each = dict(client.coin_futures.each(client.coin_futures.open_interest, ["BTCUSD_PERP", "ETHUSD_PERP"]))
        assert set(each) == {"BTCUSD_PERP", "ETHUSD_PERP"}
        assert client.limits.futures.pool == client.limits.coin_futures.pool
        assert client.limits.futures.used == client.limits.coin_futures.used == 1 + 2
    exchange = Exchange()
    async with exchange.over() as over, BinanceClient(http_client=over) as client:
        batch = client.coin_futures.each(client.coin_futures.open_interest, ["BTCUSD_PERP", "ETHUSD_PERP"])
        assert {symbol async for symbol, _ in batch} == set(each)
        assert (await client.coin_futures.symbols())["BTCUSD_PERP"] == rules


def test_all_was_a_type_of_contract_once_and_is_refused_where_it_is_none_any_more() -> None:
    exchange = Exchange()
    with exchange.sync() as client:
        with pytest.raises(errors.ParameterError, match="contract_type='ALL' must be one of PERPETUAL"):
            client.coin_futures.open_interest_hist("BTCUSD", "5m", contract_type="ALL")  # type: ignore[arg-type]
        client.coin_futures.taker_buy_sell_vol("BTCUSD", "ALL", "5m")
    assert [asked["contractType"] for _, asked in exchange.asked] == ["ALL"]


# -------------------------------------------------------------------------------------- how far back


def test_trades_of_more_than_a_day_ago_are_refused() -> None:
    exchange = Exchange()
    with exchange.sync() as client:
        client.coin_futures.agg_trades("BTCUSD_PERP", start_time=NOW_MS - DAY + HOUR)
        with pytest.raises(errors.ParameterError, match="start_time"):
            client.coin_futures.agg_trades("BTCUSD_PERP", start_time=NOW_MS - DAY - HOUR)
    assert len(exchange.asked) == 1


KLINES: list[tuple[str, dict[str, str]]] = [
    ("klines", {"symbol": "BTCUSD_PERP"}),
    ("continuous_klines", {"pair": "BTCUSD", "contract_type": "PERPETUAL"}),
    ("index_price_klines", {"pair": "BTCUSD"}),
    ("mark_price_klines", {"symbol": "BTCUSD_PERP"}),
    ("premium_index_klines", {"symbol": "BTCUSD_PERP"}),
]


@pytest.mark.parametrize(("name", "which"), KLINES)
async def test_a_window_of_more_than_200_days_is_refused_before_anything_is_sent(
    name: str, which: dict[str, str]
) -> None:
    exchange = Exchange([])
    start = NOW_MS - 300 * DAY
    with exchange.sync() as client:
        method = getattr(client.coin_futures, name)
        method(**which, interval="1d", start_time=start, end_time=start + LONGEST)
        exchange.asked.clear()
        for wrong in (start + LONGEST + 1, NOW_MS):
            with pytest.raises(errors.ParameterError, match=rf"200 days.*use iter_{name}") as caught:
                method(**which, interval="1d", start_time=start, end_time=wrong)
            assert caught.value.operation == f"coin_futures.{name}"
            with pytest.raises(errors.ParameterError, match="200 days"):
                getattr(client.coin_futures.plan, name)(**which, interval="1d", start_time=start, end_time=wrong)
    async with exchange.over() as over, BinanceClient(http_client=over) as client:
        with pytest.raises(errors.ParameterError, match="200 days"):
            await getattr(client.coin_futures, name)(**which, interval="1d", start_time=start, end_time=NOW_MS)
    assert exchange.asked == []


def months(since: int) -> list[int]:
    first = datetime.fromtimestamp(since / 1000, UTC)
    starts = [
        datetime(first.year + (first.month + n) // 12, (first.month + n) % 12 + 1, 1, tzinfo=UTC) for n in range(24)
    ]
    return [round(start.timestamp() * 1000) for start in starts if start.timestamp() * 1000 <= NOW_MS]


TWO_YEARS = NOW_MS - 730 * DAY
STEPS = {"1h": HOUR, "12h": 12 * HOUR, "1d": DAY, "3d": 3 * DAY}
BARS = {name: list(range(-(-TWO_YEARS // step) * step, NOW_MS, step)) for name, step in STEPS.items()}
MONDAY = 4 * DAY
BARS["1w"] = [time for time in range(MONDAY, NOW_MS, 7 * DAY) if time >= TWO_YEARS]
BARS["1M"] = months(TWO_YEARS)


@pytest.mark.parametrize("interval", BARS)
@pytest.mark.parametrize(("name", "which"), KLINES[:2])
async def test_a_walk_over_two_years_gets_each_bar_once(name: str, which: dict[str, str], interval: str) -> None:
    exchange = Exchange(BARS[interval])
    method = f"iter_{name}"
    with exchange.sync() as client:
        api, span = client.coin_futures, {"start_time": TWO_YEARS, "end_time": NOW_MS}
        planned = getattr(api.plan, method)(**which, interval=interval, **span)
        rows = list(getattr(api, method)(**which, interval=interval, **span))
        assert [row.open_time for row in rows] == BARS[interval]
        assert len(exchange.asked) <= planned.requests
        assert api.plan.klines("BTCUSD_PERP", "1h").weight == 5
        newest = list(getattr(api, method)(**which, interval=interval, limit=len(rows) - 2))
        assert newest == rows[2:]
    async with exchange.over() as over, BinanceClient(http_client=over) as client:
        again = getattr(client.coin_futures, method)(**which, interval=interval, **span)
        assert [row async for row in again] == rows
