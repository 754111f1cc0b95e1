"""Blocking work beside the event loop, which nobody leaves before it has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

from binance_sdk._runtime.ending import until_ended

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of a function that blocks.

    A thread cannot be ended: whoever is cancelled meanwhile, however often, waits for it, so that nothing is written
    any more once the lock on a dataset is given back.
    """
    # No task, which an event loop that ends would cancel, and not wait for.
    context = copy_context()
    work = asyncio.get_running_loop().run_in_executor(None, partial(context.run, function, *args, **kwargs))
    await until_ended((work,))
    return work.result()
