"""What an event's payload lacks and the name of its stream tells."""

from __future__ import annotations

import asyncio
import copy
import pickle

import pytest

from binance_sdk import futures, spot
from binance_sdk._runtime.stream.stream_event import mark_stream
from binance_sdk.catalogue import stream_fixture
from binance_sdk.simulator import Simulator


def book(stream: str) -> spot.PartialDepthEvent:
    event = spot.PartialDepthEvent.model_validate_json(stream_fixture("spot", "partial_depth"))
    if stream:
        mark_stream(event, stream)
    return event


@pytest.mark.parametrize(
    ("stream", "symbol", "levels"),
    [
        ("btcusdt@depth5", "BTCUSDT", 5),
        ("btcusdt@depth20@100ms", "BTCUSDT", 20),
        ("币安人生usdt@depth10", "币安人生USDT", 10),
        ("", "", 0),
    ],
)
def test_a_partial_book_says_whose_it_is(stream: str, symbol: str, levels: int) -> None:
    event = book(stream)
    assert (event.symbol, event.levels) == (symbol, levels)
    for other in (pickle.loads(pickle.dumps(event)), copy.deepcopy(event)):
        assert (other.symbol, other.levels) == (symbol, levels)
    assert "symbol" not in event.model_dump()
    assert event == book("ethusdt@depth5"), "what the name tells is not what the exchange sent"


def test_rolling_statistics_say_their_window_in_both_streams() -> None:
    event = spot.RollingTickerEvent.model_validate_json(stream_fixture("spot", "rolling_ticker"))
    for stream in ("btcusdt@ticker_4h", "!ticker_4h@arr"):
        mark_stream(event, stream)
        assert event.window_size == "4h"


def test_a_book_of_futures_says_how_many_levels_were_asked_for() -> None:
    event = futures.PartialDepthEvent.model_validate_json(stream_fixture("futures", "partial_depth"))
    mark_stream(event, "btcusdt@depth10@500ms")
    assert (event.symbol, event.levels) == ("BTCUSDT", 10)


def test_books_of_two_symbols_in_one_loop_are_told_apart(binance_simulator: Simulator) -> None:
    async def run() -> set[str]:
        seen: set[str] = set()
        async with (
            binance_simulator.client() as client,
            client.spot.streams.partial_depth("BTCUSDT", "ETHUSDT", levels=5, speed="100ms") as events,
        ):
            async for event in events:
                seen.add(event.symbol)
                if len(seen) == 2:
                    break
        return seen

    assert asyncio.run(run()) == {"BTCUSDT", "ETHUSDT"}
