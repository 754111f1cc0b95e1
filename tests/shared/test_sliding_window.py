"""The sliding window in the store against the one in memory, on real servers."""

from __future__ import annotations

from importlib.resources import files

import redis
from hypothesis import given, settings
from hypothesis import strategies as st

from binance_sdk._runtime.budget.resource import Charge
from binance_sdk._runtime.budget.sliding_window import SlidingWindow

from .servers import Server

_DRIVER = """
local w, out = sliding.new(tonumber(ARGV[1]), tonumber(ARGV[2])), {}
for at = 3, #ARGV, 4 do
  local step, now, amount, share = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local ready = sliding.ready_at(w, amount, now, share)
  if step == 'take' then
    sliding.take(w, amount)
  elseif step == 'refund' then
    sliding.refund(w, {amount = amount})
  elseif step == 'settle' then
    sliding.settle(w, {amount = amount}, now)
  else
    sliding.resize(w, amount * 10, 20, now)
  end
  w = cmsgpack.unpack(cmsgpack.pack(w))
  table.insert(out, {string.format('%.17g', ready), string.format('%.17g', sliding.used(w)), #w.spent})
end
return out
"""
_SCRIPT = files("binance_sdk._runtime.budget.shared").joinpath("sliding_window.lua").read_text() + _DRIVER
_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["take", "take", "take", "settle", "settle", "settle", "refund"] * 4 + ["resize"]),
        st.sampled_from([0.0, -0.125, 0.03125, 0.125, 0.25, 1.0, 4.0, 9.75, 31.0]),
        st.integers(1, 9),
        st.sampled_from([1.0, 0.95, 0.5]),
    ),
    min_size=20,
    max_size=60,
)


@settings(max_examples=150, deadline=None)
@given(steps=_STEPS)
def test_the_store_counts_as_memory_does(server: Server, steps: list[tuple[str, float, int, float]]) -> None:
    window, now = SlidingWindow("group", 50, 10), 1_000_003.0
    taken: list[int] = []
    expected: list[list[float]] = []
    sent: list[str] = []
    for name, pause, amount, share in steps:
        now += pause
        if name in ("settle", "refund"):
            if not taken:
                continue
            amount = taken.pop()
        ready = window.ready_at(amount, now, share)
        if name == "take":
            taken.append(window.take(amount, now).amount)
        elif name == "settle":
            window.settle(_charge(amount), None, now)
        elif name == "refund":
            window.refund(_charge(amount), now)
        else:
            window.resize(amount * 10, 20, now)
        expected.append([ready, float(window.used), len(window._spent)])
        sent += [name, repr(now), str(amount), repr(share)]
    with redis.Redis(port=server.port) as client:
        answer = client.eval(_SCRIPT, 0, "50", "10", *sent)
    assert [[float(cell) for cell in row] for row in answer] == expected  # type: ignore[union-attr]


def _charge(amount: int) -> Charge:
    return Charge(amount)
