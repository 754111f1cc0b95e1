"""What the fetcher knows of one symbol, how old it is, and what of it may still be delivered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from binance_sdk import futures, spot
from binance_sdk.errors import BinanceError
from binance_sdk.futures import Kline
from virtuoso_binance.market_data import Parts
from virtuoso_binance.polling.series import Hole, holes, statistics_time
from virtuoso_binance.symbols import Listed
from virtuoso_binance.timeframes import FRAMES, interval_ms

__all__ = ["MAX_AGE", "Book", "Kept", "StaleError", "SymbolState", "candle_holes", "fresh_parts"]

Book: TypeAlias = spot.OrderBook | futures.OrderBook

MAX_AGE: Mapping[str, int] = {
    "ticker": 120_000,
    "quotes": 120_000,
    "premium": 120_000,
    "orderbook": 300_000,
    "trades": 300_000,
    "interest": 900_000,
    "oi_history": 900_000,
    "lsr": 900_000,
    "premium_index": 900_000,
}
"""Milliseconds after which a part is no longer delivered; readers of Virtuoso call a ticker stale at 120 s and trades
at 300 s. Candles count by their own time: the newest one may have begun two of its lengths ago."""


class StaleError(BinanceError):
    """A part was not fetched for longer than it holds, or not at all."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer.

    Attributes:
        value: As it came.
        at: When, epoch milliseconds.
    """

    value: Any
    at: int


@dataclass
class SymbolState:
    """Everything kept of one symbol.

    Attributes:
        listed: The instrument.
        parts: Answers by part; for series only when they were last fetched.
        candles: Candles by frame, oldest first.
        interest: Open interest by period, oldest first.
        errors: Why a part did not come the last time.
    """

    listed: Listed
    parts: dict[str, Kept] = field(default_factory=dict[str, Kept])
    candles: dict[str, list[Kline]] = field(default_factory=dict[str, list[Kline]])
    interest: list[futures.OpenInterestHist] = field(default_factory=list[futures.OpenInterestHist])
    errors: dict[str, str] = field(default_factory=dict[str, str])
    gone: bool = False
    """The exchange no longer names it among its tickers."""

    def put(self, part: str, value: object, now: int) -> None:
        """Keep an answer."""
        self.parts[part] = Kept(value, now)
        self.errors.pop(part, None)
        if part == "ticker":
            self.gone = False

    def drop(self, part: str, reason: str) -> None:
        """Forget an answer that is known to be wrong by now."""
        self.parts.pop(part, None)
        self.errors[part] = reason
        if part == "ticker":
            self.gone = True

    def forget(self, frame: str, reason: str) -> None:
        """Forget the candles of a frame."""
        self.candles.pop(frame, None)
        self.drop(frame, reason)

    def keeper(self, part: str) -> Callable[[Any, int], None]:
        """Keeps answers of one part."""
        return lambda value, now: self.put(part, value, now)

    def fetched_at(self, part: str) -> int | None:
        found = self.parts.get(part)
        return None if found is None else found.at

    def age(self, part: str, now: int) -> float:
        """Milliseconds since a part was fetched; infinite where it never was."""
        at = self.fetched_at(part)
        return float("inf") if at is None else now - at


def fresh_parts(state: SymbolState, now: int) -> Parts:
    """What of a symbol may be delivered, as ``assemble`` takes it; the rest is named with its reason."""
    wanted = ["ticker", "orderbook", "trades"]
    if state.listed.market == "usdm":
        wanted += ["quotes", "premium", "interest", "lsr", "premium_index"]
    data: dict[str, Any] = {}
    errors: dict[str, BinanceError] = {}

    def stale(part: str, since: int | None) -> None:
        age = "was never fetched" if since is None else f"is {(now - since) / 1000:.0f} s old"
        reason = state.errors.get(part)
        errors[part] = StaleError(age if reason is None else f"{age}: {reason}")

    for part in wanted:
        kept = state.parts.get(part)
        if kept is None or now - kept.at > MAX_AGE[part]:
            stale(part, None if kept is None else kept.at)
        else:
            data[part] = kept.value
    for part, (interval, _) in FRAMES.items():
        klines, step = state.candles.get(part), interval_ms(interval)
        if not klines or now - klines[-1][0] >= 2 * step:
            stale(part, klines[-1][0] if klines else None)
        else:
            data[part] = klines
    if state.listed.market == "usdm":
        newest = statistics_time(state.interest[-1]) if state.interest else None
        if newest is None or now - newest > MAX_AGE["oi_history"]:
            stale("oi_history", newest)
        else:
            data["oi_history"] = state.interest
    return Parts(state.listed, data, errors)


def candle_holes(data: Mapping[str, Any]) -> dict[str, list[Hole]]:
    """Candles missing inside the frames that are delivered, by frame."""
    found = {part: holes(data.get(part) or [], interval_ms(interval)) for part, (interval, _) in FRAMES.items()}
    return {part: rows for part, rows in found.items() if rows}
