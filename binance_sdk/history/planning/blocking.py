"""Runs a coroutine to its end for callers without an event loop, and for those whose loop is busy with the caller."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def run_blocking(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of the coroutine.

    In a notebook a loop is running already in this thread; then another thread has one of its own.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    with ThreadPoolExecutor(1, "binance-sdk-history") as threads:
        return threads.submit(asyncio.run, coroutine).result()
