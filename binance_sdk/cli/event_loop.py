"""Runs commands in an event loop, and handles machines without a free file descriptor for one."""

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
        # Opened first, so that no coroutine stays unawaited if that fails.
        runner.get_loop()
        return runner.run(main())


async def run_beside(main: Coroutine[Any, Any, T], *helpers: Coroutine[Any, Any, None]) -> T:
    """The result of ``main``. Helpers run at the same time and end with it; the first failure ends all of them.

    Raises:
        Exception: the first failure, as it was raised.
    """
    try:
        async with asyncio.TaskGroup() as group:
            started = [group.create_task(helper) for helper in helpers]
            leading = group.create_task(main)
            await asyncio.wait([leading])
            for helper in started:
                helper.cancel()
    except BaseExceptionGroup as failures:
        raise first_failure(failures) from failures
    return leading.result()


def first_failure(failures: BaseExceptionGroup[Any]) -> BaseException:
    """The first failure in a group or its subgroups, but not a CircuitOpenError, if there is another failure."""
    found = list(_single(failures))
    return next((failure for failure in found if not isinstance(failure, CircuitOpenError)), found[0])


def _single(failures: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for failure in failures.exceptions:
        if isinstance(failure, BaseExceptionGroup):
            yield from _single(cast("BaseExceptionGroup[BaseException]", failure))
        else:
            yield failure


def ignore_unopened_loops() -> None:
    """Silence errors in ``__del__`` of event loops that could not be opened; the reason itself is reported."""
    told = sys.unraisablehook

    def hook(unraisable: sys.UnraisableHookArgs, /) -> None:
        if not (isinstance(unraisable.exc_value, AttributeError) and "_ssock" in str(unraisable.exc_value)):
            told(unraisable)

    sys.unraisablehook = hook
