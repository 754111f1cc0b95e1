"""The whole client against the simulator: both transports, both markets, REST for the fills."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, cast

import pytest

from binance_sdk import BinanceClient, futures, spot
from binance_sdk.simulator import ManualClock, Simulator
from binance_sdk.simulator.streams import StreamFault
from binance_sdk.streams import Events


async def trades(events: Events[spot.AggTradeEvent], clock: ManualClock, count: int) -> list[spot.AggTradeEvent]:
    """So many, while the simulator's time goes on."""
    reading = asyncio.create_task(_read(events, count))
    for _ in range(600):
        if reading.done():
            break
        clock.advance(5.0)
        await asyncio.sleep(0.01)
    return await reading


async def _read(events: Events[spot.AggTradeEvent], count: int) -> list[spot.AggTradeEvent]:
    seen: list[Any] = []
    async for event in events:
        seen.append(event)
        if len(seen) == count:
            break
    return seen


@pytest.mark.parametrize("transport", ["httpx", "aiohttp"])
async def test_trades_of_the_simulator(transport: Any) -> None:
    clock = ManualClock(1_700_000_000_000)
    with Simulator(clock=clock) as simulator:
        async with BinanceClient(
            spot_base_url=simulator.base_url("spot"),
            futures_base_url=simulator.base_url("futures"),
            spot_stream_url=simulator.stream_url("spot"),
            futures_stream_url=simulator.stream_url("futures"),
            transport=transport,
        ) as client:
            async with client.spot.streams.agg_trade("BTCUSDT", fill_gaps=True, quiet_time=None) as events:
                seen = await trades(events, clock, 5)
                assert all(isinstance(event, spot.AggTradeEvent) for event in seen)
                assert [event.agg_id for event in seen] == list(range(seen[0].agg_id, seen[0].agg_id + 5))
            async with client.futures.streams.mark_price("BTCUSDT") as prices:
                clock.advance(5.0)
                assert isinstance(await anext(prices), futures.MarkPriceEvent)


async def test_faults_of_the_simulator_lose_nothing_with_fill() -> None:
    clock = ManualClock(1_700_000_000_000)
    with Simulator(clock=clock) as simulator:
        faults = simulator.streams.faults
        faults.add(
            StreamFault.drop(), StreamFault.duplicate(), StreamFault.garbage(), where="spot.agg_trade", probability=0.3
        )
        faults.add(StreamFault.abort(), where="spot.agg_trade", probability=0.05, count=2)
        async with (
            BinanceClient(
                spot_base_url=simulator.base_url("spot"), spot_stream_url=simulator.stream_url("spot")
            ) as client,
            client.spot.streams.agg_trade("BTCUSDT", fill_gaps=True, quiet_time=None) as events,
        ):
            seen = await trades(events, clock, 60)
            assert [event.agg_id for event in seen] == list(range(seen[0].agg_id, seen[0].agg_id + 60))
            assert events.stats.filled > 0


@dataclass(frozen=True)
class Mixed:
    """A client of an exchange whose futures streams carry rows of COIN-M too, and the clock of that exchange."""

    client: BinanceClient
    clock: ManualClock

    async def rows(self, events: Events[Any]) -> list[Any]:
        """Those of the next message, five seconds later."""
        self.clock.advance(5.0)
        event: Any = await anext(events)
        return cast(list[Any], event) if isinstance(event, list) else [event]


@pytest.fixture(params=["httpx", "aiohttp"])
async def mixed(request: pytest.FixtureRequest) -> AsyncIterator[Mixed]:
    clock = ManualClock(1_700_000_000_000)
    with Simulator(clock=clock) as simulator:
        async with BinanceClient(
            futures_base_url=simulator.base_url("futures"),
            futures_stream_url=simulator.stream_url("futures"),
            transport=request.param,
        ) as client:
            yield Mixed(client, clock)


@pytest.mark.parametrize("overflow", ["block", "latest"])
async def test_rows_of_coin_m_are_counted_and_left_out(mixed: Mixed, overflow: Any) -> None:
    s = mixed.client.futures.streams
    stream = s.combine(
        *(s.all_mini_tickers(), s.all_tickers(), s.all_mark_prices(), s.all_book_tickers()),
        overflow=overflow,
        quiet_time=None,
    )
    async with stream as events:
        seen: dict[str, set[str]] = {}
        async with asyncio.timeout(20):
            while len(seen) < 4 or not events.stats.other_market:
                rows = await mixed.rows(events)
                seen.setdefault(rows[0].stream, set()).update(row.symbol for row in rows)
                assert {row.symbol_type for row in rows} == {1}
        assert not any(symbol.endswith("_PERP") for symbols in seen.values() for symbol in symbols)
        assert all("BTCUSDT" in seen[name] for name in ("!miniTicker@arr", "!ticker@arr", "!markPrice@arr"))
        assert (events.stats.malformed, events.stats.gaps) == (0, 0)


async def test_rows_of_coin_m_come_from_combined_streams_where_asked(mixed: Mixed) -> None:
    s = mixed.client.futures.streams
    stream = s.combine(s.all_tickers(), s.all_mark_prices(), all_markets=True, quiet_time=None)
    async with stream as events:
        seen: dict[str, set[tuple[str, int | None]]] = {}
        async with asyncio.timeout(20):
            while len(seen) < 2:
                rows = await mixed.rows(events)
                seen.setdefault(rows[0].stream, set()).update((row.symbol, row.symbol_type) for row in rows)
        for name in ("!ticker@arr", "!markPrice@arr"):
            assert {("BTCUSDT", 1), ("BTCUSD_PERP", 2)} <= seen[name]
        assert (events.stats.other_market, events.stats.malformed) == (0, 0)
