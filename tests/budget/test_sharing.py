"""One ledger for event loops, threads and the child of a fork."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from binance_sdk import Caps
from binance_sdk._runtime.budget.client_budget import ClientBudget
from binance_sdk._runtime.budget.ledger import Grant
from binance_sdk._runtime.budget.pool import Cost
from binance_sdk._runtime.calls.drive import drive
from binance_sdk._runtime.clock import BlockingClock

from .scene import LIMIT, Scene, make_pool
from .virtual import START, VirtualLoop, now, run


def test_two_event_loops_one_after_the_other_share_the_ledger() -> None:
    pool = make_pool()

    async def spend() -> Scene:
        scene = Scene(pool)
        await scene.call("first", 60)
        return scene

    run(spend())

    async def wait() -> None:
        scene = Scene(pool)
        await scene.call("second", 60)
        assert now() >= START + 60

    run(wait())


def test_a_loop_that_ends_takes_its_waiters_along() -> None:
    pool = make_pool()

    async def leave_one_waiting() -> None:
        scene = Scene(pool)
        await scene.call("first", LIMIT)
        scene.task = asyncio.ensure_future(scene.call("never", 1))  # type: ignore[attr-defined]
        await asyncio.sleep(0)
        assert pool.ledger.waiting == 1

    run(leave_one_waiting())
    assert pool.ledger.waiting == 0


def test_a_loop_that_stopped_with_a_waiter_first_in_line_blocks_nobody_for_ever() -> None:
    pool = make_pool()
    loop = VirtualLoop()
    scenes: list[Scene] = []

    async def leave_one_waiting() -> asyncio.Task[None]:
        scene = Scene(pool)
        scenes.append(scene)
        await scene.call("first", LIMIT)
        task = asyncio.ensure_future(scene.call("stuck", 1))
        await asyncio.sleep(0)
        return task

    stuck = loop.run_until_complete(leave_one_waiting())

    async def others() -> None:
        scene = Scene(pool)
        await asyncio.gather(*(scene.call(str(n), 1) for n in range(3)))
        assert now() - START < 60 + 61

    run(others())
    stuck.cancel()
    loop.run_until_complete(asyncio.gather(stuck, return_exceptions=True))
    loop.close()
    assert pool.ledger.waiting == 0


class StoppedClock(BlockingClock):
    """Threads wait in real time, but only for each other."""

    def monotonic(self) -> float:
        return START

    def time(self) -> float:
        return START


def test_threads_and_a_loop_share_one_queue() -> None:
    pool = make_pool(10**6)
    blocking = ClientBudget(StoppedClock(), Caps(), 0.0, 2, lambda event: None)
    most, running, lock = [0], [0], threading.Lock()
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(50):
                grant: Grant = drive(
                    blocking.acquire("x", pool, Cost(1, ()), priority="normal", wait=True, deadline=float("inf"))
                )
                with lock:
                    running[0] += 1
                    most[0] = max(most[0], running[0])
                with lock:
                    running[0] -= 1
                pool.finish(grant, None, None, START)
        except BaseException as error:  # noqa: BLE001 - shown by the test
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()

    async def story() -> None:
        scene = Scene(pool, at_once=3)
        await asyncio.gather(*(scene.call(str(n), 1) for n in range(200)))
        assert scene.order == [str(n) for n in range(200)]

    run(story())
    for thread in threads:
        thread.join(30)
    assert not errors
    assert most[0] <= 2
    assert pool.weight.used == 400
    assert pool.weight.in_flight == 0
    assert pool.ledger.waiting == 0


def test_a_thread_wakes_the_waiters_of_a_loop() -> None:
    """The slot is freed by another thread, and no time passes that would wake anybody."""

    async def story() -> None:
        scene = Scene(at_once=1)
        grant = await scene.budget.acquire(
            "x", scene.pool, Cost(1, ()), priority="normal", wait=True, deadline=float("inf")
        )
        waiting = asyncio.ensure_future(scene.call("second", 1))
        await asyncio.sleep(0)
        moment = now()
        # Not a thread of the loop's: it would be waited for by the clock that jumps.
        other = threading.Thread(target=scene.pool.finish, args=(grant, None, None, moment))
        other.start()
        await waiting
        other.join()
        assert scene.order == ["second"]

    run(story())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_the_child_of_a_fork_has_a_free_ledger_that_remembers_what_was_spent() -> None:
    pool = make_pool()
    budget = ClientBudget(StoppedClock(), Caps(), 0.0, 1, lambda event: None)

    def acquire(weight: int) -> Grant:
        return drive(budget.acquire("x", pool, Cost(weight, ()), priority="normal", wait=False, deadline=float("inf")))

    acquire(30)
    holding, release = threading.Event(), threading.Event()

    def hold() -> None:
        with pool.quota._lock:
            holding.set()
            release.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait(30)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            # The only slot is the parent's; here it is free, and what the parent spends is known.
            grant = acquire(50)
            fits = not pool.weight.ready_at(21, START, 1.0) <= START
            pool.finish(grant, None, None, START)
            code = 0 if fits and pool.weight.used == 80 and pool.quota.spend() else 2
        finally:
            os._exit(code)
    release.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert pool.weight.used == 30
    with pool.ledger.lock:
        pass
