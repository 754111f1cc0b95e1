"""What users open: streams, and the namespaces ``client.<market>.streams`` that make them. Making one sends nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, cast, overload

from typing_extensions import Unpack

from binance_sdk._runtime.stream.consumer import Consumer, Item
from binance_sdk._runtime.stream.context import StreamContext
from binance_sdk._runtime.stream.events import AsyncStreamLike, Events, StreamLike, SyncEvents, SyncStreamLike
from binance_sdk._runtime.stream.manager import BackgroundStreamManager, StreamManager
from binance_sdk._runtime.stream.names import name_streams
from binance_sdk._runtime.stream.operation import StreamOperation
from binance_sdk._runtime.stream.options import StreamOptions, check_options
from binance_sdk.errors import ParameterError, StreamError, shown

T = TypeVar("T")
U = TypeVar("U")
V = TypeVar("V")
W = TypeVar("W")
ManagerT = TypeVar("ManagerT", bound="StreamManager | BackgroundStreamManager")


def check_combinable(kind: type[object], *streams: object) -> None:
    """Only streams of one client can be combined.

    Raises:
        ParameterError: one of them is not a ``kind``, or was made by another client.
    """
    managers: set[int] = set()
    for stream in streams:
        if not isinstance(stream, kind):
            text = f"streams can only be combined with other streams: must be a {kind.__name__}, not {shown(stream)}"
            many = issubclass(type(stream), (list, tuple, set))
            hint = "; give them one by one, as in combine(*streams)" if many else ""
            raise ParameterError(f"{text}{hint}", parameter="streams", value=stream)
        managers.add(id(cast("_UnopenedStream[Any, Any]", stream).manager))
    if len(managers) > 1:
        text = "streams of two clients cannot be combined, since each may use another exchange; open a stream for each"
        raise ParameterError(text, parameter="streams", value=streams)


class _UnopenedStream(StreamLike[T], Generic[T, ManagerT]):
    def __init__(self, manager: ManagerT, items: Sequence[Item], options: StreamOptions | None = None) -> None:
        self._manager = manager
        self.items: tuple[Item, ...] = tuple(items)
        self._options = options or {}
        self._current: list[Consumer] = []

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the streams, as they are subscribed."""
        return tuple(stream.name for stream, _ in self.items)

    def is_of(self, context: StreamContext) -> bool:
        return self._manager.made(context)

    @property
    def manager(self) -> ManagerT:
        """The manager of the client that made it."""
        return self._manager

    def _pop(self) -> Consumer:
        if not self._current:
            raise StreamError("the stream is not open")
        return self._current.pop()

    def __repr__(self) -> str:
        names = ", ".join(self.names[:3])
        # Streams of several markets may be combined, and have the same names there.
        markets = "|".join(dict.fromkeys(stream.operation.market for stream, _ in self.items))
        return f"<{type(self).__name__} of {markets}: {names}{', ...' if len(self.names) > 3 else ''}>"


class Stream(_UnopenedStream[T, StreamManager], AsyncStreamLike[T]):
    """One or many streams for asyncio: ``async with stream as events: async for event in events: ...``."""

    def __or__(self, other: AsyncStreamLike[U]) -> Stream[T | U]:
        """Both streams as one; tell their events apart with ``match``."""
        check_combinable(Stream, self, other)
        return Stream(self._manager, (*self.items, *other.items), {**other._options, **self._options})

    if not TYPE_CHECKING:  # A type checker says it by itself, as there is no such method.

        def __aiter__(self) -> NoReturn:
            raise StreamError("a stream is opened first: async with stream as events: async for event in events: ...")

    async def open(self) -> Events[T]:
        """Open without ``async with``; call ``aclose()`` of the result.

        Raises:
            ConfigError: the client is closed, or its environment does not serve a stream.
            StreamError: no connection, or the exchange refused a stream.
            RateLimitError: over a limit, again and again; the end of the first ones was waited for.
            IPBannedError: the address is banned until ``banned_until``.
            ForbiddenError: the firewall refused.
            RestrictedLocationError: not served where you are.
        """
        return Events(await self._manager.open(self.items, self._options))

    async def __aenter__(self) -> Events[T]:
        consumer = await self._manager.open(self.items, self._options)
        self._current.append(consumer)
        return Events(consumer)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pop().aclose()


