"""What answers say about the kinds of data: age, contradictions, and what counts for nothing. Nothing is asked."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from binance_sdk.errors import BadRequestError, BinanceError, ConfigError, ParameterError, ServerError
from binance_sdk.futures import Kline
from virtuoso_binance.health import KindFacts
from virtuoso_binance.health.observations import Observations
from virtuoso_binance.health.observing import (
    observe_candles,
    observe_failure,
    observe_part,
    observe_parts,
    observe_tickers,
)
from virtuoso_binance.parts import (
    CANDLES,
    LONG_SHORT_RATIO,
    ORDER_BOOK,
    PREMIUM_KLINES,
    QUOTES,
    TICKER,
    TRADES,
    Part,
    Parts,
)

NOW = 1_768_651_327_450


def kline(close: float = 100.0, opened: int = NOW - 30_000) -> Any:
    row = (opened, "1", "1", "1", str(close), "1", opened + 59_999, "1", 1, "1", "1", "0")
    return tuple.__new__(Kline, row)


def quotes(bid: str = "99.9", ask: str = "100.1", time: int = NOW - 10) -> Any:
    return SimpleNamespace(bid_price=Decimal(bid), ask_price=Decimal(ask), transaction_time=time)


def book(bid: str = "99.9", ask: str = "100.1", **other: Any) -> Any:
    return SimpleNamespace(**{"bids": [[bid, "1"]], "asks": [[ask, "1"]], "event_time": NOW - 5, **other})


def ticker(last: str = "100", time: int = NOW - 500) -> Any:
    return SimpleNamespace(last_price=Decimal(last), close_time=time)


def told(seen: Observations, kind: str) -> tuple[int, int, int, str]:
    facts: KindFacts = seen.facts(NOW)[cast("Any", kind)]
    return facts.asked, facts.failed, facts.faulty, facts.reason


@pytest.mark.parametrize(
    ("part", "value", "kind", "data_time", "fault"),
    [
        (TICKER, ticker(), "price", NOW - 500, ""),
        (TICKER, ticker(time=NOW - 120_000), "volume", NOW - 120_000, ""),
        (TICKER, ticker(time=NOW - 120_001), "volume", NOW - 120_001, "ticker: 120 s old"),
        (QUOTES, quotes(), "price", NOW - 10, ""),
        (QUOTES, quotes("100.1"), "price", NOW - 10, "quotes: the best bid 100.1 is not below the best ask 100.1"),
        (ORDER_BOOK, book(), "book", NOW - 5, ""),
        (ORDER_BOOK, book("101"), "book", NOW - 5, "orderbook: the best bid 101 is not below the best ask 100.1"),
        (ORDER_BOOK, book(asks=[]), "book", NOW - 5, "orderbook: one side of the order book is empty"),
        (ORDER_BOOK, SimpleNamespace(bids=[["1", "1"]], asks=[["2", "1"]]), "book", NOW, ""),
        (TRADES, [SimpleNamespace(trade_time=5), SimpleNamespace(trade_time=NOW)], "trades", NOW, ""),
        (LONG_SHORT_RATIO, [SimpleNamespace(time=NOW - 9)], "long_short", NOW - 9, ""),
    ],
)
def test_an_answer(part: Part[Any], value: Any, kind: str, data_time: int, fault: str) -> None:
    seen = Observations()
    observe_part(seen, part, value, NOW)
    assert told(seen, kind) == (1, 0, bool(fault), fault)
    assert seen.facts(NOW)[cast("Any", kind)].data_time == data_time


def test_an_answer_without_rows_and_one_of_no_kind() -> None:
    seen = Observations()
    observe_part(seen, TRADES, [], NOW)
    observe_part(seen, PREMIUM_KLINES, [], NOW)
    assert told(seen, "trades") == (1, 1, 0, "trades: no rows")
    assert list(seen.facts(NOW)) == ["trades"]


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({QUOTES: quotes(), ORDER_BOOK: book(), CANDLES["base"]: [kline()]}, ""),
        ({QUOTES: quotes("105.2", "105.4")}, "the last price is 100, and the middle of bid and ask says 105.3"),
        ({QUOTES: quotes("104.8", "105")}, ""),
        ({ORDER_BOOK: book("90", "91")}, "the last price is 100, and the order book says 90.5"),
        ({CANDLES["base"]: [kline(94.0)]}, "the last price is 100, and the newest candle says 94"),
        ({CANDLES["base"]: [kline(94.0, NOW - 120_000)]}, ""),
        (
            {QUOTES: quotes("1", "2"), CANDLES["base"]: [kline(94.0)]},
            "the last price is 100, and the middle of bid and ask says 1.5, the newest candle says 94",
        ),
    ],
)
def test_prices_of_one_moment_cannot_contradict_each_other(values: dict[Part[Any], Any], fault: str) -> None:
    seen, facts = Observations(), Observations()
    parts = Parts(cast("Any", None), {TICKER: ticker(), **values})
    observe_parts(seen, parts, NOW)
    for part, value in parts.values.items():
        observe_part(facts, part, value, NOW)
    before = told(facts, "price")
    assert told(seen, "price") == (before[0] + bool(fault), 0, before[2] + bool(fault), fault or before[3])


def test_without_a_ticker_there_is_no_price() -> None:
    seen = Observations()
    error = ServerError("futures.ticker_24hr: HTTP 503", operation="futures.ticker_24hr", status_code=503)
    observe_parts(seen, Parts(cast("Any", None), {QUOTES: quotes("1", "2")}, {TICKER: error}), NOW)
    assert told(seen, "price") == (1, 1, 0, "ticker: futures.ticker_24hr: HTTP 503")
    observe_parts(seen, Parts(cast("Any", None), {TICKER: ticker("0"), QUOTES: quotes("1", "2")}), NOW)
    assert told(seen, "price")[2] == 0


@pytest.mark.parametrize(("age", "faulty"), [(0, 0), (120_000, 0), (120_001, 1)])
def test_bulk_tickers_are_as_new_as_the_newest(age: int, faulty: int) -> None:
    seen = Observations()
    observe_tickers(seen, [], NOW)
    assert seen.facts(NOW) == {}
    observe_tickers(seen, [{"timestamp": 5}, {"timestamp": NOW - age}], NOW)
    for kind in ("price", "volume"):
        assert told(seen, kind)[:3] == (1, 0, faulty)


@pytest.mark.parametrize(("age", "faulty"), [(0, 0), (599_999, 0), (600_000, 1)])
def test_candles_may_be_as_old_as_two_of_them(age: int, faulty: int) -> None:
    seen = Observations()
    observe_candles(seen, [kline(opened=5), kline(opened=NOW - age)], "5m", NOW)
    assert told(seen, "candles")[:3] == (1, 0, faulty)
    observe_candles(seen, [], "5m", NOW)
    assert told(seen, "candles") == (2, 1, faulty, "no candles of 5m")


def test_failures_count_by_what_was_asked_for() -> None:
    seen = Observations()
    observe_failure(seen, ServerError("x", operation="spot.ticker_24hr", status_code=503), NOW)
    for nothing in (
        ServerError("x", operation="spot.exchange_info", status_code=503),
        BinanceError("x"),
        ParameterError("x", operation="spot.depth"),
        ConfigError("x", operation="spot.depth"),
        BadRequestError("x", operation="spot.depth", status_code=400, code=-1121),
    ):
        observe_failure(seen, nothing, NOW)
    assert list(seen.facts(NOW)) == ["price", "volume"]
    observe_failure(seen, BadRequestError("x", operation="spot.depth", status_code=400, code=-1100), NOW)
    assert told(seen, "book") == (1, 1, 0, "x")
