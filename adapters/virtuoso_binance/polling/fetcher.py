"""Many symbols kept up to date, minute by minute, with as few requests as that takes.

Each refresh asks once for all tickers, best quotes and premiums, then for the ends of the candle series, for
statistics once in each of their periods, and spends what is left of its share of the budget on order books and trades
in rotation. ``snapshot`` makes ``market_data`` of what is known; what is too old is left out and flagged.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from binance_sdk import BinanceClient, Caps
from binance_sdk.errors import BinanceError, ConfigError, shown
from virtuoso_binance.errors import InvalidSymbolError
from virtuoso_binance.market_data import Asking, PartFeed, assemble
from virtuoso_binance.parts import (
    ORDER_BOOK,
    STATISTICS_PERIOD,
    TICKER,
    OrderBook,
    Part,
    Schedule,
    Streamed,
    parts_of,
)
from virtuoso_binance.polling.scheduling import Allowance, Cost, Job, Quota, choose, cost_of, planned_quotas
from virtuoso_binance.polling.symbol_state import SymbolState, missing_by_frame
from virtuoso_binance.scalars import Row, is_number, iso
from virtuoso_binance.symbols import Listed, MarketName, plain_symbol

__all__ = ["BinanceDataFetcher", "Refresh"]

logger: logging.Logger = logging.getLogger("virtuoso_binance")


_MINUTE = 60_000
_LEAST_AGE = _MINUTE // 2
"""Milliseconds; parts in rotation that are younger are not asked for again."""
_INTO_MINUTE = 2.0
"""Seconds after which the candle of the minute before is final everywhere."""


@dataclass(frozen=True)
class Refresh:
    """What one refresh has done.

    Attributes:
        at: When it began, epoch milliseconds.
        cost: What it planned to spend, by quota; retries come on top.
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
    """One call of a refresh; ``symbol`` is empty for the calls about all symbols of a market."""

    symbol: str
    name: str
    send: Callable[[], Awaitable[Any]]
    store: Callable[[Any, int], None]
    failed: Callable[[BinanceError], None]


