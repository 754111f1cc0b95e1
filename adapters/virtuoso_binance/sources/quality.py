"""How good ``market_data`` is, judged in one place: its shape, its age, and whether it contradicts itself.

Nothing here asks anybody. Whether several sources contradict each other is found by ``comparison``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

from binance_sdk.errors import ParameterError, plain_number
from virtuoso_binance.convert import book_fault
from virtuoso_binance.kinds import Kind, book_of, funding_of, kinds_of, open_interest_of, price_of, volume_of
from virtuoso_binance.scalars import Row
from virtuoso_binance.sources.shape import LEAST_CANDLES, LEAST_LEVELS, LEAST_TRADES, shape_faults
from virtuoso_binance.symbols import plain_symbol

__all__ = ["MAX_AGE", "MAX_AHEAD", "WEIGHTS", "Quality", "judge"]

WEIGHTS: Mapping[Kind, int] = {
    "price": 30,
    "book": 20,
    "candles": 20,
    "trades": 15,
    "volume": 5,
    "funding": 4,
    "open_interest": 3,
    "long_short": 3,
}
"""How much of the score each kind is, where all of them can be there."""

MAX_AGE = 120_000
"""Milliseconds after which a price is stale; readers of Virtuoso then ask for an emergency refresh."""
MAX_AHEAD = 60_000
"""A time further in the future than this comes from a clock that is off."""
_OLD_TRADES = 300_000
_OLD_STATISTICS = 900_000
_CANDLE = 60_000
_BEHIND = {"ltf": 300_000, "htf": 14_400_000}
"""Readers of Virtuoso drop frames that end so much before the frame of minutes."""
_CONTRADICTION = 0.05
"""Prices of one source at one moment that differ by more than this share cannot all be true."""
_OUTSIDE = 0.02
"""Share by which a price may lie outside of the range of its 24 hours, which is counted in steps."""


@dataclass(frozen=True)
class Quality:
    """What ``judge`` found.

    Attributes:
        kinds: By kind of data, 0 (not there, or wrong) to 1.
        faults: What is wrong with a kind, in words.
        fatal: Why nothing of it may be used; empty where it may.
        thin: Series that are shorter than Virtuoso's analysis needs.
        agreement: Share of the comparisons with other sources that agreed; None where there were none.
    """

    kinds: Mapping[Kind, float] = field(default_factory=dict[Kind, float])
    faults: Mapping[Kind, str] = field(default_factory=dict[Kind, str])
    fatal: tuple[str, ...] = ()
    thin: tuple[str, ...] = ()
    agreement: float | None = None

    @property
    def score(self) -> float:
        """0 to 100: the kinds by their weights, and of that at most half is lost where other sources disagree."""
        if self.fatal or not self.kinds:
            return 0.0
        whole = sum(WEIGHTS[kind] for kind in self.kinds)
        own = sum(WEIGHTS[kind] * value for kind, value in self.kinds.items()) / whole
        agreed = 1.0 if self.agreement is None else 0.5 + self.agreement / 2
        return round(100 * own * agreed, 1)

    @property
    def usable(self) -> bool:
        """It may be delivered where there is nothing better."""
        return not self.fatal

    def is_good(self, least: float) -> bool:
        """It needs nothing better."""
        return not self.fatal and not self.thin and self.score >= least

    @property
    def reasons(self) -> str:
        """Everything that is wrong with it, in words; empty where nothing is."""
        return "; ".join((*self.fatal, *self.thin, *(f"{kind}: {text}" for kind, text in self.faults.items())))

    def as_row(self) -> Row:
        """As it stands in ``metadata``."""
        row: Row = {"score": self.score, "kinds": dict(self.kinds), "faults": dict(self.faults)}
        if self.thin:
            row["thin"] = list(self.thin)
        return row if self.agreement is None else {**row, "agreement": self.agreement}


def judge(data: object, symbol: str, now: int) -> Quality:
    """Judge one answer.

    Args:
        data: What a source gave for ``market_data``.
        symbol: The symbol that was asked for, as ``BTCUSDT``.
        now: The time, in epoch milliseconds.
    """
    shape = shape_faults(data)
    if shape:
        return Quality(fatal=tuple(shape))
    row = cast("Row", data)
    fatal = tuple(text for check in _FATAL if (text := check(row, symbol, now)) is not None)
    if fatal:
        return Quality(fatal=fatal)
    kinds: dict[Kind, float] = {}
    faults: dict[Kind, str] = {}
    for kind in kinds_of(row):
        kinds[kind], text = _CHECKS[kind](row, now)
        if text:
            faults[kind] = text
    return Quality(kinds, faults, thin=_thin(row))


# ------------------------------------------------------------------------------------- fatal


def _told(value: float) -> str:
    # A float of numpy writes its type too.
    return plain_number(float(value))


def _another_symbol(data: Row, symbol: str, now: int) -> str | None:
    inner = data["sentiment"]
    single = (data, data["ticker"], data["orderbook"], data.get("premium_index"), data.get("long_short_ratio"))
    lists = (data["trades"], inner["liquidations"], data.get("liquidations"), data.get("open_interest_history"))
    histories = (data.get("oi_history"), *(row.get("history") for row in _open_interests(data)))
    others = {row["symbol"] for row in (*single, inner.get("long_short_ratio")) if row}
    for rows in (*lists, *histories):
        # A point of open interest need not name its symbol.
        others.update(row.get("symbol", symbol) for row in rows or ())
    others.discard(symbol)
    if not others:
        return None
    told = ", ".join(map(repr, sorted(others)))
    if all(_means(other, symbol) for other in others):
        return f"symbol {told} has to be spelt {symbol}, as everywhere in market_data"
    return f"symbol {told} was delivered for {symbol}"


def _means(spelling: str, symbol: str) -> bool:
    try:
        return plain_symbol(spelling) == symbol
    except ParameterError:
        return False


def _open_interests(data: Row) -> list[Row]:
    return [row for row in (data.get("open_interest"), data["sentiment"].get("open_interest")) if row]


def _clock(data: Row, symbol: str, now: int) -> str | None:
    ahead = data["timestamp"] - now
    if ahead > MAX_AHEAD:
        return f"its time is {ahead / 1000:.0f} s ahead: a clock is off"
    return f"its time is {-ahead / 1000:.0f} s behind" if -ahead > MAX_AGE else None


def _stale(data: Row, symbol: str, now: int) -> str | None:
    age = now - data["ticker"]["timestamp"]
    if -age > MAX_AHEAD:
        return f"the time of the ticker is {-age / 1000:.0f} s ahead: a clock is off"
    return f"the ticker is {age / 1000:.0f} s old" if age > MAX_AGE else None


def _impossible_price(data: Row, symbol: str, now: int) -> str | None:
    ticker, price = data["ticker"], price_of(data)
    if price.bid >= price.ask:
        return f"the bid {_told(price.bid)} is not below the ask {_told(price.ask)}"
    low, high = ticker["low"], ticker["high"]
    if low > high or not low * (1 - _OUTSIDE) <= price.last <= high * (1 + _OUTSIDE):
        return f"the last price {_told(price.last)} is outside of its 24 hours, {_told(low)} to {_told(high)}"
    return None


def _impossible_book(data: Row, symbol: str, now: int) -> str | None:
    book = book_of(data)
    fault = None if book is None else book_fault(book.bids, book.asks)
    return None if fault is None else f"the order book is {fault}"


def _contradiction(data: Row, symbol: str, now: int) -> str | None:
    """Prices of one moment that cannot all be true, as where one part of a source hangs."""
    last, others = data["ticker"]["last"], {"quotes": price_of(data).mid}
    book = book_of(data)
    if book is not None:
        others["order book"] = (book.bids[0][0] + book.asks[0][0]) / 2
    trades = data["trades"]
    if trades and now - trades[-1]["timestamp"] <= _OLD_TRADES:
        others["newest trade"] = trades[-1]["price"]
    newest, close = _newest_minute(data)
    if close is not None and now - newest < 2 * _CANDLE:
        others["newest candle"] = close
    told = [
        f"the {name} says {_told(value)}" for name, value in others.items() if abs(value / last - 1) > _CONTRADICTION
    ]
    return f"the last price is {_told(last)}, and {', '.join(told)}" if told else None


_FATAL: tuple[Callable[[Row, str, int], str | None], ...] = (
    _another_symbol,
    _clock,
    _stale,
    _impossible_price,
    _impossible_book,
    _contradiction,
)


def _newest_minute(data: Row) -> tuple[int, float | None]:
    from virtuoso_binance.frames import newest_closes

    found = newest_closes(data["ohlcv"]["base"], 1)
    return next(iter(found.items()), (0, None))


# ------------------------------------------------------------------------------------- kinds

Judged = tuple[float, str]
_GOOD: Judged = (1.0, "")


def _missing(data: Row, *names: str) -> Judged:
    errors = data["metadata"].get("errors", {})
    return 0.0, next((errors[name] for name in names if name in errors), "not there")


def _price(data: Row, now: int) -> Judged:
    age = now - data["ticker"]["timestamp"]
    return (0.5, f"{age / 1000:.0f} s old") if age > MAX_AGE / 2 else _GOOD


def _volume(data: Row, now: int) -> Judged:
    ticker, volume = data["ticker"], volume_of(data)
    if not volume.base or not volume.quote:
        return (0.0, "one of base and quote is zero") if volume.base or volume.quote else _GOOD
    average = volume.quote / volume.base
    if ticker["low"] * (1 - _OUTSIDE) <= average <= ticker["high"] * (1 + _OUTSIDE):
        return _GOOD
    # As where contracts are taken for coins.
    return 0.0, f"base and quote give an average price of {_told(average)}, which is outside of the 24 hours"


def _book(data: Row, now: int) -> Judged:
    book = book_of(data)
    if book is None:
        return _missing(data, "orderbook")
    age = now - book.time
    return (0.5, f"{age / 1000:.0f} s old") if age > MAX_AGE else _GOOD


def _trades(data: Row, now: int) -> Judged:
    trades = data["trades"]
    if not trades:
        return _missing(data, "trades")
    if trades[0]["timestamp"] > trades[-1]["timestamp"]:
        return 0.0, "newest first"
    age = now - trades[-1]["timestamp"]
    return (0.5, f"{age / 1000:.0f} s old") if age > _OLD_TRADES else _GOOD


def _candles(data: Row, now: int) -> Judged:
    frames = data["ohlcv"]
    missing = [name for name, frame in frames.items() if len(frame) == 0]
    if missing:
        return 0.0, f"none in {', '.join(missing)}: {_missing(data, *missing)[1]}"
    ends = {name: frame.index[-1].value // 1_000_000 for name, frame in frames.items()}
    if now - ends["base"] > MAX_AGE:
        return 0.5, f"the newest minute is of {(now - ends['base']) / 1000:.0f} s ago"
    late = [name for name, most in _BEHIND.items() if ends["base"] - ends[name] > most]
    return (0.5, f"{', '.join(late)} ends too early") if late else _GOOD


def _funding(data: Row, now: int) -> Judged:
    funding = funding_of(data)
    if funding is None:
        return _missing(data, "funding", "premium")
    return (0.5, "it was due already") if funding.due < now - MAX_AHEAD else _GOOD


def _open_interest(data: Row, now: int) -> Judged:
    interest = open_interest_of(data)
    if interest is None or not data["metadata"]["oi_history_success"]:
        return _missing(data, "oi_history", "interest")
    age = now - data["sentiment"]["open_interest"]["timestamp"]
    return (0.5, f"{age / 1000:.0f} s old") if age > _OLD_STATISTICS else _GOOD


def _long_short(data: Row, now: int) -> Judged:
    ratio = data["sentiment"].get("long_short_ratio")
    if ratio is None:
        return _missing(data, "lsr")
    return (0.0, "long and short are not 100 percent") if abs(ratio["long"] + ratio["short"] - 100) > 0.1 else _GOOD


_CHECKS: Mapping[Kind, Callable[[Row, int], Judged]] = {
    "price": _price,
    "volume": _volume,
    "book": _book,
    "trades": _trades,
    "candles": _candles,
    "funding": _funding,
    "open_interest": _open_interest,
    "long_short": _long_short,
}


def _thin(data: Row) -> tuple[str, ...]:
    flags, book = data["metadata"], data["orderbook"]
    short: list[tuple[str, int, int]] = []
    if flags["orderbook_success"]:
        short += [(side, len(book[side]), LEAST_LEVELS) for side in ("bids", "asks")]
    if flags["trades_success"]:
        short.append(("trades", len(data["trades"]), LEAST_TRADES))
    if flags["ohlcv_success"]:
        short += [(f"candles of {name}", len(data["ohlcv"][name]), least) for name, least in LEAST_CANDLES.items()]
    return tuple(f"{count} {name}, fewer than {least}" for name, count, least in short if count < least)
