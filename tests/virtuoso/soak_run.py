"""Hours of polling on the injected clock, with faults and outages; every value and every flag is checked.

The test runs a few of them, ``python -m benchmarks adapter`` a whole day.
"""

from __future__ import annotations

import gc
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import httpx
import pandas as pd

from binance_sdk.errors import BinanceError
from virtuoso_binance import convert, tickers
from virtuoso_binance.frames import ohlcv_frame
from virtuoso_binance.parts import ORDER_BOOK, PREMIUM, TICKER, Part
from virtuoso_binance.sentiment import oi_history
from virtuoso_binance.timeframes import FRAMES, interval_ms

from .soak_support import Failing, Polling, now_and_then

T = TypeVar("T")

SYMBOLS = ("BTCUSDT", "DOGEUSDT")
_PATHS = {
    "/fapi/v1/ticker/24hr": "ticker",
    "/fapi/v1/ticker/bookTicker": "quotes",
    "/fapi/v1/premiumIndex": "premium",
    "/fapi/v1/depth": "orderbook",
    "/fapi/v1/trades": "trades",
    "/fapi/v1/openInterest": "interest",
    "/futures/data/openInterestHist": "oi_history",
    "/futures/data/globalLongShortAccountRatio": "lsr",
    "/fapi/v1/premiumIndexKlines": "premium_index",
}
_BULK = ("ticker", "quotes", "premium")
_HOLDS = {
    "ticker": 120_000,
    "quotes": 120_000,
    "premium": 120_000,
    "orderbook": 300_000,
    "trades": 300_000,
    "interest": 900_000,
    "oi_history": 900_000,
    "lsr": 900_000,
    "premium_index": 900_000,
}
"""How old a part may become, written down once more: this run is the judge of the table in ``parts``."""
_FIVE_MINUTES = 300_000
_OURS = ("binance_sdk", "virtuoso_binance", "httpx", "httpcore", "_asyncio", "asyncio", "pandas")
_SIMULATOR = "binance_sdk.simulator"
_COUNTED_EVERY = 10


@dataclass
class SoakReport:
    """What a run has found.

    Attributes:
        minutes: Refreshes made.
        sent: Requests that were answered.
        failed: Requests that met a fault.
        checked: Values compared with the exchange's own.
        wrong: Those that differed.
        gaps: Parts that were rightly said to be too old, counted each minute.
        unflagged: Parts delivered although they were too old, or flagged although they were not.
        objects: The most objects alive in the first third of the run, and in the last one.
    """

    minutes: int = 0
    sent: int = 0
    failed: int = 0
    checked: int = 0
    wrong: list[str] = field(default_factory=list[str])
    gaps: int = 0
    unflagged: list[str] = field(default_factory=list[str])
    objects: tuple[int, int] = (0, 0)

    @property
    def growth(self) -> float:
        """Growth of the number of objects, as a fraction."""
        return self.objects[1] / self.objects[0] - 1


class _Weather:
    """Single faults all the time, and outages of one endpoint or of everything, up to twenty minutes long."""

    def __init__(self, polling: Polling, share: float, seed: int) -> None:
        self._polling = polling
        self._single: Failing = now_and_then(share, seed)
        self._draw = random.Random(seed)
        self._out: str | None = None
        self._until = 0
        self.answered: dict[tuple[str, str], int] = {}
        """When a part of a symbol was last answered, as seen on the line; bulk answers under the symbol ``""``."""

    def __call__(self, request: httpx.Request) -> httpx.Response | httpx.TransportError | None:
        now, path = self._polling.clock.now_ms(), request.url.path
        down = now < self._until and self._out in ("", path)
        failure = httpx.ConnectError("outage", request=request) if down else self._single(request)
        if failure is None:
            query = request.url.params
            part = _PATHS.get(path) or f"klines {query.get('interval')}"
            # The probe of the circuit breaker names no symbol, and is no part either.
            self.answered["" if part in _BULK else query.get("symbol", ""), part] = now
        return failure

    def turn(self) -> None:
        """Maybe begin an outage."""
        now = self._polling.clock.now_ms()
        if now >= self._until and self._draw.random() < 0.1:
            self._out = self._draw.choice(["", *_PATHS, "/fapi/v1/klines"])
            self._until = now + self._draw.randint(1, 20) * 60_000

    def too_old(self, symbol: str, now: int) -> set[str]:
        """What has to be flagged, judged by the line alone."""
        found = {
            part for part in _PATHS.values() if part != "oi_history" and now - self._at(symbol, part) > _HOLDS[part]
        }
        for part, (interval, _) in FRAMES.items():
            step = interval_ms(interval)
            if now - self._at(symbol, f"klines {interval}") // step * step >= 2 * step:
                found.add(part)
        if now - self._at(symbol, "oi_history") // _FIVE_MINUTES * _FIVE_MINUTES > _HOLDS["oi_history"]:
            found.add("oi_history")
        return found

    def _at(self, symbol: str, part: str) -> int:
        return self.answered.get(("" if part in _BULK else symbol, part), 0)