class BinanceDataFetcher:
    """Keeps the market data of many symbols.

    Args:
        client: Where to ask; its caps are to be those of ``caps``.
        symbols: The instruments.
        now_ms: The time at the exchange, in milliseconds, e.g. ``Session.now_ms``.
        caps: The user's limits.
        share: Part of every limit and cap that refreshes may plan with.
        sleep: How to wait between refreshes.
        feed: Streams, ``Streaming(...).feed``: what they are known to have is not asked for.
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
        feed: PartFeed | None = None,
    ) -> None:
        if not is_number(share) or not 0 < share <= 1:
            raise ConfigError(f"share={shown(share)} must be a number above 0 and at most 1")
        self._client = client
        self._now = now_ms
        self._sleep = sleep
        self._feed = feed
        self._states: dict[str, SymbolState] = {}
        self._allowance = Allowance(planned_quotas(_limits(client), caps or Caps(), share))
        self.set_symbols(symbols)

    # ------------------------------------------------------------------------------------- symbols

    def set_symbols(self, symbols: Iterable[Listed]) -> None:
        """Other symbols from now on; of those that stay, everything known is kept."""
        states: dict[str, SymbolState] = {}
        for listed in symbols:
            state = self._states.get(listed.symbol)
            states[listed.symbol] = state if state and state.listed == listed else SymbolState(listed)
        self._states = states

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that are refreshed."""
        return tuple(self._states)

    # ------------------------------------------------------------------------------------- refreshing

    async def refresh(self) -> Refresh:
        """Fetch what is due and fits into this minute's share of the budget.

        Single failures do not stop it: they are in the answer, and what is missing is due again the next time.
        """
        begun = self._now()
        failed: dict[tuple[str, str], BinanceError] = {}
        spent: dict[str, int] = {}
        for state in self._states.values():
            if self._feed is not None and not state.delisted:
                self._feed.follow(state.listed)
            self._take_streamed(state)
        fetched = await self._run(self._take(self._bulk_jobs(), spent)[0], failed)
        chosen, waiting = self._take(self._jobs(self._now()), spent)
        fetched += await self._run(chosen, failed)
        stale = {symbol: self._stale_parts(state) for symbol, state in self._states.items()}
        if failed:
            (symbol, name), error = next(iter(failed.items()))
            logger.warning("%d calls of a refresh failed, e.g. %s %s: %s", len(failed), name, symbol, error)
        return Refresh(
            at=begun,
            cost=spent,
            fetched=fetched,
            failed=failed,
            waiting=tuple((job.task.symbol, job.task.name) for job in waiting),
            stale={symbol: names for symbol, names in stale.items() if names},
        )

    def _stale_parts(self, state: SymbolState) -> tuple[str, ...]:
        return tuple(part.name for part in state.deliverable(self._now()).errors)

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
        chosen, waiting = choose(jobs, self._allowance, self._now())
        for job in chosen:
            for name, amount in job.cost.items():
                spent[name] = spent.get(name, 0) + amount
        return chosen, waiting

    async def _run(self, jobs: list[Job[_Task]], failed: dict[tuple[str, str], BinanceError]) -> int:
        async def done(task: _Task) -> bool:
            try:
                answer = await task.send()
                task.store(answer, self._now())
            except ConfigError:
                raise
            except BinanceError as error:
                failed[task.symbol, task.name] = error
                task.failed(error)
                return False
            return True

        return sum(await asyncio.gather(*(done(job.task) for job in jobs)))

    # ------------------------------------------------------------------------------------- jobs

    def _bulk_jobs(self) -> list[Job[_Task]]:
        markets: Iterable[MarketName] = dict.fromkeys(state.listed.market for state in self._states.values())
        return [
            job for market in markets for part in parts_of(market) if (job := self._bulk_job(part, market)) is not None
        ]

    def _bulk_job(self, part: Part[Any], market: MarketName) -> Job[_Task] | None:
        if part.request_all is None:
            return None
        states = [state for state in self._states.values() if state.listed.market == market]
        if states and all(part in state.streamed for state in states):
            return None
        request = part.request_all(self._client, market)
        asking = {state.listed.symbol: self._asking(state) for state in states}

        def store(rows: Iterable[Any], now: int) -> None:
            by_symbol = {row.symbol: row for row in rows}
            for state in states:
                symbol = state.listed.symbol
                if symbol in by_symbol:
                    self._store(state, part, by_symbol[symbol], now, asking[symbol])
                else:
                    # Delisted or halted: what was known of it is no longer true.
                    state.drop(part, f"{symbol} is not among the {part.name}s of all symbols that could be read")

        task = _Task("", f"{part.name} ({market})", request.send, store, lambda error: None)
        return Job(task, cost_of(request.plan()), part.schedule, 0.0)

    def _jobs(self, now: int) -> list[Job[_Task]]:
        jobs: list[Job[_Task]] = []
        for number, state in enumerate(self._states.values()):
            if state.delisted:
                continue
            asking = self._asking(state)
            for part in parts_of(state.listed.market):
                if part in state.streamed:
                    continue
                lateness = _lateness(part, state, now, number)
                if lateness is None and part in asking and part.schedule is not Schedule.BULK:
                    # It is young enough, and its stream needs it to go on from.
                    lateness = 0.0
                if lateness is not None:
                    jobs.append(self._job(state, part, now, lateness, asking))
        return jobs

    def _job(self, state: SymbolState, part: Part[Any], now: int, lateness: float, asking: Asking) -> Job[_Task]:
        request = part.request(self._client, state.listed, part.rows_since(state.data_time(part), now))

        def failed(error: BinanceError) -> None:
            state.errors[part] = str(error)

        def store(answer: Any, now: int) -> None:
            self._store(state, part, answer, now, asking)

        task = _Task(state.listed.symbol, part.name, request.send, store, failed)
        return Job(task, cost_of(request.plan()), part.schedule, lateness)

    # ------------------------------------------------------------------------------------- streams

    def _take_streamed(self, state: SymbolState) -> None:
        """What streams know of a symbol, as if it had been asked for now."""
        if self._feed is None:
            return
        now, found = self._now(), self._feed.parts(state.listed)
        for part, value in found.items():
            state.put(part, value, now)
        state.streamed = frozenset(found)

    def _asking(self, state: SymbolState) -> Asking:
        return {} if self._feed is None else self._feed.asking(state.listed)

    def _store(self, state: SymbolState, part: Part[Any], answer: Any, now: int, asking: Asking) -> None:
        state.put(part, answer, now)
        known = state.get(part)
        if self._feed is not None and known is not None:
            # Joined with what was known, it is whole.
            self._feed.answered(state.listed, part, known.value, asking)

    # ------------------------------------------------------------------------------------- reading

    def snapshot(self, symbol: object, *, limit: int | None = None) -> Row:
        """``market_data`` of a symbol from what is known; nothing is sent.

        What is older than its part may become is absent, its flag is False and ``metadata.errors`` says why.

        Raises:
            InvalidSymbolError: the symbol is not among those refreshed.
            BinanceError: there is no ticker that is fresh enough.
        """
        plain = plain_symbol(symbol)
        state = self._states.get(plain)
        if state is None:
            raise InvalidSymbolError(symbol, "it is not among the symbols of this fetcher; see set_symbols()")
        self._take_streamed(state)
        now = self._now()
        parts = state.deliverable(now)
        if self._feed is not None:
            parts.streamed = Streamed(
                tuple(part.name for part in parts.values if part in state.streamed), self._feed.stalled(state.listed)
            )
        if parts.get(TICKER) is None:
            why = parts.errors.get(TICKER)
            raise BinanceError(f"{plain} has no ticker younger than {TICKER.max_age // 1000} s: {why}")
        out = assemble(parts, now, limit=limit)
        for frame, spans in missing_by_frame(parts).items():
            missing = ", ".join(f"{iso(first)} to {iso(last)}" for first, last in spans)
            out["metadata"]["errors"][frame] = f"candles missing, as the exchange has none: {missing}"
        book = state.get(ORDER_BOOK)
        if book is not None and state.listed.market == "spot" and out["orderbook"]["bids"]:
            # A book of spot has no time of its own: it is as old as its answer, not as this dict.
            out["orderbook"].update(timestamp=book.at, datetime=iso(book.at))
        return out

    def book(self, symbol: object) -> OrderBook | None:
        """The newest order book as the SDK's model, e.g. for ``liquidity``; None where it is too old."""
        state = self._states.get(plain_symbol(symbol))
        return None if state is None else state.deliverable(self._now()).get(ORDER_BOOK)


