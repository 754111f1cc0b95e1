"""The bases of the generated stream namespaces: a method makes a stream, which does nothing before it is entered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast, overload

from typing_extensions import Unpack

from binance_sdk._runtime.stream.choices import check
from binance_sdk._runtime.stream.consumer import AsyncStreamed, Item, SyncStreamed
from binance_sdk._runtime.stream.manager import BackgroundOpener, Opener
from binance_sdk._runtime.stream.names import named
from binance_sdk._runtime.stream.operation import StreamOperation
from binance_sdk._runtime.stream.options import StreamOptions
from binance_sdk._runtime.stream.stream import Stream, SyncStream, check_alike

__all__ = ["AsyncStreams", "Stream", "SyncStream", "SyncStreams"]

T = TypeVar("T")
U = TypeVar("U")
V = TypeVar("V")
W = TypeVar("W")


def _items(
    operation: StreamOperation[object], arguments: Mapping[str, object], options: Mapping[str, object]
) -> tuple[Item, ...]:
    checked = check(options)
    return tuple((each, checked) for each in named(operation, arguments))


class AsyncStreams:
    """Makes streams for asyncio."""

    def __init__(self, opener: Opener) -> None:
        self._opener = opener

    def _stream(
        self, operation: StreamOperation[T], arguments: Mapping[str, object], options: StreamOptions
    ) -> Stream[T]:
        return Stream(self._opener, _items(operation, arguments, cast("Mapping[str, object]", options)))

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
    def combine(self, *streams: AsyncStreamed[T], **options: Unpack[StreamOptions]) -> Stream[T]: ...
    def combine(self, *streams: AsyncStreamed[Any], **options: Unpack[StreamOptions]) -> Stream[Any]:
        """Any number of streams as one; ``a | b`` is the short form for a few.

        Args:
            *streams: Streams of any kinds and markets. The events of up to four are known by type.
            **options: Options for all of them, before their own.

        Raises:
            ParameterError: an option is wrong, or something given is no stream of this client's kind.
        """
        checked = check(cast("Mapping[str, object]", options))
        check_alike(Stream, *streams)
        items = tuple(_over(item, checked) for stream in streams for item in stream.items)
        return Stream(self._opener, items, checked)


class SyncStreams:
    """Makes blocking streams."""

    def __init__(self, opener: BackgroundOpener) -> None:
        self._opener = opener

    def _stream(
        self, operation: StreamOperation[T], arguments: Mapping[str, object], options: StreamOptions
    ) -> SyncStream[T]:
        return SyncStream(self._opener, _items(operation, arguments, cast("Mapping[str, object]", options)))

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
    def combine(self, *streams: SyncStreamed[T], **options: Unpack[StreamOptions]) -> SyncStream[T]: ...
    def combine(self, *streams: SyncStreamed[Any], **options: Unpack[StreamOptions]) -> SyncStream[Any]:
        """Any number of streams as one; ``a | b`` is the short form for a few.

        Args:
            *streams: Streams of any kinds and markets. The events of up to four are known by type.
            **options: Options for all of them, before their own.

        Raises:
            ParameterError: an option is wrong, or something given is no stream of this client's kind.
        """
        checked = check(cast("Mapping[str, object]", options))
        check_alike(SyncStream, *streams)
        items = tuple(_over(item, checked) for stream in streams for item in stream.items)
        return SyncStream(self._opener, items, checked)


def _over(item: Item, options: StreamOptions) -> Item:
    name, own = item
    return name, {**own, **options}
