"""Messages and rows made by hand, and a REST that knows them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from binance_sdk import spot
from binance_sdk.errors import APIConnectionError


def agg_trade(number: int, symbol: str = "BTCUSDT") -> dict[str, Any]:
    return {
        "e": "aggTrade", "E": 1_700_000_000_000 + number, "s": symbol, "a": number, "p": "27103.10", "q": "0.00100000",
        "f": number, "l": number, "T": 1_700_000_000_000 + number, "m": True, "M": True,
    }  # fmt: skip


def mini_ticker(number: int, symbol: str = "BTCUSDT") -> dict[str, Any]:
    return {
        "e": "24hrMiniTicker", "E": number, "s": symbol, "c": "1.0", "o": "1.0", "h": "1.0", "l": "1.0", "v": "1.0",
        "q": "1.0",
    }  # fmt: skip


def kline(minute: int, *, closed: bool, trades: int = 1) -> dict[str, Any]:
    start = minute * 60_000
    bar = {
        "t": start, "T": start + 59_999, "s": "BTCUSDT", "i": "1m", "f": 1, "L": 2, "o": "1.0", "c": "1.0", "h": "1.0",
        "l": "1.0", "v": "1.0", "n": trades, "x": closed, "q": "1.0", "V": "1.0", "Q": "1.0", "B": "0",
    }  # fmt: skip
    return {"e": "kline", "E": start, "s": "BTCUSDT", "k": bar}


def depth(first: int, last: int) -> dict[str, Any]:
    return {"e": "depthUpdate", "E": 1, "s": "BTCUSDT", "U": first, "u": last, "b": [], "a": []}


def futures_depth(first: int, last: int, previous: int) -> dict[str, Any]:
    return {**depth(first, last), "T": 1, "pu": previous}


class FakeRest:
    """Has every aggregate trade except those in ``without``."""

    def __init__(self) -> None:
        self.asked: list[dict[str, object]] = []
        self.without: set[int] = set()
        self.failures = 0
        self.page = 1000
        self.missing_at_first: set[int] = set()
        self.newest_bar = 2**60
        """Open time of the newest bar that REST knows."""
        self.most_bars = 1000
        """Bars of one page at most, however many are asked for."""
        self.newest_of_window = False
        """Of more bars than fit the newest come, as from COIN-M; the oldest else."""

    def max_rows(self, operation: str, size: str) -> int:
        return self.page

    async def rows(self, operation: str, arguments: Mapping[str, object]) -> list[Any]:
        self.asked.append({"operation": operation, **arguments})
        if self.failures:
            self.failures -= 1
            raise APIConnectionError("no connection", operation=operation)
        hidden, self.missing_at_first = self.missing_at_first, set()
        if operation == "spot.klines":
            start = int(str(arguments["startTime"]))
            first = -(-start // 60_000) * 60_000
            size = min(int(str(arguments["limit"])), self.most_bars)
            if self.newest_of_window:
                last = min(int(str(arguments.get("endTime", 2**60))), self.newest_bar)
                return [self._kline(start) for start in range(first, last + 1, 60_000)[-size:]]
            starts = [first + n * 60_000 for n in range(size)]
            return [self._kline(start) for start in starts if start <= self.newest_bar]
        start, size = int(str(arguments["fromId"])), int(str(arguments["limit"]))
        return [
            spot.AggTrade.model_validate(
                {"a": n, "p": "27103.10", "q": "0.00100000", "f": n, "l": n, "T": n, "m": True, "M": True},
                by_alias=True,
            )
            for n in range(start, start + size)
            if n not in self.without and n not in hidden
        ]

    @staticmethod
    def _kline(start: int) -> spot.Kline:
        row = (start, "1.0", "1.0", "1.0", "1.0", "9.0", start + 59_999, "1.0", 7, "1.0", "1.0", "0")
        return spot.Kline.from_wire(row) if hasattr(spot.Kline, "from_wire") else spot.Kline(row)
