"""Klines into frames of floats, against the same by hand with orjson, and against ccxt with pandas."""

from __future__ import annotations

import asyncio
import json
import platform
from collections.abc import Callable, Mapping
from email.utils import formatdate
from typing import Any, cast

from benchmarks import _bodies
from benchmarks._figures import Figure, Target
from benchmarks._processes import served
from benchmarks._timing import Rounds, rounds

_TIMES, _INTS, _DECIMALS = (0, 6), (8,), (1, 2, 3, 4, 5, 7, 9, 10)
_BY_HAND, _CCXT = Target("≤", 1.2, "ratio"), Target("≤", 0.5, "ratio")
_OF_CCXT = ("open_time", "open", "high", "low", "close", "volume")
_MARKETS: dict[str, Any] = {
    "BTC/USDT": {
        "id": "BTCUSDT",
        "symbol": "BTC/USDT",
        "base": "BTC",
        "quote": "USDT",
        "baseId": "BTC",
        "quoteId": "USDT",
        "type": "spot",
        "spot": True,
        "swap": False,
        "future": False,
        "option": False,
        "contract": False,
        "active": True,
        "linear": None,
        "inverse": None,
        "settle": None,
        "precision": {},
        "limits": {},
        "info": {},
    }
}
_HEAD = (
    "HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: {length}\r\n"
    "Connection: keep-alive\r\nDate: {date}\r\nx-mbx-used-weight: 2\r\nx-mbx-used-weight-1m: 2\r\n\r\n"
)


def run(options: object) -> list[Figure]:
    body = _bodies.klines()
    label = f"CPU, Python {platform.python_version()}; every value checked; "
    by_hand = f"{label}floor: orjson and the library by hand, nothing checked"
    timed = _from_bytes(body)
    figures = [
        _figure(timed, f"1000 klines to {library}, floats", library, f"{library} by hand", by_hand, _BY_HAND)
        for library in ("numpy", "pandas")
    ]
    # Polars reads texts itself, quicker than numpy does and without a look at what it was sent.
    figures += [
        _figure(timed, "1000 klines to polars, floats", "polars", "polars by hand", by_hand, None),
        _figure(timed, "1000 klines to polars, exact decimals", "decimals", "decimals by hand", by_hand, None),
    ]
    of_ccxt = f"{label}floor: ccxt's fetch_ohlcv without its HTTP, 6 columns, then pandas"
    figures += [
        _figure(timed, "1000 klines to pandas beside ccxt, the same columns", "six", "ccxt", of_ccxt, _CCXT),
        _figure(timed, "1000 klines to pandas beside ccxt, all 11 columns", "pandas", "ccxt", of_ccxt, None),
    ]
    with served(serve) as port:
        whole = _over_loopback(f"http://127.0.0.1:{port}")
    note = f"{label}11 columns, budget on; floor: ccxt's fetch_ohlcv over requests, 6 columns, then pandas"
    return [*figures, _figure(whole, "1000 klines to pandas beside ccxt, over loopback", "ours", "ccxt", note, None)]


def _figure(timed: Rounds, name: str, ours: str, floor: str, note: str, target: Target | None) -> Figure:
    seconds = timed.seconds(ours) * 1000, timed.seconds(floor) * 1000
    return Figure("frames", name, seconds[0], "ms CPU", seconds[1], timed.ratio(ours, floor), target, note)


# ---------------------------------------------------------------------------------------- from bytes


def _from_bytes(body: bytes) -> Rounds:
    from binance_sdk._runtime.columns.frames import frame_of_answer
    from binance_sdk._runtime.columns.options import FrameOptions
    from binance_sdk.catalogue import CATALOGUE

    variant = CATALOGUE["spot"].operations["klines"].variants[0]

    def ours(library: Any, **options: Any) -> Callable[[], Any]:
        wanted = FrameOptions(**options)
        return lambda: frame_of_answer(library, "spot.klines", variant.type, body, _no_rows, wanted)

    names = list(ours("numpy")())
    exchange = _ccxt(body)
    variants: Mapping[str, Callable[[], Any]] = {
        "numpy": ours("numpy"),
        "numpy by hand": lambda: _numpy_by_hand(body, names),
        "pandas": ours("pandas"),
        "six": ours("pandas", columns=_OF_CCXT),
        "pandas by hand": lambda: _pandas_by_hand(body, names),
        "polars": ours("polars"),
        "polars by hand": lambda: _polars_by_hand(body, names, "float"),
        "decimals": ours("polars", prices="decimal", scale=8),
        "decimals by hand": lambda: _polars_by_hand(body, names, "decimal"),
        "ccxt": lambda: _pandas_of_ccxt(exchange),
    }
    closes = [float(row[4]) for row in json.loads(body)]
    for name, make in variants.items():
        if list(map(float, make()["close"])) != closes:
            raise RuntimeError(f"{name} is not what was sent")
    return rounds(variants)


