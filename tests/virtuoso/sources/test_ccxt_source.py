"""CCXT's classes as sources: Binance's against our simulator, Bybit's against a small Bybit on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import math
import subprocess
import sys
import time
import weakref
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from binance_sdk.errors import APIConnectionError, BinanceError, ConfigError, DecodeError, ParameterError
from binance_sdk.simulator import Simulator
from tests.virtuoso.conftest import NOW, exchanges, hasty, section_for
from tests.virtuoso.fake_virtuoso import close_every_session
from tests.virtuoso.schema_facts import needs_schema, problems
from tests.virtuoso.sources.bybit_server import BybitServer, bybit_server
from tests.virtuoso.sources.ccxt_on_loopback import OFFLINE, LimiterClock
from tests.virtuoso.sources.fake_sources import Clock
from virtuoso_binance import InvalidSymbolError
from virtuoso_binance.frames import json_view
from virtuoso_binance.scalars import Row
from virtuoso_binance.sources import (
    CcxtError,
    CcxtSource,
    ccxt_library,
    ccxt_rows,
    compare,
    judge,
    make_market_data_source,
)

ccxt = pytest.importorskip("ccxt", reason="ccxt is missing: install the extra ccxt")


def seconds() -> float:
    return NOW / 1000


@pytest.fixture(autouse=True)
def limiter(monkeypatch: pytest.MonkeyPatch) -> LimiterClock:
    clock = LimiterClock()
    clock.install(monkeypatch)
    return clock


@pytest.fixture
async def bybit() -> AsyncIterator[BybitServer]:
    async with bybit_server(NOW) as server:
        yield server


@pytest.fixture
async def source(bybit: BybitServer) -> AsyncIterator[CcxtSource]:
    one = CcxtSource("bybit", spot_url=bybit.url, options=OFFLINE, now=seconds)
    assert await one.initialize()
    yield one
    await one.close()


def as_the_schema_knows_it(data: Row) -> Row:
    """The schema was written for one exchange: everything but its name is the same for others."""
    return json_view({**data, "exchange": "binance"})  # type: ignore[no-any-return]


# ---------------------------------------------------------------------------------------- bybit


async def test_bybit_has_everything(source: CcxtSource, bybit: BybitServer) -> None:
    data = await source.fetch_market_data("btc/usdt", None)
    quality = judge(data, "BTCUSDT", NOW)
    assert (data["exchange"], quality.score, quality.reasons) == ("bybit", 100.0, "")
    assert list(data["metadata"]["errors"]) == ["risk_limits"]
    ticker = data["ticker"]
    assert (ticker["last"], ticker["baseVolume"], ticker["markPrice"]) == (100.0, 200_000.0, 100.0)
    assert (ticker["percentage"], ticker["price24hPcnt"]) == (pytest.approx(1.01), pytest.approx(0.0101))
    # Bybit's ticker has no time of its own: it is as old as the book.
    assert ticker["timestamp"] == data["orderbook"]["timestamp"] == NOW - 5
    assert [len(data["orderbook"][side]) for side in ("bids", "asks")] == [100, 100]
    assert data["trades"][0]["timestamp"] < data["trades"][-1]["timestamp"] == NOW
    assert {row["side"] for row in data["trades"]} == {"buy", "sell"}
    assert {name: len(frame) for name, frame in data["ohlcv"].items()} == {
        "base": 1000, "ltf": 300, "mtf": 200, "htf": 200,
    }  # fmt: skip
    interest = data["sentiment"]["open_interest"]
    assert (interest["current"], interest["previous"], interest["change"]) == (50_000.0, 49_999.0, 1.0)
    assert len(interest["history"]) == 200
    assert data["sentiment"]["long_short_ratio"]["long"] == pytest.approx(55.0)
    assert data["sentiment"]["funding_rate"]["rate"] == 0.0001
    assert data["premium_index"]["data"]["close"].iloc[0] == -0.0005
    assert bybit.asked["kline"] == 4


@needs_schema
async def test_bybit_is_valid_by_the_schema(source: CcxtSource) -> None:
    data = await source.fetch_market_data("BTCUSDT", 30)
    assert (len(data["orderbook"]["bids"]), len(data["trades"])) == (30, 100)
    assert problems(as_the_schema_knows_it(data)) == []


async def test_bybit_on_spot_gives_fewer_trades_than_are_needed(source: CcxtSource) -> None:
    data = await source.fetch_market_data("ETHBTC")
    assert data["metadata"]["market"] == "spot"
    assert data["metadata"]["errors"]["funding"] == "there is no perpetual contract of this symbol"
    quality = judge(data, "ETHBTC", NOW)
    assert (quality.usable, quality.thin) == (True, ("60 trades, fewer than 100",))


@pytest.mark.parametrize("symbol", ["XUSDT", "ETH/BTC:BTC", "BTC//USDT"])
async def test_symbols_that_are_not_there(source: CcxtSource, symbol: str) -> None:
    with pytest.raises(InvalidSymbolError, match="invalid symbol"):
        await source.fetch_market_data(symbol)
    with pytest.raises(ParameterError, match="limit="):
        await source.fetch_market_data("BTCUSDT", 0)


async def test_what_one_part_lacks_is_flagged_and_without_a_ticker_it_raises(
    source: CcxtSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange = source._exchange
    monkeypatch.setitem(exchange.has, "fetchOpenInterestHistory", False)

    async def fails(*args: Any, **kwargs: Any) -> Any:
        raise ccxt.NetworkError("the line is down")

    async def odd(*args: Any, **kwargs: Any) -> Any:
        return {"bids": [[1, 1]], "asks": [[1, 1]]}

    monkeypatch.setattr(exchange, "fetch_funding_rate", fails)
    monkeypatch.setattr(exchange, "fetch_order_book", odd)
    data = await source.fetch_market_data("BTCUSDT")
    errors = data["metadata"]["errors"]
    assert errors["oi_history"] == "CCXT has no fetchOpenInterestHistory of bybit"
    assert errors["funding"] == "funding of bybit: NetworkError: the line is down"
    assert "crossed" in errors["orderbook"]
    flags = ("oi_history_success", "funding_success", "orderbook_success")
    assert [data["metadata"][flag] for flag in flags] == [False, False, False]
    monkeypatch.setattr(exchange, "fetch_ticker", fails)
    with pytest.raises(APIConnectionError, match="ticker of bybit: NetworkError: the line is down"):
        await source.fetch_market_data("BTCUSDT")


async def test_an_error_of_the_exchange_is_ours_with_its_cause(source: CcxtSource, bybit: BybitServer) -> None:
    bybit.failing = True
    with pytest.raises((CcxtError, APIConnectionError), match="ticker of bybit") as caught:
        await source.fetch_market_data("BTCUSDT")
    assert isinstance(caught.value.__cause__, ccxt.BaseError)


async def test_it_lives_on_after_virtuoso_has_closed_every_session(source: CcxtSource) -> None:
    await source.fetch_market_data("BTCUSDT", 100)
    # Any library may hold one, as the manager meets it.
    dead = weakref.proxy(set())
    await close_every_session()
    assert type(dead) is weakref.ProxyType
    data = await source.fetch_market_data("BTCUSDT", 100)
    assert data["metadata"]["ohlcv_success"]


async def test_close_twice_and_open_again(source: CcxtSource) -> None:
    await source.close()
    await source.close()
    with pytest.raises(ConfigError, match="the source bybit is closed; await initialize"):
        await source.fetch_market_data("BTCUSDT")
    assert await source.initialize()
    assert await source.initialize()
    assert (await source.fetch_market_data("BTCUSDT", 100))["symbol"] == "BTCUSDT"
    assert [name for name in ("ccxt", "ccxt_exchange") if hasattr(source, name)] == []


async def test_symbols_are_renewed_and_a_market_without_any_is_not_believed(
    bybit: BybitServer, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    source = CcxtSource("bybit", spot_url=bybit.url, options=OFFLINE, now=clock)
    await source.initialize()

    async def loads(symbol: str = "BTCUSDT") -> int:
        before = bybit.asked["instruments-info"]
        with contextlib.suppress(BinanceError):
            await source.fetch_market_data(symbol, 100)
        return bybit.asked["instruments-info"] - before

    once = bybit.asked["instruments-info"]
    # Once an hour, and for a symbol that is not known once a minute.
    assert [await loads(), await loads("XUSDT")] == [0, 0]
    clock.move(60)
    assert [await loads("XUSDT"), await loads("XUSDT")] == [once, 0]
    bybit.symbols.add("XUSDT")
    clock.move(60)
    assert await loads("XUSDT") == once
    assert (await source.fetch_market_data("XUSDT", 100))["symbol"] == "XUSDT"
    clock.move(3600)
    assert [await loads(), await loads()] == [once, 0]
    clock.move(3600)
    bybit.symbols.clear()
    assert await loads() == once
    assert "the symbols of bybit could not be renewed: bybit lists nothing of usdm any more" in caplog.text
    assert source._listed["usdm", "BTCUSDT"] == "BTC/USDT:USDT"
    await source.close()


async def test_a_symbol_that_is_delisted_is_unknown_and_the_exchange_is_not_down(bybit: BybitServer) -> None:
    clock = Clock()
    bybit.symbols.add("XUSDT")
    source = CcxtSource("bybit", spot_url=bybit.url, options=OFFLINE, now=clock)
    await source.initialize()
    bybit.symbols.discard("XUSDT")
    clock.move(60)
    with pytest.raises(InvalidSymbolError, match="not listed on bybit"):
        await source.fetch_market_data("XUSDT")
    await source.close()


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"Date": "Sat, 17 Jan 2026 12:17:07 GMT"}, NOW + 900_000 - 450),
        ({"date": "Sat, 17 Jan 2026 12:02:01 GMT"}, NOW),
        ({"Date": "yesterday"}, NOW),
        ({}, NOW),
        (None, NOW),
    ],
)
def test_the_time_is_that_of_the_exchange_where_this_machine_is_off(headers: Any, found: int) -> None:
    assert ccxt_library.time_there(headers, NOW) == found


async def test_where_nobody_answers_it_does_not_come_up() -> None:
    source = CcxtSource("bybit", spot_url="http://127.0.0.1:1", options=OFFLINE)
    with pytest.raises(APIConnectionError, match="markets of bybit"):
        await source.initialize()
    with pytest.raises(ConfigError, match="closed"):
        await source.fetch_market_data("BTCUSDT")


async def test_its_limiter_is_on_and_may_be_slower_but_not_faster(
    bybit: BybitServer, limiter: LimiterClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ccxt_library, "monotonic", limiter.time)
    monkeypatch.setattr(ccxt_library, "sleep", limiter.sleep)

    async def seconds_of(pace: float | None) -> float:
        one = CcxtSource("bybit", spot_url=bybit.url, requests_per_second=pace, options=OFFLINE, now=seconds)
        await one.initialize()
        before, asked = limiter.waited, bybit.asked.total()
        await one.fetch_market_data("BTCUSDT", 100)
        await one.close()
        assert bybit.asked.total() - asked == 11
        return limiter.waited - before

    # CCXT counts five units of 20 ms for each of these requests.
    usual = await seconds_of(None)
    assert usual == pytest.approx(11 * 5 * 0.02, rel=0.2)
    assert await seconds_of(1000) == pytest.approx(usual, rel=0.2)
    assert await seconds_of(2) == pytest.approx(11 / 2, rel=0.2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("krakken", {}), "exchange_id='krakken' is no exchange of CCXT"),
        ((5, {}), "exchange_id=5 is no exchange"),
        (("bybit", {"apiKey": "geheim"}), r"exchanges.bybit.ccxt.apiKey is set, .* take it out"),
        (("bybit", {"rateLimit": 1}), "rateLimit=1 cannot be set, as CCXT's own limit holds; write"),
        (("bybit", {"enableRateLimit": False}), "enableRateLimit=False cannot be set"),
        (("bybit", {"options": 5}), "options=5 must be a block"),
        (("bybit", 5), "exchanges.bybit.ccxt=5 must be a block"),
        (("bybit", []), r"exchanges.bybit.ccxt=\[\] must be a block"),
        (("bybit", {"timeout": "10 s"}), "exchanges.bybit.ccxt.timeout='10 s' must be a number of milliseconds; write"),
        (("bybit", {"timeout": 0}), "timeout=0 must be a number of milliseconds"),
    ],
)
def test_settings_that_cannot_be_used(arguments: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        CcxtSource(arguments[0], options=arguments[1])
    assert "geheim" not in str(caught.value)


def test_a_setting_that_ccxt_has_not_is_told(caplog: pytest.LogCaptureFixture) -> None:
    CcxtSource("bybit", options={"timeout": 5000, "timeuot": 5000, "aiohttp_proxy": "http://127.0.0.1:1"})
    (told,) = caplog.messages
    assert told == "exchanges.bybit.ccxt.timeuot is no setting of CCXT's class that is known; check its spelling"


def test_without_ccxt_it_says_what_to_install() -> None:
    code = (
        "import sys\nsys.path.insert(0, 'adapters')\nsys.modules['ccxt'] = None\n"
        "from virtuoso_binance import CcxtSource\n"
        "try: CcxtSource('bybit')\nexcept Exception as error: print(type(error).__name__, error)"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.startswith("ConfigError the source 'bybit' needs ccxt")
    assert "pip install 'binance-market-sdk[ccxt]'" in done.stdout


# --------------------------------------------------------------------------------------- binance


@needs_schema
async def test_binance_through_ccxt_is_valid_and_agrees_with_our_own_class(simulator: Simulator) -> None:
    through_ccxt = CcxtSource(
        "binance",
        spot_url=simulator.base_url("spot"),
        futures_url=simulator.base_url("futures"),
        options=OFFLINE,
        now=seconds,
    )
    async with exchanges(client_factory=hasty) as build:
        ours = await (await build(simulator)).fetch_market_data("BTCUSDT")
        await through_ccxt.initialize()
        theirs = await through_ccxt.fetch_market_data("BTCUSDT")
        await through_ccxt.close()
    assert problems(json_view(theirs)) == []
    found = compare({"binance": ours, "ccxt": theirs}, NOW)
    assert (found.verdict, len(found.checks)) == ("agreed", 5)
    assert theirs["orderbook"]["bids"] == ours["orderbook"]["bids"]
    assert [row["id"] for row in theirs["trades"]] == [row["id"] for row in ours["trades"]]
    assert theirs["sentiment"]["open_interest"]["history"] == ours["sentiment"]["open_interest"]["history"]
    assert theirs["sentiment"]["volatility"]["value"] == ours["sentiment"]["volatility"]["value"]
    for name in ("mark", "index", "fundingRate", "nextFundingTime", "percentage", "price24hPcnt"):
        assert theirs["ticker"][name] == pytest.approx(ours["ticker"][name])


async def test_bybit_first_and_binance_behind_it_from_the_configuration() -> None:
    """The plan's hybrid: CCXT for Bybit, our SDK for Binance, compared and switched between."""
    with Simulator(symbols=["BTCUSDT"], history_days=35) as simulator:
        price = (await asyncio.to_thread(last_price, simulator)) * 1.0002
        async with bybit_server(round(time.time() * 1000), price) as bybit:
            config = {
                "exchanges": {
                    "bybit": {"enabled": True, "rest_endpoint": bybit.url, "ccxt": OFFLINE},
                    "binance": section_for(simulator),
                },
                "data_sources": {
                    "primary": "bybit", "secondary": ["binance"], "cross_validation": True, "patience": 60,
                },
            }  # fmt: skip
            async with make_market_data_source(config, names={}) as source:
                data = await source.fetch_market_data("BTC/USDT")
                assert data["metadata"]["source"] == data["exchange"] == "bybit"
                report = data["metadata"]["cross_validation"]
                assert (report["compared"], report["left_out"]) == (["bybit", "binance"], {})
                # The candles of the small Bybit stand still, those of the simulator do not.
                assert "price" not in {row["kind"] for row in report["disagreements"]}
                bybit.failing = True
                data = await source.fetch_market_data("BTC/USDT")
                assert data["metadata"]["source"] == data["exchange"] == "binance"
                assert source.switches == 1


