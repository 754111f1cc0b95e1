"""What ``aggregate`` means for each kind: counts are added up, prices are somebody's, rates stand side by side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.virtuoso.schema_facts import needs_schema, problems
from tests.virtuoso.sources.fake_sources import NOW, Clock, FakeExchange, changed, market_data, source_of
from virtuoso_binance import MarketDataSource
from virtuoso_binance.frames import json_view
from virtuoso_binance.kinds import Book, Price, closes_of
from virtuoso_binance.sources.aggregation import aggregated, filled, merged_book, middle_price

A, B, C = (market_data(price=price, volume=v, rate=r, interest=i) for price, v, r, i in (
    (100.0, 10.0, 0.0001, 5.0), (104.0, 1000.0, 0.0009, 7.0), (101.0, 100.0, -0.0002, 11.0),
))  # fmt: skip
prices = st.dictionaries(st.sampled_from("abcdef"), st.floats(0.01, 1e6), min_size=1)


def test_the_price_in_the_middle_is_one_that_somebody_has() -> None:
    found = aggregated({"a": A, "b": B, "c": C})["price"]
    assert (found["last"], found["source"], found["low"], found["high"]) == (101.0, "c", 100.0, 104.0)
    assert found["range_bps"] == pytest.approx(4 / 101 * 10_000)
    assert found["by_source"] == {"a": 100.0, "b": 104.0, "c": 101.0}
    # Of two it is the preferred one's, and no mean.
    assert aggregated({"b": B, "a": A})["price"]["last"] == 104.0
    assert aggregated({"a": A, "b": B})["price"]["last"] == 100.0


@given(prices)
def test_the_middle_price_is_between_and_real(lasts: dict[str, float]) -> None:
    found = middle_price({name: Price(last, last * 0.99, last * 1.01, NOW) for name, last in lasts.items()})
    assert found["last"] == lasts[found["source"]]
    below = sum(last < found["last"] for last in lasts.values())
    above = sum(last > found["last"] for last in lasts.values())
    assert max(below, above) <= len(lasts) / 2


def test_volume_and_open_interest_are_added_up() -> None:
    found = aggregated({"a": A, "b": B, "c": C})
    assert found["volume"]["base"] == 1110.0
    assert found["volume"]["quote"] == 10 * 100 + 1000 * 104 + 100 * 101
    assert found["open_interest"] == {"amount": 23.0, "by_source": {"a": 5.0, "b": 7.0, "c": 11.0}}


def test_a_sum_leaves_out_what_is_of_another_time_and_says_who_is_in_it() -> None:
    old = changed(
        B, ticker__openInterest=..., ticker__open_interest=..., sentiment__open_interest__timestamp=NOW - 900_001
    )
    assert aggregated({"a": A, "b": old})["open_interest"]["by_source"] == {"a": 5.0}
    quiet = changed(B, ticker__timestamp=NOW - 60_001, orderbook__timestamp=NOW - 60_001)
    found = aggregated({"a": A, "b": quiet})
    assert (list(found["price"]["by_source"]), found["book"]["sources"]) == (["a"], ["a"])
    assert found["volume"]["by_source"] == {"a": 10.0, "b": 1000.0}


def test_rates_stand_side_by_side() -> None:
    found = aggregated({"a": A, "b": B})
    assert {name: row["rate"] for name, row in found["funding"]["by_source"].items()} == {"a": 0.0001, "b": 0.0009}
    assert set(found["funding"]) == {"by_source"}
    assert found["long_short"]["by_source"]["a"] == {"long": 55.0, "short": 45.0}
    assert "funding" not in aggregated({"a": market_data(spot=True)})


def test_books_are_merged_and_may_cross() -> None:
    one = Book([[100.0, 1.0], [99.0, 2.0], [97.0, 1.0]], [[101.0, 1.0], [102.0, 5.0]], NOW)
    other = Book([[99.0, 4.0], [98.0, 9.0]], [[101.0, 3.0], [103.0, 1.0]], NOW - 5)
    found = merged_book({"a": one, "b": other})
    assert [(level["price"], level["amount"]) for level in found["bids"]] == [(100.0, 1.0), (99.0, 6.0), (98.0, 9.0)]
    # Behind 102 the first one knows nothing, and behind 98 the second one.
    assert [(level["price"], level["amount"]) for level in found["asks"]] == [(101.0, 4.0), (102.0, 5.0)]
    assert found["bids"][1]["by_source"] == {"a": 2.0, "b": 4.0}
    assert (found["crossed"], found["timestamp"]) == (False, NOW - 5)
    higher = Book([[101.5, 1.0]], [[103.0, 1.0]], NOW)
    assert merged_book({"a": one, "b": higher})["crossed"] is True


def test_what_one_lacks_comes_whole_from_the_next() -> None:
    bare = changed(
        A, funding=..., sentiment__funding_rate=..., metadata__funding_success=False, trades=[],
        metadata__trades_success=False, long_short_ratio=..., sentiment__long_short_ratio=...,
        metadata__lsr_success=False,
    )  # fmt: skip
    found, came_from = filled(bare, {"b": B, "c": C})
    assert came_from == {"funding_success": "b", "lsr_success": "b"}
    assert found["sentiment"]["funding_rate"]["rate"] == 0.0009
    assert found["metadata"]["funding_success"] is True
    # Prices, books, trades and candles are of one market or say nothing about each other.
    assert (found["trades"], found["metadata"]["trades_success"]) == ([], False)
    assert "funding_rate" not in bare["sentiment"]
    assert filled(A, {"b": B}) == (A, {})


class Scene:
    def __init__(self, **block: Any) -> None:
        self.clock = Clock()
        self.exchanges = {
            "bybit": FakeExchange(self.clock, "bybit", 100.0),
            "binance": FakeExchange(self.clock, "binance", 100.02),
        }
        settings = {"aggregation_mode": "aggregate", "timeout": 5, "patience": 0.01, **block}
        self.source: MarketDataSource = source_of(self.clock, self.exchanges, **settings)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    one = Scene()
    async with one.source:
        yield one


async def test_everybody_is_asked_and_the_first_one_serves(scene: Scene) -> None:
    data = await scene.source.fetch_market_data("BTCUSDT")
    assert (data["metadata"]["source"], data["ticker"]["last"]) == ("bybit", 100.0)
    assert data["metadata"]["sources"] == {"binance": "good"}
    assert data["aggregate"]["volume"]["base"] == 2_000_000.0


@needs_schema
async def test_with_an_aggregate_it_is_still_valid(scene: Scene) -> None:
    scene.exchanges["bybit"].exchange = "binance"
    gone = {"funding": ..., "sentiment__funding_rate": ..., "metadata__funding_success": False}
    scene.exchanges["bybit"].gives(**gone)
    data = await scene.source.fetch_market_data("BTCUSDT")
    assert data["metadata"]["filled"] == {"funding_success": "binance"}
    assert problems(json_view(data)) == []


async def test_another_market_is_no_part_of_it(scene: Scene) -> None:
    scene.exchanges["binance"].changes = {"spot": True}
    data = await scene.source.fetch_market_data("BTCUSDT")
    assert list(data["aggregate"]["price"]["by_source"]) == ["bybit"]
    assert "spot is another market than usdm" in data["metadata"]["sources"]["binance"]


async def test_a_late_source_is_waited_for_a_little_and_left_out(scene: Scene) -> None:
    arrives = asyncio.Event()
    late = scene.exchanges["binance"]

    async def later(symbol: str) -> Any:
        await arrives.wait()
        return late.good(symbol)

    late.behaviour = later
    data = await scene.source.fetch_market_data("BTCUSDT")
    assert list(data["aggregate"]["volume"]["by_source"]) == ["bybit"]
    assert "no answer 0.01 s after the others" in data["metadata"]["sources"]["binance"]
    # While that goes on it is not asked again.
    data = await scene.source.fetch_market_data("BTCUSDT")
    assert "has not answered the question before yet" in data["metadata"]["sources"]["binance"]
    assert len(late.asked) == 1
    arrives.set()
    await asyncio.sleep(0.01)
    assert (await scene.source.fetch_market_data("BTCUSDT"))["metadata"]["sources"] == {"binance": "good"}


async def test_a_source_that_rests_is_no_part_of_it(scene: Scene) -> None:
    scene.exchanges["bybit"].fails(OSError("EIO"))
    for _ in range(4):
        data = await scene.source.fetch_market_data("BTCUSDT")
    assert data["metadata"]["source"] == "binance"
    assert "it rests, after OSError: EIO" in data["metadata"]["sources"]["bybit"]
    assert len(scene.exchanges["bybit"].asked) == 3


def test_closes_are_of_minutes_that_are_over() -> None:
    found = closes_of(A, NOW)
    assert found is not None
    assert len(found.by_time) == 20
    assert max(found.by_time) == NOW - NOW % 60_000 - 60_000
    frames = {**A["ohlcv"], "base": A["ohlcv"]["base"].iloc[:0]}
    assert closes_of({**A, "ohlcv": frames}, NOW) is None
