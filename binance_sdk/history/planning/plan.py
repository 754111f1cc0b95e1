"""``HistoryPlan``: what would be fetched, from where and at what price, decided before anything is fetched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import NoReturn

from binance_sdk._runtime.archive import ArchiveKind
from binance_sdk._runtime.clock import AsyncClock
from binance_sdk.catalogue import ARCHIVE, CATALOGUE, Market
from binance_sdk.errors import ParameterError, shown
from binance_sdk.history.moments import Moment
from binance_sdk.history.piece import Piece, Series
from binance_sdk.history.planning.arguments import (
    SourceChoice,
    choose_series,
    choose_source,
    choose_span,
)
from binance_sdk.history.planning.blocking import run_blocking
from binance_sdk.history.planning.costs import Figure, cost_of, minutes
from binance_sdk.history.planning.inventory import list_series, pieces_kept
from binance_sdk.history.planning.pieces import Files, Scene, Unreachable, choose_pieces
from binance_sdk.history.planning.settings import FetchSettings, settings_of
from binance_sdk.history.planning.spans import Span


@dataclass(frozen=True)
class HistoryPlan:
    """What ``run`` would fetch, and what it would cost; it can be pickled.

    Attributes:
        series: What is wanted.
        start: First moment wanted, in milliseconds.
        end: First moment after, in milliseconds.
        source: Where data may come from.
        pieces: What is fetched, in order.
        unreachable: Spans that no source has, with the reason.
        kept: Pieces of these series that the dataset has already.
        rows: Rows of the pieces.
        requests: Requests to the archive and over REST.
        weight: Request weight over REST; files of the archive have none.
        bytes: Bytes to come: of archive files exact where the listing was asked.
        disk: Bytes on disk afterwards.
        minutes: How long it takes at the budget of the moment, if nothing else spends it.
        listed: Whether the archive's listing was asked. Nothing else was, so files that it does not show yet, or not
            any more, are guessed from when files usually come.
        made_at: When it was made, in milliseconds.
    """

    series: tuple[Series, ...]
    start: int
    end: int
    source: SourceChoice
    pieces: tuple[Piece, ...]
    unreachable: tuple[Unreachable, ...]
    kept: int
    rows: Figure
    requests: Figure
    weight: Figure
    bytes: Figure
    disk: Figure
    minutes: Figure
    listed: bool
    made_at: int

    @property
    def market(self) -> Market:
        """The market of all series."""
        return self.series[0].market

    @property
    def kind(self) -> str:
        """The kind of data of all series."""
        return self.series[0].kind


async def plan_async(
    symbols: str | Iterable[str],
    *,
    market: Market = "spot",
    kind: str = "klines",
    interval: str | None = None,
    since: Moment,
    until: Moment | None = None,
    source: SourceChoice = "auto",
    out: str | PathLike[str] | None = None,
    listing: bool = True,
    settings: FetchSettings | None = None,
) -> HistoryPlan:
    """``plan`` for asyncio."""
    settings = settings_of(settings)
    found, series = choose_series(ARCHIVE, symbols, market, kind, interval)
    chosen = choose_source(found, source)
    now = round(AsyncClock().time() * 1000)
    span = choose_span(since, until, now)
    wanted = Wanted(found, series, span, chosen, now)
    kept = [] if out is None else pieces_kept(out, series)
    files: Mapping[str, Files] | None = None
    if listing and chosen != "rest":
        async with settings.open_session() as session:
            files = await list_series(session, found, series, now)
    async with settings.open_client() as client:
        limits = client.limits.market(series[0].market)
        return make_plan(wanted, files, kept, at_hand=limits.remaining)


def plan(
    symbols: str | Iterable[str],
    *,
    market: Market = "spot",
    kind: str = "klines",
    interval: str | None = None,
    since: Moment,
    until: Moment | None = None,
    source: SourceChoice = "auto",
    out: str | PathLike[str] | None = None,
    listing: bool = True,
    settings: FetchSettings | None = None,
) -> HistoryPlan:
    """What it takes to get some history: which pieces, from where, and at what price. No data is fetched.

    Pieces are whole days (UTC) and, where all of a month is wanted, whole months, so a little more may be planned than
    was asked for; the running day ends with what is closed.

    Args:
        symbols: One or many, e.g. ``["BTCUSDT", "ETHUSDT"]``; pairs for kinds that go by pairs.
        market: Their market.
        kind: What is wanted of them: ``klines``, ``agg_trades``, ``trades``, ``funding_rate``, ``metrics`` and more.
        interval: Length of a bar as REST spells it, for kinds that have one.
        since: First moment wanted: a date (``2020-01-01``), an aware datetime, or milliseconds.
        until: First moment not wanted any more; by default now.
        source: ``auto`` takes the archive and, for what that has not, REST; ``archive`` and ``rest`` take one alone.
        out: A dataset: what it has already is left out.
        listing: Ask the archive's listing, which costs no weight, for which files there are and how large. Without it
            nothing is sent, symbols are not checked, and sizes are estimates.
        settings: How sources are reached; by default as a client is without arguments.

    Raises:
        ParameterError: an argument is wrong, or the archive has never heard of a symbol.
        ArchiveError: the listing could not be read.
        DatasetError: the dataset could not be read.
    """
    coroutine = plan_async(
        symbols,
        market=market,
        kind=kind,
        interval=interval,
        since=since,
        until=until,
        source=source,
        out=out,
        listing=listing,
        settings=settings,
    )
    return run_blocking(coroutine)


@dataclass(frozen=True)
class Wanted:
    """What a plan is for, checked."""

    kind: ArchiveKind
    series: tuple[Series, ...]
    span: Span
    source: SourceChoice
    now: int


def make_plan(
    wanted: Wanted,
    files: Mapping[str, Files] | None,
    kept: Sequence[Piece],
    *,
    at_hand: float | None = None,
    renew: bool = False,
) -> HistoryPlan:
    """The plan, decided purely.

    Args:
        wanted: What it is for.
        files: What the listing shows, by symbol; None where it was not asked.
        kept: Pieces in the dataset.
        at_hand: Weight that may be spent at once; None for that of a whole window.
        renew: Whether pieces that came over REST give way to files.

    Raises:
        ParameterError: the archive has never heard of a symbol.
    """
    kind = wanted.kind
    pieces: list[Piece] = []
    unreachable: list[Unreachable] = []
    for series in wanted.series:
        listed = None if files is None else files[series.symbol]
        own = [piece for piece in kept if piece.series == series]
        if listed is not None and listed.first is None and not own:
            _refuse_unknown(series, kind)
        choice = choose_pieces(Scene(kind, wanted.now, wanted.source, listed, own, renew), series, wanted.span)
        pieces += choice.pieces
        unreachable += choice.unreachable
    cost = cost_of(kind, pieces, files or {}, wanted.now)
    pool = CATALOGUE[kind.market].limits
    series_wanted = set(wanted.series)
    return HistoryPlan(
        series=wanted.series,
        start=wanted.span[0],
        end=wanted.span[1],
        source=wanted.source,
        pieces=tuple(pieces),
        unreachable=tuple(unreachable),
        kept=sum(piece.series in series_wanted for piece in kept),
        rows=cost.rows,
        requests=cost.requests,
        weight=cost.weight,
        bytes=cost.bytes,
        disk=cost.disk,
        minutes=minutes(cost, pool.weight, pool.groups, at_hand),
        listed=files is not None,
        made_at=wanted.now,
    )


def _refuse_unknown(series: Series, kind: ArchiveKind) -> NoReturn:
    today = "; for one that is traded since today, pass source='rest'" if kind.rest else ""
    text = (
        f"history.plan: symbols={shown(series.symbol)}: the archive has no {series.kind} of it in market "
        f"{series.market!r}: check the spelling{today}"
    )
    raise ParameterError(text, parameter="symbols", value=series.symbol)