def _lateness(part: Part[Any], state: SymbolState, now: int, number: int) -> float | None:
    """How late a part of a symbol is, to be compared within its schedule; None where it is not due.

    Args:
        part: The part.
        state: What is known of the symbol.
        now: The time at the exchange, in milliseconds.
        number: Place of the symbol among all, so that they take turns.
    """
    age = state.age(part, now)
    match part.schedule:
        case Schedule.BULK:
            return None
        case Schedule.CANDLES:
            newest = state.data_time(part)
            if newest is None:
                return float("inf")
            # The candle of a minute is asked for each time, as it is still running.
            steps = (now - newest) / part.step
            return steps if steps >= 1 or part.step == _MINUTE else None
        case Schedule.STATISTICS:
            # Symbols take turns over the minutes of a period; the first minute belongs to the five-minute candles.
            offset = (1 + number % 4) * _MINUTE
            known = state.get(part)
            due = known is None or (known.at - offset) // STATISTICS_PERIOD < (now - offset) // STATISTICS_PERIOD
            return age if due else None
        case Schedule.ROTATION:
            return age if age >= _LEAST_AGE else None


def _limits(client: BinanceClient) -> dict[str, Quota]:
    found: dict[str, Quota] = {}
    for name in ("spot", "futures"):
        try:
            view = client.limits.spot if name == "spot" else client.limits.futures
        except ConfigError:
            # An environment without this market.
            continue
        found[f"{name}.weight"] = Quota(view.weight.limit, view.weight.seconds)
        for group, usage in view.groups.items():
            found[f"{name}.{group}"] = Quota(usage.limit, usage.seconds)
    return found
