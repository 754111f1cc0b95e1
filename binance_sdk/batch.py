"""The same call for many symbols: so many at once, results as they come, and a bad symbol does not stop the rest."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Generic, Protocol, TypeVar, cast

from binance_sdk._runtime.clock import StopSignal
from binance_sdk._runtime.fork import ProcessGuard
from binance_sdk.errors import BinanceError, ConfigError, ParameterError, shown

__all__ = ["Batch", "SyncBatch"]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
RunningT = TypeVar("RunningT")

_LOGGER = logging.getLogger("binance_sdk")
_ITERATOR = ("a running iterator", "begin another one in the child")
"""What a fork breaks, and the remedy, for messages."""


class _Running(Protocol[T_co]):
    """A call under way: a task or a future."""

    def exception(self) -> BaseException | None: ...

    def result(self) -> T_co: ...


class _Symbols(Generic[T]):
    """What both kinds of batch share: which symbols are still to be called for, and how each call ended."""

    def __init__(self, symbols: Iterable[str], max_concurrency: int) -> None:
        self.errors: dict[str, BinanceError] = {}
        """What went wrong, by symbol."""
        self._max_concurrency = max_concurrency
        self._waiting: deque[str] = deque()
        self._ready: deque[tuple[str, T]] = deque()
        for symbol in _each_symbol(symbols):
            if isinstance(symbol, str):
                self._waiting.append(symbol)
            else:
                text = f"each: {shown(symbol)} is not a symbol: it must be a string such as 'BTCUSDT'"
                error = ParameterError(text, parameter="symbols", value=symbol)
                # Only values of these types are certain to be hashable; others are named by their repr.
                is_key = symbol is None or type(symbol) in (int, float, bool, bytes)
                self._failed(symbol if is_key else shown(symbol), error)
        self._waiting = deque(dict.fromkeys(self._waiting))

    def _start(self, running: dict[RunningT, str], call: Callable[[str], RunningT]) -> None:
        """Start calls until as many are under way as may be."""
        while self._waiting and (not running or len(running) < self._max_concurrency):
            symbol = self._waiting.popleft()
            running[call(symbol)] = symbol

    def _collect(self, finished: Iterable[tuple[str, _Running[T]]]) -> None:
        for symbol, call in finished:
            error = call.exception()
            if error is None:
                self._ready.append((symbol, call.result()))
            else:
                self._failed(symbol, error)

    def _failed(self, symbol: object, error: BaseException) -> None:
        if not isinstance(error, BinanceError) or isinstance(error, ConfigError):
            # It has nothing to do with the symbol: the calls for all others would fail in the same way.
            raise error
        self.errors[cast(str, symbol)] = error
        is_plain = isinstance(symbol, str) and symbol.isprintable()
        _LOGGER.warning("skipped %s: %s", symbol if is_plain else shown(symbol), error)


class Batch(_Symbols[T]):
    """Results of one call for many symbols, in the order in which they arrive.

    ``async for symbol, result in batch`` sends no more requests at once than the client allows. A symbol whose call
    fails is logged and skipped, and its error is kept in ``errors``. Leaving the loop early cancels the calls under
    way; a second loop goes on with the symbols that the first has left.

    Attributes:
        errors: What went wrong, by symbol; complete when the loop has ended.
    """

    def __init__(self, call: Callable[[str], Awaitable[T]], symbols: Iterable[str], max_concurrency: int) -> None:
        super().__init__(symbols, max_concurrency)
        self._call = call

    async def __aiter__(self) -> AsyncGenerator[tuple[str, T], None]:
        running: dict[asyncio.Task[T], str] = {}
        process = ProcessGuard()
        try:
            while True:
                while self._ready:
                    yield self._ready.popleft()
                    process.check(*_ITERATOR)
                self._start(running, lambda symbol: asyncio.ensure_future(_as_coroutine(self._call, symbol)))
                if not running:
                    return
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                self._collect((running.pop(task), task) for task in sorted(done, key=list(running).index))
        finally:
            self._waiting.extendleft(reversed(running.values()))
            if not process.is_child:
                for task in running:
                    task.cancel()
                await asyncio.gather(*running, return_exceptions=True)


class SyncBatch(_Symbols[T]):
    """``Batch`` with ``for``: a few threads make the calls.

    Leaving the loop early does not wait for them: calls that wait, for the budget or for another attempt, end at once,
    and a request that was sent already ends by itself within its timeout.

    Attributes:
        errors: What went wrong, by symbol; complete when the loop has ended.
    """

    def __init__(self, call: Callable[[str], T], symbols: Iterable[str], max_concurrency: int) -> None:
        super().__init__(symbols, max_concurrency)
        self._call = call

    def __iter__(self) -> Generator[tuple[str, T], None, None]:
        running: dict[Future[T], str] = {}
        process = ProcessGuard()
        stop = StopSignal()
        threads = ThreadPoolExecutor(self._max_concurrency, "binance-sdk-batch")
        try:
            while True:
                while self._ready:
                    yield self._ready.popleft()
                    process.check(*_ITERATOR)
                self._start(running, lambda symbol: threads.submit(stop.run, self._call, symbol))
                if not running:
                    return
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                self._collect((running.pop(future), future) for future in sorted(done, key=list(running).index))
        finally:
            self._waiting.extendleft(reversed(running.values()))
            if not process.is_child:
                # The child of a fork does not have these threads.
                stop.set()
                threads.shutdown(wait=not running, cancel_futures=True)


def _each_symbol(symbols: object) -> Iterable[object]:
    """The symbols one by one; a string is one symbol, not its letters.

    Raises:
        ParameterError: it is not an iterable of symbols.
    """
    if isinstance(symbols, str):
        return (symbols,)
    if isinstance(symbols, bytes) or not isinstance(symbols, Iterable):
        text = f"each: symbols={shown(symbols)} must be an iterable of symbols such as ['BTCUSDT', 'ETHUSDT']"
        raise ParameterError(text, parameter="symbols", value=symbols)
    return cast("Iterable[object]", symbols)


async def _as_coroutine(call: Callable[[str], Awaitable[T]], symbol: str) -> T:
    return await call(symbol)
