"""Single lines of the budget that no other test would miss: each of these fails without one."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Any

import httpx
import pytest

from binance_sdk import BinanceClient, Caps, errors
from binance_sdk._runtime.budget import pool as pools
from binance_sdk._runtime.budget.client_budget import ClientBudget
from binance_sdk._runtime.budget.fixed_window import FixedWindow
from binance_sdk._runtime.budget.gate import Gate
from binance_sdk._runtime.budget.ledger import Grant
from binance_sdk._runtime.budget.pool import Cost, Pool, shared_pool
from binance_sdk._runtime.budget.retry_quota import RetryQuota
from binance_sdk._runtime.budget.server_time import ServerTime
from binance_sdk._runtime.budget.sliding_window import SlidingWindow
from binance_sdk._runtime.budget.weight_drift import DriftWatch
from binance_sdk._runtime.calls.circuit_breaker import Breaker, BreakerPolicy
from binance_sdk._runtime.market import Limit, PoolLimits

from .scene import HEADER, Scene, make_pool
from .virtual import START, now, run

MINUTE = 60

# ------------------------------------------------------------------------------------------ windows


def test_only_the_first_answer_that_sees_the_servers_window_turn_sets_the_count_back() -> None:
    """Three are in flight while the server begins its next minute before us; their counts arrive as 10, 5, 15."""
    window, at = FixedWindow("weight", 100, MINUTE), START + 20
    window.settle(window.take(80, at), 80, at)
    first, second, third = (window.take(5, at) for _ in range(3))
    window.settle(second, 10, at)
    assert window.used == 10 + 10
    window.settle(first, 5, at)
    assert window.reported == 10
    window.settle(third, 15, at)
    assert (window.reported, window.used) == (15, 15)


def test_what_was_never_sent_takes_no_room_beside_the_turn_of_a_window() -> None:
    window = FixedWindow("weight", 100, MINUTE)
    charge = window.take(100, START + 59.9)
    at = START + MINUTE + 0.05
    window.refund(charge, at)
    assert window.ready_at(100, at, 1.0) <= at


def test_what_others_spend_is_the_servers_count_less_all_of_ours() -> None:
    window, at = FixedWindow("weight", 1000, MINUTE), START + 20
    window.settle(window.take(10, at), 10, at)
    assert window.foreign == 0
    at = START + MINUTE + 20
    window.settle(window.take(5, at), 25, at)
    assert window.foreign == 20
    first, second = window.take(5, at), window.take(7, at)
    # The count may hold what is still in flight, so it is not theirs.
    window.settle(first, 37, at)
    assert window.foreign == 20
    window.settle(second, 60, at)
    assert window.foreign == 43


def test_old_news_of_others_fades_and_a_full_window_says_that_they_want_more() -> None:
    window, at = FixedWindow("weight", 100, MINUTE), START + 30
    window.settle(window.take(10, at), 40, at)
    window.roll(START + MINUTE)
    # The first figure of other clients is taken as it is: 30 in half a minute.
    assert window.foreign_rate == pytest.approx(1.0)
    window.roll(START + 2 * MINUTE)
    assert window.foreign_rate == pytest.approx(0.5)
    window, at = FixedWindow("weight", 100, MINUTE), START + 30
    window.settle(window.take(40, at), 100, at)
    window.roll(START + MINUTE)
    assert window.foreign_rate == pytest.approx(2.0 * 1.1)


def test_a_clock_that_began_in_1970_is_put_right_without_forgetting() -> None:
    """As on a machine without a battery, in its first minute."""
    window = FixedWindow("weight", 100, MINUTE, uncertainty=1.0)
    window.settle(window.take(70, 20.0), None, 20.0)
    window.set_clock(START, 0.01, 20.0)
    assert window.ready_at(31, 21.0, 1.0) > 21.0
    assert window.used == 70


def test_a_window_that_rolls_frees_room_when_the_last_of_what_is_missing_is_old_enough() -> None:
    rolling = SlidingWindow("group", 10, MINUTE)
    for second in (0, 10):
        rolling.settle(rolling.take(5, START + second), None, START + second)
    at = START + 20
    ready = [rolling.ready_at(amount, at, 1.0) - START for amount in (1, 5, 6, 10)]
    assert ready == [MINUTE, MINUTE, MINUTE + 10, MINUTE + 10]
    assert rolling.ready_at(11, at, 1.0) == float("inf")


def test_a_window_that_is_named_beside_another_holds_what_that_one_does() -> None:
    pool = make_pool(6000, {"raw_requests": 1000})
    ask(pool, 20, 20)
    running = pool.weight.take(30, START + 1)
    group = pool.groups["raw_requests"]
    for _ in range(7):
        group.settle(group.take(1, START + 1), None, START + 1)
    pool.learn_limits(
        [
            *[("REQUEST_WEIGHT", "MINUTE", 1, 6000), ("REQUEST_WEIGHT", "HOUR", 1, 100_000)],
            *[("RAW_REQUESTS", "MINUTE", 5, 1000), ("RAW_REQUESTS", "MINUTE", 1, 500)],
        ],
        START + 1,
    )
    assert [window.used for window in pool.weights] == [50, 50]
    assert [window.used for window in pool.windows if window not in pool.weights] == [7, 7]
    pool.weight.settle(running, 50, START + 1)
    assert pool.weight.used == 50


def test_a_window_whose_limit_cannot_be_true_stays_with_the_one_it_has(caplog: pytest.LogCaptureFixture) -> None:
    pool = make_pool(6000)
    pool.learn_limits([("REQUEST_WEIGHT", "MINUTE", 1, 10**18), ("REQUEST_WEIGHT", "HOUR", 1, 100_000)], START)
    assert [(window.seconds, window.limit) for window in pool.weights] == [(60, 6000), (3600, 100_000)]
    assert "a number of more than 18 digits" in caplog.text


def test_who_needs_no_place_gets_none_and_pays_for_all_else() -> None:
    async def story() -> None:
        scene = Scene(at_once=1)
        running = hold(scene)
        grant = await scene.budget.acquire(
            "x", scene.pool, Cost(9, ()), priority="normal", wait=False, deadline=now(), beyond_concurrency=True
        )
        assert scene.pool.weight.used == 10
        scene.pool.finish(grant, None, None, now())
        scene.pool.finish(running, None, None, now())
        assert scene.is_clean()

    run(story())


def test_who_is_overtaken_and_will_be_too_late_is_told_when_it_would_fit() -> None:
    """It is refused before its deadline has passed, and its error names no time."""

    async def story() -> None:
        scene = Scene(caps=Caps(spot_weight_per_minute=20))
        await scene.call("first", 15)
        await asyncio.sleep(30)
        await scene.call("second", 5)
        overtaken = asyncio.ensure_future(scene.call("overtaken", 5, deadline=START + 70))
        await asyncio.sleep(1)
        urgent = asyncio.ensure_future(scene.call("urgent", 20, priority="high"))
        with pytest.raises(errors.BudgetError, match="deadline") as caught:
            await overtaken
        assert now() < START + 61
        assert (caught.value.retry_at or 0) / 1000 - START == pytest.approx(90, abs=0.1)
        await urgent
        assert scene.is_clean()

    run(story())


def test_what_the_margin_forbids_never_fits() -> None:
    async def story() -> None:
        scene = Scene()
        scene.budget = ClientBudget(scene.clock, Caps(), 0.05, 1000, scene.events.append)
        await scene.call("as large as may be", 95)
        with pytest.raises(errors.BudgetError, match="never fits"):
            await scene.call("a little larger", 96)

    run(story())


def test_the_count_of_another_window_is_believed_where_this_one_has_none() -> None:
    pool = make_pool(6000)
    pool.learn_limits([("REQUEST_WEIGHT", "MINUTE", 1, 6000), ("REQUEST_WEIGHT", "HOUR", 1, 100_000)], START)
    minute, hour = pool.weights
    grant = Grant(tuple((window, window.take(5, START + 1)) for window in pool.weights))
    pool.finish(grant, None, None, START + 1, others={hour.name: 900})
    assert (minute.used, hour.used) == (5, 900)


def test_nothing_remains_of_a_full_window() -> None:
    pool = make_pool(100)
    ask(pool, 99, 99)
    assert pool.usage(pool.weight, START + 1).remaining == 1
    ask(pool, 1, 100)
    assert pool.usage(pool.weight, START + 1).remaining == 0
    # Others on the address may have gone over it.
    ask(pool, 1, 130)
    assert pool.usage(pool.weight, START + 1).remaining == 0


@pytest.mark.parametrize(("days", "believed"), [(31, True), (32, False)])
def test_a_window_of_more_than_a_month_is_not_believed(days: int, believed: bool) -> None:
    pool = make_pool(6000)
    pool.learn_limits([("REQUEST_WEIGHT", "DAY", days, 6_000_000)], START)
    assert (pool.weight.seconds == days * 86_400) is believed


def test_a_cap_may_be_as_slow_and_as_fast_as_its_docstring_says() -> None:
    for per_second in (0.0001, 1_000_000):
        assert Caps(requests_per_second=per_second).requests_per_second == per_second
    for per_second in (0.000099, 1_000_001):
        with pytest.raises(errors.ConfigError, match=r"requests_per_second=.* from 0\.0001 to 1000000$"):
            Caps(requests_per_second=per_second)
    assert Caps(requests_per_minute=10**9).requests_per_minute == 10**9
    with pytest.raises(errors.ConfigError, match="requests_per_minute"):
        Caps(requests_per_minute=10**9 + 1)


# ------------------------------------------------------------------------------------------ the gate


def test_the_first_refusal_of_a_kind_closes_the_gate_as_long_as_it_says_and_each_further_one_longer() -> None:
    banned, limited = Gate("banned"), Gate("limited")
    ends = []
    at = 10.0
    for _ in range(4):
        banned.ban(at, at + 300, sent=at)
        limited.limited(at, at + 300, sent=at)
        assert banned.banned_until == banned.closed_until
        assert limited.banned_until == 0.0
        assert limited.closed_until == banned.closed_until
        ends.append(banned.closed_until - at)
        at = banned.closed_until
    assert ends == [300, 301, 303, 307]


# ------------------------------------------------------------------------------------------ waiting


def hold(scene: Scene) -> Grant:
    """A request that has the only place there is."""
    return scene.pool.ledger.try_reserve(scene.budget.needs(scene.pool, Cost(1, ())), now()) or pytest.fail("full")


def test_a_gate_that_closes_while_a_caller_wakes_holds_it_back() -> None:
    async def story() -> None:
        scene = Scene(at_once=1)
        running = hold(scene)
        waiting = asyncio.ensure_future(scene.call("waiting", 1))
        await asyncio.sleep(0)
        # The end of the one lets the other go, and the answer closes the gate before that one has woken up.
        scene.pool.finish(running, None, None, now())
        scene.pool.gate.limited(now(), now() + 10, sent=now())
        await waiting
        assert scene.when("waiting") - START == pytest.approx(10)
        assert scene.is_clean()

    run(story())


# ------------------------------------------------------------------------------------------ retries


def test_a_long_time_without_failures_saves_up_no_more_retries_than_the_quota_holds() -> None:
    quota = RetryQuota(size=10.0, tokens=10.0)
    for _ in range(1000):
        quota.earn()
    assert [quota.spend() for _ in range(11)] == [True] * 10 + [False]
    quota.earn()
    assert not quota.spend()
    quota.earn()
    assert quota.spend()


def outcomes(breaker: Breaker, failures: int, successes: int) -> list[bool]:
    """Successes first: a failure is what opens it."""
    return [breaker.record(ok, 100.0) for ok in [True] * successes + [False] * failures]


def test_a_breaker_opens_at_its_failure_rate_and_at_its_minimum_and_not_before() -> None:
    policy = BreakerPolicy(window=30.0, minimum=20, failure_rate=0.8, pause=5.0)
    assert outcomes(Breaker("host", policy), 16, 4) == [False] * 19 + [True]
    assert outcomes(Breaker("host", policy), 19, 5) == [False] * 24
    assert outcomes(Breaker("host", policy), 20, 5) == [False] * 24 + [True]
    assert outcomes(Breaker("host", policy), 19, 0) == [False] * 19
    assert outcomes(Breaker("host", policy), 20, 0) == [False] * 19 + [True]


def test_a_breaker_counts_what_is_as_old_as_its_window_and_nothing_older() -> None:
    policy = BreakerPolicy(window=30.0, minimum=3, failure_rate=1.0)
    for last, opens in ((130.0, True), (130.001, False)):
        breaker = Breaker("host", policy)
        breaker.record(False, 100.0)
        breaker.record(False, 110.0)
        assert breaker.record(False, last) is opens


def test_failures_that_a_breaker_has_forgotten_are_no_failures() -> None:
    breaker = Breaker("host", BreakerPolicy(window=30.0, minimum=4, failure_rate=0.5))
    for _ in range(3):
        assert not breaker.record(False, 100.0)
    outcomes = [breaker.record(ok, 140.0) for ok in (True, True, True, False, False, False)]
    assert outcomes == [False] * 5 + [True]


def test_a_breaker_lets_one_probe_through_when_its_pause_is_over_and_not_before() -> None:
    breaker = Breaker("host", BreakerPolicy(minimum=1, pause=5.0, longest_pause=12.0))
    assert breaker.record(False, 100.0)
    for opened, pause in ((100.0, 5.0), (105.0, 10.0), (115.0, 12.0), (127.0, 12.0)):
        assert breaker.retry_at() == opened + pause
        assert breaker.allow(opened + pause - 0.001) == "no"
        assert breaker.allow(opened + pause) == "probe"
        assert breaker.allow(opened + pause) == "no"
        assert breaker.record(False, opened + pause)
    assert breaker.allow(151.0) == "probe"
    assert breaker.record(True, 151.0)
    assert breaker.allow(151.0) == "yes"
    # It begins anew: one pause of the shortest length.
    assert breaker.record(False, 152.0)
    assert breaker.retry_at() == 157.0


# -------------------------------------------------------------------------------------------- drift


def ask(pool: Pool, weight: int, reported: int | None) -> int | None:
    """One request from begin to end; what it is said to have taken."""
    window = pool.weight
    grant = Grant(((window, window.take(weight, START + 1)),))
    before = pool.begin(grant)
    return pool.finish(grant, before, reported, START + 1)


def test_no_drift_is_seen_while_the_server_has_counted_what_it_has_not_told() -> None:
    pool = make_pool(6000)
    assert ask(pool, 1, 1) is None
    assert ask(pool, 5, 6) == 5
    # Answered without a count: the next count holds this one too.
    assert ask(pool, 5, None) is None
    assert ask(pool, 5, 16) is None
    assert ask(pool, 5, 21) == 5


def test_no_drift_is_seen_where_another_request_or_the_turn_of_the_window_explains_the_count() -> None:
    pool = make_pool(6000)
    window = pool.weight
    assert ask(pool, 1, 1) is None
    grants = [Grant(((window, window.take(5, START + 1)),))]
    before = [pool.begin(grants[0])]
    grants.append(Grant(((window, window.take(7, START + 1)),)))
    before.append(pool.begin(grants[1]))
    assert pool.finish(grants[1], before[1], 13, START + 2) is None
    assert pool.finish(grants[0], before[0], 13, START + 2) is None
    assert ask(pool, 5, 18) == 5
    late = Grant(((window, window.take(5, START + 59)),))
    then = pool.begin(late)
    assert then is not None
    assert pool.finish(late, then, 25, START + MINUTE + 1) is None


def test_no_drift_is_seen_while_a_request_without_an_answer_may_arrive() -> None:
    pool = make_pool(6000)
    assert ask(pool, 1, 1) is None
    lost = Grant(((pool.weight, pool.weight.take(40, START + 1)),))
    pool.finish(lost, None, None, START + 1, answered=False)
    assert ask(pool, 5, 46) is None


def test_what_was_seen_of_others_is_forgotten_after_two_dozen_observations() -> None:
    """Until then more than the spec says may be theirs, and has to be seen more often."""
    for clean, enough in ((20, 8), (24, 3)):
        watch = DriftWatch()
        watch.observe("spot.klines", 2, 3)
        for _ in range(clean):
            assert watch.observe("spot.avg_price", 2, 2) is None
        told = [watch.observe("spot.depth", 5, 10) is not None for _ in range(3)]
        assert told == [False, False, enough == 3]


# ------------------------------------------------------------------------------------- server time


def test_two_coarse_answers_that_contradict_all_others_and_each_other_are_not_believed() -> None:
    time = ServerTime(START, START)
    time.observe(START, 0.001, START, START + 0.02)
    for second, ahead in enumerate((-4000, 5000, -4000, 5000)):
        at = START + second
        time.observe(at + ahead, 1.0, at, at + 0.02)
        assert time.now(at) - at == pytest.approx(0, abs=0.02)
    for second, ahead in enumerate((-4000, -4000), start=4):
        at = START + second
        time.observe(at + ahead, 1.0, at, at + 0.02)
    assert time.now(at) - at == pytest.approx(-4000, abs=1)


def test_two_clocks_drift_apart_while_no_answer_comes() -> None:
    time = ServerTime(START, START)
    time.observe(START, 0.001, START, START + 0.02)
    soon, later = time.uncertainty(START + 0.02), time.uncertainty(START + 0.02 + 3600)
    assert soon == pytest.approx(0.0105, abs=1e-6)
    assert later - soon == pytest.approx(0.18, abs=1e-6)
    # So what a coarse answer says after some hours is taken, as nothing more exact is known.
    at = START + 10_000
    time.observe(at + 0.32, 1.0, at, at + 0.02)
    assert time.now(at) - at == pytest.approx((0.3 + 0.501) / 2, abs=1e-3)
    assert time.uncertainty(at + 0.02) == pytest.approx((0.501 - 0.3) / 2, abs=1e-3)


# -------------------------------------------------------------------------------------------- pools


def test_two_threads_that_ask_for_a_pool_at_once_get_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(2)

    class SlowlyRead(dict[str, Pool]):
        def get(self, key: str, default: Any = None) -> Any:
            found = super().get(key, default)
            # Both have looked, and neither has found any, unless one has to wait for the other.
            with contextlib.suppress(threading.BrokenBarrierError):
                together.wait(0.2)
            return found

    monkeypatch.setattr(pools, "_POOLS", SlowlyRead())
    found: list[Pool] = []
    limits = PoolLimits("spot", Limit(100, 60), {}, HEADER)
    threads = [
        threading.Thread(target=lambda: found.append(shared_pool("one address", limits, START, START)))
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    assert found[0] is found[1]


# ------------------------------------------------------------------------------------------- charges


@pytest.mark.parametrize("max_retries", [0, 3])
async def test_a_request_that_could_not_be_made_is_not_charged(max_retries: int) -> None:
    """Wrongly set up: nothing has left, so the server has counted nothing."""
    http = httpx.AsyncClient(transport=httpx.MockTransport(lambda request: pytest.fail("sent")))
    await http.aclose()
    async with BinanceClient(http_client=http, max_retries=max_retries, safety_margin=0.0) as client:
        with pytest.raises(errors.BinanceError, match="closed"):
            await client.spot.depth("BTCUSDT", limit=5000)
        assert client.limits.spot.used == 0
        assert all(group.used == 0 for group in client.limits.spot.groups.values())
