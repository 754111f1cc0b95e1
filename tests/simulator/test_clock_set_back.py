"""A clock that is set back: limits, symbols, answers and streams are again those of that time."""

from __future__ import annotations

import pytest

from binance_sdk.simulator import ManualClock
from tests.simulated_http import SimulatedHttp

from .conftest import NOW, simulator
from .streams.conftest import World, clock, world

__all__ = ["clock", "world"]

MINUTE, HOUR = 60_000, 3_600_000
TRADES = "btcusdt@aggTrade"


def test_a_window_of_weight_is_another_one() -> None:
    manual = ManualClock(NOW)
    with (
        simulator(clock=manual, weight_limits={"spot": 60}, ban_after=100) as running,
        SimulatedHttp(running) as client,
    ):

        def ask() -> tuple[int, str]:
            answer = client.get("/api/v3/trades?symbol=BTCUSDT")
            return answer.status_code, answer.headers["x-mbx-used-weight-1m"]

        assert [ask() for _ in range(3)] == [(200, "25"), (200, "50"), (429, "75")]
        manual.set(NOW - MINUTE)
        assert running.used_weight("spot") == 0
        assert ask() == (200, "25")
        manual.set(NOW)
        assert ask() == (200, "25")


def test_symbols_are_those_of_that_time() -> None:
    manual = ManualClock(NOW)
    with (
        simulator(clock=manual, symbols=["BTCUSDT"]) as running,
        SimulatedHttp(running) as client,
    ):

        def symbols() -> list[str]:
            return [listing["symbol"] for listing in client.get("/api/v3/exchangeInfo").json()["symbols"]]

        running.list_symbol("spot", "SOLUSDT")
        manual.advance(120)
        assert symbols() == ["BTCUSDT", "SOLUSDT"]
        manual.set(NOW - HOUR)
        assert symbols() == ["BTCUSDT"]
        manual.set(NOW + 2 * MINUTE)
        assert symbols() == ["BTCUSDT", "SOLUSDT"]


def test_answers_are_those_of_that_time() -> None:
    manual = ManualClock(NOW)
    with simulator(clock=manual) as running, SimulatedHttp(running) as client:
        paths = [
            *("/api/v3/time", "/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=3", "/api/v3/depth?symbol=BTCUSDT"),
            *("/api/v3/trades?symbol=BTCUSDT&limit=3", "/api/v3/ticker/24hr?symbol=BTCUSDT"),
        ]
        before = [client.get(path).json() for path in paths]
        manual.advance(3600)
        assert all(client.get(path).json() != then for path, then in zip(paths, before, strict=True))
        manual.set(NOW)
        assert [client.get(path).json() for path in paths] == before


@pytest.mark.parametrize("back", [1_000, HOUR])
async def test_open_streams_go_on_from_that_time(world: World, back: int) -> None:
    async with world.spot(f"/ws/{TRADES}") as wire:
        world.pass_time(30)
        first = await wire.drain()
        world.clock.set(world.clock.now_ms() - back)
        world.streams.flush()
        await wire.drain()
        began = world.clock.now_ms()
        world.pass_time(30)
        again = await wire.drain()
        assert again[0]["a"] <= first[-1]["a"]
        assert all(began < event["T"] <= began + 30_000 for event in again)
        ids = [event["a"] for event in again]
        assert ids == list(range(ids[0], ids[0] + len(ids)))
        told = world.rest("/api/v3/aggTrades", symbol="BTCUSDT", fromId=ids[0], limit=len(ids))
        assert [row["a"] for row in told] == ids
        # Only once, although what was planned before the clock was set back comes due once more.
        world.pass_time(back / 1000 + 5)
        later = [event["a"] for event in await wire.drain()]
        assert later == list(range(ids[-1] + 1, ids[-1] + 1 + len(later)))
