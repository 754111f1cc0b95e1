"""Sources compared: tolerances, majorities, and what two that disagree decide, which is nothing."""

from __future__ import annotations

import json
import logging
import math
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.virtuoso.schema_facts import needs_schema, problems
from tests.virtuoso.sources.fake_sources import NOW, Clock, FakeExchange, changed, market_data, source_of
from virtuoso_binance import NoSourceError
from virtuoso_binance.frames import json_view
from virtuoso_binance.scalars import Row
from virtuoso_binance.sources import (
    SourceQuarantined,
    SourceReleased,
    SourcesDisagree,
    SourceSwitched,
    compare,
)
from virtuoso_binance.sources.comparison import (
    DECISIVE,
    SAME_VENUE,
    TOLERANCES,
    UNITS,
    ComparedKind,
    Liquidity,
    liquidity_of,
)

KINDS: tuple[ComparedKind, ...] = get_args(ComparedKind)


def data(price: float = 100.0, venue: str = "bybit", **options: Any) -> Row:
    return market_data(price=price, exchange=venue, **options)


def against(other: Row, one: Row | None = None) -> dict[str, tuple[float, float, bool]]:
    """Difference, tolerance and verdict by kind."""
    found = compare({"a": one or data(venue="binance"), "b": other}, NOW)
    return {check.kind: (check.difference, check.tolerance, check.agrees) for check in found.checks}


def test_the_same_agrees_in_everything() -> None:
    found = compare({"a": data(), "b": data(venue="binance")}, NOW)
    assert (found.verdict, found.disagreements, found.outvoted, found.disputed) == ("agreed", (), {}, ())
    assert [check.kind for check in found.checks] == list(KINDS)
    assert (found.agreement("a"), found.agreement("c")) == (1.0, None)


@pytest.mark.parametrize(
    ("quote", "other", "expected"),
    [
        (50_000_000.0, 1e12, "deep"),
        (49_999_999.0, 1e12, "usual"),
        (1_000_000.0, 1e12, "usual"),
        (1e12, 999_999.0, "thin"),
        (0.0, 0.0, "thin"),
    ],
)
def test_a_market_is_as_liquid_as_its_quieter_venue(quote: float, other: float, expected: Liquidity) -> None:
    rows = [changed(data(), ticker__quoteVolume=value) for value in (quote, other)]
    assert liquidity_of(*rows) == expected


@pytest.mark.parametrize(("volume", "allowed"), [(1e6, 20.0), (1e5, 50.0), (1e3, 200.0)])
def test_prices_may_differ_by_a_tolerance_and_half_of_each_spread(volume: float, allowed: float) -> None:
    one = data(volume=volume)
    difference, tolerance, agrees = against(data(100.1, "binance", volume=volume), one)["price"]
    # Spreads of 2 basis points each.
    assert tolerance == pytest.approx(allowed + 2, rel=1e-6)
    assert difference == pytest.approx(10, rel=1e-3)
    assert agrees
    for factor, expected in ((0.999, True), (1.001, False)):
        price = 100 * (1 + factor * (allowed + 2) / 10_000 / (1 - (allowed + 2) / 20_000))
        assert against(data(price, "binance", volume=volume), one)["price"][2] is expected


def test_spreads_volumes_and_funding() -> None:
    assert against(data(half_spread=0.0003))["spread"] == (pytest.approx(4), 5.0, True)
    assert against(data(half_spread=0.0004))["spread"] == (pytest.approx(6), 5.0, False)
    assert against(data(volume=1e8))["volume"] == (100.0, 100.0, True)
    # Contracts of a thousandth taken for coins.
    assert against(data(volume=1e9))["volume"] == (1000.0, 100.0, False)
    nothing = against(data(volume=0.0))["volume"]
    assert (nothing[0], nothing[2]) == (math.inf, False)
    both = [data(volume=0.0), data(volume=0.0, venue="binance")]
    assert against(both[0], both[1])["volume"][:1] == (1.0,)
    assert against(data(rate=0.0005))["funding"] == (pytest.approx(4), 5.0, True)
    assert against(data(rate=-0.0005))["funding"] == (pytest.approx(6), 5.0, False)


def test_closes_are_compared_by_their_median_and_by_minutes_that_are_over() -> None:
    other = data()
    frame = other["ohlcv"]["base"].copy()
    # The running minute, and nine of twenty that are over.
    frame.iloc[-10:, 3] = 50.0
    assert against({**other, "ohlcv": {**other["ohlcv"], "base": frame}})["closes"][2] is True
    frame.iloc[-12:, 3] = 50.0
    assert against({**other, "ohlcv": {**other["ohlcv"], "base": frame}})["closes"][2] is False
    assert "closes" not in against({**other, "ohlcv": {**other["ohlcv"], "base": frame.iloc[:0]}})
    assert "closes" not in against({**other, "ohlcv": {**other["ohlcv"], "base": frame.iloc[-3:]}})


