"""The event loop of a command, also where this machine has no file descriptors left for one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar, cast

from binance_sdk.errors import CircuitOpenError

T = TypeVar("T")


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """``asyncio.run`` of what ``main`` returns.

    Raises:
        OSError: the loop cannot be opened.
    """
    with asyncio.Runner() as runner:
        # First, so that no coroutine is left behind that nobody awaits.
        runner.get_loop()
        return runner.run(main())


async def run_beside(main: Coroutine[Any, Any, T], *helpers: Coroutine[Any, Any, None]) -> T:
    """What ``main`` returns. Helpers run beside it and end with it; the first failure of any ends all.

    Raises:
        Exception: what failed first, as it was raised.
    """
    try:
        async with asyncio.TaskGroup() as group:
            started = [group.create_task(helper) for helper in helpers]
            leading = group.create_task(main)
            await asyncio.wait([leading])
            for one in started:
                one.cancel()
    except BaseExceptionGroup as failures:
        raise first_failure(failures) from failures
    return leading.result()


def first_failure(failures: BaseExceptionGroup[Any]) -> BaseException:
    """The first failure of a group, out of whatever groups it is in, and not one that only says that others failed."""
    found = list(_single(failures))
    return next((one for one in found if not isinstance(one, CircuitOpenError)), found[0])


def _single(failures: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for one in failures.exceptions:
        if isinstance(one, BaseExceptionGroup):
            yield from _single(cast("BaseExceptionGroup[BaseException]", one))
        else:
            yield one


def ignore_unopened_loops() -> None:
    """Keep quiet about loops that were never opened: the error that says why is told, what ``__del__`` meets is not."""
    told = sys.unraisablehook

    def hook(unraisable: sys.UnraisableHookArgs, /) -> None:
        if not (isinstance(unraisable.exc_value, AttributeError) and "_ssock" in str(unraisable.exc_value)):
            told(unraisable)

    sys.unraisablehook = hook
