"""The same call for many symbols: bounded, results as they come, one bad symbol does not stop the rest."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

from binance_sdk.errors import BinanceError, ConfigError

__all__ = ["Batch", "SyncBatch"]

T = TypeVar("T")

_LOGGER = logging.getLogger("binance_sdk")


class Batch(Generic[T]):
    """Results of one call for many symbols, in the order in which they arrive.

    ``async for symbol, result in batch`` sends no more requests at once than the client allows; leaving the loop early
    cancels what is still under way. A symbol that fails is logged, skipped, and its error kept in ``errors``.
    """

    def __init__(self, call: Callable[[str], Awaitable[T]], symbols: Iterable[str], at_once: int) -> None:
        self._call = call
        self._symbols = iter(dict.fromkeys(symbols))
        self._at_once = at_once
        self.errors: dict[str, BinanceError] = {}
        """What went wrong, by symbol."""

    async def __aiter__(self) -> AsyncIterator[tuple[str, T]]:
        running: dict[asyncio.Task[T], str] = {}
        try:
            while True:
                while len(running) < self._at_once and (symbol := next(self._symbols, None)) is not None:
                    running[asyncio.ensure_future(_as_coroutine(self._call, symbol))] = symbol
                if not running:
                    return
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in sorted(done, key=lambda one: list(running).index(one)):
                    symbol = running.pop(task)
                    error = task.exception()
                    if error is None:
                        yield symbol, task.result()
                    else:
                        _keep(self.errors, symbol, error)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


class SyncBatch(Generic[T]):
    """``Batch`` with ``for``: a few threads make the calls."""

    def __init__(self, call: Callable[[str], T], symbols: Iterable[str], at_once: int) -> None:
        self._call = call
        self._symbols = iter(dict.fromkeys(symbols))
        self._at_once = at_once
        self.errors: dict[str, BinanceError] = {}
        """What went wrong, by symbol."""

    def __iter__(self) -> Iterator[tuple[str, T]]:
        running: dict[Future[T], str] = {}
        with ThreadPoolExecutor(self._at_once, "binance-sdk-batch") as threads:
            try:
                while True:
                    while len(running) < self._at_once and (symbol := next(self._symbols, None)) is not None:
                        running[threads.submit(self._call, symbol)] = symbol
                    if not running:
                        return
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        symbol = running.pop(future)
                        error = future.exception()
                        if error is None:
                            yield symbol, future.result()
                        else:
                            _keep(self.errors, symbol, error)
            finally:
                for future in running:
                    future.cancel()


async def _as_coroutine(call: Callable[[str], Awaitable[T]], symbol: str) -> T:
    return await call(symbol)


def _keep(errors: dict[str, BinanceError], symbol: str, error: BaseException) -> None:
    if not isinstance(error, BinanceError) or isinstance(error, ConfigError):
        # Not the symbol's fault: every other one would fail the same way.
        raise error
    errors[symbol] = error
    _LOGGER.warning("skipped %s: %s", symbol, error)
