"""A small Bybit on loopback: the public paths of its V5 REST interface that CCXT asks, newest first and all in text."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Answer = Callable[["BybitServer", Any], Any]

_MINUTES = {"1": 1, "5": 5, "30": 30, "240": 240}


class BybitServer:
    """One perpetual and one spot market, whose price is ``price``.

    Attributes:
        price: In USDT.
        now_ms: The time there.
        failing: Answers every request with an error of Bybit's where it is set.
        asked: Requests by path.
        url: Where it listens.
    """

    def __init__(self, now_ms: int, price: float = 100.0) -> None:
        self.now_ms = now_ms
        self.price = price
        self.failing = False
        self.asked: Counter[str] = Counter()
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        path = request.path.removeprefix("/v5/market/")
        self.asked[path] += 1
        if self.failing:
            return web.json_response({"retCode": 10016, "retMsg": "Internal System Error.", "result": {}})
        result = _ANSWERS[path](self, request.query)
        return web.json_response({"retCode": 0, "retMsg": "OK", "result": result, "time": self.now_ms})

    def rows(self, query: Any, price: float) -> list[list[str]]:
        step = 60_000 * _MINUTES[query["interval"]]
        newest, count = self.now_ms - self.now_ms % step, int(query["limit"])
        prices = [str(price), str(price * 1.001), str(price * 0.999), str(price)]
        return [[str(newest - n * step), *prices, "10", str(10 * price)] for n in range(count)]


@asynccontextmanager
async def bybit_server(now_ms: int, price: float = 100.0) -> AsyncIterator[BybitServer]:
    server = BybitServer(now_ms, price)
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
    common = {"symbol": "BTCUSDT", "baseCoin": "BTC", "quoteCoin": "USDT", "status": "Trading"}
    lots = {"basePrecision": "0.000001", "minOrderQty": "0.001", "maxOrderQty": "100", "qtyStep": "0.001"}
    prices = {"tickSize": "0.1", "minPrice": "0.1", "maxPrice": "1000000"}
    row: dict[str, Any] = {**common, "lotSizeFilter": lots, "priceFilter": prices}
    if query["category"] == "linear":
        row |= {
            "contractType": "LinearPerpetual", "settleCoin": "USDT", "deliveryTime": "0", "launchTime": "1585526400000",
            "leverageFilter": {"minLeverage": "1", "maxLeverage": "100"}, "fundingInterval": 480,
        }  # fmt: skip
    rows = [] if query.get("status") == "PreLaunch" else [row]
    if query["category"] == "spot":
        rows.append({**row, "symbol": "ETHBTC", "baseCoin": "ETH", "quoteCoin": "BTC"})
    return {"category": query["category"], "list": rows, "nextPageCursor": ""}


def _tickers(server: BybitServer, query: Any) -> Any:
    price = server.price
    row: dict[str, Any] = {
        "symbol": query.get("symbol", "BTCUSDT"), "lastPrice": str(price), "prevPrice24h": str(price * 0.99),
        "price24hPcnt": "0.0101", "highPrice24h": str(price * 1.02), "lowPrice24h": str(price * 0.98),
        "turnover24h": str(200_000 * price), "volume24h": "200000", "bid1Price": str(price * 0.9999), "bid1Size": "2",
        "ask1Price": str(price * 1.0001), "ask1Size": "3",
    }  # fmt: skip
    if query["category"] == "linear":
        due = server.now_ms - server.now_ms % 28_800_000 + 28_800_000
        row |= {
            "markPrice": str(price), "indexPrice": str(price), "openInterest": "50000", "fundingRate": "0.0001",
            "openInterestValue": str(50_000 * price), "nextFundingTime": str(due),
        }  # fmt: skip
    return {"category": query["category"], "list": [row]}


def _order_book(server: BybitServer, query: Any) -> Any:
    levels = range(min(int(query["limit"]), 200))
    bids, asks = ([[str(server.price * (1 + sign * (n + 1) / 10_000)), "1.5"] for n in levels] for sign in (-1, 1))
    return {"s": query["symbol"], "b": bids, "a": asks, "ts": server.now_ms - 5, "u": 177_400_507}


def _trades(server: BybitServer, query: Any) -> Any:
    most = 60 if query["category"] == "spot" else 1000
    assert int(query["limit"]) <= most
    rows = [
        {
            "execId": f"e{n}", "symbol": query["symbol"], "price": str(server.price), "size": "0.25",
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
    return {"symbol": query["symbol"], "category": query["category"], "list": server.rows(query, server.price)}


def _premiums(server: BybitServer, query: Any) -> Any:
    rows = [row[:5] for row in server.rows(query, -0.0005)]
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
