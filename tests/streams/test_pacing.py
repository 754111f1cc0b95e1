"""Limits on messages and connections hold by construction."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binance_sdk._runtime.market import StreamFacts
from binance_sdk._runtime.stream.connection.pacing import Backoff, ConnectionLimiter, MessageLimiter

from .conftest import Engine


@pytest.mark.parametrize("limit", [5, 10])
@given(data=st.data())
def test_no_second_holds_more_messages_than_allowed(limit: int, data: st.DataObject) -> None:
    limiter, now, sent = MessageLimiter(limit), 0.0, []
    pongs = data.draw(st.lists(st.floats(1.1, 30.0), max_size=5))
    next_pong = pongs.pop() if pongs else 1e9
    for wait in data.draw(st.lists(st.floats(0, 0.5), min_size=1, max_size=60)):
        now += wait
        while delay := limiter.request_delay(now):
            now += delay
        while next_pong <= now:
            now += limiter.pong_delay(now)
            limiter.note_pong(now)
            sent.append(now)
            next_pong = now + pongs.pop() if pongs else 1e9
            while delay := limiter.request_delay(now):
                now += delay
        limiter.note_request(now)
        sent.append(now)
    for at in sent:
        assert sum(1 for other in sent if at <= other < at + 1.0) <= limit


@pytest.mark.parametrize("limit", [5, 10])
@given(data=st.data())
def test_neither_pongs_nor_requests_shut_the_other_out(limit: int, data: st.DataObject) -> None:
    """Requests and pongs both want to send all the time, and are asked in random order."""
    limiter, now = MessageLimiter(limit), 0.0
    pongs: list[float] = []
    requests: list[float] = []
    while now < 20:
        pong_first = data.draw(st.booleans())
        for is_pong in (pong_first, not pong_first):
            if is_pong and not limiter.pong_delay(now):
                limiter.note_pong(now)
                pongs.append(now)
            elif not is_pong and not limiter.request_delay(now):
                limiter.note_request(now)
                requests.append(now)
        now = max(now + 0.001, now + min(limiter.request_delay(now), limiter.pong_delay(now)))
    for at in (*pongs, *requests):
        assert sum(1 for other in (*pongs, *requests) if at <= other < at + 1.0) <= limit
    for sent in (pongs, requests):
        gaps = [after - before for before, after in pairwise([0.0, *sent, 20.0])]
        assert max(gaps) < 2.3


async def test_requests_of_a_busy_consumer_are_spread(engine: Engine) -> None:
    times: list[float] = []
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None) as events:
        line = engine.exchange.lines[0]

        async def busy() -> None:
            for number in range(12):
                await events.subscribe(engine.spot.agg_trade(f"A{number}USDT", quiet_time=None))
                times.append(engine.clock.now)

        working = asyncio.create_task(busy())
        for _ in range(100):
            if working.done():
                break
            await engine.clock.advance(0.1, step=0.05)
        await working
        assert len(line.requests) == 12
    for at in times:
        assert sum(1 for other in times if at <= other < at + 1.0) <= 4


def test_connections_of_a_process_are_rationed() -> None:
    limits = StreamFacts(messages_a_second=5, streams_a_connection=9, connections=3, connections_seconds=300)
    budget = ConnectionLimiter()
    assert [budget.claim("a", limits, at) for at in (0.0, 1.0, 2.0)] == [0.0, 0.0, 0.0]
    assert budget.claim("a", limits, 10.0) == pytest.approx(290.0)
    assert budget.claim("b", limits, 10.0) == 0.0
    # What was refused does not count, and each attempt leaves the window by itself.
    assert budget.claim("a", limits, 299.9) == pytest.approx(0.1)
    assert budget.claim("a", limits, 300.0) == 0.0
    assert budget.claim("a", limits, 300.5) == pytest.approx(0.5)


def test_pauses_double_up_to_a_longest_one_and_are_random() -> None:
    backoff = Backoff(first=1.0, longest=8.0, jitter=lambda: 0.0)
    assert [backoff.pause() for _ in range(5)] == [0.5, 1.0, 2.0, 4.0, 4.0]
    backoff.reset()
    assert backoff.pause() == 0.5
    assert {round(Backoff().pause(), 9) for _ in range(20)} != {0.25}