def last_price(simulator: Simulator) -> float:
    with simulator.sync_client() as client:
        return float(client.futures.ticker_price("BTCUSDT").price)


def test_binance_through_ccxt_by_its_flag(caplog: pytest.LogCaptureFixture) -> None:
    config = {
        "exchanges": {"binance": {"use_ccxt": True, "rest_endpoint": "http://127.0.0.1:9", "ccxt": OFFLINE}},
        "data_sources": {"primary": "binance", "aggregation_mode": "primary_only"},
    }
    found = make_market_data_source(config, names={})._sources["binance"].exchange
    assert isinstance(found, CcxtSource)
    assert found._new().urls["api"]["public"] == "http://127.0.0.1:9/api/v3"
    assert "use_ccxt is true: Binance is asked through CCXT, which is without the budget" in caplog.text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"exchanges": None}, "exchanges=None must be a block"),
        ({"data_sources": []}, r"data_sources=\[\] must be a block"),
        ({"exchanges": {"bybit": 5}}, "exchanges.bybit=5 must be a block"),
        ({"exchanges": {"bybit": {"enabled": False}}}, "'bybit' is switched off; write exchanges.bybit.enabled: true"),
        ({"exchanges": {"bybit": {"rest_endpoint": 5}}}, "exchanges.bybit.rest_endpoint=5 is no address; write"),
        ({"exchanges": {"bybit": {"rate_limits": {"requests_per_second": math.inf}}}}, "requests_per_second=inf must"),
        ({"exchanges": {"okx": {}}}, "data_sources.primary='bybit' is no source that there is; write one of okx"),
    ],
)
def test_a_configuration_that_cannot_be_used(changes: dict[str, Any], words: str) -> None:
    config = {
        "exchanges": {"bybit": {}}, "data_sources": {"primary": "bybit", "aggregation_mode": "primary_only"}, **changes,
    }  # fmt: skip
    with pytest.raises(ConfigError, match=words):
        make_market_data_source(config, names={})