async def soak(minutes: int, *, share: float = 0.03, seed: int = 7, whole_every: int = 30) -> SoakReport:
    """Poll two symbols for so many minutes.

    Args:
        minutes: Refreshes.
        share: Part of the requests that meet a single fault.
        seed: Chooses faults and outages.
        whole_every: Minutes between comparisons of whole series.
    """
    report = SoakReport()
    counts: list[int] = []
    async with Polling(SYMBOLS, history_days=36) as polling:
        weather = _Weather(polling, share, seed)
        polling.line.failing = weather
        for minute in range(minutes):
            weather.turn()
            await polling.run(1)
            for symbol in SYMBOLS:
                await _check_flags(polling, weather, symbol, report)
                await _check_quick(polling, symbol, report)
                if minute % whole_every == whole_every - 1:
                    await _check_series(polling, symbol, report)
            if minute % _COUNTED_EVERY == _COUNTED_EVERY - 1:
                counts.append(_objects())
        report.minutes, report.sent, report.failed = minutes, polling.line.sent, polling.line.failed
        third = max(1, len(counts) // 3)
        report.objects = (max(counts[:third]), max(counts[-third:]))
    return report


def _objects() -> int:
    """Live objects of the SDK, the adapter and what they stand on; the simulator in this process has its own caches."""
    gc.collect()
    found = 0
    # By type first: a million objects of others are told by a few thousand names.
    for kind, count in Counter(map(type, gc.get_objects())).items():
        name = str(kind.__module__)
        if name.startswith(_OURS) and not name.startswith(_SIMULATOR):
            found += count
    return found


async def _check_flags(polling: Polling, weather: _Weather, symbol: str, report: SoakReport) -> None:
    now = polling.clock.now_ms()
    expected = weather.too_old(symbol, now)
    told = set(polling.refreshes[-1].stale.get(symbol, ()))
    report.gaps += len(expected)
    report.unflagged += [f"{now} {symbol} {part}: not told" for part in expected - told]
    report.unflagged += [f"{now} {symbol} {part}: told without reason" for part in told - expected]
    try:
        found = polling.fetcher.snapshot(symbol)
    except BinanceError:
        if "ticker" not in expected:
            report.unflagged.append(f"{now} {symbol}: no snapshot")
        return
    flags: Mapping[str, bool] = found["metadata"]
    for part, flag in {
        "orderbook": "orderbook_success",
        "lsr": "lsr_success",
        "oi_history": "oi_history_success",
    }.items():
        if flags[flag] == (part in expected):
            report.unflagged.append(f"{now} {symbol} {flag} is {flags[flag]}")
    if flags["ohlcv_success"] == bool(expected & set(FRAMES)):
        report.unflagged.append(f"{now} {symbol} ohlcv_success is {flags['ohlcv_success']}")
    for part in FRAMES:
        if (part in expected) != found["ohlcv"][part].empty:
            report.unflagged.append(f"{now} {symbol} {part} has {len(found['ohlcv'][part])} rows")


def _same(report: SoakReport, where: str, ours: object, theirs: object) -> None:
    report.checked += 1
    if ours != theirs:
        report.wrong.append(f"{where}: {ours!r} and not {theirs!r}")


async def _check_quick(polling: Polling, symbol: str, report: SoakReport) -> None:
    """What was fetched at this very instant is what the exchange says at this instant."""
    now = polling.clock.now_ms()
    state = polling.fetcher._states[symbol]
    truth = polling.truth.futures

    def at_once(part: Part[T]) -> T | None:
        known = state.get(part)
        return known.value if known is not None and known.at == now else None

    ticker = at_once(TICKER)
    if ticker is not None:
        _same(report, f"{now} ticker", tickers.ticker_row(ticker), tickers.ticker_row(await truth.ticker_24hr(symbol)))
    book = at_once(ORDER_BOOK)
    if book is not None:
        ours, theirs = (
            convert.order_book(answer, symbol, received=now) for answer in (book, await truth.depth(symbol, limit=100))
        )
        _same(report, f"{now} book", ours, theirs)
    premium = at_once(PREMIUM)
    if premium is not None:
        _same(report, f"{now} premium", premium, await truth.premium_index(symbol))


async def _check_series(polling: Polling, symbol: str, report: SoakReport) -> None:
    """Closed candles, trades and open interest are those that whole questions give now."""
    now, truth = polling.clock.now_ms(), polling.truth.futures
    try:
        found = polling.fetcher.snapshot(symbol)
    except BinanceError:
        return
    for part, (interval, count) in FRAMES.items():
        frame: pd.DataFrame = found["ohlcv"][part]
        if frame.empty:
            continue
        whole = ohlcv_frame(await truth.klines(symbol, interval, limit=count))
        closed = frame.iloc[:-1]
        report.checked += len(closed)
        both = whole.loc[whole.index.isin(closed.index)]
        if not closed.loc[closed.index.isin(whole.index)].equals(both) or len(both) < len(closed) - 2:
            report.wrong.append(f"{now} {symbol} {part}")
    history = {row["timestamp"]: row for row in oi_history(await truth.open_interest_hist(symbol, "5m", limit=300))}
    for row in found["open_interest_history"]:
        _same(report, f"{now} {symbol} open interest", row, history.get(row["timestamp"]))
    trades = {row["id"]: row for row in convert.trade_rows(await truth.trades(symbol, limit=1000), symbol)}
    for row in found["trades"]:
        if row["id"] in trades:
            _same(report, f"{now} {symbol} trade", row, trades[row["id"]])
