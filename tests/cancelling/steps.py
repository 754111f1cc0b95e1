"""Cancels work after each of its steps, and looks for what is left of it.

A step is one run of any task of the event loop, so those are counted too that the work has begun itself. With the same
work they come in nearly the same order each time.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import threading
import warnings
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

from binance_sdk.errors import BinanceError

PATIENCE = 20.0
"""Seconds after which something hangs; nothing here takes more than two, but the machine may be busy."""
EVERY_STEP = os.environ.get("EVERY_STEP") == "1"
"""Whether every step is tried, which takes half an hour."""


class LeftOver(AssertionError):
    """Something did not end, or something is left."""


class _Counted(Coroutine[Any, Any, Any]):
    """A coroutine that tells after each of its steps."""

    def __init__(self, inner: Coroutine[Any, Any, Any], after: Callable[[], None]) -> None:
        self._inner = inner
        self._after = after

    def send(self, value: Any) -> Any:
        try:
            return self._inner.send(value)
        finally:
            self._after()

    def throw(self, *error: Any) -> Any:
        try:
            return self._inner.throw(*error)
        finally:
            self._after()

    def close(self) -> None:
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@dataclass
class Steps:
    """Counts the steps of a loop from ``begin`` on, and does something after some of them."""

    at: dict[int, Callable[[], object]] = field(default_factory=dict[int, Callable[[], object]])
    count: int = 0
    counting: bool = False

    def install(self) -> None:
        loop = asyncio.get_running_loop()

        def make(loop: asyncio.AbstractEventLoop, work: Any, **kwargs: Any) -> asyncio.Task[Any]:
            return asyncio.Task(_Counted(work, self._after), loop=loop, **kwargs)

        loop.set_task_factory(make)

    def _after(self) -> None:
        if self.counting:
            self.count += 1
            then = self.at.pop(self.count, None)
            if then is not None:
                then()


@dataclass
class Found:
    """What became of one run."""

    steps: int
    """Steps that were counted."""
    hit: bool
    """Whether the work was still under way when it was to be cancelled."""


class World:
    """Some work with all that it needs, for one run in an event loop of its own."""

    slow = False
    """Whether it waits for a peer that says nothing."""

    async def open(self) -> None:
        """Before the steps are counted."""

    async def work(self) -> object:
        """What is cancelled."""
        raise NotImplementedError

    async def interfere(self) -> None:
        """What happens beside it where nothing is cancelled, e.g. ``aclose``; the work may end with an error then."""
        raise NotImplementedError

    async def close(self) -> None:
        """Afterwards: raise for what does not work any more, and close all of it."""

    async def end(self) -> None:
        """The other side goes, after ``close``; whatever is still connected is left over."""

    def check(self) -> None:
        """After ``close``: raise for what is left."""


async def _soon(awaited: Awaitable[Any], what: str) -> Any:
    """The result; a hang is told with the stacks of all tasks."""
    task = asyncio.ensure_future(awaited)
    done, _ = await asyncio.wait((task,), timeout=PATIENCE)
    if not done:
        raise LeftOver(
            f"{what} hangs: {[_where(each) for each in asyncio.all_tasks() if each is not asyncio.current_task()]}"
        )
    return task


def _where(task: asyncio.Task[Any]) -> str:
    inner: Any = task.get_coro()
    places: list[str] = []
    while inner is not None:
        frame = getattr(inner, "cr_frame", None) or getattr(inner, "gi_frame", None) or getattr(inner, "ag_frame", None)
        if frame is None:
            break
        places.append(f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno} {frame.f_code.co_name}")
        inner = (
            getattr(inner, "cr_await", None) or getattr(inner, "gi_yieldfrom", None) or getattr(inner, "ag_await", None)
        )
    return f"{task.get_name()}: {' > '.join(places)}"


def run(make: Callable[[], World], cancel_at: tuple[int, ...] = (), interfere_at: int = 0) -> Found:
    """One run of the work of a world.

    Args:
        make: Makes the world.
        cancel_at: After which steps the work is cancelled.
        interfere_at: After which step the world interferes.

    Raises:
        LeftOver: something hangs, is left, or has swallowed a cancellation.
    """
    complaints: list[str] = []
    threads = {each.ident for each in threading.enumerate()}

    async def main() -> Found:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(
            lambda _, context: complaints.append(str(context.get("message")) + " " + repr(context.get("exception")))
        )
        steps = Steps()
        steps.install()
        world = make()
        await world.open()
        before = asyncio.all_tasks()
        hits: list[bool] = []
        interfering: list[asyncio.Task[None]] = []

        def cancel() -> None:
            hits.append(not victim.done())
            victim.cancel()

        def interfere() -> None:
            hits.append(not victim.done())
            interfering.append(loop.create_task(world.interfere()))

        for at in cancel_at:
            steps.at[at] = cancel
        if interfere_at:
            steps.at[interfere_at] = interfere
        victim = loop.create_task(_as_coroutine(world.work), name="victim")
        steps.counting = True
        await _soon(victim, "the work")
        steps.counting = False
        for each in interfering:
            task = await _soon(each, "what interfered")
            task.result()
        if hits and hits[0] and cancel_at and not victim.cancelled():
            what = victim.exception() or victim.result()
            raise LeftOver(f"cancelled, and it ended with {what!r}")
        if not victim.cancelled() and not interfering and victim.exception() is not None:
            raise LeftOver(f"it failed: {victim.exception()!r}") from victim.exception()
        if interfering and victim.cancelled():
            raise LeftOver("it was cancelled by nobody")
        if interfering and not isinstance(victim.exception(), (BinanceError, type(None))):
            raise LeftOver(f"it ended with {victim.exception()!r}") from victim.exception()
        try:
            (await _soon(world.close(), "closing")).result()
            await _settled(before)
            world.check()
        finally:
            await _soon(world.end(), "the other side")
        return Found(steps.count, bool(hits and hits[0]))

    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always")
        found = asyncio.run(main())
        gc.collect()
    complaints += [str(each.message) for each in noted if issubclass(each.category, (ResourceWarning, RuntimeWarning))]
    left = [each.name for each in threading.enumerate() if each.ident not in threads and not each.daemon]
    if complaints or left:
        raise LeftOver(f"{complaints} {left}")
    return found


async def _as_coroutine(work: Callable[[], Awaitable[object]]) -> object:
    return await work()


async def _settled(before: set[asyncio.Task[Any]]) -> None:
    """Every task that was begun has ended."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while left := [
        each
        for each in asyncio.all_tasks() - before
        if each is not asyncio.current_task() and not each.get_name().startswith("server")
    ]:
        if loop.time() > end:
            raise LeftOver(f"tasks are left: {[_where(each) for each in left]}")
        await asyncio.sleep(0.001)


def tried_at_some_steps(
    make: Callable[[], World], steps: int, few: int, chance: random.Random, *, interferes: bool
) -> None:
    """Cancel once, cancel twice, and interfere, after a few of the steps that the work takes.

    Raises:
        LeftOver: something hangs, is left, or has swallowed a cancellation.
    """
    for at in _some(steps, 2 * few, chance):
        _tried(make, (at,))
    for at in _some(steps, few, chance):
        _tried(make, (at, at + 1 + chance.randrange(12)))
    if interferes:
        for at in _some(steps, 2 * few, chance):
            _tried(make, (), at)


def _some(steps: int, count: int, chance: random.Random) -> Iterator[int]:
    """One step of each part of them."""
    count = steps if EVERY_STEP else min(count, steps)
    for part in range(count):
        yield chance.randrange(part * steps // count, (part + 1) * steps // count) + 1


def _tried(make: Callable[[], World], cancel_at: tuple[int, ...], interfere_at: int = 0) -> None:
    try:
        run(make, cancel_at, interfere_at)
    except LeftOver as error:
        where = f"cancelled at {cancel_at}" if cancel_at else f"interfered at {interfere_at}"
        raise LeftOver(f"{where}: {error}") from error
