"""Typed SDK models out of the spec's own examples, with fields changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from pydantic import TypeAdapter

from binance_sdk import futures, spot
from binance_sdk.catalogue import fixture

T = TypeVar("T")

OPEN = 1_763_985_600_000


def one(model: type[T], market: Any, operation: str, suffix: str = "", **changes: Any) -> T:
    """One model from an example; changes go by their wire names."""
    answer = json.loads(fixture(market, operation, suffix))
    row = answer[0] if isinstance(answer, list) else answer
    return TypeAdapter(model).validate_json(json.dumps({**row, **changes}))


def futures_ticker(**changes: Any) -> futures.Ticker24hr:
    return one(futures.Ticker24hr, "futures", "ticker_24hr", "single", **changes)


def spot_ticker(**changes: Any) -> spot.Ticker24hr:
    return one(spot.Ticker24hr, "spot", "ticker_24hr", "full_single", **changes)


def premium(**changes: Any) -> futures.PremiumIndex:
    return one(futures.PremiumIndex, "futures", "premium_index", "single", **changes)


def quotes(**changes: Any) -> futures.TickerBookTicker:
    return one(futures.TickerBookTicker, "futures", "ticker_book_ticker", "single", **changes)


def interest(**changes: Any) -> futures.OpenInterest:
    return one(futures.OpenInterest, "futures", "open_interest", **changes)


def steps(values: list[str], step: int = 300_000) -> list[futures.OpenInterestHist]:
    """Open interest by period, oldest first."""
    return [
        one(futures.OpenInterestHist, "futures", "open_interest_hist", sumOpenInterest=value, timestamp=OPEN + i * step)
        for i, value in enumerate(values)
    ]


def ratio(**changes: Any) -> futures.LongShortRatio:
    return one(futures.LongShortRatio, "futures", "global_long_short_account_ratio", **changes)


def candles(closes: list[float], minutes: int = 5) -> list[futures.Kline]:
    """Candles that close at these prices."""
    span = minutes * 60_000
    rows = [
        [OPEN + i * span, str(c), str(c), str(c), str(c), "1", OPEN + (i + 1) * span - 1, "1", 1, "1", "1", "0"]
        for i, c in enumerate(closes)
    ]
    return TypeAdapter(list[futures.Kline]).validate_json(json.dumps(rows))


def spot_trades(*rows: dict[str, Any]) -> list[spot.Trade]:
    return [one(spot.Trade, "spot", "trades", **row) for row in rows]


def futures_trades(*rows: dict[str, Any]) -> list[futures.Trade]:
    return [one(futures.Trade, "futures", "trades", **row) for row in rows]


def futures_book(bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> futures.OrderBook:
    answer = {"lastUpdateId": 7, "E": OPEN, "T": OPEN - 3, "bids": bids, "asks": asks}
    return TypeAdapter(futures.OrderBook).validate_json(json.dumps(answer))


@dataclass
class AggTradePages:
    """Answers ``aggTrades`` by ids; without a first one with the newest page.

    Attributes:
        newest: Id of the newest aggregate.
        most: Aggregates of one page.
        time: When all of them were, in epoch milliseconds.
        sent: Pages sent so far.
    """

    newest: int
    most: int
    time: int = OPEN
    sent: int = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.sent += 1
        asked = request.url.params
        first = int(asked["fromId"]) if "fromId" in asked else self.newest - self.most + 1
        rows = [
            {"a": n, "p": "1", "q": "1", "f": n, "l": n, "T": self.time, "m": True}
            for n in range(first, min(first + self.most, self.newest + 1))
        ]
        return httpx.Response(200, json=rows)
