"""A walk over pages: which page to ask for next, which of its rows are new, and when no more can come.

A page that is shorter than asked for does not prove the end: Binance has lowered maximum page sizes before without
notice. A walk ends at its limit, at its end time, or at the server's time when it began; otherwise at an empty page.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from itertools import pairwise
from operator import attrgetter
from typing import Any, Generic, NoReturn, TypeVar

from binance_sdk._runtime.calls.paging import Walk, earliest_start, invalid
from binance_sdk._runtime.calls.parameters import EARLIEST_MS
from binance_sdk._runtime.response import Response
from binance_sdk.errors import DecodeError

T = TypeVar("T")
Fetch = Callable[[Mapping[str, object]], Awaitable[Response[list[T]]]]

_FIRST_STRETCH_MS = 8 * 3_600_000
"""How far back the first search for older rows goes, while nothing is known about the distance between rows."""
_WIDER = 8
"""After a search that found nothing, the next one is so many times as wide."""
_SPARE = 1.1
"""A search asks for so much more than is wanted, as older rows often have greater distances."""


@dataclass(frozen=True)
class ServerClock:
    """Server time in epoch milliseconds, as well as it is known."""

    now_ms: Callable[[], int]
    is_told: Callable[[], bool]
    """Whether it comes from an answer of the server; otherwise it is the time of this machine."""


def paginate(walk: Walk, fetch: Fetch[T], clock: ServerClock) -> AsyncIterator[T]:
    """Every row of a walk in order, each once, and ``limit`` of them if there are so many.

    Args:
        walk: What is wanted.
        fetch: Makes one call.
        clock: The server's time.

    Raises:
        DecodeError: a page repeats rows or is not in order.
        ParameterError: more rows share a key than a page holds.
    """
    return _Paginator(walk, fetch, clock).rows()


def paginate_pages(walk: Walk, fetch: Fetch[T], clock: ServerClock) -> AsyncGenerator[list[T], None]:
    """The same rows as ``paginate`` gives, as many at a time as came together; raises what that raises."""
    return _Paginator(walk, fetch, clock).pages()


class _Paginator(Generic[T]):
    def __init__(self, walk: Walk, fetch: Fetch[T], clock: ServerClock) -> None:
        self._walk = walk
        self._paging = walk.paging
        self._fetch = fetch
        self._clock = clock
        self._key: Callable[[T], int] = attrgetter(self._paging.key)
        self._time: Callable[[T], int] | None = None
        if walk.by_time or self._paging.time is not None:
            self._time = attrgetter(self._paging.time or self._paging.key)
        self._begun: int | None = None
        """Server time when the walk began."""
        self._most = 0
        """Most rows in one page of this walk so far."""

    async def rows(self) -> AsyncIterator[T]:
        async with aclosing(self.pages()) as pages:
            async for page in pages:
                for row in page:
                    yield row

    async def pages(self) -> AsyncGenerator[list[T], None]:
        walk = self._walk
        if walk.is_empty:
            return
        if walk.newest:
            yield await self._newest(walk.limit or 0)
            return
        forward = self._windows if self._paging.window else self._onwards
        left = walk.limit
        async with aclosing(forward(walk.cursor, None, left)) as found:
            # Decided once for each page, as a decision for each row would slow down every row.
            async for page in found:
                is_over = self._is_late(page[-1])
                wanted = [row for row in page if not self._is_late(row)] if is_over else page
                yield wanted[:left]
                if left is not None:
                    left -= len(wanted)
                if is_over or (left is not None and left <= 0):
                    return

    # ------------------------------------------------------------------------------ where it ends

    def _bound(self) -> int:
        """Latest time that a row can have: the end, or the server time when the walk began."""
        now = self._clock.now_ms() if self._begun is None else self._begun
        return now if self._walk.end is None else min(self._walk.end, now)

    def _last_time(self) -> int | None:
        """Latest time that a row may have; None if there is no end and no answer has told the server time."""
        if self._walk.end is not None:
            return self._walk.end
        return self._bound() if self._clock.is_told() else None

    def _is_late(self, row: T) -> bool:
        last = self._last_time()
        return self._time is not None and last is not None and self._time(row) > last

    def _nothing_from(self, key: int, last: int | None) -> bool:
        """Whether no row can have this key or a greater one."""
        if last is not None and key > last:
            return True
        bound = self._bound() if self._clock.is_told() else self._walk.end
        return self._walk.by_time and bound is not None and key > bound

    def _is_beyond(self, rows: list[T], size: int) -> bool:
        """Whether a page that is not full reaches beyond the present of a clock that may be wrong."""
        if self._time is None or self._last_time() is not None or len(rows) >= size:
            return False
        return self._time(rows[-1]) > self._bound()

    # ----------------------------------------------------------------------------------- one page

    async def _page(
        self, size: int, *, first: int | None = None, last: int | None = None, start: int | None = None
    ) -> list[T]:
        """One page, checked to be in order and to begin no earlier than asked for."""
        response = await self._fetch(self._walk.request(size, first=first, last=last, start=start))
        if self._begun is None:
            # After the first answer, which has corrected the clock if that was wrong.
            self._begun = self._clock.now_ms()
        rows = response.data
        if not rows:
            if response.content.strip() not in (b"", b"[]"):
                self._refuse(response, "none of its rows could be read, so the beginning of the next page is unknown")
            return rows
        self._most = max(self._most, len(rows))
        keys = [self._key(row) for row in rows]
        name, strictly = self._paging.key, self._paging.unique
        for before, after in pairwise(keys):
            if after < before or (strictly and after == before):
                self._refuse(response, f"{name} {after} follows {before}; rows must come oldest first, each once")
        least = None if first is None else first - (self._walk.step - 1 if self._paging.window else 0)
        if least is not None and keys[0] < least:
            self._refuse(response, f"{name} begins at {keys[0]}, though rows from {first} on were asked for")
        if last is not None and self._time is not None and self._time(rows[-1]) > last:
            self._refuse(response, f"it goes to {self._time(rows[-1])}, though rows up to {last} were asked for")
        # A statistic may carry the start of its period, which may be before the time that was asked for.
        return rows if first is None or keys[0] >= first else [row for row in rows if self._key(row) >= first]

    def _refuse(self, response: Response[list[T]], problem: str) -> NoReturn:
        raise DecodeError(
            f"{self._walk.operation.id}: a page differs from what was asked for: {problem}",
            operation=self._walk.operation.id,
            problems=(problem,),
            body=response.content,
            status_code=response.status_code,
            headers=response.headers,
        )

    # ------------------------------------------------------------------------------------ forward

    async def _onwards(self, first: int | None, last: int | None, left: int | None) -> AsyncGenerator[list[T], None]:
        """Pages of rows from the key ``first`` (or from the start time) on, up to the key ``last``."""
        walk, key = self._walk, self._key
        end = last if walk.by_time and last is not None else walk.end if self._paging.send_end else None
        given: set[T] = set()
        while True:
            size = walk.page_size if left is None else min(walk.page_size, left + len(given))
            rows = await self._page(size, first=first, last=end, start=walk.start if first is None else None)
            if not rows:
                return
            fresh = [row for row in rows if row not in given] if given else rows
            is_over = last is not None and key(rows[-1]) > last
            if is_over:
                fresh = [row for row in fresh if key(row) <= (last or 0)]
            if fresh:
                yield fresh
            if is_over or self._is_beyond(rows, size):
                return
            if left is not None:
                left -= len(fresh)
            if self._paging.unique:
                first = key(rows[-1]) + 1
                if self._nothing_from(first + walk.step - 1, last):
                    return
            else:
                if not fresh and await self._is_last(rows, size, end):
                    return
                first = key(rows[-1])
                given = {row for row in rows if key(row) == first}

    async def _is_last(self, rows: list[T], size: int, end: int | None) -> bool:
        """Whether a page of known rows only is the last one, where several rows may share a key."""
        shared = self._key(rows[-1])
        if len(rows) < size:
            if len(rows) < self._most:
                # It had room for further rows.
                return True
            behind = shared + 1
            if self._nothing_from(behind, end):
                return True
            if all(self._is_late(row) for row in await self._page(size, first=behind, last=end)):
                return True
        raise invalid(
            self._walk.operation,
            "page_size",
            self._walk.page_size,
            f"is too small, or Binance sends smaller pages: more rows share {self._paging.key}={shared} than the "
            f"{len(rows)} of a page; raise page_size or narrow the call",
        )

    async def _windows(self, first: int | None, last: int | None, left: int | None) -> AsyncGenerator[list[T], None]:
        """Rows of one window after another, up to the present."""
        begin = first or 0
        while begin <= (bound := self._bound() if last is None else last):
            end = min(bound, begin + self._walk.page_size * self._walk.step - 1)
            rows = await self._window(begin, end)
            if rows:
                yield rows
            begin = end + 1
            if not rows and self._walk.widest is not None:
                begin = await self._next_row(begin, bound, self._walk.widest)

    async def _next_row(self, begin: int, bound: int, widest: int) -> int:
        """A time not later than the next row, and less than a window before it; after ``bound`` if there is no row.

        A window on its own says nothing of the next: a contract that was listed years after ``begin`` has as many
        empty ones.
        """
        end = begin - 1
        while begin <= bound:
            end = min(bound, begin + widest - 1)
            if await self._has_row(begin, end):
                break
            begin = end + 1
        while end - begin >= self._walk.page_size * self._walk.step:
            middle = begin + (end - begin) // 2
            if await self._has_row(begin, middle):
                end = middle
            else:
                begin = middle + 1
        return begin

    async def _has_row(self, begin: int, end: int) -> bool:
        return bool(await self._page(1, first=begin, last=end))

    async def _window(self, begin: int, end: int) -> list[T]:
        """All rows of a window; both ends are checked where it is undocumented which one a short page drops."""
        size, step, key = self._walk.page_size, self._walk.step, self._key
        rows = await self._page(size, first=begin, last=end)
        while rows and key(rows[0]) - step >= begin:
            older = await self._page(size, first=begin, last=key(rows[0]) - 1)
            if not older:
                break
            rows = [*older, *rows]
        while rows and self._paging.keeps != "newest" and key(rows[-1]) + step <= end:
            newer = await self._page(size, first=key(rows[-1]) + 1, last=end)
            if not newer:
                break
            rows = [*rows, *newer]
        return rows

    # ----------------------------------------------------------------------------------- backward

    async def _newest(self, wanted: int) -> list[T]:
        """The newest rows, oldest first."""
        walk, paging = self._walk, self._paging
        end = walk.end
        found: list[list[T]] = []
        left, upper = wanted, end
        # Without times, or with an end where that is documented, a call returns the newest rows.
        while left and (upper is None or paging.newest_up_to_end):
            rows = await self._page(min(left, walk.page_size), last=upper)
            if not rows:
                return _joined(found)
            found.append(rows[-left:])
            left -= len(found[-1])
            upper = self._key(rows[0]) - (1 if paging.unique else 0)
            if not walk.by_time:
                break
            if upper < 0:
                return _joined(found)
        if left:
            known = set(found[-1]) if found and not paging.unique else set[T]()
            # The end may be in the future, where there are no rows.
            start = upper if upper is not None and found else self._bound()
            found += await self._older(start, left, known, found)
        return _joined(found)

    async def _older(self, upper: int, left: int, known: set[T], before: list[list[T]]) -> list[list[T]]:
        """Rows up to the key ``upper``: stretches from the newest to the oldest, each read whole from its start."""
        walk, paging = self._walk, self._paging
        forward = self._windows if paging.window else self._onwards
        found: list[list[T]] = []
        newest = self._key(before[0][-1]) if before else upper
        count = sum(len(page) for page in before)
        stretch = self._stretch(newest - upper, count - 1, left)
        while left:
            # The look-back limit moves on while requests wait.
            floor = earliest_start(walk.operation, self._clock.now_ms()) if walk.by_time else None
            floor = max(floor or 0, paging.first or 0)
            if upper < floor:
                break
            lower = max(floor, upper - stretch + 1)
            if walk.by_time and lower < EARLIEST_MS:
                # Times between 0 and this one are refused, as they look like seconds.
                lower = floor
            rows = [row async for page in forward(lower, upper, None) for row in page if row not in known]
            upper, known = lower - 1, set()
            if rows:
                found.append(rows[-left:])
                left -= len(found[-1])
                count += len(rows)
                stretch = self._stretch(newest - upper, count, left)
            elif not paging.window:
                stretch *= _WIDER
            elif upper >= floor and not await self._page(walk.page_size, first=floor, last=upper):
                # A new contract: one request for all the rest instead of one for each window.
                break
        return found

    def _stretch(self, width: int, count: int, left: int) -> int:
        """How far back to look for ``left`` rows, where a stretch of ``width`` had ``count``."""
        size = self._walk.page_size
        if self._paging.window:
            return size * self._walk.step
        if not self._walk.by_time:
            return size
        # At most one page; one row less, as a following page would begin with the last row again.
        wanted = min(left * _SPARE, max(size - 1, 1))
        return round(width / count * wanted) + 1 if count > 0 < width else _FIRST_STRETCH_MS


def _joined(pages: list[list[Any]]) -> list[Any]:
    """Pages that came newest first as one list, oldest row first."""
    return [row for page in reversed(pages) for row in page]
