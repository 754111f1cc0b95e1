"""Parts of market data that events keep true: begun with an answer of REST, in the very types of such answers. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Protocol, TypeAlias, TypeVar

from binance_sdk import futures, spot
from binance_sdk.arithmetic import EXACT
from binance_sdk.books import LiveBook
from binance_sdk.futures import Kline

__all__ = [
    "LiveCandles",
    "LivePart",
    "LivePremium",
    "LiveTicker",
    "LiveTrades",
    "book_answer",
    "kline_of",
    "quotes_answer",
]

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

Trade: TypeAlias = spot.Trade | futures.Trade
TradeEvent: TypeAlias = spot.TradeEvent | futures.AggTradeEvent
Bar: TypeAlias = spot.KlineBar | futures.KlineBar


class LivePart(Protocol[T]):
    """One part of one symbol."""

    needs_answer: bool
    """Whether an answer of REST must be there, and another one wherever events may be missing."""

    def answer(self, value: T) -> None:
        """REST has answered."""

    def event(self, event: Any) -> None:
        """The stream has spoken."""

    def value(self) -> T | None:
        """What is true now, in the type of an answer; None where that is not known."""

    def forget(self) -> None:
        """Events are missing: nothing is known until there is another answer."""


class LiveTicker:
    """The statistics of 24 hours, which each event holds whole."""

    needs_answer = False

    def __init__(self) -> None:
        self._newest: spot.TickerEvent | futures.TickerEvent | None = None

    def answer(self, value: object) -> None:
        """It is never asked for one."""

    def event(self, event: spot.TickerEvent | futures.TickerEvent) -> None:
        self._newest = event

    def value(self) -> spot.TickerEvent | futures.TickerEvent | None:
        return self._newest

    def forget(self) -> None:
        self._newest = None


class LivePremium:
    """Mark price, index price and funding; what no event says, the interest rate, is that of the last answer."""

    needs_answer = True

    def __init__(self) -> None:
        self._answer: futures.PremiumIndex | None = None
        self._event: futures.MarkPriceEvent | None = None

    def answer(self, value: futures.PremiumIndex) -> None:
        self._answer = value

    def event(self, event: futures.MarkPriceEvent) -> None:
        self._event = event

    def value(self) -> futures.PremiumIndex | None:
        answer, event = self._answer, self._event
        if answer is None or event is None or event.event_time <= answer.time:
            return answer
        changed = {
            "mark_price": event.mark_price,
            "index_price": event.index_price,
            "estimated_settle_price": event.estimated_settle_price,
            "funding_rate": event.funding_rate,
            "next_funding_time": event.next_funding_time,
            "time": event.event_time,
        }
        return answer.model_copy(update=changed)

    def forget(self) -> None:
        self._answer = self._event = None


class LiveCandles:
    """The newest candles of one length, with the running one as of the last event.

    Args:
        count: How many.
        step: Their length, in milliseconds.
    """

    needs_answer = True

    def __init__(self, count: int, step: int) -> None:
        self._count, self._step = count, step
        self._rows: list[Kline] | None = None
        self._bars: dict[int, Bar] = {}
        """The newest state of each candle since the last look, by open time."""

    def answer(self, value: Sequence[Kline]) -> None:
        self._rows = list(value)

    def event(self, event: spot.KlineEvent | futures.KlineEvent) -> None:
        bar = event.kline
        self._bars[bar.open_time] = bar
        if len(self._bars) > self._count:
            del self._bars[next(iter(self._bars))]

    def value(self) -> Sequence[Kline] | None:
        rows = self._rows
        if not rows:
            return rows
        for time, bar in self._bars.items():
            newest = rows[-1]
            if time > newest[0] + self._step:
                # Candles between them are missing.
                self.forget()
                return None
            if time > newest[0]:
                rows.append(kline_of(bar))
            elif time == newest[0] and bar.trade_count >= newest[8]:
                rows[-1] = kline_of(bar)
        # Only the newest may still change.
        self._bars = dict(list(self._bars.items())[-1:])
        del rows[: -self._count]
        return list(rows)

    def forget(self) -> None:
        self._rows = None
        self._bars.clear()


class LiveTrades:
    """The newest trades, as many ids as an answer would have.

    Futures have no stream of single trades: there, what came as an event is all that one taker order got at one price,
    under the id of its last trade.

    Args:
        count: Ids wanted.
        least: Rows kept even where they are of more ids.
    """

    needs_answer = True

    def __init__(self, count: int, least: int) -> None:
        self._count, self._least = count, least
        self._answered = False
        self._trades: deque[tuple[int, Trade]] = deque(maxlen=count)
        """The first id in each, and it."""

    def answer(self, value: Sequence[Trade]) -> None:
        newest = value[-1].trade_id if value else 0
        later = [rest for known in self._trades if (rest := _rest(known, value, newest)) is not None]
        self._trades.clear()
        self._trades.extend((trade.trade_id, trade) for trade in value)
        self._trades.extend(later)
        self._answered = True

    def event(self, event: TradeEvent) -> None:
        new, trades = _trade(event), self._trades
        if not trades or new[0] > trades[-1][1].trade_id:
            trades.append(new)
            return
        rest = _rest(new, [known for _, known in trades], trades[-1][1].trade_id)
        if rest is not None:
            trades.append(rest)

    def value(self) -> Sequence[Trade] | None:
        if not self._answered:
            return None
        trades = self._trades
        while len(trades) > self._least and trades[0][1].trade_id <= trades[-1][1].trade_id - self._count:
            trades.popleft()
        return [trade for _, trade in trades]

    def forget(self) -> None:
        self._answered = False
        self._trades.clear()


def _trade(event: TradeEvent) -> tuple[int, Trade]:
    cost = EXACT.multiply(event.price, event.qty)
    common: dict[str, Any] = {
        "price": event.price,
        "qty": event.qty,
        "quote_qty": cost,
        "trade_time": event.trade_time,
        "is_buyer_maker": event.is_buyer_maker,
    }
    # The values come out of a model, where they were checked.
    if isinstance(event, spot.TradeEvent):
        made = spot.Trade.model_construct(trade_id=event.trade_id, is_best_match=event.is_best_match, **common)
        return event.trade_id, made
    return event.first_trade_id, futures.Trade.model_construct(trade_id=event.last_trade_id, **common)


def _rest(new: tuple[int, Trade], trades: Sequence[Trade], newest: int) -> tuple[int, Trade] | None:
    """What of an aggregate is not among ``trades``, which end with the id ``newest``; None where all of it is."""
    first, trade = new
    if first > newest:
        return new
    known = sum((each.qty for each in trades if first <= each.trade_id <= newest), Decimal(0))
    left = EXACT.subtract(trade.qty, known)
    if trade.trade_id <= newest or left <= 0:
        return None
    return newest + 1, trade.model_copy(update={"qty": left, "quote_qty": EXACT.multiply(trade.price, left)})


def kline_of(bar: Bar) -> Kline:
    """A candle as REST has it."""
    return Kline(
        (
            bar.open_time,
            f"{bar.open:f}",
            f"{bar.high:f}",
            f"{bar.low:f}",
            f"{bar.close:f}",
            f"{bar.volume:f}",
            bar.close_time,
            f"{bar.quote_volume:f}",
            bar.trade_count,
            f"{bar.taker_buy_volume:f}",
            f"{bar.taker_buy_quote_volume:f}",
            bar.ignore,
        )
    )


# ------------------------------------------------------------------------------------ order books


def book_answer(book: LiveBook, now: int, levels: int) -> spot.OrderBook | futures.OrderBook | None:
    """A live book as REST would answer for it at this moment; None where it does not know that many levels.

    Args:
        book: A synced one.
        now: The time at the exchange, in milliseconds.
        levels: Levels wanted a side.
    """
    bids, asks = book.bids(levels), book.asks(levels)
    ends = book.complete_to
    if any(len(side) < levels and end is not None for side, end in zip((bids, asks), ends, strict=True)):
        return None
    # The elements of the rows are the exchange's own texts, as in an answer.
    values: dict[str, Any] = {"last_update_id": book.update_id or 0, "bids": bids, "asks": asks}
    if book.market == "spot":
        return spot.OrderBook.model_construct(**values)
    changed = now - round(book.age * 1000)
    return futures.OrderBook.model_construct(event_time=now, transaction_time=changed, **values)


def quotes_answer(book: LiveBook, now: int) -> futures.TickerBookTicker | None:
    """The best prices of a live book as REST would answer for them; None where a side is empty."""
    bid, ask = book.best_bid, book.best_ask
    if bid is None or ask is None:
        return None
    return futures.TickerBookTicker.model_construct(
        symbol=book.symbol,
        bid_price=bid.price,
        bid_qty=bid.qty,
        ask_price=ask.price,
        ask_qty=ask.qty,
        transaction_time=now - round(book.age * 1000),
    )