def test_one_venue_has_to_agree_with_itself() -> None:
    """Our SDK and another library at the same exchange."""
    same = against(data(volume=1.06e6), data())
    assert same["volume"] == (pytest.approx(1.06), 1.05, False)
    assert (same["closes"][1], same["funding"][1]) == (1.0, 1.0)
    assert same["price"][1] > 20
    assert against(data(volume=1.06e6))["volume"][2] is True


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (data(spot=True), "prices of spot are not those of usdm"),
        ({**data(), "symbol": "BTCUSDC"}, "BTCUSDC is not BTCUSDT"),
        (changed(data(), ticker__timestamp=NOW - 30_001), "30 s apart"),
    ],
)
def test_nothing_is_compared_that_may_not_be(other: Row, words: str) -> None:
    found = compare({"a": data(), "b": other, "c": data()}, NOW)
    assert (found.compared, found.left_out) == (("a", "c"), {"b": words})
    assert all("b" not in check.sources for check in found.checks)
    assert compare({"a": data(), "b": other}, NOW).verdict == "alone"


def test_funding_of_another_time_is_not_compared() -> None:
    later = changed(data(), sentiment__funding_rate__next_funding_time=NOW + 60_000 + 10**8)
    assert "funding" not in against(later)
    assert "funding" not in against(data(spot=True), data(spot=True, venue="binance"))


def test_nobody_is_nobody() -> None:
    assert compare({}, NOW).verdict == "alone"
    assert compare({"a": data()}, NOW).as_row()["verdict"] == "alone"


# ------------------------------------------------------------------------------------- majorities


def prices(*values: float, voters: Any = None) -> Any:
    return compare({name: data(value, name) for name, value in zip("abcdef", values, strict=False)}, NOW, voters)


def test_of_two_that_disagree_nobody_is_right() -> None:
    found = prices(100, 103)
    assert (found.verdict, found.outvoted) == ("disputed", {})
    assert set(found.disputed) == {"price", "closes"}
    assert found.agreement("a") == found.agreement("b") == 0.6


def test_of_three_the_one_that_is_alone_is_wrong() -> None:
    found = prices(103, 100, 100.01)
    assert (found.verdict, found.outvoted, found.disputed) == ("outvoted", {"a": ("price", "closes")}, ())
    # Those that are right are not worse for it.
    assert (found.agreement("a"), found.agreement("b")) == (0.6, 1.0)


@pytest.mark.parametrize("values", [(100, 103, 106), (100, 100, 103, 103), (100, 100.3)])
def test_without_a_majority_nobody_is_right(values: tuple[float, ...]) -> None:
    found = prices(*values)
    assert (found.verdict, found.outvoted) == ("disputed", {})


def test_one_that_is_between_two_others_is_not_put_out() -> None:
    # a and b agree, b and c agree, a and c do not.
    found = prices(100, 100.15, 100.3)
    assert found.outvoted == {}
    assert len(found.disagreements) == 2


def test_a_source_without_a_vote_is_compared_and_decides_nothing() -> None:
    found = prices(100, 103, 103, voters=["a", "b"])
    assert found.outvoted == {}
    assert found.verdict == "disputed"
    # With one voter left, it is by that one that the others are judged.
    assert prices(100, 103, 100.01, voters=["a"]).outvoted == {"b": ("price", "closes")}


def test_two_ways_to_one_venue_are_one_witness() -> None:
    sdk, other = data(100.0, "binance"), data(100.01, "binance")
    found = compare({"bybit": data(103.0), "binance": sdk, "binance_ccxt": other}, NOW)
    assert (found.verdict, found.outvoted) == ("disputed", {})
    # And of two ways that disagree neither is known to be right.
    assert compare({"binance": sdk, "binance_ccxt": data(103.0, "binance")}, NOW).outvoted == {}
    three = {"bybit": data(100.0), "binance": sdk, "binance_ccxt": data(103.0, "binance")}
    assert compare(three, NOW).outvoted == {"binance_ccxt": ("price", "closes")}


@settings(max_examples=20)
@given(st.lists(st.sampled_from([100.0, 100.02, 103.0, 90.0]), min_size=1, max_size=6))
def test_whoever_is_outvoted_is_contradicted_by_most(values: list[float]) -> None:
    found = prices(*values)
    for name, kinds in found.outvoted.items():
        for kind in kinds:
            mine = [check for check in found.checks if check.kind == kind and name in check.sources]
            assert sum(not check.agrees for check in mine) > len(values) / 4
    assert len(found.outvoted) < len(values) / 2
    json.dumps(found.as_row(), allow_nan=False)


def test_every_kind_has_its_tolerances() -> None:
    assert set(TOLERANCES) == set(UNITS) == set(KINDS)
    for by_liquidity in TOLERANCES.values():
        assert list(by_liquidity) == list(get_args(Liquidity))
        assert sorted(by_liquidity.values()) == list(by_liquidity.values())
    assert set(KINDS) > DECISIVE
    assert all(value <= TOLERANCES[kind]["deep"] for kind, value in SAME_VENUE.items())
    json.dumps(prices(100, 103).as_row(), allow_nan=False)
    json.dumps(compare({"a": data(), "b": data(volume=0.0)}, NOW).as_row(), allow_nan=False)


