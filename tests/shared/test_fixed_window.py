"""The window in the store against the window in memory: the same numbers after every step, on real servers."""

from __future__ import annotations

import random
from importlib.resources import files
from typing import Any

import pytest
import redis

from binance_sdk._runtime.budget.fixed_window import FixedWindow
from binance_sdk._runtime.budget.resource import Charge

from .servers import Server

_FIELDS = (
    *("limit", "seconds", "index", "reported", "in_flight", "unreported", "covered", "lost", "late"),
    *("previous_used", "own", "foreign", "foreign_rate", "seen_at", "used"),
)
_DRIVER = """
local w, charges, out = fixed.new(tonumber(ARGV[1]), tonumber(ARGV[2]), 0, 0), {}, {}
local fields = {FIELDS}
local at = 3
local function number()
  local text = ARGV[at]
  at = at + 1
  return tonumber(text)
end
while ARGV[at] do
  local step, now = ARGV[at], tonumber(ARGV[at + 1])
  at = at + 2
  local ready = 0
  if step == 'take' then
    local amount, share = number(), number()
    ready = fixed.ready_at(w, amount, now, share)
    table.insert(charges, fixed.take(w, amount, now))
  elseif step == 'refund' then
    fixed.refund(w, table.remove(charges, number() + 1))
  elseif step == 'settle' then
    local which, reported, answered = number(), number(), number()
    if reported < 0 then reported = nil end
    fixed.settle(w, table.remove(charges, which + 1), reported, now, answered == 1)
  elseif step == 'clock' then
    fixed.set_clock(w, number(), number(), now)
  else
    fixed.resize(w, number(), number(), now)
  end
  w = cmsgpack.unpack(cmsgpack.pack(w))
  local row = {string.format('%.17g', ready)}
  for _, field in ipairs(fields) do
    table.insert(row, string.format('%.17g', field == 'used' and fixed.used(w) or w[field]))
  end
  table.insert(out, row)
end
return out
""".replace("FIELDS", ", ".join(f"'{field}'" for field in _FIELDS))
_SCRIPT = files("binance_sdk._runtime.budget.shared").joinpath("fixed_window.lua").read_text() + _DRIVER

_PAUSES = (0, 0, 1, 3, 7, 10, 20, 30, 64, 128, 300, 610, 660, 2000)
"""In 64ths of a second: long enough ones for every guard, and exact in both languages."""


def _steps(seed: int) -> list[tuple[object, ...]]:
    """A few hundred steps, whose counts are near those that a server would tell."""
    draw = random.Random(seed)
    busy = draw.choice([6, len(_PAUSES)])
    steps: list[tuple[object, ...]] = []
    for _ in range(300):
        pause = draw.choice(_PAUSES[:busy] if draw.random() < 0.95 else _PAUSES) / 64
        kind = draw.choices(["take", "settle", "refund", "clock", "resize"], [40, 50, 6, 3, 1])[0]
        if kind == "take":
            steps.append((kind, pause, draw.randint(1, 9), draw.choice([1.0, 0.95, 0.5])))
        elif kind == "settle":
            told = draw.choice([-1, 0, 1, 2, 5, draw.randint(0, 130)]) if draw.random() < 0.5 else None
            steps.append((kind, pause, draw.randint(0, 5), told, draw.choice([1, 1, 1, 0])))
        elif kind == "refund":
            steps.append((kind, pause, draw.randint(0, 5)))
        elif kind == "clock":
            steps.append((kind, pause, draw.choice([0.0, 0.5, -3.0, 12.0]), draw.choice([0.0, 0.25, 1.0])))
        else:
            steps.append((kind, pause, draw.choice([60, 100]), draw.choice([10, 20])))
    return steps


def _in_memory(steps: list[tuple[Any, ...]]) -> tuple[list[list[float]], list[str]]:
    """The numbers after each step, and the steps as the script takes them."""
    window, now = FixedWindow("weight", 100, 10), 1_000_003.0
    charges: list[Charge] = []
    rows: list[list[float]] = []
    sent: list[str] = []
    for name, pause, *rest in steps:
        now += pause
        ready = 0.0
        if name == "settle" and rest[1] is None:
            # What a server would tell that has seen nobody else.
            rest[1] = window.reported + 4
        numbers: list[float] = [*rest]
        if name in ("refund", "settle"):
            if not charges:
                continue
            numbers[0] = int(numbers[0]) % len(charges)
        if name == "take":
            ready = window.ready_at(int(numbers[0]), now, numbers[1])
            charges.append(window.take(int(numbers[0]), now))
        elif name == "refund":
            window.refund(charges.pop(int(numbers[0])), now)
        elif name == "settle":
            which, reported, answered = numbers
            told = None if reported < 0 else int(reported)
            window.settle(charges.pop(int(which)), told, now, answered=answered == 1)
        elif name == "clock":
            window.set_clock(numbers[0], numbers[1], now)
        else:
            window.resize(int(numbers[0]), int(numbers[1]), now)
        rows.append([ready, *(float(getattr(window, field)) for field in _FIELDS)])
        sent += [str(name), repr(now), *(repr(number) for number in numbers)]
    return rows, sent


@pytest.mark.parametrize("seed", range(60))
def test_the_store_counts_as_memory_does(server: Server, seed: int) -> None:
    expected, sent = _in_memory(_steps(seed))
    with redis.Redis(port=server.port) as client:
        answer = client.eval(_SCRIPT, 0, "100", "10", *sent)
    assert [[float(text) for text in row] for row in answer] == expected  # type: ignore[union-attr]
