"""The table of parts: how old each may become, and that requests, polling and flags all follow from it."""

from __future__ import annotations

import dataclasses
from typing import Any, cast

import httpx
import pytest

from binance_sdk import BinanceClient, futures
from binance_sdk.errors import BinanceError, ConfigError
from tests.virtuoso import models
from virtuoso_binance import calls, parts
from virtuoso_binance.market_data import fetch_parts
from virtuoso_binance.parts import CANDLES, OPEN_INTEREST_HISTORY, ORDER_BOOK, PARTS, QUOTES, TICKER, TRADES, Part
from virtuoso_binance.polling.symbol_state import SymbolState
from virtuoso_binance.symbols import Listed

from .soak_support import Polling

MINUTE, HOUR = 60_000, 3_600_000
NOW = 1_800_000_000_000
HOLDS = {
    "ticker": 2 * MINUTE,
    "quotes": 2 * MINUTE,
    "premium": 2 * MINUTE,
    "interest": 15 * MINUTE,
    "orderbook": 5 * MINUTE,
    "trades": 5 * MINUTE,
    "oi_history": 15 * MINUTE,
    "lsr": 15 * MINUTE,
    "premium_index": 15 * MINUTE,
    # A candle is as old as its opening: it has run for its own length, and its successor is due within another.
    "base": 2 * MINUTE - 1,
    "ltf": 10 * MINUTE - 1,
    "mtf": HOUR - 1,
    "htf": 8 * HOUR - 1,
}
"""Milliseconds for which a part is delivered, written down once more."""


def state(market: Any = "usdm") -> SymbolState:
    # What its rules say is no part of this.
    return SymbolState(Listed(market, "BTCUSDT", "", cast(Any, None)))


def answer(part: Part[Any], time: int) -> Any:
    """An answer that tells of ``time``."""
    if part in CANDLES.values():
        row = [time, "1", "2", "1", "1", "5", time + part.step - 1, "6", 3, "1", "1", "0"]
        return [futures.Kline.from_wire(row)]
    if part is OPEN_INTEREST_HISTORY:
        return [models.one(futures.OpenInterestHist, "futures", "open_interest_hist", timestamp=time)]
    return "whatever came"


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_a_part_is_delivered_until_it_is_too_old(part: Part[Any]) -> None:
    known = state()
    known.put(part, answer(part, NOW), NOW)
    holds = HOLDS[part.name]
    assert known.deliverable(NOW + holds).get(part) is not None
    late = known.deliverable(NOW + holds + 1)
    assert late.get(part) is None
    assert str(late.errors[part]) == f"is {(holds + 1) / 1000:.0f} s old"


def test_what_never_came_is_said_so_with_the_reason() -> None:
    known = state()
    known.errors[TRADES] = "the line is down"
    errors = known.deliverable(NOW).errors
    assert {part.name for part in errors} == set(HOLDS)
    assert str(errors[TRADES]) == "was never fetched: the line is down"
    assert str(errors[ORDER_BOOK]) == "was never fetched"
    assert {part.name for part in state("spot").deliverable(NOW).errors} == {
        "ticker", "orderbook", "trades", "base", "ltf", "mtf", "htf",
    }  # fmt: skip


def test_rows_that_do_not_follow_are_dropped_with_those_before() -> None:
    known, part = state(), CANDLES["base"]
    known.put(part, answer(part, NOW), NOW)
    known.put(part, answer(part, NOW + 5 * MINUTE), NOW + 5 * MINUTE)
    assert known.get(part) is None
    assert known.age(part, NOW) == float("inf")
    assert "do not follow" in str(known.deliverable(NOW + 5 * MINUTE).errors[part])


@pytest.mark.parametrize(
    ("limit", "levels", "trades"), [(None, 100, 1000), (1, 25, 100), (60, 60, 100), (500, 500, 500), (5000, 1000, 1000)]
)
def test_a_limit_is_a_wish_between_the_least_and_the_most(limit: int | None, levels: int, trades: int) -> None:
    assert (ORDER_BOOK.rows_for(limit), TRADES.rows_for(limit)) == (levels, trades)
    assert CANDLES["base"].rows_for(limit) == 1000
    assert OPEN_INTEREST_HISTORY.rows_for(limit) == 289


async def test_a_new_part_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Snapshots fetch it, polling asks for it in its turn, and says when it is too old."""
    extra = dataclasses.replace(ORDER_BOOK, name="rpi", max_age=MINUTE)
    monkeypatch.setattr(parts, "PARTS", (*PARTS, extra))
    async with Polling(["BTCUSDT"]) as polling:
        assert (await fetch_parts(polling.truth, polling.listed[0])).get(extra) is not None
        (done,) = await polling.run(1)
        assert done.fetched == len(PARTS) + 1
        assert done.complete
        known = polling.fetcher._states["BTCUSDT"]
        assert known.deliverable(polling.clock.now_ms() + MINUTE + 1000).get(extra) is None

        def no_depth(request: httpx.Request) -> httpx.Response | None:
            return httpx.Response(500, request=request) if request.url.path.endswith("/depth") else None

        polling.line.failing = no_depth
        failed = (await polling.run(1))[0].failed
        assert {name for _, name in failed} == {"orderbook", "rpi"}


async def test_what_fails_of_a_group_of_calls_is_named_and_mistakes_are_raised() -> None:
    async def gives(value: object) -> object:
        if isinstance(value, Exception):
            raise value
        return value

    failure = BinanceError("down")
    assert await calls.gather({1: gives("a"), 2: gives(failure), 3: gives("c")}) == ({1: "a", 3: "c"}, {2: failure})
    with pytest.raises(ConfigError, match="closed"):
        await calls.gather({1: gives("a"), 2: gives(ConfigError("closed"))})
    with pytest.raises(ZeroDivisionError):
        await calls.gather({1: gives(ZeroDivisionError())})


async def test_requests_say_what_they_cost() -> None:
    async with BinanceClient() as client:
        listed = Listed("usdm", "BTCUSDT", "", cast(Any, None))
        plans = [part.request(client, listed, part.rows).plan() for part in PARTS]
        assert (sum(plan.requests for plan in plans), sum(plan.weight for plan in plans)) == (13, 27)
        bulk = {part.name: part.request_all for part in PARTS if part.request_all is not None}
        assert {name: make(client, "usdm").plan().weight for name, make in bulk.items()} == {
            TICKER.name: 40, QUOTES.name: 5, "premium": 10,
        }  # fmt: skip
