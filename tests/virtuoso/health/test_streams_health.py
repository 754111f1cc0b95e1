"""What health and metrics say of streams."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from binance_sdk.simulator import ManualClock, Simulator
from binance_sdk.simulator.streams import StreamFault
from tests.virtuoso.conftest import NOW, section_for, streams_of
from tests.virtuoso.health.test_metrics import values
from tests.virtuoso.streaming.conftest import eventually, pass_time
from virtuoso_binance import BaseExchange, load_settings, make_exchange_class
from virtuoso_binance.health import MarketProbe, StreamsFacts, judge_exchange
from virtuoso_binance.health.streams import judge_streams, merged_facts
from virtuoso_binance.metrics import instrument
from virtuoso_binance.session import Session
from virtuoso_binance.streaming import PartCounts


@pytest.mark.parametrize(
    ("facts", "state", "words"),
    [
        (StreamsFacts("futures"), "unknown", ""),
        (StreamsFacts("futures", wanted=1), "healthy", ""),
        (StreamsFacts("futures", parts={"trades": PartCounts(stalled=1)}), "healthy", ""),
        (StreamsFacts("futures", wanted=1, failed_dials=2), "healthy", ""),
        (StreamsFacts("futures", wanted=1, failed_dials=3), "degraded", "no connection in 3 attempts in a row"),
        (StreamsFacts("futures", wanted=1, ended=True), "degraded", "keep_alive is false"),
    ],
)
def test_streams_are_judged(facts: StreamsFacts, state: str, words: str) -> None:
    judged = judge_streams(facts, 3)
    assert judged.state == state
    assert words in judged.reason
    market = MarketProbe("futures", None)
    health = judge_exchange([market], {}, NOW, (), [judged])
    assert health.state == ("degraded" if words else "healthy")
    assert health.reasons == ((f"futures streams: {judged.reason}",) if words else ())
    assert json.loads(json.dumps(health.as_row()))["streams"]["futures"]["state"] == state


def test_what_several_loops_stream_is_added_up() -> None:
    one = StreamsFacts("futures", 2, failed_dials=4, parts={"trades": PartCounts(1, 2, 3, 4)})
    other = StreamsFacts("futures", 3, ended=True, parts={"trades": PartCounts(10, 20, 30, 40), "base": PartCounts(1)})
    spot = StreamsFacts("spot", 1)
    parts = {"trades": PartCounts(11, 22, 33, 44), "base": PartCounts(1)}
    assert merged_facts([one, spot, other]) == [StreamsFacts("futures", 5, True, 4, parts), spot]


# ---------------------------------------------------------------------------------- the configuration


@pytest.mark.parametrize(("attempts", "state"), [(4, "degraded"), (5, "healthy")])
def test_how_many_attempts_may_fail_is_said_by_the_configuration(attempts: int, state: str) -> None:
    session = Session(load_settings({"websocket": {"reconnect_attempts": attempts}}), now=lambda: NOW / 1000)
    health = session.health([StreamsFacts("futures", wanted=1, failed_dials=4)])
    assert health.streams["futures"].state == state


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def simulator(clock: ManualClock) -> Any:
    with Simulator(clock=clock, history_days=35, symbols=["BTCUSDT", "ETHUSDT"]) as running:
        yield running


async def opened(simulator: Simulator, **websocket: Any) -> Any:
    section = section_for(simulator, websocket={**streams_of(simulator), **websocket}, streaming=["trades"])
    exchange = make_exchange_class(BaseExchange, section)({})
    assert await exchange.initialize()
    return exchange


@pytest.fixture
async def exchanges() -> AsyncIterator[list[Any]]:
    made: list[Any] = []
    yield made
    for exchange in made:
        await exchange.close()


async def streamed(exchange: Any, simulator: Simulator, clock: ManualClock) -> None:
    for _ in range(400):
        data = await exchange.fetch_market_data("BTCUSDT")
        if data["metadata"]["streamed"] == ["trades"]:
            return
        simulator.reset_limits()
        await pass_time(simulator, clock, 5)
    raise AssertionError(data["metadata"])


async def test_attempts_that_fail_are_told_from_the_configured_number_on(
    simulator: Simulator, clock: ManualClock, exchanges: list[Any]
) -> None:
    exchange = await opened(simulator, reconnect_attempts=2)
    exchanges.append(exchange)
    registry = CollectorRegistry()
    watched = instrument(exchange, registry)
    await streamed(exchange, simulator, clock)
    found = values(registry)
    expected = {
        'streams_state{market="futures",state="healthy"}': 1,
        'streams_failed_dials{market="futures"}': 0,
        'part_symbols{market="futures",part="trades",streamed="yes"}': 1,
        'part_symbols{market="futures",part="trades",streamed="no"}': 0,
        'part_fallbacks_total{market="futures",part="trades"}': 0,
    }
    assert {name: found.get(name) for name in expected} == expected
    rule = simulator.streams.faults.add(StreamFault.refuse(503), where="futures")
    simulator.streams.abort("futures")

    def state() -> str:
        return str(exchange.binance_health().streams["futures"].state)

    await eventually(lambda: state() == "degraded")
    data = await exchange.fetch_market_data("BTCUSDT")
    assert data["metadata"]["stalled"] == {"trades": "its stream is disconnected"}
    assert data["metadata"]["trades_success"]
    status = await exchange.fetch_status()
    # REST answers, so data come.
    assert (status["online"], status["health"]["streams"]["futures"]["state"]) == (True, "degraded")
    assert any("futures streams: no connection in" in reason for reason in status["health"]["reasons"])
    found = values(registry)
    assert found['streams_failed_dials{market="futures"}'] >= 2
    assert found['part_symbols{market="futures",part="trades",streamed="no"}'] == 1
    assert found['part_fallbacks_total{market="futures",part="trades"}'] == 1
    # Dialling has gone on.
    rule.remove()
    await eventually(lambda: state() == "healthy")
    await streamed(exchange, simulator, clock)
    assert values(registry)['part_recoveries_total{market="futures",part="trades"}'] == 1
    watched.uninstrument()


async def test_without_keep_alive_a_lost_connection_stays_lost_until_something_is_subscribed(
    simulator: Simulator, clock: ManualClock, exchanges: list[Any]
) -> None:
    exchange = await opened(simulator, keep_alive=False)
    exchanges.append(exchange)
    await streamed(exchange, simulator, clock)
    accepted = simulator.streams.counts("futures").accepted
    simulator.streams.abort("futures")
    await eventually(lambda: exchange.binance_health().streams["futures"].facts.ended)
    data = await exchange.fetch_market_data("BTCUSDT")
    assert data["metadata"]["stalled"] == {"trades": "its stream is disconnected"}
    assert data["metadata"]["trades_success"]
    assert simulator.streams.counts("futures").accepted == accepted
    reasons = exchange.binance_health().reasons
    assert "futures streams: the connection was lost, and keep_alive is false; REST answers" in reasons
    # Another symbol is subscribed, and the first one with it.
    await exchange.fetch_market_data("ETHUSDT")
    await eventually(lambda: not exchange.binance_health().streams["futures"].facts.ended)
    await streamed(exchange, simulator, clock)