# ------------------------------------------------------------------------------------- in a source


class Scene:
    def __init__(self, *prices: float, **block: Any) -> None:
        self.clock = Clock()
        names = ("bybit", "binance", "okx")
        self.exchanges = {
            name: FakeExchange(self.clock, name, price) for name, price in zip(names, prices, strict=False)
        }
        self.events: list[Any] = []
        options = {"cross_validation": True, "timeout": 5, **block}
        self.source = source_of(self.clock, self.exchanges, self.events, **options)

    async def poll(self) -> Row:
        return await self.source.fetch_market_data("BTCUSDT")

    def told(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


async def test_agreement_is_told_in_the_metadata() -> None:
    scene = Scene(100.0, 100.01)
    async with scene.source:
        metadata = (await scene.poll())["metadata"]
    assert metadata["cross_validation"]["verdict"] == "agreed"
    assert metadata["cross_validation"]["compared"] == ["bybit", "binance"]
    assert (metadata["quality"]["agreement"], metadata["quality"]["score"]) == (1.0, 100.0)
    assert scene.events == []


async def test_two_that_disagree_change_nothing_and_say_so(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene(100.0, 103.0)
    async with scene.source:
        with caplog.at_level(logging.WARNING, "virtuoso_binance"):
            for _ in range(3):
                data = await scene.poll()
    assert (data["metadata"]["source"], data["ticker"]["last"]) == ("bybit", 100.0)
    assert data["metadata"]["cross_validation"]["disputed"] == ["price", "closes"]
    assert data["metadata"]["quality"]["score"] == 80.0
    assert len(scene.told(SourcesDisagree)) == 3
    assert len(scene.events) == 3
    (record,) = caplog.records
    assert "sources disagree about BTCUSDT (disputed): price of bybit and binance by 295" in record.getMessage()


async def test_one_that_contradicts_itself_settles_it() -> None:
    """Where one of two is at odds with its own book, the other one serves, and nothing is disputed."""
    scene = Scene(100.0, 100.0)
    scene.exchanges["bybit"].gives(ticker__last=107.0, ticker__high=108.0)
    async with scene.source:
        data = await scene.poll()
    assert data["metadata"]["source"] == "binance"
    assert data["metadata"]["cross_validation"]["verdict"] == "alone"


async def test_a_source_that_lies_is_not_delivered_even_once_and_comes_back() -> None:
    scene = Scene(100.0, 103.0, 103.01)
    served: list[str] = []
    async with scene.source:
        data = await scene.poll()
        assert (data["metadata"]["source"], data["ticker"]["last"]) == ("binance", 103.0)
        assert data["metadata"]["cross_validation"]["outvoted"] == {"bybit": ["price", "closes"]}
        (quarantined,), (switched,) = scene.told(SourceQuarantined), scene.told(SourceSwitched)
        assert quarantined.source == "bybit"
        assert "a majority contradicts its price and closes" in quarantined.reason
        assert "in quarantine" in switched.reason
        # It tells the truth again, and has to for a minute.
        scene.exchanges["bybit"].price = 103.0
        for _ in range(8):
            scene.clock.move(20)
            served.append((await scene.poll())["metadata"]["source"])
    assert [type(event) for event in scene.events[-2:]] == [SourceReleased, SourceSwitched]
    # Quarantine ends with the fourth agreeing answer, 60 s after the first of them; by then it was good for as long.
    assert served == ["binance"] * 3 + ["bybit"] * 5


async def test_with_the_others_down_a_liar_is_still_not_believed() -> None:
    scene = Scene(100.0, 103.0, 103.01)
    async with scene.source:
        await scene.poll()
        for name in ("binance", "okx"):
            scene.exchanges[name].fails(OSError("EIO"))
        with pytest.raises(NoSourceError, match="bybit: it is in quarantine, as a majority contradicts it"):
            await scene.poll()


async def test_a_liar_is_no_part_of_an_aggregate() -> None:
    scene = Scene(103.0, 100.0, 103.01, aggregation_mode="aggregate")
    async with scene.source:
        data = await scene.poll()
    assert list(data["aggregate"]["price"]["by_source"]) == ["bybit", "okx"]
    assert "in quarantine" in data["metadata"]["sources"]["binance"]


async def test_primary_only_compares_and_serves_the_primary_alone() -> None:
    scene = Scene(100.0, 103.0, aggregation_mode="primary_only")
    async with scene.source:
        assert (await scene.poll())["metadata"]["cross_validation"]["verdict"] == "disputed"
        scene.exchanges["bybit"].fails(OSError("EIO"))
        with pytest.raises(NoSourceError, match="binance: aggregation_mode is primary_only"):
            await scene.poll()


@needs_schema
async def test_with_its_report_it_is_still_valid() -> None:
    scene = Scene(100.0, 103.0)
    scene.exchanges["bybit"].exchange = "binance"
    async with scene.source:
        assert problems(json_view(await scene.poll())) == []
