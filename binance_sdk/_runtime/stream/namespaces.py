"""The bases of the generated namespaces ``client.<market>.streams``. A method makes a stream; nothing is sent yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast, overload

from typing_extensions import Unpack

from binance_sdk._runtime.stream.consumer import Item
from binance_sdk._runtime.stream.events import AsyncStreamLike, SyncStreamLike
from binance_sdk._runtime.stream.manager import BackgroundStreamManager, StreamManager
from binance_sdk._runtime.stream.names import name_streams
from binance_sdk._runtime.stream.operation import StreamOperation
from binance_sdk._runtime.stream.options import StreamOptions, check_options
from binance_sdk._runtime.stream.stream import Stream, SyncStream, check_combinable

__all__ = ["AsyncStreams", "Stream", "SyncStream", "SyncStreams"]

T = TypeVar("T")
U = TypeVar("U")
V = TypeVar("V")
W = TypeVar("W")


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
