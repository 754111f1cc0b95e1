"""What is streamed and what is not, told when it changes: to the log, to counts, and to a hook."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from virtuoso_binance.health.streams import PartCounts
from virtuoso_binance.parts import Part
from virtuoso_binance.symbols import Listed, MarketName

__all__ = ["OnStreamChange", "PartStreamed", "PartUnstreamed", "StreamChange", "StreamChanges"]

logger: logging.Logger = logging.getLogger("virtuoso_binance")


@dataclass(frozen=True, slots=True)
class PartUnstreamed:
    """A part that came from a stream comes over REST from now on.

    Attributes:
        market: Its market.
        symbol: Its symbol.
        part: Its name, as in ``metadata["streamed"]``.
        reason: Why, in words.
    """

    market: MarketName
    symbol: str
    part: str
    reason: str


@dataclass(frozen=True, slots=True)
class PartStreamed:
    """A part comes from its stream, for the first time or again.

    Attributes:
        market: Its market.
        symbol: Its symbol.
        part: Its name, as in ``metadata["streamed"]``.
        seconds: For how long it came over REST; 0 where it was not streamed before.
    """

    market: MarketName
    symbol: str
    part: str
    seconds: float = 0.0


StreamChange: TypeAlias = PartStreamed | PartUnstreamed
OnStreamChange: TypeAlias = Callable[[StreamChange], object]


class StreamChanges:
    """Remembers what is streamed.

    Args:
        on_change: Told about each change; what it raises is logged.
        clock: Monotonic seconds.
    """

    def __init__(self, on_change: OnStreamChange | None, clock: Callable[[], float]) -> None:
        self._on_change = on_change
        self._clock = clock
        self._streamed: set[tuple[MarketName, str, str]] = set()
        self._stalled: dict[tuple[MarketName, str], dict[str, tuple[str, float]]] = {}
        """Reason and since when, by market and symbol and by part."""
        self._counts: dict[tuple[MarketName, str], PartCounts] = {}

    def note(self, listed: Listed, part: Part[Any], reason: str) -> None:
        """A part was looked at.

        Args:
            listed: Whose.
            part: Which.
            reason: Why it is not streamed; empty where it is.
        """
        key = (listed.market, listed.symbol, part.name)
        if not reason:
            if key not in self._streamed:
                self._begins(listed, part.name)
        elif key in self._streamed:
            self._ends(listed, part.name, reason)

    def _begins(self, listed: Listed, part: str) -> None:
        market, symbol = listed.market, listed.symbol
        self._streamed.add((market, symbol, part))
        stalled = self._stalled.get((market, symbol), {}).pop(part, None)
        counts = self._counts.get((market, part), PartCounts())
        if stalled is None:
            self._counts[market, part] = replace(counts, streamed=counts.streamed + 1)
            self._tell(PartStreamed(market, symbol, part))
            return
        seconds = self._clock() - stalled[1]
        changed = {"stalled": counts.stalled - 1, "recoveries": counts.recoveries + 1}
        self._counts[market, part] = counts = replace(counts, streamed=counts.streamed + 1, **changed)
        if not counts.stalled:
            # One line for all symbols, as they mostly come and go together.
            logger.warning("%s of %s is streamed again, %.0f s after it ended for %s", part, market, seconds, symbol)
        self._tell(PartStreamed(market, symbol, part, seconds))

    def _ends(self, listed: Listed, part: str, reason: str) -> None:
        market, symbol = listed.market, listed.symbol
        self._streamed.discard((market, symbol, part))
        self._stalled.setdefault((market, symbol), {})[part] = (reason, self._clock())
        counts = self._counts.get((market, part), PartCounts())
        changed = {"streamed": counts.streamed - 1, "stalled": counts.stalled + 1, "fallbacks": counts.fallbacks + 1}
        self._counts[market, part] = replace(counts, **changed)
        if not counts.stalled:
            text = "%s of %s (%s) comes over REST until its stream is back: %s"
            logger.warning(text, part, symbol, market, reason)
        self._tell(PartUnstreamed(market, symbol, part, reason))

    def _tell(self, change: StreamChange) -> None:
        if self._on_change is not None:
            try:
                self._on_change(change)
            except Exception:
                logger.exception("on_stream_change failed on %s", change)

    def stalled(self, listed: Listed) -> Mapping[str, str]:
        """Why parts of a symbol that were streamed are not, by name."""
        return {part: reason for part, (reason, _) in self._stalled.get((listed.market, listed.symbol), {}).items()}

    @property
    def counts(self) -> Mapping[tuple[MarketName, str], PartCounts]:
        """By market and part."""
        return dict(self._counts)
