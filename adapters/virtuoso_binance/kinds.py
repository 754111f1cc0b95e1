"""The kinds of data that sources are judged by, compared in, and added up in: read out of ``market_data``.

Each is a small value with the time it is about. Whoever reads them does not see whether somebody asked for it or a
stream brought it. What is not there is None: no stand-in is made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from virtuoso_binance.scalars import Row

__all__ = [
    "KINDS",
    "Book",
    "Closes",
    "Funding",
    "Interest",
    "Kind",
    "Price",
    "Volume",
    "book_of",
    "closes_of",
    "funding_of",
    "kinds_of",
    "market_of",
    "open_interest_of",
    "price_of",
    "times_of",
    "volume_of",
]

Kind: TypeAlias = Literal["price", "volume", "book", "trades", "candles", "funding", "open_interest", "long_short"]
KINDS: Mapping[str, tuple[Kind, ...]] = {
    "usdm": ("price", "volume", "book", "trades", "candles", "funding", "open_interest", "long_short"),
    "spot": ("price", "volume", "book", "trades", "candles"),
}
"""By market: spot has no funding and no open interest."""

_BPS = 10_000
_MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class Price:
    """What one pays.

    Attributes:
        last: The last trade, in the quote asset.
        bid: The best bid.
        ask: The best ask.
        time: Epoch milliseconds.
    """

    last: float
    bid: float
    ask: float
    time: int

    @property
    def mid(self) -> float:
        """Between bid and ask: unlike the last trade it is of this moment."""
        return (self.bid + self.ask) / 2

    @property
    def spread_bps(self) -> float:
        """Between bid and ask, in basis points of the middle."""
        return (self.ask - self.bid) / self.mid * _BPS


@dataclass(frozen=True, slots=True)
class Volume:
    """What was traded in 24 hours, in base and in quote units."""

    base: float
    quote: float
    time: int


@dataclass(frozen=True, slots=True)
class Book:
    """Levels of price and amount, the best first."""

    bids: Sequence[Sequence[float]]
    asks: Sequence[Sequence[float]]
    time: int


@dataclass(frozen=True, slots=True)
class Funding:
    """A rate as a fraction, and when it is due, epoch milliseconds."""

    rate: float
    due: int


@dataclass(frozen=True, slots=True)
class Interest:
    """Contracts that are open, in base units."""

    amount: float
    time: int


@dataclass(frozen=True, slots=True)
class Closes:
    """Closes of finished minutes by open time, oldest first."""

    by_time: Mapping[int, float]


def market_of(data: Row) -> str:
    """``usdm`` for a linear perpetual, ``spot``: prices of the two are not the same thing."""
    return str(data["metadata"].get("market", "usdm" if "fundingRate" in data["ticker"] else "spot"))


def kinds_of(data: Row) -> tuple[Kind, ...]:
    """The kinds that there can be."""
    return KINDS[market_of(data)]


def price_of(data: Row) -> Price:
    ticker = data["ticker"]
    return Price(ticker["last"], ticker["bid"], ticker["ask"], ticker["timestamp"])


def volume_of(data: Row) -> Volume:
    ticker = data["ticker"]
    return Volume(ticker["baseVolume"], ticker["quoteVolume"], ticker["timestamp"])


def book_of(data: Row) -> Book | None:
    book = data["orderbook"]
    return Book(book["bids"], book["asks"], book["timestamp"]) if book["bids"] and book["asks"] else None


def funding_of(data: Row) -> Funding | None:
    row = data["sentiment"].get("funding_rate")
    return None if row is None else Funding(row["rate"], row["next_funding_time"])


def open_interest_of(data: Row) -> Interest | None:
    """The newest amount there is: that of the ticker is of this moment, that of the history up to five minutes old."""
    ticker = data["ticker"]
    if "openInterest" in ticker:
        return Interest(ticker["openInterest"], ticker["timestamp"])
    row = data["sentiment"].get("open_interest")
    return None if row is None else Interest(row["current"], row["timestamp"])


def times_of(data: Row) -> dict[Kind, int]:
    """What each kind that is there is about, in epoch milliseconds; funding is of the moment of the whole."""
    ticker, inner = data["ticker"]["timestamp"], data["sentiment"]
    times: dict[Kind, int] = {"price": ticker, "volume": ticker}
    book, interest = data["orderbook"], inner.get("open_interest")
    if book["bids"] and book["asks"]:
        times["book"] = book["timestamp"]
    if data["trades"]:
        times["trades"] = data["trades"][-1]["timestamp"]
    if len(data["ohlcv"]["base"]):
        times["candles"] = data["ohlcv"]["base"].index[-1].value // 1_000_000
    if inner.get("funding_rate") is not None:
        times["funding"] = data["timestamp"]
    if interest is not None:
        times["open_interest"] = interest["timestamp"]
    if inner.get("long_short_ratio") is not None:
        times["long_short"] = inner["long_short_ratio"]["timestamp"]
    return times


def closes_of(data: Row, now: int, count: int = 20) -> Closes | None:
    """The newest ``count`` minutes that are over by ``now``."""
    from virtuoso_binance.frames import newest_closes

    found = newest_closes(data["ohlcv"]["base"], count + 1)
    closed = {time: close for time, close in found.items() if time + _MINUTE <= now}
    return Closes(closed) if closed else None
