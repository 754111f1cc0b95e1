"""Asking one source for ``market_data``, and what its answer is worth."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, cast

from binance_sdk.errors import plain_number
from virtuoso_binance.errors import InvalidSymbolError
from virtuoso_binance.health.judging_sources import SourceFacts
from virtuoso_binance.health.observations import WINDOW_SECONDS, Observations
from virtuoso_binance.kinds import Kind, market_of, times_of
from virtuoso_binance.scalars import Row
from virtuoso_binance.sources.comparison import Check, ComparedKind, Comparison
from virtuoso_binance.sources.events import Cause
from virtuoso_binance.sources.quality import Quality, judge
from virtuoso_binance.sources.switching import Failures, Route

__all__ = ["Answer", "Exchange", "Source", "SourceStats"]

_UNKNOWN = ("invalid symbol", "not supported")
"""What Virtuoso looks for in a message: the exchange does not list the symbol."""
COMPARED: Mapping[ComparedKind, Kind] = {
    "price": "price",
    "spread": "book",
    "volume": "volume",
    "funding": "funding",
    "closes": "candles",
}
"""Which kind of data a comparison is about."""


class Exchange(Protocol):
    """What a source needs of an exchange of Virtuoso's kind."""

    async def fetch_market_data(self, symbol: Any, limit: int | None = None) -> Any:
        """The dict of the contract's section 3."""


@dataclass
class SourceStats:
    """What became of asking a source.

    Attributes:
        asked: Times it was asked.
        delivered: Times its data were delivered.
        failed: Times it had nothing good enough, by cause.
    """

    asked: int = 0
    delivered: int = 0
    failed: Counter[Cause] = field(default_factory=Counter[Cause])


@dataclass(frozen=True)
class Answer:
    """What came of asking a source once.

    Attributes:
        source: Its name.
        data: What it gave, where that may be used.
        quality: How good that is.
        good: Whether anything better is needed.
        cause: What kind of failure, where it is not good.
        reason: The same in words.
        given: What it gave, whether that may be used or not.
    """

    source: str
    data: Row | None = None
    quality: Quality = field(default_factory=Quality)
    good: bool = False
    cause: Cause | None = None
    reason: str = ""
    given: object = field(default=None, repr=False)

    def compared(self, comparison: Comparison) -> Answer:
        """The same, with the share of its comparisons that agree in its quality."""
        share = comparison.agreement(self.source)
        return self if share is None else replace(self, quality=replace(self.quality, agreement=share))

    @property
    def time(self) -> int | None:
        """What the source says the time is, in epoch milliseconds; None where it does not."""
        found: object = cast("Row", self.given).get("timestamp") if isinstance(self.given, dict) else None
        return found if isinstance(found, int) else None


