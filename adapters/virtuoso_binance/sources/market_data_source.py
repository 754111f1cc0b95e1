"""``market_data`` out of several exchanges: who is asked, who stands in for whom, and what is told about it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from time import time
from typing import Any, Self

from binance_sdk.errors import plain_number
from virtuoso_binance.errors import InvalidSymbolError, NoSourceError
from virtuoso_binance.health.judging_sources import SourcesHealth, judge_sources, status_of_sources
from virtuoso_binance.scalars import Row, read_count
from virtuoso_binance.sources.asking import Answer, Exchange, Source, SourceStats
from virtuoso_binance.sources.comparison import DECISIVE, Comparison, compare
from virtuoso_binance.sources.data_sources import DataSources, check_exchange, exchanges_by_name, read_data_sources
from virtuoso_binance.sources.delivering import delivered, why_not
from virtuoso_binance.sources.events import (
    ClockCorrected,
    SourceEvent,
    SourceFailed,
    SourceHook,
    SourceQuarantined,
    SourceReleased,
    SourceRests,
    SourcesDisagree,
    SourceSwitched,
    checked_hooks,
)
from virtuoso_binance.sources.quality import MAX_AHEAD
from virtuoso_binance.sources.switching import Route
from virtuoso_binance.symbols import SymbolLike, read_symbol

__all__ = ["MarketDataSource"]

logger: logging.Logger = logging.getLogger("virtuoso_binance")

_LARGEST_LIMIT = 10**7
_STAYS = 10.0
"""Points of quality by which another source has to be better, where none is good enough, to serve instead."""


_WITNESSES = 2
_SAME_TIME = 10_000
"""Sources that agree on the time within so many milliseconds know it."""


class MarketDataSource:
    """Serves ``market_data`` from the first of several exchanges that has it in good order.

        source = MarketDataSource({"binance": binance, "bybit": bybit}, config["data_sources"])
        async with source:
            data = await source.fetch_market_data("BTCUSDT")
            data["metadata"]["source"]

    Each symbol has a route of its own: what one exchange does not have of one symbol switches no other. While a source
    serves that is not the first one, those before it are asked now and then, and gone back to when they were good for
    long enough.

    Args:
        exchanges: Exchanges of Virtuoso's kind by the names that ``data_sources`` calls them.
        data_sources: The block of the configuration, or what ``read_data_sources`` made of it.
        hooks: Each is called with every event; see ``virtuoso_binance.sources.events``.
        now: The local wall clock, in seconds.

    Raises:
        ConfigError: the block or an exchange cannot be used; the message names key, value and remedy.
    """

    def __init__(
        self,
        exchanges: Mapping[str, Exchange],
        data_sources: DataSources | Mapping[str, Any],
        *,
        hooks: Sequence[SourceHook] = (),
        now: Callable[[], float] | None = None,
    ) -> None:
        known = exchanges_by_name(exchanges)
        self.settings: DataSources = (
            data_sources if isinstance(data_sources, DataSources) else read_data_sources(data_sources, known)
        )
        self._now = now = now or time
        self._hooks = checked_hooks(hooks)
        self._sources: dict[str, Source] = {}
        for name in self.settings.names:
            check_exchange(name, known[name], {other: known[other] for other in self._sources})
            self._sources[name] = Source(
                name,
                known[name],
                timeout=self.settings.timeout,
                min_quality=self.settings.min_quality,
                now=now,
            )
        self._routes: dict[str, Route] = {}
        self._told: dict[tuple[str, str], str] = {}
        self._under_way: dict[tuple[str, str], asyncio.Task[Answer]] = {}
        self._clock_offset = 0
        self.switches: int = 0
        """How often another source took over, for any symbol."""

    # ----------------------------------------------------------------------------------- life cycle

    async def initialize(self) -> bool:
        """Make every source ready; False where none of them is. One that fails is tried again when it is asked."""
        sources = self._sources.values()
        found = await asyncio.gather(*(source.initialize() for source in sources), return_exceptions=True)
        for source, result in zip(sources, found, strict=True):
            if result is not True:
                logger.warning("the source %s is not ready yet: %s", source.name, result or "see its log")
        return True in found

    async def close(self) -> None:
        """Close every source; ``initialize``, or the next question, opens them again."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        try:
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            found = await asyncio.gather(*(s.close() for s in self._sources.values()), return_exceptions=True)
        for source, result in zip(self._sources.values(), found, strict=True):
            if isinstance(result, BaseException):
                logger.warning("the source %s did not close: %s", source.name, result)

    async def __aenter__(self) -> Self:
        await self.initialize()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    # ---------------------------------------------------------------------------------------- state

    @property
    def stats(self) -> Mapping[str, SourceStats]:
        """What became of asking each source."""
        return {name: source.stats for name, source in self._sources.items()}

    @property
    def exchanges(self) -> Mapping[str, Exchange]:
        """The exchanges by the names of the sources."""
        return {name: source.exchange for name, source in self._sources.items()}

    def active(self, symbol: SymbolLike) -> str:
        """The source that serves a symbol now."""
        route = self._routes.get(read_symbol(symbol).plain)
        return self.settings.primary if route is None else route.active

    def health(self) -> SourcesHealth:
        """How the sources are by what was seen of them lately; nobody is asked."""
        settings, now = self.settings, round(self._now() * 1000)
        facts = [source.facts(self._routes) for source in self._sources.values()]
        return judge_sources(facts, now, serving=settings.serving)

    async def fetch_status(self) -> Row:
        """How the sources are, with the keys of an exchange's status; never raises.

        Each source that has a ``fetch_status`` of its own is asked for it. ``online`` is False where none of those that
        may serve is up; ``health`` says how each of them is, and each kind of its data.
        """
        status: Row = {
            "online": False,
            "has_trading": False,
            "status": "offline",
            "timestamp": round(self._now() * 1000),
        }
        try:
            await asyncio.gather(*(source.fetch_status() for source in self._sources.values()))
            return {**status, **status_of_sources(self.health())}
        except Exception as error:  # noqa: BLE001 - whoever asks wants to know whether there are data
            return {**status, "error": f"{type(error).__name__}: {error}"}

    # ---------------------------------------------------------------------------------- market data

    async def fetch_market_data(self, symbol: SymbolLike, limit: int | None = None) -> Row:
        """Everything Virtuoso's analysis reads about a symbol, from the source that serves it.

        ``metadata`` has besides: ``source``, its ``quality``, and what became of the other ``sources`` that were asked.
        In the mode ``aggregate`` there is a block ``aggregate`` over all of them.

        Args:
            symbol: In any spelling.
            limit: Trades and book levels wished for.

        Raises:
            InvalidSymbolError: no source lists it, or it cannot be read.
            NoSourceError: no source has anything that may be used.
        """
        spelling = read_symbol(symbol)
        count = None if limit is None else read_count(limit, "limit", _LARGEST_LIMIT)
        passed = symbol if spelling.perpetual else spelling.plain
        route = self._routes.get(spelling.plain)
        if route is None:
            settings = self.settings
            route = Route(settings.names, settings.failback_checks, settings.failback_after)
            self._routes[spelling.plain] = route
        if self.settings.asks_all:
            answers = await self._ask_all(route, passed, spelling.plain, count)
        else:
            answers = await self._ask_in_turn(route, passed, spelling.plain, count)
        answers = self._with_right_clock(route, answers, spelling.plain)
        comparison = None
        if self.settings.cross_validation:
            comparison = self._compared(route, answers, spelling.plain)
            answers = {name: answer.compared(comparison) for name, answer in answers.items()}
        return self._delivered(route, answers, spelling.plain, comparison)

    async def _ask_in_turn(self, route: Route, symbol: object, plain: str, limit: int | None) -> dict[str, Answer]:
        if self.settings.mode == "primary_only":
            return {self.settings.primary: await self._ask(route, self.settings.primary, symbol, plain, limit)}
        now = self._now()
        turns = route.in_turn()
        awake = [name for name in turns if not self._sources[name].failures.rests(now)] or turns
        for name in route.due(now):
            # Beside the one that serves, which does not wait for it.
            if name in awake and name != awake[0] and (name, plain) not in self._under_way:
                self._begin(route, name, symbol, plain, limit)
        answers = {name: self._resting(name) for name in turns if name not in awake}
        for name in awake:
            answers[name] = await self._ask(route, name, symbol, plain, limit)
            if answers[name].good:
                break
        return answers

    async def _ask_all(self, route: Route, symbol: object, plain: str, limit: int | None) -> dict[str, Answer]:
        """Ask every source at once. Where the one that serves has answered, late ones are waited for a little only."""
        now, turns = self._now(), route.in_turn()
        awake = [name for name in turns if not self._sources[name].failures.rests(now)] or turns
        answers: dict[str, Answer] = {}
        tasks: dict[str, asyncio.Task[Answer]] = {}
        for name in turns:
            if name not in awake:
                answers[name] = self._resting(name)
            elif (name, plain) in self._under_way:
                answers[name] = Answer(name, cause="timeout", reason="it has not answered the question before yet")
            else:
                tasks[name] = self._begin(route, name, symbol, plain, limit)
        try:
            for task in tasks.values():
                # Awaiting the task itself would cancel this call where ``close`` cancels the task.
                await asyncio.wait((task,))
                if not task.cancelled() and task.result().good:
                    break
            if tasks:
                await asyncio.wait(tasks.values(), timeout=self.settings.patience)
        except asyncio.CancelledError:
            for task in tasks.values():
                task.cancel()
            raise
        for name, task in tasks.items():
            late = Answer(
                name, cause="timeout", reason=f"no answer {plain_number(self.settings.patience)} s after the others"
            )
            answers[name] = self._closed(name) if task.cancelled() else task.result() if task.done() else late
        return answers

    def _closed(self, name: str) -> Answer:
        return Answer(name, cause="error", reason="it was closed while it was asked")

    def _begin(self, route: Route, name: str, symbol: object, plain: str, limit: int | None) -> asyncio.Task[Answer]:
        """Ask a source in a task, which ends with this object at the latest."""
        key = (name, plain)
        task = self._under_way[key] = asyncio.create_task(self._ask(route, name, symbol, plain, limit))
        task.add_done_callback(lambda ended: self._ended(key, ended))
        return task

    def _ended(self, key: tuple[str, str], task: asyncio.Task[Answer]) -> None:
        self._under_way.pop(key, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Whatever a source raises is in its answer, so this is a mistake of ours, and nobody may be waiting for it.
            logger.error("%s of the source %s could not be judged", key[1], key[0], exc_info=error)

    def _resting(self, name: str) -> Answer:
        return Answer(name, cause="error", reason=f"it rests, after {self._sources[name].failures.reason}")

    async def _ask(self, route: Route, name: str, symbol: object, plain: str, limit: int | None) -> Answer:
        source = self._sources[name]
        route.note_asked(name, self._now())
        answer = await source.ask(symbol, plain, limit, self._clock_offset, route.market)
        now = self._now()
        route.note(name, answer.good, now)
        # What is missing or wrong of one symbol says nothing about the others.
        down = answer.cause in ("error", "timeout")
        rest = source.failures.note(answer.reason if down else None, now)
        if rest is not None:
            logger.warning("the source %s rests for %s s: %s", name, plain_number(rest), answer.reason)
            self._tell(SourceRests(name, rest, answer.reason))
        if answer.cause is not None:
            self._note_failure(answer, plain)
        else:
            self._told.pop((name, plain), None)
        return answer

    def _note_failure(self, answer: Answer, plain: str) -> None:
        cause = answer.cause or "error"
        # A failure that goes on is logged once; the counters and the hooks have every one.
        level = logging.DEBUG if self._told.get((answer.source, plain)) == cause else logging.WARNING
        self._told[answer.source, plain] = cause
        logger.log(level, "%s of the source %s is not good enough: %s", plain, answer.source, answer.reason)
        self._tell(SourceFailed(answer.source, plain, cause, answer.reason))

    # ------------------------------------------------------------------------------------- choosing

    def _with_right_clock(self, route: Route, answers: dict[str, Answer], plain: str) -> dict[str, Answer]:
        """Where nothing may be used, and all sources name one time that is not ours, it is our clock that is off."""
        times = [answer.time for answer in answers.values() if answer.time is not None]
        unusable = all(answer.data is None for answer in answers.values())
        if not unusable or len(times) < _WITNESSES or max(times) - min(times) > _SAME_TIME:
            return answers
        offset = min(times) - round(self._now() * 1000)
        offset = offset if abs(offset) > MAX_AHEAD else 0
        if offset == self._clock_offset:
            return answers
        self._clock_offset = offset
        if offset:
            how = "behind" if offset > 0 else "ahead of"
            text = "the clock of this machine is %.0f s %s that of every source; theirs is used"
            logger.warning(text, abs(offset) / 1000, how)
        else:
            logger.info("the clock of this machine is right again")
        self._tell(ClockCorrected(offset / 1000))
        return {
            name: self._sources[name].judged_again(answer, plain, offset, route.market)
            for name, answer in answers.items()
        }

    def _compared(self, route: Route, answers: Mapping[str, Answer], plain: str) -> Comparison:
        """Compare what there is; a source that a majority contradicts goes into quarantine, and out of it again."""
        now = self._now()
        there = {name: data for name in route.in_turn() if name in answers and (data := answers[name].data) is not None}
        voters = there.keys() - route.quarantined
        comparison = compare(there, round(now * 1000) + self._clock_offset, voters)
        for name in comparison.compared:
            self._sources[name].observe_checks(comparison.checks_of(name))
            kinds = [kind for kind in comparison.outvoted.get(name, ()) if kind in DECISIVE]
            if kinds and route.accuse(name, now):
                reason = f"a majority contradicts its {' and '.join(kinds)}"
                logger.warning("%s of the source %s is in quarantine: %s", plain, name, reason)
                self._tell(SourceQuarantined(name, plain, reason))
            elif not kinds and comparison.checks and route.acquit(name, now):
                logger.info("%s of the source %s is out of quarantine: it agreed for long enough", plain, name)
                self._tell(SourceReleased(name, plain))
        if comparison.disagreements:
            self._note_disagreement(comparison, plain)
        else:
            self._told.pop(("", plain), None)
        return comparison

    def _note_disagreement(self, comparison: Comparison, plain: str) -> None:
        told = "; ".join(map(str, comparison.disagreements))
        kinds = " ".join(sorted({check.kind for check in comparison.disagreements}))
        level = logging.DEBUG if self._told.get(("", plain)) == kinds else logging.WARNING
        self._told["", plain] = kinds
        logger.log(level, "sources disagree about %s (%s): %s", plain, comparison.verdict, told)
        self._tell(SourcesDisagree(plain, comparison))

    def _delivered(self, route: Route, answers: Mapping[str, Answer], plain: str, comparison: Comparison | None) -> Row:
        chosen = self._choose(route, answers)
        if chosen is None:
            if all(answer.cause == "unknown_symbol" for answer in answers.values()):
                # Nothing is kept of symbols that there are not: anybody may ask for any.
                self._routes.pop(plain, None)
                for name in answers:
                    self._told.pop((name, plain), None)
                raise InvalidSymbolError(plain, f"listed by none of {', '.join(answers)}")
            raise NoSourceError(plain, {name: why_not(route, answer) for name, answer in answers.items()})
        if chosen.source != route.active:
            self._switch(route, chosen.source, answers, plain)
        self._sources[chosen.source].stats.delivered += 1
        return delivered(route, chosen, answers, comparison, aggregate=self.settings.mode == "aggregate")

    def _choose(self, route: Route, answers: Mapping[str, Answer]) -> Answer | None:
        serving = self.settings.serving if self.settings.mode == "primary_only" else route.in_turn()
        allowed = [name for name in serving if name in answers and name not in route.quarantined]
        there = [answers[name] for name in allowed if answers[name].data is not None]
        good = next((answer for answer in there if answer.good), None)
        if good is not None or not there:
            return good
        # None is in good order: the best there is, but nothing is switched for a little.
        return max(there, key=lambda answer: answer.quality.score + _STAYS * (answer.source == route.active))

    def _switch(self, route: Route, name: str, answers: Mapping[str, Answer], plain: str) -> None:
        before, failback = route.active, name in route.preferred
        if failback:
            reason = f"{name} was good for long enough"
            logger.info("%s comes from %s again, no longer from %s: %s", plain, name, before, reason)
        else:
            reason = why_not(route, answers[before]) if before in answers else "it is not good enough"
            logger.warning("%s comes from %s, no longer from %s: %s", plain, name, before, reason)
        route.active = name
        self.switches += 1
        self._tell(SourceSwitched(plain, before, name, reason, failback))

    def _tell(self, event: SourceEvent) -> None:
        for hook in self._hooks:
            try:
                hook(event)
            except Exception:
                logger.exception("a hook failed at %s", event)
