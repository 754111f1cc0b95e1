"""Single lines of the streams that no other test would miss: each of these fails without one."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, cast

import pytest

from binance_sdk import SyncBinanceClient, spot
from binance_sdk._generated.futures import stream_operations as futures_operations
from binance_sdk._generated.markets import MARKETS
from binance_sdk._generated.spot import stream_operations as spot_operations
from binance_sdk._runtime.stream.connection.connection import Connection
from binance_sdk._runtime.stream.connection.opener import Dialer
from binance_sdk._runtime.stream.connection.pacing import ConnectionLimiter
from binance_sdk._runtime.stream.context import StreamContext
from binance_sdk._runtime.stream.reading.buffer import Buffer
from binance_sdk._runtime.stream.reading.subscription import Subscription
from binance_sdk.streams import Gap

from .conftest import Engine
from .manual_clock import ManualClock
from .rows import FakeRest, agg_trade, futures_depth, kline
from .server import eventually
from .test_sequences import consume, reader_for
from .test_sync import Background, background

__all__ = ["background"]

TRADES = "btcusdt@aggTrade"
LIMITS = MARKETS["spot"].streams

# ----------------------------------------------------------------------------------------- sequence


@pytest.mark.parametrize("previous", [5, 17, 18])
def test_an_update_that_reaches_back_over_the_last_one_is_no_gap(previous: int) -> None:
    """Only a ``pu`` behind the last ``u`` leaves something out."""

    async def run() -> list[Any]:
        reader, subscription = reader_for(futures_operations.DIFF_DEPTH, FakeRest(), fill=False)
        return await consume(reader, subscription, [futures_depth(10, 17, 9), futures_depth(15, 25, previous)])

    seen = asyncio.run(run())
    assert len(seen) == (2 if previous <= 17 else 3)
    assert seen[-1].last_update_id == 25


def trades(*rows: tuple[int, int]) -> list[Any]:
    """What is given out of trades with these ids and times."""

    async def run() -> list[Any]:
        reader, subscription = reader_for(spot_operations.AGG_TRADE, FakeRest(), fill=False)
        return await consume(reader, subscription, [{**agg_trade(number), "T": at} for number, at in rows])

    return [item.reason if isinstance(item, Gap) else item.agg_id for item in asyncio.run(run())]


def test_a_copy_of_what_has_just_begun_anew_does_not_begin_anew_once_more() -> None:
    seen = trades((1000, 100), (5, 200), (4, 150), (5, 200), (6, 300))
    assert seen == [1000, "restarted", 5, 6]


@pytest.mark.parametrize(("goes_on", "told"), [(11, []), (12, [Gap(TRADES, 10, 12)])])
def test_a_restart_that_was_a_mistake_hides_no_gap_before_it(goes_on: int, told: list[Gap]) -> None:
    """One low id came late, and then the trades go on behind the newest of before."""

    async def run() -> list[Any]:
        reader, subscription = reader_for(spot_operations.AGG_TRADE, FakeRest(), fill=False)
        rows = [(10, 100), (3, 200), (goes_on, 300), (goes_on + 1, 400)]
        return await consume(reader, subscription, [{**agg_trade(number), "T": at} for number, at in rows])

    seen = asyncio.run(run())
    assert [item for item in seen if isinstance(item, Gap)][1:] == told
    assert [item.agg_id for item in seen if not isinstance(item, Gap)] == [10, 3, goes_on, goes_on + 1]


def test_copies_are_no_witnesses_against_a_wrong_id_and_do_not_spoil_it_for_others() -> None:
    copies = [(2, 2), *[(3, 3)] * 9]
    assert trades((1, 1), (5001, 5001), *copies) == [1, "lost", 5001]
    others = [(number, number) for number in range(4, 10)]
    assert trades((1, 1), (5001, 5001), *copies, *others) == [1, "lost", 5001, "restarted", *range(2, 10)]


@pytest.mark.parametrize(("ahead", "wrong"), [(1000, False), (1001, True)])
def test_how_far_ahead_an_id_has_to_be_to_be_taken_for_a_mistake(ahead: int, wrong: bool) -> None:
    async def run() -> list[Any]:
        reader, subscription = reader_for(spot_operations.AGG_TRADE, FakeRest(), fill=False)
        return await consume(reader, subscription, [agg_trade(number) for number in (1, 1 + ahead, *range(2, 12))])

    told = [item.reason for item in asyncio.run(run()) if isinstance(item, Gap)]
    assert told == (["lost", "restarted"] if wrong else ["lost"])


def test_bars_go_on_from_the_last_event_that_contradicted_a_wrong_one() -> None:
    """Seven events of the running bar and one that closes it: the next bar leaves no gap."""

    async def run() -> list[Any]:
        reader, subscription = reader_for(spot_operations.KLINE, FakeRest(), fill=False)
        bars = [(1, False), (10**8, False), *[(1, False)] * 7, (1, True), (2, False), (2, True), (3, False)]
        return await consume(reader, subscription, [kline(minute, closed=closed) for minute, closed in bars])

    seen = asyncio.run(run())
    assert [item.reason for item in seen if isinstance(item, Gap)] == ["lost", "restarted"]
    starts = [item.kline.open_time // 60_000 for item in seen if not isinstance(item, Gap)]
    assert starts == [1, 10**8, *[1] * 8, 2, 2, 3]


# ------------------------------------------------------------------------------------- connections


class Network:
    """Stands in for the network: notes what was dialled, and when."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.dialled: list[tuple[float, str]] = []

    async def __call__(self, url: str, connection: Connection) -> object:
        self.dialled.append((self.clock.now, url))
        return object()


