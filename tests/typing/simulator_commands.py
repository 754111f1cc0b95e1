"""What the type checkers know of the commands of a simulator, here and in another process."""

from __future__ import annotations

from typing import assert_type

from binance_sdk.simulator import (
    Fault,
    RequestCounts,
    Simulator,
    SimulatorControl,
    WindowStats,
)


def commands(running: Simulator, control: SimulatorControl) -> None:
    assert_type(running.windows("spot"), list[WindowStats])
    assert_type(control.windows("spot"), list[WindowStats])
    assert_type(control.requests, RequestCounts)
    assert_type(control.used_weight("futures"), int)
    assert_type(control.advance(1.5), int)
    assert_type(control.change_limits("spot", weight=5), None)
    assert_type(running.faults.add(Fault.reset()).injected, int)
    assert_type(control.faults.add(Fault.reset(), where=["spot.*"]).number, int)
    control.settle_symbol("BTCUSDT", removed_after=1.0)


def wrong(control: SimulatorControl) -> None:
    control.windows("margin")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    control.used_weight()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    control.drift("spot.klines", "1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
