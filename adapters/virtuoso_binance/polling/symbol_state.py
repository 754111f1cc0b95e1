"""What polling knows of one symbol, how old it is, and what of it may still be delivered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from binance_sdk.errors import BinanceError
from virtuoso_binance.parts import CANDLES, TICKER, Part, Parts, parts_of
from virtuoso_binance.series import TimeSpan, missing_candles
from virtuoso_binance.symbols import Listed

__all__ = ["Received", "StaleError", "SymbolState"]

T = TypeVar("T")


class StaleError(BinanceError):
    """A part was not fetched for longer than it holds, or not at all."""


@dataclass(frozen=True, slots=True)
class Received(Generic[T]):
    """What is known of a part.

    Attributes:
        value: The newest answer; of a series all rows that are wanted.
        at: When the newest answer came, in epoch milliseconds.
    """

    value: T
    at: int


@dataclass
class SymbolState:
    """Everything known of one symbol.

    Attributes:
        listed: The instrument.
        errors: Why a part did not come the last time.
        delisted: The exchange no longer names it among its tickers.
        streamed: The parts that streams keep true, so that they need not be asked for.
    """

    listed: Listed
    errors: dict[Part[Any], str] = field(default_factory=dict[Part[Any], str])
    delisted: bool = False
    streamed: frozenset[Part[Any]] = frozenset()
    _received: dict[Part[Any], Received[Any]] = field(default_factory=dict[Part[Any], Received[Any]])

    def get(self, part: Part[T]) -> Received[T] | None:
        """None where nothing of the part is known."""
        return cast("Received[T] | None", self._received.get(part))

    def put(self, part: Part[T], answer: T, now: int) -> None:
        """Keep an answer, joined with what is known. Where the two do not fit together, neither is kept."""
        known = self.get(part)
        value = part.merged(None if known is None else known.value, answer)
        if value is None:
            # The next refresh asks for the whole.
            self.drop(part, "its newest rows do not follow those that were known")
            return
        self._received[part] = Received(value, now)
        self.errors.pop(part, None)
        if part is TICKER:
            self.delisted = False

    def drop(self, part: Part[Any], reason: str) -> None:
        """Forget what is known to be wrong by now."""
        self._received.pop(part, None)
        self.errors[part] = reason
        if part is TICKER:
            self.delisted = True

    def data_time(self, part: Part[T]) -> int | None:
        """The time that what is known of a part is about; None where nothing is known."""
        known = self.get(part)
        return None if known is None else part.data_time(known.value, known.at)

    def age(self, part: Part[Any], now: int) -> float:
        """Milliseconds since a part last came; infinite where nothing is known."""
        known = self.get(part)
        return float("inf") if known is None else now - known.at

    def deliverable(self, now: int) -> Parts:
        """The parts that are not too old to be delivered; of the others it is said how old they are, and why."""
        values: dict[Part[Any], object] = {}
        errors: dict[Part[Any], BinanceError] = {}
        for part in parts_of(self.listed.market):
            known, time = self.get(part), self.data_time(part)
            if known is not None and time is not None and now - time <= part.max_age:
                values[part] = known.value
                continue
            age = "was never fetched" if time is None else f"is {(now - time) / 1000:.0f} s old"
            reason = self.errors.get(part)
            errors[part] = StaleError(age if reason is None else f"{age}: {reason}")
        return Parts(self.listed, values, errors)


def missing_by_frame(parts: Parts) -> dict[str, list[TimeSpan]]:
    """Candles missing inside the frames that are delivered, by frame."""
    found = {name: missing_candles(parts.rows(part), part.step) for name, part in CANDLES.items()}
    return {name: spans for name, spans in found.items() if spans}
