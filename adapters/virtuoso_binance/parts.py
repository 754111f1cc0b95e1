"""The kinds of data that ``market_data`` is made of, in one table: ``PARTS``.

Each entry says how a part is asked for, how many rows are wanted, on which markets it exists, how old it may become and
when polling asks for it again. All else follows from the table: the requests of a snapshot, those of polling and of the
single methods with their costs, who goes first in a short budget, and what is too old to be delivered. A new kind of
data is one entry here, and whatever in ``market_data`` reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Generic, TypeAlias, TypeVar, cast

from binance_sdk import BinanceClient, Plan, futures, spot
from binance_sdk.errors import BinanceError
from binance_sdk.futures import Kline, KlineInterval, PriceKline
from virtuoso_binance import calls
from virtuoso_binance.series import joined, open_time, period_end, rows_to_fetch
from virtuoso_binance.symbols import Listed, MarketName
from virtuoso_binance.timeframes import FRAMES, interval_ms

__all__ = [
    "CANDLES",
    "LONG_SHORT_RATIO",
    "OPEN_INTEREST",
    "OPEN_INTEREST_HISTORY",
    "ORDER_BOOK",
    "PARTS",
    "PREMIUM",
    "PREMIUM_KLINES",
    "QUOTES",
    "STATISTICS_PERIOD",
    "TICKER",
    "TICKER_PARTS",
    "TRADES",
    "OrderBook",
    "Part",
    "Parts",
    "Request",
    "Schedule",
    "SeriesPart",
    "Streamed",
    "Ticker",
    "parts_of",
]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
R = TypeVar("R")

Ticker: TypeAlias = spot.Ticker24hr | futures.Ticker24hr
OrderBook: TypeAlias = spot.OrderBook | futures.OrderBook
Trades: TypeAlias = Sequence[spot.Trade | futures.Trade]

STATISTICS_PERIOD = 300_000
"""Binance counts open interest and ratios anew every five minutes; in milliseconds."""
_DAY_OF_PERIODS = 86_400_000 // STATISTICS_PERIOD + 1
"""One row more than a day has, so that the change over 24 hours is a real one."""
_PREMIUM_ROWS = 99
"""The most that costs a weight of 1."""
_BOTH: tuple[MarketName, ...] = ("usdm", "spot")
_PERPETUALS: tuple[MarketName, ...] = ("usdm",)


@dataclass(frozen=True, slots=True)
class Request(Generic[T_co]):
    """A call that is not made yet.

    Args:
        send: Makes it.
        plan: Says what it costs.
    """

    send: Callable[[], Coroutine[Any, Any, T_co]]
    plan: Callable[[], Plan]


class Schedule(IntEnum):
    """When polling asks for a part again. Where the budget is short, the lower value goes first."""

    BULK = 0
    """In every refresh, for all symbols of a market in one request."""
    CANDLES = 1
    """As soon as a candle has begun after the newest one that is known; candles of a minute in every refresh."""
    STATISTICS = 2
    """Once in each statistics period."""
    ROTATION = 3
    """The oldest ones, as far as the rest of the budget goes."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Part(Generic[T]):
    """One kind of data of a symbol.

    Args:
        name: Its key in ``metadata["errors"]`` and in ``Refresh``.
        request: The call for so many rows of one symbol.
        request_all: The call for all symbols of a market, where polling asks for them at once.
        markets: Where it exists.
        rows: Rows wanted; 1 for what has no rows.
        least: Where a caller's limit counts, the fewest rows it can bring the number down to.
        most: Rows that Binance gives at most.
        schedule: When polling asks for it again.
        max_age: Milliseconds after which it is no longer delivered.
        step: Time from row to row, in milliseconds; 0 where polling asks for the whole each time.
    """

    name: str
    request: Callable[[BinanceClient, Listed, int], Request[T]]
    request_all: Callable[[BinanceClient, MarketName], Request[Sequence[T]]] | None = None
    markets: tuple[MarketName, ...] = _BOTH
    rows: int = 1
    least: int | None = None
    most: int = 1000
    schedule: Schedule
    max_age: int
    step: int = 0

    def rows_for(self, limit: int | None) -> int:
        """Rows to ask for where the caller wishes for ``limit`` of them."""
        return self.rows if limit is None or self.least is None else min(max(limit, self.least), self.most)

    def rows_since(self, data_time: int | None, now: int) -> int:
        """Rows to ask for where those up to ``data_time`` are known."""
        return self.rows

    def data_time(self, value: T, received_at: int) -> int | None:
        """The time that an answer is about, in epoch milliseconds; None where it is empty."""
        return received_at

    def merged(self, known: T | None, answer: T) -> T | None:
        """What is known after an answer; None where the answer does not fit to what was known before."""
        return answer


