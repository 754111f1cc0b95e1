"""Pieces over REST: against the simulator, and against an exchange with holes."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import polars as pl
import pytest

from binance_sdk import BinanceClient
from binance_sdk._runtime.clock import AsyncClock
from binance_sdk.catalogue import ARCHIVE
from binance_sdk.errors import ConfigError, HistoryError
from binance_sdk.history.columns import polars_schema
from binance_sdk.history.piece import Fetched, Piece, Prices, Series
from binance_sdk.history.planning.costs import over_rest
from binance_sdk.history.rest.source import fetch_over_rest
from binance_sdk.simulator import ManualClock, Simulator

HOUR, DAY, MINUTE = 3_600_000, 86_400_000, 60_000
NOW = round(time.time() * 1000)
TODAY = NOW // DAY * DAY


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    with Simulator(history_days=3, weight_limits={"spot": 10**6, "futures": 10**6}) as found:
        yield found


def fetch(simulator: Simulator, piece: Piece, prices: Prices = "decimal") -> Fetched:
    async def go() -> Fetched:
        async with simulator.client(api_key="any", budget=False) as client:
            return await fetch_over_rest(piece, client, prices=prices)

    return asyncio.run(go())


SERIES = [
    Series("spot", "klines", "BTCUSDT", "1m"),
    Series("futures", "klines", "BTCUSDT", "1m"),
    Series("coin_futures", "klines", "BTCUSD_PERP", "1m"),
    Series("futures", "mark_price_klines", "ETHUSDT", "5m"),
    Series("coin_futures", "index_price_klines", "BTCUSD", "5m"),
    Series("futures", "premium_index_klines", "BTCUSDT", "5m"),
    Series("spot", "agg_trades", "BTCUSDT"),
    Series("futures", "agg_trades", "BTCUSDT"),
    Series("spot", "trades", "ETHUSDT"),
    Series("futures", "trades", "BTCUSDT"),
    Series("futures", "funding_rate", "BTCUSDT"),
    Series("coin_futures", "funding_rate", "BTCUSD_PERP"),
    Series("futures", "metrics", "BTCUSDT"),
]


@pytest.mark.parametrize("series", SERIES, ids=lambda series: f"{series.market}-{series.kind}")
def test_every_kind(simulator: Simulator, series: Series) -> None:
    kind = ARCHIVE.kinds[series.market, series.kind]
    piece = Piece(series, TODAY - DAY + 30 * MINUTE, TODAY - DAY + 9 * HOUR, "rest")
    fetched = fetch(simulator, piece)
    frame, origin = fetched.frame, fetched.origin
    assert frame.schema == polars_schema(kind, "decimal")
    assert frame.height > 0
    assert frame.equals(frame.sort(list(kind.key)))
    assert not frame.select(list(kind.key)).is_duplicated().any()
    times: list[int] = frame[kind.time].dt.timestamp("ms").to_list()
    assert piece.start <= min(times)
    assert max(times) < piece.end
    step = {"1m": MINUTE, "5m": 5 * MINUTE}.get(series.interval, kind.cadence)
    if step is not None:
        assert times == list(range(piece.start, piece.end, step))
    if kind.sequence is not None:
        ids = frame[kind.sequence].to_list()
        assert ids == list(range(ids[0], ids[-1] + 1))
    # What a plan told beforehand is not exceeded, where it could be known.
    cost = over_rest(kind, piece, NOW)
    assert origin.requests == len(origin.urls)
    if cost.weight.certainty == "at_most" and series.kind != "funding_rate":
        assert origin.requests <= cost.requests.value
        assert origin.weight <= cost.weight.value


@pytest.mark.parametrize("series", SERIES[:8:3], ids=lambda series: f"{series.market}-{series.kind}")
def test_cells_are_those_of_the_calls(simulator: Simulator, series: Series) -> None:
    """Column by column against what a client answers, in both kinds of prices."""
    kind = ARCHIVE.kinds[series.market, series.kind]
    piece = Piece(series, TODAY - DAY, TODAY - DAY + 4 * HOUR, "rest")
    exact, rough = fetch(simulator, piece), fetch(simulator, piece, "float")
    with simulator.sync_client(budget=False) as client:
        method = getattr(client.market(series.market), f"iter_{kind.rest[0].operation}")  # type: ignore[call-overload]
        arguments = {"interval": series.interval} if series.interval else {}
        rows = list(method(series.symbol, start_time=piece.start, end_time=piece.end - 1, **arguments))
    assert exact.frame.height == rough.frame.height == len(rows)
    for column in kind.kept:
        expected = [getattr(row, kind.rest[0].columns[column.name]) for row in rows]
        if column.type == "time":
            assert exact.frame[column.name].dt.timestamp("ms").to_list() == expected
        else:
            assert exact.frame[column.name].to_list() == expected
        if column.type == "decimal":
            assert rough.frame[column.name].to_list() == [float(value) for value in expected]


def test_spans_where_ids_alone_lead(simulator: Simulator) -> None:
    """Trades are found by a search for the first id; pieces that follow each other have every id once."""
    series = Series("spot", "trades", "BTCUSDT")
    edges = [TODAY - DAY + hours * HOUR for hours in (1, 2, 4)]
    found = [fetch(simulator, Piece(series, a, b, "rest")) for a, b in itertools.pairwise(edges)]
    ids = [number for fetched in found for number in fetched.frame["trade_id"].to_list()]
    assert ids == list(range(ids[0], ids[-1] + 1))
    whole = fetch(simulator, Piece(series, edges[0], edges[-1], "rest"))
    assert whole.frame["trade_id"].to_list() == ids
    assert sum("limit=1&" in f"{url}&" for url in whole.origin.urls) < 20


def test_the_rows_of_metrics_are_joined_by_their_label(simulator: Simulator) -> None:
    """Open interest comes with its shift: the same row over REST is five minutes later than its label."""
    piece = Piece(Series("futures", "metrics", "BTCUSDT"), TODAY - DAY, TODAY - DAY + HOUR, "rest")
    frame = fetch(simulator, piece).frame
    with simulator.sync_client(budget=False) as client:
        later = client.futures.open_interest_hist(
            "BTCUSDT", "5m", start_time=piece.start + 5 * MINUTE, end_time=piece.end + 5 * MINUTE - 1
        )
        takers = client.futures.taker_long_short_ratio(
            "BTCUSDT", "5m", start_time=piece.start, end_time=piece.end - 1, limit=100
        )
    assert frame["open_interest"].to_list() == [row.open_interest for row in later]
    assert frame["taker_long_short_ratio"].to_list() == [row.buy_sell_ratio for row in takers]


# ---------------------------------------------------------------------------------- an exchange with holes


def kline(at: int, price: str = "97123.45000000") -> list[Any]:
    return [at, price, price, price, price, "1.5", at + MINUTE - 1, "9.25", 3, "0.5", "4.5", "0"]


def with_exchange(there: set[int], most: int, price: str = "97123.45000000") -> tuple[list[str], BinanceClient]:
    """A client of an exchange that has these bars alone, in pages of so many."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        query = request.url.params
        asked.append(str(request.url))
        start, end, limit = int(query["startTime"]), int(query["endTime"]), min(int(query["limit"]), most)
        rows = [kline(at, price) for at in sorted(there) if start <= at <= end][:limit]
        return httpx.Response(200, content=json.dumps(rows))

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return asked, BinanceClient(spot_base_url="http://exchange.test", http_client=http, budget=False)


