"""What generated methods call: the engine, with the options of one client or of its ``with_options`` copy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from typing import Any, Generic, Self, TypeVar, cast

from binance_sdk._runtime.calls.drive import drive, drive_iterator
from binance_sdk._runtime.calls.engine import Engine
from binance_sdk._runtime.calls.paginator import paginate
from binance_sdk._runtime.calls.paging import plan_pages, plan_walk
from binance_sdk._runtime.fork import ProcessGuard
from binance_sdk._runtime.operation import Operation
from binance_sdk._runtime.options import RequestOptions, check_options
from binance_sdk._runtime.response import Response

T = TypeVar("T")
Arguments = Mapping[str, object]


class _Rows(Generic[T]):
    """The rows of a walk, only for the process that began it: parent and child would share one walk."""

    def __init__(self, operation: str, rows: AsyncIterator[T]) -> None:
        self._operation = operation
        self._rows = rows
        self._process = ProcessGuard()

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Coroutine[Any, Any, T]:
        if self._process.is_child:
            self._process.check("a running iterator", "begin another one in the child", self._operation)
        return cast("Coroutine[Any, Any, T]", self._rows.__anext__())

    async def aclose(self) -> None:
        """End it."""
        await cast(Any, self._rows).aclose()


class AsyncCaller:
    """Makes calls for the async methods."""

    def __init__(self, engine: Engine, defaults: RequestOptions) -> None:
        self.engine = engine
        self.defaults = defaults

    @property
    def max_concurrency(self) -> int:
        """Most requests in flight at once."""
        return self.engine.attempts.max_concurrency

    def _options(self, options: RequestOptions | None) -> RequestOptions:
        return self.defaults if options is None else check_options(options).over(self.defaults)

    async def call(self, operation: Operation[T], arguments: Arguments, options: RequestOptions | None) -> T:
        return (await self.engine.call(operation, arguments, self._options(options))).data

    def paginate(
        self,
        operation: Operation[list[T]],
        arguments: Arguments,
        limit: int | None,
        page_size: int | None,
        options: RequestOptions | None,
    ) -> AsyncIterator[T]:
        now_ms = self.engine.server_ms(operation)
        walk = plan_walk(operation, arguments, limit, page_size, now_ms)
        settings = self._options(options)

        async def fetch(asked: Arguments) -> Response[list[T]]:
            return await self.engine.call(operation, asked, settings)

        return _Rows(operation.id, paginate(walk, fetch, self.engine.server_clock(operation)))

    def raw(self) -> AsyncCaller:
        return _AsyncRaw(self.engine, self.defaults)

    def planning(self) -> AsyncCaller:
        return _AsyncPlanning(self.engine, self.defaults)


class _AsyncRaw(AsyncCaller):
    # The wrappers in ``wrap`` give type checkers the type of what is returned here; see docs/decisions.
    async def call(self, operation: Operation[T], arguments: Arguments, options: RequestOptions | None) -> T:
        return cast(T, await self.engine.call(operation, arguments, self._options(options), late=True))


class _AsyncPlanning(AsyncCaller):
    async def call(self, operation: Operation[T], arguments: Arguments, options: RequestOptions | None) -> T:
        self._options(options)
        return cast(T, self.engine.plan(self.engine.prepare(operation, arguments)))

    def paginate(
        self,
        operation: Operation[list[T]],
        arguments: Arguments,
        limit: int | None,
        page_size: int | None,
        options: RequestOptions | None,
    ) -> AsyncIterator[T]:
        self._options(options)
        now_ms = self.engine.server_ms(operation)
        walk = plan_walk(operation, arguments, limit, page_size, now_ms)
        parts = [
            (count, self.engine.prepare(operation, walk.first_request(rows)))
            for count, rows in plan_pages(walk, now_ms)
        ]
        return cast("AsyncIterator[T]", self.engine.plan_many(operation, parts))


class SyncCaller:
    """Makes calls for the blocking methods: the same engine, run without an event loop."""

    def __init__(self, inner: AsyncCaller) -> None:
        self._inner = inner

    @property
    def inner(self) -> AsyncCaller:
        """What it runs."""
        return self._inner

    @property
    def max_concurrency(self) -> int:
        """Most requests in flight at once."""
        return self._inner.max_concurrency

    def call(self, operation: Operation[T], arguments: Arguments, options: RequestOptions | None) -> T:
        return drive(self._inner.call(operation, arguments, options))

    def paginate(
        self,
        operation: Operation[list[T]],
        arguments: Arguments,
        limit: int | None,
        page_size: int | None,
        options: RequestOptions | None,
    ) -> Iterator[T]:
        found = self._inner.paginate(operation, arguments, limit, page_size, options)
        # A planning caller returns a Plan, which is not an iterator.
        return drive_iterator(found) if hasattr(found, "__anext__") else cast("Iterator[T]", found)

    def raw(self) -> SyncCaller:
        return SyncCaller(self._inner.raw())

    def planning(self) -> SyncCaller:
        return SyncCaller(self._inner.planning())
