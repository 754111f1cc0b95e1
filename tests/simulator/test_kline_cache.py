"""The fast way to minute candles gives the bytes of the slow one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from binance_sdk.simulator.market.candles import DAY, BarRange, Calendar, Candles
from binance_sdk.simulator.market.decimals import DecimalFormat, Formats
from binance_sdk.simulator.market.simulated_market import SymbolData
from binance_sdk.simulator.market.symbols import DEFAULT_SYMBOLS
from binance_sdk.simulator.rest import kline_cache
from binance_sdk.simulator.rest.bulk_rows import RowText, draw
from binance_sdk.simulator.rest.exchange import Request
from binance_sdk.simulator.rest.json_rows import rows
from binance_sdk.simulator.rest.kline_cache import KLINE, kline_columns
from binance_sdk.simulator.simulator import Simulator

from .conftest import NOW, simulator

MINUTE = 60_000
TODAY = NOW // DAY * DAY
PATHS = {"spot": "/api/v3/klines", "futures": "/fapi/v1/klines", "coin_futures": "/dapi/v1/klines"}


@pytest.fixture(scope="module")
def exchange() -> Simulator:
    """Never started: bytes are compared where they are made."""
    return simulator(history_days=60)


def fast(one: Simulator, market: str, symbol: str, **more: int) -> bytes:
    query = "&".join(f"{name}={value}" for name, value in more.items())
    reply = one._exchange.answer(Request(market, 0, "GET", PATHS[market], f"symbol={symbol}&interval=1m&{query}"))
    assert reply.status == 200, reply.body
    return reply.body


def slow(one: Simulator, data: SymbolData, **more: Any) -> bytes:
    wanted = (more.get("startTime"), more.get("endTime"), more["limit"])
    bars, closes = data.candles.read(
        Calendar("1m"), BarRange(*wanted, data.rules.newest_bars, data.rules.longest_bar_range), one.clock.now_ms()
    )
    return rows(KLINE, kline_columns(bars, closes, data.formats))


def desk_of(one: Simulator, market: str, symbol: str) -> SymbolData:
    served = one._exchange.markets[market]  # type: ignore[index]
    served.open(one.clock.now_ms())
    return served.symbol_data(symbol)


@pytest.mark.parametrize(
    "instrument",
    [instrument for instrument in DEFAULT_SYMBOLS if instrument.market in PATHS],
    ids=lambda instrument: f"{instrument.market}-{instrument.symbol}",
)
def test_a_page_over_two_days(exchange: Simulator, instrument: Any) -> None:
    data = desk_of(exchange, instrument.market, instrument.symbol)
    wanted = {"startTime": TODAY - 9 * DAY + 77 * MINUTE, "limit": 1000}
    found = fast(exchange, instrument.market, instrument.symbol, **wanted)
    assert found == slow(exchange, data, **wanted)
    if instrument.traded:
        assert found.count(b"],[") == 999


@pytest.mark.parametrize("market", ["spot", "futures"])
@pytest.mark.parametrize("symbol", ["BTCUSDT", "币安人生USDT"])
@pytest.mark.parametrize(
    "wanted",
    [
        {"startTime": TODAY - 3 * DAY, "limit": 1},
        {"startTime": TODAY - 3 * DAY + 1, "limit": 1},
        {"startTime": TODAY - 3 * DAY, "endTime": TODAY - 3 * DAY + 59_999, "limit": 1000},
        {"startTime": TODAY - 3 * DAY, "endTime": TODAY - 1, "limit": 1000},
        {"startTime": TODAY - DAY, "endTime": TODAY, "limit": 1000},
        {"endTime": TODAY - 1, "limit": 1000},
        {"endTime": TODAY - DAY - 1, "limit": 3},
        {"startTime": TODAY - 500 * MINUTE, "limit": 1000},
        {"startTime": TODAY - 61 * DAY, "limit": 1000},
        {"startTime": TODAY - 60 * DAY, "endTime": TODAY - 60 * DAY + 5 * MINUTE, "limit": 10},
        {"endTime": TODAY - 60 * DAY - 1, "limit": 10},
        {"limit": 1000},
    ],
    ids=str,
)
def test_pages_at_the_edges(exchange: Simulator, market: str, symbol: str, wanted: dict[str, int]) -> None:
    # The name has characters beyond ASCII, and spot takes it as it is.
    data = desk_of(exchange, market, symbol)
    quoted = symbol if symbol.isascii() else "".join(f"%{byte:02X}" for byte in symbol.encode())
    assert fast(exchange, market, quoted, **wanted) == slow(exchange, data, **wanted)


def test_more_days_than_are_kept_at_once(exchange: Simulator) -> None:
    for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT"):
        data = desk_of(exchange, "futures", symbol)
        for start in [*range(TODAY - 59 * DAY, TODAY - DAY, 7 * DAY), TODAY - 59 * DAY]:
            wanted = {"startTime": start, "limit": 1500}
            assert fast(exchange, "futures", symbol, **wanted) == slow(exchange, data, **wanted)


def test_days_are_drawn_once_and_only_when_they_are_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the comparisons above do compare two ways."""
    drawn: list[int] = []
    true = kline_cache._rendered

    def counted(candles: Candles, formats: Formats, day: int) -> tuple[int, RowText]:
        drawn.append(day)
        return true(candles, formats, day)

    monkeypatch.setattr(kline_cache, "_rendered", counted)
    one, today = simulator(history_days=20), TODAY // DAY
    for _ in range(2):
        for start in range(TODAY - 9 * DAY, TODAY - DAY, 1000 * MINUTE):
            fast(one, "spot", "BTCUSDT", startTime=start, limit=1000)
    assert drawn == list(range(today - 9, today))
    fast(one, "spot", "BTCUSDT", startTime=TODAY - MINUTE, limit=10)
    fast(one, "spot", "BTCUSDT", limit=10)
    assert len(drawn) == 9


