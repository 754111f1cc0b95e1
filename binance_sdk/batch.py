"""The same call for many symbols: bounded, results as they come, one bad symbol does not stop the rest."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar, cast

from binance_sdk._runtime.clock import StopSignal
from binance_sdk._runtime.fork import ProcessGuard
from binance_sdk.errors import BinanceError, ConfigError, ParameterError, shown

__all__ = ["Batch", "SyncBatch"]

T = TypeVar("T")

_LOGGER = logging.getLogger("binance_sdk")


class _PendingSymbols(Generic[T]):
    """What both kinds share: which symbols are still to be asked for, and how each of them ended."""

    def __init__(self, symbols: Iterable[str]) -> None:
        self.errors: dict[str, BinanceError] = {}
        """What went wrong, by symbol."""
        self._waiting: deque[str] = deque()
        self._ready: deque[tuple[str, T]] = deque()
        for symbol in _each_symbol(symbols):
            if isinstance(symbol, str):
                self._waiting.append(symbol)
            else:
                text = f"each: {shown(symbol)} is no symbol: it must be a string such as 'BTCUSDT'"
                error = ParameterError(text, parameter="symbols", value=symbol)
                # By itself where that is certain to be a key, else by how it looks.
                is_key = symbol is None or type(symbol) in (int, float, bool, bytes)
                self._failed(symbol if is_key else shown(symbol), error)
        self._waiting = deque(dict.fromkeys(self._waiting))

    def _failed(self, symbol: object, error: BaseException) -> None:
        if not isinstance(error, BinanceError) or isinstance(error, ConfigError):
            # Not the symbol's fault: every other one would fail the same way.
            raise error
        self.errors[cast(str, symbol)] = error
        is_plain = isinstance(symbol, str) and symbol.isprintable()
        _LOGGER.warning("skipped %s: %s", symbol if is_plain else shown(symbol), error)


class Batch(_PendingSymbols[T]):
    """Results of one call for many symbols, in the order in which they arrive.

    ``async for symbol, result in batch`` sends no more requests at once than the client allows. A symbol that fails is
    logged, skipped, and its error kept in ``errors``. Leaving the loop early cancels what is still under way; a second
    loop goes on with the symbols that the first has left.
    """

    def __init__(self, call: Callable[[str], Awaitable[T]], symbols: Iterable[str], max_concurrency: int) -> None:
        super().__init__(symbols)
        self._call = call
        self._at_once = max_concurrency

    async def __aiter__(self) -> AsyncGenerator[tuple[str, T], None]:
        running: dict[asyncio.Task[T], str] = {}
        process = ProcessGuard()
        try:
            while True:
                while self._ready:
                    yield self._ready.popleft()
                    process.check("a running iterator", "begin another one in the child")
                while self._waiting and (not running or len(running) < self._at_once):
                    symbol = self._waiting.popleft()
                    running[asyncio.ensure_future(_as_coroutine(self._call, symbol))] = symbol
                if not running:
                    return
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in sorted(done, key=list(running).index):
                    symbol, error = running[task], task.exception()
                    del running[task]
                    if error is None:
                        self._ready.append((symbol, task.result()))
                    else:
                        self._failed(symbol, error)
        finally:
            self._waiting.extendleft(reversed(running.values()))
            if not process.is_child:
                for task in running:
                    task.cancel()
                await asyncio.gather(*running, return_exceptions=True)


class SyncBatch(_PendingSymbols[T]):
    """``Batch`` with ``for``: a few threads make the calls.

    Leaving the loop early does not wait for them: calls that wait, for the budget or to be tried again, end at once,
    and a request that was sent already ends by itself within its timeout.
    """

    def __init__(self, call: Callable[[str], T], symbols: Iterable[str], max_concurrency: int) -> None:
        super().__init__(symbols)
        self._call = call
        self._at_once = max_concurrency

    def __iter__(self) -> Generator[tuple[str, T], None, None]:
        running: dict[Future[T], str] = {}
        process = ProcessGuard()
        stop = StopSignal()
        threads = ThreadPoolExecutor(self._at_once, "binance-sdk-batch")
        try:
            while True:
                while self._ready:
                    yield self._ready.popleft()
                    process.check("a running iterator", "begin another one in the child")
                while self._waiting and (not running or len(running) < self._at_once):
                    symbol = self._waiting.popleft()
                    running[threads.submit(stop.run, self._call, symbol)] = symbol
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in sorted(done, key=list(running).index):
                    symbol, error = running[future], future.exception()
                    del running[future]
                    if error is None:
                        self._ready.append((symbol, future.result()))
                    else:
                        self._failed(symbol, error)
        finally:
            self._waiting.extendleft(reversed(running.values()))
            if not process.is_child:
                # In the child of a fork there are no such threads.
                stop.set()
                threads.shutdown(wait=not running, cancel_futures=True)


def _each_symbol(symbols: object) -> Iterable[object]:
    """The symbols one by one; a text is one symbol, not its letters.

    Raises:
        ParameterError: it holds no symbols.
    """
    if isinstance(symbols, str):
        return (symbols,)
    if isinstance(symbols, bytes) or not isinstance(symbols, Iterable):
        text = f"each: symbols={shown(symbols)} must be an iterable of symbols such as ['BTCUSDT', 'ETHUSDT']"
        raise ParameterError(text, parameter="symbols", value=symbols)
    return cast("Iterable[object]", symbols)


async def _as_coroutine(call: Callable[[str], Awaitable[T]], symbol: str) -> T:
    return await call(symbol)
