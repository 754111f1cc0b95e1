"""A queue with a share of a pool: many snapshots, a counting server, and ordinary calls beside them."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from typing import Any

import pytest

from binance_sdk._runtime.budget.share_queue import QueueProgress, ShareQueue
from binance_sdk._runtime.clock import Waker
from binance_sdk.errors import ConfigError

from .scene import Scene, make_pool
from .virtual import START, now, run

BOOKS = 200
NOT_SHARES: list[Any] = [0, -0.1, 1.01, math.nan, math.inf, True, "0.4", None]


def queue_of(scene: Scene, *, usable: float = 1.0, at_once: int = 4) -> ShareQueue:
    return ShareQueue(scene.pool, scene.clock, usable, at_once)


async def snapshot(scene: Scene, queue: ShareQueue, name: str, weight: int, share: float = 0.4) -> None:
    place = queue.enter(name, weight, share)
    try:
        await queue.wait_turn(place)
        await scene.call(name, weight, latency=0.1)
    finally:
        queue.leave(place)


@pytest.mark.parametrize(
    ("limit", "weight", "share", "windows"),
    [(6000, 50, 0.4, 5), (6000, 50, 1.0, 2), (2400, 20, 0.4, 5), (2400, 20, 1.0, 2)],
)
def test_many_snapshots_take_their_share_of_each_window_and_no_more(
    limit: int, weight: int, share: float, windows: int
) -> None:
    async def scenario() -> None:
        scene = Scene(make_pool(limit))
        queue = queue_of(scene, usable=0.95)
        names = [f"S{i}" for i in range(BOOKS)]
        async with asyncio.TaskGroup() as group:
            for name in names:
                group.create_task(snapshot(scene, queue, name, weight, share))
        allowed = math.floor(limit * 0.95 * share)
        assert windows == math.ceil(BOOKS * weight / allowed)
        assert len(scene.counts) == windows
        assert max(scene.counts.values()) <= allowed
        assert scene.order == names
        assert queue.progress == QueueProgress((), (), BOOKS, 0.0)
        assert scene.is_clean()

    run(scenario())


def test_begun_in_mid_window_they_take_at_most_one_window_more() -> None:
    async def scenario() -> None:
        scene = Scene(make_pool(6000))
        queue = queue_of(scene, usable=0.95)
        async with asyncio.TaskGroup() as group:
            for i in range(BOOKS):
                group.create_task(snapshot(scene, queue, f"S{i}", 50))
        assert len(scene.counts) <= 6
        assert max(scene.counts.values()) <= 2280

    run(scenario(), START + 58.0)


def test_ordinary_calls_find_the_rest_of_the_window_free() -> None:
    async def scenario() -> None:
        scene = Scene(make_pool(1000))
        queue = queue_of(scene)
        async with asyncio.TaskGroup() as group:
            for i in range(40):
                group.create_task(snapshot(scene, queue, f"S{i}", 50))
            await asyncio.sleep(5.0)
            for i in range(60):
                await scene.call(f"mine {i}", 10)
        assert all(scene.when(f"mine {i}") == START + 5.0 for i in range(60))

    run(scenario())


def test_snapshots_that_wait_in_the_ledger_are_charged_to_the_window_in_which_they_end() -> None:
    async def scenario() -> None:
        scene = Scene(make_pool(100))
        queue = queue_of(scene, at_once=10)
        await scene.call("mine", 100)
        async with asyncio.TaskGroup() as group:
            for i in range(12):
                group.create_task(snapshot(scene, queue, f"S{i}", 10))
        snapshots = Counter(int((at - START) // 60) for at, name in scene.granted if name != "mine")
        # The first four got their turn in the first window, and its ledger had no room for them.
        assert snapshots == {1: 4, 2: 4, 3: 4}

    run(scenario())


def test_order_and_time_left_are_visible() -> None:
    async def scenario() -> None:
        scene = Scene()
        queue = queue_of(scene)
        places = [queue.enter(name, 20, 0.4) for name in "ABCDE"]
        # Two in each minute: A and B now, C and D in the next one, E in the one after that.
        assert queue.progress.waiting == tuple("ABCDE")
        assert queue.progress.seconds_left == pytest.approx(120.0, abs=0.2)
        await queue.wait_turn(places[0])
        assert queue.progress.running == ("A", "B")
        assert queue.progress.waiting == ("C", "D", "E")
        queue.leave(places[0])
        queue.leave(places[0])
        assert queue.progress.done == 1
        assert queue.progress.running == ("B",)

    run(scenario())


def test_whoever_is_far_off_is_told_when_its_turn_is_near() -> None:
    async def scenario() -> None:
        scene = Scene()
        queue = queue_of(scene)
        places = [queue.enter(name, 40, 0.4) for name in "ABC"]
        began: dict[int, tuple[float, float]] = {}

        async def book(index: int) -> None:
            await queue.wait_near(places[index], 10.0)
            near = now() - START
            await queue.wait_turn(places[index])
            began[index] = (near, now() - START)
            queue.leave(places[index])

        await asyncio.gather(*(book(index) for index in range(3)))
        assert began[0] == (0.0, 0.0)
        for index in (1, 2):
            near, turn = began[index]
            assert turn == pytest.approx(60.0 * index, abs=0.2)
            assert turn - near == pytest.approx(10.0)

    run(scenario())


def test_who_gives_up_makes_room_for_those_behind() -> None:
    async def scenario() -> None:
        scene = Scene()
        queue = queue_of(scene)
        first = asyncio.create_task(snapshot(scene, queue, "first", 40))
        given_up = asyncio.create_task(snapshot(scene, queue, "given up", 40))
        last = asyncio.create_task(snapshot(scene, queue, "last", 40))
        await first
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        await last
        assert scene.order == ["first", "last"]
        assert 60.0 <= now() - START < 61.0

    run(scenario())


def test_a_failed_request_gives_its_turn_to_the_next() -> None:
    async def scenario() -> None:
        scene = Scene()
        queue = queue_of(scene, at_once=1)
        first, second = queue.enter("A", 10, 0.4), queue.enter("B", 10, 0.4)
        await queue.wait_turn(first)
        waits = asyncio.create_task(queue.wait_turn(second))
        await asyncio.sleep(1.0)
        assert not waits.done()
        queue.leave(first)
        await waits
        assert now() == START + 1.0

    run(scenario())


def test_repeated_attempts_count_towards_the_share() -> None:
    async def scenario() -> None:
        scene = Scene()
        queue = queue_of(scene)
        first = queue.enter("A", 10, 0.4)
        await queue.wait_turn(first)
        queue.leave(first, extra=30)
        await queue.wait_turn(queue.enter("B", 10, 0.4))
        assert now() - START >= 60.0

    run(scenario())


def test_who_comes_to_the_front_goes_when_its_window_opens_though_the_one_before_still_runs() -> None:
    async def scenario() -> None:
        scene = Scene()
        queue = queue_of(scene)
        await snapshot(scene, queue, "over", 10)
        scene.pool.gate.limited(now(), now() + 5.0, now())
        slow, behind = queue.enter("slow", 10, 0.4), queue.enter("behind", 30, 0.4)
        async with asyncio.timeout(100.0):
            await asyncio.gather(queue.wait_turn(slow), queue.wait_turn(behind))
        assert 60.0 <= now() - START < 61.0
        assert queue.progress.running == ("slow", "behind")

    run(scenario())


def test_the_end_of_a_turn_wakes_only_those_whom_it_concerns(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        scene = Scene(make_pool(6000))
        queue = queue_of(scene)
        woken: list[float] = []
        make = scene.clock.waker

        def counted() -> Waker:
            waker = make()
            wake = waker.wake

            def count() -> None:
                woken.append(now())
                wake()

            monkeypatch.setattr(waker, "wake", count)
            return waker

        monkeypatch.setattr(scene.clock, "waker", counted)
        async with asyncio.TaskGroup() as group:
            for i in range(BOOKS):
                group.create_task(snapshot(scene, queue, f"S{i}", 50))
        # Its own turn, coming to the front, and the end of the turn before: not once for each that is before it.
        assert BOOKS <= len(woken) <= 3 * BOOKS

    run(scenario())


def test_who_waits_behind_a_request_that_was_refused_goes_when_the_gate_opens() -> None:
    async def scenario() -> None:
        scene = Scene()
        queue = queue_of(scene, at_once=1)
        refused, behind = queue.enter("refused", 10, 0.4), queue.enter("behind", 10, 0.4)
        await queue.wait_turn(refused)
        waits = asyncio.create_task(queue.wait_turn(behind))
        await asyncio.sleep(1.0)
        scene.pool.gate.limited(now(), now() + 5.0, now())
        opens = scene.pool.gate.closed_until
        queue.leave(refused)
        async with asyncio.timeout(100.0):
            await waits
        assert now() == pytest.approx(opens)

    run(scenario())


def test_a_request_larger_than_its_share_is_let_into_a_window_alone() -> None:
    async def scenario() -> None:
        scene = Scene()
        queue = queue_of(scene)
        async with asyncio.TaskGroup() as group:
            for name in "ABC":
                group.create_task(snapshot(scene, queue, name, 50))
        assert [int((at - START) // 60) for at, _ in scene.granted] == [0, 1, 2]

    run(scenario())


def test_nobody_gets_a_turn_while_the_gate_is_closed() -> None:
    async def scenario() -> None:
        scene = Scene()
        queue = queue_of(scene)
        scene.pool.gate.ban(now(), now() + 200.0, now())
        place = queue.enter("A", 10, 0.4)
        assert queue.progress.seconds_left == pytest.approx(scene.pool.gate.closed_until - now())
        await queue.wait_turn(place)
        assert now() >= scene.pool.gate.closed_until

    run(scenario())


@pytest.mark.parametrize("share", NOT_SHARES, ids=repr)
def test_what_is_no_share_is_refused_by_name(share: Any) -> None:
    async def scenario() -> None:
        queue = queue_of(Scene())
        with pytest.raises(ConfigError, match=r"share=.* must be a number above 0 and at most 1"):
            queue.enter("A", 10, share)
        assert queue.progress == QueueProgress((), (), 0, 0.0)

    run(scenario())