def fetch_from(client: BinanceClient, piece: Piece, prices: Prices = "decimal") -> Fetched:
    async def go() -> Fetched:
        async with client:
            return await fetch_over_rest(piece, client, prices=prices)

    return asyncio.run(go())


DAY_OF_BARS = Piece(Series("spot", "klines", "BTCUSDT", "1m"), TODAY - DAY, TODAY, "rest")


@pytest.mark.parametrize("most", [1000, 90], ids=["full pages", "pages that became smaller"])
def test_bars_that_the_exchange_has_not_are_no_end(most: int) -> None:
    there = set(range(DAY_OF_BARS.start, DAY_OF_BARS.end, MINUTE))
    there -= {at for at in there if 5 * HOUR <= at - DAY_OF_BARS.start < 9 * HOUR}
    there -= {DAY_OF_BARS.end - MINUTE, DAY_OF_BARS.start}
    asked, client = with_exchange(there, most)
    fetched = fetch_from(client, DAY_OF_BARS)
    assert fetched.frame["open_time"].dt.timestamp("ms").to_list() == sorted(there)
    assert fetched.origin.urls == tuple(asked)


def test_a_span_without_rows_is_a_piece_without_rows() -> None:
    _, client = with_exchange(set(), 1000)
    fetched = fetch_from(client, DAY_OF_BARS)
    assert fetched.frame.height == 0
    assert fetched.frame.schema == polars_schema(ARCHIVE.kinds["spot", "klines"], "decimal")
    assert (fetched.origin.requests, fetched.origin.size) == (1, 2)
    assert fetched.origin.sha256 == hashlib.sha256(b"[]").hexdigest()


