"""Ways in which a source goes wrong, drawn by a seed: errors, silence, answers that are damaged anywhere, lies."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Iterator
from typing import Any

from binance_sdk.errors import APIConnectionError, RateLimitError
from tests.virtuoso.sources.fake_sources import FakeExchange, changed
from virtuoso_binance.scalars import Row

_VALUES: tuple[object, ...] = (
    None, ..., 0, -1.0, "", "100.5", math.nan, math.inf, True, [], {}, b"1", 10**400, 1e300, ["x"], {"a": 1}, 5, 0.5,
)  # fmt: skip
_SERIES = ("trades", "orderbook__bids", "orderbook__asks")
_FRAMES = ("base", "ltf", "mtf", "htf")


def paths(row: Row, prefix: str = "") -> Iterator[str]:
    """The dotted name of every key, at every depth of dicts; the first and last rows of lists are reached by replacing
    the whole."""
    for key, value in row.items():
        yield prefix + key
        if isinstance(value, dict) and key not in ("ohlcv", "kline"):
            yield from paths(value, f"{prefix}{key}__")


def damaged(data: Row, draw: random.Random) -> Row:
    """The data with one thing wrong with it."""
    kind = draw.randrange(5)
    if kind == 0:
        # A value of another type or sign, or none.
        names = [name for name in paths(data) if name != "exchange"]
        return changed(data, **{draw.choice(names): draw.choice(_VALUES)})
    if kind == 1:
        # A row of a list.
        name = draw.choice(_SERIES)
        *path, last = name.split("__")
        rows = data
        for step in path:
            rows = rows[step]
        series = list(rows[last])
        number = draw.randrange(len(series))
        row = series[number]
        if isinstance(row, dict):
            key = draw.choice(list(row))
            series[number] = changed(row, **{key: draw.choice(_VALUES)})
        else:
            series[number] = [draw.choice(_VALUES[2:]), *row[1:]] if draw.random() < 0.7 else row[:1]
        return changed(data, **{name: series})
    if kind == 2:
        # Cut short, with the flag that says it is whole.
        name = draw.choice(_SERIES)
        *path, last = name.split("__")
        rows = data
        for step in path:
            rows = rows[step]
        return changed(data, **{name: rows[last][: draw.randrange(10)]})
    if kind == 3:
        frames = dict(data["ohlcv"])
        name = draw.choice(_FRAMES)
        frame = frames[name].copy()
        what = draw.randrange(6)
        if what == 0:
            frame = frame.iloc[: draw.randrange(45)]
        elif what == 1:
            frame.iloc[draw.randrange(len(frame)), draw.randrange(4)] = draw.choice([0.0, -1.0, math.nan, math.inf])
        elif what == 2:
            frame = frame.iloc[::-1]
        elif what == 3:
            frame = frame.drop(columns=draw.choice(["open", "volume"]))
        elif what == 4:
            frame = frame.astype(str)
        else:
            frame = draw.choice([None, [], {}, frame.reset_index()])
        frames[name] = frame
        return changed(data, ohlcv=frames)
    # Old, or of another time or symbol altogether.
    time = data["timestamp"] + draw.choice([-7_200_000, -300_000, 600_000])
    return changed(
        data, **draw.choice([{"ticker__timestamp": time}, {"timestamp": time}, {"symbol": "ETHUSDT"}, {"retCode": 0}])
    )


def failure(exchange: FakeExchange, draw: random.Random) -> Callable[[str], Any]:
    """What a source does in one poll in which it fails."""
    kind = draw.randrange(8)
    if kind == 0:
        return _raising(draw.choice([
            APIConnectionError("the line is down"), RateLimitError("too many", status_code=429), KeyError("list"),
            AttributeError("no attribute fetch_ticker"), ValueError("invalid symbol"), TimeoutError(), OSError("EIO"),
        ]))  # fmt: skip
    if kind == 1:
        return lambda symbol: asyncio.Event().wait()
    if kind == 2:
        return lambda symbol: draw.choice([None, {}, [], "data", {"error": "down"}, {"symbol": symbol}])
    return lambda symbol: damaged(exchange.good(symbol), draw)


def _raising(error: Exception) -> Callable[[str], Any]:
    def behaviour(symbol: str) -> Any:
        raise error

    return behaviour
