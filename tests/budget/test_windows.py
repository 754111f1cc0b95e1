"""The windows against a model of the server, with a clock of its own, latency and others on the same address."""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binance_sdk._runtime.budget.fixed_window import GUARD_AFTER, FixedWindow
from binance_sdk._runtime.budget.request_limits import ConcurrencyLimit, RequestRate
from binance_sdk._runtime.budget.resource import Charge
from binance_sdk._runtime.budget.sliding_window import SlidingWindow

from .counting_server import LIMIT, MINUTE, START, CountingServer


@dataclass
class Request:
    charge: Charge
    arrives: float
    answered: float
    fate: str
    told: int | None = None


LATENCY = st.sampled_from([0.0, 0.01, 0.05, 0.3, 1.0, 4.0])
SENDS = st.lists(
    st.tuples(
        st.integers(1, 60),
        st.sampled_from([0.0, 0.0, 0.02, 0.1, 0.3, 1.0, 5.0, 20.0, 59.0, 61.0]),
        LATENCY,
        LATENCY,
        st.sampled_from(["told", "told", "told", "silent", "lost", "cut off", "vanished", "never sent"]),
    ),
    max_size=50,
)


NO_ARRIVAL = ("never sent", "cut off", "vanished")


def play(
    window: FixedWindow,
    server: CountingServer,
    begin: float,
    sends: list[tuple[int, float, float, float, str]],
    foreign: list[tuple[float, int]],
    *,
    share: float = 1.0,
) -> None:
    """Every request is sent as soon as the window allows; what happens after is checked at each event."""
    now = START + begin
    under_way: list[Request] = []
    strays: list[tuple[float, int]] = []
    others = deque(sorted((START + begin + at, amount) for at, amount in foreign))
    queue = deque(sends)
    send_at = now
    patience = 0
    while queue or under_way or strays:
        moments = [r.arrives for r in under_way if r.told is None and r.fate not in NO_ARRIVAL]
        moments += [at for at, _ in strays]
        moments += [r.answered for r in under_way]
        moments += [send_at] if queue else []
        moments += [others[0][0]] if others else []
        now = max(now, min(moments))
        while others and others[0][0] <= now:
            server.take(others.popleft()[1], now)
        for stray in [stray for stray in strays if stray[0] <= now]:
            strays.remove(stray)
            server.take(stray[1], now)
        for request in [r for r in under_way if r.arrives <= now and r.told is None and r.fate not in NO_ARRIVAL]:
            request.told = server.take(request.charge.amount, now)
        for request in [r for r in under_way if r.answered <= now]:
            under_way.remove(request)
            if request.fate == "never sent":
                window.refund(request.charge, now)
            elif request.fate in ("lost", "cut off", "vanished"):
                window.settle(request.charge, None, now, answered=False)
            else:
                window.settle(request.charge, request.told if request.fate == "told" else None, now)
        if queue and send_at <= now:
            amount, gap, there, back, fate = queue[0]
            ready = window.ready_at(amount, now, share)
            if ready <= now:
                queue.popleft()
                patience = 0
                charge = window.take(amount, now)
                if fate == "cut off":
                    # The caller gave up at once, but the request was already sent.
                    strays.append((now + there, amount))
                    under_way.append(Request(charge, now, now, fate))
                else:
                    under_way.append(Request(charge, now + there, now + there + back, fate))
                send_at = now + gap
            else:
                # Rounding may need a second try, more would be a busy wait.
                patience += ready == send_at
                assert patience < 3
                send_at = max(now, ready)
        if not foreign:
            assert all(count <= LIMIT for count in server.counts.values()), server.counts
            window.roll(now)
            if window.opens <= now < window.ends - window.uncertainty:
                assert window.used >= server.count(now)
    assert window.in_flight == 0


@settings(max_examples=500)
@given(
    sends=SENDS,
    offset=st.floats(-3, 3),
    error=st.floats(-1, 1),
    uncertainty=st.sampled_from([0.002, 0.1, 0.5]),
    begin=st.sampled_from([0.0, 0.1, 30.0, 59.0, 59.9]),
)
def test_the_servers_count_never_exceeds_its_limit(
    sends: list[tuple[int, float, float, float, str]],
    offset: float,
    error: float,
    uncertainty: float,
    begin: float,
) -> None:
    window = FixedWindow("weight", LIMIT, MINUTE, offset=offset, uncertainty=uncertainty)
    play(window, CountingServer(offset + error * uncertainty), begin, sends, [])


