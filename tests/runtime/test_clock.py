"""Waiting that others end: wakers and stop signals, without any time that passes."""

from __future__ import annotations

import asyncio
import math
import threading

from binance_sdk._runtime.clock import AsyncClock, StopSignal


async def a_few_steps() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_waker_wakes_whoever_waits_next_and_nobody_after() -> None:
    waker = AsyncClock().waker()
    waker.wake()
    await waker.wait(math.inf)
    waiting = asyncio.create_task(waker.wait(math.inf))
    await a_few_steps()
    assert not waiting.done()
    waker.wake()
    await a_few_steps()
    assert waiting.done()


def test_a_signal_that_was_given_already_wakes_who_begins_to_wait() -> None:
    """Between looking for it and waiting it may be given."""
    signal, event = StopSignal(), threading.Event()
    signal.set()
    with signal.waking(event):
        assert event.is_set()


def test_a_signal_wakes_those_who_wait_and_not_those_who_did() -> None:
    signal, waiting, past = StopSignal(), threading.Event(), threading.Event()
    with signal.waking(past):
        pass
    with signal.waking(waiting):
        signal.set()
    assert waiting.is_set()
    assert not past.is_set()