def test_the_end_of_trading_within_a_day() -> None:
    one = simulator(history_days=20)
    one.settle_symbol("ETHUSDT", TODAY - 2 * DAY + 100 * MINUTE + 30_000)
    data = desk_of(one, "futures", "ETHUSDT")
    for wanted in ({"limit": 1000}, {"startTime": TODAY - 3 * DAY + 60 * MINUTE, "limit": 1500}):
        found = fast(one, "futures", "ETHUSDT", **wanted)
        assert found == slow(one, data, **wanted)
        assert found.endswith(b',"0"]]')


def test_the_start_of_trading_within_a_day() -> None:
    one = simulator(history_days=20, symbols=["BTCUSDT"])
    one.list_symbol("futures", "ETHUSDT", TODAY - 2 * DAY + 100 * MINUTE)
    data = desk_of(one, "futures", "ETHUSDT")
    for start in (TODAY - 3 * DAY, TODAY - 2 * DAY, TODAY - 2 * DAY + 100 * MINUTE, TODAY - 2 * DAY + 777 * MINUTE):
        wanted = {"startTime": start, "limit": 1500}
        found = fast(one, "futures", "ETHUSDT", **wanted)
        assert found == slow(one, data, **wanted)
        assert found.startswith(b"[[%d," % max(start, TODAY - 2 * DAY + 100 * MINUTE))


# ---------------------------------------------------------------------------------------- the picture

FORMS = [None, DecimalFormat(0), DecimalFormat(0, 3), DecimalFormat(2), DecimalFormat(3, 2), DecimalFormat(8)]


@given(st.data())
def test_a_picture_reads_as_the_rows_it_shows(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 6))
    columns = [
        (form, np.array(data.draw(st.lists(st.integers(0, 10**17), min_size=count, max_size=count)), dtype=np.int64))
        for form in data.draw(st.lists(st.sampled_from(FORMS), min_size=1, max_size=4))
    ]
    # Decimals stand in quotes, which are part of the text around them.
    quotes = [b'"' if form is not None else b"" for form, _ in columns]
    before, behind = [b"", *quotes], [*quotes, b""]
    texts = [old + (b"," if 0 < place < len(columns) else b"") for place, old in enumerate(before)]
    texts = [text + new for text, new in zip(texts, behind, strict=True)]
    texts = [b"[" + texts[0], *texts[1:-1], texts[-1] + b"]"]
    template = "[" + ",".join("{}" for _ in columns) + "]"
    image = draw(texts, columns)
    assert b"[" + image.rows(0, count) + b"]" == rows(template, columns)
    for place in range(count):
        one = [(form, values[place : place + 1]) for form, values in columns]
        assert b"[" + image.rows(place, place + 1) + b"]" == rows(template, one)


def test_a_picture_of_nothing() -> None:
    image = draw([b"[", b"]"], [(None, np.empty(0, dtype=np.int64))])
    assert (len(image), image.rows(0, 0)) == (0, b"")
