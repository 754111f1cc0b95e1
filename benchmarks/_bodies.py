"""Answers of full size with digits like those of a real market, made up here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random

_START_MS = 1_767_225_600_000
_MINUTE_MS = 60_000


def _written(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _walk(random: Random, price: float) -> Iterator[float]:
    while True:
        yield price
        price *= 1 + random.gauss(0, 0.0004)


def klines(rows: int = 1000) -> bytes:
    """Minute bars of spot: twelve positions, eight decimals."""
    random = Random(1)
    prices = _walk(random, 92_314.51)
    bars: list[list[object]] = []
    opened = next(prices)
    for number in range(rows):
        closed = next(prices)
        high, low = max(opened, closed) * 1.0002, min(opened, closed) * 0.9998
        volume = random.expovariate(1 / 14)
        bought = volume * random.uniform(0.2, 0.8)
        opens = _START_MS + number * _MINUTE_MS
        bars.append(
            [
                opens,
                *(f"{price:.2f}000000" for price in (opened, high, low, closed)),
                f"{volume:.5f}000",
                opens + _MINUTE_MS - 1,
                f"{volume * closed:.8f}",
                random.randrange(200, 9000),
                f"{bought:.5f}000",
                f"{bought * closed:.8f}",
                "0",
            ]
        )
        opened = closed
    return _written(bars)


def depth(levels: int = 1000) -> bytes:
    """A book of spot with so many levels on either side."""
    random = Random(2)
    best = 92_314.51

    def side(step: float) -> list[list[str]]:
        rows: list[list[str]] = []
        price = best + step
        for _ in range(levels):
            rows.append([f"{price:.2f}000000", f"{random.expovariate(2):.5f}000"])
            price += step * random.randrange(1, 60)
        return rows

    return _written({"lastUpdateId": 78_112_947_551, "bids": side(-0.01), "asks": side(0.01)})


def trades(rows: int = 1000) -> bytes:
    random = Random(3)
    prices = _walk(random, 92_314.51)
    found: list[dict[str, object]] = []
    for number in range(rows):
        price, quantity = next(prices), random.expovariate(20) + 0.00001
        found.append(
            {
                "id": 5_514_338_201 + number,
                "price": f"{price:.2f}000000",
                "qty": f"{quantity:.5f}000",
                "quoteQty": f"{price * quantity:.8f}",
                "time": _START_MS + number * 37,
                "isBuyerMaker": random.random() < 0.5,
                "isBestMatch": True,
            }
        )
    return _written(found)


def tickers(rows: int = 3500) -> bytes:
    """The 24 hour statistics of as many symbols as Binance lists on spot."""
    random = Random(4)
    found: list[dict[str, object]] = []
    for number in range(rows):
        last = 10 ** random.uniform(-6, 5)
        change = last * random.gauss(0, 0.04)
        volume = 10 ** random.uniform(2, 9) / last
        first_id = random.randrange(10**6, 10**9)
        count = random.randrange(500, 2_000_000)
        name = "".join(random.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=random.randrange(2, 6)))
        found.append(
            {
                "symbol": f"{name}{number}USDT",
                "priceChange": f"{change:.8f}",
                "priceChangePercent": f"{change / (last - change) * 100:.3f}",
                "weightedAvgPrice": f"{last - change / 2:.8f}",
                "prevClosePrice": f"{last - change:.8f}",
                "lastPrice": f"{last:.8f}",
                "lastQty": f"{volume / count:.8f}",
                "bidPrice": f"{last * 0.9999:.8f}",
                "bidQty": f"{volume / 900:.8f}",
                "askPrice": f"{last * 1.0001:.8f}",
                "askQty": f"{volume / 800:.8f}",
                "openPrice": f"{last - change:.8f}",
                "highPrice": f"{last + abs(change):.8f}",
                "lowPrice": f"{last - 1.5 * abs(change):.8f}",
                "volume": f"{volume:.8f}",
                "quoteVolume": f"{volume * last:.8f}",
                "openTime": _START_MS + random.randrange(1000),
                "closeTime": _START_MS + 86_400_000 + random.randrange(1000),
                "firstId": first_id,
                "lastId": first_id + count - 1,
                "count": count,
            }
        )
    return _written(found)
