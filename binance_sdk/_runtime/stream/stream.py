"""A stream before it is opened: which ones, with which options. ``|`` puts kinds together."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Generic, TypeVar, cast

from binance_sdk._runtime.stream.consumer import AsyncStreamed, Events, Item, Opened, Streamed, SyncStreamed
from binance_sdk._runtime.stream.context import Parts
from binance_sdk._runtime.stream.events import SyncEvents
from binance_sdk._runtime.stream.manager import BackgroundOpener, Opener
from binance_sdk._runtime.stream.options import StreamOptions
from binance_sdk.errors import ParameterError, StreamError, shown

T = TypeVar("T")
U = TypeVar("U")
OpenerT = TypeVar("OpenerT", bound="Opener | BackgroundOpener")


def check_alike(kind: type[object], *streams: object) -> None:
    """Only streams of one kind of client can be put together.

    Raises:
        ParameterError: one is no ``kind``.
    """
    openers: set[int] = set()
    for stream in streams:
        if not isinstance(stream, kind):
            text = f"streams can only be combined with their like: a {kind.__name__}, not {shown(stream)}"
            many = issubclass(type(stream), (list, tuple, set))
            hint = "; give them one by one, as in combine(*streams)" if many else ""
            raise ParameterError(f"{text}{hint}", parameter="streams", value=stream)
        openers.add(id(cast("_Unopened[Any, Any]", stream).opener))
    if len(openers) > 1:
        text = "streams of two clients cannot be combined, as each has an exchange of its own; open one for each"
        raise ParameterError(text, parameter="streams", value=streams)


class _Unopened(Streamed[T], Generic[T, OpenerT]):
    def __init__(self, opener: OpenerT, items: Sequence[Item], options: StreamOptions | None = None) -> None:
        self._opener = opener
        self.items = tuple(items)
        self._options = options or {}
        self._current: list[Opened] = []

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the streams, as they are subscribed."""
        return tuple(named.name for named, _ in self.items)

    def is_of(self, parts: Parts) -> bool:
        return self._opener.made(parts)

    @property
    def opener(self) -> OpenerT:
        """Of the client that made it."""
        return self._opener

    def _pop(self) -> Opened:
        if not self._current:
            raise StreamError("the stream is not open")
        return self._current.pop()

    def __repr__(self) -> str:
        shown = ", ".join(self.names[:3])
        return f"{type(self).__name__}({shown}{', ...' if len(self.names) > 3 else ''})"


class Stream(_Unopened[T, Opener], AsyncStreamed[T]):
    """One or many streams for asyncio: ``async with stream as events: async for event in events: ...``."""

    def __or__(self, other: AsyncStreamed[U]) -> Stream[T | U]:
        """Both; their events are told apart by ``match``."""
        check_alike(Stream, self, other)
        return Stream(self._opener, (*self.items, *other.items), {**other._options, **self._options})

    async def open(self) -> Events[T]:
        """Open without ``async with``; call ``aclose()`` of the result.

        Raises:
            StreamError: no connection, or the exchange refused a stream.
            RateLimitError: over a limit, again and again; the end of the first ones was waited for.
            IPBannedError: the address is banned until ``banned_until``.
            ForbiddenError: the firewall refused.
            RestrictedLocationError: not served where you are.
        """
        return Events(await self._opener.open(self.items, self._options))

    async def __aenter__(self) -> Events[T]:
        opened = await self._opener.open(self.items, self._options)
        self._current.append(opened)
        return Events(opened)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pop().aclose()


class SyncStream(_Unopened[T, BackgroundOpener], SyncStreamed[T]):
    """One or many streams, blocking: ``with stream as events: for event in events: ...``."""

    def __or__(self, other: SyncStreamed[U]) -> SyncStream[T | U]:
        """Both; their events are told apart by ``match``."""
        check_alike(SyncStream, self, other)
        return SyncStream(self._opener, (*self.items, *other.items), {**other._options, **self._options})

    def open(self) -> SyncEvents[T]:
        """Open without ``with``; call ``close()`` of the result. Raises what ``Stream.open`` does."""
        return SyncEvents(self._opener, self._opener.open(self.items, self._options))

    def __enter__(self) -> SyncEvents[T]:
        opened = self._opener.open(self.items, self._options)
        self._current.append(opened)
        return SyncEvents(self._opener, opened)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        SyncEvents[Any](self._opener, self._pop()).close()