class SyncStream(_UnopenedStream[T, BackgroundStreamManager], SyncStreamLike[T]):
    """One or many streams, blocking: ``with stream as events: for event in events: ...``."""

    def __or__(self, other: SyncStreamLike[U]) -> SyncStream[T | U]:
        """Both streams as one; tell their events apart with ``match``."""
        check_combinable(SyncStream, self, other)
        return SyncStream(self._manager, (*self.items, *other.items), {**other._options, **self._options})

    if not TYPE_CHECKING:

        def __iter__(self) -> NoReturn:
            raise StreamError("a stream is opened first: with stream as events: for event in events: ...")

    def open(self) -> SyncEvents[T]:
        """Open without ``with``; call ``close()`` of the result. Raises what ``Stream.open`` does."""
        return SyncEvents(self._manager, self._manager.open(self.items, self._options))

    def __enter__(self) -> SyncEvents[T]:
        consumer = self._manager.open(self.items, self._options)
        self._current.append(consumer)
        return SyncEvents(self._manager, consumer)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        SyncEvents[Any](self._manager, self._pop()).close()


def _items(
    operation: StreamOperation[object], arguments: Mapping[str, object], options: Mapping[str, object]
) -> tuple[Item, ...]:
    checked = check_options(options)
    return tuple((each, checked) for each in name_streams(operation, arguments))


class AsyncStreams:
    """Makes streams for asyncio."""

    def __init__(self, manager: StreamManager) -> None:
        self._manager = manager

    def _stream(
        self, operation: StreamOperation[T], arguments: Mapping[str, object], options: StreamOptions
    ) -> Stream[T]:
        return Stream(self._manager, _items(operation, arguments, cast("Mapping[str, object]", options)))

    @overload
    def combine(self, a: Stream[T], b: Stream[U], /, **options: Unpack[StreamOptions]) -> Stream[T | U]: ...
    @overload
    def combine(
        self, a: Stream[T], b: Stream[U], c: Stream[V], /, **options: Unpack[StreamOptions]
    ) -> Stream[T | U | V]: ...
    @overload
    def combine(
        self, a: Stream[T], b: Stream[U], c: Stream[V], d: Stream[W], /, **options: Unpack[StreamOptions]
    ) -> Stream[T | U | V | W]: ...
    @overload
    def combine(self, *streams: AsyncStreamLike[T], **options: Unpack[StreamOptions]) -> Stream[T]: ...
    def combine(self, *streams: AsyncStreamLike[Any], **options: Unpack[StreamOptions]) -> Stream[Any]:
        """Any number of streams as one; ``a | b`` is the short form for a few.

        Args:
            *streams: Streams of any kinds and markets. Up to four keep the types of their events.
            **options: Options for all of them; they win over the streams' own.

        Raises:
            ParameterError: an option is wrong, or something given is not a stream of this client.
        """
        checked = check_options(cast("Mapping[str, object]", options))
        check_combinable(Stream, *streams)
        items = tuple(_with_options(item, checked) for stream in streams for item in stream.items)
        return Stream(self._manager, items, checked)


class SyncStreams:
    """Makes blocking streams."""

    def __init__(self, manager: BackgroundStreamManager) -> None:
        self._manager = manager

    def _stream(
        self, operation: StreamOperation[T], arguments: Mapping[str, object], options: StreamOptions
    ) -> SyncStream[T]:
        return SyncStream(self._manager, _items(operation, arguments, cast("Mapping[str, object]", options)))

    @overload
    def combine(self, a: SyncStream[T], b: SyncStream[U], /, **options: Unpack[StreamOptions]) -> SyncStream[T | U]: ...
    @overload
    def combine(
        self, a: SyncStream[T], b: SyncStream[U], c: SyncStream[V], /, **options: Unpack[StreamOptions]
    ) -> SyncStream[T | U | V]: ...
    @overload
    def combine(
        self,
        a: SyncStream[T],
        b: SyncStream[U],
        c: SyncStream[V],
        d: SyncStream[W],
        /,
        **options: Unpack[StreamOptions],
    ) -> SyncStream[T | U | V | W]: ...
    @overload
    def combine(self, *streams: SyncStreamLike[T], **options: Unpack[StreamOptions]) -> SyncStream[T]: ...
    def combine(self, *streams: SyncStreamLike[Any], **options: Unpack[StreamOptions]) -> SyncStream[Any]:
        """Any number of streams as one; ``a | b`` is the short form for a few.

        Args:
            *streams: Streams of any kinds and markets. Up to four keep the types of their events.
            **options: Options for all of them; they win over the streams' own.

        Raises:
            ParameterError: an option is wrong, or something given is not a stream of this client.
        """
        checked = check_options(cast("Mapping[str, object]", options))
        check_combinable(SyncStream, *streams)
        items = tuple(_with_options(item, checked) for stream in streams for item in stream.items)
        return SyncStream(self._manager, items, checked)


def _with_options(item: Item, options: StreamOptions) -> Item:
    name, own = item
    return name, {**own, **options}