def _no_rows() -> object:
    raise RuntimeError("rows were made")


def _numpy_by_hand(body: bytes, names: list[str]) -> dict[str, Any]:
    import numpy as np
    import orjson

    columns = list(zip(*orjson.loads(body), strict=True))
    made = {names[at]: np.array(columns[at], dtype=np.int64) for at in _INTS}
    made |= {names[at]: np.array(columns[at], dtype=np.int64).view("datetime64[ms]") for at in _TIMES}
    return made | {names[at]: np.array(columns[at], dtype=np.float64) for at in _DECIMALS}


def _pandas_by_hand(body: bytes, names: list[str]) -> Any:
    import pandas as pd

    columns = _numpy_by_hand(body, names)
    for at in _TIMES:
        columns[names[at]] = pd.DatetimeIndex(columns[names[at]]).tz_localize("UTC")
    return pd.DataFrame(columns)


def _polars_by_hand(body: bytes, names: list[str], prices: str) -> Any:
    import orjson
    import polars as pl

    columns = list(zip(*orjson.loads(body), strict=True))
    made = [pl.Series(names[at], columns[at], pl.Int64) for at in (*_TIMES, *_INTS)]
    made = [s.cast(pl.Datetime("ms", "UTC")) if at < 2 else s for at, s in enumerate(made)]
    dtype = pl.Float64() if prices == "float" else pl.Decimal(38, 8)
    texts = [pl.Series(names[at], columns[at], pl.String).cast(dtype) for at in _DECIMALS]
    return pl.DataFrame([*made, *texts])


# --------------------------------------------------------------------------------------------- ccxt


def _ccxt(body: bytes | None = None, url: str = "") -> Any:
    import ccxt

    exchange: Any = cast(Any, ccxt).binance({"enableRateLimit": False, "options": {"defaultType": "spot"}})
    exchange.set_markets(_MARKETS)
    if body is not None:
        # What it makes of an answer once requests has its text.
        exchange.fetch = lambda *_, **__: exchange.parse_json(body.decode())
    else:
        exchange.urls["api"]["public"] = f"{url}/api/v3"
    return exchange


def _pandas_of_ccxt(exchange: Any) -> Any:
    import pandas as pd

    rows = exchange.fetch_ohlcv("BTC/USDT", "1m", limit=1000)
    made = pd.DataFrame(rows, columns=["time", "open", "high", "low", "close", "volume"])
    made["time"] = pd.to_datetime(made["time"], unit="ms", utc=True)
    return made


def _over_loopback(url: str) -> Rounds:
    from binance_sdk import SyncBinanceClient

    theirs = _ccxt(url=url)
    with SyncBinanceClient(spot_base_url=url) as client:

        def ours() -> Any:
            return client.spot.with_raw_response.klines("BTCUSDT", "1m", limit=1000).to_pandas()

        calls: Mapping[str, Callable[[], Any]] = {"ours": ours, "ccxt": lambda: _pandas_of_ccxt(theirs)}
        if ours()["close"].tolist() != calls["ccxt"]()["close"].tolist():
            raise RuntimeError("the two frames differ")
        return rounds(calls, sample=0.1)


class _Klines(asyncio.Protocol):
    """Answers each request with the same thousand bars, and a count far below any limit."""

    body = b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        head = _HEAD.format(length=len(self.body), date=formatdate(usegmt=True))
        self._transport.write(head.encode() + self.body)


def serve(ports: Any) -> None:
    """Answer until killed; see ``served``."""
    _Klines.body = _bodies.klines()

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(_Klines, "127.0.0.1", 0)
        ports.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())
