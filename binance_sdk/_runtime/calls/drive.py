"""Runs the async engine without an event loop.

The engine is written once, as coroutines. With a blocking transport and clock such a coroutine never suspends, so one
``send`` runs it to its end: the sync client is the same code, not a copy of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, TypeVar

T = TypeVar("T")


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never suspends."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        value: T = stop.value
        return value
    coroutine.close()
    raise RuntimeError("a blocking client awaited something that suspends")


def drive_iterator(iterator: AsyncIterator[T]) -> Iterator[T]:
    """The items of an async iterator that never suspends; it is closed together with the loop that reads it."""
    try:
        while True:
            try:
                item = drive(_next(iterator))
            except StopAsyncIteration:
                return
            yield item
    finally:
        close = getattr(iterator, "aclose", None)
        if close is not None:
            drive(close())


async def _next(iterator: AsyncIterator[T]) -> T:
    return await iterator.__anext__()
