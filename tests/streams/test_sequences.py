"""Messages that are dropped, repeated or swapped: each id is given out once and in order, or named by a gap."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binance_sdk import futures, spot
from binance_sdk._generated.futures import stream_operations as futures_operations
from binance_sdk._generated.spot import stream_operations as spot_operations
from binance_sdk._runtime.stream.names import name_streams
from binance_sdk._runtime.stream.operation import StreamOperation
from binance_sdk._runtime.stream.options import resolve_options
from binance_sdk._runtime.stream.reading.reader import Reader
from binance_sdk._runtime.stream.reading.subscription import Subscription
from binance_sdk.streams import Gap

from .manual_clock import ManualClock
from .rows import FakeRest, agg_trade, depth, futures_depth, kline

NUMBERS = 30


@st.composite
def journeys(draw: st.DrawFn) -> list[int]:
    """Numbers from 0, of which some are lost, some come twice, and some overtake others."""
    kept = [number for number in range(NUMBERS) if number == 0 or draw(st.integers(0, 3))]
    for _ in range(draw(st.integers(0, 6))):
        kept.insert(draw(st.integers(1, len(kept))), draw(st.sampled_from(kept)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(1, max(1, len(kept) - 2)))
        kept[at : at + 2] = reversed(kept[at : at + 2])
    return kept


def reader_for(operation: StreamOperation[Any], rest: FakeRest, *, fill: bool) -> tuple[Reader, Subscription]:
    clock = ManualClock()
    arguments: dict[str, object] = {"symbol": "BTCUSDT"}
    if operation.name == "kline":
        arguments["interval"] = "1m"
    subscription = Subscription(
        name_streams(operation, arguments)[0], fill_gaps=fill, quiet_time=None, from_spec=False, now=clock.now
    )
    reader = Reader(resolve_options([]), lambda _: None, clock=clock, rest=rest, notify=lambda _: None)
    return reader, subscription


async def consume(reader: Reader, subscription: Subscription, payloads: list[dict[str, Any]]) -> list[Any]:
    for payload in payloads:
        reader.feed(subscription, json.dumps(payload).encode(), 0.0)
    seen: list[Any] = []
    while True:
        while (event := reader.take(with_notices=True)) is not None:
            seen.append(event)
        if not reader._fills:
            return seen
        await asyncio.sleep(0)


@given(journeys())
@settings(max_examples=150, deadline=None)
def test_with_fill_nothing_is_missing(journey: list[int]) -> None:
    async def run() -> None:
        rest = FakeRest()
        rest.page = 3
        reader, subscription = reader_for(spot_operations.AGG_TRADE, rest, fill=True)
        seen = await consume(reader, subscription, [agg_trade(number) for number in journey])
        assert [event.agg_id for event in seen] == list(range(max(journey) + 1))
        assert reader.stats.filled == sum(event.filled for event in seen)

    asyncio.run(run())


@given(journeys())
@settings(max_examples=150, deadline=None)
def test_without_fill_gaps_name_exactly_what_is_missing(journey: list[int]) -> None:
    async def run() -> None:
        reader, subscription = reader_for(spot_operations.AGG_TRADE, FakeRest(), fill=False)
        seen = await consume(reader, subscription, [agg_trade(number) for number in journey])
        numbers: list[int] = []
        for item in seen:
            numbers += range(item.last_id + 1, item.first_id) if isinstance(item, Gap) else [item.agg_id]
        assert numbers == list(range(max(journey) + 1))
        stats = reader.stats
        given_out = sum(not isinstance(item, Gap) for item in seen)
        assert given_out + stats.late + stats.duplicates == len(journey)

    asyncio.run(run())


@given(journeys(), journeys(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_ids_that_begin_anew_are_told_and_followed(before: list[int], after: list[int], fill: bool) -> None:
    """As on a testnet that is wiped: lower ids, which would be duplicates if they were not younger."""

    async def run() -> None:
        rest = FakeRest()
        reader, subscription = reader_for(spot_operations.AGG_TRADE, rest, fill=fill)
        old = [agg_trade(number + 1000) for number in before]
        new = [{**agg_trade(number), "T": agg_trade(number + 5000)["T"]} for number in after]
        seen = await consume(reader, subscription, [*old, *new])
        told = [item for item in seen if isinstance(item, Gap) and item.reason == "restarted"]
        assert [(gap.last_id, gap.first_id) for gap in told] == [(max(before) + 1000, 0)]
        numbers: list[int] = []
        for item in seen:
            if isinstance(item, Gap):
                numbers += range(item.last_id + 1, item.first_id)
            else:
                numbers.append(item.agg_id)
        assert numbers == [*range(1000, max(before) + 1001), *range(max(after) + 1)]

    asyncio.run(run())


@given(journeys(), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_a_book_that_begins_anew(journey: list[int], first: int) -> None:
    async def run() -> None:
        reader, subscription = reader_for(futures_operations.DIFF_DEPTH, FakeRest(), fill=False)
        old = [futures_depth(number * 10 + 1003, number * 10 + 1007, number * 10 + 997) for number in journey]
        new = [{**futures_depth(first + at, first + at, first + at - 1), "T": 2 + at} for at in range(3)]
        seen = await consume(reader, subscription, [*old, *new])
        assert seen[-4] == Gap("btcusdt@depth", max(journey) * 10 + 1007, first, "restarted")
        assert [event.last_update_id for event in seen[-3:]] == [first, first + 1, first + 2]

    asyncio.run(run())


@given(journeys())
@settings(max_examples=60, deadline=None)
def test_ranges_follow_each_other(journey: list[int]) -> None:
    async def run() -> None:
        reader, subscription = reader_for(spot_operations.DIFF_DEPTH, FakeRest(), fill=False)
        payloads = [depth(number * 5 + 1, number * 5 + 5) for number in journey]
        numbers: list[int] = []
        for item in await consume(reader, subscription, payloads):
            if isinstance(item, Gap):
                numbers += range(item.last_id + 1, item.first_id)
            else:
                assert isinstance(item, spot.DiffDepthEvent)
                numbers += range(item.first_update_id, item.last_update_id + 1)
        assert numbers == list(range(1, (max(journey) + 1) * 5 + 1))

    asyncio.run(run())


@given(journeys())
@settings(max_examples=60, deadline=None)
def test_events_that_name_their_predecessor(journey: list[int]) -> None:
    async def run() -> None:
        reader, subscription = reader_for(futures_operations.DIFF_DEPTH, FakeRest(), fill=False)
        payloads = [futures_depth(number * 10 + 3, number * 10 + 7, number * 10 - 3) for number in journey]
        seen = await consume(reader, subscription, payloads)
        events = [item for item in seen if isinstance(item, futures.DiffDepthEvent)]
        assert events == sorted(events, key=lambda event: event.last_update_id)
        gaps = [(item.last_id, item.first_id) for item in seen if isinstance(item, Gap)]
        pairs = pairwise(events)
        assert gaps == [
            (before.last_update_id, after.first_update_id)
            for before, after in pairs
            if after.prev_last_update_id != before.last_update_id
        ]

    asyncio.run(run())


def test_an_event_that_reaches_back_over_the_last_one_is_no_gap() -> None:
    async def run() -> list[Any]:
        reader, subscription = reader_for(spot_operations.DIFF_DEPTH, FakeRest(), fill=False)
        return await consume(reader, subscription, [depth(1, 5), depth(4, 8), depth(9, 9)])

    assert [item.last_update_id for item in asyncio.run(run())] == [5, 8, 9]


def test_months_and_other_time_zones_follow_each_other() -> None:
    from binance_sdk._runtime.stream.reading.sequence import _bar_before, _next_bar

    january, february, march = 1_704_067_200_000, 1_706_745_600_000, 1_709_251_200_000
    east = 8 * 3_600_000
    for shift in (0, -east):
        assert _next_bar("1M", february + shift) == march + shift
        assert _bar_before("1M", february + shift) == january + shift
        assert _next_bar("1d", january + shift) == january + shift + 86_400_000
        assert _bar_before("1h", january + shift) == january + shift - 3_600_000


def test_updates_of_one_bar_are_no_duplicates() -> None:
    async def run() -> list[Any]:
        reader, subscription = reader_for(spot_operations.KLINE, FakeRest(), fill=False)
        bars = [(1, False), (1, False), (1, True), (1, True), (2, False), (1, True)]
        return await consume(reader, subscription, [kline(minute, closed=closed) for minute, closed in bars])

    seen = [(item.kline.open_time // 60_000, item.kline.is_closed) for item in asyncio.run(run())]
    assert seen == [(1, False), (1, False), (1, True), (2, False)]


FAR = st.integers(5_000, 2**53)


def told_and_given(seen: list[Any], number_of: Callable[[Any], int]) -> tuple[list[int], list[Gap]]:
    """The ids that were given out, and the gaps."""
    numbers = [number_of(item) for item in seen if not isinstance(item, Gap)]
    return numbers, [item for item in seen if isinstance(item, Gap)]


@given(
    st.integers(1, 20),
    st.integers(8, 40),
    FAR,
    st.integers(0, 3),
    st.sampled_from(["its own time", "a time far ahead", "the same time"]),
)
@settings(max_examples=150, deadline=None)
def test_one_id_from_far_ahead_does_not_end_the_stream(
    before: int, after: int, far: int, lost: int, moment: str
) -> None:
    """Its successors are handed out, all of them, and the consumer is told what was wrong."""

    async def run() -> None:
        reader, subscription = reader_for(spot_operations.AGG_TRADE, FakeRest(), fill=False)
        wrong = {**agg_trade(before), "a": far}
        if moment == "a time far ahead":
            wrong["T"] += 10**11
        following = list(range(before + 1 + lost, before + 1 + lost + after))
        good = [agg_trade(number) for number in following]
        if moment == "the same time":
            good = [{**trade, "T": wrong["T"]} for trade in good]
        journey = [*(agg_trade(number) for number in range(1, before + 1)), wrong, *good]
        seen = await consume(reader, subscription, journey)
        numbers, gaps = told_and_given(seen, lambda event: event.agg_id)
        assert numbers == [*range(1, before + 1), far, *following]
        assert [(gap.last_id, gap.first_id, gap.reason) for gap in gaps] == [
            (before, far, "lost"),
            (far, following[0], "restarted"),
        ]
        assert (reader.stats.late, reader.stats.duplicates, reader.stats.dropped) == (0, 0, 0)
        assert reader.stats.malformed == (moment != "its own time")

    asyncio.run(run())


@given(journeys(), st.integers(2_000, 2**40))
@settings(max_examples=100, deadline=None)
def test_a_hole_that_is_truly_wide_stays_one(journey: list[int], wide: int) -> None:
    """Nothing is taken back because of what comes late, as long as something follows."""

    async def run() -> None:
        reader, subscription = reader_for(spot_operations.AGG_TRADE, FakeRest(), fill=False)
        first, second = [1, 2], [wide + number for number in journey]
        late = range(3, 3 + len(journey))
        mixed = [each for pair in zip(second, late, strict=True) for each in pair]
        seen = await consume(reader, subscription, [agg_trade(number) for number in (*first, *mixed)])
        assert not [item for item in seen if isinstance(item, Gap) and item.reason == "restarted"]
        assert max(item.agg_id for item in seen if not isinstance(item, Gap)) == wide + max(journey)

    asyncio.run(run())


@pytest.mark.parametrize("fill", [False, True])
def test_one_id_from_long_ago_does_not_fetch_the_years_between(fill: bool) -> None:
    """It looks as if ids began anew, until the next event goes on where the last but one had stopped."""

    async def run() -> tuple[list[Any], FakeRest]:
        rest = FakeRest()
        reader, subscription = reader_for(spot_operations.AGG_TRADE, rest, fill=fill)
        wrong = {**agg_trade(7), "T": agg_trade(1001)["T"]}
        numbers = (1000, 1001, 1002, 1004)
        journey = [agg_trade(1000), wrong, *(agg_trade(number) for number in numbers[1:])]
        return await consume(reader, subscription, journey), rest

    seen, rest = asyncio.run(run())
    numbers, gaps = told_and_given(seen, lambda event: event.agg_id)
    assert numbers == [1000, 7, 1001, 1002, *([1003] if fill else []), 1004]
    assert [(gap.last_id, gap.first_id) for gap in gaps] == [(1000, 7), *([] if fill else [(1002, 1004)])]
    assert [asked["fromId"] for asked in rest.asked] == ([1003] if fill else [])


def test_a_wrong_id_is_found_out_after_a_fill_too() -> None:
    async def run() -> list[Any]:
        rest = FakeRest()
        rest.failures = 1
        reader, subscription = reader_for(spot_operations.AGG_TRADE, rest, fill=True)
        first = [agg_trade(1), {**agg_trade(2), "a": 10**12, "T": 10**14}]
        seen = await consume(reader, subscription, first)
        return [*seen, *await consume(reader, subscription, [agg_trade(number) for number in range(2, 14)])]

    numbers, gaps = told_and_given(asyncio.run(run()), lambda event: event.agg_id)
    assert numbers == [1, 10**12, *range(2, 14)]
    assert [gap.reason for gap in gaps] == ["fill_failed", "restarted"]
    assert "wrong id" in gaps[1].detail


def test_a_book_and_candles_survive_a_wrong_id() -> None:
    async def run(operation: StreamOperation[Any], payloads: list[dict[str, Any]]) -> list[Any]:
        reader, subscription = reader_for(operation, FakeRest(), fill=False)
        return await consume(reader, subscription, payloads)

    far = 10**13
    books = [depth(1, 5), {**depth(far, far), "E": 10**14}, *(depth(at, at + 4) for at in range(6, 60, 5))]
    seen = asyncio.run(run(spot_operations.DIFF_DEPTH, books))
    assert [item.last_update_id for item in seen if not isinstance(item, Gap)] == [5, far, *range(10, 64, 5)]
    books = [
        futures_depth(1, 5, 0),
        {**futures_depth(far, far, far - 1), "T": 10**14},
        *(futures_depth(at, at + 4, at - 1) for at in range(6, 60, 5)),
    ]
    seen = asyncio.run(run(futures_operations.DIFF_DEPTH, books))
    assert [item.last_update_id for item in seen if not isinstance(item, Gap)] == [5, far, *range(10, 64, 5)]
    bars = [kline(1, closed=False), kline(10**8, closed=False), *(kline(1, closed=False) for _ in range(12))]
    seen = asyncio.run(run(spot_operations.KLINE, [*bars, kline(1, closed=True), kline(2, closed=False)]))
    starts = [item.kline.open_time // 60_000 for item in seen if not isinstance(item, Gap)]
    assert starts == [1, 10**8, *[1] * 13, 2]
