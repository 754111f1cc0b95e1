"""Parts that events keep true: pure, and in the types of answers."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast

import pytest

from binance_sdk import futures, spot
from binance_sdk.books import LiveBook
from tests.virtuoso.models import OPEN
from virtuoso_binance import convert
from virtuoso_binance.streaming.live_parts import LiveCandles, LivePremium, LiveTrades, book_answer, kline_of

MINUTE = 60_000


def kline(minute: int, close: str = "1.50", trades: int = 5) -> futures.Kline:
    time = OPEN + minute * MINUTE
    row = [time, "1.00", "2.00", "0.50", close, "7.000", time + MINUTE - 1, "8.00", trades, "3.000", "4.00", "0"]
    return futures.Kline.from_wire(row)


def candle(minute: int, close: str = "1.50", trades: int = 5, closed: bool = False) -> futures.KlineEvent:
    t, o, h, low, c, v, end, q, n, taker, taker_quote, _ = kline(minute, close, trades)
    bar = {"t": t, "T": end, "s": "XUSDT", "i": "1m", "f": 1, "L": 2, "o": o, "c": c, "h": h, "l": low, "v": v}
    bar |= {"n": n, "x": closed, "q": q, "V": taker, "Q": taker_quote, "B": "0"}
    return futures.KlineEvent.model_validate({"e": "kline", "E": t + 1000, "s": "XUSDT", "k": bar})


def begun(count: int = 5) -> LiveCandles:
    live = LiveCandles(count, MINUTE)
    live.answer([kline(minute) for minute in range(count)])
    return live


def test_a_candle_is_the_row_that_rest_would_answer() -> None:
    assert kline_of(candle(3, "0.00000010").kline) == kline(3, "0.00000010")


def test_candles_run_close_and_begin() -> None:
    live = begun()
    live.event(candle(4, "1.60", 6))
    assert live.value() == [*(kline(minute) for minute in range(4)), kline(4, "1.60", 6)]
    live.event(candle(4, "1.70", 7, closed=True))
    live.event(candle(5, "1.80", 1))
    live.event(candle(6, "1.90", 1))
    expected = [kline(2), kline(3), kline(4, "1.70", 7), kline(5, "1.80", 1), kline(6, "1.90", 1)]
    assert live.value() == expected
    assert live.value() == expected
    # What is given out is nobody else's.
    given: Any = live.value()
    given.clear()
    assert live.value() == expected


def test_candles_of_before_the_answer_change_nothing_that_is_newer() -> None:
    live = LiveCandles(5, MINUTE)
    assert live.value() is None
    live.event(candle(3, "9.00", 9, closed=True))
    live.event(candle(4, "1.40", 4))
    assert live.value() is None
    # The answer was made after these events.
    live.answer([kline(minute) for minute in range(5)])
    assert live.value() == [kline(minute) for minute in range(5)]
    # As many trades as it has: the same, or one that changed otherwise.
    live.event(candle(4, "1.45", 5))
    assert (live.value() or [])[-1] == kline(4, "1.45", 5)


def test_a_hole_in_candles_is_no_series() -> None:
    live = begun()
    live.event(candle(6))
    assert live.value() is None
    live.event(candle(7))
    assert live.value() is None
    live.answer([kline(minute) for minute in range(3, 8)])
    assert live.value() == [kline(minute) for minute in range(3, 8)]


def test_candles_that_nobody_looks_at_take_no_memory() -> None:
    live = begun()
    for minute in range(4, 40):
        live.event(candle(minute))
    assert len(live._bars) == 5
    # What was not looked at for so long is not joined, but asked for again.
    assert live.value() is None


def trade(number: int, qty: str = "1.0") -> futures.Trade:
    values = {"id": number, "price": "2.5", "qty": qty, "quoteQty": "2.5", "time": OPEN + number, "isBuyerMaker": True}
    return futures.Trade.model_validate(values)


def aggregate(first: int, last: int, qty: str, number: int = 1) -> futures.AggTradeEvent:
    values = {"e": "aggTrade", "E": OPEN, "s": "XUSDT", "a": number, "p": "2.5", "q": qty, "f": first, "l": last}
    return futures.AggTradeEvent.model_validate({**values, "T": OPEN + last, "m": False})


def rows(trades: Sequence[Any] | None) -> list[tuple[str, float]]:
    return [(row["id"], row["amount"]) for row in convert.trade_rows(trades or (), "XUSDT")]


def test_aggregates_go_on_where_the_answer_ends() -> None:
    live = LiveTrades(1000, 100)
    # Before the answer: one that it has, one that it has in part, one that it has not.
    live.event(aggregate(1, 3, "3.0"))
    live.event(aggregate(4, 6, "3.5"))
    live.event(aggregate(7, 7, "0.5"))
    assert live.value() is None
    live.answer([trade(number) for number in range(1, 6)])
    assert rows(live.value()) == [*((str(n), 1.0) for n in range(1, 6)), ("6", 1.5), ("7", 0.5)]
    # Late and doubled ones are known, and of one that is known in part the rest is new.
    live.event(aggregate(6, 7, "2.0"))
    live.event(aggregate(7, 9, "2.5"))
    found = convert.trade_rows(live.value() or (), "XUSDT")
    assert rows(live.value())[-2:] == [("7", 0.5), ("9", 2.0)]
    assert (found[-1]["side"], found[-1]["cost"], found[-1]["timestamp"]) == ("buy", 5.0, OPEN + 9)
    live.forget()
    assert live.value() is None


def test_single_trades_are_those_of_an_answer() -> None:
    live = LiveTrades(3, 1)
    common = {"p": "2.5", "q": "1.0", "T": OPEN, "m": True}
    answer = {"price": "2.5", "qty": "1.0", "quoteQty": "2.50", "time": OPEN, "isBuyerMaker": True, "isBestMatch": True}
    live.answer([spot.Trade.model_validate({"id": 1, **answer})])
    for number in (2, 3, 4):
        live.event(spot.TradeEvent.model_validate({"e": "trade", "s": "XUSDT", "t": number, **common, "M": True}))
    assert live.value() == [spot.Trade.model_validate({"id": number, **answer}) for number in (2, 3, 4)]


def test_as_many_ids_are_kept_as_an_answer_has_but_never_too_few_rows() -> None:
    live = LiveTrades(10, 3)
    live.answer([trade(number) for number in range(1, 11)])
    live.event(aggregate(11, 14, "4.0"))
    assert [name for name, _ in rows(live.value())] == [*(str(n) for n in range(5, 11)), "14"]
    live.event(aggregate(15, 40, "26.0"))
    assert [name for name, _ in rows(live.value())] == ["10", "14", "40"]


def test_a_mark_price_changes_what_it_tells_of() -> None:
    answer = futures.PremiumIndex.model_validate(
        {
            "symbol": "XUSDT", "markPrice": "1.0", "indexPrice": "1.1", "estimatedSettlePrice": "1.2",
            "lastFundingRate": "0.0001", "interestRate": "0.0003", "nextFundingTime": OPEN + 1, "time": OPEN,
        }
    )  # fmt: skip
    values = {"e": "markPriceUpdate", "E": OPEN + 500, "s": "XUSDT", "p": "2.0", "i": "2.1", "P": "2.2"}
    event = futures.MarkPriceEvent.model_validate({**values, "r": "0.0002", "T": OPEN + 2, "st": 1})
    live = LivePremium()
    live.event(event)
    # It says no interest rate.
    assert live.value() is None
    live.answer(answer)
    found = live.value()
    assert found is not None
    assert (found.mark_price, found.index_price, found.funding_rate) == (Decimal(2), Decimal("2.1"), Decimal("0.0002"))
    assert (found.interest_rate, found.next_funding_time, found.time) == (Decimal("0.0003"), OPEN + 2, OPEN + 500)
    newer = answer.model_copy(update={"time": OPEN + 900})
    live.answer(newer)
    assert live.value() is newer


class KnownBook:
    """A book that knows so many levels a side, and whether there are more of them."""

    market = "futures"
    update_id = 7
    age = 2.5

    def __init__(self, bids: int, asks: int, *, more: tuple[bool, bool]) -> None:
        self._bids = [(f"{100 - n}", "1") for n in range(bids)]
        self._asks = [(f"{101 + n}", "1") for n in range(asks)]
        self.complete_to = tuple(Decimal(end) if each else None for end, each in zip((90, 110), more, strict=True))

    def bids(self, levels: int) -> list[tuple[str, str]]:
        return self._bids[:levels]

    def asks(self, levels: int) -> list[tuple[str, str]]:
        return self._asks[:levels]


@pytest.mark.parametrize(
    ("bids", "asks", "more", "answers"),
    [
        (5, 5, (True, True), True),
        (9, 9, (True, True), True),
        # The exchange has more levels than the book knows, on one side or the other.
        (4, 5, (True, True), False),
        (5, 4, (True, True), False),
        (4, 4, (False, True), False),
        (4, 4, (True, False), False),
        # A short side that is whole is what REST would answer too.
        (4, 4, (False, False), True),
        (4, 5, (False, True), True),
        (5, 4, (True, False), True),
    ],
)
def test_a_book_answers_where_it_knows_as_many_levels_as_rest(
    bids: int, asks: int, more: tuple[bool, bool], answers: bool
) -> None:
    book = KnownBook(bids, asks, more=more)
    found = book_answer(cast("LiveBook", book), OPEN + 10_000, 5)
    assert (found is not None) == answers
    if isinstance(found, futures.OrderBook):
        assert (len(found.bids), len(found.asks)) == (min(bids, 5), min(asks, 5))
        assert (found.last_update_id, found.event_time, found.transaction_time) == (7, OPEN + 10_000, OPEN + 7_500)