@settings(max_examples=200)
@given(sends=SENDS, foreign=st.lists(st.tuples(st.floats(0, 200), st.integers(1, 40)), max_size=30))
def test_with_others_on_the_address_nothing_breaks_and_every_request_is_sent(
    sends: list[tuple[int, float, float, float, str]], foreign: list[tuple[float, int]]
) -> None:
    play(FixedWindow("weight", LIMIT, MINUTE), CountingServer(0.0), 0.0, sends, foreign)


@pytest.mark.parametrize("counted", [True, False], ids=["counted", "never arrived"])
def test_a_request_without_an_answer_is_charged_beside_the_servers_count_only_until_that_must_hold_it(
    counted: bool,
) -> None:
    window, server, now = FixedWindow("weight", 6000, MINUTE), CountingServer(0.0), START + 2
    window.settle(window.take(40, now), server.take(40, now), now)
    lost = window.take(800, now)
    if counted:
        server.take(800, now)
    window.settle(lost, None, now + 1, answered=False)
    # It may still be on its way when this one is sent.
    window.settle(window.take(1, now + 2), server.take(1, now + 2), now + 2)
    assert window.used == server.count(now) + 800
    window.settle(window.take(1, now + 8), server.take(1, now + 8), now + 8)
    assert window.used == server.count(now) == (842 if counted else 42)


def test_what_was_lost_at_the_end_of_a_window_is_charged_in_the_next_until_that_must_hold_it() -> None:
    window, server, now = FixedWindow("weight", LIMIT, MINUTE), CountingServer(0.0), START + 59
    window.settle(window.take(30, now), None, now, answered=False)
    now = START + 61
    server.take(30, now)
    assert window.ready_at(71, now, 1.0) > now
    window.settle(window.take(5, now), server.take(5, now), now)
    assert window.used == 35 + 30
    now = START + 70
    window.settle(window.take(5, now), server.take(5, now), now)
    assert window.used == 40


def test_others_are_left_room_for() -> None:
    """Another client spends 40 of 100 each minute, evenly; once that is known, we leave room for it."""
    window, server, now = FixedWindow("weight", LIMIT, MINUTE), CountingServer(0.0), START
    refused: list[int] = []
    for minute in range(12):
        spent = 0
        for second in range(60):
            now = START + minute * MINUTE + second + 0.5
            if second % 3 == 0:
                if server.count(now) + 2 > LIMIT:
                    refused.append(minute)
                else:
                    server.take(2, now)
            if window.ready_at(1, now, 1.0) <= now:
                charge = window.take(1, now)
                window.settle(charge, server.take(1, now), now)
                spent += 1
            while second == 0 and window.ready_at(5, now, 1.0) <= now:
                charge = window.take(5, now)
                window.settle(charge, server.take(5, now), now)
                spent += 5
        if minute > 5:
            assert spent >= 50, "own and foreign together are to use the window"
    assert refused.count(0) >= 18, "we filled the first minute before we knew of them"
    assert all(refused.count(minute) <= 3 for minute in range(6, 12))


@given(jump=st.floats(-100_000, 100_000), used=st.integers(1, LIMIT))
def test_a_corrected_clock_forgets_nothing_and_locks_nothing(jump: float, used: int) -> None:
    window, now = FixedWindow("weight", LIMIT, MINUTE, uncertainty=0.5), START + 20
    window.settle(window.take(used, now), None, now)
    window.set_clock(jump, 0.01, now)
    assert window.used == used or abs(jump) < 1.0
    ready = window.ready_at(LIMIT, now, 1.0)
    assert now < ready <= now + 2 * MINUTE + 1
    assert window.ready_at(LIMIT, ready, 1.0) <= ready


@given(
    used=st.integers(0, LIMIT),
    seconds=st.sampled_from([1, 10, 60, 300]),
    limit=st.integers(1, 300),
    amount=st.integers(1, 300),
)
def test_a_window_of_another_length_keeps_what_was_spent(used: int, seconds: int, limit: int, amount: int) -> None:
    window, now = FixedWindow("weight", LIMIT, MINUTE), START + 20
    if used:
        window.settle(window.take(used, now), used, now)
    window.resize(limit, seconds, now)
    fits = window.ready_at(amount, now, 1.0) <= now
    assert not fits or used + amount <= limit
    if amount <= limit:
        assert window.ready_at(amount, now + 2 * seconds, 1.0) <= now + 2 * seconds


