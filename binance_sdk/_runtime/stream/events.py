"""What users hold of an open stream: its events with or without notices, for ``async for`` and for ``for``."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, cast

from binance_sdk._runtime.stream.consumer import Consumer, Item, StreamHealth
from binance_sdk._runtime.stream.context import StreamContext
from binance_sdk._runtime.stream.manager import BackgroundStreamManager
from binance_sdk._runtime.stream.notices import Notice, NoticeDispatcher
from binance_sdk._runtime.stream.options import StreamOptions
from binance_sdk._runtime.stream.stats import StreamStats
from binance_sdk._runtime.stream.stream_event import StreamEvent
from binance_sdk.errors import ConfigError, ParameterError, shown

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_BATCH = 64
"""Events fetched from the other thread at once, if so many are waiting: each crossing costs more than a decode."""


# ---------------------------------------------------------------------------- what can be subscribed to


class StreamLike(Generic[T_co]):
    """A stream as those see it who only subscribe to it; ``Stream`` and ``SyncStream`` are its kinds.

    It is covariant, which they are not: a stream of trades will do where one of trades or quotes is wanted.
    """

    items: tuple[Item, ...]
    _options: StreamOptions

    def is_of(self, context: StreamContext) -> bool:
        """Whether the client that made it has this context."""
        raise NotImplementedError


class AsyncStreamLike(StreamLike[T_co]):
    """A stream of an asynchronous client."""


class SyncStreamLike(StreamLike[T_co]):
    """A stream of a blocking client."""


def _check_wanted(kind: type[StreamLike[object]], stream: StreamLike[Any], consumer: Consumer) -> None:
    """What is subscribed to must be a stream of the same client: another client may speak to another exchange.

    Raises:
        ParameterError: it is not.
    """
    if not isinstance(stream, kind):
        name = kind.__name__.removesuffix("Like").removeprefix("Async")
        text = f"stream={shown(stream)} must be a {name} of this client"
        raise ParameterError(
            f"{text}; write e.g. events.subscribe(client.spot.streams.trade('BTCUSDT'))",
            parameter="stream",
            value=stream,
        )
    found: StreamLike[object] = stream
    if not consumer.closed and not found.is_of(consumer.context):
        text = f"{shown(found)} was made by another client; make it with the client whose stream is open"
        raise ParameterError(text, parameter="stream", value=found)


# ------------------------------------------------------------------------------------------- asyncio


class EventsWithNotices(Generic[T]):
    """Events and notices in the order they came, for ``async for``."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self._reader = consumer.reader

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T | Notice:
        self._consumer.check_process()
        item = await self._reader.next(with_notices=True)
        if isinstance(item, Notice):
            self._reader.notices.deliver(item)
            return item
        return cast(T, item)


class Events(Generic[T]):
    """Events of open streams, for ``async for``.

    Notices (``Gap``, ``Reconnected``, ``SilentStream``) are not among them: they go to ``on_notice=``, the client's
    hooks, ``stats`` and, where data is missing, as a warning to the log. ``with_notices()`` iterates both.
    """

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self._take = consumer.reader.take
        self._wait = consumer.reader.wait
        self._process = consumer.process

    @property
    def stats(self) -> StreamStats:
        """Counts so far."""
        return self._consumer.reader.stats

    @property
    def streams(self) -> tuple[str, ...]:
        """Names of the streams that are listened to now."""
        return self._consumer.names

    @property
    def failed_dials(self) -> int:
        """Attempts in a row to open another connection after a loss that have failed so far; 0 while it is connected.

        Where the streams have several connections, those of the one that is worst off. It is dialled on and on.
        """
        return self._consumer.failed_dials

    def health(self, stream: str) -> StreamHealth:
        """How a stream is at this moment: ``flowing``, ``disconnected``, or ``silent``.

        ``silent`` has a connection and has sent nothing for longer than is usual for it. One of which silence says
        nothing, such as liquidations, is never called that.

        Args:
            stream: One of ``streams``.

        Raises:
            ParameterError: it is not listened to.
        """
        return self._consumer.health_of(stream)

    async def subscribe(self, stream: AsyncStreamLike[T]) -> None:
        """Listen to more streams; returns when they are acknowledged.

        Raises:
            ParameterError: it is not a stream of this client, or has an option that differs from the open stream's.
            StreamError: the exchange refused.
        """
        _check_wanted(AsyncStreamLike, stream, self._consumer)
        await self._consumer.subscribe(stream.items)

    async def unsubscribe(self, stream: AsyncStreamLike[Any]) -> None:
        """Stop listening to these streams; events of them that wait to be read are thrown away.

        Raises:
            ParameterError: it is not a stream of this client.
        """
        _check_wanted(AsyncStreamLike, stream, self._consumer)
        await self._consumer.unsubscribe(stream.items)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if self._process.is_child:
            self._consumer.check_process()
        event: T | None = self._take()
        if event is not None:
            return event
        return cast(T, await self._wait())

    def with_notices(self) -> EventsWithNotices[T]:
        """The same events and between them, where they belong, the notices; made for ``match``.

        Both ways of iterating take from the same stream, so what one has given out the other does not repeat.
        """
        return EventsWithNotices(self._consumer)

    async def aclose(self) -> None:
        """End it; a loop that waits for an event ends too."""
        await self._consumer.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


# ------------------------------------------------------------------------------------------ blocking