def test_no_digit_is_lost_in_silence() -> None:
    _, client = with_exchange({DAY_OF_BARS.start}, 1000, "0.123456789")
    with pytest.raises(HistoryError, match=r"open 0.123456789 has more than the 8 digits"):
        fetch_from(client, DAY_OF_BARS)
    _, client = with_exchange({DAY_OF_BARS.start}, 1000, "0.123456789")
    assert fetch_from(client, DAY_OF_BARS, "float").frame["open"].to_list() == [0.123456789]
    # Zeros behind it are no digits.
    _, client = with_exchange({DAY_OF_BARS.start}, 1000, "0.1234567800")
    assert fetch_from(client, DAY_OF_BARS).frame["open"].to_list() == [Decimal("0.12345678")]


def test_what_rest_does_not_serve() -> None:
    _, client = with_exchange(set(), 1000)
    with pytest.raises(HistoryError, match="REST does not serve book_depth of futures"):
        fetch_from(client, Piece(Series("futures", "book_depth", "BTCUSDT"), TODAY - DAY, TODAY, "rest"))


@pytest.mark.parametrize(("behind", "waits"), [(0.0, 0), (30.0, 1), (600.0, 0)])
def test_the_end_of_a_piece_is_the_past_by_the_clock_of_the_exchange(
    monkeypatch: pytest.MonkeyPatch, behind: float, waits: int
) -> None:
    """A clock that is ahead plans bars that the exchange has not closed; they are waited for, or it is said."""
    end = NOW // MINUTE * MINUTE
    exchange = ManualClock(end + 5000 - round(behind * 1000))
    waited: list[float] = []

    async def sleep(clock: AsyncClock, seconds: float) -> None:
        waited.append(seconds)
        exchange.advance(seconds)

    piece = Piece(Series("spot", "klines", "BTCUSDT", "1m"), TODAY - DAY, end, "rest")
    with Simulator(clock=exchange, history_days=2) as simulator:
        monkeypatch.setattr(AsyncClock, "sleep", sleep)
        if behind > 120:
            with pytest.raises(HistoryError, match=r"s in the future of the exchange: set the clock of this machine"):
                fetch(simulator, piece)
            return
        frame = fetch(simulator, piece).frame
    assert len(waited) == waits
    assert frame["open_time"].dt.timestamp("ms").to_list() == list(range(piece.start, piece.end, MINUTE))


def test_trades_of_futures_want_a_key(simulator: Simulator) -> None:
    async def go() -> None:
        async with simulator.client() as client:
            piece = Piece(Series("futures", "trades", "BTCUSDT"), TODAY - DAY, TODAY, "rest")
            with pytest.raises(ConfigError, match="needs an API key"):
                await fetch_over_rest(piece, client)

    asyncio.run(go())


def test_frames_are_in_one_piece() -> None:
    """What is written next should not be hundreds of chunks."""
    _, client = with_exchange(set(range(DAY_OF_BARS.start, DAY_OF_BARS.end, MINUTE)), 10)
    frame = fetch_from(client, DAY_OF_BARS).frame
    assert (frame.height, frame.n_chunks()) == (1440, 1)
    assert isinstance(frame, pl.DataFrame)
