"""The queue: no interleaving spends more than the limit, no call starves, and giving up leaves nothing behind."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from binance_sdk import Caps
from binance_sdk._runtime.budget.ledger import Ledger, Need, Reservation, Ticket
from binance_sdk._runtime.budget.pool import Cost
from binance_sdk._runtime.budget.resource import Unmetered
from binance_sdk._runtime.options import Priority
from binance_sdk.errors import BudgetError

from .scene import LIMIT, Scene, make_pool
from .virtual import START, VirtualLoop, now, run

CALLS = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 5, 10, 20, 50, LIMIT]),
        st.sampled_from(["high", "normal", "low"]),
        st.sampled_from([0.0, 0.0, 0.0, 0.5, 30.0, 59.8, 60.1]),
        st.sampled_from([0.0, 0.05, 0.4, 3.0]),
        st.one_of(st.none(), st.sampled_from([0.0, 0.01, 0.2, 1.0, 30.0, 61.0])),
        st.booleans(),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=150)
@given(calls=CALLS, at_once=st.sampled_from([1, 3, 1000]))
def test_no_interleaving_spends_more_than_the_limit_and_nobody_starves(
    calls: list[tuple[int, Priority, float, float, float | None, bool]], at_once: int
) -> None:
    async def story() -> None:
        scene, done = Scene(at_once=at_once), list[int]()

        async def one(number: int) -> None:
            weight, priority, delay, latency, cancel_after, told = calls[number]
            await asyncio.sleep(delay)
            call = scene.call(str(number), weight, latency=latency, priority=priority, told=told)
            task = asyncio.ensure_future(call)
            if cancel_after is not None:
                asyncio.get_running_loop().call_later(cancel_after, task.cancel)
            try:
                await task
            except asyncio.CancelledError:
                assert cancel_after is not None
            done.append(number)

        await asyncio.gather(*(one(number) for number in range(len(calls))))
        assert len(done) == len(calls)
        assert all(count <= LIMIT for count in scene.counts.values()), scene.counts
        assert scene.is_clean()
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        # Each call sleeps a few times of its own; anything that polls would do so thousands of times.
        assert loop.jump.naps < 20 * len(calls) + 20

    run(story())


@given(weights=st.lists(st.integers(1, 60), min_size=2, max_size=25))
def test_first_come_first_served(weights: list[int]) -> None:
    async def story() -> None:
        scene = Scene()
        await asyncio.gather(*(scene.call(str(n), weight) for n, weight in enumerate(weights)))
        assert scene.order == [str(n) for n in range(len(weights))]

    run(story())


def test_a_big_call_among_small_ones_gets_its_turn() -> None:
    async def story() -> None:
        scene = Scene()

        async def small_ones() -> None:
            while "big" not in scene.order:
                await scene.call("small", 3)
                await asyncio.sleep(0.01)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(5):
                tasks.create_task(small_ones())
            await asyncio.sleep(1.0)
            tasks.create_task(scene.call("big", LIMIT))
        # The next minute begins with the five that came before it.
        assert scene.when("big") < START + 121

    run(story())


def test_a_big_call_is_not_starved_by_calls_that_need_something_else_too() -> None:
    """Calls with weight alone and calls with a group wait in different queues, and are still served in one order."""

    async def story() -> None:
        scene = Scene(make_pool(groups={"group": 1000}))
        await scene.call("first", 60)
        calls = [scene.call("big", 80)]
        calls += [scene.call(f"small {n}", 15, groups=("group",)) for n in range(20)]
        await asyncio.gather(*calls)
        assert scene.when("big") < START + 61

    run(story())


def test_who_waits_for_a_group_does_not_hold_up_the_rest() -> None:
    async def story() -> None:
        scene = Scene(make_pool(groups={"group": 1}))
        await scene.call("first", 1, groups=("group",))
        late = asyncio.ensure_future(scene.call("second", 1, groups=("group",)))
        await asyncio.sleep(0)
        await scene.call("other", 1)
        assert now() == START
        await late
        assert now() - START == pytest.approx(300, abs=1)

    run(story())


def test_priorities_decide_who_of_the_waiting_goes_first() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.call("first", LIMIT)
        order: list[Priority] = ["low", "normal", "high", "low", "high", "normal"]
        await asyncio.gather(*(scene.call(priority, 30, priority=priority) for priority in order))
        assert scene.order[1:] == ["high", "high", "normal", "normal", "low", "low"]

    run(story())


def test_without_waiting_the_error_tells_when_it_fits_and_then_it_does() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.call("first", 60)
        with pytest.raises(BudgetError) as caught:
            await scene.call("spot.klines", 50, wait=False)
        assert caught.value.operation == "spot.klines"
        assert "wait=False" in str(caught.value)
        assert "a pool weight" in str(caught.value)
        retry_at = caught.value.retry_at
        assert retry_at is not None
        assert 60_000 < retry_at - START * 1000 < 61_000
        assert now() == START
        await asyncio.sleep(retry_at / 1000 - now() + 0.001)
        await scene.call("spot.klines", 50, wait=False)
        assert scene.is_clean()

    run(story())


def test_without_waiting_a_place_behind_others_is_told_too() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.call("first", 60)
        waiting = asyncio.ensure_future(scene.call("second", 50))
        await asyncio.sleep(0)
        with pytest.raises(BudgetError) as caught:
            await scene.call("third", 1, wait=False)
        assert (caught.value.retry_at or 0) > START * 1000 + 60_000
        # A call of a higher priority does not wait behind it.
        await scene.call("urgent", 1, wait=False, priority="high")
        await waiting

    run(story())


def test_a_deadline_that_cannot_be_met_is_refused_at_once() -> None:
    async def story() -> None:
        scene = Scene()
        await scene.call("first", LIMIT)
        with pytest.raises(BudgetError, match="deadline") as caught:
            await scene.call("late", 1, deadline=now() + 30)
        assert now() == START
        assert (caught.value.retry_at or 0) > (START + 60) * 1000
        await scene.call("in time", 1, deadline=now() + 70)

    run(story())


def test_a_deadline_that_passes_while_others_are_running_ends_the_wait() -> None:
    async def story() -> None:
        scene = Scene(at_once=1)
        slow = asyncio.ensure_future(scene.call("slow", 1, latency=10.0))
        await asyncio.sleep(0)
        with pytest.raises(BudgetError, match="max_concurrency"):
            await scene.call("impatient", 1, deadline=now() + 2)
        assert now() == START + 2
        await slow
        assert scene.is_clean()

    run(story())


def test_what_never_fits_is_refused_for_good() -> None:
    async def story() -> None:
        scene = Scene()
        with pytest.raises(BudgetError, match="never fits") as caught:
            await scene.call("huge", LIMIT + 1)
        assert caught.value.retry_at is None

    run(story())


@given(jumps=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5))
def test_a_wall_clock_that_is_set_changes_nothing(jumps: list[float]) -> None:
    async def story() -> None:
        scene = Scene()

        async def jump() -> None:
            for ahead in jumps:
                await asyncio.sleep(17)
                scene.clock.wall_ahead = ahead

        await asyncio.gather(jump(), *(scene.call(str(n), 40) for n in range(6)))
        assert all(count <= LIMIT for count in scene.counts.values())
        assert now() - START < 181

    run(story())


# ------------------------------------------------------------------------------------------ caps


def test_a_cap_holds_in_every_minute_wherever_it_begins() -> None:
    async def story() -> None:
        scene = Scene(caps=Caps(spot_weight_per_minute=20, requests_per_minute=6))
        await asyncio.sleep(50)
        await asyncio.gather(*(scene.call(str(n), 5, latency=0.2) for n in range(12)))
        times = [at for at, _ in scene.granted]
        assert [sum(at - 60 < other <= at for other in times) for at in times][-1] == 4
        assert max(sum(at - 60 < other <= at for other in times) for at in times) == 4
        assert now() - START < 50 + 2 * 61 + 2

    run(story())


def test_requests_per_minute_counts_both_markets() -> None:
    async def story() -> None:
        scene = Scene(caps=Caps(requests_per_minute=3))
        futures = make_pool()
        for pool in (scene.pool, futures, scene.pool):
            grant = await scene.budget.acquire(
                "x", pool, Cost(1, ()), priority="normal", wait=False, deadline=float("inf")
            )
            pool.finish(grant, None, None, now())
        with pytest.raises(BudgetError, match="requests_per_minute"):
            await scene.call("one more", 1, wait=False)

    run(story())


def test_requests_per_second_are_spread_evenly() -> None:
    async def story() -> None:
        scene = Scene(caps=Caps(requests_per_second=5))
        await asyncio.gather(*(scene.call(str(n), 1) for n in range(11)))
        times = [at for at, _ in scene.granted]
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert gaps == pytest.approx([0.2] * 10, abs=1e-6)

    run(story())


class Room(Unmetered):
    """Free from a moment on that the test says."""

    name = "room"

    def __init__(self, free_at: float) -> None:
        self.free_at = free_at

    def ready_at(self, amount: int, now: float, share: float) -> float:
        return max(now, self.free_at)


def test_who_sleeps_is_woken_where_there_is_room_sooner_than_was_known() -> None:
    ledger, room, woken = Ledger(), Room(60.0), list[float]()
    ticket = ledger.reserve(Reservation((Need(room, 1),)), 0.0, lambda: woken.append(room.free_at))
    assert isinstance(ticket, Ticket)
    assert (ticket.ready_at, woken) == (60.0, [60.0])
    for free_at in (30.0, 40.0):
        room.free_at = free_at
        ledger.dispatch(1.0)
        assert ticket.ready_at == free_at
    # Who is to sleep for longer finds that out by himself.
    assert woken == [60.0, 30.0]