# ----------------------------------------------------------------------------------------- rows


def test_what_ccxt_does_not_know_is_absent() -> None:
    row = ccxt_rows.ticker_row({"last": 5.0, "bid": None, "bidVolume": 1.0, "ask": 0.0, "timestamp": None}, "X", NOW)
    assert row == {
        "symbol": "X", "timestamp": NOW, "datetime": row["datetime"], "last": 5.0, "close": 5.0, "lastPrice": 5.0,
    }  # fmt: skip
    assert ccxt_rows.order_book_row({"bids": [[1, 1, 5]], "asks": [], "nonce": None}, "X", NOW) is None
    with pytest.raises(DecodeError, match="crossed"):
        ccxt_rows.order_book_row({"bids": [[2, 1]], "asks": [[1, 1]]}, "X", NOW)
    assert "nonce" not in (ccxt_rows.order_book_row({"bids": [[1, 1]], "asks": [[2, 1]]}, "X", NOW) or {})


@pytest.mark.parametrize(
    "changes", [{"id": None}, {"side": None}, {"price": 0}, {"amount": None}, {"timestamp": None}, {"timestamp": 1}]
)
def test_a_trade_that_lacks_something_is_left_out(changes: dict[str, Any]) -> None:
    good = {"id": 7, "side": "buy", "price": 2.0, "amount": 3.0, "timestamp": NOW, "cost": None}
    rows = ccxt_rows.trade_rows([{**good, **changes}, good], "X", NOW - 10)
    assert [(row["id"], row["cost"]) for row in rows] == [("7", 6.0)]


