"""A stream that is open: its events, what it carries, and its counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, cast

from binance_sdk._runtime.fork import ProcessGuard
from binance_sdk._runtime.operation import Market
from binance_sdk._runtime.stream.choices import Choices
from binance_sdk._runtime.stream.connection.supervisor import Owner
from binance_sdk._runtime.stream.context import Parts
from binance_sdk._runtime.stream.names import Named
from binance_sdk._runtime.stream.notices import Notice
from binance_sdk._runtime.stream.options import StreamOptions
from binance_sdk._runtime.stream.reading.newest import make_reader
from binance_sdk._runtime.stream.reading.subscription import Subscription
from binance_sdk._runtime.stream.stats import StreamStats
from binance_sdk.errors import ConfigError, ParameterError, StreamError, shown

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Item = tuple[Named, StreamOptions]


class Opened:
    """Reader and connections of one consumer."""

    def __init__(self, parts: Parts, choices: Choices, closed: Callable[[Opened], None]) -> None:
        self._parts = parts
        self._choices = choices
        self._told_closed = closed
        self._owners: list[Owner] = []
        self._carried: dict[tuple[Market, str], tuple[Subscription, Owner]] = {}
        self.reader = make_reader(parts, choices, self._pause)
        self.closed = False
        self.process = ProcessGuard()

    def check_process(self) -> None:
        """Nothing in the process that opened it.

        Raises:
            ConfigError: we are a child of a fork.
        """
        self.process.check("an open stream", "open another one in the child")

    def _pause(self, paused: bool) -> None:
        for owner in self._owners:
            owner.pause(paused)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for _, name in self._carried)

    async def add(self, items: Iterable[Item]) -> None:
        """Carry these streams too, those excepted that are carried already."""
        self.check_process()
        if self.closed:
            raise StreamError("the stream is closed; open it again")
        by_owner: dict[Owner, list[Subscription]] = {}
        fresh: set[tuple[Market, str]] = set()
        for named, options in items:
            key = (named.operation.market, named.name)
            if key in self._carried or key in fresh:
                continue
            fresh.add(key)
            owner = self._owner(named, by_owner)
            by_owner.setdefault(owner, []).append(self._subscription(named, options))
        results = await asyncio.gather(
            *(self._carry(owner, subscriptions) for owner, subscriptions in by_owner.items()), return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result

    def is_for(self, stream: Streamed[Any]) -> bool:
        """Whether both are of one client."""
        return stream.is_of(self._parts)

    async def join(self, items: Iterable[Item]) -> None:
        """Carry these too, for a consumer who has made his choices.

        Raises:
            ParameterError: an option that holds for all streams of the consumer has another value.
        """
        items = tuple(items)
        for _, options in items:
            for name, value in options.items():
                chosen = getattr(self._choices, name, value)
                if name != "on_notice" and value != chosen:
                    text = f"{name}={shown(value)}: the stream was opened with {name}={shown(chosen)}"
                    remedy = "which holds for all that it is subscribed to; leave it out, or open another stream"
                    raise ParameterError(f"{text}, {remedy}", parameter=name, value=value)
        for _, options in items:
            if "on_notice" in options:
                self.reader.notices.listen(options["on_notice"])
        await self.add(items)

    async def _carry(self, owner: Owner, subscriptions: list[Subscription]) -> None:
        if owner not in self._owners:
            self._owners.append(owner)
        for subscription in subscriptions:
            key = (subscription.named.operation.market, subscription.name)
            self._carried[key] = (subscription, owner)
        try:
            await owner.add(subscriptions)
        except BaseException:
            for subscription in subscriptions:
                self._carried.pop((subscription.named.operation.market, subscription.name), None)
            if owner.empty and owner in self._owners:
                self._owners.remove(owner)
                await owner.aclose()
            raise

    def _owner(self, named: Named, by_owner: dict[Owner, list[Subscription]]) -> Owner:
        operation = named.operation
        if not self._parts.urls.get(operation.market):
            raise ConfigError(
                f"{operation.id} is not served by environment {self._parts.environment!r}; "
                f"choose another one or pass {operation.market}_stream_url=",
                operation=operation.id,
            )
        for owner in (*self._owners, *by_owner):
            same = owner.market == operation.market and owner.route == operation.route
            if same and owner.room > len(by_owner.get(owner, ())):
                return owner
        return Owner(self._parts, operation.market, operation.route, self.reader, self._choices.rollover_after)

    def _subscription(self, named: Named, options: StreamOptions) -> Subscription:
        return Subscription(
            named,
            # What fills a hole is never the newest.
            fill_gaps=options.get("fill_gaps", False) and not self.reader.newest_only,
            quiet_time=options.get("quiet_time"),
            from_spec="quiet_time" not in options,
            now=self._parts.clock.monotonic(),
            skip_rows=options.get("bad_rows") == "skip",
        )

    async def remove(self, items: Iterable[Item]) -> None:
        self.check_process()
        by_owner: dict[Owner, list[Subscription]] = {}
        for named, _ in items:
            found = self._carried.pop((named.operation.market, named.name), None)
            if found is not None:
                by_owner.setdefault(found[1], []).append(found[0])
        self.reader.release({subscription for gone in by_owner.values() for subscription in gone})
        for owner, gone in by_owner.items():
            await owner.remove(gone)
            if owner.empty:
                self._owners.remove(owner)
                await owner.aclose()
        self.reader.release({subscription for gone in by_owner.values() for subscription in gone})

    async def aclose(self) -> None:
        self.closed = True
        self._told_closed(self)
        if self.process.is_child:
            # It goes on in the parent.
            return
        await asyncio.gather(*(owner.aclose() for owner in self._owners))
        await self.reader.aclose()


class Streamed(Generic[T_co]):
    """Where the items of streams come from; ``Stream`` and ``SyncStream`` know them."""

    items: tuple[Item, ...]
    _options: StreamOptions

    def is_of(self, parts: Parts) -> bool:
        """Whether it was made by the client whose streams are made of these parts."""
        raise NotImplementedError


class AsyncStreamed(Streamed[T_co]):
    """What ``Stream`` is to those who only read it: one of trades will do where trades or quotes are wanted."""


class SyncStreamed(Streamed[T_co]):
    """The same for ``SyncStream``."""


def check_wanted(kind: type[Streamed[object]], stream: Streamed[Any], opened: Opened) -> None:
    """What is subscribed to must be a stream, and of the same client: another one may speak to another exchange.

    Raises:
        ParameterError: it is not.
    """
    if not isinstance(stream, kind):
        text = f"stream={shown(stream)} is no {kind.__name__.removesuffix('ed')} of this kind of client"
        raise ParameterError(
            f"{text}; write e.g. events.subscribe(client.spot.streams.trade('BTCUSDT'))",
            parameter="stream",
            value=stream,
        )
    found: Streamed[object] = stream
    if not opened.closed and not opened.is_for(found):
        text = f"{shown(found)} was made by another client; make it with the client whose stream is open"
        raise ParameterError(text, parameter="stream", value=found)


class EventsWithNotices(Generic[T]):
    """Events and notices in the order they came, for ``async for``."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._reader = opened.reader

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T | Notice:
        self._opened.check_process()
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

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._take = opened.reader.take
        self._wait = opened.reader.wait
        self._process = opened.process

    @property
    def stats(self) -> StreamStats:
        """Counts so far."""
        return self._opened.reader.stats

    @property
    def streams(self) -> tuple[str, ...]:
        """Names of the streams that are listened to now."""
        return self._opened.names

    async def subscribe(self, stream: AsyncStreamed[T]) -> None:
        """Listen to more streams; returns when they are acknowledged.

        Raises:
            ParameterError: it is no stream of this client, or has an option that the open one has otherwise.
            StreamError: the exchange refused.
        """
        check_wanted(AsyncStreamed, stream, self._opened)
        await self._opened.join(stream.items)

    async def unsubscribe(self, stream: AsyncStreamed[Any]) -> None:
        """Listen to these no more; what still waits of them is thrown away.

        Raises:
            ParameterError: it is no stream of this client.
        """
        check_wanted(AsyncStreamed, stream, self._opened)
        await self._opened.remove(stream.items)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if self._process.is_child:
            self._opened.check_process()
        event: T | None = self._take()
        if event is not None:
            return event
        return cast(T, await self._wait())

    def with_notices(self) -> EventsWithNotices[T]:
        """The same events and between them, where they belong, the notices; made for ``match``.

        Both ways of iterating take from the same stream, so what one has given out the other does not repeat.
        """
        return EventsWithNotices(self._opened)

    async def aclose(self) -> None:
        """End it; a loop that waits for an event ends too."""
        await self._opened.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
