"""Ends work so that nothing of it is left, also where whoever ends it is cancelled meanwhile.

Whoever closes something may be cancelled a second time, by a deadline or by Ctrl-C. What is not closed then, nobody
closes any more. So these waits go on to their end, and the cancellation goes on after them. What is waited for must end
by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")

_LOOK = 0.5
"""Seconds between two looks whether an event loop that was asked for something still runs."""


async def until_ended(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Return when all have ended, however they do."""
    tasks = list(tasks)
    cancellation: asyncio.CancelledError | None = None
    while waiting := [task for task in tasks if not task.done()]:
        try:
            await asyncio.wait(waiting)
        except asyncio.CancelledError as error:
            cancellation = error
    for task in tasks:
        if not task.cancelled():
            # Nobody else reads it, and asyncio warns of an exception that nobody reads.
            task.exception()
    if cancellation is not None:
        raise cancellation


async def cancel(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel tasks, and return when they have ended."""
    tasks = list(tasks)
    for task in tasks:
        task.cancel()
    await until_ended(tasks)


async def to_the_end(*work: Awaitable[object]) -> None:
    """Do work to its end, side by side.

    Raises:
        Exception: the first failure; everything else was done nevertheless.
    """
    tasks = [asyncio.ensure_future(each) for each in work]
    await until_ended(tasks)
    for task in tasks:
        task.result()


async def in_loop(loop: asyncio.AbstractEventLoop, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """Do work in an event loop, this one or that of another thread; not if that one has stopped, or stops meanwhile."""
    if loop is asyncio.get_running_loop():
        await work()
    elif loop.is_running():
        doing = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work(), loop))
        while loop.is_running() and not doing.done():
            await asyncio.wait((doing,), timeout=_LOOK)
        if doing.done():
            doing.result()


async def all_of(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of work that is done side by side, in its order; where one fails, the others are cancelled.

    ``asyncio.gather`` would leave them running, for nobody.

    Raises:
        Exception: the first failure.
    """
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        await cancel(tasks)