async def test_no_host_is_dialled_more_often_than_it_accepts() -> None:
    """All dialers of the process share one budget for each host; one that is over it waits."""
    clock = ManualClock()
    network = Network(clock)
    context = StreamContext(
        urls={"spot": ("ws://one.invalid",), "futures": ("ws://two.invalid",)},
        limits=dict.fromkeys(("spot", "futures"), replace(LIMITS, connections=3)),
        connector=cast(Any, network),
        clock=clock,
        rest=FakeRest(),
        notify=lambda _: None,
        limiter=ConnectionLimiter(),
    )
    first, second, other = Dialer(context, "spot", ""), Dialer(context, "spot", ""), Dialer(context, "futures", "")
    connection = cast(Connection, None)
    for dialer in (first, second, first):
        await dialer.dial((), connection)
    over = asyncio.ensure_future(second.dial((), connection))
    await asyncio.sleep(0)
    await other.dial((), connection)
    await clock.advance(299.0, step=50.0)
    assert len(network.dialled) == 4
    await clock.advance(2.0, step=1.0)
    await over
    assert [at for at, url in network.dialled if "one" in url] == [1000.0, 1000.0, 1000.0, pytest.approx(1300.0, abs=1)]


def test_every_client_counts_its_connections_together_with_all_others() -> None:
    contexts = [SyncBinanceClient()._core.stream_context() for _ in range(2)]
    assert contexts[0].limiter is contexts[1].limiter
    limits = contexts[0].limits["spot"]
    assert (limits.connections, limits.connections_seconds) == (300, 300)
    limiter = ConnectionLimiter()
    assert [limiter.claim("host", limits, 10.0 + number / 10) for number in range(300)] == [0.0] * 300
    assert limiter.claim("host", limits, 40.0) == pytest.approx(270.0)
    assert limiter.claim("host", limits, 310.0) == 0.0


async def test_a_connection_carries_as_many_streams_as_its_market_allows(engine: Engine) -> None:
    few = {"spot": replace(LIMITS, streams_a_connection=2), "futures": MARKETS["futures"].streams}
    engine.context = replace(engine.context, limits=few)
    async with engine.spot.agg_trade("A", "B", "C", "D", "E"):
        assert sorted(len(line.names) for line in engine.exchange.lines) == [1, 2, 2]
    async with engine.futures.agg_trade("A", "B", "C", "D", "E"):
        assert len(engine.exchange.lines[-1].names) == 5


