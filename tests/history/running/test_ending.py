"""Whoever is cancelled while a thread writes waits for it, and gives back what others wait for."""

from __future__ import annotations

import asyncio
import threading

from binance_sdk.history.running.room import Room
from binance_sdk.history.running.threads import in_thread


async def some_steps() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_is_cancelled_twice_waits_for_the_thread() -> None:
    begun, may_end, written = asyncio.Event(), threading.Event(), False
    loop = asyncio.get_running_loop()

    def write() -> None:
        nonlocal written
        loop.call_soon_threadsafe(begun.set)
        may_end.wait(60)
        written = True

    writing = asyncio.create_task(in_thread(write))
    await begun.wait()
    for _ in range(3):
        writing.cancel()
        await some_steps()
    left = writing.done()
    may_end.set()
    assert not left
    await asyncio.wait((writing,))
    assert (writing.cancelled(), written) == (True, True)


def test_an_event_loop_that_ends_waits_for_the_thread() -> None:
    order: list[str] = []
    may_end = threading.Event()

    def write() -> None:
        may_end.wait(60)
        order.append("written")

    async def hold_the_lock() -> None:
        try:
            await in_thread(write)
        finally:
            order.append("given back")

    async def main() -> asyncio.Task[None]:
        holding = asyncio.create_task(hold_the_lock())
        await some_steps()
        # While the loop ends, which cancels what runs in it.
        threading.Timer(0.02, may_end.set).start()
        return holding

    asyncio.run(main())
    assert order == ["written", "given back"]


async def test_room_is_given_back_by_who_is_cancelled_meanwhile() -> None:
    room = Room(10)

    async def hold() -> None:
        async with room.take(10):
            await asyncio.Event().wait()

    holding = asyncio.create_task(hold())
    await some_steps()
    async with room._changed:
        # Somebody looks at it just now.
        for _ in range(2):
            holding.cancel()
            await some_steps()
    await asyncio.wait((holding,))
    assert holding.cancelled()
    async with asyncio.timeout(60), room.take(10):
        pass