class Source:
    """One exchange, under the name it has in ``data_sources``.

    Args:
        name: The name.
        exchange: Whom to ask.
        timeout: Seconds that an answer may take.
        min_quality: Score from which on an answer is good.
        now: The local wall clock, in seconds.
    """

    def __init__(
        self, name: str, exchange: Exchange, *, timeout: float, min_quality: float, now: Callable[[], float]
    ) -> None:
        self.name = name
        self.exchange = exchange
        self.failures: Failures = Failures()
        self.stats: SourceStats = SourceStats()
        self.observations: Observations = Observations()
        """What its answers were like lately, kind by kind."""
        self.status: Row | None = None
        """What its own ``fetch_status`` said last; None where it has none, or was not asked."""
        self.status_at: float = 0.0
        self._timeout = timeout
        self._min_quality = min_quality
        self._now = now
        self._up = not callable(getattr(exchange, "initialize", None))
        self._coming_up = asyncio.Lock()

    async def initialize(self) -> bool:
        """Make the exchange ready where that was not done; False where it cannot be."""
        async with self._coming_up:
            if not self._up:
                self._up = bool(await cast("Any", self.exchange).initialize())
        return self._up

    async def close(self) -> None:
        """Close the exchange, where it can be closed."""
        close: Any = getattr(self.exchange, "close", None)
        if callable(close):
            self._up = not callable(getattr(self.exchange, "initialize", None))
            await cast("Any", close())

    async def ask(
        self, symbol: object, plain: str, limit: int | None, clock_offset: int = 0, market: str | None = None
    ) -> Answer:
        """Ask for ``market_data``, and judge it. Whatever the exchange raises is in the answer.

        Args:
            symbol: The symbol as it is passed on.
            plain: The symbol that the answer has to be about.
            limit: As the caller wished.
            clock_offset: Milliseconds by which the local clock is known to be behind.
            market: The market that was delivered last.
        """
        self.stats.asked += 1
        answer = await self._ask(symbol, plain, limit, clock_offset, market)
        if answer.cause is not None:
            self.stats.failed[answer.cause] += 1
        self._observe(answer)
        return answer

    def _observe(self, answer: Answer) -> None:
        if answer.cause == "unknown_symbol":
            # That says nothing about the source.
            return
        now = round(self._now() * 1000)
        self.observations.answers.note(now, failure=answer.reason if answer.data is None else "")
        if answer.data is None:
            return
        times, quality = times_of(answer.data), answer.quality
        for kind in quality.kinds:
            text = quality.faults.get(kind, "")
            missing = kind not in times
            self.observations.of(kind).note(
                now, data_time=times.get(kind), failure=text if missing else "", fault="" if missing else text
            )

    def observe_checks(self, checks: Iterable[Check]) -> None:
        """Note what comparisons with other sources said."""
        now = round(self._now() * 1000)
        for check in checks:
            self.observations.of(COMPARED[check.kind]).note_check(now, check.agrees)

    async def fetch_status(self) -> None:
        """Ask the exchange how it is, if it can tell; what comes of it is in ``status``."""
        ask: Any = getattr(self.exchange, "fetch_status", None)
        if not callable(ask):
            return
        try:
            async with asyncio.timeout(self._timeout):
                found: object = await cast("Any", ask())
            status = cast("Row", found) if isinstance(found, dict) else {"online": True}
        except Exception as error:  # noqa: BLE001 - an exchange of somebody else's may raise whatever it likes
            status = {"online": False, "error": f"{type(error).__name__}: {error}"}
        self.status, self.status_at = status, self._now()

    def facts(self, routes: Mapping[str, Route]) -> SourceFacts:
        """What is known of it.

        Args:
            routes: Those of all symbols, by symbol.
        """
        now, by_symbol = self._now(), list(routes.items())
        ms, fresh = round(now * 1000), now - self.status_at <= WINDOW_SECONDS
        return SourceFacts(
            self.name,
            self.observations.answers.facts(ms),
            self.observations.facts(ms),
            rests_for=max(0.0, self.failures.rests_until - now),
            quarantined=tuple(symbol for symbol, route in by_symbol if self.name in route.quarantined),
            serves=sum(route.active == self.name for _, route in by_symbol),
            status=self.status if fresh else None,
        )

    async def _ask(
        self, symbol: object, plain: str, limit: int | None, clock_offset: int, market: str | None
    ) -> Answer:
        patience = asyncio.timeout(self._timeout)
        try:
            async with patience:
                if not self._up and not await self.initialize():
                    return Answer(self.name, cause="error", reason="it does not initialize; its log says why")
                data: object = await self.exchange.fetch_market_data(symbol, limit)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return Answer(self.name, cause="error", reason="the exchange cancelled its own work, as when it is closed")
        except TimeoutError as error:
            if patience.expired():
                return Answer(self.name, cause="timeout", reason=f"no answer within {plain_number(self._timeout)} s")
            return self._failed(error)
        except Exception as error:  # noqa: BLE001 - an exchange of somebody else's may raise whatever it likes
            return self._failed(error)
        return self.judged(data, plain, clock_offset, market)

    def judged(self, data: object, plain: str, clock_offset: int, market: str | None) -> Answer:
        """An answer with its quality."""
        quality = judge(data, plain, round(self._now() * 1000) + clock_offset)
        row = cast("Row", data) if quality.usable else None
        reasons = quality.reasons
        # As where a perpetual is halted, and its exchange gives spot: another exchange may have the perpetual.
        fallen_back = row is not None and market == "usdm" and market_of(row) != market
        if fallen_back:
            reasons = "; ".join(
                filter(None, ("these are prices of spot, and those of the perpetual are wanted", reasons))
            )
        good = quality.is_good(self._min_quality) and not fallen_back
        return Answer(self.name, row, quality, good, None if good else "quality", "" if good else reasons, data)

    def judged_again(self, answer: Answer, plain: str, clock_offset: int, market: str | None) -> Answer:
        """The same answer, where the time has turned out to be another."""
        return answer if answer.given is None else self.judged(answer.given, plain, clock_offset, market)

    def _failed(self, error: Exception) -> Answer:
        text = str(error) or type(error).__name__
        if isinstance(error, InvalidSymbolError) or any(words in text.lower() for words in _UNKNOWN):
            return Answer(self.name, cause="unknown_symbol", reason="it does not list the symbol")
        return Answer(self.name, cause="error", reason=f"{type(error).__name__}: {text}")
