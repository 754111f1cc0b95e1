"""Asking one source for ``market_data``, and what its answer is worth."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from binance_sdk.errors import plain_number
from virtuoso_binance.errors import InvalidSymbolError
from virtuoso_binance.scalars import Row
from virtuoso_binance.sources.events import Cause
from virtuoso_binance.sources.quality import Quality, judge
from virtuoso_binance.sources.switching import Failures

__all__ = ["Answer", "Exchange", "Source", "SourceStats"]

_UNKNOWN = ("invalid symbol", "not supported")
"""What Virtuoso looks for in a message: the exchange does not list the symbol."""


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
        self.failures = Failures()
        self.stats = SourceStats()
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

    async def ask(self, symbol: object, plain: str, limit: int | None, clock_offset: int = 0) -> Answer:
        """Ask for ``market_data``, and judge it. Whatever the exchange raises is in the answer.

        Args:
            symbol: The symbol as it is passed on.
            plain: The symbol that the answer has to be about.
            limit: As the caller wished.
            clock_offset: Milliseconds by which the local clock is known to be behind.
        """
        self.stats.asked += 1
        answer = await self._ask(symbol, plain, limit, clock_offset)
        if answer.cause is not None:
            self.stats.failed[answer.cause] += 1
        return answer

    async def _ask(self, symbol: object, plain: str, limit: int | None, clock_offset: int) -> Answer:
        patience = asyncio.timeout(self._timeout)
        try:
            async with patience:
                if not self._up and not await self.initialize():
                    return Answer(self.name, cause="error", reason="it does not initialize; its log says why")
                data: object = await self.exchange.fetch_market_data(symbol, limit)
        except TimeoutError as error:
            if patience.expired():
                return Answer(self.name, cause="timeout", reason=f"no answer within {plain_number(self._timeout)} s")
            return self._failed(error)
        except Exception as error:  # noqa: BLE001 - an exchange of somebody else's may raise whatever it likes
            return self._failed(error)
        return self.judged(data, plain, clock_offset)

    def judged(self, data: object, plain: str, clock_offset: int = 0) -> Answer:
        """An answer with its quality."""
        quality = judge(data, plain, round(self._now() * 1000) + clock_offset)
        good = quality.is_good(self._min_quality)
        row = cast("Row", data) if quality.usable else None
        reason = "" if good else quality.reasons
        return Answer(self.name, row, quality, good, None if good else "quality", reason, data)

    def judged_again(self, answer: Answer, plain: str, clock_offset: int) -> Answer:
        """The same answer, where the time has turned out to be another."""
        return answer if answer.given is None else self.judged(answer.given, plain, clock_offset)

    def _failed(self, error: Exception) -> Answer:
        text = str(error) or type(error).__name__
        if isinstance(error, InvalidSymbolError) or any(words in text.lower() for words in _UNKNOWN):
            return Answer(self.name, cause="unknown_symbol", reason="it does not list the symbol")
        return Answer(self.name, cause="error", reason=f"{type(error).__name__}: {text}")
