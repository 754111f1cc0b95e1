"""A piece over REST: page by page from each endpoint that has some of its columns, then joined by time."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from binance_sdk._runtime.archive import ArchiveKind, RestTwin
from binance_sdk._runtime.calls.paginator import paginate_pages
from binance_sdk._runtime.calls.paging import paging_of, plan_walk
from binance_sdk._runtime.operation import Operation
from binance_sdk._runtime.options import RequestOptions
from binance_sdk._runtime.response import Response
from binance_sdk.catalogue import ARCHIVE, CATALOGUE
from binance_sdk.errors import HistoryError
from binance_sdk.history.columns import polars_schema
from binance_sdk.history.piece import Fetched, Origin, Piece, Prices, Remark
from binance_sdk.history.rest.arguments import arguments_of
from binance_sdk.history.rest.frames import frame_of_rows
from binance_sdk.history.rest.ids import first_id_at

if TYPE_CHECKING:
    import polars as pl

    from binance_sdk import BinanceClient
    from binance_sdk._core import Core

_PAGES_AT_ONCE = 64
"""Pages that are kept one by one before they are put together: a frame of a page has hundreds of bytes beside its
rows, and a frame of frames as many."""


_SETTLED_MS = 2000
"""Clocks are known to a second or so."""
_LONGEST_WAIT_MS = 120_000


async def fetch_over_rest(piece: Piece, client: BinanceClient, *, prices: Prices = "decimal") -> Fetched:
    """Fetch a piece over REST, within the budget of the client.

    Args:
        piece: What to fetch.
        client: Makes the calls.
        prices: Whether decimal columns are exact or floats.

    Raises:
        HistoryError: REST does not serve this kind, a number has more digits than an exact column keeps, or the piece
            ends in the future of the exchange.
        BinanceError: a call failed.
    """
    kind = ARCHIVE.kinds[piece.series.market, piece.series.kind]
    if not kind.rest:
        raise HistoryError(f"REST does not serve {kind.name} of {kind.market}; take source='archive'")
    calls = _Calls(client, kind)
    fetched = await _fetch(piece, calls, prices)
    # The end of a piece is the past by the clock of whoever planned it. By that of the exchange it may be the future,
    # where rows are missing that will be there.
    early = piece.end + _SETTLED_MS - calls.begun_ms
    if early <= 0:
        return fetched
    if early > _LONGEST_WAIT_MS:
        raise HistoryError(
            f"{piece.name} of {piece.series.symbol} ends {early / 1000:.0f} s in the future of the exchange: set the "
            "clock of this machine, and plan again"
        )
    await calls.engine.attempts.clock.sleep(early / 1000)
    return await _fetch(piece, _Calls(client, kind), prices)


async def _fetch(piece: Piece, calls: _Calls, prices: Prices) -> Fetched:
    import polars as pl

    kind = calls.kind
    schema = polars_schema(kind, prices)
    remarks: list[Remark] = []
    frame: pl.DataFrame | None = None
    for twin in kind.rest:
        found = await _of_twin(calls, twin, piece, prices)
        found = found.filter(_within(kind, piece))
        found = _without_doubles(kind, twin, found, remarks)
        frame = found if frame is None else frame.join(found, on=list(kind.key), how="full", coalesce=True)
        if twin.uncertain and found.height:
            remarks.append(Remark("uncertain", found.height, twin.uncertain))
    assert frame is not None
    absent = [pl.lit(None, schema[name]).alias(name) for name in schema if name not in frame.columns]
    frame = frame.with_columns(absent).select(schema.names()).sort(list(kind.key))
    return Fetched(frame, calls.origin(), tuple(remarks))


class _Calls:
    """Makes the calls of one piece, and keeps account of them."""

    def __init__(self, client: BinanceClient, kind: ArchiveKind) -> None:
        core: Core = client._core
        self.engine = core.engine
        self.options = RequestOptions(priority="low", cache=False).over(core.settings.defaults)
        self.kind = kind
        self._digest = hashlib.sha256()
        self._urls: list[str] = []
        self._size = self._weight = 0
        self.begun_ms = 1 << 62
        """Time of the exchange after the first answer, by which its clock is known."""

    async def call(self, operation: Operation[list[Any]], asked: Mapping[str, object]) -> Response[list[Any]]:
        response = await self.engine.call(operation, asked, self.options)
        self.begun_ms = min(self.begun_ms, self.engine.server_ms(operation))
        self._digest.update(response.content)
        self._urls.append(response.url)
        self._size += len(response.content)
        self._weight += response.weight
        return response

    def origin(self) -> Origin:
        return Origin(tuple(self._urls), self._digest.hexdigest(), self._size, len(self._urls), self._weight)


async def _of_twin(calls: _Calls, twin: RestTwin, piece: Piece, prices: Prices) -> pl.DataFrame:
    """All rows of one endpoint, in the columns of the kind."""
    import polars as pl

    done: list[pl.DataFrame] = [frame_of_rows(calls.kind, twin, [], prices)]
    pages: list[pl.DataFrame] = []
    async with aclosing(_pages(calls, twin, piece)) as found:
        async for page in found:
            pages.append(frame_of_rows(calls.kind, twin, page, prices))
            if len(pages) == _PAGES_AT_ONCE:
                done.append(pl.concat(pages).rechunk())
                pages.clear()
    return pl.concat([*done, *pages]).rechunk()


async def _pages(calls: _Calls, twin: RestTwin, piece: Piece) -> AsyncGenerator[list[Any], None]:
    operation: Operation[Any] = CATALOGUE[calls.kind.market].operations[twin.operation]
    paging = paging_of(operation)
    given = arguments_of(operation, twin, piece)

    async def fetch(asked: Mapping[str, object]) -> Response[list[Any]]:
        return await calls.call(operation, asked)

    if (paging.start or paging.cursor) not in given:
        first = await first_id_at(operation, given, piece.start + twin.shift, fetch)
        if first is None:
            return
        given[paging.cursor] = first
    walk = plan_walk(operation, given, None, None, calls.engine.server_ms(operation))
    time, last = paging.time or paging.key, piece.end + twin.shift - 1
    async with aclosing(paginate_pages(walk, fetch, calls.engine.server_clock(operation))) as pages:
        async for page in pages:
            yield page
            if paging.end is None and getattr(page[-1], time) > last:
                return


def _within(kind: ArchiveKind, piece: Piece) -> pl.Expr:
    import polars as pl

    time = pl.col(kind.time).dt.timestamp("ms")
    return (time >= piece.start) & (time < piece.end)


def _without_doubles(kind: ArchiveKind, twin: RestTwin, frame: pl.DataFrame, remarks: list[Remark]) -> pl.DataFrame:
    key = list(kind.key)
    if not frame.height or not frame.select(key).is_duplicated().any():
        return frame
    single = frame.unique(key, keep="first", maintain_order=True)
    doubled = frame.height - single.height
    remarks.append(Remark("doubled_rows", doubled, f"{doubled} rows of {twin.operation} had the {key[0]} of another"))
    return single