@dataclass(frozen=True, eq=False, kw_only=True)
class SeriesPart(Part[Sequence[R]]):
    """A part whose rows have times: polling asks for the newest ones only, and it is as old as the newest.

    Args:
        row_time: Time of a row, in epoch milliseconds.
    """

    row_time: Callable[[R], int]

    def rows_since(self, data_time: int | None, now: int) -> int:
        return rows_to_fetch(data_time, self.step, now, self.rows)

    def data_time(self, value: Sequence[R], received_at: int) -> int | None:
        return self.row_time(value[-1]) if value else None

    def merged(self, known: Sequence[R] | None, answer: Sequence[R]) -> Sequence[R] | None:
        return joined(known or [], answer, self.rows, self.row_time)


@dataclass(frozen=True, slots=True)
class Streamed:
    """What came from streams.

    Attributes:
        parts: Names of the parts.
        stalled: Why others that did so before came over REST, by name.
    """

    parts: tuple[str, ...]
    stalled: Mapping[str, str]


@dataclass
class Parts:
    """The parts of one symbol that are there, however they came, and why the others are not.

    Attributes:
        listed: The instrument.
        values: What is there.
        errors: Why the others are not.
        streamed: Which came from streams; None where none are to.
    """

    listed: Listed
    values: Mapping[Part[Any], object] = field(default_factory=dict[Part[Any], object])
    errors: Mapping[Part[Any], BinanceError] = field(default_factory=dict[Part[Any], BinanceError])
    streamed: Streamed | None = None

    def get(self, part: Part[T]) -> T | None:
        """None where the part is missing."""
        return cast("T | None", self.values.get(part))

    def rows(self, part: Part[Sequence[R]]) -> Sequence[R]:
        """The rows of a part that has any; none where it is missing."""
        return self.get(part) or ()


# ------------------------------------------------------------------------------------- requests


def _ticker(client: BinanceClient, listed: Listed, rows: int) -> Request[Ticker]:
    market, symbol = client.spot if listed.market == "spot" else client.futures, listed.symbol
    return Request(lambda: market.ticker_24hr(symbol), lambda: market.plan.ticker_24hr(symbol))


def _tickers(client: BinanceClient, name: MarketName) -> Request[Sequence[Ticker]]:
    market = client.spot if name == "spot" else client.futures
    return Request(lambda: market.ticker_24hr(options=calls.SKIP_BAD_ROWS), lambda: market.plan.ticker_24hr())


def _quotes(client: BinanceClient, listed: Listed, rows: int) -> Request[futures.TickerBookTicker]:
    market, symbol = client.futures, listed.symbol
    return Request(lambda: market.ticker_book_ticker(symbol), lambda: market.plan.ticker_book_ticker(symbol))


def _all_quotes(client: BinanceClient, name: MarketName) -> Request[Sequence[futures.TickerBookTicker]]:
    market = client.futures
    return Request(lambda: market.ticker_book_ticker(options=calls.SKIP_BAD_ROWS), market.plan.ticker_book_ticker)


def _premium(client: BinanceClient, listed: Listed, rows: int) -> Request[futures.PremiumIndex]:
    market, symbol = client.futures, listed.symbol
    return Request(lambda: market.premium_index(symbol), lambda: market.plan.premium_index(symbol))


def _all_premiums(client: BinanceClient, name: MarketName) -> Request[Sequence[futures.PremiumIndex]]:
    market = client.futures
    return Request(lambda: market.premium_index(options=calls.SKIP_BAD_ROWS), market.plan.premium_index)


def _open_interest(client: BinanceClient, listed: Listed, rows: int) -> Request[futures.OpenInterest]:
    market, symbol = client.futures, listed.symbol
    return Request(lambda: market.open_interest(symbol), lambda: market.plan.open_interest(symbol))


def _order_book(client: BinanceClient, listed: Listed, rows: int) -> Request[OrderBook]:
    market, symbol = client.spot if listed.market == "spot" else client.futures, listed.symbol
    limit = calls.book_limit(rows)
    return Request(lambda: market.depth(symbol, limit=limit), lambda: market.plan.depth(symbol, limit=limit))


def _trades(client: BinanceClient, listed: Listed, rows: int) -> Request[Trades]:
    market, symbol = client.spot if listed.market == "spot" else client.futures, listed.symbol
    return Request(lambda: market.trades(symbol, limit=rows), lambda: market.plan.trades(symbol, limit=rows))


def _interest_history(client: BinanceClient, listed: Listed, rows: int) -> Request[Sequence[futures.OpenInterestHist]]:
    plan, symbol = client.futures.plan, listed.symbol
    return Request(
        lambda: calls.open_interest(client, symbol, "5m", rows),
        lambda: plan.open_interest_hist(symbol, "5m", limit=rows),
    )