@pytest.mark.parametrize(("market", "at_once"), [("spot", 4), ("futures", 9)])
async def test_a_connection_sends_as_many_messages_as_its_market_allows(
    engine: Engine, market: str, at_once: int
) -> None:
    """One place of every second is left to pongs."""
    async with getattr(engine, market).agg_trade("A", quiet_time=None) as events:
        asked = [
            asyncio.ensure_future(events.subscribe(getattr(engine, market).agg_trade(f"A{number}")))
            for number in range(12)
        ]
        await eventually(lambda: sum(task.done() for task in asked) == at_once)
        await engine.clock.advance(0.5, step=0.1)
        assert sum(task.done() for task in asked) == at_once
        await engine.clock.advance(5.0, step=0.5)
        await asyncio.gather(*asked)


async def test_an_engine_dials_out_of_its_budget(engine: Engine) -> None:
    limits = {"spot": replace(LIMITS, connections=1)}
    engine.context = replace(engine.context, limits=limits, open_attempts=1)
    async with engine.spot.agg_trade("BTCUSDT", quiet_time=None):
        engine.exchange.lines[0].abort()
        await engine.clock.advance(280.0, step=20.0)
        assert engine.exchange.asked == 1
        await engine.clock.advance(40.0, step=5.0)
        await eventually(lambda: engine.exchange.asked == 2)


# ------------------------------------------------------------------------------------ back-pressure


def messages(count: int, size: int = 10) -> list[tuple[Subscription, bytes, float]]:
    return [(cast(Subscription, None), b"x" * size, 0.0) for _ in range(count)]


def filled(limit: int, most_bytes: int, count: int, size: int = 10) -> tuple[Buffer, list[bool]]:
    """A buffer that holds so many messages, and what it has said about reading since."""
    said: list[bool] = []
    buffer = Buffer(True, limit, most_bytes, said.append, lambda *_: pytest.fail("nothing is dropped"))
    for message in messages(count, size):
        buffer.waiting.append(message)
        buffer.size += len(message[1])
        if buffer.size > buffer.max_bytes or len(buffer.waiting) > buffer.max_messages:
            buffer.make_room()
    return buffer, said


def drained(buffer: Buffer) -> int:
    """How many messages are left when reading goes on."""
    while buffer.paused:
        message = buffer.waiting.popleft()
        assert isinstance(message, tuple)
        buffer.taken(len(message[1]))
    return len(buffer.waiting)


def test_reading_goes_on_when_half_of_the_room_is_free_and_not_at_once() -> None:
    """Else a consumer at the limit would stop and start the connections with every message."""
    buffer, said = filled(limit=10, most_bytes=1 << 20, count=10)
    assert said == []
    buffer, said = filled(limit=10, most_bytes=1 << 20, count=13)
    assert said == [True]
    assert drained(buffer) == 5
    assert said == [True, False]


def test_the_same_for_its_bytes() -> None:
    # Half of 2000 bytes is for what comes after reading was stopped.
    buffer, said = filled(limit=1000, most_bytes=2000, count=10, size=100)
    assert said == []
    buffer, said = filled(limit=1000, most_bytes=2000, count=13, size=100)
    assert said == [True]
    assert drained(buffer) == 5
    assert said == [True, False]


# ------------------------------------------------------------------------------------------- latest


def test_blocking_code_that_wants_the_newest_takes_nothing_before_it_asks(background: Background) -> None:
    """Two streams wait; while the consumer looks at the event of one, a newer one of the other comes."""
    names = (TRADES, "ethusdt@aggTrade")
    with (
        SyncBinanceClient(spot_stream_url=background.exchange.url) as client,
        client.spot.streams.agg_trade("BTCUSDT", "ETHUSDT", overflow="latest", quiet_time=None) as events,
    ):
        for name, symbol in zip(names, ("BTCUSDT", "ETHUSDT"), strict=True):
            background.run(background.exchange.send(name, agg_trade(1, symbol)))
        client._core.streams().run(lambda: eventually(lambda: events.stats.received == 2))
        first = next(events)
        assert isinstance(first, spot.AggTradeEvent)
        assert (first.symbol, first.agg_id) == ("BTCUSDT", 1)
        background.run(background.exchange.send(names[1], agg_trade(2, "ETHUSDT")))
        client._core.streams().run(lambda: eventually(lambda: events.stats.received == 3))
        second = next(events)
        assert (second.symbol, second.agg_id) == ("ETHUSDT", 2)
        assert events.stats.dropped == 1
