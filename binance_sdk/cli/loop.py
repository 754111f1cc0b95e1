"""The event loop of a command, also where this machine has no file descriptors left for one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

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


def hush_unopened_loops() -> None:
    """Keep quiet about loops that were never opened: the error that says why is told, what ``__del__`` meets is not."""
    told = sys.unraisablehook

    def hook(unraisable: sys.UnraisableHookArgs, /) -> None:
        if not (isinstance(unraisable.exc_value, AttributeError) and "_ssock" in str(unraisable.exc_value)):
            told(unraisable)

    sys.unraisablehook = hook
