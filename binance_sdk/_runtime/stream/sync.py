"""Open streams for a blocking client: the same engine, in the background thread of the client."""

from __future__ import annotations

from collections import deque
from concurrent.futures import CancelledError
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from binance_sdk._runtime.stream.notices import Notice
from binance_sdk._runtime.stream.opened import Opened, SyncStreamed
from binance_sdk._runtime.stream.opener import BackgroundOpener
from binance_sdk._runtime.stream.stats import StreamStats
from binance_sdk.errors import ConfigError

T = TypeVar("T")

_BATCH = 64
"""Events fetched from the other thread at once, if so many are waiting: each crossing costs more than a decode."""


class SyncEvents(Generic[T]):
    """Events of open streams, for ``for``: models, and between them notices. For one thread at a time."""

    def __init__(self, opener: BackgroundOpener, opened: Opened) -> None:
        self._opener = opener
        self._opened = opened
        self._batch: deque[Any] = deque()

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
            StreamError: the exchange refused.
        """
        self._opener.run(self._opened.add(stream.items))

    def unsubscribe(self, stream: SyncStreamed[Any]) -> None:
        """Listen to these no more; what still waits of them is thrown away."""
        self._opener.run(self._opened.remove(stream.items))

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T | Notice:
        if not self._batch:
            if self._opened.closed:
                raise StopIteration
            try:
                self._batch.extend(self._opener.run(self._fetch()))
            except CancelledError:
                # The client was closed while this thread waited.
                raise StopIteration from None
            if not self._batch:
                raise StopIteration
        event: T | Notice = self._batch.popleft()
        return event

    async def _fetch(self) -> list[Any]:
        reader = self._opened.reader
        try:
            found = [await reader.next()]
        except StopAsyncIteration:
            return []
        while len(found) < _BATCH and not reader.newest_only and (event := reader.take()) is not None:
            found.append(event)
        return found

    def close(self) -> None:
        """End it."""
        self._batch.clear()
        if not self._opened.closed:
            try:
                self._opener.run(self._opened.aclose())
            except ConfigError:
                # The client was closed before, and every stream with it.
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