def test_candles_are_put_in_order_and_holes_left_out() -> None:
    rows = [[2, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1], [2, 9, 9, 9, 9, 9], [3, None, 1, 1, 1, 1]]
    assert ccxt_rows.plain_rows(rows) == [[1, 1, 1, 1, 1, 1], [2, 9, 9, 9, 9, 9]]


def test_funding_is_due_in_the_future_or_not_at_all() -> None:
    both = {"fundingRate": 0.0001, "fundingTimestamp": NOW - 5, "nextFundingTimestamp": NOW + 5, "timestamp": NOW - 1}
    found = ccxt_rows.funding_rows(both, NOW)
    assert found == ({"rate": 0.0001, "timestamp": NOW - 1}, {"rate": 0.0001, "next_funding_time": NOW + 5})
    for changes in ({"fundingRate": None}, {"nextFundingTimestamp": None}):
        assert ccxt_rows.funding_rows({**both, **changes}, NOW) is None


def test_ratios_and_interest_that_are_missing() -> None:
    assert ccxt_rows.long_short_row([], "X") is None
    rows = [{"timestamp": 1, "longShortRatio": 3.0}, {"timestamp": 2, "longShortRatio": 1.0}, {"timestamp": 3}]
    assert ccxt_rows.long_short_row(rows, "X") == {"symbol": "X", "long": 50.0, "short": 50.0, "timestamp": 2}
    points = [
        {"timestamp": 2, "openInterestAmount": 0.3},
        {"timestamp": 1, "openInterestAmount": 0.1},
        {"timestamp": 3},
    ]
    found = ccxt_rows.interest_row(points, "X")
    assert found is not None
    assert (found["current"], found["previous"], found["change"]) == (0.3, 0.1, 0.2)
    assert ccxt_rows.interest_row(points[:1], "X") is None
