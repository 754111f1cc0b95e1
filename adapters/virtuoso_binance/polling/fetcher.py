"""Many symbols kept fresh, minute by minute, with as few requests as that takes.

Each refresh asks once for all tickers, best quotes and premiums, then for the ends of the candle series, for
statistics once in each of their periods, and spends what is left of its share of the budget on order books and trades
in rotation. ``snapshot`` makes ``market_data`` out of what is kept; what is too old is left out and flagged.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from binance_sdk import BinanceClient, Caps
from binance_sdk.errors import BinanceError, ConfigError, shown
from virtuoso_binance import calls
from virtuoso_binance.errors import InvalidSymbolError
from virtuoso_binance.market_data import assemble
from virtuoso_binance.polling.scheduling import Cost, Job, Purse, Resource, choose, cost_of, resources
from virtuoso_binance.polling.series import merged, open_time, statistics_time, tail_length
from virtuoso_binance.polling.symbol_state import MAX_AGE, Book, Kept, SymbolState, candle_holes, fresh_parts
from virtuoso_binance.scalars import Row, is_number, iso
from virtuoso_binance.symbols import Listed, MarketName, plain_symbol
from virtuoso_binance.timeframes import FRAMES, interval_ms

__all__ = ["BinanceDataFetcher", "Refresh"]

logger = logging.getLogger("virtuoso_binance")

PERIOD = 300_000
"""Length of a statistics period."""
_MINUTE = 60_000
_OI_ROWS = 289
_PREMIUM_ROWS = 99
_BOOK_LEVELS = 100
_TRADES = 1000
_STATISTICS = ("oi_history", "lsr", "premium_index", "interest")
_ROTATING = ("orderbook", "trades")
_CANDLES, _ONCE_A_PERIOD, _ROTATION = range(3)
_INTO_MINUTE = 2.0
"""Seconds after which the candle of the minute before is final everywhere."""


@dataclass(frozen=True)
class Refresh:
    """What one refresh has done.

    Attributes:
        at: When it began, epoch milliseconds.
        cost: What it planned to spend, by resource; repeated attempts come on top.
        fetched: Number of parts that came.
        failed: What went wrong, by symbol and part; ``""`` stands for the bulk calls of a market.
        waiting: Symbols and parts that were due and did not fit into the budget.
        stale: Parts too old to be delivered, by symbol.
    """

    at: int
    cost: Cost = field(default_factory=dict[str, int])
    fetched: int = 0
    failed: Mapping[tuple[str, str], BinanceError] = field(default_factory=dict[tuple[str, str], BinanceError])
    waiting: tuple[tuple[str, str], ...] = ()
    stale: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])

    @property
    def complete(self) -> bool:
        """Every part of every symbol can be delivered."""
        return not self.stale


@dataclass(frozen=True, slots=True)
class _Task:
    symbol: str
    part: str
    send: Callable[[], Awaitable[Any]]
    keep: Callable[[Any, int], None]


class BinanceDataFetcher:
    """Keeps the market data of many symbols.

    Args:
        client: Where to ask; its caps are to be those of ``caps``.
        symbols: The instruments.
        now_ms: The time at the exchange, in milliseconds, e.g. ``Session.now_ms``.
        caps: The user's limits.
        share: Part of every limit and cap that refreshes may plan with.
        sleep: How to wait between refreshes.
    """

    def __init__(
        self,
        client: BinanceClient,
        symbols: Iterable[Listed],
        now_ms: Callable[[], int],
        *,
        caps: Caps | None = None,
        share: float = 0.5,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        if not is_number(share) or not 0 < share <= 1:
            raise ConfigError(f"share={shown(share)} must be a number above 0 and at most 1")
        self._client = client
        self._now = now_ms
        self._sleep = sleep
        self._states: dict[str, SymbolState] = {}
        self._purse = Purse(resources(_limits(client), caps or Caps(), share))
        self.set_symbols(symbols)

    # ------------------------------------------------------------------------------------- symbols

    def set_symbols(self, symbols: Iterable[Listed]) -> None:
        """Other symbols from now on; of those that stay, everything is kept."""
        self._states = {
            one.symbol: found if (found := self._states.get(one.symbol)) and found.listed == one else SymbolState(one)
            for one in symbols
        }

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that are kept fresh."""
        return tuple(self._states)

    # ------------------------------------------------------------------------------------- refreshing

    async def refresh(self) -> Refresh:
        """Fetch what is due and fits into this minute's share of the budget.

        Single failures do not stop it: they are in the answer, and what is missing is due again the next time.
        """
        begun = self._now()
        failed: dict[tuple[str, str], BinanceError] = {}
        spent: dict[str, int] = {}
        bulk = await self._run(self._take(self._bulk_jobs(), spent)[0], failed)
        chosen, waiting = self._take(self._jobs(begun), spent)
        fetched = bulk + await self._run(chosen, failed)
        now = self._now()
        stale = {symbol: tuple(fresh_parts(one, now).errors) for symbol, one in self._states.items()}
        told = Refresh(
            at=begun,
            cost=spent,
            fetched=fetched,
            failed=failed,
            waiting=tuple((job.what.symbol, job.what.part) for job in waiting),
            stale={symbol: parts for symbol, parts in stale.items() if parts},
        )
        if failed:
            (symbol, part), error = next(iter(failed.items()))
            logger.warning("%d calls of a refresh failed, e.g. %s %s: %s", len(failed), part, symbol, error)
        return told

    async def run(
        self, on_refresh: Callable[[Refresh], object] | None = None, *, until: Callable[[], bool] | None = None
    ) -> None:
        """Refresh shortly after the beginning of every minute, until cancelled.

        Args:
            on_refresh: Told about each.
            until: Asked before each; True ends.
        """
        while until is None or not until():
            done = await self.refresh()
            if on_refresh is not None:
                on_refresh(done)
            now = self._now()
            # By the exchange's minutes: its windows and its candles begin there.
            await self._sleep((_MINUTE - now % _MINUTE) / 1000 + _INTO_MINUTE)

    def _take(self, jobs: list[Job[_Task]], spent: dict[str, int]) -> tuple[list[Job[_Task]], list[Job[_Task]]]:
        chosen, waiting = choose(jobs, self._purse, self._now())
        for job in chosen:
            for name, amount in job.cost.items():
                spent[name] = spent.get(name, 0) + amount
        return chosen, waiting

    async def _run(self, jobs: list[Job[_Task]], failed: dict[tuple[str, str], BinanceError]) -> int:
        async def one(task: _Task) -> bool:
            try:
                answer = await task.send()
                task.keep(answer, self._now())
            except ConfigError:
                raise
            except BinanceError as error:
                failed[task.symbol, task.part] = error
                state = self._states.get(task.symbol)
                if state is not None:
                    state.errors[task.part] = str(error)
                return False
            return True

        return sum(await asyncio.gather(*(one(job.what) for job in jobs)))

    # ------------------------------------------------------------------------------------- jobs

    def _bulk_jobs(self) -> list[Job[_Task]]:
        markets = {state.listed.market for state in self._states.values()}
        # Overloads with and without a symbol; here they are always called without.
        spot: Any = self._client.spot
        usdm: Any = self._client.futures
        rows: list[tuple[MarketName, str, Any, Any]] = [
            ("usdm", "ticker", usdm.plan.ticker_24hr, usdm.ticker_24hr),
            ("usdm", "quotes", usdm.plan.ticker_book_ticker, usdm.ticker_book_ticker),
            ("usdm", "premium", usdm.plan.premium_index, usdm.premium_index),
            # Best quotes are part of spot's tickers.
            ("spot", "ticker", spot.plan.ticker_24hr, spot.ticker_24hr),
        ]
        jobs: list[Job[_Task]] = []
        for market, part, plan, send in rows:
            if market in markets:
                asked = partial(send, options=calls.SKIP_BAD_ROWS)
                task = _Task("", f"{part} ({market})", asked, self._keeper_of_all(market, part))
                jobs.append(Job(task, cost_of(plan()), 0, 0.0))
        return jobs

    def _keeper_of_all(self, market: MarketName, part: str) -> Callable[[Any, int], None]:
        def keep(rows: Iterable[Any], now: int) -> None:
            found = {row.symbol: row for row in rows}
            for symbol, state in self._states.items():
                if state.listed.market != market:
                    continue
                if symbol in found:
                    state.put(part, found[symbol], now)
                else:
                    # Delisted or halted: what was known of it is no news any more.
                    state.drop(part, f"{symbol} is not among the {part}s of all symbols that could be read")

        return keep

    def _jobs(self, now: int) -> list[Job[_Task]]:
        jobs: list[Job[_Task]] = []
        for number, state in enumerate(self._states.values()):
            if state.gone:
                continue
            jobs += self._candle_jobs(state, now)
            if state.listed.market == "usdm":
                jobs += self._statistics_jobs(state, now, number)
            for part in _ROTATING:
                age = state.age(part, now)
                if age >= _MINUTE // 2:
                    jobs.append(self._job(state, part, _ROTATION, age))
        return jobs

    def _candle_jobs(self, state: SymbolState, now: int) -> list[Job[_Task]]:
        jobs: list[Job[_Task]] = []
        for part, (interval, count) in FRAMES.items():
            step = interval_ms(interval)
            kept = state.candles.get(part)
            newest = kept[-1][0] if kept else None
            # The minute's candle each time; the others when one of theirs has begun.
            if newest is None or part == "base" or now - newest >= step:
                late = float("inf") if newest is None else (now - newest) / step
                length = tail_length(newest, step, now, count)
                jobs.append(self._candle_job(state, part, length, late))
        return jobs

    def _candle_job(self, state: SymbolState, part: str, length: int, late: float) -> Job[_Task]:
        interval, count = FRAMES[part]
        listed = state.listed
        plan: Any = self._client.spot.plan if listed.market == "spot" else self._client.futures.plan

        def keep(rows: list[Any], now: int) -> None:
            whole = merged(state.candles.get(part) or [], rows, count, open_time)
            if whole is None:
                # The next refresh asks for all of it.
                state.forget(part, "its newest candles do not follow those that were kept")
            else:
                state.candles[part] = whole
                state.put(part, True, now)

        cost = cost_of(plan.klines(listed.symbol, interval, limit=length))
        send = partial(calls.newest_klines, self._client, listed, interval, length)
        task = _Task(listed.symbol, part, send, keep)
        return Job(task, cost, _CANDLES, late)

    def _statistics_jobs(self, state: SymbolState, now: int, number: int) -> list[Job[_Task]]:
        # Symbols take turns over the minutes of a period; the first minute belongs to the five-minute candles.
        offset = (1 + number % 4) * _MINUTE
        jobs: list[Job[_Task]] = []
        for part in _STATISTICS:
            at = state.fetched_at(part)
            if at is None or (at - offset) // PERIOD < (now - offset) // PERIOD:
                jobs.append(self._job(state, part, _ONCE_A_PERIOD, state.age(part, now)))
        return jobs

    def _job(self, state: SymbolState, part: str, rank: int, late: float) -> Job[_Task]:
        symbol = state.listed.symbol
        market: Any = self._client.spot if state.listed.market == "spot" else self._client.futures
        plan, keep = market.plan, state.keeper(part)
        send: Callable[[], Awaitable[Any]]
        match part:
            case "oi_history":
                newest = statistics_time(state.interest[-1]) if state.interest else None
                length = tail_length(newest, PERIOD, self._now(), _OI_ROWS)
                planned = plan.open_interest_hist(symbol, "5m", limit=length)
                keep = self._history_keeper(state)
                send = partial(calls.open_interest, self._client, symbol, "5m", length)
            case "lsr":
                planned = plan.global_long_short_account_ratio(symbol, "5m", limit=1)
                send = lambda: market.global_long_short_account_ratio(symbol, "5m", limit=1)  # noqa: E731
            case "premium_index":
                planned = plan.premium_index_klines(symbol, "5m", limit=_PREMIUM_ROWS)
                send = partial(calls.price_klines, market.iter_premium_index_klines, symbol, "5m", _PREMIUM_ROWS)
            case "interest":
                planned = plan.open_interest(symbol)
                send = lambda: market.open_interest(symbol)  # noqa: E731
            case "orderbook":
                planned = plan.depth(symbol, limit=_BOOK_LEVELS)
                send = lambda: market.depth(symbol, limit=_BOOK_LEVELS)  # noqa: E731
            case _:
                planned = plan.trades(symbol, limit=_TRADES)
                send = lambda: market.trades(symbol, limit=_TRADES)  # noqa: E731
        return Job(_Task(symbol, part, send, keep), cost_of(planned), rank, late)

    @staticmethod
    def _history_keeper(state: SymbolState) -> Callable[[Any, int], None]:
        def keep(rows: list[Any], now: int) -> None:
            whole = merged(state.interest, rows, _OI_ROWS, statistics_time)
            if whole is None:
                state.interest = []
                state.drop("oi_history", "its newest periods do not follow those that were kept")
            else:
                state.interest = whole
                state.put("oi_history", True, now)

        return keep

    # ------------------------------------------------------------------------------------- reading

    def snapshot(self, symbol: object, *, limit: int | None = None) -> Row:
        """``market_data`` of a symbol out of what is kept; nothing is sent.

        What is older than it may be (see ``MAX_AGE``) is absent, its flag is False and ``metadata.errors`` says why.

        Raises:
            InvalidSymbolError: the symbol is not among those kept fresh.
            BinanceError: there is no ticker that is fresh enough.
        """
        plain = plain_symbol(symbol)
        state = self._states.get(plain)
        if state is None:
            raise InvalidSymbolError(symbol, "it is not among the symbols of this fetcher; see set_symbols()")
        now = self._now()
        parts = fresh_parts(state, now)
        if parts.get("ticker") is None:
            why = parts.errors.get("ticker")
            raise BinanceError(f"{plain} has no ticker younger than {MAX_AGE['ticker'] // 1000} s: {why}")
        out = assemble(parts, now, limit=limit)
        for frame, missing in candle_holes(parts.data).items():
            spans = ", ".join(f"{iso(first)} to {iso(last)}" for first, last in missing)
            out["metadata"]["errors"][frame] = f"candles missing, as the exchange has none: {spans}"
        kept: Kept | None = state.parts.get("orderbook")
        if kept is not None and state.listed.market == "spot" and out["orderbook"]["bids"]:
            # A book of spot names no time of its own; it is as old as its answer, not as this dict.
            out["orderbook"].update(timestamp=kept.at, datetime=iso(kept.at))
        return out

    def book(self, symbol: object) -> Book | None:
        """The kept order book as the SDK's model, e.g. for the functions of ``liquidity``; None where it is too old."""
        state = self._states.get(plain_symbol(symbol))
        found: Book | None = None if state is None else fresh_parts(state, self._now()).get("orderbook")
        return found


def _limits(client: BinanceClient) -> dict[str, Resource]:
    found: dict[str, Resource] = {}
    for name in ("spot", "futures"):
        try:
            view = client.limits.spot if name == "spot" else client.limits.futures
        except ConfigError:
            # An environment without this market.
            continue
        found[f"{name}.weight"] = Resource(view.weight.limit, view.weight.seconds)
        for group, usage in view.groups.items():
            found[f"{name}.{group}"] = Resource(usage.limit, usage.seconds)
    return found
