"""Waits that go on to their end, whoever is cancelled meanwhile."""

from __future__ import annotations

import asyncio
import threading

import pytest

from binance_sdk._runtime.ending import all_of, cancel, in_loop, to_the_end


async def some_steps() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_others_end_with_the_first_failure() -> None:
    ended: list[str] = []

    async def work(name: str) -> str:
        try:
            if name == "bad":
                raise ValueError(name)
            await asyncio.Event().wait()
        finally:
            await some_steps()
            ended.append(name)
        return name

    with pytest.raises(ValueError, match="bad"):
        await all_of(work(name) for name in ("first", "bad", "last"))
    assert sorted(ended) == ["bad", "first", "last"]
    assert await all_of(asyncio.sleep(0, name) for name in "abc") == ["a", "b", "c"]


async def test_work_goes_on_to_its_end_and_the_cancellation_after_it() -> None:
    may_end, done = asyncio.Event(), 0

    async def work() -> None:
        nonlocal done
        await may_end.wait()
        done += 1

    ending = asyncio.create_task(to_the_end(work(), work()))
    for _ in range(3):
        await some_steps()
        ending.cancel()
    await some_steps()
    assert not ending.done()
    may_end.set()
    await asyncio.wait((ending,))
    assert (ending.cancelled(), done) == (True, 2)


async def test_a_failure_is_told_after_everything_is_done() -> None:
    done: list[int] = []

    async def work(number: int) -> None:
        await some_steps()
        done.append(number)
        if number == 1:
            raise ValueError("one")

    with pytest.raises(ValueError, match="one"):
        await to_the_end(work(1), work(2))
    assert sorted(done) == [1, 2]


async def test_who_cancels_waits_for_the_end() -> None:
    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await some_steps()

    tasks = [asyncio.create_task(work()) for _ in range(2)]
    await some_steps()
    await cancel(tasks)
    assert all(task.cancelled() for task in tasks)


async def test_a_loop_that_stops_is_not_waited_for() -> None:
    loop, may_end = asyncio.new_event_loop(), threading.Event()

    def live() -> None:
        loop.run_forever()
        may_end.wait(60)
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.close()

    async def stop() -> None:
        loop.stop()
        await asyncio.Event().wait()

    thread = threading.Thread(target=live)
    thread.start()
    while not loop.is_running():  # noqa: ASYNC110 - a loop has no event for it
        await asyncio.sleep(0.001)
    await in_loop(loop, stop)
    # Nor is one that has stopped.
    await in_loop(loop, stop)
    may_end.set()
    thread.join()
