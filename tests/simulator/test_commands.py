"""Each command of the simulator is written once: what runs here can be sent elsewhere, with the same result."""

from __future__ import annotations

import inspect
import json
from typing import Any, get_type_hints

import pytest
from pydantic_core import to_json

from binance_sdk.simulator import Fault, Instrument, ManualClock, Simulator, SimulatorError
from binance_sdk.simulator.control.commands import SimulatorCommands
from binance_sdk.simulator.control.registry import COMMANDS, CommandRunner
from binance_sdk.simulator.control.remote import RemoteCommands
from binance_sdk.simulator.rest.exchange import Request

from .conftest import NOW, simulator

OWN = Instrument("spot", "ABCXYZ", "ABC", "XYZ", 2, 3, price_zeros=6, lot_zeros=5)
CALLS: dict[str, dict[str, Any]] = {
    "requests": {},
    "archive_requests": {},
    "now_ms": {},
    "used_weight": {"market": "spot"},
    "windows": {"market": "futures"},
    "injected": {},
    "reset_windows": {"market": None},
    "maintenance": {"market": "spot", "refuse": False},
    "end_maintenance": {},
    "reset_limits": {},
    "change_limits": {"market": "spot", "weight": 50, "window_seconds": 30, "groups": {"raw_requests": 7}},
    "drift": {"operation": "spot.klines", "weight": 9},
    "foreign_traffic": {"market": "futures", "weight_per_second": 1.5, "weight": 3},
    "stop_foreign_traffic": {"market": "futures"},
    "list_symbol": {"market": "spot", "symbol": OWN, "at": NOW},
    "set_status": {"market": "spot", "symbol": "BTCUSDT", "status": "BREAK"},
    "delist_symbol": {"market": "spot", "symbol": "ETHUSDT", "at": NOW + 1},
    "settle_symbol": {"symbol": "BTCUSDT", "removed_after": 2.5},
    "add_faults": {"faults": [{"kind": "reset"}], "where": ["spot.*"], "count": 2},
    "add_fault": {"text": "latency:seconds=0.1"},
    "remove_faults": {"rule": 0},
    "clear_faults": {},
    "advance": {"seconds": 1.5},
    "set_clock": {"now_ms": NOW - 5},
}
"""A call of every command; a new one needs a line here."""


class Loop(RemoteCommands):
    """A control whose way to the simulator is JSON text, without a connection."""

    def __init__(self, simulator: Simulator) -> None:
        self._runner = CommandRunner(simulator)

    def ask(self, name: str, **arguments: object) -> object:
        return json.loads(to_json(self._runner.run(name, json.loads(to_json(arguments)))))


def pair() -> tuple[Simulator, Loop]:
    running = simulator(clock=ManualClock(NOW))
    return running, Loop(running)


def test_every_public_method_is_a_command_and_has_a_call_here() -> None:
    methods = {name for name, _ in inspect.getmembers(SimulatorCommands, inspect.isfunction) if name[0] != "_"}
    assert methods <= set(COMMANDS)
    assert set(CALLS) == set(COMMANDS)
    for name, command in COMMANDS.items():
        assert set(CALLS[name]) <= set(inspect.signature(command.body).parameters), name
        assert "return" in get_type_hints(command.body), name


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_does_the_same_here_and_over_a_connection(name: str) -> None:
    here, there = simulator(clock=ManualClock(NOW)), pair()
    for exchange in (here._exchange, there[0]._exchange):
        exchange.answer(Request("futures", 0, "GET", "/fapi/v1/klines", "symbol=BTCUSDT&interval=1m"))
        exchange.answer(Request("spot", 0, "GET", "/api/v3/ping"))
    method = name if hasattr(SimulatorCommands, name) and name != "requests" else f"_{name}"
    expected = getattr(here, method)(**CALLS[name])
    result = getattr(there[1], method)(**CALLS[name])
    # The numbers of rules are those of the process.
    if name in ("add_fault", "add_faults"):
        assert result in [rule.number for rule in there[0].faults.rules]
    else:
        assert result == expected
        assert type(result) is type(expected)
    # And afterwards both are in the same state.
    for running in (here, there[0]):
        running._exchange.markets["spot"].open(NOW + 60_000)
    assert there[1].now_ms() == here.now_ms()
    assert there[1].requests == here.requests
    assert there[1].windows("futures") == here.windows("futures")
    assert there[1].used_weight("spot") == here.used_weight("spot")
    assert [rule.faults for rule in there[0].faults.rules] == [rule.faults for rule in here.faults.rules]
    spot = [running._exchange.markets["spot"].table for running in (here, there[0])]
    assert spot[0] == spot[1]
    limits = [running._exchange.limiters["spot"].weight.limit for running in (here, there[0])]
    assert limits[0] == limits[1] == (50 if name == "change_limits" else limits[0])


def test_positional_arguments_arrive_by_name() -> None:
    running, loop = pair()
    loop.drift("spot.time", 3)
    loop.set_status("spot", "BTCUSDT", "BREAK", NOW)
    assert running._exchange.answer(Request("spot", 0, "GET", "/api/v3/time")).headers["x-mbx-used-weight"] == "3"
    with pytest.raises(TypeError, match="unexpected keyword argument 'wight'"):
        loop.drift("spot.time", 3, wight=3)  # type: ignore[call-arg]


def test_rules_are_removed_by_their_number_also_those_of_streams() -> None:
    running, loop = pair()
    first, second = loop.faults.add(Fault.reset()), loop.add_fault("drop:where=spot.*")
    third = loop.faults.next(3, Fault.garbled(), Fault.bad_gzip(), where="futures")
    assert (len(running.faults.rules), len(running.streams.faults.rules)) == (2, 1)
    assert running.faults.rules[1].left == 3
    second.remove()
    first.remove()
    first.remove()
    assert [rule.number for rule in running.faults.rules] == [third.number]
    assert running.streams.faults.rules == ()
    loop.faults.clear()
    assert running.faults.rules == ()


def test_a_wrong_argument_is_told_as_over_http() -> None:
    _, loop = pair()
    with pytest.raises(SimulatorError, match=r"market: Input should be 'spot', 'futures'"):
        loop.windows("margin")  # type: ignore[arg-type]
    with pytest.raises(SimulatorError, match="time only moves forward"):
        loop.advance(-1)
    with pytest.raises(SimulatorError, match="window_seconds=0 must be at least 1"):
        loop.change_limits("spot", window_seconds=0)
    with pytest.raises(SimulatorError, match="weight=-1 must be at least 0"):
        loop.drift("spot.time", -1)