def test_the_child_of_a_fork_counts_the_parents_requests_but_waits_for_none() -> None:
    window, rolling, slots = (
        FixedWindow("weight", LIMIT, MINUTE),
        SlidingWindow("requests", 5, MINUTE),
        ConcurrencyLimit("slots", 2),
    )
    now = START + 20
    for resource in (window, rolling, slots):
        resource.take(2, now)
        resource.after_fork()
    assert (window.used, window.in_flight) == (2, 0)
    assert (rolling.used, rolling.in_flight) == (2, 0)
    assert slots.ready_at(2, now, 1.0) <= now
    assert rolling.ready_at(4, now, 1.0) == now + MINUTE
    later = now + MINUTE + 1
    window.roll(later + MINUTE)
    rolling.roll(later)
    assert (window.used, rolling.used) == (0, 0)


# -------------------------------------------------------------------------------- rolling windows


@settings(max_examples=300)
@given(
    requests=st.lists(st.tuples(st.integers(1, 5), st.floats(0, 20), st.floats(0, 8), st.floats(0, 8)), max_size=60),
    phase=st.floats(0, 60),
)
def test_a_rolling_window_keeps_to_every_window_of_its_length(
    requests: list[tuple[int, float, float, float]], phase: float
) -> None:
    """Fixed or rolling, begun anywhere, counted at any moment of a request: never more than the limit."""
    rolling, now, limit = SlidingWindow("group", 10, MINUTE), START, 10
    open_requests: list[tuple[float, Charge]] = []
    arrivals: list[tuple[float, int]] = []
    for amount, gap, there, back in requests:
        for _ in range(100):
            for end, charge in sorted(open_requests, key=lambda request: request[0]):
                if end <= now:
                    rolling.settle(charge, None, end)
                    open_requests.remove((end, charge))
            ready = rolling.ready_at(amount, now, 1.0)
            if ready <= now:
                break
            now = min([ready, *(end for end, _ in open_requests if end > now)])
        else:
            pytest.fail("never fits")
        open_requests.append((now + there + back, rolling.take(amount, now)))
        arrivals.append((now + there, amount))
        now += gap
    arrivals.sort()
    for at, _ in arrivals:
        assert sum(n for moment, n in arrivals if at - MINUTE < moment <= at) <= limit
    fixed: dict[int, int] = {}
    for at, n in arrivals:
        index = int((at + phase) // MINUTE)
        fixed[index] = fixed.get(index, 0) + n
    assert all(count <= limit for count in fixed.values())


def test_a_rolling_window_remembers_little() -> None:
    rolling, now = SlidingWindow("raw requests", 300_000, 300), START
    for _ in range(50_000):
        assert rolling.ready_at(1, now, 1.0) == now
        rolling.settle(rolling.take(1, now), None, now)
        now += 0.02
    assert len(rolling._spent) <= 102
    assert 14_700 <= rolling.used <= 15_300


def test_a_rolling_window_that_is_full_of_running_requests_waits_for_them() -> None:
    rolling = SlidingWindow("group", 2, MINUTE)
    first, _ = rolling.take(1, START), rolling.take(1, START)
    assert rolling.ready_at(1, START, 1.0) == float("inf")
    rolling.refund(first, START)
    assert rolling.ready_at(1, START, 1.0) <= START


# ------------------------------------------------------------------------------------------- pace


@given(times=st.lists(st.floats(0, 3), min_size=2, max_size=40), per_second=st.sampled_from([0.5, 3.0, 20.0]))
def test_a_pace_spreads_evenly(times: list[float], per_second: float) -> None:
    pace, now, sent = RequestRate("pace", per_second), START, []
    for gap in times:
        now = max(now, pace.ready_at(1, now, 1.0))
        pace.take(1, now)
        sent.append(now)
        now += gap / per_second
    gaps = [later - earlier for earlier, later in itertools.pairwise(sent)]
    assert min(gaps) >= 1 / per_second - 1e-6


def test_a_pace_takes_back_the_last_interval_only() -> None:
    pace = RequestRate("pace", 10.0)
    first, last = pace.take(1, START), pace.take(1, START)
    pace.refund(first, START)
    assert pace.ready_at(1, START, 1.0) - START == pytest.approx(0.2)
    pace.refund(last, START)
    assert pace.ready_at(1, START, 1.0) - START == pytest.approx(0.1)


def test_the_guard_after_the_turn_is_as_measured() -> None:
    window, now = FixedWindow("weight", LIMIT, MINUTE), START + 59
    window.settle(window.take(LIMIT, now), LIMIT, now)
    assert window.ready_at(1, now, 1.0) == START + MINUTE + GUARD_AFTER
