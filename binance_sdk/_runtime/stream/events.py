"""Open streams for a blocking client: the same engine, in the background thread of the client."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, cast

from binance_sdk._runtime.stream.consumer import Opened, SyncStreamed, check_wanted
from binance_sdk._runtime.stream.event import StreamEvent
from binance_sdk._runtime.stream.manager import BackgroundOpener
from binance_sdk._runtime.stream.notices import Notice, Notices
from binance_sdk._runtime.stream.stats import StreamStats
from binance_sdk.errors import ConfigError

T = TypeVar("T")

_BATCH = 64
"""Events fetched from the other thread at once, if so many are waiting: each crossing costs more than a decode."""


def _stream_of(item: object) -> str | None:
    """The name of the stream that an event came from, or a list of them; None for a notice, which stays."""
    if isinstance(item, StreamEvent):
        return item.stream
    for event in cast("list[object]", item) if type(item) is list else ():
        return _stream_of(event)
    return None


class SyncEventsWithNotices(Generic[T]):
    """Events and notices in the order they came, for ``for``."""

    def __init__(self, first: Callable[[], T | Notice], batch: deque[T | Notice], notices: Notices) -> None:
        self._first = first
        self._batch = batch
        self._notices = notices

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T | Notice:
        item = self._first()
        if isinstance(item, Notice):
            self._notices.deliver(item)
        # As below.
        del self._batch[0]
        return item


class SyncEvents(Generic[T]):
    """Events of open streams, for ``for``. For one thread at a time.

    Notices (``Gap``, ``Reconnected``, ``SilentStream``) are not among them: they go to ``on_notice=``, the client's
    hooks, ``stats`` and, where data is missing, as a warning to the log. ``with_notices()`` iterates both.
    """

    def __init__(self, opener: BackgroundOpener, opened: Opened) -> None:
        self._opener = opener
        self._opened = opened
        self._batch: deque[T | Notice] = deque()
        """Taken from the stream and not handed out yet. The other thread fills it, so that nothing is on its way
        between the two when this one is interrupted."""
        self._fetching = asyncio.Lock()

    @property
    def stats(self) -> StreamStats:
        """Counts so far."""
        return self._opened.reader.stats

    @property
    def streams(self) -> tuple[str, ...]:
        """Names of the streams that are listened to now."""
        return self._opened.names

    def subscribe(self, stream: SyncStreamed[T]) -> None:
        """Listen to more streams; returns when they are acknowledged.

        Raises:
            ParameterError: it is no stream of this client, or has an option that the open one has otherwise.
            StreamError: the exchange refused.
        """
        self._opened.check_process()
        check_wanted(SyncStreamed, stream, self._opened)
        self._opener.run(lambda: self._opened.join(stream.items))

    def unsubscribe(self, stream: SyncStreamed[Any]) -> None:
        """Listen to these no more; what still waits of them is thrown away.

        Raises:
            ParameterError: it is no stream of this client.
        """
        self._opened.check_process()
        check_wanted(SyncStreamed, stream, self._opened)
        self._opener.run(lambda: self._remove(stream))

    async def _remove(self, stream: SyncStreamed[Any]) -> None:
        await self._opened.remove(stream.items)
        gone = {named.name for named, _ in stream.items}.difference(self._opened.names)
        kept = [item for item in self._batch if _stream_of(item) not in gone]
        self._batch.clear()
        self._batch.extend(kept)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        batch = self._batch
        while True:
            item = self._first()
            if not isinstance(item, Notice):
                # An interrupt is raised where a call returns, and there is none from here on: what has been taken out
                # is handed out.
                del batch[0]
                return item
            self._opened.reader.notices.deliver(item)
            del batch[0]

    def with_notices(self) -> SyncEventsWithNotices[T]:
        """The same events and between them, where they belong, the notices; made for ``match``.

        Both ways of iterating take from the same stream, so what one has given out the other does not repeat.
        """
        return SyncEventsWithNotices(self._first, self._batch, self._opened.reader.notices)

    def _first(self) -> T | Notice:
        """What is to be handed out next; it stays where it is."""
        if self._opened.process.is_child:
            self._opened.check_process()
        if self._opened.closed:
            # Also what was fetched before belongs to a stream that is over.
            self._batch.clear()
            raise StopIteration
        if not self._batch:
            try:
                self._opener.run(self._fetch)
            except CancelledError:
                # The client was closed while this thread waited.
                raise StopIteration from None
            if not self._batch:
                raise StopIteration
        return self._batch[0]

    async def _fetch(self) -> None:
        # With notices: those go to the consumer's functions in the consumer's thread, not in this one.
        reader, batch = self._opened.reader, self._batch
        async with self._fetching:
            if batch:
                # Somebody was interrupted who had asked before.
                return
            try:
                batch.append(await reader.next(with_notices=True))
            except StopAsyncIteration:
                return
            while len(batch) < _BATCH and not reader.newest_only:
                item = reader.take(with_notices=True)
                if item is None:
                    return
                batch.append(item)

    def close(self) -> None:
        """End it."""
        if not self._opened.closed and not self._opened.process.is_child:
            try:
                self._opener.run(self._opened.aclose, to_the_end=True)
            except ConfigError:
                # The client was closed before, and every stream with it.
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
