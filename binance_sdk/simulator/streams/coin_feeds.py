"""Feeds that only the streams of COIN-M futures have: prices of a pair, and candles of prices that are not traded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from binance_sdk.simulator.json_text import json_text
from binance_sdk.simulator.market.candles import Calendar
from binance_sdk.simulator.streams.feeds import Feed, Periodic, next_look_at_a_bar
from binance_sdk.simulator.streams.market_view import MarketView
from binance_sdk.simulator.streams.names import StreamName
from binance_sdk.simulator.streams.rest_feeds import mark_price_event

_BAR_PERIOD = 250
_KINDS = {
    "index_price_kline": ("indexPrice_kline", "index_price_klines", "pair"),
    "mark_price_kline": ("markPrice_kline", "mark_price_klines", "symbol"),
}
"""Event type of a stream, the operation of REST that knows its bars, and what that is asked for."""


def _period(name: StreamName) -> int:
    return 1_000 if "seconds" in name.choices else 3_000


def _contracts(view: MarketView, pair: str, due: int) -> list[str]:
    return [instrument.symbol for instrument in view.traded(due) if instrument.pair == pair]


def mark_price_of_pair(view: MarketView, name: StreamName) -> Feed:
    """A list, also of one contract."""

    def render(due: int) -> Iterable[bytes]:
        rows = [mark_price_event(view, symbol, due) for symbol in _contracts(view, name.symbol, due)]
        return [json_text(rows)] if rows else []

    return Periodic(_period(name), render)


def index_price(view: MarketView, name: StreamName) -> Feed:
    def render(due: int) -> Iterable[bytes]:
        rows = view.ask_all("premium_index", due, f"pair={quote(name.symbol)}")
        if not rows:
            return []
        return [json_text({"e": "indexPriceUpdate", "E": due, "i": name.symbol, "p": rows[0]["indexPrice"]})]

    return Periodic(_period(name), render)


class PriceKlines:
    """The bar of a price as it stands, and each bar once more when it is closed."""

    def __init__(self, view: MarketView, name: StreamName) -> None:
        self._view = view
        self._name = name
        self._calendar = Calendar(name.choices["interval"])
        self._event, self._operation, self._asked = _KINDS[name.kind]

    def next(self, after: int, now: int) -> int:
        return next_look_at_a_bar(self._calendar, _BAR_PERIOD, after, now)

    def at(self, due: int) -> Iterable[bytes]:
        number = self._calendar.number(due)
        opened, closing = self._calendar.opens(number, 2).tolist()
        closed = opened == due
        if closed:
            # The very moment at which the next one opens.
            opened, closing = int(self._calendar.opens(number - 1, 1)[0]), due
        query = f"{self._asked}={quote(self._name.symbol)}&interval={self._calendar.interval}"
        rows: list[Any] = self._view.ask_all(self._operation, due, f"{query}&startTime={opened}&endTime={opened}")
        if not rows:
            return []
        bar = {"t": opened, "T": closing - 1, "s": "0", "i": self._calendar.interval, "f": opened, "L": due}
        pair = self._name.symbol
        if self._asked == "symbol":
            data = self._view.symbol_data(pair, due)
            bar["s"] = pair
            pair = pair if data is None else data.instrument.pair
        prices = dict(zip("ohlc", rows[0][1:5], strict=True))
        ignored = dict.fromkeys(("v", "q", "V", "Q", "B"), "0")
        return [
            json_text(
                {
                    "e": self._event,
                    "E": due,
                    "ps": pair,
                    "k": {**bar, **prices, **ignored, "n": rows[0][8], "x": closed},
                }
            )
        ]
