"""The books of one call: one consumer of their streams, one loader of snapshots, and what opens and closes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from binance_sdk._runtime.book.state import MOST_KEPT
from binance_sdk._runtime.budget.share_queue import QueueProgress, ShareQueue
from binance_sdk._runtime.calls.caller import AsyncCaller
from binance_sdk._runtime.clock import Clock
from binance_sdk._runtime.fork import ProcessGuard
from binance_sdk._runtime.live_book.book_reader import BookReader
from binance_sdk._runtime.live_book.keeper import BookKeeper
from binance_sdk._runtime.live_book.settings import BookProcedure, BookSettings
from binance_sdk._runtime.live_book.snapshots import SnapshotLoader
from binance_sdk._runtime.live_book.surroundings import Surroundings
from binance_sdk._runtime.live_book.update_decoder import update_decoder
from binance_sdk._runtime.live_book.verification import verify
from binance_sdk._runtime.stream.consumer import Consumer, Item
from binance_sdk._runtime.stream.context import StreamContext
from binance_sdk._runtime.stream.manager import StreamManager
from binance_sdk._runtime.stream.names import NamedStream
from binance_sdk._runtime.stream.options import ResolvedOptions
from binance_sdk.errors import BinanceError, BookNotSyncedError, StreamError

_MOST_KEPT_TOGETHER = 20_000


@dataclass(frozen=True, slots=True)
class BooksProgress:
    """How far books have come.

    Attributes:
        synced: Books that are the exchange's at the moment.
        failed: Books that have ended with an error.
        total: All of them.
        waiting: Symbols whose snapshot has to wait for its turn, the next one first; those of other calls of the same
            client that are before them in the queue are left out.
        seconds_left: Seconds until the turn of the last of them, if nothing else delays it; 0.0 if none waits.
    """

    synced: int
    failed: int
    total: int
    waiting: tuple[str, ...]
    seconds_left: float


def most_kept(books: int) -> int:
    """Updates that each of so many books keeps for its snapshot.

    Few books may keep many: a line that plays back what was recorded has brought thousands before a snapshot is there.
    """
    return max(MOST_KEPT, _MOST_KEPT_TOGETHER // books)


class BookGroup:
    """Books of one market, not opened yet.

    Args:
        procedure: How the books of the market are kept.
        settings: What was asked for.
        caller: Makes calls with the options of the client.
        blocking: The caller waits by blocking.
    """

    def __init__(
        self, procedure: BookProcedure, settings: BookSettings, caller: AsyncCaller, *, blocking: bool
    ) -> None:
        self._procedure = procedure
        self._settings = settings
        self._caller = caller
        self._blocking = blocking
        self._consumer: Consumer | None = None
        self._reader: BookReader | None = None
        self._open: dict[bytes, BookKeeper] = {}
        """Books that go on, by the name of their stream."""
        self._streams = {str(stream.arguments["symbol"]): stream for stream in settings.streams}
        self._loader: SnapshotLoader | None = None
        self._around: Surroundings | None = None
        self._process = ProcessGuard()
        self.keepers: dict[str, BookKeeper] = {}
        """Every book by its symbol, from the opening on."""
        self.symbols: tuple[str, ...] = tuple(self._streams)
        self.now: Callable[[], float] = caller.engine.attempts.clock.monotonic

    @property
    def opened(self) -> bool:
        """Whether there is anything to close."""
        return self._consumer is not None and not self._consumer.closed and not self._process.is_child

    def keeper(self, symbol: str) -> BookKeeper:
        """The book of a symbol.

        Raises:
            StreamError: it is not open yet.
        """
        found = self.keepers.get(symbol)
        if found is None or self._process.is_child:
            self._process.check("a live order book", "open another one in the child")
            raise StreamError(
                f"the book of {symbol} is not open: read it inside its `async with`, or its `with` of a "
                "SyncBinanceClient"
            )
        return found

    # ----------------------------------------------------------------------------------------- opening

    async def open(self, manager: StreamManager) -> None:
        """Connect, and begin with the snapshots.

        Raises:
            BinanceError: there is no connection, or the environment does not serve the market.
        """
        if self._consumer is not None or self.keepers:
            raise StreamError("these order books were opened before; ask the client for others")
        self._process.check("a live order book", "open another one in the child")
        items: list[Item] = [(stream, {}) for stream in self._settings.streams]
        consumer = await manager.open(items, {}, self._make_reader)
        self._consumer = consumer
        assert self._reader is not None
        self._reader.start()
        every = self._settings.verify_every
        if every is not None:
            self._reader.in_background(self._verify_all(every, consumer.context.clock), "checks of books")

    def _make_reader(
        self, context: StreamContext, options: ResolvedOptions, pause: Callable[[bool], None]
    ) -> BookReader:
        attempts, rules = self._caller.engine.attempts, self._procedure.rules
        market = self._procedure.stream.market
        loader = self._loader = SnapshotLoader(
            self._caller.engine,
            self._caller.defaults,
            attempts.catalogue[market].operations[rules.snapshot],
            self._queue(context.clock),
            limit=self._settings.limit,
            share=self._settings.share,
            blocking=self._blocking,
        )
        around = Surroundings(
            market,
            rules,
            update_decoder(rules),
            loader,
            context.clock,
            context.notify,
            context.backoff,
            most_kept(len(self._streams)),
        )
        self._around = around
        for symbol in self.symbols:
            self._new_keeper(symbol)
        self._reader = BookReader(self._open, context, options, pause)
        return self._reader

    def _new_keeper(self, symbol: str) -> BookKeeper:
        assert self._around is not None
        keeper = BookKeeper(symbol, self._around, self._failed)
        self.keepers[symbol] = self._open[self._streams[symbol].name.encode()] = keeper
        return keeper

    async def add(self, symbols: Iterable[str]) -> list[str]:
        """Keep the books of these symbols too; those that have ended begin anew. Returns their symbols.

        Raises:
            ParameterError: one of them is no symbol.
            StreamError: they are not open, or the exchange refused.
        """
        asked = {str(stream.arguments["symbol"]): stream for stream in self._settings.named(symbols)}
        if self._consumer is None or self._reader is None or not self.opened:
            raise StreamError("these order books are not open: add symbols inside their `async with` or `with`")
        missing = {symbol: stream for symbol, stream in asked.items() if not self._goes_on(symbol)}
        self._streams |= missing
        keepers = [self._new_keeper(symbol) for symbol in missing]
        self.symbols = tuple(self._streams)
        try:
            await self._consumer.add([(stream, {}) for stream in missing.values()])
        except BaseException as error:
            failure = error if isinstance(error, BinanceError) else StreamError("it was not waited for")
            for keeper in keepers:
                keeper.fail(failure)
            raise
        for keeper in keepers:
            self._reader.start_one(keeper)
        return list(asked)

    def _goes_on(self, symbol: str) -> bool:
        keeper = self.keepers.get(symbol)
        return keeper is not None and keeper.error is None and not keeper.closed

    def _queue(self, clock: Clock) -> ShareQueue:
        attempts, market = self._caller.engine.attempts, self._procedure.stream.market
        pool = attempts.markets[market].pool
        if attempts.budget is not None:
            return attempts.budget.share_queue(pool, clock)
        # Whoever has a rate limiter of his own wants no other one.
        return ShareQueue(pool, clock, float(10**6), attempts.max_concurrency)

    # ------------------------------------------------------------------------------------------ running

    def _failed(self, keeper: BookKeeper) -> None:
        stream = self._streams[keeper.symbol]
        name = stream.name.encode()
        if self._open.get(name) is keeper and self._open.pop(name) and self._reader is not None:
            self._reader.in_background(self._unsubscribe(stream), f"end of {stream.name}")

    async def _unsubscribe(self, stream: NamedStream) -> None:
        assert self._consumer is not None
        await self._consumer.unsubscribe([(stream, {})])

    async def _verify_all(self, every: float, clock: Clock) -> None:
        """Compare each book once in so many seconds, evenly spread."""
        while self._open:
            for symbol in self.symbols:
                await clock.sleep(every / len(self.symbols))
                keeper = self.keepers[symbol]
                if keeper.synced and self._reader is not None:
                    # Beside the others: each waits for its turn and for an update.
                    self._reader.in_background(self._verify(keeper, every), f"check of {symbol}")

    async def _verify(self, keeper: BookKeeper, every: float) -> None:
        try:
            await verify(keeper)
        except BookNotSyncedError:
            return
        except BinanceError as error:
            keeper.not_compared(error, every)

    @property
    def errors(self) -> dict[str, BinanceError]:
        """Why books have ended, by symbol."""
        return {symbol: keeper.error for symbol, keeper in self.keepers.items() if keeper.error is not None}

    @property
    def progress(self) -> BooksProgress:
        """How far they have come."""
        queue = QueueProgress((), (), 0, 0.0) if self._loader is None else self._loader.progress
        keepers = list(self.keepers.values())
        waiting = tuple(symbol for symbol in queue.waiting if symbol in self.keepers)
        return BooksProgress(
            sum(keeper.synced for keeper in keepers),
            len(self.errors),
            len(self.symbols),
            waiting,
            queue.seconds_left if waiting else 0.0,
        )

    async def wait_synced(self, seconds: float | None = None) -> None:
        """Return when each is synced or has failed; ``seconds`` are the most it may take.

        Raises:
            BookNotSyncedError: not in time.
        """
        clock = self._caller.engine.attempts.clock
        end = None if seconds is None else clock.monotonic() + seconds
        for keeper in self._pending():
            left = None if end is None else max(0.0, end - clock.monotonic())
            try:
                await keeper.wait_synced(left)
            except BookNotSyncedError:
                raise
            except BinanceError:
                # It is among the errors, or was closed alone; the others go on.
                if keeper.error is None and not self.opened:
                    raise

    def _pending(self) -> Iterator[BookKeeper]:
        """Books that are not synced, until there is none: one may be lost while others are waited for."""
        while True:
            going = (each for each in self.keepers.values() if each.error is None and not (each.closed and self.opened))
            found = next((keeper for keeper in going if not keeper.synced), None)
            if found is None:
                return
            yield found

    async def close_one(self, symbol: str) -> None:
        """Keep this book no more; the last one takes the connection with it."""
        keeper, stream = self.keepers.get(symbol), self._streams[symbol]
        if keeper is None or not self.opened:
            return
        keeper.close()
        if self._open.pop(stream.name.encode(), None) is not None and self._open:
            await self._unsubscribe(stream)
        elif not self._open:
            await self.aclose()

    async def aclose(self) -> None:
        """Close them and their connections."""
        if self._consumer is not None and self.opened:
            await self._consumer.aclose()