class SyncEventsWithNotices(Generic[T]):
    """Events and notices in the order they came, for ``for``."""

    def __init__(self, first: Callable[[], T | Notice], batch: deque[T | Notice], notices: NoticeDispatcher) -> None:
        self._first = first
        self._batch = batch
        self._notices = notices

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T | Notice:
        item = self._first()
        if isinstance(item, Notice):
            self._notices.deliver(item)
        # After that, and without a call in between: see ``SyncEvents.__next__``.
        del self._batch[0]
        return item


class SyncEvents(Generic[T]):
    """Events of open streams, for ``for``. For one thread at a time.

    Notices (``Gap``, ``Reconnected``, ``SilentStream``) are not among them: they go to ``on_notice=``, the client's
    hooks, ``stats`` and, where data is missing, as a warning to the log. ``with_notices()`` iterates both.
    """

    def __init__(self, manager: BackgroundStreamManager, consumer: Consumer) -> None:
        self._manager = manager
        self._consumer = consumer
        self._batch: deque[T | Notice] = deque()
        """Taken from the reader and not handed out yet. The background thread fills it directly, so that nothing is
        lost on its way between the two threads when this one is interrupted."""
        self._fetching = asyncio.Lock()

    @property
    def stats(self) -> StreamStats:
        """Counts so far."""
        return self._consumer.reader.stats

    @property
    def streams(self) -> tuple[str, ...]:
        """Names of the streams that are listened to now."""
        return self._consumer.names

    @property
    def failed_dials(self) -> int:
        """Attempts in a row to open another connection after a loss that have failed so far; 0 while it is connected.

        Where the streams have several connections, those of the one that is worst off. It is dialled on and on.
        """
        return self._consumer.failed_dials

    def health(self, stream: str) -> StreamHealth:
        """How a stream is at this moment: ``flowing``, ``disconnected``, or ``silent``.

        ``silent`` has a connection and has sent nothing for longer than is usual for it. One of which silence says
        nothing, such as liquidations, is never called that.

        Args:
            stream: One of ``streams``.

        Raises:
            ParameterError: it is not listened to.
        """
        return self._consumer.health_of(stream)

    def subscribe(self, stream: SyncStreamLike[T]) -> None:
        """Listen to more streams; returns when they are acknowledged.

        Raises:
            ParameterError: it is not a stream of this client, or has an option that differs from the open stream's.
            StreamError: the exchange refused.
        """
        self._consumer.check_process()
        _check_wanted(SyncStreamLike, stream, self._consumer)
        self._manager.run(lambda: self._consumer.subscribe(stream.items))

    def unsubscribe(self, stream: SyncStreamLike[Any]) -> None:
        """Stop listening to these streams; events of them that wait to be read are thrown away.

        Raises:
            ParameterError: it is not a stream of this client.
        """
        self._consumer.check_process()
        _check_wanted(SyncStreamLike, stream, self._consumer)
        self._manager.run(lambda: self._unsubscribe(stream))

    async def _unsubscribe(self, stream: SyncStreamLike[Any]) -> None:
        await self._consumer.unsubscribe(stream.items)
        gone = {named.name for named, _ in stream.items}.difference(self._consumer.names)
        remaining = [item for item in self._batch if _stream_of(item) not in gone]
        self._batch.clear()
        self._batch.extend(remaining)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        batch = self._batch
        while True:
            item = self._first()
            if not isinstance(item, Notice):
                # An interrupt is raised where a call returns, and there is no call from here on: what is removed from
                # the batch is handed out.
                del batch[0]
                return item
            self._consumer.reader.notices.deliver(item)
            del batch[0]

    def with_notices(self) -> SyncEventsWithNotices[T]:
        """The same events and between them, where they belong, the notices; made for ``match``.

        Both ways of iterating take from the same stream, so what one has given out the other does not repeat.
        """
        return SyncEventsWithNotices(self._first, self._batch, self._consumer.reader.notices)

    def _first(self) -> T | Notice:
        """What is to be handed out next; it stays in the batch."""
        if self._consumer.process.is_child:
            self._consumer.check_process()
        if self._consumer.closed:
            # What was fetched before is not handed out either, since the stream is over.
            self._batch.clear()
            raise StopIteration
        if not self._batch:
            try:
                self._manager.run(self._fetch)
            except CancelledError:
                # The client was closed while this thread waited.
                raise StopIteration from None
            if not self._batch:
                raise StopIteration
        return self._batch[0]

    async def _fetch(self) -> None:
        # With notices, since those go to the consumer's functions in the consumer's thread and not in this one.
        reader, batch = self._consumer.reader, self._batch
        async with self._fetching:
            if batch:
                # A call that was interrupted had asked before, and was served meanwhile.
                return
            try:
                batch.append(await reader.next(with_notices=True))
            except StopAsyncIteration:
                return
            while len(batch) < _BATCH and not reader.latest_only:
                item = reader.take(with_notices=True)
                if item is None:
                    return
                batch.append(item)

    def close(self) -> None:
        """End it."""
        if not self._consumer.closed and not self._consumer.process.is_child:
            try:
                self._manager.run(self._consumer.aclose, to_the_end=True)
            except ConfigError:
                # The client was closed before, and every stream with it.
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _stream_of(item: object) -> str | None:
    """The name of the stream that an event, or a list of events, came from; None for a notice."""
    if isinstance(item, StreamEvent):
        return item.stream
    for event in cast("list[object]", item) if type(item) is list else ():
        return _stream_of(event)
    return None
