"""Every stream that can be filled, against the simulator: what REST gives is what an unbroken stream sends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import pytest

from binance_sdk import BinanceClient
from binance_sdk._generated.futures import stream_operations as futures_operations
from binance_sdk._generated.spot import stream_operations as spot_operations
from binance_sdk._runtime.stream.operation import StreamOperation
from binance_sdk.simulator import ManualClock, Simulator
from binance_sdk.simulator.streams import StreamFault

START = 1_700_000_000_000
ARGUMENTS: dict[str, dict[str, Any]] = {
    "spot.kline": {"interval": "1m"},
    "spot.kline_utc8": {"interval": "1m"},
    "futures.kline": {"interval": "1m"},
    "futures.continuous_kline": {"contract_type": "PERPETUAL", "interval": "1m"},
}
FILLED = [
    operation
    for module in (spot_operations, futures_operations)
    for operation in vars(module).values()
    if isinstance(operation, StreamOperation) and operation.fill is not None
]


def test_these_streams_can_be_filled() -> None:
    assert {operation.id for operation in FILLED} == {"spot.agg_trade", "spot.trade", "futures.agg_trade", *ARGUMENTS}


@pytest.mark.parametrize("operation", FILLED, ids=lambda operation: operation.id)
async def test_what_was_lost_is_fetched(operation: StreamOperation[Any]) -> None:
    assert operation.sequence is not None
    bars = operation.sequence.kind == "time"
    number, wanted = attrgetter(operation.sequence.last), 12 if bars else 40

    def counts(event: Any) -> bool:
        return not bars or event.kline.is_closed

    unharmed = await _heard(operation, number, counts, wanted + 6, faults=())
    seen = await _heard(operation, number, counts, wanted, faults=(StreamFault.drop(),))
    numbers = [number(event) for event in seen]
    step = 60_000 if bars else 1
    assert numbers == list(range(numbers[0], numbers[0] + wanted * step, step))
    filled = [event for event in seen if event.filled]
    assert filled
    assert len(filled) < wanted
    truth = {number(event): event for event in unharmed}
    for event in seen:
        # A live event is equal; a filled one may lack fields, but those it has are equal.
        assert _within(event.model_dump(exclude_unset=True), truth[number(event)].model_dump())


def _within(part: dict[str, Any], whole: dict[str, Any]) -> bool:
    return all(
        _within(value, whole[name]) if isinstance(value, dict) else value == whole[name] for name, value in part.items()
    )


async def _heard(
    operation: StreamOperation[Any],
    number: Callable[[Any], int],
    counts: Callable[[Any], bool],
    wanted: int,
    *,
    faults: tuple[StreamFault, ...],
) -> list[Any]:
    """So many events by number, from a simulator of its own with the same seed and clock."""
    clock = ManualClock(START)
    with Simulator(clock=clock) as simulator:
        if faults:
            simulator.streams.faults.add(*faults, where=operation.id, probability=0.4)
        async with BinanceClient(
            spot_base_url=simulator.base_url("spot"),
            futures_base_url=simulator.base_url("futures"),
            spot_stream_url=simulator.stream_url("spot"),
            futures_stream_url=simulator.stream_url("futures"),
        ) as client:
            streams = client.spot.streams if operation.market == "spot" else client.futures.streams
            make = getattr(streams, operation.name)
            options = {"fill_gaps": True, "quiet_time": None}
            async with make("BTCUSDT", **ARGUMENTS.get(operation.id, {}), **options) as events:
                reading = asyncio.create_task(_read(events, counts, wanted))
                for _ in range(600):
                    if reading.done():
                        break
                    clock.advance(5.0)
                    await asyncio.sleep(0.005)
                return await reading


async def _read(events: Any, counts: Callable[[Any], bool], wanted: int) -> list[Any]:
    seen: list[Any] = []
    async for event in events:
        if counts(event):
            seen.append(event)
        if len(seen) == wanted:
            break
    return seen
