"""A small Bybit on loopback: the public paths of its V5 REST interface that CCXT asks, newest first and all in text."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from email.utils import formatdate
from typing import Any, Protocol

from aiohttp import web

Answer = Callable[["BybitServer", Any], Any]

_MINUTES = {"1": 1, "5": 5, "30": 30, "240": 240}


class Market(Protocol):
    """What the prices of the small Bybit are."""

    def now_ms(self) -> int: ...

    def price(self, symbol: str) -> float: ...

    def candles(self, symbol: str, interval: str, count: int) -> list[tuple[int, Sequence[float]]]:
        """Open times with open, high, low and close, the newest first."""
        ...


class StillMarket:
    """One price at one moment."""

    def __init__(self, now_ms: int, price: float) -> None:
        self._now_ms, self._price = now_ms, price

    def now_ms(self) -> int:
        return self._now_ms

    def price(self, symbol: str) -> float:
        return self._price

    def candles(self, symbol: str, interval: str, count: int) -> list[tuple[int, Sequence[float]]]:
        step, price = 60_000 * _MINUTES[interval], self._price
        newest = self._now_ms - self._now_ms % step
        return [(newest - n * step, (price, price * 1.001, price * 0.999, price)) for n in range(count)]


class BybitServer:
    """Perpetuals in USDT, and a spot market; the public part of V5.

    Attributes:
        market: Its prices and its time.
        symbols: The perpetuals that it lists.
        failing: Answers every request with an error of Bybit's where it is set.
        maintenance: Answers every request with 503.
        empty: Answers with lists that have nothing in them.
        delay: Seconds by which every answer is late.
        volume: Coins traded in 24 hours.
        asked: Requests by path.
        url: Where it listens.
    """

    def __init__(self, market: Market) -> None:
        self.market = market
        self.symbols = {"BTCUSDT"}
        self.failing = self.maintenance = self.empty = False
        self.delay = 0.0
        self.volume = 200_000
        self.asked: Counter[str] = Counter()
        self.url = ""

    @property
    def now_ms(self) -> int:
        return self.market.now_ms()

    async def answer(self, request: web.Request) -> web.Response:
        path = request.path.removeprefix("/v5/market/")
        self.asked[path] += 1
        await asyncio.sleep(self.delay)
        headers = {"date": formatdate(self.now_ms / 1000, usegmt=True)}
        if self.maintenance:
            return web.Response(status=503, text="<html>under maintenance</html>", headers=headers)
        if self.failing:
            return self._answer({"retCode": 10016, "retMsg": "Internal System Error.", "result": {}}, headers)
        if path != "instruments-info" and request.query.get("symbol") not in {*self.symbols, "ETHBTC"}:
            return self._answer({"retCode": 10001, "retMsg": "params error: symbol invalid", "result": {}}, headers)
        result = _ANSWERS[path](self, request.query)
        if self.empty:
            result = {key: [] if isinstance(value, list) else value for key, value in result.items()}
        return self._answer({"retCode": 0, "retMsg": "OK", "result": result, "time": self.now_ms}, headers)

    def _answer(self, body: Any, headers: dict[str, str]) -> web.Response:
        return web.json_response(body, headers=headers)

    def price(self, query: Any) -> float:
        return self.market.price(query.get("symbol", "BTCUSDT"))

    def rows(self, query: Any) -> list[list[str]]:
        candles = self.market.candles(query["symbol"], query["interval"], int(query["limit"]))
        return [[str(time), *map(str, prices), "10", str(10 * prices[3])] for time, prices in candles]


@asynccontextmanager
async def bybit_server(market: Market | int, price: float = 100.0) -> AsyncIterator[BybitServer]:
    """A server of a market, or of one price at one time in epoch milliseconds."""
    server = BybitServer(StillMarket(market, price) if isinstance(market, int) else market)
    app = web.Application()
    app.router.add_get("/v5/market/{path}", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


def _instruments(server: BybitServer, query: Any) -> Any:
    lots = {"basePrecision": "0.000001", "minOrderQty": "0.001", "maxOrderQty": "100", "qtyStep": "0.001"}
    prices = {"tickSize": "0.1", "minPrice": "0.1", "maxPrice": "1000000"}
    common: dict[str, Any] = {"status": "Trading", "lotSizeFilter": lots, "priceFilter": prices}
    if query["category"] == "linear":
        common |= {
            "contractType": "LinearPerpetual", "settleCoin": "USDT", "deliveryTime": "0", "launchTime": "1585526400000",
            "leverageFilter": {"minLeverage": "1", "maxLeverage": "100"}, "fundingInterval": 480,
        }  # fmt: skip
    names = [(symbol.removesuffix("USDT"), "USDT") for symbol in sorted(server.symbols)]
    if query["category"] == "spot":
        names.append(("ETH", "BTC"))
    rows = [{**common, "symbol": base + quote, "baseCoin": base, "quoteCoin": quote} for base, quote in names]
    return {
        "category": query["category"], "list": [] if query.get("status") == "PreLaunch" else rows, "nextPageCursor": "",
    }  # fmt: skip


def _tickers(server: BybitServer, query: Any) -> Any:
    price = server.price(query)
    row: dict[str, Any] = {
        "symbol": query.get("symbol", "BTCUSDT"), "lastPrice": str(price), "prevPrice24h": str(price * 0.99),
        "price24hPcnt": "0.0101", "highPrice24h": str(price * 1.02), "lowPrice24h": str(price * 0.98),
        "turnover24h": str(server.volume * price), "volume24h": str(server.volume),
        "bid1Price": str(price * 0.9999), "bid1Size": "2", "ask1Price": str(price * 1.0001), "ask1Size": "3",
    }  # fmt: skip
    if query["category"] == "linear":
        due = server.now_ms - server.now_ms % 28_800_000 + 28_800_000
        row |= {
            "markPrice": str(price), "indexPrice": str(price), "openInterest": "50000", "fundingRate": "0.0001",
            "openInterestValue": str(50_000 * price), "nextFundingTime": str(due),
        }  # fmt: skip
    return {"category": query["category"], "list": [row]}


def _order_book(server: BybitServer, query: Any) -> Any:
    levels, price = range(min(int(query["limit"]), 200)), server.price(query)
    bids, asks = ([[str(price * (1 + sign * (n + 1) / 10_000)), "1.5"] for n in levels] for sign in (-1, 1))
    return {"s": query["symbol"], "b": bids, "a": asks, "ts": server.now_ms - 5, "u": 177_400_507}


def _trades(server: BybitServer, query: Any) -> Any:
    most = 60 if query["category"] == "spot" else 1000
    assert int(query["limit"]) <= most
    price = str(server.price(query))
    rows = [
        {
            "execId": f"e{n}", "symbol": query["symbol"], "price": price, "size": "0.25",
            "side": ("Buy", "Sell")[n % 2], "time": str(server.now_ms - 100 * n),
        }
        for n in range(int(query["limit"]))
    ]  # fmt: skip
    return {"category": query["category"], "list": rows}


def _open_interest(server: BybitServer, query: Any) -> Any:
    newest = server.now_ms - server.now_ms % 300_000
    rows = [{"openInterest": str(50_000 - n), "timestamp": str(newest - n * 300_000)} for n in range(200)]
    return {"symbol": query["symbol"], "category": query["category"], "list": rows, "nextPageCursor": ""}


def _account_ratio(server: BybitServer, query: Any) -> Any:
    row = {"symbol": query["symbol"], "buyRatio": "0.55", "sellRatio": "0.45", "timestamp": str(server.now_ms - 1000)}
    return {"list": [row]}


def _klines(server: BybitServer, query: Any) -> Any:
    return {"symbol": query["symbol"], "category": query["category"], "list": server.rows(query)}


def _premiums(server: BybitServer, query: Any) -> Any:
    newest = server.now_ms - server.now_ms % (step := 60_000 * _MINUTES[query["interval"]])
    premium = ["-0.0005", "-0.0004", "-0.0006", "-0.0005"]
    rows = [[str(newest - n * step), *premium] for n in range(int(query["limit"]))]
    return {"symbol": query["symbol"], "category": query["category"], "list": rows}


_ANSWERS: dict[str, Answer] = {
    "instruments-info": _instruments,
    "tickers": _tickers,
    "orderbook": _order_book,
    "recent-trade": _trades,
    "open-interest": _open_interest,
    "account-ratio": _account_ratio,
    "kline": _klines,
    "premium-index-price-kline": _premiums,
}