def _long_short_ratio(client: BinanceClient, listed: Listed, rows: int) -> Request[Sequence[futures.LongShortRatio]]:
    market, symbol = client.futures, listed.symbol
    return Request(
        lambda: market.global_long_short_account_ratio(symbol, "5m", limit=rows),
        lambda: market.plan.global_long_short_account_ratio(symbol, "5m", limit=rows),
    )


def _premium_klines(client: BinanceClient, listed: Listed, rows: int) -> Request[Sequence[PriceKline]]:
    market, symbol = client.futures, listed.symbol
    return Request(
        lambda: calls.price_klines(market.iter_premium_index_klines, symbol, "5m", rows),
        lambda: market.plan.premium_index_klines(symbol, "5m", limit=rows),
    )


# ------------------------------------------------------------------------------------- the table

TICKER = Part(name="ticker", request=_ticker, request_all=_tickers, schedule=Schedule.BULK, max_age=120_000)
"""The statistics of 24 hours, on spot with best bid and ask. Without it there is no ``market_data``.

Readers of Virtuoso call it stale after 120 s.
"""

QUOTES = Part(
    name="quotes",
    request=_quotes,
    request_all=_all_quotes,
    markets=_PERPETUALS,
    schedule=Schedule.BULK,
    max_age=120_000,
)
"""Best bid and ask of perpetuals."""

PREMIUM = Part(
    name="premium",
    request=_premium,
    request_all=_all_premiums,
    markets=_PERPETUALS,
    schedule=Schedule.BULK,
    max_age=120_000,
)
"""Mark price, index price and funding."""

OPEN_INTEREST = Part(
    name="interest", request=_open_interest, markets=_PERPETUALS, schedule=Schedule.STATISTICS, max_age=900_000
)
"""Open interest of this moment."""

ORDER_BOOK = Part(
    name="orderbook",
    request=_order_book,
    rows=100,
    least=25,
    schedule=Schedule.ROTATION,
    max_age=300_000,
)
TRADES = Part(
    name="trades",
    request=_trades,
    rows=1000,
    least=100,
    schedule=Schedule.ROTATION,
    max_age=300_000,
)
"""The newest ones; readers of Virtuoso call them stale after 300 s."""


def _candles(name: str, interval: KlineInterval, count: int) -> SeriesPart[Kline]:
    def request(client: BinanceClient, listed: Listed, rows: int) -> Request[Sequence[Kline]]:
        plan, symbol = (client.spot if listed.market == "spot" else client.futures).plan, listed.symbol
        return Request(
            lambda: calls.newest_klines(client, listed, interval, rows),
            lambda: plan.klines(symbol, interval, limit=rows),
        )

    step = interval_ms(interval)
    return SeriesPart(
        name=name,
        request=request,
        rows=count,
        schedule=Schedule.CANDLES,
        step=step,
        row_time=open_time,
        # By its open time: the newest candle may have ended nearly one length ago.
        max_age=2 * step - 1,
    )


CANDLES: Mapping[str, SeriesPart[Kline]] = {
    name: _candles(name, interval, count) for name, (interval, count) in FRAMES.items()
}
"""The candles of each frame in ``ohlcv``."""

OPEN_INTEREST_HISTORY = SeriesPart(
    name="oi_history",
    request=_interest_history,
    markets=_PERPETUALS,
    rows=_DAY_OF_PERIODS,
    schedule=Schedule.STATISTICS,
    step=STATISTICS_PERIOD,
    row_time=period_end,
    max_age=900_000,
)
LONG_SHORT_RATIO = Part(
    name="lsr", request=_long_short_ratio, markets=_PERPETUALS, schedule=Schedule.STATISTICS, max_age=900_000
)
PREMIUM_KLINES = Part(
    name="premium_index",
    request=_premium_klines,
    markets=_PERPETUALS,
    rows=_PREMIUM_ROWS,
    schedule=Schedule.STATISTICS,
    max_age=900_000,
)

TICKER_PARTS: tuple[Part[Any], ...] = (TICKER, QUOTES, PREMIUM, OPEN_INTEREST)
"""What the ticker of Virtuoso is made of."""
PARTS: tuple[Part[Any], ...] = (
    *TICKER_PARTS,
    ORDER_BOOK,
    TRADES,
    *CANDLES.values(),
    OPEN_INTEREST_HISTORY,
    LONG_SHORT_RATIO,
    PREMIUM_KLINES,
)


def parts_of(market: MarketName) -> tuple[Part[Any], ...]:
    """The parts that exist on a market."""
    return tuple(part for part in PARTS if market in part.markets)
