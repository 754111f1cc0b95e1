"""One judge of quality: as strict as the contract's schema, and about more than shapes."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest

from tests.virtuoso.schema_facts import needs_schema, problems
from tests.virtuoso.sources.damage import damaged
from tests.virtuoso.sources.fake_sources import NOW, changed, market_data
from virtuoso_binance.frames import json_view
from virtuoso_binance.sources import Quality, judge
from virtuoso_binance.sources.quality import MAX_AGE

BOOK_AT_90 = {
    "orderbook__bids": [[90 - n / 10, 1.0] for n in range(12)],
    "orderbook__asks": [[91 + n, 1.0] for n in range(12)],
}


def test_a_whole_one_has_the_full_score() -> None:
    for spot in (False, True):
        found = judge(market_data(spot=spot), "BTCUSDT", NOW)
        assert (found.score, found.fatal, found.thin, found.reasons) == (100.0, (), (), "")
        assert ("funding" in found.kinds) is not spot


@needs_schema
def test_whatever_is_good_is_valid() -> None:
    """Damage anywhere: what the schema refuses, the judge refuses; the schema alone would let much more through."""
    draw, whole = random.Random(15), market_data()
    refused = 0
    for _ in range(150):
        data = damaged(whole, draw)
        quality = judge(data, "BTCUSDT", NOW)
        if quality.is_good(0):
            assert problems(json_view(data)) == []
        else:
            refused += 1
    assert refused > 75


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"symbol": "BTCUSDC"}, "'BTCUSDC' was delivered for BTCUSDT"),
        ({"timestamp": NOW + 60_001}, "60 s ahead: a clock is off"),
        ({"timestamp": NOW - MAX_AGE - 1}, "120 s behind"),
        ({"ticker__timestamp": NOW - MAX_AGE - 1}, "the ticker is 120 s old"),
        ({"ticker__timestamp": NOW + 60_001}, "ticker is 60 s ahead"),
        ({"ticker__bid": 101.0}, "is not below the ask"),
        ({"ticker__last": 110.0}, "outside of its 24 hours"),
        ({"ticker__low": 200.0}, "outside of its 24 hours"),
        ({"orderbook__bids": [[101.0, 1.0]] * 12}, "order book is crossed"),
        ({"orderbook__bids": [[99.0, 1.0]] * 12}, "out of order"),
        (BOOK_AT_90, "the order book says 90.5"),
        ({"ticker__last": None}, "ticker.last"),
        ({"error": "down"}, "error must not be there"),
        ({"ticker__funding_rate": ...}, "fundingRate and funding_rate"),
        ({"sentiment__long_short_ratio": ...}, "lsr_success"),
        ({"metadata__oi_history_success": False}, "there is a history"),
        ({"trades": []}, "trades_success"),
        ({"ohlcv__base": [1, 2]}, "a DataFrame is needed"),
    ],
)
def test_what_may_never_be_used(changes: dict[str, Any], words: str) -> None:
    found = judge(changed(market_data(), **changes), "BTCUSDT", NOW)
    assert words in " ".join(found.fatal)
    assert (found.score, found.usable, found.is_good(0)) == (0.0, False, False)


@pytest.mark.parametrize("data", [None, [], "data", {}, {"error": "down"}])
def test_what_is_no_market_data_at_all(data: object) -> None:
    found = judge(data, "BTCUSDT", NOW)
    assert not found.usable
    assert len(found.fatal) <= 6


def test_the_edges_of_age_are_still_good() -> None:
    for changes in ({"timestamp": NOW + 60_000}, {"timestamp": NOW - MAX_AGE}, {"ticker__timestamp": NOW - MAX_AGE}):
        assert judge(changed(market_data(), **changes), "BTCUSDT", NOW).usable


@pytest.mark.parametrize(
    ("changes", "kind", "value", "words"),
    [
        ({"ticker__timestamp": NOW - 60_001}, "price", 0.5, "60 s old"),
        ({"ticker__quoteVolume": 1e12}, "volume", 0.0, "average price"),
        ({"ticker__quoteVolume": 0.0}, "volume", 0.0, "one of base and quote is zero"),
        ({"orderbook__timestamp": NOW - 120_001}, "book", 0.5, "120 s old"),
        (
            {"orderbook__bids": [], "orderbook__asks": [], "metadata__orderbook_success": False},
            "book", 0.0, "not there",
        ),
        (
            {"trades": [], "metadata__trades_success": False, "metadata__errors": {"trades": "no answer"}},
            "trades", 0.0, "no answer",
        ),
        ({"sentiment__funding_rate__next_funding_time": NOW - 60_001}, "funding", 0.5, "due already"),
        ({"sentiment__open_interest__timestamp": NOW - 900_001}, "open_interest", 0.5, "900 s old"),
        ({"sentiment__long_short_ratio__long": 56.0}, "long_short", 0.0, "not 100 percent"),
    ],
)  # fmt: skip
def test_kinds_that_are_worse_cost_their_weight(changes: dict[str, Any], kind: Any, value: float, words: str) -> None:
    found = judge(changed(market_data(), **changes), "BTCUSDT", NOW)
    assert found.usable
    assert {name: v for name, v in found.kinds.items() if v < 1} == {kind: value}
    assert words in found.faults[kind]
    weights = {"price": 30, "book": 20, "candles": 20, "trades": 15, "volume": 5, "funding": 4, "open_interest": 3}
    assert found.score == 100 - weights.get(kind, 3) * (1 - value)
    assert found.as_row()["kinds"][kind] == value


def test_trades_newest_first_and_old_candles() -> None:
    whole = market_data()
    found = judge({**whole, "trades": whole["trades"][::-1]}, "BTCUSDT", NOW)
    assert found.kinds["trades"] == 0
    old = market_data(now=NOW - 180_000)
    found = judge(changed(whole, ohlcv=old["ohlcv"], kline=old["ohlcv"]), "BTCUSDT", NOW)
    assert found.kinds["candles"] == 0.5
    frames = {**whole["ohlcv"], "ltf": whole["ohlcv"]["ltf"].iloc[:-2]}
    assert "ltf ends too early" in judge(changed(whole, ohlcv=frames), "BTCUSDT", NOW).faults["candles"]
    frames = {**whole["ohlcv"], "mtf": whole["ohlcv"]["mtf"].iloc[:0]}
    found = judge(changed(whole, ohlcv=frames, metadata__ohlcv_success=False), "BTCUSDT", NOW)
    assert (found.kinds["candles"], found.faults["candles"]) == (0.0, "none in mtf: not there")


def test_thin_is_usable_and_not_good() -> None:
    """A young market may honestly have less; where another source has more, that one is better."""
    whole = market_data()
    for changes in ({"trades": whole["trades"][-99:]}, {"orderbook__asks": whole["orderbook"]["asks"][:9]}):
        found = judge(changed(whole, **changes), "BTCUSDT", NOW)
        assert (found.usable, found.is_good(0), len(found.thin)) == (True, False, 1)
        assert found.as_row()["thin"] == list(found.thin)
    frames = {**whole["ohlcv"], "htf": whole["ohlcv"]["htf"].iloc[-49:]}
    assert judge(changed(whole, ohlcv=frames), "BTCUSDT", NOW).thin == ("49 candles of htf, fewer than 50",)


@pytest.mark.parametrize(
    "name",
    [
        "ticker", "orderbook", "premium_index", "long_short_ratio", "sentiment__long_short_ratio", "trades",
        "open_interest_history", "oi_history", "open_interest__history", "sentiment__open_interest__history",
    ],
)  # fmt: skip
def test_a_row_of_another_symbol_anywhere(name: str) -> None:
    whole = market_data()
    found: Any = whole
    for step in name.split("__"):
        found = found[step]
    other = [changed(found[0], symbol="X"), *found[1:]] if isinstance(found, list) else changed(found, symbol="X")
    assert judge(changed(whole, **{name: other}), "BTCUSDT", NOW).reasons == "symbol 'X' was delivered for BTCUSDT"


def test_frames_that_are_none() -> None:
    whole = market_data()
    premiums, candles = whole["premium_index"]["data"], whole["ohlcv"]["mtf"]
    for frame in (premiums.astype(str), premiums[["open"]], premiums.assign(close=math.nan), None):
        found = judge(changed(whole, premium_index__data=frame), "BTCUSDT", NOW)
        assert "premium_index.data" in found.reasons
    wrong = (
        candles.astype(str), candles.tz_localize("UTC"), candles.rename_axis("time"), candles.iloc[::-1],
        candles.assign(high=candles["low"]), candles.assign(low=candles["high"]), candles.assign(volume=-1.0),
        candles.assign(open=math.inf), candles.assign(close=0.0), candles.assign(open=candles["high"] * 2),
        candles.assign(close=candles["low"] / 2), candles[["close", "open", "high", "low", "volume"]],
    )  # fmt: skip
    for frame in wrong:
        found = judge(changed(whole, ohlcv={**whole["ohlcv"], "mtf": frame}), "BTCUSDT", NOW)
        assert "ohlcv.mtf" in found.reasons
    # Further columns after these are harmless.
    more = {**whole["ohlcv"], "mtf": candles.assign(note="text")}
    assert judge(changed(whole, ohlcv=more), "BTCUSDT", NOW).is_good(100)


def test_numbers_of_numpy_are_told_as_numbers() -> None:
    found = judge(changed(market_data(), ticker__last=np.float64(110.5)), "BTCUSDT", NOW)
    assert "the last price 110.5 is outside" in found.reasons


def test_an_old_candle_contradicts_nothing() -> None:
    old = market_data(now=NOW - 180_000, price=80.0)
    data = changed(market_data(), ohlcv=old["ohlcv"], kline=old["ohlcv"])
    assert judge(data, "BTCUSDT", NOW).usable
    new = market_data(price=80.0)
    data = changed(market_data(), ohlcv=new["ohlcv"], kline=new["ohlcv"])
    assert "the newest candle says 80" in judge(data, "BTCUSDT", NOW).reasons


def test_old_trades_of_a_quiet_market_contradict_nothing() -> None:
    whole = market_data()
    trades = [changed(row, price=50.0, timestamp=NOW - 400_000, time=NOW - 400_000) for row in whole["trades"]]
    found = judge({**whole, "trades": trades}, "BTCUSDT", NOW)
    assert (found.usable, found.kinds["trades"]) == (True, 0.5)


def test_disagreement_costs_half_at_most() -> None:
    whole = judge(market_data(), "BTCUSDT", NOW)
    scores = [Quality(whole.kinds, agreement=share).score for share in (1.0, 0.5, 0.0)]
    assert scores == [100.0, 75.0, 50.0]
    assert Quality(whole.kinds, agreement=0.5).as_row()["agreement"] == 0.5
