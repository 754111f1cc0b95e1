"""The first row at a moment, found by ids alone: against all rows that there are."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binance_sdk.catalogue import CATALOGUE
from binance_sdk.history.rest.ids import first_id_at

OPERATION = CATALOGUE.markets["spot"].operations["historical_trades"]


@dataclass(frozen=True)
class Trade:
    trade_id: int
    trade_time: int


def found(trades: list[Trade], at: int) -> tuple[int | None, int]:
    """What is found among these trades, and after how many calls."""
    calls = 0

    @dataclass
    class Answer:
        data: list[Trade]

    async def fetch(asked: Mapping[str, object]) -> Any:
        nonlocal calls
        calls += 1
        assert (asked["symbol"], asked["limit"]) == ("BTCUSDT", 1)
        # Without an id the newest one comes, otherwise the first that is not before it.
        first = cast("int | None", asked.get("fromId"))
        left = trades[-1:] if first is None else [trade for trade in trades if trade.trade_id >= first]
        return Answer(left[:1])

    return asyncio.run(first_id_at(OPERATION, {"symbol": "BTCUSDT"}, at, fetch)), calls


TRADES = [Trade(number, 1000 + 10 * number) for number in range(100)]


@pytest.mark.parametrize(
    ("trades", "at", "first"),
    [
        # Nothing was ever traded, or not for as long as that.
        ([], 0, None),
        (TRADES, 1991, None),
        (TRADES, 1990, 99),
        (TRADES, 1000, 0),
        (TRADES, 0, 0),
        (TRADES, 1501, 51),
        (TRADES[:1], 1000, 0),
        (TRADES[:1], 1001, None),
    ],
)
def test_the_first_row_at_a_moment_or_none(trades: list[Trade], at: int, first: int | None) -> None:
    assert found(trades, at)[0] == first


@settings(max_examples=150)
@given(st.data())
def test_it_is_the_first_of_all_whatever_the_times_and_ids_are(data: st.DataObject) -> None:
    """With ids that are left out, several trades of one moment, and bursts."""
    steps = data.draw(st.lists(st.tuples(st.integers(1, 5000), st.sampled_from([0, 0, 1, 7, 10**6])), max_size=40))
    trades: list[Trade] = []
    number, time = data.draw(st.integers(0, 10**6)), 10**9
    for ids, pause in steps:
        number, time = number + ids, time + pause
        trades.append(Trade(number, time))
    at = data.draw(st.sampled_from([0, *(trade.trade_time + late for trade in trades for late in (-1, 0, 1))]))
    expected = next((trade.trade_id for trade in trades if trade.trade_time >= at), None)
    first, calls = found(trades, at)
    # An id that is left out just before it does as well: the next one comes.
    assert (first is None) == (expected is None)
    if first is not None:
        assert next(trade.trade_id for trade in trades if trade.trade_id >= first) == expected
    assert calls < 60
